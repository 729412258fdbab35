"""The meaning of ``loihi``: int64 arithmetic, wrapped and clipped where the chip wraps and clips."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.dialects import loihi
from thermoc.ir.reference import core
from thermoc.ir.reference.meaning import Context, State, aligned, means, pure, whole
from thermoc.ir.types import Type
from thermoc.support import philox

FRACTION = 12
ONE = 1 << FRACTION
LN2 = 45426
"""ln 2 with 16 fractional bits."""
BEND = 1408
"""The parabola's height with 12 fractional bits: log2(1 + m) is about m + 0.34375 m (1 - m)."""
COSINES = np.rint(ONE * np.cos(2 * np.pi * (np.arange(1024) + 0.5) / 1024)).astype(np.int64)


# ------------------------------------------------------------------------------------------------------ arithmetic


def decayed(x: NDArray, keep: int) -> NDArray:
    """Return sgn(x) (|x| keep >> 12)."""
    return np.sign(x) * (np.abs(x) * keep >> 12)


def shifted(x: NDArray, exponent: int) -> NDArray:
    """Return x << exponent, a floor shift where it is negative."""
    return x << exponent if exponent >= 0 else x >> -exponent


def wrapped(x: NDArray) -> NDArray:
    """Return x modulo 2^24 in (-2^23, 2^23]."""
    return -((-x + 2**23) % 2**24 - 2**23)


def clipped(x: NDArray) -> NDArray:
    """Return x clipped to +-(2^23 - 1)."""
    return np.clip(x, -loihi.LIMIT, loihi.LIMIT)


def lg(A: NDArray) -> NDArray:
    """Return log2 of whole numbers from 1 below 2^34, with 12 fractional bits, by leading zeros and a parabola."""
    e = np.frexp(A.astype(np.float64))[1].astype(np.int64) - 1
    m = ((A << FRACTION) >> e) - ONE
    return (e << FRACTION) + m + (BEND * m * (ONE - m) >> 24)


def natural(x: NDArray) -> NDArray:
    """Return a logarithm to base 2 as one to base e, truncated towards nought."""
    return np.sign(x) * (np.abs(x) * LN2 >> 16)


def logit(word: NDArray) -> NDArray:
    """Return logit((w + 1/2) / 2^32) with 12 fractional bits, to within 0.0115, of words below 2^32."""
    A = 2 * word.astype(np.int64) + 1
    return natural(lg(A) - lg(2**33 - A))


def surprise(word: NDArray) -> NDArray:
    """Return -ln((w + 1/2) / 2^32) with 12 fractional bits, at least 1."""
    A = 2 * word.astype(np.int64) + 1
    return np.maximum(natural((33 << FRACTION) - lg(A)), 1)


def gumbel(word: NDArray) -> NDArray:
    """Return ln(-ln u), u = (w + 1/2) / 2^32, with 12 fractional bits, to within 0.008.

    Towards u = 1, where -ln u is lost among 12 bits, by q = 1 - u: ln q + q / 2 + 0.28 q^2.
    """
    rest = 2**33 - (2 * word.astype(np.int64) + 1)
    q = rest >> 21
    near = natural(lg(rest) - (33 << FRACTION)) + (q * (2048 + (1150 * q >> FRACTION)) >> FRACTION)
    return np.where(rest > 2**32, natural(lg(surprise(word)) - (FRACTION << FRACTION)), near)


def normal(first: NDArray, second: NDArray) -> NDArray:
    """Return Box and Muller's normal of two words, with 12 fractional bits."""
    radius = np.floor(np.sqrt((2 * surprise(first) << FRACTION).astype(np.float64))).astype(np.int64)
    return radius * COSINES[(second >> np.uint64(22)).astype(np.int64)] >> FRACTION


# --------------------------------------------------------------------------------------------------------- borders


@pure(loihi.Encode)
def encode(op: loihi.Encode, ctx: Context, x: NDArray) -> NDArray:
    top = 2 ** (op.bits - 1) - 1
    return np.clip(np.rint(x.astype(np.float64) * op.scale), -top, top).astype(np.int32)


@pure(loihi.Decode)
def decode(op: loihi.Decode, ctx: Context, x: NDArray) -> NDArray:
    return (x.astype(np.float64) / op.scale).astype(op.dtype.numpy)


# -------------------------------------------------------------------------------------------------------- synapses


def _wide(x: NDArray) -> NDArray:
    return x.astype(np.int64)


def _message(op: Any, x: NDArray) -> NDArray:
    return _wide(x) if op.message_bits else (x != 0).astype(np.int64)


def _buffer_start(op: Any, ctx: Context, *_: Any) -> State:
    return {"buffer": np.zeros((1, *op.states()["buffer"]), np.int32)}


def _first(op: Any, state: State) -> NDArray:
    return state["buffer"][:, 0]


