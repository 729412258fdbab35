"""NIR's neurons, as the ODEs they are, with an explicit threshold convention, reset and integration method.

A unit's tick: the membrane takes the input of the tick, is compared with the threshold, and is reset. So the spike
of a tick depends on that tick's input, and a recurrent connection needs a ``core.delay``.
"""

from __future__ import annotations

from typing import ClassVar

from thermoc.ir.ops import CONTINUOUS, STATEFUL, Op, attr, one_of, op, operand, result
from thermoc.ir.types import Role, Shape
from thermoc.ir.values import Value

_COMPARE = one_of("greater", "greater_equal")
_RESET = one_of("zero", "subtract", "value")
_METHOD = one_of("exact", "euler")


def _membrane(value: Value) -> dict[str, Shape]:
    return {"v": value.type.shape if value.type is not None else ()}


@op("spiking.lif")
class Lif(Op):
    """tau dv/dt = v_leak - v + r x; a spike where v passes v_threshold, then a reset.

    exact: v' = v_inf + (v - v_inf) exp(-dt / tau), v_inf = v_leak + r x, for x constant over the tick.
    euler: v' = v + dt / tau (v_inf - v), order 1. reset: v = 0, v = v - v_threshold, or v = v_reset ("value").
    """

    x: Value = operand("*s")
    tau: Value = operand("~s", uniform=True)
    r: Value = operand("~s", uniform=True, default=1.0)
    v_leak: Value = operand("~s", uniform=True, default=0.0)
    v_threshold: Value = operand("~s", uniform=True, default=1.0)
    v_reset: Value = operand("~s", uniform=True, default=0.0)
    initial: Value = operand("~s", uniform=True, default=0.0)
    compare: str = attr(default="greater", check=_COMPARE)
    reset: str = attr(default="value", check=_RESET)
    method: str = attr(default="exact", check=_METHOD)
    s: Value = result("*s", role=Role.spike)
    v: Value = result("*s")

    traits: ClassVar = frozenset({STATEFUL, CONTINUOUS})

    def states(self) -> dict[str, Shape]:
        return _membrane(self.v)


@op("spiking.if")
class If(Op):
    """dv/dt = r x; a spike where v passes v_threshold, then a reset.

    The step v' = v + dt r x is exact for x constant over the tick.
    """

    x: Value = operand("*s")
    r: Value = operand("~s", uniform=True, default=1.0)
    v_threshold: Value = operand("~s", uniform=True, default=1.0)
    v_reset: Value = operand("~s", uniform=True, default=0.0)
    initial: Value = operand("~s", uniform=True, default=0.0)
    compare: str = attr(default="greater", check=_COMPARE)
    reset: str = attr(default="value", check=_RESET)
    s: Value = result("*s", role=Role.spike)
    v: Value = result("*s")

    traits: ClassVar = frozenset({STATEFUL, CONTINUOUS})

    def states(self) -> dict[str, Shape]:
        return _membrane(self.v)


@op("spiking.li")
class Li(Op):
    """tau dv/dt = v_leak - v + r x, no spikes; the methods of ``spiking.lif``."""

    x: Value = operand("*s")
    tau: Value = operand("~s", uniform=True)
    r: Value = operand("~s", uniform=True, default=1.0)
    v_leak: Value = operand("~s", uniform=True, default=0.0)
    initial: Value = operand("~s", uniform=True, default=0.0)
    method: str = attr(default="exact", check=_METHOD)
    v: Value = result("*s")

    traits: ClassVar = frozenset({STATEFUL, CONTINUOUS})

    def states(self) -> dict[str, Shape]:
        return _membrane(self.v)
