"""Dense couplings from class to class of binary units, laid out for ``gibbs.dense_layers``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.instructions.gibbs import COLUMNS, FOUR, layer_shapes

LEAST = 2**11
"""Couplings from which on the matrices pay: for one sample about 2^13, for sixteen below this."""
SPARSEST = 8
"""Zeros and filling may make the matrices so many times larger than the couplings: a zero costs less than a place."""


@dataclass(frozen=True, eq=False)
class PackedPlaces:
    """Where couplings stand in the matrices of all classes, laid end to end, of ``size`` elements in all."""

    places: NDArray[np.int64]
    size: int

    def packed(self, values: NDArray) -> NDArray:
        """Return the matrices; couplings that name one pair twice add up, as they do row by row."""
        return np.bincount(self.places, values, minlength=self.size)


def packed_places(
    couplings: tuple[NDArray, NDArray, NDArray], order: NDArray[np.int64], starts: NDArray[np.int64]
) -> PackedPlaces | None:
    """Return where couplings stand in matrices of bands of ``COLUMNS`` columns; None where they are small or sparse.

    couplings: values, columns and offsets of the rows J[i]; order: the units class by class. Row r, column j of the
    matrix of a class couple its unit j with unit r of the others, whose classes are filled up to multiples of ``FOUR``.
    """
    values, columns, offsets = couplings
    sizes = [rows * wide for rows, wide in layer_shapes(starts)]
    if len(values) < LEAST or sum(sizes) > SPARSEST * len(values):
        return None
    filled = -(-np.diff(starts) // FOUR) * FOUR
    base = np.cumsum([0, *filled])
    position = np.empty(len(order), np.int64)
    position[order] = np.arange(len(order))
    which = np.searchsorted(starts, position, side="right") - 1
    within = position - starts[which]
    unit = np.repeat(np.arange(len(order)), np.diff(offsets))
    mine, theirs = which[unit], which[columns]
    # a matrix has no rows for its own class, so that those of later classes move up
    row = base[theirs] + within[columns] - np.where(theirs > mine, filled[mine], 0)
    rows = np.array([rows for rows, _ in layer_shapes(starts)])[mine]
    band, column = np.divmod(within[unit], COLUMNS)
    at = np.cumsum([0, *sizes])[mine] + (band * rows + row) * COLUMNS + column
    return PackedPlaces(at, sum(sizes))
