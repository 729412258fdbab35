"""Ops that keep their differential equations in Brian2: what a NeuronGroup integrates, compares and resets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from thermoc.backends.brian2.expressions import ELEMENTWISE
from thermoc.ir.dialects import dynamics, langevin, spiking, thermo
from thermoc.ir.dialects.core import Cast, Constant, Delay
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.types import DType, Role
from thermoc.ir.values import Value

Named = Callable[[str], str]
"""The text that stands for an operand or result of the op, or for what pushes it (``tasks.push``)."""
METHODS = {"exact": "exact", "euler": "euler", "exponential": "exponential_euler"}


@dataclass(frozen=True, kw_only=True)
class Dynamics:
    """Equations with one line a variable, the integration method, and what makes a spike and follows it."""

    equations: tuple[str, ...] = ()
    method: str = ""
    threshold: str = ""
    reset: str = ""
    refractory: str = ""


def lif(op: spiking.Lif, at: Named) -> Dynamics:
    """tau dv/dt = v_leak - v + r x."""
    return _spiking(op, at, (_slope(at, "v", f"{at('v_leak')} + {at('r')} * {at('x')}", "tau", held=op.refractory),))


def integrate_and_fire(op: spiking.If, at: Named) -> Dynamics:
    """dv/dt = r x."""
    return _spiking(op, at, (_integral(at, held=op.refractory),))


def cuba_lif(op: spiking.CubaLif, at: Named) -> Dynamics:
    """tau_syn di/dt = -i + w_in x, tau_mem dv/dt = v_leak - v + r i."""
    return _spiking(op, at, _chained(at, held=op.refractory))


def cuba_li(op: spiking.CubaLi, at: Named) -> Dynamics:
    """tau_syn di/dt = -i + w_in x, tau_mem dv/dt = v_leak - v + r i."""
    return Dynamics(equations=_chained(at), method=METHODS[op.method])


def leaky_integrator(op: spiking.Li, at: Named) -> Dynamics:
    """tau dv/dt = v_leak - v + r x."""
    slope = _slope(at, "v", f"{at('v_leak')} + {at('r')} * {at('x')}", "tau")
    return Dynamics(equations=(slope,), method=METHODS[op.method])


def integrator(op: spiking.I, at: Named) -> Dynamics:
    """dv/dt = r x."""
    return Dynamics(equations=(_integral(at),), method="euler")


def trace(op: spiking.Trace, at: Named) -> Dynamics:
    """tau dg/dt = -g; the jumps follow."""
    return Dynamics(equations=(f"d{at('g')}/dt = -{at('g')} / ({at('tau')} * unit_time) : 1",), method="exact")


def memory(op: thermo.Memory, at: Named) -> Dynamics:
    """dm/dt = -gamma m + push; the push is the input and the noise, held over the tick (P25)."""
    slope = f"({at('push')} - {at('gamma')} * {at('m')}) / unit_time"
    return Dynamics(equations=(f"d{at('m')}/dt = {slope} : 1",), method="exact")


def brownian(op: langevin.Brownian, at: Named) -> Dynamics:
    """dx/dt = push - mobility stiffness x; the push is the force and the noise, held over the tick (P29)."""
    if op.stiffness is None:
        return Dynamics(equations=(f"d{at('x')}/dt = {at('push')} / unit_time : 1",), method="euler")
    slope = f"({at('push')} - {at('mobility')} * {at('stiffness')} * {at('x')}) / unit_time"
    return Dynamics(equations=(f"d{at('x')}/dt = {slope} : 1",), method="exact")


def _slope(at: Named, name: str, goal: str, tau: str, *, held: float = 0.0) -> str:
    """tau dv/dt = goal - v."""
    flag = " (unless refractory)" if held else ""
    return f"d{at(name)}/dt = ({goal} - {at(name)}) / ({at(tau)} * unit_time) : 1{flag}"


def _integral(at: Named, *, held: float = 0.0) -> str:
    flag = " (unless refractory)" if held else ""
    return f"d{at('v')}/dt = {at('r')} * {at('x')} / unit_time : 1{flag}"


def _chained(at: Named, *, held: float = 0.0) -> tuple[str, str]:
    return (
        _slope(at, "i", f"{at('w_in')} * {at('x')}", "tau_syn"),
        _slope(at, "v", f"{at('v_leak')} + {at('r')} * {at('i')}", "tau_mem", held=held),
    )


def _spiking(op: Any, at: Named, equations: tuple[str, ...]) -> Dynamics:
    v, limit = at("v"), at("v_threshold")
    after = f"{v} = {at('v_reset')}" if op.reset == "value" else f"{v} = 0" if op.reset == "zero" else f"{v} -= {limit}"
    sign = {"greater": ">", "greater_equal": ">="}[op.compare]
    return Dynamics(
        equations=equations,
        method=METHODS[getattr(op, "method", "euler")],
        threshold=f"{v} {sign} {limit}",
        reset=after,
        # Brian2 counts the tick of the spike
        refractory=f"{op.refractory!r} * TIME + DT" if op.refractory else "",
    )


INSTANT: dict[type[Op], Callable[[Any, Named], Dynamics]] = {
    spiking.Lif: lif,
    spiking.If: integrate_and_fire,
    spiking.CubaLif: cuba_lif,
    spiking.CubaLi: cuba_li,
    spiking.Li: leaky_integrator,
    spiking.I: integrator,
    spiking.Trace: trace,
}
"""Units that take the input of the tick: they run where the data flow has them."""
LATE: dict[type[Op], Callable[[Any, Named], Dynamics]] = {
    thermo.Memory: memory,
    langevin.Brownian: brownian,
}
"""Units whose output is their old state: they run when all else has."""
UNITS = INSTANT | LATE


def carried(graph: Graph) -> dict[str, str]:
    """Return the traces that the group of another unit can integrate, with that unit's first result.

    Sums and the like are all that stands between a trace and the drive of the unit, and nothing else reads it. So the
    trace may decay when the unit has moved, for the next tick, in one step of both.
    """
    carriers = {op.g.name: _carrier(graph, op) for op in graph.of(spiking.Trace)}
    return {name: unit for name, unit in carriers.items() if unit is not None}


def _carrier(graph: Graph, op: spiking.Trace) -> str | None:
    value = op.g
    if not isinstance(graph.producers[op.tau.name], Constant):
        return None
    # A second reader would see the trace when it has already decayed for the next tick.
    while len(readers := graph.consumers[value.name]) == 1:
        (reader,) = readers
        result = reader.results[0] if reader.results else None
        if result is None or result.type is None or op.g.type is None or result.type.shape != op.g.type.shape:
            return None
        if (result.name in graph.uniform) != (op.g.name in graph.uniform):
            return None
        if isinstance(reader, (spiking.Lif, spiking.Li)) and reader.method == "exact" and reader.x == value:
            return result.name
        if type(reader) not in ELEMENTWISE or fires(reader):
            return None
        value = result
    return None


def integrated(op: Op, graph: Graph) -> bool:
    """True for an op that Brian2 integrates by the op's own method, so that it keeps its equations."""
    if type(op) not in UNITS or getattr(op, "method", "exact") not in METHODS:
        return False
    if isinstance(op, (spiking.Lif, spiking.If, spiking.CubaLif)):
        # For its error: the time must be whole ticks, although Brian2 takes any.
        spiking.held_ticks(op, graph.dt)
    return not (isinstance(op, (spiking.CubaLif, spiking.CubaLi)) and op.method == "exact" and _alike(op, graph))


