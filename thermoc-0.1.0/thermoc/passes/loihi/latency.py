"""When each population acts: lags that make up for the tick a synapse takes, or the cycle where none do.

A unit with lag r does at the chip's tick t what the network does at t - r. A synapse from s to u through k ticks of
``core.delay`` and d of its own needs r_u = r_s + 1 - k + d, 0 <= d <= 63: the least such r are the longest paths.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from thermoc.ir.dialects.loihi import LONGEST_DELAY
from thermoc.support.errors import error


class Edge(NamedTuple):
    """A synapse between two populations: what it costs is 1 - delay, and the source's own offset."""

    source: str
    target: str
    cost: int


def lags(least: Mapping[str, int], edges: Sequence[Edge]) -> dict[str, int]:
    """Return the lag of each population; ``least`` says below what none may be.

    Errors: T209 for a cycle with fewer delays than synapses; T206 where a path is shorter than another by more than
    the chip can delay.
    """
    found, behind = dict(least), dict[str, Edge]()
    moved = ""
    for _ in range(len(found) + 1):
        moved = ""
        for edge in edges:
            reached = found[edge.source] + edge.cost
            if reached > found[edge.target]:
                found[edge.target], behind[edge.target] = reached, edge
                moved = edge.target
        if not moved:
            break
    else:
        raise _cycle(behind, moved, len(found))
    for edge in edges:
        slack = found[edge.target] - found[edge.source] - edge.cost
        if slack > LONGEST_DELAY:
            notes = [f"it would have to wait {slack} ticks", f"a synapse can delay by {LONGEST_DELAY} (lava-nc 0.10.0)"]
            raise error("T206", f"%{edge.source} arrives too early at %{edge.target}", notes=notes)
    return found


def _cycle(behind: Mapping[str, Edge], start: str, size: int):
    for _ in range(size):  # walk into the cycle
        start = behind[start].source
    path, cost = [start], behind[start].cost
    while behind[path[-1]].source != start:
        path.append(behind[path[-1]].source)
        cost += behind[path[-1]].cost
    names = " -> ".join(f"%{name}" for name in [start, *reversed(path)])
    notes = [f"the cycle is {names}", f"its synapses take {len(path)} ticks, its delays make up for {len(path) - cost}"]
    hint = f"put {cost} more tick(s) of core.delay on it"
    return error("T209", "a cycle has fewer delays than synapses", notes=notes, hint=hint)
