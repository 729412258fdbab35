"""The meaning of ``spiking``."""

from __future__ import annotations

from typing import Any

import numpy as np

from thermoc import physics
from thermoc.ir.dialects import spiking
from thermoc.ir.reference.meaning import MEANINGS, Context, State, Stateful, aligned, pure, whole
from thermoc.support.array_types import AnyArray
from thermoc.support.namespaces import namespace


def _start(op: Any, ctx: Context, *operands: AnyArray | None) -> State:
    values = dict(zip(op.operand_specs, operands))
    starts: dict[str, Any] = {
        "v": values["initial"],
        "i": values.get("i_initial"),
        "held": ctx.array(np.zeros(1, op.v.dtype.numpy)),
    }
    return {name: whole(starts[name], op.v.inferred) for name in op.states()}


def _relax(method: str, v: AnyArray, target: AnyArray, tau: AnyArray, dt: float) -> AnyArray:
    if method in ("euler", "semi_implicit"):
        return v + dt / tau * (target - v)
    return physics.exponential_step(v, target, 1 / tau, dt)


def _fire(
    op: Any, ctx: Context, ticks: int, state: State, v: AnyArray, threshold: AnyArray, v_reset: AnyArray
) -> tuple[AnyArray, State]:
    """Return (spikes, {v after the reset, ticks still refractory}) for integrated v; refractory units keep theirs.

    ticks: for how many a spike holds its unit.
    """
    xp, fired = namespace(v), _passes(op, v, threshold)
    refractory = state.get("held")
    if refractory is not None:
        # Integration is undone, not skipped: a synaptic current beside it goes on.
        v = xp.where(refractory > 0, state["v"], v)
        fired = _passes(op, v, threshold) & (refractory == 0)
    low = {"zero": xp.zeros_like(v), "subtract": v - threshold, "value": v_reset}[op.reset]
    after = {"v": xp.where(fired, low, v)}
    if refractory is not None:
        after["held"] = xp.where(fired, float(ticks), xp.maximum(refractory - 1, 0.0))
    return ctx.decided(fired, v, threshold), after


def _passes(op: Any, x: AnyArray, threshold: AnyArray) -> AnyArray:
    return x > threshold if op.compare == "greater" else x >= threshold


def _lif(op: spiking.Lif, ctx: Context, state: State, *operands: AnyArray):
    v, x, tau, r, leak, threshold, v_reset, _ = aligned(state["v"], *operands)
    v = _relax(op.method, v, leak + r * x, tau, ctx.dt)
    s, state = _fire(op, ctx, spiking.held_ticks(op, ctx.dt), state, v, threshold, v_reset)
    return (s, state["v"]), state


def _if(op: spiking.If, ctx: Context, state: State, *operands: AnyArray):
    v, x, r, threshold, v_reset, _ = aligned(state["v"], *operands)
    s, state = _fire(op, ctx, spiking.held_ticks(op, ctx.dt), state, v + ctx.dt * r * x, threshold, v_reset)
    return (s, state["v"]), state


def _currents(op: Any, dt: float, state: State, *operands: AnyArray) -> tuple[AnyArray, AnyArray]:
    """Return (v, i) after a tick, before any threshold."""
    v, i, x, tau_syn, tau_mem, w_in, r, leak = aligned(state["v"], state["i"], *operands)
    target = w_in * x
    after = _relax(op.method, i, target, tau_syn, dt)
    # The current relaxes within the tick too, and ``chained_gain`` is what that adds to the membrane.
    if op.method == "exact":
        settled = _relax("exact", v, leak + r * target, tau_mem, dt)
        return settled + r * (i - target) * physics.chained_gain(tau_syn, tau_mem, dt), after
    drive = after if op.method == "semi_implicit" else i
    return _relax(op.method, v, leak + r * drive, tau_mem, dt), after


