"""The pass that brings what relaxes to what units of Loihi hold: schedules of one ratio, modes of OU networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from thermoc import physics
from thermoc.ir.dialects import core, diffusive, thermo
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.values import Value
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Log
from thermoc.passes.loihi.regions import HEATED, HEAVY, UNITS
from thermoc.passes.rewriting import Expression, Rewriter, rewrite
from thermoc.support.array_types import FloatArray

RELAXING = (thermo.Schedule, thermo.AdaptiveSchedule, diffusive.OuNetwork)
MOST_UNITS = 1024
"""Of an OU network that goes on Loihi: its modes are joined with each of its units."""
HEAVIEST = 254
"""The largest weight of a synapse of mixed signs, which are even (``loihi.weight_range``)."""


def relaxes(op: Op, graph: Graph) -> bool:
    """Tell whether Loihi has a unit for an op: one ratio or difference a tick, its start known beforehand."""
    if isinstance(op, thermo.Schedule):
        return op.kind in ("exponential", "linear")
    if isinstance(op, thermo.AdaptiveSchedule):
        return op.capacity is not None and _known(op.capacity, graph)
    if not isinstance(op, diffusive.OuNetwork) or op.x.size > MOST_UNITS:
        return False
    # No unit of Loihi takes the root of a temperature, and the host cannot: it keeps no state between two of them.
    return _known(op.initial, graph) and not _behind_units(op.T, graph)


def _behind_units(T: Value, graph: Graph) -> bool:
    """Tell whether a value follows from ops that go on Loihi; a schedule need not."""
    seen, stack = set[str](), [T.name]
    while stack:
        name = stack.pop()
        if name in seen:
            continue
        seen.add(name)
        op = graph.producers[name]
        if isinstance(op, (*UNITS, *HEAVY, *HEATED)) and not isinstance(op, thermo.Schedule):
            return True
        stack += [value.name for value in op.inputs]
    return False


def _known(value: Value, graph: Graph) -> bool:
    return isinstance(graph.producers[value.name], core.Constant)


@dataclass(frozen=True, kw_only=True)
class Relaxations(Pass):
    """Write adaptive schedules of a known heat capacity as exponential ones (P23), and OU networks as their modes,
    which do not mix, and the products with them (P29).

    Exact: the same ratio a tick, the same eigenbasis and noise as ``discretize`` has.
    """

    name: ClassVar[str] = "relaxations"

    def run(self, graph: Graph, log: Log) -> Graph:
        anew = {op.results[0].name: op for op in graph.ops if _written_anew(op, graph)}
        for name, op in anew.items():
            new = "an exponential schedule" if isinstance(op, thermo.AdaptiveSchedule) else "its modes, and their sums"
            log.changed(f"%{name}", old=op.opname, new=new, bound="none: the same equation")
        forms: dict[type[Op], Callable[[Any, Rewriter], Any]] = {
            thermo.AdaptiveSchedule: _of_one_ratio,
            diffusive.OuNetwork: _in_modes,
        }
        return rewrite(graph, forms, keep=lambda op: op.results[0].name not in anew)


def _written_anew(op: Op, graph: Graph) -> bool:
    if isinstance(op, diffusive.OuNetwork):
        return relaxes(op, graph) and not in_modes(_numbers(op.K, graph))
    return isinstance(op, thermo.AdaptiveSchedule) and relaxes(op, graph)


def in_modes(K: FloatArray) -> bool:
    """Tell whether each unit of an OU network is a mode of its own, the softest first."""
    rates = np.diag(K)
    return bool((np.diag(rates) == K).all() and (np.diff(rates) >= 0).all())


def _numbers(value: Value, graph: Graph) -> FloatArray:
    op = graph.producers[value.name]
    assert isinstance(op, core.Constant)
    return op.value.numpy.astype(float)


def _of_one_ratio(op: thermo.AdaptiveSchedule, w: Rewriter) -> Expression:
    """tau = relaxation sqrt(C) / speed."""
    assert op.capacity is not None
    tau = op.relaxation * float(np.sqrt(w.numbers(op.capacity))) / op.speed
    T0 = max(op.T0, op.T_min)
    return w(thermo.Schedule, kind="exponential", T0=T0, parameter=tau, T_min=op.T_min, dtype=op.T.dtype)


def _in_modes(op: diffusive.OuNetwork, w: Rewriter) -> Expression:
    """x = V y; y is the network of V^T K V, which is diagonal, driven by V^T b."""
    rates, V = physics.modes(w.numbers(op.K))
    into, shape = w.constant(V.T), op.x.shape
    b, initial = (w.affine(w.broadcast(vector, shape), into) for vector in (op.b, op.initial))
    drawn = {"mobility": op.mobility, "stream": op.stream}
    y = w(diffusive.OuNetwork, K=np.diag(rates), T=op.T, b=b, initial=initial, **drawn)
    high, low = _planes(V)
    x = w.affine(y, high)
    return x + w.affine(y, low) if low.any() else x


def _planes(V: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return weights of 8 bits and what they leave, to be weights of 8 bits more."""
    step = 2 * np.abs(V).max() / HEAVIEST
    high = np.rint(V / step) * step
    return high, V - high
