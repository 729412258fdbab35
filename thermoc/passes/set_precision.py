"""One float format for the whole graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from thermoc.ir.dialects.core import Cast, Constant, Parameter
from thermoc.ir.graph import Graph, fresh_names, replaced
from thermoc.ir.ops import Op
from thermoc.ir.parameters import ParameterCone
from thermoc.ir.types import DType
from thermoc.ir.values import Array, Value
from thermoc.passes.base import Pass, Property, floats_are
from thermoc.passes.change_log import Log
from thermoc.support.errors import error


@dataclass(frozen=True, kw_only=True)
class SetPrecision(Pass):
    """Give every float the format ``dtype``; constants are rounded to the nearest. Errors: T107 if one overflows."""

    name: ClassVar[str] = "set-precision"

    dtype: DType

    def __post_init__(self) -> None:
        if not self.dtype.is_float:
            raise error("T212", f"pass {self.name}: dtype must be a float format", notes=[f"dtype = {self.dtype}"])

    @property
    def gives(self) -> tuple[Property, ...]:
        return (floats_are(self.dtype),)

    def run(self, graph: Graph, log: Log) -> Graph:
        if not floats_are(self.dtype).broken(graph):
            return graph
        # Rounding to nearest is off by half a unit in the last place.
        unit = np.finfo(self.dtype.numpy).eps / 2
        log.changed(
            "float format",
            old="f64" if self.dtype is DType.f32 else "f32",
            new=self.dtype,
            bound=f"{unit:.1e} relative for each operation",
        )
        return graph.with_ops(self._beside_parameters(graph) if graph.parameters else map(self._op, graph.ops))

    def of_all(self, graph: Graph) -> Graph:
        """Return the graph with every float in the format, parameters and what is computed of them too."""
        return graph.with_ops(map(self._op, graph.ops))

    def _beside_parameters(self, graph: Graph) -> list[Op]:
        """Leave what is computed of parameters in its format, as folded constants were: its results are rounded."""
        cone, names = ParameterCone(graph), fresh_names(graph)
        used = {value.name for op in cone.ops for value in op.inputs}
        exact = {id(op) for op in cone.ops if not isinstance(op, Parameter) or op.y.name in used}
        rounded: dict[str, Value] = {}
        ops: list[Op] = []
        for op in graph.ops:
            in_two = op.y if isinstance(op, Constant) and op.y.name in used else None
            ops.append(op if id(op) in exact or in_two is not None else self._op(op))
            if in_two is not None and in_two.dtype.is_float:
                copy = self._op(op.with_(y=Value(names(f"{in_two.name}.rounded"), in_two.type)))
                ops.append(copy)
                rounded[in_two.name] = copy.results[0]
            for value in op.results if id(op) in exact else ():
                if value.name in cone.border and value.dtype.is_float and value.dtype is not self.dtype:
                    y = Value(names(f"{value.name}.rounded"), value.inferred.with_(dtype=self.dtype))
                    ops.append(Cast(x=value, dtype=self.dtype, role=value.role, y=y, location=op.location))
                    rounded[value.name] = y
        excluded = exact | {id(op) for op in ops if isinstance(op, Cast) and op.y in rounded.values()}
        return [op if id(op) in excluded else replaced(rounded, op) for op in ops]

    def _op(self, op: Op) -> Op:
        changes: dict[str, Any] = {name: self._value(getattr(op, name)) for name in op.result_specs}
        if isinstance(op, Constant | Parameter):
            if op.value.numpy.dtype.kind == "f":
                # What overflows becomes infinite, which the verifier then refuses by name (T107).
                with np.errstate(over="ignore"):
                    changes["value"] = Array(op.value.numpy.astype(self.dtype.numpy))
        elif "dtype" in op.attr_specs and op.attrs["dtype"].is_float:
            changes["dtype"] = self.dtype
        return op.renamed(self._value).with_(**changes)

    def _value(self, value: Value) -> Value:
        return Value(value.name, value.inferred.with_(dtype=self.dtype)) if value.dtype.is_float else value
