"""Read a ``.nir`` file."""

from __future__ import annotations

import dataclasses
import math
import os
from pathlib import Path

from thermoc.frontends.hdf5.file import read_hdf5
from thermoc.frontends.nir.build import build
from thermoc.frontends.nir.construction import Conventions
from thermoc.frontends.nir.delays import even_delays
from thermoc.frontends.nir.nodes import COMPARISONS, RESETS, NirModel
from thermoc.frontends.nir.parse import parse
from thermoc.frontends.nir.repairs import direct, ended, named
from thermoc.frontends.nir.resets import reset_assumed
from thermoc.frontends.nir.time_step import doubts, noted_step, time_step
from thermoc.frontends.nir.units import TWO_VARIABLES
from thermoc.frontends.nir.whole import read_back
from thermoc.ir.graph import Graph
from thermoc.support.errors import Finding, Location, error
from thermoc.support.suggestions import near


def read_nir(
    path: str | os.PathLike[str],
    *,
    dt: float | None = None,
    method: str | None = None,
    reset: str | None = None,
    compare: str | None = None,
) -> tuple[Graph, tuple[Finding, ...]]:
    """Return the graph of a file, and each repair and assumption.

    NIR's times are seconds, and it states no time step. dt: the time of a tick in s; without it what ``net.save``
    noted in the file, else what the writer's numbers say, else 1e-4, or 1 where no node has a time. method: of every
    unit; without it what was noted, else euler, and semi_implicit for units with a current. reset: ``value`` (NIR's),
    ``zero``, ``subtract``, ``subtract_again``, or a tick late ``subtract_delayed`` and ``zero_delayed``, of every unit
    that spikes; without it what was noted. compare: ``greater_equal`` for units that also spike at their threshold;
    without it what was noted, else ``greater``.
    A file that thermoc wrote of a graph with noise or temperature gives that graph, unless its nodes were changed
    since, or an option is given.
    Errors: T1xx, T204, T303, T501, T502, T504, T506 to T508.
    """
    _known("method", method, TWO_VARIABLES)
    _known("reset", reset, RESETS)
    _known("compare", compare, COMPARISONS)
    if dt is not None and not (isinstance(dt, int | float) and 0 < dt < math.inf):
        raise error("T303", "dt is a time > 0, in seconds", notes=[f"dt = {dt!r}"])
    source = str(path)
    parsed = parse(read_hdf5(path), source)
    graph, changed = (None, []) if dt or method or reset or compare else read_back(parsed)
    if graph is not None:
        return graph, ()
    # Names come first, so that every repair and error below calls a node what the graph calls it.
    model = named(parsed)
    ours = noted_step(model) is not None  # written by net.save: nothing is left open
    step, assumed = (float(dt), []) if dt is not None else time_step(model)
    if dt is not None or not ours:
        assumed += doubts(model, step)
    if reset is None and not ours:
        assumed += reset_assumed(model)
    conventions = Conventions(method=method, reset=reset, compare=compare)
    graph, repairs = graph_of(model, str(model.metadata.get("name", Path(path).stem)), step, conventions)
    return graph, tuple(_with_place(source, repair) for repair in (*changed, *model.repairs, *assumed, *repairs))


def graph_of(model: NirModel, name: str, dt: float, conventions: Conventions) -> tuple[Graph, list[Finding]]:
    """Return the graph of a model, and what was repaired in making it. Errors: those of ``read_nir``."""
    # A Delay of nothing becomes a wire, so wires go after it; what then has no ends gets them.
    repaired = ended(direct(even_delays(dataclasses.replace(model, repairs=()), dt)))
    graph, repairs = build(repaired, name, dt, conventions)
    return graph, [*repaired.repairs, *repairs]


def _known(option: str, value: str | None, known: tuple[str, ...]) -> None:
    if value is not None and value not in known:
        raise error(
            "T303",
            f"no unit has the {option} {value!r}",
            notes=["there are " + ", ".join(known)],
            hint=near(value, known),
        )


def _with_place(source: str, repair: Finding) -> Finding:
    return repair if repair.where else dataclasses.replace(repair, where=Location(source, 0))
