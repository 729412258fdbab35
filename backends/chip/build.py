"""Build what runs on a chip: the layout of the cleaned graph, and the program of its lowered one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thermoc.backends.base import Backend
from thermoc.backends.chip.die_temperature import WARMTH, CellWarmth, DieTemperature, factors
from thermoc.backends.chip.layout import ChipArtefact, Layout, mapped
from thermoc.backends.chip.work import Kind
from thermoc.backends.sim.emit import emit
from thermoc.ir.dialects.core import Constant
from thermoc.ir.graph import Graph
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Lowered
from thermoc.passes.crossbar.map_crossbars import MapCrossbars
from thermoc.passes.fuse import Fuse
from thermoc.passes.pipeline import run_passes
from thermoc.simulator.chips import load_chip


def build(lowered: Lowered, options: Any, backend: Backend) -> ChipArtefact:
    """Return the artefact of a network on a chip. Errors: T305, T306, T501, T513, T515."""
    chip = load_chip(options.chip)
    at = _cleaned(lowered)
    graph, final, given = lowered.graphs[at], lowered.graph, {}
    layout = mapped(graph, chip, options.placement)
    if options.temperature == "die":
        final = run_passes(graph, [DieTemperature(), *_warm(backend.lower(options, dt=final.dt), at, layout)]).graph
        given = factors(final)
    return ChipArtefact(
        program=emit(final),
        mapping=layout,
        warmths=factors(final, WARMTH),
        graph=graph,
        options=options,
        factors=given,
        fused=fused(lowered.graphs[0], graph),
    )


def fused(source: Graph, graph: Graph) -> dict[str, tuple[str, ...]]:
    """Return which ops of the source each op of a later graph holds, by its first result: itself and what is gone.

    Names are those of first results, in the source's order, the op itself last; ops that hold only themselves are left
    out, and so are constants.
    """
    left = {value.name for op in graph.ops for value in op.results}
    place = {op.results[0].name: k for k, op in enumerate(source.order) if op.results}
    held: dict[str, tuple[str, ...]] = {}
    for name in left & place.keys():
        stack, gone = [source.producers[name]], set[str]()
        while stack:
            for value in stack.pop().inputs:
                op = source.producers[value.name]
                inner = op.results[0].name
                if inner not in left and inner not in gone and not isinstance(op, Constant):
                    gone.add(inner)
                    stack.append(op)
        if gone:
            held[name] = (*sorted(gone, key=lambda inner: place[inner]), name)
    return held


def _warm(passes: Sequence[Pass], at: int, layout: Layout) -> list[Pass]:
    """Return the passes after the cleaning, with cells at their places' temperatures."""
    products = frozenset(layout.work.ops[part.op] for part in layout.work.parts if part.kind is Kind.product)
    found: list[Pass] = []
    for step in passes[at + 1 :]:
        found += [step, CellWarmth(products=products)] if step.name == MapCrossbars.name else [step]
    return found


def _cleaned(lowered: Lowered) -> int:
    """Return the place of the pass after which ops are still those of the network, with types and constants known."""
    return next(k for k, record in enumerate(lowered.records) if record.text == Fuse.name)


def graph_of(lowered: Lowered) -> Graph:
    """Return the graph that is laid out."""
    return lowered.graphs[_cleaned(lowered)]