def _alike(op: spiking.CubaLif | spiking.CubaLi, graph: Graph) -> bool:
    """True where the solution that Brian2 finds would divide by tau_syn - tau_mem = 0, or may come to."""
    taus = [graph.producers[tau.name] for tau in (op.tau_syn, op.tau_mem)]
    constants = [tau.value.numpy for tau in taus if isinstance(tau, Constant)]
    return len(constants) < 2 or bool((constants[0] == constants[1]).any())


def integrals(op: Op) -> Iterator[tuple[Value, str]]:
    """Yield the results that are variables of differential equations, and what the op calls them."""
    for state in op.states() if type(op) in UNITS else ():
        if state != "held":
            yield getattr(op, state), state


def is_unit(op: Op) -> bool:
    """True where an op needs a group's equations or threshold for itself."""
    return type(op) in UNITS or isinstance(op, dynamics.Ode) or fires(op) or heated(op)


def heated(op: Op) -> bool:
    """True for a state that starts from a temperature: it is integrated from its mean rate of heating."""
    kind = op.initial.type if isinstance(op, Delay) and op.ticks == 1 else None
    return kind is not None and kind.role is Role.temperature and kind.dtype.is_float


def fires(op: Op) -> bool:
    """True where a group's threshold makes the op's first result."""
    comparison = isinstance(op, Cast) and op.role is Role.spike and _dtype(op.x) is DType.bool
    equations = isinstance(op, dynamics.Ode) and bool(op.threshold)
    return comparison or equations or isinstance(op, (spiking.Lif, spiking.If, spiking.CubaLif))


def _dtype(value: Value) -> DType | None:
    return None if value.type is None else value.type.dtype
