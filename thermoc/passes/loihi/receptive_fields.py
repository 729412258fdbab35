"""Receptive fields of a convolution: which inputs its windows cover with a weight other than 0."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from thermoc.ir.dialects import loihi
from thermoc.support.array_types import BoolArray, IntArray


class ReceptiveFields:
    """Of one convolution. ``nonzero``: whether a weight (out, in / groups, *window) is not 0."""

    def __init__(self, op: loihi.LoihiConv, nonzero: BoolArray):
        self.op, self.shape, self.source = op, op.y.shape, op.x.shape
        self.nonzero = nonzero

    @cached_property
    def _by_group(self) -> np.ndarray:
        """(groups, in / groups, out / groups, *window)."""
        out, inputs, *window = self.nonzero.shape
        groups = self.op.groups
        return self.nonzero.reshape(groups, out // groups, inputs, *window).swapaxes(1, 2).astype(np.float32)

    def read(self, index: IntArray) -> IntArray:
        """Return the elements of x that these results read, in rising order.

        Only the bounding box of the results is looked at, tap by tap of the window: a matrix product over channels
        says which inputs a tap reaches, in float32, for NumPy multiplies integers slowly.
        """
        if not len(index):
            return index
        channel, row, column = np.unravel_index(index, self.shape)
        first_row, first_column = row.min(), column.min()
        results = np.zeros((self.shape[0], np.ptp(row) + 1, np.ptp(column) + 1), np.float32)
        results[channel, row - first_row, column - first_column] = 1
        groups, height, width = self.op.groups, *results.shape[1:]
        results = results.reshape(groups, -1, height * width)
        (above, below), (before, after) = self.op.padding
        covered = np.zeros((self.source[0], above + self.source[1] + below, before + self.source[2] + after), bool)
        for i, j in np.ndindex(self.nonzero.shape[2:]):
            hit = (self._by_group[..., i, j] @ results > 0).reshape(self.source[0], height, width)
            y, x = (
                slice(first * step + tap * spread, (first + count - 1) * step + tap * spread + 1, step)
                for first, count, step, tap, spread in zip(
                    (first_row, first_column), (height, width), self.op.stride, (i, j), self.op.dilation
                )
            )
            covered[:, y, x] |= hit
        # The padding has no sender, and so no axon.
        inside = covered[:, above : above + self.source[1], before : before + self.source[2]]
        return np.flatnonzero(inside)
