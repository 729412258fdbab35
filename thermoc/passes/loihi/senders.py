"""Senders that some units of a population read: back from a drive, through its synapses, to who sends."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# (SciPy has no types for sparse arrays)

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import scipy.sparse as sp

from thermoc.ir.dialects import core, loihi
from thermoc.ir.element_indices import MOVES, moved
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.values import Value
from thermoc.passes.loihi.receptive_fields import ReceptiveFields
from thermoc.support.array_types import AnyArray, BoolArray, FloatArray, IntArray

UNITS = (
    loihi.LoihiLif,
    loihi.LoihiGraded,
    loihi.LoihiLut,
    loihi.LoihiSigma,
    loihi.LoihiDelta,
    loihi.LoihiSigmaDelta,
    loihi.LoihiFermiDirac,
    loihi.LoihiCategorical,
    loihi.LoihiBoltzmann,
    loihi.LoihiMemory,
    loihi.LoihiRelaxation,
    loihi.LoihiHeat,
    loihi.LoihiHeatNode,
)
SYNAPSES = (loihi.LoihiDense, loihi.LoihiSparse, loihi.LoihiConv)
HOT = (loihi.LoihiFermiDirac, loihi.LoihiCategorical, loihi.LoihiBoltzmann)
HOST = (loihi.LoihiEncode, core.Input)


def signals(op: Op) -> tuple[Value, ...]:
    """Return what a unit is given from tick to tick: what drives it, and a temperature of its own."""
    if isinstance(op, HOT) and op.T.size == op.results[0].size:
        return op.inputs[0], op.T
    return op.inputs[:1]


class Senders:
    """Answers for one graph; stores what it worked out about each op.

    A weight of 0 reads nothing. What the host hands to a unit without a synapse is written into the unit, as a bias is,
    and is no message.
    """

    def __init__(self, graph: Graph):
        self.graph = graph
        self._tables: dict[str, Any] = {}

    def read_by(self, op: Op, units: IntArray) -> dict[str, IntArray]:
        """Return whom these units of an op read: by the sender's name, its elements in rising order."""
        # Masks, for a unit that is reached by two ways comes by one axon.
        masks: dict[str, BoolArray] = {}
        for signal in signals(op):
            for sender, index in self._back(signal, units, crossed=False):
                masks.setdefault(sender.name, np.zeros(sender.size, bool))[index] = True
        return {name: np.flatnonzero(mask) for name, mask in masks.items()}

    def synapses(self, value: Value, units: IntArray, index: IntArray) -> Iterator[tuple[Any, IntArray, IntArray]]:
        """Yield the synapses behind a drive, the units that take something of each, and which of its results."""
        op: Any = self.graph.producers[value.name]
        if isinstance(op, SYNAPSES):
            yield op, units, index
        else:
            for source, chosen, elements in self._sources(op, index):
                yield from self.synapses(source, units[chosen], elements)

    def counts(self, op: Any) -> IntArray:
        """Return how many synapses each result of a synapse op has."""
        if isinstance(op, loihi.LoihiSparse):
            return np.diff(self._numbers(op.offsets)).astype(np.int64)
        # Dense synapses and kernels store each weight, zeros too.
        fan_in = op.x.shape[0] if isinstance(op, loihi.LoihiDense) else op.weight.size // op.weight.shape[0]
        return np.full(op.y.size, fan_in)

    def mean_columns(self, op: loihi.LoihiSparse) -> FloatArray:
        """Return the mean column of what each row reads."""
        rows = self._table(op.y, lambda: self._rows(op))
        return (rows @ np.arange(rows.shape[1], dtype=float)) / np.maximum(np.diff(rows.indptr), 1)

    def _back(self, value: Value, index: IntArray, *, crossed: bool) -> Iterator[tuple[Value, IntArray]]:
        """Yield the senders behind elements of a value; crossed: whether a synapse lies between."""
        op: Any = self.graph.producers[value.name]
        if isinstance(op, UNITS) or (isinstance(op, HOST) and crossed):
            # A message is read where it was sent; without a synapse the host's number is written into the unit.
            yield op.results[0], index
        elif isinstance(op, SYNAPSES):
            yield from self._back(op.x, self._read(op, index), crossed=True)
        else:
            for source, _, elements in self._sources(op, index):
                yield from self._back(source, elements, crossed=crossed)

    def _sources(self, op: Any, index: IntArray) -> Iterator[tuple[Value, IntArray, IntArray]]:
        """Yield what elements of a moved or summed value are: of which value, which of ``index``, its elements."""
        positions = np.arange(len(index))
        if isinstance(op, loihi.LoihiDendrite):
            for x in op.x:
                yield x, positions, index
        elif type(op) in MOVES:
            yield op.x, positions, self._table(op.y, lambda: moved(op).reshape(-1))[index]
        elif isinstance(op, core.Concat):
            owner, elements = self._table(op.y, lambda: _joined(op))
            for number, x in enumerate(op.xs):
                mine = np.flatnonzero(owner[index] == number)
                yield x, mine, elements[index[mine]]

    def _read(self, op: Any, index: IntArray) -> IntArray:
        """Return the inputs of a synapse that these of its results take with a weight other than 0."""
        if isinstance(op, loihi.LoihiDense):
            weight = self._numbers(op.weight)
            return np.flatnonzero((weight[index] != 0).any(axis=0))
        if isinstance(op, loihi.LoihiSparse):
            return np.unique(self._table(op.y, lambda: self._rows(op))[index].indices).astype(np.int64)
        fields: ReceptiveFields = self._table(op.y, lambda: ReceptiveFields(op, self._numbers(op.weight) != 0))
        return fields.read(index)

    def _rows(self, op: loihi.LoihiSparse) -> Any:
        """Return which weights of a sparse synapse are not 0, in compressed rows."""
        values, columns, offsets = (self._numbers(value) for value in (op.values, op.columns, op.offsets))
        nonzero = values != 0
        starts = np.append(0, np.cumsum(nonzero))[offsets]
        return sp.csr_array((nonzero[nonzero], columns[nonzero], starts), shape=(op.y.size, op.x.size))

    def _numbers(self, value: Value) -> AnyArray:
        op = self.graph.producers[value.name]
        assert isinstance(op, core.Constant)
        return op.value.numpy

    def _table(self, value: Value, make: Callable[[], Any]) -> Any:
        if value.name not in self._tables:
            self._tables[value.name] = make()
        return self._tables[value.name]


def _joined(op: core.Concat) -> tuple[IntArray, IntArray]:
    """Return which value each element of a joined one is of, and which of its elements."""
    owner = [np.full(x.shape, number) for number, x in enumerate(op.xs)]
    inside = [np.arange(x.size).reshape(x.shape) for x in op.xs]
    return (
        np.concatenate(owner, axis=op.axis).reshape(-1),
        np.concatenate(inside, axis=op.axis).reshape(-1),
    )
