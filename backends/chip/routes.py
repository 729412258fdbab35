"""Which links each message takes, along x, then along y, and how many bytes that makes on every link."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.chip.capacities import Capacities
from thermoc.backends.chip.partition import CoreGroups
from thermoc.backends.chip.placement import CorePlacement
from thermoc.backends.chip.work_types import ChipWork
from thermoc.ir.graph import Graph
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Log

EAST, WEST, DOWN, UP = range(4)
SIDES = ("east", "west", "down", "up")


@dataclass(frozen=True, kw_only=True)
class Routes:
    """Bytes a tick over each link, (tiles, 4): from a tile to the east, the west, down (next row) and up."""

    load: NDArray[np.int64]

    @property
    def busiest(self) -> tuple[int, int, int]:
        """The link with most bytes a tick: tile, direction, bytes."""
        tile, direction = np.unravel_index(int(self.load.argmax()), self.load.shape)
        return int(tile), int(direction), int(self.load.max())

    def summary(self) -> str:
        """Return the busiest link in words."""
        tile, direction, load = self.busiest
        if not load:
            return "no messages leave a tile"
        return f"the busiest link, {SIDES[direction]} of tile {tile}, carries {load} bytes"

    def __str__(self) -> str:
        used = np.argwhere(self.load)
        lines = [f"  {SIDES[direction]} of tile {tile}: {self.load[tile, direction]} bytes" for tile, direction in used]
        return "\n".join([f"links in a tick: {self.summary()}", *lines]) + "\n"


@dataclass(frozen=True, kw_only=True)
class RouteMessages(Pass):
    """Work out what every link carries in a tick; the graph stays."""

    name: ClassVar[str] = "route"

    chip: Capacities = field(repr=False)

    def run(self, graph: Graph, log: Log) -> Graph:
        core = log.needed(CorePlacement).core[log.needed(CoreGroups).group]
        log.keep(route(log.needed(ChipWork), core, self.chip))
        return graph


def route(work: ChipWork, core: NDArray[np.int64], chip: Capacities) -> Routes:
    """Return what every link carries; ``core`` is that of each task."""
    load = np.zeros((chip.columns * chip.rows, 4), np.int64)
    for sent in work.transfers:
        for tile, direction in links(int(core[sent.source]), int(core[sent.target]), chip):
            load[tile, direction] += sent.traffic
    return Routes(load=load)


def links(source: int, target: int, chip: Capacities) -> Iterator[tuple[int, int]]:
    """Yield the links (tile, direction) from one core to another.

    All messages go along x first: with one order of axes no ring of messages can wait for each other's links.
    """
    (x, y), (X, Y) = chip.tile_of[source].tolist(), chip.tile_of[target].tolist()
    while x != X:
        yield y * chip.columns + x, EAST if x < X else WEST
        x += 1 if x < X else -1
    while y != Y:
        yield y * chip.columns + x, DOWN if y < Y else UP
        y += 1 if y < Y else -1
