"""Where a cycle gets its tick of delay: behind the unit that spikes, as Norse and snnTorch have it.

A unit's spikes of a tick reach the layers after it in that tick; what goes back to it, or to a unit before it, is the
spikes of the tick before. So in ``lif -> w_rec -> lif`` the edge ``lif -> w_rec`` waits: w_rec's bias acts from the
first tick on. A Delay node of a tick or more breaks a cycle by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import networkx

from thermoc.frontends.nir.nodes import KINDS, NirModel

Edge = tuple[str, str]


def late_edges(model: NirModel, breaking: Collection[str] = ()) -> tuple[Edge, ...]:
    """Return the edges that wait for a tick; breaking: Delay nodes that break a cycle, which need none."""
    graph = networkx.DiGraph()
    # Sorted: which edge waits must follow from the network, not from the order in which a file lists it.
    graph.add_nodes_from(sorted(model.nodes))
    graph.add_edges_from(edge for edge in sorted(model.edges) if edge[1] not in breaking)
    stateful = {name: KINDS[node.kind].state for name, node in model.nodes.items()}
    waiting: list[Edge] = []
    # One edge less may leave further cycles in the same component, so components are sought anew.
    while True:
        loops = [component for component in networkx.strongly_connected_components(graph) if _loops(graph, component)]
        if not loops:
            return tuple(sorted(waiting))
        for component in loops:
            edge = _behind_unit(graph, component, _closing(graph, component), stateful)
            graph.remove_edge(*edge)
            waiting.append(edge)


def looping(graph: networkx.DiGraph) -> set[Any]:
    """Return the nodes that a cycle goes through."""
    components = networkx.strongly_connected_components(graph)
    return {name for component in components if _loops(graph, component) for name in component}


def _loops(graph: networkx.DiGraph, component: set[Any]) -> bool:
    first = next(iter(component))
    return len(component) > 1 or graph.has_edge(first, first)


def _closing(graph: networkx.DiGraph, component: set[str]) -> Edge:
    """Return the first edge that leads back, when the part is walked depth first from where it is entered."""
    # From where data come in the walk goes with them, and what it meets again is the edge that leads back.
    entered = sorted(name for name in component if any(a not in component for a in graph.predecessors(name)))
    first = (entered or sorted(component))[0]
    # Without recursion: a chain of ten thousand nodes is a legal file.
    done: set[str] = set()
    path = {first: None}
    stack = [(first, iter(sorted(graph.successors(first))))]
    while stack:
        name, successors = stack[-1]
        for target in successors:
            if target in path:
                return name, target
            if target in component and target not in done:
                path[target] = None
                stack.append((target, iter(sorted(graph.successors(target)))))
                break
        else:
            stack.pop()
            path.pop(name)
            done.add(name)
    raise AssertionError("a strongly connected part has an edge that leads back")


def _behind_unit(graph: networkx.DiGraph, component: set[str], edge: Edge, stateful: Mapping[str, bool]) -> Edge:
    """Return the edge behind the unit whose output comes back over ``edge``: back through what keeps no state."""
    source, target = edge
    passed = {source}
    while not stateful[source]:
        before = [name for name in graph.predecessors(source) if name in component]
        # Where several values join, no single unit is behind the edge, which then waits itself.
        if len(before) != 1 or before[0] in passed:
            return edge
        source, target = before[0], source
        passed.add(source)
    return source, target
