"""The meaning of heat, by the functions of ``thermoc.physics``."""

from __future__ import annotations

import math
import operator
from functools import lru_cache, reduce
from typing import Any

import numpy as np

from thermoc import physics
from thermoc.ir.dialects import heat
from thermoc.ir.reference.meaning import MEANINGS, Context, Delayed, State, aligned, pure, whole
from thermoc.ir.types import Type
from thermoc.support.array_types import AnyArray
from thermoc.support.namespaces import like, namespace, numbers_of, root


def _exchange_start(op: heat.HeatExchange, ctx: Context, J: Any, initial: AnyArray, *_: Any) -> State:
    return {"T": whole(initial, op.T.inferred)}


def _exchange_advance(
    op: heat.HeatExchange, ctx: Context, state: State, J: AnyArray, initial: Any, gamma: AnyArray, T_layer: Any
) -> State:
    T, xp = state["T"], namespace(state["T"])
    numbers = numbers_of(J[0])
    spread = like(ctx.array(_exchange(numbers.tobytes(), len(numbers), numbers.dtype.str, ctx.dt)), T)
    layer = xp.mean(T, axis=-1, keepdims=True) if T_layer is None else T_layer[:, np.newaxis]
    decay = xp.exp(-gamma * ctx.dt)[:, np.newaxis]
    return {"T": layer + decay * (T @ spread.T - layer)}


MEANINGS[heat.HeatExchange] = Delayed(
    start=_exchange_start, read=lambda op, state: state["T"], advance=_exchange_advance
)


@lru_cache(maxsize=8)
def _exchange(J: bytes, n: int, dtype: str, dt: float) -> AnyArray:
    return physics.exchange_decay(np.frombuffer(J, dtype).reshape(n, n), dt)


def _network_start(op: heat.HeatNetwork, ctx: Context, *operands: Any) -> State:
    kind = op.T.inferred
    zero = ctx.array(np.zeros((1, *kind.shape), kind.dtype.numpy))
    return {"T": whole(operands[3], kind), "heat": zero, "work": zero}


def _network_advance(
    op: heat.HeatNetwork,
    ctx: Context,
    state: State,
    power: AnyArray,
    capacity: AnyArray,
    conductance: AnyArray,
    initial: Any,
    ambient: AnyArray,
    T_ambient: AnyArray,
    ripple: AnyArray,
) -> State:
    T, dt = state["T"], ctx.dt
    arrays = [numbers_of(operand[0]) for operand in (capacity, conductance, ambient)]
    step = _network(tuple(map(_bytes, arrays)), T.shape[1], arrays[1].dtype.str, dt, op.frequency)
    power, ambient, T_ambient, ripple = (
        whole(operand, op.T.inferred) for operand in (power, ambient, T_ambient, ripple)
    )
    supplied = power + ambient * T_ambient
    # From the tick, not summed up: a phase that gathers would drift by a rounding each tick.
    angle = 2 * np.pi * op.frequency * dt * ctx.tick
    swing = ripple * math.sin(angle), ripple * math.cos(angle)
    inner, outer = _kicks(op, ctx, T, arrays[1], numbers_of(ambient[0]), T_ambient)
    drives = (T, supplied, inner + outer, *swing)
    after = _sum(ctx, drives, (step.decay, step.gain, step.kick, step.sine, step.cosine))
    over = _sum(ctx, drives, (step.decay_sum, step.gain_sum, step.kick_sum, step.sine_sum, step.cosine_sum))
    supply = physics.ripple_work(op.frequency, dt)
    work = power * dt + swing[0] * supply[0] + swing[1] * supply[1]
    # Work is the same for every sample where the supply is; 0 * after gives it the state's batch.
    return {"T": after, "heat": ambient * (over - T_ambient * dt) - outer, "work": work + 0 * after}


def _bytes(array: AnyArray) -> bytes:
    return array.tobytes()


def _sum(ctx: Context, drives: tuple[AnyArray, ...], matrices: tuple[AnyArray, ...]) -> AnyArray:
    """Return the sum of products; drives may be of one sample or of all."""
    return reduce(operator.add, (drive @ like(ctx.array(matrix.T), drive) for drive, matrix in zip(drives, matrices)))


