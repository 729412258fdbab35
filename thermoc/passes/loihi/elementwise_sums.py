"""Values as weighted sums of others of the same shape, element by element."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thermoc.ir.dialects import core
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.types import Shape
from thermoc.ir.values import Value
from thermoc.support.array_types import AnyArray


@dataclass(frozen=True, kw_only=True)
class ElementwiseSum:
    """The sum of gain * source, and an offset: numbers of the value's shape, or one for all."""

    terms: dict[str, AnyArray]
    offset: AnyArray

    def scaled(self, gain: AnyArray) -> ElementwiseSum:
        """Return gain times the sum."""
        return ElementwiseSum(
            terms={name: of * gain for name, of in self.terms.items()}, offset=np.asarray(self.offset * gain)
        )

    def plus(self, other: ElementwiseSum) -> ElementwiseSum:
        """Return the sum of both."""
        terms = dict(self.terms)
        for name, gain in other.terms.items():
            terms[name] = terms[name] + gain if name in terms else gain
        return ElementwiseSum(terms=terms, offset=np.asarray(self.offset + other.offset))

    def less(self, other: ElementwiseSum) -> ElementwiseSum:
        """Return the difference; what both have alike is gone."""
        total = self.plus(other.scaled(np.asarray(-1.0)))
        return ElementwiseSum(terms={name: g for name, g in total.terms.items() if g.any()}, offset=total.offset)

    def without(self, name: str) -> ElementwiseSum:
        """Return the sum without one source."""
        return ElementwiseSum(terms={n: g for n, g in self.terms.items() if n != name}, offset=self.offset)


class Sums:
    """Reads the values of a graph; ``numbers``: its constants, ``values``: its values by name."""

    def __init__(self, graph: Graph):
        self._producers = graph.producers
        self.numbers: dict[str, AnyArray] = {op.y.name: op.value.numpy for op in graph.of(core.Constant)}
        self.values: dict[str, Value] = {value.name: value for op in graph.ops for value in op.results}
        self._read: dict[str, ElementwiseSum] = {}

    def of(self, value: Value) -> ElementwiseSum:
        """Return what a value is made of: itself, where it is no such sum."""
        if value.name not in self._read:
            # Every cycle crosses a delay, where a sum ends.
            self._read[value.name] = self._sum(value)
        return self._read[value.name]

    def _sum(self, value: Value) -> ElementwiseSum:
        if value.name in self.numbers:
            return ElementwiseSum(terms={}, offset=self.numbers[value.name])
        op = self._producers[value.name]
        itself = ElementwiseSum(terms={value.name: np.ones(())}, offset=np.zeros(()))
        if value.type is None or not value.type.dtype.is_float or not self._even(op, value.shape):
            return itself
        if isinstance(op, core.Neg):
            return self.of(op.inputs[0]).scaled(np.asarray(-1.0))
        if isinstance(op, core.Add | core.Sub):
            a, b = (self.of(operand) for operand in op.inputs)
            return a.plus(b) if isinstance(op, core.Add) else a.plus(b.scaled(np.asarray(-1.0)))
        if isinstance(op, core.Mul | core.Div):
            return self._product(op) or itself
        return itself

    def _even(self, op: Op, shape: Shape) -> bool:
        """Tell whether every operand that is no number has the shape of the result."""
        return all(operand.name in self.numbers or operand.shape == shape for operand in op.inputs)

    def _product(self, op: Op) -> ElementwiseSum | None:
        a, b = op.inputs
        if b.name in self.numbers:
            gain = self.numbers[b.name]
            return self.of(a).scaled(gain if isinstance(op, core.Mul) else 1 / gain)
        return self.of(b).scaled(self.numbers[a.name]) if a.name in self.numbers and isinstance(op, core.Mul) else None