def _pushed(op: Any, state: State, arriving: NDArray) -> State:
    """Return the buffer a tick on, with (batch, longest + 1, m) arriving added: row 0 is sent in the next tick."""
    moved = np.concatenate([state["buffer"][:, 1:], np.zeros_like(state["buffer"][:, :1])], axis=1)
    return {"buffer": (moved + arriving).astype(np.int32)}


def _dense(op: loihi.Dense, ctx: Context, state: State, x: NDArray, weight: NDArray, delays: NDArray | None) -> State:
    x, W = _message(op, x), _wide(weight[0])
    rows = [W] if delays is None else [np.where(delays[0] == ticks, W, 0) for ticks in range(op.longest + 1)]
    arriving = np.stack([shifted(x @ row.T, op.weight_exp) for row in rows], axis=1)
    if delays is None and op.longest:
        arriving = np.concatenate([arriving, np.zeros_like(arriving).repeat(op.longest, axis=1)], axis=1)
    return _pushed(op, state, arriving)


def _sparse(op: loihi.Sparse, ctx: Context, state: State, x: NDArray, *parts: NDArray | None) -> State:
    values, columns, offsets = (_wide(part[0]) for part in parts[:3] if part is not None)
    delays = np.zeros_like(columns) if parts[3] is None else _wide(parts[3][0])
    row = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    terms = _message(op, x)[:, columns] * values
    arriving = np.zeros((len(x), op.longest + 1, len(offsets) - 1), np.int64)
    where: Any = (slice(None), delays, row)
    np.add.at(arriving, where, terms)
    return _pushed(op, state, shifted(arriving, op.weight_exp))


def _conv(op: loihi.Conv, ctx: Context, state: State, x: NDArray, weight: NDArray) -> State:
    summed = shifted(core.conv(op, ctx, _message(op, x), _wide(weight), None), op.weight_exp)
    return {"buffer": ((summed + 2**23) % 2**24 - 2**23).astype(np.int32)}


@pure(loihi.Dendrite)
def dendrite(op: loihi.Dendrite, ctx: Context, *x: NDArray) -> NDArray:
    return sum(_wide(item) for item in x).astype(np.int32)  # pyright: ignore[reportAttributeAccessIssue]


# ----------------------------------------------------------------------------------------------------------- units


def _started(op: Any, ctx: Context) -> bool:
    return ctx.tick >= op.lag


def _lif_start(op: loihi.Lif, ctx: Context, a: Any, bias: Any, v: NDArray, u: NDArray) -> State:
    return {"u": whole(u, op.v.inferred).astype(np.int32), "v": whole(v, op.v.inferred).astype(np.int32)}


def _lif(op: loihi.Lif, ctx: Context, state: State, a: NDArray, bias: NDArray, *_: Any):
    if not _started(op, ctx):
        return (np.zeros_like(state["v"]), state["v"], state["u"]), state
    u, v, a, bias = (_wide(item) for item in aligned(state["u"], state["v"], a, bias))
    u = wrapped(decayed(u, 4095 - op.du) + (a << 6))
    v = clipped(decayed(v, 4096 - op.dv) + u + (bias << op.bias_exp))
    top = op.vth << 6
    s = v > top if op.compare == "greater" else v >= top
    v = np.where(s, 0 if op.reset == "zero" else v - top, v)
    after = {"u": u.astype(np.int32), "v": v.astype(np.int32)}
    return (s.astype(np.int32), after["v"], after["u"]), after


@pure(loihi.Graded)
def graded(op: loihi.Graded, ctx: Context, a: NDArray, bias: NDArray) -> NDArray:
    a, bias = aligned(a, bias)
    z = clipped(_wide(a) + _wide(bias) >> op.shift)
    return np.where((z if op.rule == "relu" else np.abs(z)) > op.vth, z, 0).astype(np.int32)


@pure(loihi.Lut)
def lut(op: loihi.Lut, ctx: Context, a: NDArray, table: NDArray, bias: NDArray) -> NDArray:
    a, bias = aligned(a, bias)
    entries = table.shape[1]
    index = (_wide(a) + _wide(bias) >> op.shift) + entries // 2
    return table[0][np.clip(index, 0, entries - 1)].astype(np.int32)


def _zeros(op: Any, ctx: Context, *_: Any) -> State:
    return {name: np.zeros((1, *shape), np.int32) for name, shape in op.states().items()}


def _sigma(op: loihi.Sigma, ctx: Context, state: State, a: NDArray):
    sigma = (_wide(state["sigma"]) + a).astype(np.int32)
    return sigma, {"sigma": sigma}


def _sent(op: Any, state: State, act: NDArray) -> tuple[NDArray, State]:
    """Return the message and the states of a delta encoder whose value is now ``act``; all of it wraps at 32 bits."""
    d = act - state["act"] + state["residue"]
    error = state["error"] + d if op.cum_error else state["error"]
    sends = np.abs(error if op.cum_error else d) >= op.vth << (op.spike_exp + op.state_exp)
    s = np.where(sends, d, 0).astype(np.int32)
    if op.cum_error:
        error = np.where(s != 0, 0, error).astype(np.int32)
    return s >> op.state_exp, {"act": act, "residue": d - s, "error": error}


