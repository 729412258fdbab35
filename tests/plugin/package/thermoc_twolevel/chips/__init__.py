"""Chips, each a file of its name."""
