"""Arithmetic of one number, the same to the bit on every processor: primitives, and functions made of them alone."""
