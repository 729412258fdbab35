"""Which links each message takes: along x, then along y."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.chip.capacities import ChipShape
from thermoc.backends.chip.partition import Partition
from thermoc.backends.chip.placement import Placement
from thermoc.backends.chip.work import Work

EAST, WEST, DOWN, UP = range(4)


@dataclass(frozen=True, kw_only=True)
class Routes:
    """Bytes a tick over each link, (tiles, 4): from a tile to the east, the west, down (next row) and up."""

    load: NDArray[np.int64]

    @property
    def busiest(self) -> tuple[int, int, int]:
        """The link with most bytes a tick: tile, direction, bytes."""
        tile, way = np.unravel_index(int(self.load.argmax()), self.load.shape)
        return int(tile), int(way), int(self.load.max())


def way(source: int, target: int, chip: ChipShape) -> Iterator[tuple[int, int]]:
    """Yield the links (tile, direction) from one core to another."""
    (x, y), (X, Y) = chip.tile_of[source].tolist(), chip.tile_of[target].tolist()
    while x != X:
        yield y * chip.columns + x, EAST if x < X else WEST
        x += 1 if x < X else -1
    while y != Y:
        yield y * chip.columns + x, DOWN if y < Y else UP
        y += 1 if y < Y else -1


def route(work: Work, partition: Partition, placement: Placement, chip: ChipShape) -> Routes:
    """Return what every link carries."""
    load = np.zeros((chip.columns * chip.rows, 4), np.int64)
    core = placement.core[partition.group]
    for edge in work.edges:
        for tile, direction in way(int(core[edge.source]), int(core[edge.target]), chip):
            load[tile, direction] += edge.traffic
    return Routes(load=load)
