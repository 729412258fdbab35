"""Ops that keep their differential equations in Brian2: what a NeuronGroup integrates, compares and resets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from thermoc.ir.dialects import spiking, thermo
from thermoc.ir.ops import Op

Named = Callable[[str], str]
"""The text that stands for an operand or result of the op."""
METHODS = {"exact": "exact", "euler": "euler", "exponential": "exponential_euler"}


@dataclass(frozen=True, kw_only=True)
class Dynamics:
    """Equations with one line a variable, the integration method, and what makes a spike and follows it."""

    equations: tuple[str, ...]
    method: str
    threshold: str = ""
    reset: str = ""
    refractory: str = ""


def lif(op: spiking.Lif, at: Named) -> Dynamics:
    """tau dv/dt = v_leak - v + r x."""
    slope = f"({at('v_leak')} + {at('r')} * {at('x')} - {at('v')}) / ({at('tau')} * unit_time)"
    return _spiking(op, at, (f"d{at('v')}/dt = {slope} : 1",), METHODS[op.method])


def integrate_and_fire(op: spiking.If, at: Named) -> Dynamics:
    """dv/dt = r x."""
    return _spiking(op, at, (f"d{at('v')}/dt = {at('r')} * {at('x')} / unit_time : 1",), "euler")


def leaky_integrator(op: spiking.Li, at: Named) -> Dynamics:
    """tau dv/dt = v_leak - v + r x."""
    slope = f"({at('v_leak')} + {at('r')} * {at('x')} - {at('v')}) / ({at('tau')} * unit_time)"
    return Dynamics(equations=(f"d{at('v')}/dt = {slope} : 1",), method=METHODS[op.method])


def memory(op: thermo.Memory, at: Named) -> Dynamics:
    """dm/dt = -gamma m + push; the push is the input and the noise, held over the tick (P25)."""
    m = at("m")
    return Dynamics(equations=(f"d{m}/dt = ({m}_push - {at('gamma')} * {m}) / unit_time : 1",), method="exact")


def _spiking(op: Any, at: Named, equations: tuple[str, ...], method: str) -> Dynamics:
    v, limit = at("v"), at("v_threshold")
    after = {"zero": f"{v} = 0", "subtract": f"{v} -= {limit}", "value": f"{v} = {at('v_reset')}"}[op.reset]
    sign = {"greater": ">", "greater_equal": ">="}[op.compare]
    return Dynamics(equations=equations, method=method, threshold=f"{v} {sign} {limit}", reset=after)


INSTANT: dict[type[Op], Callable[[Any, Named], Dynamics]] = {
    spiking.Lif: lif,
    spiking.If: integrate_and_fire,
    spiking.Li: leaky_integrator,
}
"""Units that take the input of the tick: they run where the data flow has them."""
LATE: dict[type[Op], Callable[[Any, Named], Dynamics]] = {thermo.Memory: memory}
"""Units whose output is their old state: they run when all else has."""
UNITS = INSTANT | LATE
