"""Which units some units of a population read: back from a drive, through its synapses, to who sends."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.dialects import core, loihi
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.places import MOVES, moved
from thermoc.ir.values import Value

UNITS = (
    loihi.Lif,
    loihi.Graded,
    loihi.Lut,
    loihi.Sigma,
    loihi.Delta,
    loihi.SigmaDelta,
    loihi.FermiDirac,
    loihi.Categorical,
    loihi.Memory,
    loihi.Heat,
)
SYNAPSES = (loihi.Dense, loihi.Sparse, loihi.Conv)
HOST = (loihi.Encode, core.Input)
Index = NDArray[np.int64]


class Readers:
    """Answers for one graph; keeps what it worked out about each op.

    A weight of 0 reads nothing. What the host hands to a unit without a synapse is written into the unit, as a bias is,
    and is no message.
    """

    def __init__(self, graph: Graph):
        self.graph = graph
        self._tables: dict[str, Any] = {}

    def senders(self, op: Op, units: Index) -> dict[str, Index]:
        """Return whom these units of an op read: by the sender's name, its elements in rising order."""
        read: dict[str, NDArray[np.bool_]] = {}
        for sender, index in self._back(op.inputs[0], units, crossed=False):
            read.setdefault(sender.name, np.zeros(sender.size, bool))[index] = True
        return {name: np.flatnonzero(mask) for name, mask in read.items()}

    def synapses(self, value: Value, units: Index, index: Index) -> Iterator[tuple[Any, Index, Index]]:
        """Yield the synapses behind a drive, the units that take something of each, and which of its results."""
        op: Any = self.graph.producers[value.name]
        if isinstance(op, SYNAPSES):
            yield op, units, index
        else:
            for value, chosen, places in self._sources(op, index):
                yield from self.synapses(value, units[chosen], places)

    def counts(self, op: Any) -> Index:
        """Return how many synapses each result of a synapse op has."""
        if isinstance(op, loihi.Sparse):
            return np.diff(self._number(op.offsets)).astype(np.int64)
        each = op.x.shape[0] if isinstance(op, loihi.Dense) else op.weight.size // op.weight.shape[0]
        return np.full(op.y.size, each)

    def middles(self, op: loihi.Sparse) -> NDArray[np.float64]:
        """Return the mean place of what each row reads."""
        rows = self._table(op.y, lambda: self._rows(op))
        return (rows @ np.arange(rows.shape[1], dtype=float)) / np.maximum(np.diff(rows.indptr), 1)

    def _back(self, value: Value, index: Index, *, crossed: bool) -> Iterator[tuple[Value, Index]]:
        op: Any = self.graph.producers[value.name]
        if isinstance(op, UNITS) or (isinstance(op, HOST) and crossed):
            yield op.results[0], index
        elif isinstance(op, SYNAPSES):
            yield from self._back(op.x, self._read(op, index), crossed=True)
        else:
            for source, _, places in self._sources(op, index):
                yield from self._back(source, places, crossed=crossed)

    def _sources(self, op: Any, index: Index) -> Iterator[tuple[Value, Index, Index]]:
        """Yield what elements of a moved or summed value are: of which value, which of ``index``, its elements."""
        every = np.arange(len(index))
        if isinstance(op, loihi.Dendrite):
            for x in op.x:
                yield x, every, index
        elif type(op) in MOVES:
            yield op.x, every, self._table(op.y, lambda: moved(op).reshape(-1))[index]
        elif isinstance(op, core.Concat):
            owner, places = self._table(op.y, lambda: _joined(op))
            for number, x in enumerate(op.xs):
                mine = np.flatnonzero(owner[index] == number)
                yield x, mine, places[index[mine]]

    def _read(self, op: Any, index: Index) -> Index:
        """Return the inputs of a synapse that these of its results take with a weight other than 0."""
        if isinstance(op, loihi.Dense):
            weight = self._number(op.weight)
            return np.flatnonzero((weight[index] != 0).any(axis=0))
        if isinstance(op, loihi.Sparse):
            return np.unique(self._table(op.y, lambda: self._rows(op))[index].indices).astype(np.int64)
        return self._table(op.y, lambda: Windows(op, self._number(op.weight) != 0)).read(index)

    def _rows(self, op: loihi.Sparse) -> Any:
        import scipy.sparse as sp

        values, columns, offsets = (self._number(value) for value in (op.values, op.columns, op.offsets))
        taken = values != 0
        starts = np.append(0, np.cumsum(taken))[offsets]
        return sp.csr_array((taken[taken], columns[taken], starts), shape=(op.y.size, op.x.size))

    def _number(self, value: Value) -> NDArray:
        op = self.graph.producers[value.name]
        assert isinstance(op, core.Constant)
        return op.value.numpy

    def _table(self, value: Value, make: Any) -> Any:
        if value.name not in self._tables:
            self._tables[value.name] = make()
        return self._tables[value.name]


class Windows:
    """Which inputs the windows of a convolution cover. ``taken``: whether a weight (out, in / groups, ...) is not 0."""

    def __init__(self, op: loihi.Conv, taken: NDArray[np.bool_]):
        self.op, self.shape, self.source = op, op.y.shape, op.x.shape
        self.taken = taken

    @cached_property
    def _by_group(self) -> NDArray[np.float32]:
        """(groups, in / groups, out / groups, *window)."""
        out, each, *window = self.taken.shape
        groups = self.op.groups
        return self.taken.reshape(groups, out // groups, each, *window).swapaxes(1, 2).astype(np.float32)

    def read(self, index: Index) -> Index:
        """Return the places in x that these results read, in rising order."""
        if not len(index):
            return index
        channel, row, column = np.unravel_index(index, self.shape)
        top, left = row.min(), column.min()
        wanted = np.zeros((self.shape[0], np.ptp(row) + 1, np.ptp(column) + 1), np.float32)
        wanted[channel, row - top, column - left] = 1
        groups, height, width = self.op.groups, *wanted.shape[1:]
        wanted = wanted.reshape(groups, -1, height * width)
        (above, below), (before, after) = self.op.padding
        covered = np.zeros((self.source[0], above + self.source[1] + below, before + self.source[2] + after), bool)
        for i, j in np.ndindex(self.taken.shape[2:]):
            hit = (self._by_group[..., i, j] @ wanted > 0).reshape(self.source[0], height, width)
            y, x = (
                slice(first * step + tap * spread, (first + count - 1) * step + tap * spread + 1, step)
                for first, count, step, tap, spread in zip(
                    (top, left), (height, width), self.op.stride, (i, j), self.op.dilation
                )
            )
            covered[:, y, x] |= hit
        inside = covered[:, above : above + self.source[1], before : before + self.source[2]]
        return np.flatnonzero(inside)


def _joined(op: core.Concat) -> tuple[Index, Index]:
    """Return which value each element of a joined one is of, and where it stands there."""
    shapes = [x.shape for x in op.xs]
    owner = [np.full(shape, number) for number, shape in enumerate(shapes)]
    inside = [np.arange(x.size).reshape(x.shape) for x in op.xs]
    return (
        np.concatenate(owner, axis=op.axis).reshape(-1),
        np.concatenate(inside, axis=op.axis).reshape(-1),
    )