def _kicks(
    op: heat.HeatNetwork, ctx: Context, T: AnyArray, G: AnyArray, ambient: AnyArray, T_ambient: AnyArray
) -> tuple[AnyArray, AnyArray]:
    """Return the noise heat that enters each node from others and from the reservoir (P27)."""
    if op.k_B == 0:
        return T * 0, T * 0
    ends, sizes = physics.heat_noise(G, ambient)
    kind = Type((len(ends),), op.T.dtype)
    z = ctx.normal(kind, op.stream)
    i, j = ends.T
    grounded = j < 0  # the edge leads to the reservoir
    xp, near, far = namespace(T), ctx.array(i), ctx.array(np.maximum(j, 0))
    T_far = xp.where(ctx.array(grounded), T_ambient[:, near], T[:, far])
    # The noise of a step may carry a small node below zero, where the law has no root: it makes no noise there.
    product = xp.maximum(T[:, near], 0.0) * xp.maximum(T_far, 0.0)
    flux = root(2 * op.k_B * ctx.dt * like(ctx.array(sizes), z) * product) * z
    nodes = np.eye(T.shape[1], dtype=kind.dtype.numpy)
    inner, outer = nodes[i[~grounded]] - nodes[j[~grounded]], nodes[i[grounded]]
    return flux[:, ctx.array(~grounded)] @ ctx.array(inner), flux[:, ctx.array(grounded)] @ ctx.array(outer)


MEANINGS[heat.HeatNetwork] = Delayed(
    start=_network_start, read=lambda op, state: (state["T"], state["heat"], state["work"]), advance=_network_advance
)


@lru_cache(maxsize=8)
def _network(numbers: tuple[bytes, ...], n: int, dtype: str, dt: float, frequency: float) -> physics.HeatStep:
    capacity, conductance, ambient = (np.frombuffer(content, dtype) for content in numbers)
    return physics.heat_step(
        np.broadcast_to(capacity, n), conductance.reshape(n, n), np.broadcast_to(ambient, n), dt, frequency
    )


def _diffusion_start(op: heat.Diffusion, ctx: Context, initial: AnyArray, *_: Any) -> State:
    return {"T": whole(initial, op.T.inferred), "outflow": ctx.array(np.zeros(1, op.T.dtype.numpy))}


def _diffusion_advance(
    op: heat.Diffusion, ctx: Context, state: State, initial: Any, source: AnyArray, T_boundary: AnyArray
) -> State:
    T = state["T"]
    step = _diffusion(T.shape[1:], op.D, op.spacing, op.boundary, ctx.dt)
    wall = T_boundary.reshape(-1, *(1,) * (T.ndim - 1)) if op.boundary == "fixed" else 0.0
    above = _modes(ctx, T - wall, step, inverse=False)
    supply = _modes(ctx, whole(source, op.T.inferred), step, inverse=False)
    decay, gain, gain_sum, loss = (
        like(ctx.array(factor), T) for factor in (step.decay, step.gain, step.gain_sum, step.loss)
    )
    after = _modes(ctx, decay * above + gain * supply, step, inverse=True)
    over = _modes(ctx, gain * above + gain_sum * supply, step, inverse=True)
    return {"T": after + wall, "outflow": (loss * over).sum(axis=tuple(range(1, T.ndim)))}


def _modes(ctx: Context, x: AnyArray, step: physics.DiffusionStep, *, inverse: bool) -> AnyArray:
    """Return amplitudes of modes from temperatures (batch, *grid), or the other way."""
    xp = namespace(x)
    for axis, modes in enumerate(step.modes, 1):
        matrix = like(ctx.array(modes if inverse else modes.T), x)
        x = xp.moveaxis(xp.moveaxis(x, axis, -1) @ matrix.T, -1, axis)
    return x


MEANINGS[heat.Diffusion] = Delayed(
    start=_diffusion_start, read=lambda op, state: (state["T"], state["outflow"]), advance=_diffusion_advance
)
# The matrices of a step depend on no state, and finding them costs more than many steps.
_diffusion = lru_cache(maxsize=8)(physics.diffusion_step)


@pure(heat.EntropyProduction)
def entropy_production(op: heat.EntropyProduction, ctx: Context, T: AnyArray, conductance: AnyArray) -> AnyArray:
    return like(physics.entropy_production(conductance[0], T), T)


@pure(heat.Clamp)
def clamp(op: heat.Clamp, ctx: Context, x: AnyArray, capacity: AnyArray) -> tuple[AnyArray, AnyArray]:
    x, capacity = aligned(x, capacity)
    xp = namespace(x)
    T = xp.minimum(xp.maximum(x, op.T_min), op.T_max)
    return T, capacity * (x - T)


def _reservoir_start(op: heat.Reservoir, ctx: Context, heat: Any) -> State:
    return {"total": ctx.array(np.zeros(1, op.total.dtype.numpy))}


def _reservoir_read(op: heat.Reservoir, state: State) -> tuple[AnyArray, AnyArray]:
    total = state["total"]
    return namespace(total).full_like(total[:1], op.temperature), total


def _reservoir_advance(op: heat.Reservoir, ctx: Context, state: State, heat: AnyArray) -> State:
    return {"total": state["total"] + heat.sum(axis=tuple(range(1, heat.ndim)))}


MEANINGS[heat.Reservoir] = Delayed(start=_reservoir_start, read=_reservoir_read, advance=_reservoir_advance)
