"""Experiments away from equilibrium: works of driven networks, critical dynamics, avalanches."""

from thermoc.apps.nonequilibrium.driven import Driven, FluctuationTest, drive, fluctuation_test
from thermoc.apps.nonequilibrium.systems import driven_ring, moved_trap, ring_free_energy, trap_free_energy

__all__ = [
    "Driven",
    "FluctuationTest",
    "drive",
    "driven_ring",
    "fluctuation_test",
    "moved_trap",
    "ring_free_energy",
    "trap_free_energy",
]
