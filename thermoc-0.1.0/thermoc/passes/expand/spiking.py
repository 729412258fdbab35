"""Spiking units as linear steps with a threshold, and those steps in core ops."""

from __future__ import annotations

from typing import Any

from thermoc.ir.dialects import core, spiking
from thermoc.ir.values import Value
from thermoc.passes.rewriting import Rewriter


def lif(op: spiking.Lif, w: Rewriter) -> tuple[Value, Value]:
    """v' = keep v + share (v_leak + r x)."""
    keep, share = _relaxation(w, op.method, op.tau)
    return _unit(op, w, op.x, keep, w.mul(share, op.r), w.mul(share, op.v_leak))


def integrate_and_fire(op: spiking.If, w: Rewriter) -> tuple[Value, Value]:
    """v' = v + dt r x."""
    return _unit(op, w, op.x, w.constant(1.0), w.mul(w.dt, op.r), w.constant(0.0))


def cuba_lif(op: spiking.CubaLif, w: Rewriter) -> tuple[Value, Value, Value]:
    """A current that relaxes, and a membrane that it drives."""
    i, drive, keep, share = _driven(op, w)
    return (*_unit(op, w, drive, keep, op.r, w.mul(share, op.v_leak)), i)


def cuba_li(op: spiking.CubaLi, w: Rewriter) -> tuple[Value, Value]:
    """The same without threshold."""
    i, drive, keep, share = _driven(op, w)
    x = w.add(w.mul(op.r, drive), w.mul(share, op.v_leak))
    return w(spiking.TraceStep, x=x, keep=keep, initial=op.initial), i


def leaky_integrator(op: spiking.Li, w: Rewriter) -> Value:
    """v' = keep v + share (v_leak + r x)."""
    keep, share = _relaxation(w, op.method, op.tau)
    x = w.add(w.mul(w.mul(share, op.r), op.x), w.mul(share, op.v_leak))
    return w(spiking.TraceStep, x=x, keep=keep, initial=op.initial)


def integrator(op: spiking.I, w: Rewriter) -> Value:
    """v' = v + dt r x."""
    return w(spiking.TraceStep, x=w.mul(w.mul(w.dt, op.r), op.x), keep=1.0, initial=op.initial)


def trace(op: spiking.Trace, w: Rewriter) -> Value:
    """g' = g exp(-dt / tau) + x."""
    return w(spiking.TraceStep, x=op.x, keep=w.exp(w.div(-w.dt, op.tau)), initial=op.initial)


def _unit(op: Any, w: Rewriter, x: Value, keep: Value, gain: Value, offset: Value) -> tuple[Value, Value]:
    step = {"x": x, "keep": keep, "gain": gain, "offset": offset, "held": spiking.held_ticks(op, w.dt)}
    same = ("v_threshold", "v_reset", "initial", "compare", "reset")
    return w(spiking.LifStep, **step, **{name: getattr(op, name) for name in same})


def _relaxation(w: Rewriter, method: str, tau: Value) -> tuple[Value, Value]:
    """Return what is kept of a variable over a tick, and the share of its target that is added."""
    rate = w.div(w.dt, tau)
    if method in ("euler", "semi_implicit"):
        return w.sub(1.0, rate), rate
    return w.exp(w.neg(rate)), w.neg(w.expm1(w.neg(rate)))


def _driven(op: spiking.CubaLif | spiking.CubaLi, w: Rewriter) -> tuple[Value, Value, Value, Value]:
    """Return the current, what drives the membrane (times r), what the membrane keeps, and its share."""
    target = w.mul(op.w_in, op.x)
    fall, rise = _relaxation(w, op.method, op.tau_syn)
    keep, share = _relaxation(w, op.method, op.tau_mem)
    if op.method == "semi_implicit":
        i = w(spiking.TraceStep, x=w.mul(rise, target), keep=fall, initial=op.i_initial)
        return i, w.mul(share, i), keep, share
    before = w.delay(op.i, op.i_initial)
    i = w.add(w.mul(fall, before), w.mul(rise, target))
    w.feed(before, i)
    if op.method != "exact":
        return i, w.mul(share, before), keep, share
    chained = _chained_gain(op, w)
    return i, w.add(w.mul(chained, before), w.mul(w.sub(share, chained), target)), keep, share


