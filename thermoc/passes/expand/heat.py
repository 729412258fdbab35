"""Heat as one exact step, in products with matrices that are computed here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thermoc import physics
from thermoc.ir.dialects import core, heat, thermo
from thermoc.ir.types import Role
from thermoc.ir.values import Value
from thermoc.passes.rewriting import Expression, Rewriter
from thermoc.support.array_types import AnyArray, FloatArray, IntArray


def heat_exchange(op: heat.HeatExchange, w: Rewriter) -> Expression:
    """T' = T_layer + e^(-gamma dt) (e^(-L dt) T - T_layer) (P3): exchange leaves the mean as it is."""
    T = w.delay(op.T, op.initial)
    layer = w(core.Reduce, x=T, kind="mean", axes=(0,)) if op.T_layer is None else op.T_layer
    # A matrix exponential taken at compile time: the step is exact, and stable for any dt.
    spread = w.affine(T, physics.exchange_decay(w.numbers(op.J), w.dt))
    decay = w.exp(-w[op.gamma] * w.dt)
    w.feed(T, decay * (spread - layer) + layer)
    return T


def heat_network(op: heat.HeatNetwork, w: Rewriter) -> tuple[Expression, Expression, Expression]:
    """T' = decay T + gain p + kick f + the answer to the ripple; heat and work from its integrals (P17, P27, P45)."""
    (n,) = op.T.shape
    ambient = np.broadcast_to(w.numbers(op.ambient), n)
    C, G = w.numbers(op.capacity), w.numbers(op.conductance)
    step = physics.heat_step(C, G, ambient, w.dt, op.frequency)
    T = w.delay(op.T, op.initial)
    heat_, work = w.delay(op.heat, w.constant(0.0)), w.delay(op.work, w.constant(0.0))
    power, T_ambient = w.broadcast(op.power, (n,)), w.broadcast(op.T_ambient, (n,))
    supplied = power + T_ambient * ambient
    # What drives the nodes, with the matrices of its effect at the end of the tick and integrated over it.
    drives = [(T, step.decay, step.decay_sum), (supplied, step.gain, step.gain_sum)]
    # A zero of the operand's shape: without noise the reservoir gives and takes no extra heat.
    done, absorbed = power * w.dt, (T_ambient - T_ambient) * 0.0
    if op.k_B > 0:
        inner, absorbed = _kicks(op, w, T, T_ambient, (G, ambient))
        drives.append((inner + absorbed, step.kick, step.kick_sum))
    if op.frequency > 0:
        swings = _swings(op, w, n)
        drives += zip(swings, (step.sine, step.cosine), (step.sine_sum, step.cosine_sum))
        for swing, duration in zip(swings, physics.ripple_work(op.frequency, w.dt)):
            done = done + swing * duration
    after = _total(w, [(drive, matrix) for drive, matrix, _ in drives])
    over = _total(w, [(drive, matrix) for drive, _, matrix in drives])
    w.feed(T, after)
    # Heat is the integral of T - T_ambient over the tick; with the end value alone the energy balance would not close.
    w.feed(heat_, (over - T_ambient * w.dt) * ambient - absorbed)
    w.feed(work, done)
    return T, heat_, work


def diffusion(op: heat.Diffusion, w: Rewriter) -> tuple[Expression, Expression]:
    """T' = decay T + gain source in the modes of the grid; outflow from the integral of T over the tick (P19)."""
    shape = op.T.shape
    step = physics.diffusion_step(shape, op.D, op.spacing, op.boundary, w.dt)
    T, outflow = w.delay(op.T, op.initial), w.delay(op.outflow, w.constant(0.0))
    wall = op.T_boundary if op.boundary == "fixed" else w.constant(0.0)
    # In the modes everything decays to zero, so temperatures are counted from the wall.
    above = _modes(w, T - wall, [modes.T for modes in step.modes])
    supply = _modes(w, w.broadcast(op.source, shape), [modes.T for modes in step.modes])
    after = _modes(w, above * step.decay + supply * step.gain, step.modes)
    over = _modes(w, above * step.gain + supply * step.gain_sum, step.modes)
    w.feed(T, after + wall)
    w.feed(outflow, w.sum(over * step.loss, *range(len(shape))))
    return T, outflow


def entropy_production(op: heat.EntropyProduction, w: Rewriter) -> Expression:
    """Sum_i (1/T_i) sum_j G_ij (T_j - T_i): the heat that enters each node, over its temperature (P30)."""
    G = w.numbers(op.conductance)
    off = G - np.diag(np.diag(G))
    # The diagonal makes each row sum to zero: between equal temperatures no heat flows.
    entering = w.affine(op.T, off - np.diag(off.sum(axis=1)))
    return w.sum(entering / op.T, 0)


