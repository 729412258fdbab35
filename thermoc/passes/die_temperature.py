"""Noise at the temperature of its place: each temperature is multiplied by a factor that the run supplies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from thermoc.ir.dialects import core
from thermoc.ir.graph import Graph, fresh_names
from thermoc.ir.infer import infer, retyped
from thermoc.ir.ops import Op
from thermoc.ir.types import DType, Role, Type
from thermoc.ir.values import Value
from thermoc.passes.base import Log, Pass
from thermoc.passes.chip_work import kind, temperature

PREFIX = "chip.temperature."


@dataclass(frozen=True, kw_only=True)
class DieTemperature(Pass):
    """Let every op that draws at a temperature T draw at T f, f an input: the place's kelvins over those asked for.

    The input is called ``chip.temperature.`` and the op's result; it has the result's shape.
    """

    name: ClassVar[str] = "die-temperature"

    def run(self, graph: Graph, log: Log) -> Graph:
        names = fresh_names(graph)
        ops: list[Op] = []
        for op in graph.ops:
            T = temperature(op)
            if T is None:
                ops.append(op)
                continue
            field = next(name for name in op.operand_specs if getattr(op, name) is T)
            dtype = kind(T).dtype if kind(T).dtype.is_float else DType.f64
            result = op.results[0]
            factor = Value(names(f"{result.name}.place"), Type(kind(result).shape, dtype, Role.temperature))
            at = {"location": op.location}
            fields = {"name": PREFIX + result.name, "shape": kind(result).shape, "dtype": dtype}
            ops.append(core.Input(**fields, role=Role.temperature, y=factor, **at))
            product = core.Mul(a=T, b=factor, y=Value(names(f"{result.name}.T")), **at)
            types, found = infer(product)
            assert not found, found
            scaled = Value(product.y.name, types["y"].with_(role=Role.temperature))
            ops += [product.with_(y=scaled), op.with_(**{field: scaled})]
        return retyped(graph.with_ops(ops))


def factors(graph: Graph) -> dict[str, str]:
    """Return the names of the inputs that the pass added, by the name of the op's result."""
    return {name.removeprefix(PREFIX): name for name in graph.inputs if name.startswith(PREFIX)}
