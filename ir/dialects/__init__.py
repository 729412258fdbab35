"""The dialects: one file each, one class an op. Importing this package registers them all."""

from thermoc.ir.dialects import (
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
from thermoc.ir.dialects.announced import register_announced

__all__ = [
    "core",
    "crossbar",
    "devices",
    "diffusive",
    "dynamics",
    "heat",
    "langevin",
    "loihi",
    "sampling",
    "spiking",
    "thermo",
]

# Last, for dialects of other packages may be written in ours.
register_announced()
