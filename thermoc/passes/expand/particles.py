"""Particles in a bath: steps of their motion, forces in terms of sums over pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thermoc.ir.dialects import core, langevin, thermo
from thermoc.ir.values import Value
from thermoc.passes.rewriting import Expression, Number, Rewriter
from thermoc.support.array_types import AnyArray


def brownian(op: langevin.Brownian, w: Rewriter) -> Expression:
    """x' = x + mu f dt + sqrt(2 mu T dt) z; with stiffness k exact: a x + (1 - a) f / k + sqrt(T (1 - a^2) / k) z."""
    x = w.delay(op.x, op.initial)
    z = w(thermo.Normal, shape=op.x.shape, stream=op.stream, dtype=w.dtype)
    mobility = w[op.mobility]
    if op.stiffness is None:
        drift = mobility * op.force * w.dt
        spread = w.sqrt(mobility * 2.0 * op.T * w.dt)
        w.feed(x, x + drift + spread * z)
        return x
    # In a harmonic well the process is Ornstein and Uhlenbeck's, whose solution is known: no error of order dt is left.
    decay = -(mobility * op.stiffness) * w.dt
    spread = w.sqrt(w[op.T] / op.stiffness * -w.expm1(decay * 2.0))
    drift = -w.expm1(decay) * (w[op.force] / op.stiffness)
    w.feed(x, w.exp(decay) * x + drift + spread * z)
    return x


def inertial(op: langevin.Langevin, w: Rewriter) -> tuple[Expression, Expression]:
    """B A O A B (P29); the last B waits for the force at the new place and merges with the next tick's first."""
    x, v_short = w.delay(op.x, op.initial), w.delay(op.w, op.velocity)
    z = w(thermo.Normal, shape=op.x.shape, stream=op.stream, dtype=w.dtype)
    v = v_short + w[op.force] / op.mass * _kick(w, first=0.5, later=1.0)
    half = x + v * (w.dt / 2)
    decay = -w[op.friction] * w.dt
    spread = w.sqrt(w[op.T] / op.mass * -w.expm1(decay * 2.0))
    v = w.exp(decay) * v + spread * z
    w.feed(v_short, v)
    w.feed(x, half + v * (w.dt / 2))
    return x, v_short


def velocity(op: langevin.Velocity, w: Rewriter) -> Expression:
    """v = w + dt f / 2m from the second tick on."""
    return w[op.w] + w[op.force] / op.mass * _kick(w, first=0.0, later=0.5)


def kinetic_energy(op: langevin.KineticEnergy, w: Rewriter) -> Expression:
    """Sum of m v^2 / 2 (P9)."""
    v = w[op.v]
    return w.sum(v * v * op.mass * 0.5, *range(len(v.shape)))


def pair_force(op: langevin.PairForce, w: Rewriter) -> tuple[Expression, Expression, Expression]:
    """Sums over all ordered pairs, halved where each pair counts once (P10)."""
    n, d = op.x.shape
    distance = _nearest(w, w.reshape(op.x, (n, 1, d)) - w.reshape(op.x, (1, n, d)), op.box)
    # A unit has no distance to itself; it gets a length of one, so that no force divides by zero before it is masked.
    square = w.sum(distance * distance, 2) + np.eye(n)
    energy, push = _law(op, w, square)
    counted = w.constant(1 - np.eye(n))
    if op.cutoff > 0:
        # The shift makes the energy continuous at the cutoff; a constant changes no force.
        counted = w.select(w.sqrt(square) < op.cutoff, counted, 0.0)
        if op.shift:
            energy = energy - _law(op, w, w.constant(op.cutoff**2 * np.ones((n, n))))[0]
    energy = w.select(counted > 0.0, energy, 0.0)
    push = w.select(counted > 0.0, push, 0.0)
    force = w.sum(w.reshape(push, (n, n, 1)) * distance, 1)
    virial = push * square
    return force, w.sum(energy, 0, 1) * 0.5, w.sum(virial, 0, 1) * 0.5


