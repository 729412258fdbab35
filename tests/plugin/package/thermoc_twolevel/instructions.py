"""The simulator's instruction: one element in plain Python, compiled for the CPU and for a GPU."""

from __future__ import annotations

from thermoc.simulator.instructions.elementwise import elementwise
from thermoc.simulator.kernels import scalar


def free_energy(x, T):
    """T ln(1 + e^(x / T))."""
    low = -x if x > 0 else x
    rest = T * scalar.log(type(x)(1) + scalar.exp(low / T))
    return x + rest if x > 0 else rest


FREE_ENERGY = elementwise(10_001, "TWOLEVEL_FREE_ENERGY", free_energy)
