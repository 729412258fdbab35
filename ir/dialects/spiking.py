"""NIR's neurons, as the ODEs they are, with an explicit threshold convention, reset, method and refractory time.

A unit's tick: the membrane takes the input of the tick, is compared with the threshold, and is reset. So the spike
of a tick depends on that tick's input, and a recurrent connection needs a ``core.delay``.

Methods hold x over the tick. exact: the closed form. exponential: each variable exactly with the others at their old
values, order 1. euler: forward, from old values, order 1. semi_implicit: forward variable by variable, the membrane
from the new current, order 1. Where an op has one variable, exponential is exact.

refractory: after a spike in tick k the membrane keeps its reset value for the next ``refractory / dt`` ticks, neither
integrating nor spiking; a synaptic current goes on. (Brian2 counts the tick of the spike: its ``refractory`` for the
same course is longer by dt.)

``lif_step`` and ``trace_step`` are what ``discretize`` makes of these: any of them is a linear step, a threshold apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from thermoc.ir.bounds import above_zero
from thermoc.ir.ops import (
    COMPOUND,
    CONTINUOUS,
    STATEFUL,
    Check,
    Op,
    Problem,
    attr,
    non_negative,
    one_of,
    op,
    operand,
    result,
)
from thermoc.ir.types import Role, Shape
from thermoc.ir.values import Value
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import error

_COMPARE = one_of("greater", "greater_equal")
_RESET = one_of("zero", "subtract", "value")
_METHOD = one_of("exact", "euler", "exponential")
# semi_implicit needs a second variable: the membrane takes the current that is already new.
_METHOD_OF_TWO = one_of("exact", "euler", "exponential", "semi_implicit")
_TIME = Check("a time >= 0", lambda value: isinstance(value, int | float) and 0 <= value < float("inf"))


def held_ticks(op: Any, dt: float) -> int:
    """Return for how many ticks a spike holds the membrane. Errors: T204 where dt does not divide the time."""
    if not op.refractory:
        return 0
    ticks = round(op.refractory / dt)
    # Decimal times are off by 1e-16 as floats: a ratio that is whole to 1e-9 is meant to be.
    if abs(ticks * dt - op.refractory) > 1e-9 * op.refractory:
        what = f"{op.opname}: refractory is no whole number of ticks"
        notes = [f"refractory = {op.refractory!r}", f"dt = {dt!r}: {op.refractory / dt:.12g} ticks"]
        raise error("T204", what, where=op.location, notes=notes, hint=f"take {max(1, ticks) * dt:.12g}, or another dt")
    return ticks


def _states(op: Any, *names: str) -> dict[str, Shape]:
    """Return the shapes of the named variables, and of the ticks each unit stays refractory where it can be."""
    # A unit that is never refractory has nothing to count: its state would be zeros for ever.
    refractory = op.attrs.get("refractory") or op.attrs.get("held")
    shape: Shape = op.v.shape
    return dict.fromkeys((*names, *("held",) * bool(refractory)), shape)


class Decaying(Op):
    """A unit with time constants, each > 0: the operands whose names begin with ``tau``."""

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        names = [name for name in self.operand_specs if name.startswith("tau")]
        yield from above_zero(numbers, *names, hint="a time constant is > 0; tc.if_ and tc.i do not leak")


@op("spiking.lif")
class Lif(Decaying):
    """tau dv/dt = v_leak - v + r x; a spike where v passes v_threshold, then a reset.

    exact: v' = v_inf + (v - v_inf) exp(-dt / tau), v_inf = v_leak + r x. euler: v' = v + dt / tau (v_inf - v).
    reset: v = 0, v = v - v_threshold, or v = v_reset ("value"). Errors: T204 for ``refractory``.
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
    refractory: float = attr(default=0.0, check=_TIME, unit="time")
    s: Value = result("*s", role=Role.spike)
    v: Value = result("*s")

    traits: ClassVar = frozenset({STATEFUL, CONTINUOUS})

    def states(self) -> dict[str, Shape]:
        return _states(self, "v")


