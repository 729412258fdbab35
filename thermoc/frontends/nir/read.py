"""Read a ``.nir`` file."""

from __future__ import annotations

import math
import os
from pathlib import Path

from thermoc.frontends.hdf5.file import read_hdf5
from thermoc.frontends.nir.build import TWO_VARIABLES, build
from thermoc.frontends.nir.mend import direct, ended, even_delays, named
from thermoc.frontends.nir.nodes import TIMES, Model, repair
from thermoc.frontends.nir.parse import parse
from thermoc.ir.graph import Graph
from thermoc.support.errors import Finding, error

USUAL_DT = 1e-4


def read_nir(
    path: str | os.PathLike[str], *, dt: float | None = None, method: str | None = None
) -> tuple[Graph, tuple[Finding, ...]]:
    """Return the graph of a file, and each repair and assumption.

    NIR's times are seconds, and it states no time step. dt: the time of a tick in s; without it what ``net.save``
    noted in the file, else 1e-4, or 1 where no node has a time. method: of every unit; without it what was noted, else
    euler, and semi_implicit for units with a current. Errors: T1xx, T204, T303, T501, T502, T504, T506 to T508.
    """
    if method is not None and method not in TWO_VARIABLES:
        raise error("T303", f"no unit has the method {method!r}", notes=["there are " + ", ".join(TWO_VARIABLES)])
    if dt is not None and not (isinstance(dt, int | float) and 0 < dt < math.inf):
        raise error("T303", "dt is a time > 0, in seconds", notes=[f"dt = {dt!r}"])
    source = str(path)
    model = ended(direct(even_delays(named(parse(read_hdf5(path), source)))))
    step, assumed = (float(dt), []) if dt is not None else _step(model)
    graph, repairs = build(model, str(model.metadata.get("name", Path(path).stem)), step, method)
    return graph, (*model.repairs, *assumed, *repairs)


def _step(model: Model) -> tuple[float, list[Finding]]:
    noted = model.metadata.get("dt")
    if isinstance(noted, float) and 0 < noted < math.inf:
        return noted, []
    if any(TIMES & node.fields.keys() or node.kind == "Delay" for node in model.nodes.values()):
        return USUAL_DT, [repair(f"the file states no time step: {USUAL_DT} s", "tc.load(path, dt=...) takes another")]
    return 1.0, [repair("the file states no time step and no node has a time: 1", "a tick is the unit of time")]