def _cuba_lif(op: spiking.CubaLif, ctx: Context, state: State, *operands: AnyArray):
    v, i = _currents(op, ctx.dt, state, *operands[:6])
    v, threshold, v_reset = aligned(v, *operands[6:8])
    s, after = _fire(op, ctx, spiking.held_ticks(op, ctx.dt), state, v, threshold, v_reset)
    return (s, after["v"], i), {"v": after["v"], "i": i} | after


def _cuba_li(op: spiking.CubaLi, ctx: Context, state: State, *operands: AnyArray):
    v, i = _currents(op, ctx.dt, state, *operands[:6])
    return (v, i), {"v": v, "i": i}


def _li(op: spiking.Li, ctx: Context, state: State, *operands: AnyArray):
    v, x, tau, r, leak, _ = aligned(state["v"], *operands)
    v = _relax(op.method, v, leak + r * x, tau, ctx.dt)
    return v, {"v": v}


def _i(op: spiking.I, ctx: Context, state: State, *operands: AnyArray):
    v, x, r, _ = aligned(state["v"], *operands)
    v = v + ctx.dt * r * x
    return v, {"v": v}


def _lif_step(op: spiking.LifStep, ctx: Context, state: State, *operands: AnyArray):
    v, x, keep, gain, offset, threshold, v_reset, _ = aligned(state["v"], *operands)
    s, state = _fire(op, ctx, op.held, state, keep * v + (gain * x + offset), threshold, v_reset)
    return (s, state["v"]), state


def _trace_start(op: spiking.Trace | spiking.TraceStep, ctx: Context, x: Any, tau: Any, initial: AnyArray) -> State:
    return {"g": whole(initial, op.g.inferred)}


def _trace(op: spiking.Trace, ctx: Context, state: State, *operands: AnyArray):
    g, x, tau, _ = aligned(state["g"], *operands)
    # Decay comes before the jump: a spike counts in full in its own tick.
    g = g * namespace(tau).exp(-ctx.dt / tau) + x
    return g, {"g": g}


def _trace_step(op: spiking.TraceStep, ctx: Context, state: State, *operands: AnyArray):
    g, x, keep, _ = aligned(state["g"], *operands)
    g = keep * g + x
    return g, {"g": g}


@pure(spiking.Threshold)
def threshold(op: spiking.Threshold, ctx: Context, x: AnyArray, threshold: AnyArray) -> AnyArray:
    x, threshold = aligned(x, threshold)
    return ctx.decided(_passes(op, x, threshold), x, threshold)


@pure(spiking.Scale)
def scale(op: spiking.Scale, ctx: Context, x: AnyArray, s: AnyArray) -> AnyArray:
    x, s = aligned(x, s)
    return x * s


MEANINGS[spiking.Lif] = Stateful(start=_start, step=_lif)
MEANINGS[spiking.If] = Stateful(start=_start, step=_if)
MEANINGS[spiking.CubaLif] = Stateful(start=_start, step=_cuba_lif)
MEANINGS[spiking.CubaLi] = Stateful(start=_start, step=_cuba_li)
MEANINGS[spiking.Li] = Stateful(start=_start, step=_li)
MEANINGS[spiking.I] = Stateful(start=_start, step=_i)
MEANINGS[spiking.Trace] = Stateful(start=_trace_start, step=_trace)
MEANINGS[spiking.LifStep] = Stateful(start=_start, step=_lif_step)
MEANINGS[spiking.TraceStep] = Stateful(start=_trace_start, step=_trace_step)


def _decode_start(op: spiking.Decode, ctx: Context, x: Any) -> State:
    dtype = op.y.dtype.numpy
    return {"total": ctx.array(np.zeros((1, *op.y.shape), dtype)), "ticks": ctx.array(np.zeros(1, dtype))}


def _decode(op: spiking.Decode, ctx: Context, state: State, x: AnyArray):
    total, ticks = state["total"] + x, state["ticks"] + 1
    return total / ticks[0], {"total": total, "ticks": ticks}


MEANINGS[spiking.Decode] = Stateful(start=_decode_start, step=_decode)
