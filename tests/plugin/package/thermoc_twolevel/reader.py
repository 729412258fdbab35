"""Files with the suffix .levels: a drive a line."""

from __future__ import annotations

import numpy as np

import thermoc as tc
from thermoc.frontends.format import Format
from thermoc.support.errors import error
from thermoc.support.limits import TEXT_BYTES
from thermoc.support.loading import read_text
from thermoc_twolevel.ops import FreeEnergy  # noqa: F401  (the op that files are read as)


def read_levels(path, *, T: float = 1.0):
    """Return the graph of a file, and no repair. T: the temperature of every unit. Errors: T501, T502."""
    try:
        levels = [float(line) for line in read_text(path, most=TEXT_BYTES).split()]
    except ValueError as reason:
        raise error("T502", "a level is no number", notes=[str(reason)]) from None
    with tc.Network("levels") as net:
        tc.output("y", tc.free_energy(tc.input("x", (len(levels),)) + levels, float(T)))
    return net.graph, ()


def write_levels(graph, path) -> None:
    """Write the levels of a network that ``read_levels`` gave."""
    (levels,) = (op.value.numpy for op in graph.ops if op.opname == "core.constant" and op.value.numpy.ndim == 1)
    np.savetxt(path, levels)


FORMAT = Format(
    name="levels",
    title="a drive a line",
    suffixes=(".levels",),
    reader=read_levels,
    writer=write_levels,
    reads="drives of two-level units",
    writes="the same",
    refuses="what is no number",
)
