"""How fast a chip may sample before its own heat spoils what it samples."""

from thermoc.guard.band import GuardBand, OperatingPoint
from thermoc.guard.search import guard_band

__all__ = ["GuardBand", "OperatingPoint", "guard_band"]
