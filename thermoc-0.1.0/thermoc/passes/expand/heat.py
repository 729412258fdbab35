"""Heat as one exact step, in products with matrices that are computed here."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc import physics
from thermoc.ir.dialects import core, heat, thermo
from thermoc.ir.values import Value
from thermoc.passes.rewriting import Rewriter


def heat_exchange(op: heat.HeatExchange, w: Rewriter) -> Value:
    """T' = T_layer + e^(-gamma dt) (e^(-L dt) T - T_layer) (P3): exchange leaves the mean as it is."""
    T = w.delay(op.T, op.initial)
    layer = w(core.Reduce, x=T, kind="mean", axes=(0,)) if op.T_layer is None else op.T_layer
    spread = w(core.Affine, x=T, weight=physics.exchange_decay(_numbers(w, op.J), w.dt))
    own = w.exp(w.mul(w.neg(op.gamma), w.dt))
    w.feed(T, w.add(w.mul(own, w.sub(spread, layer)), layer))
    return T


def heat_network(op: heat.HeatNetwork, w: Rewriter) -> tuple[Value, Value, Value]:
    """T' = decay T + gain p + kick f + the answer to the ripple; heat and work from its integrals (P17, P27, P45)."""
    (n,) = op.T.shape
    ambient = np.broadcast_to(_numbers(w, op.ambient), n)
    C, G = _numbers(w, op.capacity), _numbers(w, op.conductance)
    step = physics.heat_step(C, G, ambient, w.dt, op.frequency)
    T = w.delay(op.T, op.initial)
    heat_, work = w.delay(op.heat, w.constant(0.0)), w.delay(op.work, w.constant(0.0))
    power, T_ambient = _full(w, op.power, n), _full(w, op.T_ambient, n)
    supplied = w.add(power, w.mul(T_ambient, ambient))
    parts = [(T, step.decay, step.decay_sum), (supplied, step.gain, step.gain_sum)]
    given, taken = w.mul(power, w.dt), w.mul(w.sub(T_ambient, T_ambient), 0.0)
    if op.k_B > 0:
        inner, taken = _kicks(op, w, T, T_ambient, (G, ambient))
        parts.append((w.add(inner, taken), step.kick, step.kick_sum))
    if op.frequency > 0:
        swings = _swings(op, w, n)
        parts += zip(swings, (step.sine, step.cosine), (step.sine_sum, step.cosine_sum))
        for swing, share in zip(swings, physics.ripple_work(op.frequency, w.dt)):
            given = w.add(given, w.mul(swing, share))
    after = _total(w, [(part, matrix) for part, matrix, _ in parts])
    over = _total(w, [(part, matrix) for part, _, matrix in parts])
    w.feed(T, after)
    w.feed(heat_, w.sub(w.mul(w.sub(over, w.mul(T_ambient, w.dt)), ambient), taken))
    w.feed(work, given)
    return T, heat_, work


def diffusion(op: heat.Diffusion, w: Rewriter) -> tuple[Value, Value]:
    """T' = decay T + gain source in the modes of the grid; outflow from the integral of T over the tick (P19)."""
    shape = op.T.shape
    step = physics.diffusion_step(shape, op.D, op.spacing, op.boundary, w.dt)
    T, outflow = w.delay(op.T, op.initial), w.delay(op.outflow, w.constant(0.0))
    wall = op.T_boundary if op.boundary == "fixed" else w.constant(0.0)
    above = _modes(w, w.sub(T, wall), [modes.T for modes in step.modes])
    supply = _modes(w, w(core.Broadcast, x=op.source, shape=shape), [modes.T for modes in step.modes])
    after = _modes(w, w.add(w.mul(above, step.decay), w.mul(supply, step.gain)), step.modes)
    over = _modes(w, w.add(w.mul(above, step.gain), w.mul(supply, step.gain_sum)), step.modes)
    w.feed(T, w.add(after, wall))
    w.feed(outflow, w(core.Reduce, x=w.mul(over, step.loss), kind="sum", axes=tuple(range(len(shape)))))
    return T, outflow


def entropy_production(op: heat.EntropyProduction, w: Rewriter) -> Value:
    """Sum_i (1/T_i) sum_j G_ij (T_j - T_i): the heat that enters each node, over its temperature (P30)."""
    G = _numbers(w, op.conductance)
    off = G - np.diag(np.diag(G))
    entering = w(core.Affine, x=op.T, weight=off - np.diag(off.sum(axis=1)))
    return w(core.Reduce, x=w.div(entering, op.T), kind="sum", axes=(0,))


