"""What happened on a chip: which row of the program ran where, from when to when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Events:
    """What happened: arrays (n,). ``row`` of the program from ``start`` to ``end`` (ps) at ``place`` in tick ``turn``.

    A place below the number of cores is a core; above, cores + link: links are four a tile (east, west, down, up), then
    the exit to each core.
    """

    row: NDArray[np.int32]
    place: NDArray[np.int32]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    turn: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.row)
