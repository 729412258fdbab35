"""Ops from Python calls: ``tc.affine(x, W, b)`` adds a ``core.affine`` to the network being built."""

from __future__ import annotations

import dataclasses
import inspect
import keyword
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np

from thermoc.ir import dialects  # noqa: F401  (registers the ops)
from thermoc.ir.dialects.core import Constant
from thermoc.ir.graph import Graph, NameSource, replaced
from thermoc.ir.handle import Handle
from thermoc.ir.infer import infer, retyped
from thermoc.ir.ops import REGISTRY, STOCHASTIC, Op, OperandSpec
from thermoc.ir.types import DType, Role, Shape, Type
from thermoc.ir.values import Array, Value
from thermoc.ir.verify import attribute_findings, verify
from thermoc.support.errors import Location, ThermocError, caller, error

CURRENT: ContextVar[Builder | None] = ContextVar("thermoc_builder", default=None)


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

    def add(
        self, cls: type[Op], operands: dict[str, Any], attrs: dict[str, Any], name: str | None = None
    ) -> tuple[Handle, ...]:
        """Append one op and return its results. Errors: T102 to T105, T111, at the caller's line."""
        where = self.place or caller()
        held = self._operands(cls, cls.prepare(dict(operands)), where)
        if STOCHASTIC in cls.traits and "stream" in cls.attr_specs and "stream" not in attrs:
            attrs["stream"] = self._streams
        attrs = cls.complete(attrs, {key: _shape_of(value) for key, value in held.items()})
        op = cls(**held, **attrs, **dict.fromkeys(cls.result_specs, Value("?")), location=where)
        found = list(attribute_findings(op))
        types, problems = ({}, found) if found else infer(op)
        if problems:
            raise ThermocError(problems)
        op = op.with_(**{key: Value(self._name(cls, key, name, where), kind) for key, kind in types.items()})
        if STOCHASTIC in cls.traits:
            self._streams = max(self._streams, op.attrs["stream"] + 1)
        self.ops.append(op)
        return tuple(Handle(self, value) for value in op.results)

    def _operands(self, cls: type[Op], given: dict[str, Any], where: Location | None) -> dict[str, Any]:
        dtype = next((v.type.dtype for v in _handles(given.values()) if v.type.dtype.is_float), DType.f64)
        held: dict[str, Any] = {}
        for name, spec in cls.operand_specs.items():
            item = given.get(name, spec.default)
            if spec.variadic:
                held[name] = tuple(self._value(part, spec, dtype, where, cls, name) for part in item)
            elif item is not None:
                held[name] = self._value(item, spec, dtype, where, cls, name)
            elif not spec.optional:
                raise error("T111", f"{cls.opname}: {name} is missing", where=where)
        return held

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
        try:
            array = np.asarray(item)
        except ValueError:
            array = np.asarray(None)
        if array.dtype.kind not in "biuf":
            what = f"{who} takes a value of the network, a number or an array of numbers"
            raise error("T111", what, where=where, notes=[f"it was given {type(item).__name__}"])
        wanted = {"float": dtype, "int": DType.i64, "bool": DType.bool}.get(spec.kind) or DType.of(array.dtype) or dtype
        if spec.kind == "number" or (spec.kind == "any" and array.dtype.kind == "f"):
            wanted = dtype
        if array.dtype.kind == "f" and not wanted.is_float:
            raise error("T104", f"{who} takes {spec.kind} numbers", where=where, notes=[f"it was given {array.dtype}"])
        role = spec.role or Role.signal
        called = self._name(Constant, "y", name, where) if name else self._names("c")
        value = Value(called, Type(array.shape, wanted, role))
        self.ops.append(Constant(value=Array(array.astype(wanted.numpy)), role=role, y=value, location=where))
        return Handle(self, value)

    def _name(self, cls: type[Op], result: str, name: str | None, where: Location | None) -> str:
        suffix = f".{result}" if len(cls.result_specs) > 1 else ""
        if name is None:
            return self._names(cls.opname.split(".")[1] + suffix)
        if name + suffix in self._chosen:
            raise error("T102", f"the name {name!r} is taken", where=where, hint="choose another, or leave it out")
        return self._choose(name + suffix)

    def _choose(self, name: str) -> str:
        """Return what a value is built under that will be ``name`` in the graph.

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
        name = placeholder.value.name
        if name not in self._holes or self._holes[name][0] is not None:
            raise error("T111", f"{placeholder.value} is not an open placeholder", where=where)
        if (placeholder.shape, placeholder.type.dtype) != (value.shape, value.type.dtype):
            notes = [f"the placeholder is {placeholder.type}", f"the value is {value.type}"]
            raise error("T103", "a placeholder and its value disagree", where=where, notes=notes)
        self._holes[name] = (value.value, where)

    def graph(self) -> Graph:
        """Return the verified graph. Errors: T1xx, all at once."""
        for name, (value, where) in self._holes.items():
            if value is None:
                raise error(
                    "T111",
                    f"placeholder %{name} was never connected",
                    where=where,
                    hint="call tc.connect(placeholder, value)",
                )
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
        """Return what stands behind a placeholder, through placeholders connected to placeholders."""
        seen = {name}
        value, where = self._holes[name]
        while value is not None and value.name in self._holes:
            if value.name in seen:
                raise error("T106", "a placeholder is connected to itself", where=where)
            seen.add(value.name)
            value, where = self._holes[value.name]
        assert value is not None  # graph() has looked
        return value


def _handles(items: Any) -> list[Handle]:
    found: list[Handle] = []
    for item in items:
        found += [item] if isinstance(item, Handle) else _handles(item) if isinstance(item, (list, tuple)) else []
    return found


def _shape_of(held: Any) -> Any:
    if held is None:
        return None
    return tuple(v.type.shape for v in held) if isinstance(held, tuple) else held.type.shape


def current(what: str) -> Builder:
    """Return the builder of the innermost ``with tc.Network(...)``. Errors: T111 outside one."""
    builder = CURRENT.get()
    if builder is None:
        raise error(
            "T111",
            f"{what} is called outside a network",
            where=caller(),
            hint='write it inside "with tc.Network(...):"',
        )
    return builder


THERMAL_ENERGY = "kT"
"""What papers call a temperature where it stands for an energy: with k_B = 1 it is ``T``, and taken as that."""


def function(cls: type[Op]) -> Callable[..., Any]:
    """Return the Python function that adds one op of this class: operands first, attributes by keyword.

    A temperature is ``T`` in every op; ``kT=`` is taken as the same number.
    """
    signature = _signature(cls)

    def call(*args: Any, **kwargs: Any) -> Any:
        builder = current(cls.opname)
        if THERMAL_ENERGY in kwargs and "T" in signature.parameters and "T" not in kwargs:
            kwargs["T"] = kwargs.pop(THERMAL_ENERGY)
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as reason:
            raise error("T111", f"{cls.opname}: {reason}", where=caller(), hint=f"{call.__name__}{signature}") from None
        name = bound.arguments.pop("name", None) if "name" not in cls.attr_specs else None
        operands = {key: item for key, item in bound.arguments.items() if key in cls.operand_specs}
        attrs = {key: _attribute(item) for key, item in bound.arguments.items() if key in cls.attr_specs}
        results = builder.add(cls, operands, attrs, name)
        return results[0] if len(results) == 1 else results if results else None

    short = cls.opname.split(".")[1]
    call.__name__ = call.__qualname__ = short + "_" * keyword.iskeyword(short)
    call.__doc__ = cls.__doc__
    call.__signature__ = signature  # type: ignore[attr-defined]
    return call


def _signature(cls: type[Op]) -> inspect.Signature:
    fields = cls.__dataclass_fields__
    kind = inspect.Parameter
    parameters = [
        kind(
            name,
            kind.POSITIONAL_OR_KEYWORD,
            default=kind.empty if spec.default is None and not spec.optional else spec.default,
        )
        for name, spec in cls.operand_specs.items()
    ]
    for name in cls.attr_specs:
        given = fields[name].default
        default = None if name == "stream" else kind.empty if given is dataclasses.MISSING else given
        parameters.append(kind(name, kind.KEYWORD_ONLY, default=default))
    if "name" not in cls.attr_specs:
        parameters.append(kind("name", kind.KEYWORD_ONLY, default=None))
    return inspect.Signature(parameters)


def _attribute(item: Any) -> Any:
    if isinstance(item, (list, tuple)):
        return tuple(_attribute(part) for part in item)
    return item.item() if isinstance(item, np.generic) else item


FUNCTIONS: dict[str, Callable[..., Any]] = {name: function(cls) for name, cls in REGISTRY.items()}
