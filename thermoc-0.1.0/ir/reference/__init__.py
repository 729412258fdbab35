"""The reference interpreter: NumPy, slow, obvious. It is the meaning of every op of every dialect."""

from thermoc.ir.reference import core, crossbar, diffusive, heat, langevin, loihi, sampling, spiking, thermo
from thermoc.ir.reference.interpreter import Trace, evaluate, interpret

__all__ = [
    "Trace",
    "core",
    "crossbar",
    "diffusive",
    "evaluate",
    "heat",
    "interpret",
    "langevin",
    "loihi",
    "sampling",
    "spiking",
    "thermo",
]
