"""Chips as data files, and their loader."""

from thermoc.simulator.chips.chip import Chip, load_chip, names

__all__ = ["Chip", "load_chip", "names"]
