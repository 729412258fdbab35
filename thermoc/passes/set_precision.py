"""One float format for the whole graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from thermoc.ir.dialects.core import Constant
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
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
        return graph.with_ops(self._op(op) for op in graph.ops)

    def _op(self, op: Op) -> Op:
        changes: dict[str, Any] = {name: self._value(getattr(op, name)) for name in op.result_specs}
        if isinstance(op, Constant):
            if op.value.numpy.dtype.kind == "f":
                # What overflows becomes infinite, which the verifier then refuses by name (T107).
                with np.errstate(over="ignore"):
                    changes["value"] = Array(op.value.numpy.astype(self.dtype.numpy))
        elif "dtype" in op.attr_specs and op.attrs["dtype"].is_float:
            changes["dtype"] = self.dtype
        return op.renamed(self._value).with_(**changes)

    def _value(self, value: Value) -> Value:
        return Value(value.name, value.inferred.with_(dtype=self.dtype)) if value.dtype.is_float else value
