"""Noise and cells at the temperature of their place: factors that the run supplies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from thermoc.backends.chip.work import temperature
from thermoc.ir.dialects import core
from thermoc.ir.dialects.crossbar import Mvm
from thermoc.ir.graph import Graph, fresh_names
from thermoc.ir.infer import infer, retyped
from thermoc.ir.ops import Op
from thermoc.ir.types import DType, Role, Type
from thermoc.ir.values import Value
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Log

PREFIX = "chip.temperature."
WARMTH = "chip.warmth."
_MUL: Any = core.Mul


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
            dtype = T.dtype if T.dtype.is_float else DType.f64
            result = op.results[0]
            factor = Value(names(f"{result.name}.place"), Type(result.shape, dtype, Role.temperature))
            fields: dict[str, Any] = {"name": PREFIX + result.name, "shape": result.shape, "dtype": dtype}
            ops.append(core.Input(**fields, role=Role.temperature, y=factor, location=op.location))
            product: Any = _MUL(a=T, b=factor, y=Value(names(f"{result.name}.T")), location=op.location)
            types, found = infer(product)
            assert not found, found
            scaled = Value(product.y.name, types["y"].with_(role=Role.temperature))
            ops += [product.with_(y=scaled), op.with_(**{field: scaled})]
        return retyped(graph.with_ops(ops))


@dataclass(frozen=True, kw_only=True)
class CellWarmth(Pass):
    """Let the cells of every product conduct by a factor that is an input, ``chip.warmth.`` and the product's name.

    products: names of the values that products on crossbars were written for. The input has a number for each array of
    inputs and output, (arrays, outputs), or one in all where a product has several matrices (groups of a convolution).
    """

    name: ClassVar[str] = "cell-warmth"

    products: frozenset[str]

    def run(self, graph: Graph, log: Log) -> Graph:
        names, ops, made = fresh_names(graph), list[Op](), dict[str, Value]()
        of = {op.y.name: self.product(graph, op) for op in graph.of(Mvm)}
        for op in graph.ops:
            if isinstance(op, Mvm) and op.gain is None:
                product = of[op.y.name]
                if product not in made:
                    _, n, m = op.plus.shape
                    single = (
                        len({one.plus.name for one in graph.of(Mvm) if of[one.y.name] == product and one.cell_bits})
                        == 1
                    )
                    type_ = Type((-(-n // op.rows), m) if single else (), op.x.dtype)
                    made[product] = Value(names(f"{product}.warmth"), type_)
                    fields: dict[str, Any] = {"shape": type_.shape, "dtype": type_.dtype, "role": Role.signal}
                    ops.append(core.Input(name=WARMTH + product, y=made[product], **fields))
                op = op.with_(gain=made[product])
            ops.append(op)
        return graph.with_ops(ops)

    def product(self, graph: Graph, op: Op) -> str:
        """Return the first value on the way from an op that is a product's."""
        queue = [op]
        while queue:
            one = queue.pop(0)
            for value in one.results:
                if value.name in self.products:
                    return value.name
                queue += graph.consumers.get(value.name, ())
        return op.results[0].name


def factors(graph: Graph, prefix: str = PREFIX) -> dict[str, str]:
    """Return the names of the inputs that a pass added, by the name of the op's result."""
    return {name.removeprefix(prefix): name for name in graph.inputs if name.startswith(prefix)}
