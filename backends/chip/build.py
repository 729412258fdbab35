"""Build what runs on a chip: the layout of the network's ops, and the program that computes their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from thermoc.backends.base import Artefact
from thermoc.backends.chip.die_temperature import TEMPERATURE, WARMTH, AtDie, supplied
from thermoc.backends.chip.layout import ChipLayout
from thermoc.backends.chip.options import ChipOptions
from thermoc.backends.sim.emit import emit
from thermoc.ir.dialects.core import Constant
from thermoc.ir.graph import Graph
from thermoc.passes.change_log import Lowered
from thermoc.simulator import Program


@dataclass(frozen=True, kw_only=True)
class ChipArtefact(Artefact):
    """A network compiled to a chip: what it computes (``program``) and what the machine does (``mapping.program``)."""

    suffix: ClassVar[str] = ".chip"

    program: Program
    mapping: ChipLayout
    options: ChipOptions
    factors: Mapping[str, str]
    """Inputs of the program that are temperatures of places over those asked for, by the op's result."""
    warmths: Mapping[str, str]
    """Inputs of the program that are conductances of cells over those programmed, by the product's result."""
    fused: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of the network's ops that an op of the graph holds, itself last, where it holds more than itself."""

    @property
    def graph(self) -> Graph:
        """The network's ops, which the machine's instructions serve: the graph that was laid out."""
        return self.mapping.work.graph

    @property
    def threads(self) -> int | None:
        """At most so many threads."""
        return self.options.threads

    def to_bytes(self) -> bytes:
        """Return the machine's program as a file."""
        return self.mapping.program.to_bytes()

    def __str__(self) -> str:
        return f"{self.mapping.summary()}\n\n{self.mapping.program}"


def build(lowered: Lowered, options: ChipOptions) -> ChipArtefact:
    """Return the artefact of a network on a chip; ``lowered`` is what the passes of ``lower`` made. Errors: T301."""
    layout = ChipLayout.of(lowered, options.machine)
    # Only the program at the die's temperature has inputs for it; the other draws at the model's.
    graph = lowered.needed(AtDie).graph if options.temperature == "die" else lowered.graph
    return ChipArtefact(
        program=emit(graph),
        mapping=layout,
        options=options,
        factors=supplied(graph, TEMPERATURE),
        warmths=supplied(graph, WARMTH),
        fused=fused(lowered.graphs[0], layout.work.graph),
    )


def fused(source: Graph, graph: Graph) -> dict[str, tuple[str, ...]]:
    """Return which ops of the source each op of a later graph holds, by its first result: itself and what is gone.

    Names are those of first results, in the source's order, the op itself last; ops that hold only themselves are left
    out, and so are constants.
    """
    names = {value.name for op in graph.ops for value in op.results}
    # The source's order, in which the reader of a report meets the ops.
    order = {op.results[0].name: k for k, op in enumerate(source.order) if op.results}
    holds: dict[str, tuple[str, ...]] = {}
    for name in names & order.keys():
        inner = _fused_into(source, name, names)
        if inner:
            holds[name] = (*sorted(inner, key=lambda value: order[value]), name)
    return holds


def _fused_into(source: Graph, name: str, names: set[str]) -> set[str]:
    """Return the ops of the source before ``name`` that no longer have a name of their own."""
    stack, inner = [source.producers[name]], set[str]()
    while stack:
        for value in stack.pop().inputs:
            op = source.producers[value.name]
            result = op.results[0].name
            if result not in names and result not in inner and not isinstance(op, Constant):
                inner.add(result)
                stack.append(op)
    return inner
