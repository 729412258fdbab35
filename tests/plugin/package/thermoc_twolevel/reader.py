"""Files with the suffix .levels: a drive a line."""

from __future__ import annotations

import thermoc as tc
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
