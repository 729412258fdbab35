"""Rewriting: replace ops by small graphs, which are written as the equations they stand for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from thermoc.ir.dialects import core
from thermoc.ir.graph import Graph, NameSource, fresh_names
from thermoc.ir.infer import infer, retyped
from thermoc.ir.ops import Op
from thermoc.ir.types import DType, Role, Shape, Type
from thermoc.ir.values import Array, Value
from thermoc.support.array_types import AnyArray

Number = Value | float | AnyArray
"""What an expansion computes with: a value of the graph, or numbers that become a constant."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Expression(Value):
    """A value with arithmetic: each operator adds the op of its name to what ``w`` writes, in Python's order.

    So ``a * x + b`` adds a product and then a sum, and equal texts give equal graphs.
    """

    w: Rewriter

    # NumPy's arrays would otherwise spread themselves over the elements of ``array * term``.
    __array_ufunc__: ClassVar[None] = None

    def __add__(self, other: Number) -> Expression:
        return self.w(core.Add, a=self, b=other)

    def __radd__(self, other: Number) -> Expression:
        return self.w(core.Add, a=other, b=self)

    def __sub__(self, other: Number) -> Expression:
        return self.w(core.Sub, a=self, b=other)

    def __rsub__(self, other: Number) -> Expression:
        return self.w(core.Sub, a=other, b=self)

    def __mul__(self, other: Number) -> Expression:
        return self.w(core.Mul, a=self, b=other)

    def __rmul__(self, other: Number) -> Expression:
        return self.w(core.Mul, a=other, b=self)

    def __truediv__(self, other: Number) -> Expression:
        return self.w(core.Div, a=self, b=other)

    def __rtruediv__(self, other: Number) -> Expression:
        return self.w(core.Div, a=other, b=self)

    def __neg__(self) -> Expression:
        return self.w(core.Neg, x=self)

    def __gt__(self, other: Number) -> Expression:
        return self.w(core.Greater, a=self, b=other)

    def __lt__(self, other: Number) -> Expression:
        return self.w(core.Less, a=self, b=other)


class Rewriter:
    """Writes the ops that take the place of one op; they carry its location and are named after its result.

    ``w(core.Add, a=x, b=y)`` adds an op and returns its result; numbers become constants in the op's float format.
    ``w[op.x] + y`` does the same.
    """

    def __init__(self, op: Op, names: NameSource, dt: float, known: Mapping[str, AnyArray]):
        self.op, self.dt = op, dt
        self.ops: list[Op] = []
        self._known, self._names = known, names
        first = (*op.results, *op.inputs)[0]
        floats = [v.type.dtype for v in (*op.results, *op.inputs) if v.type is not None and v.type.dtype.is_float]
        self.dtype = floats[0] if floats else DType.f64
        self.base = first.name

    def __getitem__(self, value: Value) -> Expression:
        """Return an operand of the op as a term."""
        return Expression(value.name, value.type, w=self)

    def __call__(self, cls: type[Op], **fields: Any) -> Any:
        """Add an op; return its result, or the tuple of its results."""
        for name, spec in cls.operand_specs.items():
            number: Any = fields.get(name, spec.default)
            if number is None:
                continue
            if spec.variadic:
                fields[name] = tuple(_plain(value) for value in number)
            elif isinstance(number, Value):
                fields[name] = _plain(number)
            else:
                fields[name] = _plain(self.constant(number, spec.role or Role.signal))
        op = cls(**fields, **dict.fromkeys(cls.result_specs, Value("?")), location=self.op.location)
        types, problems = infer(op)
        assert not problems, f"{self.op.opname} expands into an op that does not fit: {problems}"
        op = op.with_(**{name: Value(self._names(self.base), kind) for name, kind in types.items()})
        self.ops.append(op)
        results = tuple(self[value] for value in op.results)
        return results[0] if len(results) == 1 else results

    def known(self, value: Value) -> AnyArray | None:
        """Return the numbers of an operand that is a constant of the graph, else None."""
        return self._known.get(value.name)

    def numbers(self, value: Value) -> AnyArray:
        """Return the numbers of an operand that the verifier has seen to be a constant."""
        numbers = self.known(value)
        assert numbers is not None
        return numbers

    def constant(self, number: Any, role: Role = Role.signal) -> Expression:
        """Add a constant in the op's float format."""
        return self._constant(np.asarray(number, self.dtype.numpy), Type(np.shape(number), self.dtype, role))

    def integers(self, numbers: Any) -> Expression:
        """Add a constant of integers."""
        return self._constant(np.asarray(numbers, np.int64), Type(np.shape(numbers), DType.i64))

    def _constant(self, array: AnyArray, kind: Type) -> Expression:
        value = Value(self._names(f"{self.base}.c"), kind)
        self.ops.append(core.Constant(value=Array(array), role=kind.role, y=value, location=self.op.location))
        return self[value]

    def delay(self, like: Value, initial: Value) -> Expression:
        """Add a delay by one tick whose input ``feed`` gives later, and return its result."""
        # Its own result stands in for its input, so that the op is well formed until ``feed``.
        value = Value(self._names(f"{self.base}.state"), like.type)
        self.ops.append(core.Delay(x=value, initial=_plain(initial), y=value, location=self.op.location))
        return self[value]

    def feed(self, delayed: Value, x: Value) -> None:
        """Let ``x`` enter the delay whose result is ``delayed``."""
        index = next(i for i, op in enumerate(self.ops) if [value.name for value in op.results] == [delayed.name])
        self.ops[index] = self.ops[index].with_(x=_plain(x))

    # what has no operator in Python, under the names of NumPy

    def exp(self, x: Number) -> Expression:
        """e^x."""
        return self(core.Exp, x=x)

    def expm1(self, x: Number) -> Expression:
        """e^x - 1."""
        return self(core.Expm1, x=x)

    def log(self, x: Number) -> Expression:
        """Natural logarithm."""
        return self(core.Log, x=x)

    def sqrt(self, x: Number) -> Expression:
        """Square root."""
        return self(core.Sqrt, x=x)

    def abs(self, x: Number) -> Expression:
        """Magnitude."""
        return self(core.Abs, x=x)

    def floor(self, x: Number) -> Expression:
        """Greatest integer not above x."""
        return self(core.Floor, x=x)

    def minimum(self, a: Number, b: Number) -> Expression:
        """The smaller."""
        return self(core.Minimum, a=a, b=b)

    def maximum(self, a: Number, b: Number) -> Expression:
        """The larger."""
        return self(core.Maximum, a=a, b=b)

    def select(self, condition: Value, a: Number, b: Number) -> Expression:
        """a where the condition is true, b elsewhere."""
        return self(core.Select, condition=condition, a=a, b=b)

    def sum(self, x: Value, *axes: int) -> Expression:
        """The sum over axes."""
        return self(core.Reduce, x=x, kind="sum", axes=axes)

    def reshape(self, x: Value, shape: Shape) -> Expression:
        """The same elements under another shape."""
        return self(core.Reshape, x=x, shape=shape)

    def broadcast(self, x: Value, shape: Shape) -> Expression:
        """x repeated to a shape."""
        return self(core.Broadcast, x=x, shape=shape)

    def transpose(self, x: Value, axes: Shape) -> Expression:
        """The axes in another order."""
        return self(core.Transpose, x=x, axes=axes)

    def affine(self, x: Value, weight: Number) -> Expression:
        """W x over the last axis."""
        return self(core.Affine, x=x, weight=weight)

    def number(self, x: Value, role: Role = Role.signal) -> Expression:
        """x in the op's float format; true is 1."""
        return self(core.Cast, x=x, dtype=self.dtype, role=role)

    def time(self) -> Expression:
        """The number of the tick, as a number."""
        return self.number(self(core.Tick))


