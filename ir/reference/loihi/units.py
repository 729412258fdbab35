"""The meaning of Loihi's deterministic units."""

from __future__ import annotations

from typing import Any

import numpy as np

from thermoc.ir.dialects import loihi
from thermoc.ir.reference.loihi.integers import clipped, decayed, started, wide, wrapped
from thermoc.ir.reference.meaning import MEANINGS, Context, State, Stateful, aligned, pure, whole
from thermoc.support.array_types import AnyArray


def _lif_start(op: loihi.LoihiLif, ctx: Context, a: Any, bias: Any, v: AnyArray, u: AnyArray) -> State:
    return {"u": whole(u, op.v.inferred).astype(np.int32), "v": whole(v, op.v.inferred).astype(np.int32)}


def _lif(op: loihi.LoihiLif, ctx: Context, state: State, a: AnyArray, bias: AnyArray, *_: Any):
    if not started(op, ctx):
        return (np.zeros_like(state["v"]), state["v"], state["u"]), state
    u, v, a, bias = (wide(item) for item in aligned(state["u"], state["v"], a, bias))
    # lava-nc 0.10.0: du = 0 keeps 4095 / 4096 of a current, dv = 0 all of a membrane.
    u = wrapped(decayed(u, 4095 - op.du) + (a << 6))
    v = clipped(decayed(v, 4096 - op.dv) + u + (bias << op.bias_exp))
    threshold = op.vth << 6
    s = v > threshold if op.compare == "greater" else v >= threshold
    v = np.where(s, 0 if op.reset == "zero" else v - threshold, v)
    after = {"u": u.astype(np.int32), "v": v.astype(np.int32)}
    return (s.astype(np.int32), after["v"], after["u"]), after


@pure(loihi.LoihiGraded)
def graded(op: loihi.LoihiGraded, ctx: Context, a: AnyArray, bias: AnyArray) -> AnyArray:
    a, bias = aligned(a, bias)
    z = clipped(wide(a) + wide(bias) >> op.shift)
    return np.where((z if op.rule == "relu" else np.abs(z)) > op.vth, z, 0).astype(np.int32)


@pure(loihi.LoihiLut)
def lut(op: loihi.LoihiLut, ctx: Context, a: AnyArray, table: AnyArray, bias: AnyArray) -> AnyArray:
    a, bias = aligned(a, bias)
    entries = table.shape[1]
    index = (wide(a) + wide(bias) >> op.shift) + entries // 2
    return table[0][np.clip(index, 0, entries - 1)].astype(np.int32)


def _zeros(op: Any, ctx: Context, *_: Any) -> State:
    return {name: np.zeros((1, *shape), np.int32) for name, shape in op.states().items()}


def _sigma(op: loihi.LoihiSigma, ctx: Context, state: State, a: AnyArray):
    sigma = (wide(state["sigma"]) + a).astype(np.int32)
    return sigma, {"sigma": sigma}


def _sent(op: Any, state: State, act: AnyArray) -> tuple[AnyArray, State]:
    """Return the message and the states of a delta encoder whose value is now ``act``; all of it wraps at 32 bits."""
    d = act - state["act"] + state["residue"]
    error = state["error"] + d if op.cum_error else state["error"]
    sends = np.abs(error if op.cum_error else d) >= op.vth << (op.spike_exp + op.state_exp)
    s = np.where(sends, d, 0).astype(np.int32)
    if op.cum_error:
        error = np.where(s != 0, 0, error).astype(np.int32)
    return s >> op.state_exp, {"act": act, "residue": d - s, "error": error}


def _delta(op: loihi.LoihiDelta, ctx: Context, state: State, x: AnyArray):
    return _sent(op, state, x.astype(np.int32) << (op.spike_exp + op.state_exp))


def _sigma_delta(op: loihi.LoihiSigmaDelta, ctx: Context, state: State, a: AnyArray, bias: AnyArray):
    a, bias = aligned(a, bias)
    sigma = state["sigma"] + a.astype(np.int32)
    act = sigma + (bias.astype(np.int32) << (op.spike_exp + op.state_exp))
    message, after = _sent(op, state, np.maximum(act, 0) if op.activation == "relu" else act)
    return message, after | {"sigma": sigma}


MEANINGS[loihi.LoihiLif] = Stateful(start=_lif_start, step=_lif)
MEANINGS[loihi.LoihiSigma] = Stateful(start=_zeros, step=_sigma)
MEANINGS[loihi.LoihiDelta] = Stateful(start=_zeros, step=_delta)
MEANINGS[loihi.LoihiSigmaDelta] = Stateful(start=_zeros, step=_sigma_delta)
