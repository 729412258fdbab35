"""Particles in a bath: steps of their motion, forces in terms of sums over pairs."""

from __future__ import annotations

from typing import Any

import numpy as np

from thermoc.ir.dialects import core, langevin, thermo
from thermoc.ir.values import Value
from thermoc.passes.rewriting import Rewriter


def brownian(op: langevin.Brownian, w: Rewriter) -> Value:
    """x' = x + mu f dt + sqrt(2 mu T dt) z; with stiffness k exact: a x + (1 - a) f / k + sqrt(T (1 - a^2) / k) z."""
    x = w.delay(op.x, op.initial)
    z = w(thermo.Normal, shape=op.x.shape, stream=op.stream, dtype=w.dtype)
    if op.stiffness is None:
        drift = w.mul(w.mul(op.mobility, op.force), w.dt)
        spread = w.sqrt(w.mul(w.mul(w.mul(op.mobility, 2.0), op.T), w.dt))
        w.feed(x, w.add(w.add(x, drift), w.mul(spread, z)))
        return x
    decay = w.mul(w.neg(w.mul(op.mobility, op.stiffness)), w.dt)
    spread = w.sqrt(w.mul(w.div(op.T, op.stiffness), w.neg(w.expm1(w.mul(decay, 2.0)))))
    drift = w.mul(w.neg(w.expm1(decay)), w.div(op.force, op.stiffness))
    w.feed(x, w.add(w.add(w.mul(w.exp(decay), x), drift), w.mul(spread, z)))
    return x


def inertial(op: langevin.Langevin, w: Rewriter) -> tuple[Value, Value]:
    """B A O A B (P29); the last B waits for the force at the new place and merges with the next tick's first."""
    x, v_short = w.delay(op.x, op.initial), w.delay(op.w, op.velocity)
    z = w(thermo.Normal, shape=op.x.shape, stream=op.stream, dtype=w.dtype)
    v = w.add(v_short, w.mul(w.div(op.force, op.mass), _kick(w, first=0.5, later=1.0)))
    half = w.add(x, w.mul(v, w.dt / 2))
    decay = w.mul(w.neg(op.friction), w.dt)
    spread = w.sqrt(w.mul(w.div(op.T, op.mass), w.neg(w.expm1(w.mul(decay, 2.0)))))
    v = w.add(w.mul(w.exp(decay), v), w.mul(spread, z))
    w.feed(v_short, v)
    w.feed(x, w.add(half, w.mul(v, w.dt / 2)))
    return x, v_short


def velocity(op: langevin.Velocity, w: Rewriter) -> Value:
    """v = w + dt f / 2m from the second tick on."""
    return w.add(op.w, w.mul(w.div(op.force, op.mass), _kick(w, first=0.0, later=0.5)))


def kinetic_energy(op: langevin.KineticEnergy, w: Rewriter) -> Value:
    """Sum of m v^2 / 2 (P9)."""
    each = w.mul(w.mul(w.mul(op.v, op.v), op.mass), 0.5)
    return w(core.Reduce, x=each, kind="sum", axes=tuple(range(len(op.v.shape))))


def pair_force(op: langevin.PairForce, w: Rewriter) -> tuple[Value, Value, Value]:
    """Sums over all ordered pairs, halved where each pair counts once (P10)."""
    n, d = op.x.shape
    here, there = (w(core.Reshape, x=op.x, shape=shape) for shape in ((n, 1, d), (1, n, d)))
    apart = _nearest(w, w.sub(here, there), op.box)
    square = w.add(w(core.Reduce, x=w.mul(apart, apart), kind="sum", axes=(2,)), np.eye(n))  # a unit length to itself
    energy, push = _law(op, w, square)
    counted = w.constant(1 - np.eye(n))
    if op.cutoff > 0:
        near = w(core.Less, a=w.sqrt(square), b=op.cutoff)
        counted = w(core.Select, condition=near, a=counted, b=0.0)
        if op.shift:
            energy = w.sub(energy, _law(op, w, w.constant(op.cutoff**2 * np.ones((n, n))))[0])
    energy, push = (
        w(core.Select, condition=w(core.Greater, a=counted, b=0.0), a=part, b=0.0) for part in (energy, push)
    )
    each = w.mul(w(core.Reshape, x=push, shape=(n, n, 1)), apart)
    force = w(core.Reduce, x=each, kind="sum", axes=(1,))
    U, W = (w.mul(w(core.Reduce, x=part, kind="sum", axes=(0, 1)), 0.5) for part in (energy, w.mul(push, square)))
    return force, U, W


