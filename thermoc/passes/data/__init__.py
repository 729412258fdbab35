"""Limits of chips, as data files: each number with its unit, its source and how sure it is."""