def _law(op: langevin.PairForce, w: Rewriter, square: Expression) -> tuple[Expression, Expression]:
    """Return energy, and force over distance, of pairs whose squared distances are given."""
    n = square.shape[0]
    strength = w[op.strength]
    if op.kind == "harmonic":
        k = w.broadcast(strength, (n, n))
        return k * square * 0.5, -k
    if op.kind == "lennard_jones":
        sigma = w[op.sigma]
        ratio = sigma * sigma / square
        six = ratio * ratio * ratio
        energy = strength * 4.0 * (six * (six - 1.0))
        pull = strength * 24.0 * (six * (six * 2.0 - 1.0))
        return energy, pull / square
    if op.kind == "coulomb":
        q = w.broadcast(op.charge, (n,))
        charges = w.reshape(q, (n, 1)) * w.reshape(q, (1, n))
        # Softening keeps energy and force finite where two charges meet.
        soft = square + op.softening**2
        energy = strength * charges / w.sqrt(soft)
        return energy, energy / soft
    return _table(op, w, w.sqrt(square))


def _table(op: langevin.PairForce, w: Rewriter, r: Expression) -> tuple[Expression, Expression]:
    """Pick the cell of the grid by comparison with both its ends."""
    assert op.grid is not None and op.energies is not None
    grid, energy = w.numbers(op.grid), w.numbers(op.energies)
    slope = np.diff(energy) / np.diff(grid)
    far = w.reshape(r, (*r.shape, 1))
    # Half-open cells: an r on a grid point belongs to one cell, not to two.
    inside = w(core.And, a=w(core.GreaterEqual, a=far, b=grid[:-1]), b=far < grid[1:])
    line = (far - grid[:-1]) * slope + energy[:-1]
    rises, cells = w.constant(slope), len(r.shape)
    U = w.sum(w.select(inside, line, 0.0), cells)
    rise = w.sum(w.select(inside, rises, 0.0), cells)
    # Where the grid starts at 0, r = 0 lies outside it and has no rise; elsewhere 0 / 0 must not arise.
    distance = r if grid[0] <= 0 else w.select(r > 0.0, r, 1.0)
    return U, -rise / distance


def bond_force(op: langevin.BondForce, w: Rewriter) -> tuple[Expression, Expression, Expression]:
    """Differences along bonds by the incidence matrix, forces back by its transpose."""
    distance, r, incidence = _bonds(op, w)
    stretch, strength = r - op.length, w[op.strength] * op.formed
    safe = w.select(r > 0.0, r, 1.0)
    # A spring without length pulls straight back; the general form divides by r, which may be 0.
    at_rest = w(core.Equal, a=op.length, b=0.0)
    push = w.select(at_rest, -strength, -(strength * stretch / safe))
    force = w.affine(distance * w.broadcast(push, r.shape), incidence.T)
    energies = strength * stretch * stretch * 0.5
    virials = push * (r * r)
    U, W = w.sum(energies, 0), w.sum(virials, 0)
    return w.transpose(force, (1, 0)), U, W


def bonds(op: langevin.Bonds, w: Rewriter) -> tuple[Expression, Expression]:
    """1 where r < r_form, else 0 where r > r_break, else as before (P11)."""
    before = w.delay(op.formed, op.initial)
    _, r, _ = _bonds(op, w)
    # Hysteresis: between the two lengths a bond keeps its state, so that jitter does not make and break it.
    unbroken = w.select(r > op.r_break, 0.0, before)
    formed = w.select(r < op.r_form, 1.0, unbroken)
    w.feed(before, formed)
    return formed, w.sum(formed * op.energy, 0)


def _bonds(op: langevin.BondForce | langevin.Bonds, w: Rewriter) -> tuple[Expression, Expression, AnyArray]:
    """Return vectors (d, bonds), lengths, and the incidence matrix (bonds, n)."""
    n, d = op.x.shape
    ends = np.eye(n)
    incidence = ends[w.numbers(op.first)] - ends[w.numbers(op.second)]
    distance = w.affine(w.transpose(op.x, (1, 0)), incidence)
    distance = _nearest(w, distance, tuple(np.reshape(op.box, (d, 1))) if op.box else ())
    return distance, w.sqrt(w.sum(distance * distance, 0)), incidence


def _nearest(w: Rewriter, distance: Expression, box: Sequence[Number]) -> Expression:
    """Return differences to the nearest image in a periodic box; () is open space."""
    if not len(box):
        return distance
    sides = np.array(box)
    # Nearest image: a difference beyond half a side is shorter the other way round.
    images = w.floor(distance / sides + 0.5)
    return distance - images * sides


def _kick(w: Rewriter, *, first: float, later: float) -> Value:
    """Return dt times ``first`` at the first tick of a run, dt times ``later`` after it."""
    steady = w.constant(later * w.dt)
    # A constant through a delay differs in the first tick alone, which needs no op for the tick's number.
    kick = w.delay(steady, w.constant(first * w.dt))
    w.feed(kick, steady)
    return kick