def _law(op: langevin.PairForce, w: Rewriter, square: Value) -> tuple[Value, Value]:
    """Return energy, and force over distance, of pairs whose squared distances are given."""
    n = square.shape[0]
    if op.kind == "harmonic":
        k = w(core.Broadcast, x=op.strength, shape=(n, n))
        return w.mul(w.mul(k, square), 0.5), w.neg(k)
    if op.kind == "lennard_jones":
        ratio = w.div(w.mul(op.sigma, op.sigma), square)
        six = w.mul(w.mul(ratio, ratio), ratio)
        energy = w.mul(w.mul(op.strength, 4.0), w.mul(six, w.sub(six, 1.0)))
        pull = w.mul(w.mul(op.strength, 24.0), w.mul(six, w.sub(w.mul(six, 2.0), 1.0)))
        return energy, w.div(pull, square)
    if op.kind == "coulomb":
        q = w(core.Broadcast, x=op.charge, shape=(n,))
        both = w.mul(w(core.Reshape, x=q, shape=(n, 1)), w(core.Reshape, x=q, shape=(1, n)))
        soft = w.add(square, op.softening**2)
        energy = w.div(w.mul(op.strength, both), w.sqrt(soft))
        return energy, w.div(energy, soft)
    return _table(op, w, w.sqrt(square))


def _table(op: langevin.PairForce, w: Rewriter, r: Value) -> tuple[Value, Value]:
    """Pick the cell of the grid by comparison with both its ends."""
    assert op.grid is not None and op.energies is not None
    grid, energy = w.known(op.grid), w.known(op.energies)
    assert grid is not None and energy is not None
    slope = np.diff(energy) / np.diff(grid)
    far = w(core.Reshape, x=r, shape=(*r.shape, 1))
    inside = w(core.And, a=w(core.GreaterEqual, a=far, b=grid[:-1]), b=w(core.Less, a=far, b=grid[1:]))
    line = w.add(w.mul(w.sub(far, grid[:-1]), slope), energy[:-1])
    axis = (len(r.shape),)
    U, rise = (
        w(core.Reduce, x=w(core.Select, condition=inside, a=part, b=0.0), kind="sum", axes=axis)
        for part in (line, w.constant(slope))
    )
    apart = r if grid[0] <= 0 else w(core.Select, condition=w(core.Greater, a=r, b=0.0), a=r, b=1.0)
    return U, w.div(w.neg(rise), apart)


def bond_force(op: langevin.BondForce, w: Rewriter) -> tuple[Value, Value, Value]:
    """Differences along bonds by the incidence matrix, forces back by its transpose."""
    apart, r, incidence = _bonds(op, w)
    stretch, strength = w.sub(r, op.length), w.mul(op.strength, op.formed)
    safe = w(core.Select, condition=w(core.Greater, a=r, b=0.0), a=r, b=1.0)
    at_rest = w(core.Equal, a=op.length, b=0.0)
    push = w(core.Select, condition=at_rest, a=w.neg(strength), b=w.neg(w.div(w.mul(strength, stretch), safe)))
    m = r.shape
    force = w(core.Affine, x=w.mul(apart, w(core.Broadcast, x=push, shape=m)), weight=incidence.T)
    total = [w.mul(w.mul(w.mul(strength, stretch), stretch), 0.5), w.mul(push, w.mul(r, r))]
    U, W = (w(core.Reduce, x=part, kind="sum", axes=(0,)) for part in total)
    return w(core.Transpose, x=force, axes=(1, 0)), U, W


def bonds(op: langevin.Bonds, w: Rewriter) -> tuple[Value, Value]:
    """1 where r < r_form, else 0 where r > r_break, else as before (P11)."""
    before = w.delay(op.formed, op.initial)
    _, r, _ = _bonds(op, w)
    kept = w(core.Select, condition=w(core.Greater, a=r, b=op.r_break), a=0.0, b=before)
    formed = w(core.Select, condition=w(core.Less, a=r, b=op.r_form), a=1.0, b=kept)
    w.feed(before, formed)
    return formed, w(core.Reduce, x=w.mul(formed, op.energy), kind="sum", axes=(0,))


def _bonds(op: Any, w: Rewriter) -> tuple[Value, Value, Any]:
    """Return vectors (d, bonds), lengths, and the incidence matrix (bonds, n)."""
    n, d = op.x.shape
    ends = np.eye(n)
    incidence = ends[w.known(op.first)] - ends[w.known(op.second)]
    apart = w(core.Affine, x=w(core.Transpose, x=op.x, axes=(1, 0)), weight=incidence)
    apart = _nearest(w, apart, tuple(np.reshape(op.box, (d, 1))) if op.box else ())
    return apart, w.sqrt(w(core.Reduce, x=w.mul(apart, apart), kind="sum", axes=(0,))), incidence


def _nearest(w: Rewriter, apart: Value, box: Any) -> Value:
    """Return differences to the nearest image in a periodic box; () is open space."""
    if not len(box):
        return apart
    sides = np.array(box)
    turns = w(core.Floor, x=w.add(w.div(apart, sides), 0.5))
    return w.sub(apart, w.mul(turns, sides))


def _kick(w: Rewriter, *, first: float, later: float) -> Value:
    """Return dt times ``first`` at the first tick of a run, dt times ``later`` after it."""
    later_ = w.constant(later * w.dt)
    kick = w.delay(later_, w.constant(first * w.dt))
    w.feed(kick, later_)
    return kick