def _delta(op: loihi.Delta, ctx: Context, state: State, x: NDArray):
    return _sent(op, state, x.astype(np.int32) << (op.spike_exp + op.state_exp))


def _sigma_delta(op: loihi.SigmaDelta, ctx: Context, state: State, a: NDArray, bias: NDArray):
    a, bias = aligned(a, bias)
    sigma = state["sigma"] + a.astype(np.int32)
    act = sigma + (bias.astype(np.int32) << (op.spike_exp + op.state_exp))
    message, after = _sent(op, state, np.maximum(act, 0) if op.activation == "relu" else act)
    return message, after | {"sigma": sigma}


# ------------------------------------------------------------------------------------------------ stochastic units


def _words(op: Any, ctx: Context, kind: Type, *, ticks: int = 1, sweeps: int = 1) -> philox.Words:
    """Return the blocks of the tick that the unit is in: (tick - lag) // (ticks sweeps), the sweep as the draw."""
    turn = ctx.tick - op.lag
    units = kind.size
    first = ctx.first_sample * units
    element = np.arange(first, first + ctx.batch * units, dtype=np.uint64).reshape(ctx.batch, *kind.shape)
    place = {"tick": turn // (ticks * sweeps), "draw": turn // ticks % sweeps}
    return philox.words(element, stream=op.stream, seed=ctx.seed, **place)


def _own_start(name: str, position: int):
    def start(op: Any, ctx: Context, *held: NDArray | None) -> State:
        kind, given = op.results[0].type, held[position]
        assert given is not None
        return {name: whole(given, kind).astype(np.int32)}

    return start


def _fermi_dirac(op: loihi.FermiDirac, ctx: Context, state: State, *held: NDArray):
    if not _started(op, ctx):
        return state["s"], state
    s, a, T, bias, turn, _ = (_wide(item) for item in aligned(state["s"], *held))
    noise = T * logit(_words(op, ctx, op.s.inferred, ticks=op.turns, sweeps=op.sweeps)[0]) >> 20
    decided = np.where(a + bias > noise, 1, -1 if op.levels == "spin" else 0)
    s = np.where(turn == (ctx.tick - op.lag) % op.turns, decided, s).astype(np.int32)
    return s, {"s": s}


@pure(loihi.Categorical)
def categorical(op: loihi.Categorical, ctx: Context, a: NDArray, T: NDArray, bias: NDArray) -> NDArray:
    if not _started(op, ctx):
        return np.zeros((1, *op.s.shape), np.int32)
    a, T, bias = (_wide(item) for item in aligned(a, T, bias))
    energy = (a + bias << 20) + T * gumbel(_words(op, ctx, op.s.inferred)[0])
    return (np.arange(energy.shape[-1]) == energy.argmin(axis=-1)[..., np.newaxis]).astype(np.int32)


def _memory(op: loihi.Memory, ctx: Context, state: State, *held: NDArray) -> State:
    if not _started(op, ctx):
        return state
    m, a, sigma, _ = (_wide(item) for item in aligned(state["m"], *held))
    block = _words(op, ctx, op.m.inferred)
    z = normal(block[0], block[2])
    m = decayed(m, 4096 - op.dm) + (a * op.gain >> 12) + (sigma * z >> 12)
    return {"m": clipped(m).astype(np.int32)}


def _heat(op: loihi.Heat, ctx: Context, state: State, *held: NDArray) -> State:
    if not _started(op, ctx):
        return state
    T, heat, ambient, _ = (_wide(item) for item in aligned(state["T"], *held))
    T = T - decayed(T - ambient, op.loss) + (heat * op.gain >> 12)
    return {"T": np.clip(T, op.floor, 2**24 - 1).astype(np.int32)}


means(loihi.Dense, start=_buffer_start, read=_first, advance=_dense)
means(loihi.Sparse, start=_buffer_start, read=_first, advance=_sparse)
means(loihi.Conv, start=_buffer_start, read=lambda op, state: state["buffer"], advance=_conv)
means(loihi.Lif, start=_lif_start, step=_lif)
means(loihi.Sigma, start=_zeros, step=_sigma)
means(loihi.Delta, start=_zeros, step=_delta)
means(loihi.SigmaDelta, start=_zeros, step=_sigma_delta)
means(loihi.FermiDirac, start=_own_start("s", 4), step=_fermi_dirac)
means(loihi.Memory, start=_own_start("m", 2), read=lambda op, state: state["m"], advance=_memory)
means(loihi.Heat, start=_own_start("T", 2), read=lambda op, state: state["T"], advance=_heat)
