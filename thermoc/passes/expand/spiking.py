"""Spiking units as linear steps with a threshold, and those steps in core ops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thermoc.ir.dialects import core, spiking
from thermoc.ir.ops import Op
from thermoc.ir.types import Role
from thermoc.ir.values import Value
from thermoc.passes.rewriting import Expression, Number, Rewriter


def lif(op: spiking.Lif, w: Rewriter) -> tuple[Expression, Expression]:
    """v' = keep v + gain (v_leak + r x)."""
    keep, gain = _relaxation(w, op.method, op.tau)
    return _unit(op, w, op.x, keep, gain * op.r, gain * op.v_leak)


def integrate_and_fire(op: spiking.If, w: Rewriter) -> tuple[Expression, Expression]:
    """v' = v + dt r x."""
    return _unit(op, w, op.x, w.constant(1.0), w.dt * w[op.r], w.constant(0.0))


def cuba_lif(op: spiking.CubaLif, w: Rewriter) -> tuple[Expression, Expression, Expression]:
    """A current that relaxes, and a membrane that it drives."""
    i, drive, keep, gain = _driven(op, w)
    return (*_unit(op, w, drive, keep, op.r, gain * op.v_leak), i)


def cuba_li(op: spiking.CubaLi, w: Rewriter) -> tuple[Expression, Expression]:
    """The same without threshold."""
    i, drive, keep, gain = _driven(op, w)
    x = w[op.r] * drive + gain * op.v_leak
    return w(spiking.TraceStep, x=x, keep=keep, initial=op.initial), i


def leaky_integrator(op: spiking.Li, w: Rewriter) -> Expression:
    """v' = keep v + gain (v_leak + r x)."""
    keep, gain = _relaxation(w, op.method, op.tau)
    x = gain * op.r * op.x + gain * op.v_leak
    return w(spiking.TraceStep, x=x, keep=keep, initial=op.initial)


def integrator(op: spiking.I, w: Rewriter) -> Expression:
    """v' = v + dt r x."""
    return w(spiking.TraceStep, x=w.dt * w[op.r] * op.x, keep=1.0, initial=op.initial)


def trace(op: spiking.Trace, w: Rewriter) -> Expression:
    """g' = g exp(-dt / tau) + x."""
    return w(spiking.TraceStep, x=op.x, keep=w.exp(-w.dt / w[op.tau]), initial=op.initial)


def _unit(op: Any, w: Rewriter, x: Value, keep: Value, gain: Value, offset: Value) -> tuple[Expression, Expression]:
    step = {"x": x, "keep": keep, "gain": gain, "offset": offset, "held": spiking.held_ticks(op, w.dt)}
    same = ("v_threshold", "v_reset", "initial", "compare", "reset")
    return w(spiking.LifStep, **step, **{name: getattr(op, name) for name in same})


def _relaxation(w: Rewriter, method: str, tau: Value) -> tuple[Expression, Expression]:
    """Return what is kept of a variable over a tick, and the gain with which its target is added."""
    rate = w.dt / w[tau]
    # semi_implicit differs in which current the membrane reads, not in the decay.
    if method in ("euler", "semi_implicit"):
        return 1.0 - rate, rate
    return w.exp(-rate), -w.expm1(-rate)


def _driven(op: spiking.CubaLif | spiking.CubaLi, w: Rewriter) -> tuple[Expression, Expression, Expression, Expression]:
    """Return the current, what drives the membrane (times r), what the membrane keeps, and its gain."""
    target = w[op.w_in] * op.x
    fall, rise = _relaxation(w, op.method, op.tau_syn)
    keep, gain = _relaxation(w, op.method, op.tau_mem)
    if op.method == "semi_implicit":  # the membrane reads the current of this tick, not of the last
        i = w(spiking.TraceStep, x=rise * target, keep=fall, initial=op.i_initial)
        return i, gain * i, keep, gain
    before = w.delay(op.i, op.i_initial)
    i = fall * before + rise * target
    w.feed(before, i)
    if op.method != "exact":
        return i, gain * before, keep, gain
    chained = _chained_gain(op, w)
    return i, chained * before + (gain - chained) * target, keep, gain


