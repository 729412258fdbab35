"""Replace ops by small graphs: how passes write new ops."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.dialects import core
from thermoc.ir.graph import Graph, NameSource, fresh_names
from thermoc.ir.infer import infer, retyped
from thermoc.ir.ops import Op
from thermoc.ir.types import DType, Role, Type
from thermoc.ir.values import Array, Value


class Rewriter:
    """Writes the ops that take the place of one op; they carry its location and are named after its result.

    ``w(core.Add, a=x, b=y)`` adds an op and returns its result; numbers become constants in the op's float format.
    """

    def __init__(self, op: Op, names: NameSource, dt: float, known: Mapping[str, NDArray]):
        self.op, self.dt, self.ops, self._known = op, dt, [], known
        self._names = names
        first = (*op.results, *op.inputs)[0]
        floats = [v.type.dtype for v in (*op.results, *op.inputs) if v.type is not None and v.type.dtype.is_float]
        self.dtype = floats[0] if floats else DType.f64
        self.base = first.name

    def __call__(self, cls: type[Op], **fields: Any) -> Any:
        """Add an op; return its result, or the tuple of its results."""
        for name, spec in cls.operand_specs.items():
            item = fields.get(name, spec.default)
            if item is not None and not isinstance(item, (Value, tuple)):
                fields[name] = self.constant(item, spec.role or Role.signal)
        op = cls(**fields, **dict.fromkeys(cls.result_specs, Value("?")), location=self.op.location)
        types, found = infer(op)
        assert not found, f"{self.op.opname} expands into an op that does not fit: {found}"
        op = op.with_(**{name: Value(self._names(self.base), kind) for name, kind in types.items()})
        self.ops.append(op)
        return op.results[0] if len(op.results) == 1 else op.results

    def known(self, value: Value) -> NDArray | None:
        """Return the numbers of an operand that is a constant of the graph, else None."""
        return self._known.get(value.name)

    def constant(self, number: Any, role: Role = Role.signal) -> Value:
        """Add a constant in the op's float format."""
        array = np.asarray(number, self.dtype.numpy)
        value = Value(self._names(f"{self.base}.c"), Type(array.shape, self.dtype, role))
        self.ops.append(core.Constant(value=Array(array), role=role, y=value, location=self.op.location))
        return value

    def integers(self, numbers: Any) -> Value:
        """Add a constant of integers."""
        array = np.asarray(numbers, np.int64)
        value = Value(self._names(f"{self.base}.c"), Type(array.shape, DType.i64))
        self.ops.append(core.Constant(value=Array(array), role=Role.signal, y=value, location=self.op.location))
        return value

    def delay(self, like: Value, initial: Value) -> Value:
        """Add a delay by one tick whose input ``feed`` gives later, and return its result."""
        value = Value(self._names(f"{self.base}.state"), like.type)
        self.ops.append(core.Delay(x=value, initial=initial, y=value, location=self.op.location))
        return value

    def feed(self, delayed: Value, x: Value) -> None:
        """Let ``x`` enter the delay whose result is ``delayed``."""
        index = next(i for i, op in enumerate(self.ops) if op.results == (delayed,))
        self.ops[index] = self.ops[index].with_(x=x)

    # arithmetic, so that expansions read like their equations

    def add(self, a: Any, b: Any) -> Value:
        """a + b."""
        return self(core.Add, a=a, b=b)

    def sub(self, a: Any, b: Any) -> Value:
        """a - b."""
        return self(core.Sub, a=a, b=b)

    def mul(self, a: Any, b: Any) -> Value:
        """a b."""
        return self(core.Mul, a=a, b=b)

    def div(self, a: Any, b: Any) -> Value:
        """a / b."""
        return self(core.Div, a=a, b=b)

    def exp(self, x: Any) -> Value:
        """e^x."""
        return self(core.Exp, x=x)

    def expm1(self, x: Any) -> Value:
        """e^x - 1."""
        return self(core.Expm1, x=x)

    def sqrt(self, x: Any) -> Value:
        """Square root."""
        return self(core.Sqrt, x=x)

    def neg(self, x: Any) -> Value:
        """-x."""
        return self(core.Neg, x=x)


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
    known = {op.y.name: op.value.numpy for op in graph.of(core.Constant)}
    ops: list[Op] = []
    stack = list(reversed(graph.ops))
    while stack:
        op = stack.pop()
        expand = expansions.get(type(op))
        if expand is None or keep(op):
            ops.append(op)
        else:
            stack += reversed(_expanded(op, expand, names, graph.dt, known))
    return retyped(graph.with_ops(ops))


def _expanded(op: Op, expand: Expansion, names: NameSource, dt: float, known: Mapping[str, NDArray]) -> list[Op]:
    writer = Rewriter(op, names, dt, known)
    values = expand(op, writer)
    values = values if isinstance(values, tuple) else (values,)
    made = {value.name for new in writer.ops for value in new.results}
    renames: dict[str, Value] = {}
    for old, new in zip(op.results, values, strict=True):
        if new.name not in made or new.name in renames:  # an operand passed through, or one value for two results
            new = writer(core.Reshape, x=new, shape=new.type.shape if new.type else ())
        assert new.type and old.type and (new.type.shape, new.type.dtype) == (old.type.shape, old.type.dtype), (
            f"{op.opname}: {old} {new}"
        )
        renames[new.name] = old
    return [_rename(new, renames) for new in writer.ops]


def _rename(op: Op, renames: Mapping[str, Value]) -> Op:
    def named(value: Value) -> Value:
        return Value(renames[value.name].name, value.type) if value.name in renames else value

    return op.renamed(named).with_(**{name: named(getattr(op, name)) for name in op.result_specs})
