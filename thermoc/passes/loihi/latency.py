"""Lags that make up for the tick a synapse takes, or the cycle where none do: longest paths.

A population with lag r does at Loihi's tick t what the network does at t - r. A synapse from s to u through k ticks of
``core.delay`` and d of its own needs r_u = r_s + 1 - k + d, 0 <= d <= 63: the least such r are the longest paths.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from thermoc.ir.dialects.loihi import LONGEST_DELAY
from thermoc.support.errors import ThermocError, error


class LatencyEdge(NamedTuple):
    """A synapse between two populations: what it costs is 1 - delay, and the source's own offset."""

    source: str
    target: str
    cost: int


def lags(earliest: Mapping[str, int], edges: Sequence[LatencyEdge]) -> dict[str, int]:
    """Return the lag of each population; ``earliest`` says below what none may be.

    Errors: T209 for a cycle with fewer delays than synapses; T206 where a path is shorter than another by more than
    Loihi can delay.
    """
    # Bellman and Ford on longest paths: a round more than there are populations can only change in a positive cycle.
    longest, last_edge = dict(earliest), dict[str, LatencyEdge]()
    moved = ""
    for _ in range(len(longest) + 1):
        moved = ""
        for edge in edges:
            reached = longest[edge.source] + edge.cost
            if reached > longest[edge.target]:
                longest[edge.target], last_edge[edge.target] = reached, edge
                moved = edge.target
        if not moved:
            break
    else:
        raise _cycle(last_edge, moved, len(longest))
    # Shorter paths wait in delays of their synapses, which have few bits.
    for edge in edges:
        slack = longest[edge.target] - longest[edge.source] - edge.cost
        if slack > LONGEST_DELAY:
            notes = [f"it would have to wait {slack} ticks", f"a synapse can delay by {LONGEST_DELAY} (lava-nc 0.10.0)"]
            raise error("T206", f"%{edge.source} arrives too early at %{edge.target}", notes=notes)
    return longest


def _cycle(last_edge: Mapping[str, LatencyEdge], start: str, size: int) -> ThermocError:
    for _ in range(size):  # however far from it, so many steps back end in the cycle
        start = last_edge[start].source
    path, cost = [start], last_edge[start].cost
    while last_edge[path[-1]].source != start:
        path.append(last_edge[path[-1]].source)
        cost += last_edge[path[-1]].cost
    names = " -> ".join(f"%{name}" for name in [start, *reversed(path)])
    notes = [f"the cycle is {names}", f"its synapses take {len(path)} ticks, its delays make up for {len(path) - cost}"]
    hint = f"put {cost} more tick(s) of core.delay on it"
    return error("T209", "a cycle has fewer delays than synapses", notes=notes, hint=hint)
