"""The network being written: ops are appended, named and typed, and make a graph at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any, cast

import numpy as np

from thermoc.ir.dialects.core import Constant, Parameter
from thermoc.ir.graph import Graph, NameSource, replaced
from thermoc.ir.handle import Handle
from thermoc.ir.infer import infer, retyped, shapes_of
from thermoc.ir.ops import STOCHASTIC, Op, OperandSpec
from thermoc.ir.types import DType, Role, Shape, Type
from thermoc.ir.values import Array, Value
from thermoc.ir.verify import attribute_findings, verify
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import Location, ThermocError, caller, error


class Builder:
    """Collects ops, names them, infers their types and reports what does not fit at the line that wrote it."""

    def __init__(self, name: str, dt: float):
        self.name, self.dt = name, dt
        self.place: Location | None = None
        """Where what is added comes from, where that is no line of a program: a node of a file."""
        self.ops: list[Op] = []
        self._names = NameSource()
        self._chosen: set[str] = set()  # names that were asked for
        self._final: dict[str, str] = {}  # of values whose name in the graph is not the one they were built under
        self._holes: dict[str, tuple[Value | None, Location | None]] = {}
        self._streams = 0
        self._layers: set[str] = set()

    def add(
        self, cls: type[Op], operands: dict[str, Any], attrs: dict[str, Any], name: str | None = None
    ) -> tuple[Handle, ...]:
        """Append one op and return its results. Errors: T102 to T105, T111, at the caller's line."""
        where = self.place or caller()
        values = self._operands(cls, cls.prepare(dict(operands)), where)
        if STOCHASTIC in cls.traits and "stream" in cls.attr_specs and "stream" not in attrs:
            attrs["stream"] = self._streams
        attrs = cls.complete(attrs, {key: shapes_of(value) for key, value in values.items()})
        # Results get their names and types below, once inference has said what they are.
        op = cls(**values, **attrs, **dict.fromkeys(cls.result_specs, Value("?")), location=where)
        findings = list(attribute_findings(op))
        types, findings = ({}, findings) if findings else infer(op)
        if findings:
            raise ThermocError(findings)
        op = op.with_(**{key: Value(self._name(cls, key, name, where), type_) for key, type_ in types.items()})
        if STOCHASTIC in cls.traits:
            # Streams count up in the order of calls, so an op added at the end changes no other op's noise.
            self._streams = max(self._streams, op.attrs["stream"] + 1)
        self.ops.append(op)
        return tuple(Handle(self, value) for value in op.results)

    def _operands(self, cls: type[Op], items: dict[str, Any], where: Location | None) -> dict[str, Any]:
        dtypes = (handle.type.dtype for handle in _handles(items.values()))
        dtype = next((dtype for dtype in dtypes if dtype.is_float), DType.f64)
        values: dict[str, Any] = {}
        for name, spec in cls.operand_specs.items():
            item = items.get(name, spec.default)
            if spec.variadic:
                values[name] = tuple(self._value(member, spec, dtype, where, cls, name) for member in item)
            elif item is not None:
                values[name] = self._value(item, spec, dtype, where, cls, name)
            elif not spec.optional:
                raise error("T111", f"{cls.opname}: {name} is missing", where=where)
        return values

    def _value(
        self, item: Any, spec: OperandSpec, dtype: DType, where: Location | None, cls: type[Op], name: str
    ) -> Value:
        if isinstance(item, Handle):
            if item.builder is not self:
                what = f"{cls.opname}: {name} belongs to another network"
                raise error(
                    "T111",
                    what,
                    where=where,
                    notes=[f"{item.value} is of {item.builder.name!r}, this is {self.name!r}"],
                )
            return item.value
        return self.constant(item, spec, dtype, where, f"{cls.opname}: {name}").value

    def constant(
        self, item: Any, spec: OperandSpec, dtype: DType, where: Location | None, who: str, name: str | None = None
    ) -> Handle:
        """Append a constant made of numbers, in the dtype the operand wants. Errors: T102, T104, T111."""
        array = self.array(item, spec, dtype, where, who)
        role = spec.role or Role.signal
        called = self._name(Constant, "y", name, where) if name else self._names("c")
        value = Value(called, Type(array.shape, DType.of(array.dtype) or dtype, role))
        self.ops.append(Constant(value=Array(array), role=role, y=value, location=where))
        return Handle(self, value)

    def array(self, item: Any, spec: OperandSpec, dtype: DType, where: Location | None, who: str) -> AnyArray:
        """Return numbers as an array of the dtype the operand wants. Errors: T104, T111."""
        if several := [repr(handle) for handle in _handles([item])]:
            notes = [f"it was given {', '.join(several)}"]
            hint = "of an op with several results take one: s, v = tc.lif(...); tc.concat([...]) joins values"
            raise error("T111", f"{who} takes one value", where=where, notes=notes, hint=hint)
        try:
            array = np.asarray(item)
        except ValueError:
            # Ragged lists have no array; they are refused below, with the kind of what was given.
            array = np.asarray(None)
        if array.dtype.kind not in "biuf":
            what = f"{who} takes a value of the network, a number or an array of numbers"
            of = f" of {array.dtype}" if hasattr(item, "dtype") else ""
            raise error("T111", what, where=where, notes=[f"it was given {type(item).__name__}{of}"])
        index = DType.i32 if array.dtype == np.int32 else DType.i64
        targets = {"float": dtype, "int": DType.i64, "index": index, "bool": DType.bool}
        target = targets.get(spec.kind) or DType.of(array.dtype) or dtype
        if spec.kind == "number" or (spec.kind == "any" and array.dtype.kind == "f"):
            target = dtype  # Python's numbers are f64, and take the format of the values beside them
        if array.dtype.kind == "f" and not target.is_float:
            raise error("T104", f"{who} takes {spec.kind} numbers", where=where, notes=[f"it was given {array.dtype}"])
        return array.astype(target.numpy)

    def initial(self, value: Value) -> AnyArray | None:
        """Return the initial numbers of a parameter; None for every other value."""
        ops = (op for op in self.ops if isinstance(op, Parameter) and op.y.name == value.name)
        return next((op.value.numpy for op in ops), None)

    def layer(self, name: str | None) -> str:
        """Return what a layer's parameters and probes are called by: its name, or layer0, layer1, ..."""
        chosen = name or next(free for n in count() if (free := f"layer{n}") not in self._layers)
        self._layers.add(chosen)
        return chosen

    def _name(self, cls: type[Op], result: str, name: str | None, where: Location | None) -> str:
        suffix = f".{result}" if len(cls.result_specs) > 1 else ""
        if name is None:
            return self._names(cls.opname.split(".")[1] + suffix)
        if name + suffix in self._chosen:
            raise error("T102", f"the name {name!r} is taken", where=where, hint="choose another, or leave it out")
        return self._choose(name + suffix)

    def _choose(self, name: str) -> str:
        """Return the name under which a value is built that will be ``name`` in the graph.

        A value that nobody named and that has this name gives it up: the two change names when the graph is made, for
        handles and ops already hold the names that were built under.
        """
        self._chosen.add(name)
        if self._names.claim(name):
            return name
        built = self._names(name)
        unnamed = next((old for old, final in self._final.items() if final == name), name)
        self._final[built], self._final[unnamed] = name, built
        return built

    def placeholder(self, shape: Shape, dtype: DType, role: Role) -> Handle:
        """Return a value that ``connect`` will define: how a cycle is written."""
        value = Value(self._names("placeholder"), Type(tuple(shape), dtype, role))
        self._holes[value.name] = (None, self.place or caller())
        return Handle(self, value)

    def connect(self, placeholder: Handle, value: Handle) -> None:
        """Let ``value`` stand wherever ``placeholder`` was used. Errors: T103, T111."""
        where = self.place or caller()
        given: dict[str, object] = {"placeholder": placeholder, "value": value}
        for what, item in given.items():
            if not isinstance(item, Handle):
                several = ", ".join(map(repr, _handles([item])))
                notes = [f"the {what} is {several or repr(item)}"]
                hint = "of an op with several results take one: x, w = tc.langevin(...)" if several else ""
                raise error("T111", "connect takes a placeholder and one value", where=where, notes=notes, hint=hint)
        name = placeholder.value.name
        if name not in self._holes or self._holes[name][0] is not None:
            notes = [f"connected at {self._holes[name][1]}"] if name in self._holes else []
            hint = "each is connected once" if notes else "tc.connect(tc.placeholder(...), value)"
            raise error("T111", f"{placeholder.value} is not an open placeholder", where=where, notes=notes, hint=hint)
        if (placeholder.shape, placeholder.type.dtype) != (value.shape, value.type.dtype):
            notes = [f"the placeholder is {placeholder.type}", f"the value is {value.type}"]
            raise error("T103", "a placeholder and its value disagree", where=where, notes=notes)
        self._holes[name] = (value.value, where)

    def graph(self) -> Graph:
        """Return the verified graph. Errors: T1xx, all at once."""
        targets = {name: self._resolve(name) for name in self._holes}
        ops = [self._final_names(replaced(targets, op)) for op in self.ops]
        graph = retyped(Graph(name=self.name, dt=self.dt, ops=tuple(ops)))
        verify(graph)
        return graph

    def _final_names(self, op: Op) -> Op:
        def final(value: Value) -> Value:
            return Value(self._final.get(value.name, value.name), value.type)

        if not self._final:
            return op
        return op.renamed(final).with_(**{key: final(getattr(op, key)) for key in op.result_specs})

    def _resolve(self, name: str) -> Value:
        """Return the value that defines a placeholder, through placeholders connected to placeholders."""
        passed = {name}
        while True:
            value, where = self._holes[name]
            if value is None:
                what = f"placeholder %{name} was never connected"
                raise error("T111", what, where=where, hint="call tc.connect(placeholder, value)")
            if value.name not in self._holes:
                return value
            if value.name in passed:
                raise error("T106", "a placeholder is connected to itself", where=where)
            name = value.name
            passed.add(name)


def _handles(items: Iterable[Any]) -> Iterator[Handle]:
    """Yield the values among the operands of a call, those in lists too."""
    for item in items:
        if isinstance(item, Handle):
            yield item
        elif isinstance(item, (list, tuple)):
            yield from _handles(cast("list[Any]", item))