def clamp(op: heat.Clamp, w: Rewriter) -> tuple[Expression, Expression]:
    """min(max(x, T_min), T_max), and capacity times what was cut off (P22)."""
    T = w.minimum(w.maximum(op.x, op.T_min), op.T_max)
    return T, (w[op.x] - T) * op.capacity


def reservoir(op: heat.Reservoir, w: Rewriter) -> tuple[Expression, Expression]:
    """A constant, and a sum that grows (P21)."""
    total = w.delay(op.total, w.constant(0.0))
    supplied = w.sum(op.heat, *range(len(op.heat.shape)))
    w.feed(total, total + supplied)
    return w.constant(op.temperature, role=op.T.type.role if op.T.type else Role.temperature), total


def _swings(op: heat.HeatNetwork, w: Rewriter, n: int) -> tuple[Expression, Expression]:
    """Return ripple sin(w t) and ripple cos(w t) at the tick's start."""
    angle = w.time() * (2 * np.pi * op.frequency * w.dt)
    ripple = w.broadcast(op.ripple, (n,))
    return ripple * w(core.Sin, x=angle), ripple * w(core.Cos, x=angle)


def _kicks(
    op: heat.HeatNetwork, w: Rewriter, T: Expression, T_ambient: Expression, conductances: tuple[AnyArray, AnyArray]
) -> tuple[Expression, Expression]:
    """Return the noise heat that enters each node from other nodes and from the reservoir (P27)."""
    ends, sizes = physics.heat_noise(*conductances)
    (n,), edges = T.shape, len(ends)
    to_reservoir = ends[:, 1] < 0
    z = w(thermo.Normal, shape=(edges,), stream=op.stream, dtype=w.dtype)
    # Noise may push a temperature below 0 for a tick; a variance may not follow it there.
    temperatures = w(core.Concat, xs=(w.maximum(T, 0.0), w.maximum(T_ambient, 0.0)), axis=0)
    partners = np.where(to_reservoir, n + ends[:, 0], ends[:, 1])
    near, far = (_picked(w, temperatures, nodes) for nodes in (ends[:, 0], partners))
    # Fluctuation and dissipation: two nodes that exchange heat at G swap noise of variance 2 k_B G T T' dt.
    flux = w.sqrt(near * far * (2 * op.k_B * w.dt * sizes)) * z
    # What one node gains the other loses: noise between nodes keeps the energy, only the reservoir's changes it.
    inner = _gathered(w, flux, n, ends[~to_reservoir], np.flatnonzero(~to_reservoir))
    outer = _gathered(w, flux, n, ends[to_reservoir], np.flatnonzero(to_reservoir))
    return inner, outer


def _picked(w: Rewriter, x: Value, places: IntArray) -> Expression:
    """Return x[places]."""
    count = len(places)
    return _sparse(w, x, np.ones(count), places, np.arange(count + 1))


def _gathered(w: Rewriter, flux: Value, n: int, ends: IntArray, edges: IntArray) -> Expression:
    """Return what enters each node: + at an edge's first end, - at its second where that is a node."""
    inside = ends[:, 1] >= 0
    rows = np.concatenate([ends[:, 0], ends[inside, 1]])
    values = np.concatenate([np.ones(len(ends)), -np.ones(inside.sum())])
    columns = np.concatenate([edges, edges[inside]])
    # Rows in order, and columns in each: what a sparse map asks for, whatever order the edges came in.
    order = np.lexsort((columns, rows))
    offsets = np.searchsorted(rows[order], np.arange(n + 1))
    return _sparse(w, flux, values[order], columns[order], offsets)


def _sparse(w: Rewriter, x: Value, values: FloatArray, columns: IntArray, offsets: IntArray) -> Expression:
    indices = {"columns": w.integers(columns), "offsets": w.integers(offsets)}
    return w(core.SparseAffine, x=x, values=values, **indices)


def _modes(w: Rewriter, x: Expression, matrices: Sequence[FloatArray]) -> Expression:
    """Multiply each axis by a matrix."""
    rank = len(x.shape)
    for axis, matrix in enumerate(matrices):
        axes = (*(a for a in range(rank) if a != axis), axis)
        back = tuple(int(a) for a in np.argsort(axes))
        x = w.transpose(w.affine(w.transpose(x, axes), matrix), back)
    return x


def _total(w: Rewriter, products: Sequence[tuple[Value, FloatArray]]) -> Expression:
    """Return the sum of matrices times vectors, as one product."""
    x = w(core.Concat, xs=tuple(vector for vector, _ in products), axis=0)
    return w.affine(x, np.concatenate([matrix for _, matrix in products], axis=1))
