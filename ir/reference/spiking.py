"""The meaning of ``spiking``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc import physics
from thermoc.ir.dialects import spiking
from thermoc.ir.reference.meaning import Context, State, aligned, means, whole


def _start(op: Any, ctx: Context, *operands: NDArray | None) -> State:
    initial = operands[list(op.operand_specs).index("initial")]
    assert initial is not None
    return {"v": whole(initial, op.v.type)}


def _relax(method: str, v: NDArray, target: NDArray, tau: NDArray, dt: float) -> NDArray:
    if method == "euler":
        return v + v.dtype.type(dt) / tau * (target - v)
    return physics.exponential_step(v, target, 1 / tau, v.dtype.type(dt))


def _fire(op: spiking.Lif | spiking.If, v: NDArray, threshold: NDArray, v_reset: NDArray) -> tuple[NDArray, NDArray]:
    """Return (spikes, v after the reset)."""
    fired = v > threshold if op.compare == "greater" else v >= threshold
    low = {"zero": np.zeros_like(v), "subtract": v - threshold, "value": v_reset}[op.reset]
    return fired.astype(v.dtype), np.where(fired, low, v)


def _lif(op: spiking.Lif, ctx: Context, state: State, *operands: NDArray):
    v, x, tau, r, leak, threshold, v_reset, _ = aligned(state["v"], *operands)
    s, v = _fire(op, _relax(op.method, v, leak + r * x, tau, ctx.dt), threshold, v_reset)
    return (s, v), {"v": v}


def _if(op: spiking.If, ctx: Context, state: State, *operands: NDArray):
    v, x, r, threshold, v_reset, _ = aligned(state["v"], *operands)
    s, v = _fire(op, v + v.dtype.type(ctx.dt) * r * x, threshold, v_reset)
    return (s, v), {"v": v}


def _li(op: spiking.Li, ctx: Context, state: State, *operands: NDArray):
    v, x, tau, r, leak, _ = aligned(state["v"], *operands)
    v = _relax(op.method, v, leak + r * x, tau, ctx.dt)
    return v, {"v": v}


means(spiking.Lif, start=_start, step=_lif)
means(spiking.If, start=_start, step=_if)
means(spiking.Li, start=_start, step=_li)
