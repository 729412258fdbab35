"""The reference interpreter: NumPy, slow, obvious. It is the meaning of every op of every dialect."""

from thermoc.ir.reference import (
    core,
    crossbar,
    devices,
    diffusive,
    dynamics,
    heat,
    langevin,
    loihi,
    sampling,
    spiking,
    thermo,
)
from thermoc.ir.reference.interpreter import ReferenceSession, ReferenceTrace, evaluate, interpret, start_session
from thermoc.support.announced import MEANINGS, loaded

__all__ = [
    "ReferenceSession",
    "ReferenceTrace",
    "core",
    "crossbar",
    "devices",
    "diffusive",
    "dynamics",
    "evaluate",
    "heat",
    "interpret",
    "langevin",
    "loihi",
    "sampling",
    "spiking",
    "start_session",
    "thermo",
]

# Last, for what packages say of their ops is written with ours.
for _ in loaded(MEANINGS):
    pass
