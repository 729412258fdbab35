"""What the passes need to know of a chip: how many of what a core holds, and where cores lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class ChipShape:
    """A mesh of tiles of cores. matrices: of how many weights' arrays a core holds; each takes ``arrays`` arrays.

    samplers: p-bits a core, 0 where there are none. buffer: bytes that a tile may keep messages in. sources: where each
    limit comes from. A core's position is its column and row on the die.
    """

    name: str
    columns: int
    rows: int
    cores_a_tile: int
    matrices: int
    arrays: int
    array_rows: int
    array_columns: int
    samplers: int
    buffer: int
    value_bytes: int
    positions: tuple[tuple[int, int], ...]
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def cores(self) -> int:
        """Number of cores."""
        return self.columns * self.rows * self.cores_a_tile

    @cached_property
    def tile_of(self) -> NDArray[np.int64]:
        """Column and row of each core's tile, (cores, 2)."""
        tile = np.arange(self.cores) // self.cores_a_tile
        return np.stack([tile % self.columns, tile // self.columns], axis=1)

    @cached_property
    def hops(self) -> NDArray[np.int64]:
        """Links between the tiles of each pair of cores, (cores, cores)."""
        return np.abs(self.tile_of[:, None] - self.tile_of[None]).sum(axis=2)
