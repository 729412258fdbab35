"""Ops written in other ops: what makes a target hold an op that it does not have."""
