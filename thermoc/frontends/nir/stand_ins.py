"""What other readers see of ops with noise and temperature: their mean, or their limit at temperature 0.

| op | stands in the file as |
|---|---|
| `thermo.sample_binary` of 0 and 1, `thermo.fermi_dirac` | Threshold at 0: the limit T -> 0 |
| `thermo.memory` (Ornstein-Uhlenbeck) | LI with tau = r = 1 / gamma, and a Delay of a tick: its mean |
| `thermo.noise`, `thermo.normal` | nothing: noise is left out of the sums that it enters |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from thermoc.frontends.nir.ops import SUM
from thermoc.ir.dialects import core, spiking, thermo
from thermoc.ir.graph import Graph, NameSource
from thermoc.ir.ops import Op
from thermoc.ir.values import Array, Value

NOISE = (thermo.Noise, thermo.Normal)


class _Making:
    """Ops on their way into the graph that others see."""

    def __init__(self, graph: Graph):
        self.graph = graph
        self.fresh = NameSource(value.name for op in graph.ops for value in op.results)

    def constant(self, number: Any) -> tuple[core.Constant, Value]:
        array = np.asarray(number, np.float64)
        from thermoc.ir.types import DType, Role, Type

        value = Value(name=self.fresh("c"), type=Type(shape=array.shape, dtype=DType.f64, role=Role.signal))
        return core.Constant(value=Array(array), role=Role.signal, y=value), value

    def known(self, value: Value) -> Any:
        source = self.graph.producers[value.name]
        return source.value.numpy if isinstance(source, core.Constant) else None


def _threshold(making: _Making, op: Any) -> list[Op] | None:
    if getattr(op, "levels", "binary") != "binary":
        return None
    zero, level = making.constant(0.0)
    x = op.drive if isinstance(op, thermo.SampleBinary) else op.x
    return [zero, spiking.Threshold(x=x, threshold=level, compare="greater", s=op.results[0], location=op.location)]


def _memory(making: _Making, op: Any) -> list[Op] | None:
    gamma, initial = making.known(op.gamma), making.known(op.initial)
    if gamma is None or initial is None or np.any(gamma <= 0):
        return None
    ops: list[Op] = []
    values: list[Value] = []
    for number in (1 / gamma, 1 / gamma, 0.0, initial, initial):
        constant, value = making.constant(np.asarray(number) * 1.0)
        ops.append(constant)
        values.append(value)
    new = Value(name=making.fresh(f"{op.m.name}.mean"), type=op.m.type)
    fields = dict(zip(("tau", "r", "v_leak", "initial"), values))
    ops.append(spiking.Li(x=op.x, method="exact", v=new, location=op.location, **fields))
    ops.append(core.Delay(x=new, initial=values[4], ticks=1, y=op.m, location=op.location))
    return ops


FORMS: dict[type[Op], Callable[[_Making, Any], list[Op] | None]] = {
    thermo.SampleBinary: _threshold,
    thermo.FermiDirac: _threshold,
    thermo.Memory: _memory,
}


def skeleton(graph: Graph) -> Graph:
    """Return the graph that other readers see; ops that have no stand-in stay, and are refused later."""
    making = _Making(graph)
    ops: list[Op] = []
    silent = {value.name for op in graph.ops if isinstance(op, NOISE) for value in op.results}
    same: dict[str, Value] = {}
    for op in graph.ops:
        form = FORMS.get(type(op))
        replacement = form(making, op) if form is not None else None
        remaining = _without(op, silent)
        if replacement is None and remaining is not None:
            same[op.results[0].name] = remaining
        else:
            ops += replacement if replacement is not None else [op]
    renamed = [op.renamed(lambda value: _followed(same, value)) for op in ops]
    return Graph(name=graph.name, dt=graph.dt, ops=tuple(_live(renamed)))


def _without(op: Op, silent: set[str]) -> Value | None:
    """Return the other operand of a sum with noise."""
    if not isinstance(op, SUM):
        return None
    total: Any = op
    for noise, other in ((total.a, total.b), (total.b, total.a)):
        if noise.name in silent and other.shape == total.y.shape:
            return other
    return None


def _followed(same: dict[str, Value], value: Value) -> Value:
    while value.name in same:
        value = same[value.name]
    return value


def _live(ops: list[Op]) -> Iterator[Op]:
    """Yield the ops that an output depends on, and the inputs."""
    producers = {value.name: op for op in ops for value in op.results}
    alive: set[int] = set()
    stack: list[Op] = [op for op in ops if isinstance(op, (core.Output, core.Input))]
    while stack:
        op = stack.pop()
        if id(op) not in alive:
            alive.add(id(op))
            stack += [producers[value.name] for value in op.inputs]
    return (op for op in ops if id(op) in alive)