@op("spiking.if")
class If(Op):
    """dv/dt = r x; a spike where v passes v_threshold, then a reset.

    The step v' = v + dt r x is exact. Errors: T204 for ``refractory``.
    """

    x: Value = operand("*s")
    r: Value = operand("~s", uniform=True, default=1.0)
    v_threshold: Value = operand("~s", uniform=True, default=1.0)
    v_reset: Value = operand("~s", uniform=True, default=0.0)
    initial: Value = operand("~s", uniform=True, default=0.0)
    compare: str = attr(default="greater", check=_COMPARE)
    reset: str = attr(default="value", check=_RESET)
    refractory: float = attr(default=0.0, check=_TIME, unit="time")
    s: Value = result("*s", role=Role.spike)
    v: Value = result("*s")

    traits: ClassVar = frozenset({STATEFUL, CONTINUOUS})

    def states(self) -> dict[str, Shape]:
        return _states(self, "v")


@op("spiking.cuba_lif")
class CubaLif(Decaying):
    """tau_syn di/dt = -i + w_in x, tau_mem dv/dt = v_leak - v + r i; a spike where v passes v_threshold, then a reset.

    exact: i' = w + (i - w) b and v' = u + (v - u) a + r (i - w) k with w = w_in x, u = v_leak + r w,
    a = exp(-dt / tau_mem), b = exp(-dt / tau_syn), k = (b - a) / (1 - tau_mem / tau_syn), or a dt / tau_mem where they
    are equal. euler is NIR's own; semi_implicit is what snnTorch and Loihi do. Errors: T204 for ``refractory``.
    """

    x: Value = operand("*s")
    tau_syn: Value = operand("~s", uniform=True)
    tau_mem: Value = operand("~s", uniform=True)
    w_in: Value = operand("~s", uniform=True, default=1.0)
    r: Value = operand("~s", uniform=True, default=1.0)
    v_leak: Value = operand("~s", uniform=True, default=0.0)
    v_threshold: Value = operand("~s", uniform=True, default=1.0)
    v_reset: Value = operand("~s", uniform=True, default=0.0)
    initial: Value = operand("~s", uniform=True, default=0.0)
    i_initial: Value = operand("~s", uniform=True, default=0.0)
    compare: str = attr(default="greater", check=_COMPARE)
    reset: str = attr(default="value", check=_RESET)
    method: str = attr(default="exact", check=_METHOD_OF_TWO)
    refractory: float = attr(default=0.0, check=_TIME, unit="time")
    s: Value = result("*s", role=Role.spike)
    v: Value = result("*s")
    i: Value = result("*s")

    traits: ClassVar = frozenset({STATEFUL, CONTINUOUS})

    def states(self) -> dict[str, Shape]:
        return _states(self, "v", "i")


@op("spiking.cuba_li")
class CubaLi(Decaying):
    """tau_syn di/dt = -i + w_in x, tau_mem dv/dt = v_leak - v + r i, no spikes; the methods of ``spiking.cuba_lif``."""

    x: Value = operand("*s")
    tau_syn: Value = operand("~s", uniform=True)
    tau_mem: Value = operand("~s", uniform=True)
    w_in: Value = operand("~s", uniform=True, default=1.0)
    r: Value = operand("~s", uniform=True, default=1.0)
    v_leak: Value = operand("~s", uniform=True, default=0.0)
    initial: Value = operand("~s", uniform=True, default=0.0)
    i_initial: Value = operand("~s", uniform=True, default=0.0)
    method: str = attr(default="exact", check=_METHOD_OF_TWO)
    v: Value = result("*s")
    i: Value = result("*s")

    traits: ClassVar = frozenset({STATEFUL, CONTINUOUS})

    def states(self) -> dict[str, Shape]:
        return _states(self, "v", "i")


