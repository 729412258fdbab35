"""How fast a chip may sample before its own heat spoils what it samples."""

from thermoc.guard.band import GuardBand, GuardPoint
from thermoc.guard.search import guard_band

__all__ = ["GuardBand", "GuardPoint", "guard_band"]
