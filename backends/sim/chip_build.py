"""Build what runs on a chip: the layout of the cleaned graph, and the program of its lowered one."""

from __future__ import annotations

from typing import Any

from thermoc.backends.base import Backend
from thermoc.backends.sim.chip import ChipArtefact, mapped
from thermoc.backends.sim.emit import emit
from thermoc.ir.graph import Graph
from thermoc.passes.base import Lowered, run_passes
from thermoc.passes.die_temperature import DieTemperature, factors
from thermoc.passes.fuse import Fuse
from thermoc.simulator.chips import load_chip


def build(lowered: Lowered, options: Any, backend: Backend) -> ChipArtefact:
    """Return the artefact of a network on a chip. Errors: T305, T306, T501, T513, T515."""
    chip = load_chip(options.chip)
    at = _cleaned(lowered)
    graph, final, given = lowered.graphs[at], lowered.graph, {}
    if options.temperature == "die":
        passes = list(backend.lower(options, dt=final.dt))
        final = run_passes(graph, [DieTemperature(), *passes[at + 1 :]]).graph
        given = factors(final)
    return ChipArtefact(
        program=emit(final),
        mapping=mapped(graph, chip, options.placement),
        graph=graph,
        options=options,
        factors=given,
    )


def _cleaned(lowered: Lowered) -> int:
    """Return the place of the pass after which ops are still those of the network, with types and constants known."""
    return next(k for k, record in enumerate(lowered.records) if record.text == Fuse.name)


def graph_of(lowered: Lowered) -> Graph:
    """Return the graph that is laid out."""
    return lowered.graphs[_cleaned(lowered)]
