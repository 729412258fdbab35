"""Rows of an array that wait to be written, chunk by chunk: many rows are one write."""

from __future__ import annotations

from typing import Any

import numpy as np

from thermoc.support.array_types import AnyArray

KEPT = 8
"""Chunks that are kept for the rows that are still to come."""


class WaitingRows:
    """Takes rows in any order and writes the chunks that they lie in, whole."""

    def __init__(self, array: Any):
        self._array, self._rows = array, array.chunks[0]
        self._chunks: dict[int, AnyArray] = {}
        self._changed: set[int] = set()

    def put(self, row: int, values: Any) -> None:
        """Take a row."""
        chunk, offset = divmod(row, self._rows)
        if chunk not in self._chunks:
            self._chunks[chunk] = np.array(self._array[self._span(chunk)])
        self._chunks[chunk][offset] = values
        self._changed.add(chunk)

    def write(self) -> None:
        """Write what has changed. Errors: OSError; what is not written then still waits."""
        for chunk in sorted(self._changed):
            self._array[self._span(chunk)] = self._chunks[chunk]
            self._changed.remove(chunk)
        for chunk in sorted(self._chunks)[:-KEPT]:
            del self._chunks[chunk]

    def _span(self, chunk: int) -> slice:
        return slice(chunk * self._rows, (chunk + 1) * self._rows)
