"""Spiking units as one step in core ops; each follows the order of operations of the reference."""

from __future__ import annotations

from typing import Any

from thermoc.ir.dialects import core, spiking
from thermoc.ir.values import Value
from thermoc.passes.rewriting import Rewriter


def lif(op: spiking.Lif, w: Rewriter) -> tuple[Value, Value]:
    """Relax towards v_leak + r x, compare, reset."""
    state = w.delay(op.v, op.initial)
    target = w.add(op.v_leak, w.mul(op.r, op.x))
    return _fired(op, w, state, _relaxed(w, op.method, state, target, op.tau))


def integrate_and_fire(op: spiking.If, w: Rewriter) -> tuple[Value, Value]:
    """v' = v + dt r x, compare, reset."""
    state = w.delay(op.v, op.initial)
    return _fired(op, w, state, w.add(state, w.mul(w.mul(w.dt, op.r), op.x)))


def cuba_lif(op: spiking.CubaLif, w: Rewriter) -> tuple[Value, Value, Value]:
    """Current and membrane relax, compare, reset."""
    state, v, i = _chained(op, w)
    return (*_fired(op, w, state, v), i)


def cuba_li(op: spiking.CubaLi, w: Rewriter) -> tuple[Value, Value]:
    """Current and membrane relax."""
    state, v, i = _chained(op, w)
    w.feed(state, v)
    return v, i


def leaky_integrator(op: spiking.Li, w: Rewriter) -> Value:
    """Relax towards v_leak + r x."""
    state = w.delay(op.v, op.initial)
    v = _relaxed(w, op.method, state, w.add(op.v_leak, w.mul(op.r, op.x)), op.tau)
    w.feed(state, v)
    return v


def integrator(op: spiking.I, w: Rewriter) -> Value:
    """v' = v + dt r x."""
    state = w.delay(op.v, op.initial)
    v = w.add(state, w.mul(w.mul(w.dt, op.r), op.x))
    w.feed(state, v)
    return v


def trace(op: spiking.Trace, w: Rewriter) -> Value:
    """g' = g exp(-dt / tau) + x."""
    state = w.delay(op.g, op.initial)
    g = w.add(w.mul(state, w.exp(w.div(-w.dt, op.tau))), op.x)
    w.feed(state, g)
    return g


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


def _relaxed(w: Rewriter, method: str, v: Value, target: Value, tau: Value) -> Value:
    if method in ("euler", "semi_implicit"):
        return w.add(v, w.mul(w.div(w.dt, tau), w.sub(target, v)))
    decay = w.exp(w.mul(w.neg(w.div(1.0, tau)), w.dt))
    return w.add(target, w.mul(w.sub(v, target), decay))


def _chained(op: spiking.CubaLif | spiking.CubaLi, w: Rewriter) -> tuple[Value, Value, Value]:
    """Return the membrane's delay, the membrane before any threshold, and the current."""
    state, current = w.delay(op.v, op.initial), w.delay(op.i, op.i_initial)
    target = w.mul(op.w_in, op.x)
    i = _relaxed(w, op.method, current, target, op.tau_syn)
    w.feed(current, i)
    drive = {"exact": target, "semi_implicit": i}.get(op.method, current)
    v = _relaxed(w, op.method, state, w.add(op.v_leak, w.mul(op.r, drive)), op.tau_mem)
    if op.method == "exact":
        v = w.add(v, w.mul(w.mul(op.r, w.sub(current, target)), _chained_gain(op, w)))
    return state, v, i


def _chained_gain(op: spiking.CubaLif | spiking.CubaLi, w: Rewriter) -> Value:
    """``physics.chained_gain`` in ops."""
    fast, slow = w.div(w.dt, op.tau_syn), w.div(w.dt, op.tau_mem)
    apart = w(core.Abs, x=w.sub(slow, fast))
    equal = w(core.Equal, a=apart, b=0.0)
    ratio = w.div(w.neg(w.expm1(w.neg(apart))), w(core.Select, condition=equal, a=1.0, b=apart))
    ratio = w(core.Select, condition=equal, a=1.0, b=ratio)
    return w.mul(w.mul(slow, w.exp(w.neg(w(core.Minimum, a=slow, b=fast)))), ratio)


def _comparison(op: Any) -> type[core.Op]:
    return core.Greater if op.compare == "greater" else core.GreaterEqual


def _fired(op: Any, w: Rewriter, state: Value, v: Value) -> tuple[Value, Value]:
    """Return spikes and the membrane after the reset; feed the delays of the membrane and of the ticks held."""
    ticks = spiking.held_ticks(op, w.dt)
    held = w.delay(op.v, w.constant(0.0)) if ticks else None
    if held is not None:
        v = w(core.Select, condition=w(core.Greater, a=held, b=0.0), a=state, b=v)
    fired = w(_comparison(op), a=v, b=op.v_threshold)
    if held is not None:
        fired = w(core.And, a=fired, b=w(core.Equal, a=held, b=0.0))
    low = {"zero": lambda: 0.0, "subtract": lambda: w.sub(v, op.v_threshold), "value": lambda: op.v_reset}[op.reset]()
    after = w(core.Select, condition=fired, a=low, b=v)
    w.feed(state, after)
    if held is not None:
        left = w(core.Maximum, a=w.sub(held, 1.0), b=0.0)
        w.feed(held, w(core.Select, condition=fired, a=float(ticks), b=left))
    return w(core.Cast, x=fired, dtype=w.dtype, role="spike"), after


STEPS = {
    spiking.Lif: lif,
    spiking.If: integrate_and_fire,
    spiking.CubaLif: cuba_lif,
    spiking.CubaLi: cuba_li,
    spiking.Li: leaky_integrator,
    spiking.I: integrator,
    spiking.Trace: trace,
}
