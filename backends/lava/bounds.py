"""How large the integers of a graph can get: what decides whether Lava's own processes do their arithmetic alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thermoc.ir.dialects import core, loihi
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.values import Value

WORD = 2**31
ONCE = 2**18
"""Lava's LIF brings a current back into 24 bits once; an activation up to this needs no second time."""
ROUNDS = 4
"""Bounds start from the most a type holds and only fall; so many rounds carry them through recurrent graphs."""
FIXED: dict[type[Op], int] = {
    loihi.LoihiFermiDirac: 1,
    loihi.LoihiCategorical: 1,
    loihi.LoihiBoltzmann: loihi.LIMIT,
    loihi.LoihiMemory: loihi.LIMIT,
    loihi.LoihiRelaxation: loihi.LIMIT,
    loihi.LoihiHeat: 2**24,
    loihi.LoihiHeatNode: loihi.LIMIT,
    loihi.LoihiLif: 2**23,
}


@dataclass(frozen=True)
class Bounds:
    """The largest magnitude of each value, by name."""

    of_value: dict[str, int]

    @classmethod
    def of(cls, graph: Graph, inputs: Mapping[str, int]) -> Bounds:
        """Return bounds of every integer value of a graph; ``inputs`` holds those of inputs that are known, by name."""
        bounds = cls({op.y.name: inputs[name] for name, op in graph.inputs.items() if name in inputs})
        # Every round's bounds hold: stopping early is safe, only less sharp.
        for _ in range(ROUNDS):
            for op in graph.ops:
                for value in op.results:
                    bounds.of_value[value.name] = min(bounds[value], bounds._bound(graph, op, value))
        return bounds

    def __getitem__(self, value: Value) -> int:
        return self.of_value.get(value.name, WORD)

    def sum(self, graph: Graph, op: Op) -> int:
        """Return the bound of a synapse's sums, before and after their shift."""
        weight = op.values if isinstance(op, loihi.LoihiSparse) else op.weight  # type: ignore[attr-defined]
        source = graph.producers[weight.name]
        assert isinstance(source, core.Constant)
        W = np.abs(source.value.numpy.astype(np.int64))
        if isinstance(op, loihi.LoihiSparse):
            rows = graph.producers[op.offsets.name]
            assert isinstance(rows, core.Constant)
            # reduceat needs an entry behind the last row's start, which may be empty: hence the 0.
            totals = np.add.reduceat(np.append(W, 0), rows.value.numpy[:-1].astype(int)) if len(W) else np.zeros(1, int)
        else:
            totals = W.reshape(len(W), -1).sum(axis=1)
        # A spike counts as one, whatever integer carries it.
        message = 1 if not op.message_bits else self[op.x]  # type: ignore[attr-defined]
        total = int(totals.max(initial=0)) * message
        return max(total, total << op.weight_exp if op.weight_exp >= 0 else 0)  # type: ignore[attr-defined]

    def _bound(self, graph: Graph, op: Op, value: Value) -> int:
        if isinstance(op, core.Constant):
            array = op.value.numpy
            return int(np.abs(array.astype(np.float64)).max(initial=0))
        if isinstance(op, core.Input):
            return loihi.LIMIT
        if isinstance(op, loihi.LoihiEncode):
            return 2 ** (op.bits - 1) - 1
        if isinstance(op, (loihi.LoihiDense, loihi.LoihiSparse, loihi.LoihiConv)):
            total = self.sum(graph, op)
            return min(total, 2**23 if isinstance(op, loihi.LoihiConv) else WORD)
        if isinstance(op, loihi.LoihiLif) and value == op.s:
            return 1
        if isinstance(op, loihi.LoihiGraded):
            bias = graph.producers[op.bias.name]
            # A negative sum is shifted toward minus infinity, so its magnitude may be one more.
            return min(loihi.LIMIT, (self[op.a] + self._bound(graph, bias, op.bias) >> op.shift) + 1)
        if isinstance(op, loihi.LoihiLut):
            return self[op.table]
        if type(op) in FIXED:
            return FIXED[type(op)]
        if isinstance(op, loihi.LoihiDendrite):
            return min(WORD, sum(self[item] for item in op.x))
        if isinstance(op, (core.Reshape, core.Flatten, core.Transpose, core.Broadcast, core.Slice)):
            return self[op.x]
        if isinstance(op, core.Concat):
            return max(self[item] for item in op.xs)
        return WORD
