"""From ops back to nodes and edges: sums become edges that meet, a tick of delay that reading puts back vanishes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from thermoc.frontends.nir.cycles import late_edges, looping
from thermoc.frontends.nir.nodes import BEFORE, NirModel, NirNode
from thermoc.frontends.nir.op_nodes import node_of
from thermoc.frontends.nir.ops import PRODUCT, SUM, UNIT_FIELDS, NodeSite, factor, summed
from thermoc.frontends.nir.refusals import refusals
from thermoc.ir.dialects import core
from thermoc.ir.graph import Graph, NameSource
from thermoc.ir.values import Value
from thermoc.support.errors import ThermocError

Waits = Sequence[core.Delay]
UNNAMED = re.compile(rf"^delay(_\d+)?$|{re.escape(BEFORE)}(_\d+)?$")
NO_NODE = (core.Constant, SUM)


def model_of(graph: Graph) -> NirModel:
    """Return the nodes and edges of a graph. Errors: T509, every op without a node at once."""
    site = NodeSite(graph=graph)
    if findings := refusals(site):
        raise ThermocError(findings)
    _name(site)
    waits = _recurrent(site)
    for op in _with_node(site, waits):
        site.nodes[site.name(op)] = node_of(site, op)
        site.edges += [(site.names[value.name], site.name(op)) for value in _read(site, op, waits)]
    return NirModel(source=graph.name, nodes=dict(sorted(site.nodes.items())), edges=tuple(sorted(site.edges)))


def _with_node(site: NodeSite, waits: Waits) -> Iterator[Any]:
    return (op for op in site.graph.ops if not isinstance(op, NO_NODE) and op not in waits)


def _name(site: NodeSite) -> None:
    """Name nodes: inputs and outputs first, as they are; each op by its first result, without the result's own name."""
    fresh = NameSource()
    for port in (*site.graph.of(core.Input), *site.graph.of(core.Output)):
        site.names[port.results[0].name if port.results else f"output {port.name}"] = fresh(port.name)
    for op in _with_node(site, ()):
        if isinstance(op, (core.Input, core.Output)):
            continue
        first = op.results[0].name
        suffix = f".{next(iter(op.result_specs))}" if len(op.results) > 1 else ""
        site.names[first] = fresh(first.removesuffix(suffix))


def _recurrent(site: NodeSite) -> Waits:
    """Return the delays of one tick that reading puts back: without them, it finds these very edges late.

    A delay that someone gave a name stays a node.
    """
    delays = site.graph.of(core.Delay)
    position = {op.y.name: index for index, op in enumerate(site.graph.ops) if isinstance(op, core.Delay)}
    circling = looping(site.graph.to_networkx()) if delays else set()
    able = {
        op.y.name for op in delays if op.ticks == 1 and position[op.y.name] in circling and UNNAMED.search(op.y.name)
    }
    # Reading puts one tick on an edge: of two delays in a row one must stay a node.
    waits = [op for op in delays if op.y.name in able and not able & {v.name for v in summed(site, op.x)}]
    # A delay that stays changes where cycles close, so the others are tried again.
    while waits:
        bare = _bare(site, waits)
        if len(set(bare.edges)) < len(bare.edges):  # something is read both now and a tick late
            return ()
        waiting = set(late_edges(bare, {site.name(op) for op in delays if op not in waits}))
        over = {op.y.name: _over(site, op, waits) for op in waits}
        vanishing = [op for op in waits if over[op.y.name] <= waiting]
        if len(vanishing) == len(waits):
            # One late edge more, and reading would add a tick that the network does not have.
            return waits if set().union(*over.values()) == waiting else ()
        waits = vanishing
    return ()


def _bare(site: NodeSite, waits: Waits) -> NirModel:
    """Return the model without some delays, its nodes' kinds and its edges alone."""
    nodes = {site.name(op): NirNode(kind=_kind(op)) for op in _with_node(site, waits)}
    edges = [
        (site.names[value.name], site.name(op)) for op in _with_node(site, waits) for value in _read(site, op, waits)
    ]
    return NirModel(source=site.graph.name, nodes=nodes, edges=tuple(edges))


def _over(site: NodeSite, op: core.Delay, waits: Waits) -> set[tuple[str, str]]:
    """Return the edges that a delay lies on."""
    sources, readers = _behind(site, op.x, waits), _readers(site, op, waits)
    return {(site.names[value.name], reader) for value in sources for reader in readers}


def _kind(op: Any) -> str:
    """Return a node's kind as far as cycles ask: whether it keeps a state."""
    ends = {core.Input: "Input", core.Output: "Output", core.Probe: "Output", core.Delay: "Delay"}
    return UNIT_FIELDS[type(op)][0] if type(op) in UNIT_FIELDS else ends.get(type(op), "Scale")


def _readers(site: NodeSite, op: core.Delay, waits: Waits) -> list[str]:
    """Return the nodes that read a delay's result, through sums."""
    names, stack = [], [op.y]
    while stack:
        for reader in site.graph.consumers.get(stack.pop().name, ()):
            if isinstance(reader, SUM):
                stack += reader.results
            elif reader not in waits:
                names.append(site.name(reader))
    return names


def _behind(site: NodeSite, value: Value, waits: Waits) -> list[Value]:
    """Return the values behind an operand, through sums and delays that vanish."""
    values: list[Value] = []
    for term in summed(site, value):
        op = site.source(term)
        values += _behind(site, op.x, waits) if op in waits else [term]
    return values


def _read(site: NodeSite, op: Any, waits: Waits) -> list[Value]:
    """Return the values that a node reads."""
    if isinstance(op, core.Input):
        return []
    return _behind(site, factor(site, op)[0] if type(op) is PRODUCT else op.x, waits)