@op("spiking.li")
class Li(Decaying):
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
        return _states(self, "v")


@op("spiking.i")
class I(Op):  # noqa: E742  (NIR's name)
    """dv/dt = r x, no spikes. The step v' = v + dt r x is exact for x constant over the tick."""

    x: Value = operand("*s")
    r: Value = operand("~s", uniform=True, default=1.0)
    initial: Value = operand("~s", uniform=True, default=0.0)
    v: Value = result("*s")

    traits: ClassVar = frozenset({STATEFUL, CONTINUOUS})

    def states(self) -> dict[str, Shape]:
        return _states(self, "v")


@op("spiking.trace")
class Trace(Decaying):
    """dg/dt = -g / tau, and g jumps by x in each tick: an exponential synapse.

    g' = g exp(-dt / tau) + x, exact: what was there decays for the tick, and the tick's jump is included whole, as a
    unit takes the input of its tick.
    """

    x: Value = operand("*s")
    tau: Value = operand("~s", uniform=True)
    initial: Value = operand("~s", uniform=True, default=0.0)
    g: Value = result("*s")

    traits: ClassVar = frozenset({STATEFUL, CONTINUOUS})

    def states(self) -> dict[str, Shape]:
        return {"g": self.g.shape}


@op("spiking.threshold")
class Threshold(Op):
    """1 where x passes the threshold, else 0."""

    x: Value = operand("*s")
    threshold: Value = operand("~s", uniform=True, default=1.0)
    compare: str = attr(default="greater", check=_COMPARE)
    s: Value = result("*s", role=Role.spike)

    traits: ClassVar = frozenset({COMPOUND})


@op("spiking.scale")
class Scale(Op):
    """y = s x, element by element."""

    x: Value = operand("*s")
    s: Value = operand("~s", uniform=True)
    y: Value = result("*s")

    traits: ClassVar = frozenset({COMPOUND})


@op("spiking.decode")
class Decode(Op):
    """The mean of x over the ticks so far, this one included: what spikes say, the longer the more exactly."""

    x: Value = operand("*s")
    y: Value = result("*s")

    traits: ClassVar = frozenset({STATEFUL})

    def states(self) -> dict[str, Shape]:
        # One count serves all units, for all have seen the same ticks.
        return {"total": self.y.shape, "ticks": ()}


@op("spiking.lif_step")
class LifStep(Op):
    """v' = keep v + (gain x + offset), then threshold and reset: a tick of a unit that spikes.

    held > 0: after a spike the membrane keeps its value for so many ticks, and the unit does not spike.
    """

    x: Value = operand("*s")
    keep: Value = operand("~s", uniform=True)
    gain: Value = operand("~s", uniform=True, default=1.0)
    offset: Value = operand("~s", uniform=True, default=0.0)
    v_threshold: Value = operand("~s", uniform=True, default=1.0)
    v_reset: Value = operand("~s", uniform=True, default=0.0)
    initial: Value = operand("~s", uniform=True, default=0.0)
    compare: str = attr(default="greater", check=_COMPARE)
    reset: str = attr(default="value", check=_RESET)
    # In ticks, for a step no longer knows dt.
    held: int = attr(default=0, check=non_negative)
    s: Value = result("*s", role=Role.spike)
    v: Value = result("*s")

    traits: ClassVar = frozenset({STATEFUL})

    def states(self) -> dict[str, Shape]:
        return _states(self, "v")


@op("spiking.trace_step")
class TraceStep(Op):
    """g' = keep g + x: a tick of a trace."""

    x: Value = operand("*s")
    keep: Value = operand("~s", uniform=True)
    initial: Value = operand("~s", uniform=True, default=0.0)
    g: Value = result("*s")

    traits: ClassVar = frozenset({STATEFUL})

    def states(self) -> dict[str, Shape]:
        return {"g": self.g.shape}
