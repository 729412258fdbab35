"""Kernels: scalar rules and small loops, compiled into one interpreter of programs."""