def _chained_gain(op: spiking.CubaLif | spiking.CubaLi, w: Rewriter) -> Expression:
    """``physics.chained_gain`` in ops."""
    fast, slow = w.dt / w[op.tau_syn], w.dt / w[op.tau_mem]
    difference = w.abs(slow - fast)
    # Equal time constants: the quotient of differences becomes the derivative, slow e^-slow.
    equal = w(core.Equal, a=difference, b=0.0)
    ratio = -w.expm1(-difference) / w.select(equal, 1.0, difference)
    ratio = w.select(equal, 1.0, ratio)
    return slow * w.exp(-w.minimum(slow, fast)) * ratio


def trace_step(op: spiking.TraceStep, w: Rewriter) -> Expression:
    """A product and a sum over a delay."""
    state = w.delay(op.g, op.initial)
    g = w[op.keep] * state + op.x
    w.feed(state, g)
    return g


def lif_step(op: spiking.LifStep, w: Rewriter) -> tuple[Expression, Expression]:
    """The membrane and the ticks of refractoriness that remain are delays."""
    state = w.delay(op.v, op.initial)
    remaining = w.delay(op.v, w.constant(0.0)) if op.held else None
    v = w[op.keep] * state + (w[op.gain] * op.x + op.offset)
    if remaining is not None:
        # What arrives while a unit rests is lost, not stored for later.
        v = w.select(remaining > 0.0, state, v)
    fired = w(_comparison(op), a=v, b=op.v_threshold)
    if remaining is not None:
        fired = w(core.And, a=fired, b=w(core.Equal, a=remaining, b=0.0))
        next_ = w.maximum(remaining - 1.0, 0.0)
        w.feed(remaining, w.select(fired, float(op.held), next_))
    after = w.select(fired, _reset(op, v), v)
    w.feed(state, after)
    return w.number(fired, Role.spike), after


def _reset(op: spiking.LifStep, v: Expression) -> Number:
    """Return what a spike leaves of the membrane."""
    if op.reset == "subtract":
        # Subtraction keeps the excess over the threshold, without which rates would come out too low.
        return v - op.v_threshold
    return op.v_reset if op.reset == "value" else 0.0


def threshold(op: spiking.Threshold, w: Rewriter) -> Expression:
    """A comparison as a number."""
    return w.number(w(_comparison(op), a=op.x, b=op.threshold), Role.spike)


def scale(op: spiking.Scale, w: Rewriter) -> Expression:
    """A product."""
    return w[op.x] * op.s


def decode(op: spiking.Decode, w: Rewriter) -> Expression:
    """A sum over a count."""
    total, ticks = w.delay(op.y, w.constant(0.0)), w.delay(w.constant(0.0), w.constant(0.0))
    sum_, count = total + op.x, ticks + 1.0
    w.feed(total, sum_)
    w.feed(ticks, count)
    return sum_ / count


def _comparison(op: spiking.LifStep | spiking.Threshold) -> type[Op]:
    return core.Greater if op.compare == "greater" else core.GreaterEqual


STEPS: dict[type[Op], Callable[[Any, Rewriter], Any]] = {
    spiking.Lif: lif,
    spiking.If: integrate_and_fire,
    spiking.CubaLif: cuba_lif,
    spiking.CubaLi: cuba_li,
    spiking.Li: leaky_integrator,
    spiking.I: integrator,
    spiking.Trace: trace,
}
EXPANSIONS: dict[type[Op], Callable[[Any, Rewriter], Any]] = {
    spiking.LifStep: lif_step,
    spiking.TraceStep: trace_step,
    spiking.Threshold: threshold,
    spiking.Scale: scale,
    spiking.Decode: decode,
}