def _chained_gain(op: spiking.CubaLif | spiking.CubaLi, w: Rewriter) -> Value:
    """``physics.chained_gain`` in ops."""
    fast, slow = w.div(w.dt, op.tau_syn), w.div(w.dt, op.tau_mem)
    apart = w(core.Abs, x=w.sub(slow, fast))
    equal = w(core.Equal, a=apart, b=0.0)
    ratio = w.div(w.neg(w.expm1(w.neg(apart))), w(core.Select, condition=equal, a=1.0, b=apart))
    ratio = w(core.Select, condition=equal, a=1.0, b=ratio)
    return w.mul(w.mul(slow, w.exp(w.neg(w(core.Minimum, a=slow, b=fast)))), ratio)


def trace_step(op: spiking.TraceStep, w: Rewriter) -> Value:
    """A product and a sum over a delay."""
    state = w.delay(op.g, op.initial)
    g = w.add(w.mul(op.keep, state), op.x)
    w.feed(state, g)
    return g


def lif_step(op: spiking.LifStep, w: Rewriter) -> tuple[Value, Value]:
    """The membrane and the ticks still held are delays."""
    state = w.delay(op.v, op.initial)
    held = w.delay(op.v, w.constant(0.0)) if op.held else None
    v = w.add(w.mul(op.keep, state), w.add(w.mul(op.gain, op.x), op.offset))
    if held is not None:
        v = w(core.Select, condition=w(core.Greater, a=held, b=0.0), a=state, b=v)
    fired = w(_comparison(op), a=v, b=op.v_threshold)
    if held is not None:
        fired = w(core.And, a=fired, b=w(core.Equal, a=held, b=0.0))
        left = w(core.Maximum, a=w.sub(held, 1.0), b=0.0)
        w.feed(held, w(core.Select, condition=fired, a=float(op.held), b=left))
    low = {"zero": lambda: 0.0, "subtract": lambda: w.sub(v, op.v_threshold), "value": lambda: op.v_reset}[op.reset]()
    after = w(core.Select, condition=fired, a=low, b=v)
    w.feed(state, after)
    return w(core.Cast, x=fired, dtype=w.dtype, role="spike"), after


def threshold(op: spiking.Threshold, w: Rewriter) -> Value:
    """A comparison as a number."""
    return w(core.Cast, x=w(_comparison(op), a=op.x, b=op.threshold), dtype=w.dtype, role="spike")


def scale(op: spiking.Scale, w: Rewriter) -> Value:
    """A product."""
    return w.mul(op.x, op.s)


def decode(op: spiking.Decode, w: Rewriter) -> Value:
    """A sum over a count."""
    total, ticks = w.delay(op.y, w.constant(0.0)), w.delay(w.constant(0.0), w.constant(0.0))
    whole, count = w.add(total, op.x), w.add(ticks, 1.0)
    w.feed(total, whole)
    w.feed(ticks, count)
    return w.div(whole, count)


def _comparison(op: Any) -> type[core.Op]:
    return core.Greater if op.compare == "greater" else core.GreaterEqual


STEPS = {
    spiking.Lif: lif,
    spiking.If: integrate_and_fire,
    spiking.CubaLif: cuba_lif,
    spiking.CubaLi: cuba_li,
    spiking.Li: leaky_integrator,
    spiking.I: integrator,
    spiking.Trace: trace,
}
EXPANSIONS = {
    spiking.LifStep: lif_step,
    spiking.TraceStep: trace_step,
    spiking.Threshold: threshold,
    spiking.Scale: scale,
    spiking.Decode: decode,
}
