"""Delays of a node's units: whole ticks, and nodes whose units all wait as long."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.nir.nodes import WIRE, NirModel, NirNode, at, unreadable
from thermoc.ir.graph import NameSource
from thermoc.support.errors import error

MASKED = 64  # so many different delays get a branch each; more go through a line of powers of two
MOST_NUMBERS = 2**26  # that a node's delays may keep

Parts = tuple[dict[str, NirNode], list[str], list[str], list[tuple[str, str]]]
"""Nodes, those that read what the Delay read, those that give what it gave, and the edges between them."""


def even_delays(model: NirModel, dt: float) -> NirModel:
    """Replace each Delay whose units wait for different times by Delays of one time each, masked by Scales.

    A Delay of nothing is a wire. Errors: T204 (no whole number of ticks), T504, T508.
    """
    nodes, edges = dict(model.nodes), list(model.edges)
    fresh = NameSource(nodes)
    for name, node in model.nodes.items():
        if node.kind != "Delay":
            continue
        ticks = _ticks(model.source, name, node["delay"], dt)
        times = np.unique(ticks)
        if not times.any():
            nodes[name] = NirNode(kind=WIRE, fields={"shape": np.array(ticks.shape)})
        elif len(times) > 1:
            del nodes[name]
            split = _branches if len(times) <= MASKED else _line
            parts, first, last, between = split(name, node, ticks, dt, fresh)
            nodes |= parts
            edges = [(a, b) for old in edges for a, b in _moved(old, name, first, last)] + between
    return dataclasses.replace(model, nodes=nodes, edges=tuple(sorted(edges)))


@np.errstate(all="ignore")  # ticks beyond a float's range are too many
def _ticks(source: str, name: str, delay: NDArray, dt: float) -> NDArray:
    """Return a Delay's times in ticks."""
    if not delay.size or delay.min() < 0:
        raise unreadable(source, name, "its delay is empty, or less than 0")
    # Beyond it a float64 no longer holds every whole number of ticks.
    if delay.max() / dt >= 2**53:
        raise _too_much(source, name, f"{delay.max() / dt:.3g} ticks")
    ticks = np.round(delay / dt)
    # A delay stored as float32 is off by 6e-8 of its size; one of another dt by far more.
    off = np.abs(ticks * dt - delay) > 1e-6 * np.maximum(delay, dt)
    if off.any():
        what, notes = f"node {name!r}: a delay is no whole number of ticks", [f"dt = {dt!r}"]
        notes = [f"delay = {delay[off].ravel()[0]:.12g}; {int(off.sum())} of {delay.size} are none", *notes]
        raise error("T204", what, where=at(source, name), notes=notes, hint="load it with another dt")
    counts = ticks.astype(np.int64)
    times = np.unique(counts)
    # What will be kept: a delay a branch, or a line of powers of two.
    longest = int(times.sum()) if len(times) <= MASKED else 2 * int(times.max())
    if longest * delay.size > MOST_NUMBERS:
        raise _too_much(source, name, f"{longest} ticks of {delay.size} elements")
    return counts


def _too_much(source: str, name: str, asked: str):
    notes = [asked, f"the limit is {MOST_NUMBERS} numbers"]
    return error("T504", f"node {name!r} keeps too much", where=at(source, name), notes=notes)


def _branches(name: str, node: NirNode, ticks: NDArray, dt: float, fresh: NameSource) -> Parts:
    """A branch for each time: what is late by it, in the units that wait so long."""
    scales, delay_nodes, first, edges = {}, {}, [], []
    for number, time in enumerate(np.unique(ticks)):
        branch = fresh(f"{name}.part{number}")
        scales[branch] = _mask(ticks == time)
        # A delay of no tick is a wire: the mask reads the source itself.
        if time == 0:
            first.append(branch)
            continue
        delay = fresh(f"{name}.late{number}")
        delay_nodes[delay] = _late(node["delay"][ticks == time][0], ticks)
        first.append(delay)
        edges.append((delay, branch))
    return scales | delay_nodes, first, [*scales], edges


def _line(name: str, node: NirNode, ticks: NDArray, dt: float, fresh: NameSource) -> Parts:
    """The least time for all, then 1, 2, 4, ... ticks more for the units whose number of ticks has this power of two.

    Twice the longest delay of numbers are kept, however many different times there are.
    """
    nodes: dict[str, NirNode] = {}
    first: list[str] = []
    last: list[str] = []
    edges: list[tuple[str, str]] = []
    excess = ticks - ticks.min()

    def put(label: str, node_to_add: NirNode) -> str:
        added = fresh(f"{name}.{label}")
        nodes[added] = node_to_add
        return added

    def behind(targets: list[str]) -> None:
        edges.extend((a, b) for a in last for b in targets)
        first.extend(targets if not last else [])

    if ticks.min():
        behind([delay := put("late", _late(ticks.min() * dt, ticks))])
        last = [delay]
    for power in (2**bit for bit in range(int(excess.max()).bit_length())):
        has = (excess & power) > 0
        if not has.any():
            continue
        delay = put(f"late{power}", _late(power * dt, ticks))
        waits, passes = put(f"waits{power}", _mask(has)), put(f"passes{power}", _mask(~has))
        behind([delay, passes])
        edges.append((delay, waits))
        last = [waits, passes]
    return nodes, first, last, edges


def _mask(units: NDArray) -> NirNode:
    return NirNode(kind="Scale", fields={"scale": units.astype(np.float64)})


def _late(time: float, like: NDArray) -> NirNode:
    return NirNode(kind="Delay", fields={"delay": np.full(like.shape, time)})


def _moved(edge: tuple[str, str], name: str, first: list[str], last: list[str]) -> list[tuple[str, str]]:
    """Return an edge from or to a node as edges from ``last`` and to ``first``."""
    return [(a, b) for a in (last if edge[0] == name else edge[:1]) for b in (first if edge[1] == name else edge[1:])]
