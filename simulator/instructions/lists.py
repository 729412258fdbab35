"""How a GPU makes lists of units that fired, and tables by which each unit finds what it receives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.instructions.declaration import RowSizes

LANES = 32
"""Points that walk the entries of one column together: a team."""
SPAN = 64
"""Words of 64 units that are counted together."""
LIST_PHASES = 4
"""Bits are cleared, units are marked, words are counted, each is written behind what comes before it."""
NO_PLACES = np.zeros(0, np.int64)


def list_scratch(units: int) -> int:
    """Return how many integers a list of so many units needs while it is made: words, then counts of them."""
    words = -(-units // 64)
    return words + -(-words // SPAN)


def by_target(row: RowSizes, columns: int, starts: int, targets: int, into: int) -> NDArray[np.int64]:
    """Return where each unit's entries start (units + 1), then (column, entry) of each, in the order of the columns."""
    from scipy.sparse import csc_array

    ends = row.table[starts : starts + columns + 1].astype(np.int64)
    entries = np.arange(ends[-1])
    # entries before the first column's are nobody's
    of_columns = csc_array(
        (entries[ends[0] :], row.table[targets:][entries[ends[0] :]], ends - ends[0]), (row.n, columns)
    )
    units = of_columns.tocsr()
    pairs = np.stack([units.indices, units.data], axis=1)
    return np.concatenate([units.indptr, pairs.reshape(-1)]).astype(np.int64, copy=False)