def _plain(value: Value) -> Value:
    """Return a value as graphs hold it."""
    # Graphs must not hold expressions: each keeps its writer, and all that it wrote, alive.
    return Value(value.name, value.type) if isinstance(value, Expression) else value


Expansion = Callable[[Any, Rewriter], Value | tuple[Value, ...]]


def rewrite(
    graph: Graph, expansions: Mapping[type[Op], Expansion], *, keep: Callable[[Op], bool] = lambda op: False
) -> Graph:
    """Replace each op of the given classes by what its expansion writes, until none is left but those to ``keep``.

    The expansion returns the values that take the place of the op's results; they get the results' names, and must
    have their shapes and dtypes. Roles may fade to ``signal``.
    """
    if not any(type(op) in expansions for op in graph.ops):
        return graph
    names = fresh_names(graph)
    constants = {op.y.name: op.value.numpy for op in graph.of(core.Constant)}
    ops: list[Op] = []
    stack = list(reversed(graph.ops))
    while stack:
        op = stack.pop()
        expand = expansions.get(type(op))
        if expand is None or keep(op):
            ops.append(op)
        else:
            # What an expansion writes is looked at again, for it may hold ops that are to be expanded too.
            stack += reversed(_expanded(op, expand, names, graph.dt, constants))
    return retyped(graph.with_ops(ops))


def _expanded(op: Op, expand: Expansion, names: NameSource, dt: float, known: Mapping[str, AnyArray]) -> list[Op]:
    writer = Rewriter(op, names, dt, known)
    values = expand(op, writer)
    values = values if isinstance(values, tuple) else (values,)
    written = {value.name for new in writer.ops for value in new.results}
    renames: dict[str, Value] = {}
    for old, new in zip(op.results, values, strict=True):
        if new.name not in written or new.name in renames:  # an operand passed through, or one value for two results
            new = writer.reshape(new, new.shape)
        assert new.type and old.type and (new.type.shape, new.type.dtype) == (old.type.shape, old.type.dtype), (
            f"{op.opname}: {old} {new}"
        )
        renames[new.name] = old
    return [under_names(new, renames) for new in writer.ops]


def under_names(op: Op, renames: Mapping[str, Value]) -> Op:
    """Return an op whose operands and results have the names of other values; types stay."""

    def named(value: Value) -> Value:
        return Value(renames[value.name].name, value.type) if value.name in renames else value

    return op.renamed(named).with_(**{name: named(getattr(op, name)) for name in op.result_specs})
