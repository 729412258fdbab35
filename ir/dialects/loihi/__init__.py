"""Loihi 2's integer arithmetic: synapses, units, and the two borders between numbers and integers.

Every value is an integer of at most 32 bits, stored as i32: a sum beyond them wraps. A ``>>`` is a floor shift;
``sgn(x) (|x| k >> n)`` truncates towards zero, as Loihi's decays do. The facts of the stock units were measured
against lava-nc 0.10.0.

Synapses (``dense``, ``sparse``, ``conv``) have a latency of one tick: what they send in tick t was received in
t - 1, so a network may be recurrent through any of them. Activations that reach one dendrite are added by
``dendrite``. Units act within their tick.

lag: a unit with lag n is silent and in its initial state while tick < n, and the noise of tick t is that of
tick t - n. So a network whose synapses delay it still draws what it would have drawn without them. A p-bit is
not silent meanwhile: it says its initial level, which its neighbours read.

lag and every of the borders say which tick of Loihi is which of the network: ``ir.host_device`` runs a graph by them.
"""

from thermoc.ir.dialects.loihi.borders import LoihiDecode, LoihiEncode
from thermoc.ir.dialects.loihi.ranges import LIMIT, LONGEST_DELAY, weight_range
from thermoc.ir.dialects.loihi.synapses import LoihiConv, LoihiDendrite, LoihiDense, LoihiSparse
from thermoc.ir.dialects.loihi.thermal_units import (
    LoihiBoltzmann,
    LoihiCategorical,
    LoihiFermiDirac,
    LoihiHeat,
    LoihiHeatNode,
    LoihiMemory,
    LoihiRelaxation,
)
from thermoc.ir.dialects.loihi.units import LoihiDelta, LoihiGraded, LoihiLif, LoihiLut, LoihiSigma, LoihiSigmaDelta

__all__ = [
    "LIMIT",
    "LONGEST_DELAY",
    "LoihiBoltzmann",
    "LoihiCategorical",
    "LoihiConv",
    "LoihiDecode",
    "LoihiDelta",
    "LoihiDendrite",
    "LoihiDense",
    "LoihiEncode",
    "LoihiFermiDirac",
    "LoihiGraded",
    "LoihiHeat",
    "LoihiHeatNode",
    "LoihiLif",
    "LoihiLut",
    "LoihiMemory",
    "LoihiRelaxation",
    "LoihiSigma",
    "LoihiSigmaDelta",
    "LoihiSparse",
    "weight_range",
]
