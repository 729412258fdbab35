"""Analyses: what can be proven of a graph without running it. They change nothing."""
