"""From ops back to nodes and edges: sums become edges that meet, a tick of delay that reading puts back vanishes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from thermoc.frontends.nir.cycles import late_edges, looping
from thermoc.frontends.nir.nodes import BEFORE, Model, Node
from thermoc.frontends.nir.op_nodes import node_of
from thermoc.frontends.nir.ops import PRODUCT, SUM, UNIT_FIELDS, Site, factor, summed
from thermoc.frontends.nir.refusals import refusals
from thermoc.ir.dialects import core
from thermoc.ir.graph import Graph, NameSource
from thermoc.ir.values import Value
from thermoc.support.errors import ThermocError

Waits = Sequence[core.Delay]
UNNAMED = re.compile(rf"^delay(_\d+)?$|{re.escape(BEFORE)}(_\d+)?$")
NO_NODE = (core.Constant, SUM)


def model_of(graph: Graph) -> Model:
    """Return the nodes and edges of a graph. Errors: T509, every op without a node at once."""
    site = Site(graph=graph)
    if found := refusals(site):
        raise ThermocError(found)
    _name(site)
    waits = _recurrent(site)
    for op in _with_node(site, waits):
        site.nodes[site.name(op)] = node_of(site, op)
        site.edges += [(site.names[value.name], site.name(op)) for value in _read(site, op, waits)]
    return Model(source=graph.name, nodes=dict(sorted(site.nodes.items())), edges=tuple(sorted(site.edges)))


def _with_node(site: Site, waits: Waits) -> Iterator[Any]:
    return (op for op in site.graph.ops if not isinstance(op, NO_NODE) and op not in waits)


def _name(site: Site) -> None:
    """Name nodes: inputs and outputs first, as they are; each op by its first result, without the result's own name."""
    fresh = NameSource()
    for end in (*site.graph.of(core.Input), *site.graph.of(core.Output)):
        site.names[end.results[0].name if end.results else f"output {end.name}"] = fresh(end.name)
    for op in _with_node(site, ()):
        if isinstance(op, (core.Input, core.Output)):
            continue
        first = op.results[0].name
        suffix = f".{next(iter(op.result_specs))}" if len(op.results) > 1 else ""
        site.names[first] = fresh(first.removesuffix(suffix))


def _recurrent(site: Site) -> Waits:
    """Return the delays of one tick that reading puts back: without them, it finds these very edges late.

    A delay that someone gave a name stays a node.
    """
    delays = site.graph.of(core.Delay)
    place = {op.y.name: index for index, op in enumerate(site.graph.ops) if isinstance(op, core.Delay)}
    circling = looping(site.graph.to_networkx()) if delays else set()
    able = {op.y.name for op in delays if op.ticks == 1 and place[op.y.name] in circling and UNNAMED.search(op.y.name)}
    waits = [op for op in delays if op.y.name in able and not able & {v.name for v in summed(site, op.x)}]
    while waits:
        bare = _bare(site, waits)
        if len(set(bare.edges)) < len(bare.edges):  # something is read both now and a tick late
            return ()
        late = set(late_edges(bare, {site.name(op) for op in delays if op not in waits}))
        over = {op.y.name: _over(site, op, waits) for op in waits}
        kept = [op for op in waits if over[op.y.name] <= late]
        if len(kept) == len(waits):
            return waits if set().union(*over.values()) == late else ()
        waits = kept
    return ()


def _bare(site: Site, waits: Waits) -> Model:
    """Return the model without some delays, its nodes' kinds and its edges alone."""
    nodes = {site.name(op): Node(kind=_kind(op)) for op in _with_node(site, waits)}
    edges = [
        (site.names[value.name], site.name(op)) for op in _with_node(site, waits) for value in _read(site, op, waits)
    ]
    return Model(source=site.graph.name, nodes=nodes, edges=tuple(edges))


def _over(site: Site, op: core.Delay, waits: Waits) -> set[tuple[str, str]]:
    """Return the edges that a delay lies on."""
    behind, readers = _behind(site, op.x, waits), _readers(site, op, waits)
    return {(site.names[value.name], reader) for value in behind for reader in readers}


def _kind(op: Any) -> str:
    """Return a node's kind as far as cycles ask: whether it keeps a state."""
    ends = {core.Input: "Input", core.Output: "Output", core.Delay: "Delay"}
    return UNIT_FIELDS[type(op)][0] if type(op) in UNIT_FIELDS else ends.get(type(op), "Scale")


def _readers(site: Site, op: core.Delay, waits: Waits) -> list[str]:
    """Return the nodes that read a delay's result, through sums."""
    found, stack = [], [op.y]
    while stack:
        for reader in site.graph.consumers.get(stack.pop().name, ()):
            if isinstance(reader, SUM):
                stack += reader.results
            elif reader not in waits:
                found.append(site.name(reader))
    return found


def _behind(site: Site, value: Value, waits: Waits) -> list[Value]:
    """Return the values behind an operand, through sums and delays that vanish."""
    found: list[Value] = []
    for held in summed(site, value):
        op = site.source(held)
        found += _behind(site, op.x, waits) if op in waits else [held]
    return found


def _read(site: Site, op: Any, waits: Waits) -> list[Value]:
    """Return the values that a node reads."""
    if isinstance(op, core.Input):
        return []
    return _behind(site, factor(site, op)[0] if type(op) is PRODUCT else op.x, waits)
