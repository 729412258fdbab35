"""The meaning of Loihi's units with a temperature."""

# pyright: reportConstantRedefinition=false
# (T and U are physical symbols, and no constants)

from __future__ import annotations

from typing import Any

import numpy as np

from thermoc.ir.dialects import loihi
from thermoc.ir.reference.loihi.integers import (
    FINE,
    boltzmann_weight,
    clipped,
    decayed,
    gumbel,
    logit,
    normal,
    started,
    wide,
)
from thermoc.ir.reference.meaning import MEANINGS, Context, Delayed, State, Stateful, aligned, pure, whole
from thermoc.ir.types import Type
from thermoc.support import philox
from thermoc.support.array_types import AnyArray, BoolArray


def _words(op: Any, ctx: Context, kind: Type, *, ticks: int = 1, sweeps: int = 1) -> philox.Words:
    """Return the blocks of the tick that the unit is in: (tick - lag) // (ticks sweeps), the sweep as the draw."""
    # Counted from when the unit starts: what it draws must not depend on how many synapses delay it.
    tick = ctx.tick - op.lag
    units = kind.size
    first = ctx.first_sample * units
    element = np.arange(first, first + ctx.batch * units, dtype=np.uint64).reshape(ctx.batch, *kind.shape)
    sweep = tick // ticks % sweeps
    return philox.words(element, tick=tick // (ticks * sweeps), draw=sweep, stream=op.stream, seed=ctx.seed)


def _initial(name: str, position: int):
    """Return how a state starts from the operand ``initial``."""

    def start(op: Any, ctx: Context, *operands: AnyArray | None) -> State:
        kind, initial = op.results[0].type, operands[position]
        assert initial is not None
        return {name: whole(initial, kind).astype(np.int32)}

    return start


def _fermi_dirac(op: loihi.LoihiFermiDirac, ctx: Context, state: State, *operands: AnyArray):
    if not started(op, ctx):
        return state["s"], state
    s, a, T, bias, colour, _ = (wide(item) for item in aligned(state["s"], *operands))
    # 20 bits: 12 fractional ones of the logit, 8 of the temperature.
    noise = T * logit(_words(op, ctx, op.s.inferred, ticks=op.turns, sweeps=op.sweeps)[0]) >> 20
    decided = np.where(a + bias > noise, 1, -1 if op.levels == "spin" else 0)
    s = np.where(colour == (ctx.tick - op.lag) % op.turns, decided, s).astype(np.int32)
    return s, {"s": s}


@pure(loihi.LoihiCategorical)
def categorical(op: loihi.LoihiCategorical, ctx: Context, a: AnyArray, T: AnyArray, bias: AnyArray) -> AnyArray:
    if not started(op, ctx):
        return np.zeros((1, *op.s.shape), np.int32)
    a, T, bias = (wide(item) for item in aligned(a, T, bias))
    energy = (a + bias << 20) + T * gumbel(_words(op, ctx, op.s.inferred)[0])
    # argmin takes the first of equals, as the units of Lava and of the simulator do.
    winner: Any = energy.argmin(axis=-1)
    fires: BoolArray = np.equal(np.arange(energy.shape[-1]), winner[..., np.newaxis])  # pyright: ignore[reportUnknownArgumentType]
    return fires.astype(np.int32)


@pure(loihi.LoihiBoltzmann)
def boltzmann(op: loihi.LoihiBoltzmann, ctx: Context, *operands: AnyArray) -> AnyArray:
    a, T, bias, initial = (wide(item) for item in aligned(*operands))
    if not started(op, ctx):
        return np.broadcast_to(initial, (1, *op.p.shape)).astype(np.int32)
    energy = a + bias
    weights = boltzmann_weight(energy - energy.min(axis=-1, keepdims=True), T)
    total = weights.sum(axis=-1, keepdims=True)
    return (((weights << op.fraction) + (total >> 1)) // total).astype(np.int32)


def _memory(op: loihi.LoihiMemory, ctx: Context, state: State, *operands: AnyArray) -> State:
    if not started(op, ctx):
        return state
    m, a, sigma, _ = (wide(item) for item in aligned(state["m"], *operands))
    block = _words(op, ctx, op.m.inferred)
    z = normal(block[0], block[2])
    m = decayed(m, 4096 - op.dm) + (a * op.gain >> 12) + (sigma * z >> 12)
    return {"m": clipped(m).astype(np.int32)}


def _relaxation_start(op: loihi.LoihiRelaxation, ctx: Context, *operands: Any) -> State:
    kind, (m, rest) = op.m.inferred, operands[4:6]
    return {"m": whole(m, kind).astype(np.int32), "rest": whole(rest, kind).astype(np.int32)}


def _relaxation(op: loihi.LoihiRelaxation, ctx: Context, state: State, *operands: AnyArray) -> State:
    since = ctx.tick - op.lag
    if since < 0 or (since + 1) % op.every:
        return state
    m, rest, a, sigma, loss, shift, *_ = (wide(item) for item in aligned(state["m"], state["rest"], *operands))
    block = _words(op, ctx, op.m.inferred, ticks=op.every)
    z = normal(block[0], block[2])
    lost = m * loss + (rest * loss >> FINE) >> shift
    x = (m << FINE) + rest - lost + (a << op.lift) + (sigma * z << op.spread)
    x = np.clip(x, op.floor << FINE, loihi.LIMIT << FINE)
    return {"m": (x >> FINE).astype(np.int32), "rest": (x & (1 << FINE) - 1).astype(np.int32)}


def _heat(op: loihi.LoihiHeat, ctx: Context, state: State, *operands: AnyArray) -> State:
    if not started(op, ctx):
        return state
    T, heat, ambient, _ = (wide(item) for item in aligned(state["T"], *operands))
    T = T - decayed(T - ambient, op.loss) + (heat * op.gain >> 12)
    return {"T": np.clip(T, op.floor, 2**24 - 1).astype(np.int32)}


def _heat_node_start(
    op: loihi.LoihiHeatNode, ctx: Context, heat: Any, capacity: Any, T: AnyArray, rest: AnyArray
) -> State:
    kind = op.T.inferred
    return {"T": whole(T, kind).astype(np.int32), "rest": whole(rest, kind).astype(np.int32)}


def _heat_node(op: loihi.LoihiHeatNode, ctx: Context, state: State, heat: AnyArray, capacity: AnyArray, *_: Any):
    since = ctx.tick - op.lag
    if since <= 0 or since % op.every:
        return state["T"], state
    T, rest, heat, capacity = (wide(item) for item in aligned(state["T"], state["rest"], heat, capacity))
    x = rest + heat
    d = x // capacity
    after = {"T": clipped(T + d).astype(np.int32), "rest": (x - d * capacity).astype(np.int32)}
    return after["T"], after


MEANINGS[loihi.LoihiFermiDirac] = Stateful(start=_initial("s", 4), step=_fermi_dirac)
MEANINGS[loihi.LoihiMemory] = Delayed(start=_initial("m", 2), read=lambda op, state: state["m"], advance=_memory)
MEANINGS[loihi.LoihiRelaxation] = Delayed(
    start=_relaxation_start, read=lambda op, state: state["m"], advance=_relaxation
)
MEANINGS[loihi.LoihiHeat] = Delayed(start=_initial("T", 2), read=lambda op, state: state["T"], advance=_heat)
MEANINGS[loihi.LoihiHeatNode] = Stateful(start=_heat_node_start, step=_heat_node)
