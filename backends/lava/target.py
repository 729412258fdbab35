"""What Lava holds: the chip's ops, ops that ``quantize`` writes in them, and the host's, beside the chip."""

from __future__ import annotations

from thermoc.ir.dialects import core
from thermoc.ir.element_indices import MOVES
from thermoc.ir.ops import REGISTRY
from thermoc.ir.target import TargetDescription
from thermoc.passes.loihi.population_table import MAKERS
from thermoc.passes.loihi.relaxations import RELAXING
from thermoc.passes.loihi.thermal_networks import NETWORKS

LINEAR = (
    core.Affine,
    core.SparseAffine,
    core.Matmul,
    core.Conv,
    core.Pool,
    core.Add,
    core.Sub,
    core.Neg,
    core.Mul,
    core.Div,
)
ENDS = (core.Input, core.Output, core.Probe, core.Constant)
MOVED = frozenset(cls.opname for cls in (*MOVES, core.Concat, core.Delay, *ENDS))
QUANTIZED = frozenset(cls.opname for cls in (*LINEAR, *MAKERS, *NETWORKS, *RELAXING))
# The host does what Loihi cannot.
REFUSED = {
    "core.parameter": "weights are quantised when it is compiled: freeze-parameters makes a constant of it",
    "thermo.device_step": "a device's currents span twelve decades, and its voltage is sought by iteration: a core of "
    "Loihi has integers of 24 bits and no loop within a tick",
}
OPS = frozenset(name for name in REGISTRY if name not in REFUSED)


def _form(name: str) -> str:
    if name.startswith("loihi.") or name in MOVED:
        return "native"
    return "quantized" if name in QUANTIZED else "host"


TARGET = TargetDescription(
    name="lava",
    summary="Loihi 2 through Lava: integers, a package that runs by itself",
    machine="emulated",
    ops=OPS,
    refused=REFUSED,
    forms={name: _form(name) for name in OPS},
)
