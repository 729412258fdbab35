"""Noise and cells at the temperature of their place on the die: factors of the program that a run supplies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from thermoc.backends.chip.samplers import temperature
from thermoc.backends.chip.work_types import ChipWork, TaskKind
from thermoc.ir.dialects import core
from thermoc.ir.dialects.crossbar import Mvm
from thermoc.ir.graph import Graph, NameSource, fresh_names
from thermoc.ir.infer import infer, retyped
from thermoc.ir.ops import Op
from thermoc.ir.printer import print_graph
from thermoc.ir.types import DType, Role, Type
from thermoc.ir.values import Value
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Log, Lowered
from thermoc.passes.pipeline import run_passes
from thermoc.support.errors import error

TEMPERATURE = "chip.temperature."
WARMTH = "chip.warmth."
_MUL: Any = core.Mul


@dataclass(frozen=True, kw_only=True)
class AtDie:
    """The way from the network's ops to a program that draws, and whose cells conduct, at the die's temperature."""

    lowered: Lowered

    @property
    def graph(self) -> Graph:
        """The program's graph: it has an input for the temperature of each op that draws."""
        return self.lowered.graph

    def __str__(self) -> str:
        steps = zip(self.lowered.records, self.lowered.graphs)
        return "\n".join(f"after {record.text}\n{print_graph(graph)}" for record, graph in steps if record.changed)


@dataclass(frozen=True, kw_only=True)
class AtDieTemperature(Pass):
    """Work out the program at the die's temperature, from the network's ops on; the graph, at the model's, stays.

    The two are apart because the inputs of the one are the user's, and the other has the die's besides. numbers: the
    passes from the network's ops to the simulator's, with passes that follow the mapping to cells.
    """

    name: ClassVar[str] = "at-die-temperature"

    numbers: Callable[..., Sequence[Pass]] = field(repr=False)

    def run(self, graph: Graph, log: Log) -> Graph:
        work = log.needed(ChipWork)
        products = frozenset(work.ops[task.op] for task in work.tasks if task.kind is TaskKind.product)
        passes = [DieTemperature(sites=frozenset(work.sites)), *self.numbers(warm=[CellWarmth(products=products)])]
        log.keep(AtDie(lowered=run_passes(work.graph, passes)))
        return graph


@dataclass(frozen=True, kw_only=True)
class DieTemperature(Pass):
    """Let every op that draws at a temperature T draw at T f, f an input: the place's kelvins over those asked for.

    The input is called ``chip.temperature.`` and the op's result; it has the result's shape. sites: results of the ops
    that have a place on the die, as those that probes alone need have none.
    """

    name: ClassVar[str] = "die-temperature"

    sites: frozenset[str]

    def run(self, graph: Graph, log: Log) -> Graph:
        names = fresh_names(graph)
        ops: list[Op] = []
        for op in graph.ops:
            T = temperature(op) if op.results and op.results[0].name in self.sites else None
            ops += [op] if T is None else _scaled(op, T, names)
        return retyped(graph.with_ops(ops))


def _scaled(op: Op, T: Value, names: NameSource) -> list[Op]:
    """Return an op at T times an input, and what makes that temperature. Errors: T305 where units share their T."""
    operand = next(name for name in op.operand_specs if getattr(op, name) is T)
    if not op.operand_specs[operand].shape:
        notes = [f"{op.opname} ({op.results[0].name}) has one temperature for all units, and places on a die differ"]
        hint = "temperature='model' draws at the network's own"
        raise error("T305", "an op cannot draw at the die's temperature", where=op.location, notes=notes, hint=hint)
    dtype = T.dtype if T.dtype.is_float else DType.f64
    result = op.results[0]
    # A factor for each unit, for units lie in several places.
    factor = Value(names(f"{result.name}.place"), Type(result.shape, dtype, Role.temperature))
    fields: dict[str, Any] = {"name": TEMPERATURE + result.name, "shape": result.shape, "dtype": dtype}
    source = core.Input(**fields, role=Role.temperature, y=factor, location=op.location)
    product: Any = _MUL(a=T, b=factor, y=Value(names(f"{result.name}.T")), location=op.location)
    types, findings = infer(product)
    assert not findings, findings
    scaled = Value(product.y.name, types["y"].with_(role=Role.temperature))
    return [source, product.with_(y=scaled), op.with_(**{operand: scaled})]


@dataclass(frozen=True, kw_only=True)
class CellWarmth(Pass):
    """Let the cells of every product conduct by a factor that is an input, ``chip.warmth.`` and the product's name.

    products: names of the values that products on crossbars were written for. The input has a number for each array of
    inputs and output, (arrays, outputs), or one in all where a product has several matrices (groups of a convolution).
    """

    name: ClassVar[str] = "cell-warmth"

    products: frozenset[str]

    def run(self, graph: Graph, log: Log) -> Graph:
        names, ops, gains = fresh_names(graph), list[Op](), dict[str, Value]()
        product_of = {op.y.name: _product(graph, op, self.products) for op in graph.of(Mvm)}
        for op in graph.ops:
            if isinstance(op, Mvm) and op.gain is None and (product := product_of[op.y.name]) in self.products:
                # Groups of a convolution share the input of their product, so it is made once.
                if product not in gains:
                    type_ = _warmth_type(graph, op, product, product_of)
                    gains[product] = Value(names(f"{product}.warmth"), type_)
                    fields: dict[str, Any] = {"shape": type_.shape, "dtype": type_.dtype, "role": Role.signal}
                    ops.append(core.Input(name=WARMTH + product, y=gains[product], **fields))
                op = op.with_(gain=gains[product])
            ops.append(op)
        return graph.with_ops(ops)


def _warmth_type(graph: Graph, op: Mvm, product: str, product_of: dict[str, str]) -> Type:
    """Return the type of a product's warmth: a number an array where its readings share one matrix, else one in all."""
    _, n, m = op.plus.shape
    matrices = {mvm.plus.name for mvm in graph.of(Mvm) if product_of[mvm.y.name] == product and mvm.cell_bits}
    return Type((-(-n // op.rows), m) if len(matrices) == 1 else (), op.x.dtype)


def _product(graph: Graph, op: Op, products: frozenset[str]) -> str:
    """Return the first value on the way from an op that is a product's."""
    queue = [op]
    while queue:
        reader = queue.pop(0)
        for value in reader.results:
            if value.name in products:
                return value.name
            queue += graph.consumers.get(value.name, ())
    return op.results[0].name


def supplied(graph: Graph, prefix: str) -> dict[str, str]:
    """Return the names of the inputs that a pass added, by the name of the op's result."""
    return {name.removeprefix(prefix): name for name in graph.inputs if name.startswith(prefix)}
