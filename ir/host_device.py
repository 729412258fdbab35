"""A graph with Loihi inside: the host's ops before it, Loihi's, the host's after it, and the clocks of both.

Ops of the host that Loihi feeds and that feed Loihi are with Loihi's, in its clock: a process of the host between two
of its units (``between``). They keep no state.

The host lives in the network's ticks, Loihi in its own: one tick of the network is ``every`` of Loihi's, and what
Loihi says of a tick comes ``lag`` ticks later, because a synapse takes a tick. ``loihi.encode`` and ``loihi.decode``
hold both numbers. A graph whose borders all have lag 0 and every 1 is an ordinary graph. ``clocked_session`` runs the
parts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from thermoc.ir.dialects.core import Input, Output
from thermoc.ir.dialects.loihi import LoihiDecode, LoihiEncode
from thermoc.ir.graph import Graph
from thermoc.ir.ops import STATEFUL, Op
from thermoc.ir.values import Value
from thermoc.support.errors import error


@dataclass(frozen=True, kw_only=True)
class SplitGraph:
    """A graph split at its borders. Each of the three gives and takes the values at them under the values' own names.

    before: gives the result of each encode. loihi: takes those, gives what each decode reads. after: takes those and
    the network's inputs, gives the network's outputs.
    """

    before: Graph
    loihi: Graph
    after: Graph
    encodes: tuple[LoihiEncode, ...]
    decodes: tuple[LoihiDecode, ...]
    every: int

    @property
    def parts(self) -> dict[str, Graph]:
        """The parts that have work to do, by name, in the order of a tick."""
        parts = {"before": self.before, "loihi": self.loihi, "after": self.after}
        return {name: subgraph for name, subgraph in parts.items() if subgraph.outputs}

    @property
    def latency(self) -> int:
        """How many ticks of Loihi the last of its results comes late."""
        return max((op.lag for op in self.decodes), default=0)

    @property
    def ahead(self) -> int:
        """How many ticks Loihi must run ahead of the host for the results of the host's last tick."""
        return max(0, 1 + self.latency - self.every)

    def read_for(self, outputs: Collection[str]) -> frozenset[str]:
        """Return the names of Loihi's results that the host reads for these of its outputs, and for its states."""
        stated = [value for op in self.after.ops if STATEFUL in op.traits for value in op.results]
        dependencies = _ops_behind(self.after, [*(self.after.outputs[name].x for name in outputs), *stated], ())
        read = {op.name for op in dependencies if isinstance(op, Input)}
        return frozenset(op.x.name for op in self.decodes if border(op.x) in read)


def is_clocked(graph: Graph) -> bool:
    """Tell whether a graph has ops of Loihi whose ticks differ from the network's."""
    return any(op.lag or op.every > 1 for op in graph.ops if isinstance(op, LoihiEncode | LoihiDecode))


def unclocked(op: Op) -> Op:
    """Return an op without lag: who runs the split graph keeps the clocks."""
    return op.with_(lag=0, every=1) if isinstance(op, LoihiEncode | LoihiDecode) else op


def split_graph(graph: Graph) -> SplitGraph:
    """Split a graph into host, Loihi and host. Errors: T105 where the borders disagree about ``every``."""
    inside = {op.y.name for pair in between(graph) for op in pair}
    encodes = tuple(op for op in graph.of(LoihiEncode) if op.y.name not in inside)
    decodes = tuple(op for op in graph.of(LoihiDecode) if op.y.name not in inside)
    period = _every(encodes, decodes)
    messages, results, outputs = [op.y for op in encodes], [op.x for op in decodes], graph.of(Output)
    before = _ops_behind(graph, messages, ())
    loihi = _ops_behind(graph, results, messages)
    after = [*_ops_behind(graph, [op.x for op in outputs], results), *outputs]
    return SplitGraph(
        before=_graph_of(graph, before, gives=messages, takes=()),
        loihi=_graph_of(graph, loihi, gives=results, takes=messages),
        after=_graph_of(graph, after, gives=(), takes=results),
        encodes=encodes,
        decodes=decodes,
        every=period,
    )


def between(graph: Graph) -> tuple[tuple[LoihiEncode, ...], tuple[LoihiDecode, ...]]:
    """Return the encodes that the host feeds with what Loihi said, and the decodes by which it heard it."""
    encodes: list[LoihiEncode] = []
    decodes: dict[str, LoihiDecode] = {}
    for op in graph.of(LoihiEncode):
        heard = [source for source in host_ops_behind(graph, op) if isinstance(source, LoihiDecode)]
        if heard:
            encodes.append(op)
            decodes |= {source.y.name: source for source in heard}
    return tuple(encodes), tuple(decodes.values())


def host_ops_behind(graph: Graph, encode: LoihiEncode) -> list[Op]:
    """Return the host's ops whose results make up a message, in the graph's order, the decodes at their start too."""
    decoded = [op.x for op in graph.of(LoihiDecode)]
    return _ops_behind(graph, [encode.x], decoded)


def _every(encodes: tuple[LoihiEncode, ...], decodes: tuple[LoihiDecode, ...]) -> int:
    stated = {op.every for op in (*encodes, *decodes)}
    if len(stated) > 1:
        notes = [f"every = {number}" for number in sorted(stated)]
        raise error("T105", "encodes and decodes disagree about the ticks of Loihi", notes=notes)
    return stated.pop() if stated else 1


def border(value: Value) -> str:
    """Return the name under which the host takes a value of Loihi: no input of the network may have it already."""
    return f"chip.{value.name}"


def _ops_behind(graph: Graph, results: Iterable[Value], inputs: Iterable[Value]) -> list[Op]:
    """Return the ops behind some values, in the graph's order, up to those that are inputs."""
    stop, live = {value.name for value in inputs}, set[str]()
    # A walk without recursion: deep networks would exceed Python's stack.
    stack = [value.name for value in results]
    while stack:
        name = stack.pop()
        if name in live or name in stop:
            continue
        op = graph.producers[name]
        live.update(value.name for value in op.results)
        stack += [value.name for value in op.inputs]
    return [op for op in graph.ops if any(value.name in live for value in op.results)]


def _graph_of(graph: Graph, ops: Iterable[Op], *, gives: Iterable[Value], takes: Iterable[Value]) -> Graph:
    """Return ops as a graph of their own, with the values at its borders as inputs and outputs."""
    ops, gives, incoming = list(ops), list(gives), {value.name: value for value in takes}
    read = {value.name for op in ops for value in op.inputs} | {value.name for value in gives}
    inputs: list[Op] = []
    for name, value in incoming.items():
        if name in read:
            named = border(value) if any(isinstance(op, Output) for op in ops) else name
            inputs.append(Input(name=named, shape=value.shape, dtype=value.dtype, role=value.role, y=value))
    outputs = [Output(name=name, x=value) for name, value in {value.name: value for value in gives}.items()]
    return graph.with_ops([*inputs, *map(unclocked, ops), *outputs])