def clamp(op: heat.Clamp, w: Rewriter) -> tuple[Value, Value]:
    """min(max(x, T_min), T_max), and capacity times what was cut off (P22)."""
    T = w(core.Minimum, a=w(core.Maximum, a=op.x, b=op.T_min), b=op.T_max)
    return T, w.mul(w.sub(op.x, T), op.capacity)


def reservoir(op: heat.Reservoir, w: Rewriter) -> tuple[Value, Value]:
    """A constant, and a sum that grows (P21)."""
    total = w.delay(op.total, w.constant(0.0))
    given = w(core.Reduce, x=op.heat, kind="sum", axes=tuple(range(len(op.heat.shape))))
    w.feed(total, w.add(total, given))
    return w.constant(op.temperature, role=op.T.type.role if op.T.type else "temperature"), total  # type: ignore[arg-type]


def _swings(op: heat.HeatNetwork, w: Rewriter, n: int) -> tuple[Value, Value]:
    """Return ripple sin(w t) and ripple cos(w t) at the tick's start."""
    angle = w.mul(w(core.Cast, x=w(core.Tick), dtype=w.dtype), 2 * np.pi * op.frequency * w.dt)
    ripple = _full(w, op.ripple, n)
    return w.mul(ripple, w(core.Sin, x=angle)), w.mul(ripple, w(core.Cos, x=angle))


def _kicks(op: heat.HeatNetwork, w: Rewriter, T: Value, T_ambient: Value, rest: Any) -> tuple[Value, Value]:
    """Return the noise heat that enters each node from other nodes and from the reservoir (P27)."""
    ends, sizes = physics.heat_noise(*rest)
    (n,), edges = T.shape, len(ends)
    held = ends[:, 1] < 0
    z = w(thermo.Normal, shape=(edges,), stream=op.stream, dtype=w.dtype)
    both = w(core.Concat, xs=(w(core.Maximum, a=T, b=0.0), w(core.Maximum, a=T_ambient, b=0.0)), axis=0)
    there = np.where(held, n + ends[:, 0], ends[:, 1])
    near, far = (_picked(w, both, places) for places in (ends[:, 0], there))
    flux = w.mul(w.sqrt(w.mul(w.mul(near, far), 2 * op.k_B * w.dt * sizes)), z)
    inner = _gathered(w, flux, n, ends[~held], np.flatnonzero(~held))
    outer = _gathered(w, flux, n, ends[held], np.flatnonzero(held))
    return inner, outer


def _picked(w: Rewriter, x: Value, places: NDArray) -> Value:
    """Return x[places]."""
    count = len(places)
    return _sparse(w, x, np.ones(count), places, np.arange(count + 1))


def _gathered(w: Rewriter, flux: Value, n: int, ends: NDArray, edges: NDArray) -> Value:
    """Return what enters each node: + at an edge's first end, - at its second where that is a node."""
    inside = ends[:, 1] >= 0
    rows = np.concatenate([ends[:, 0], ends[inside, 1]])
    values = np.concatenate([np.ones(len(ends)), -np.ones(inside.sum())])
    columns = np.concatenate([edges, edges[inside]])
    order = np.lexsort((columns, rows))
    offsets = np.searchsorted(rows[order], np.arange(n + 1))
    return _sparse(w, flux, values[order], columns[order], offsets)


def _sparse(w: Rewriter, x: Value, values: NDArray, columns: NDArray, offsets: NDArray) -> Value:
    numbers = {"columns": w.integers(columns), "offsets": w.integers(offsets)}
    return w(core.SparseAffine, x=x, values=values, **numbers)


def _modes(w: Rewriter, x: Value, matrices: Any) -> Value:
    """Multiply each axis by a matrix."""
    rank = len(x.shape)
    for axis, matrix in enumerate(matrices):
        axes = (*(a for a in range(rank) if a != axis), axis)
        back = tuple(int(a) for a in np.argsort(axes))
        x = w(core.Transpose, x=w(core.Affine, x=w(core.Transpose, x=x, axes=axes), weight=matrix), axes=back)
    return x


def _total(w: Rewriter, products: list[tuple[Value, NDArray]]) -> Value:
    """Return the sum of matrices times vectors, as one product."""
    x = w(core.Concat, xs=tuple(part for part, _ in products), axis=0)
    return w(core.Affine, x=x, weight=np.concatenate([matrix for _, matrix in products], axis=1))


def _full(w: Rewriter, value: Value, n: int) -> Value:
    return w(core.Broadcast, x=value, shape=(n,))


def _numbers(w: Rewriter, value: Value) -> NDArray:
    numbers = w.known(value)
    assert numbers is not None  # the verifier has seen to it
    return numbers
