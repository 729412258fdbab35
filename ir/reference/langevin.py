"""The meaning of particles in a bath."""

# pyright: reportConstantRedefinition=false
# (T and U are physical symbols, and no constants)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from thermoc import physics
from thermoc.ir.dialects import langevin
from thermoc.ir.reference.meaning import MEANINGS, Context, Delayed, State, Stateful, aligned, pure, whole
from thermoc.ir.types import Type
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import error
from thermoc.support.namespaces import like, namespace, numbers_of, root


def _brownian_start(op: langevin.Brownian, ctx: Context, *operands: Any) -> State:
    return {"x": whole(operands[-1], op.x.inferred)}


def _brownian_advance(
    op: langevin.Brownian,
    ctx: Context,
    state: State,
    force: AnyArray,
    T: AnyArray,
    mobility: AnyArray,
    stiffness: AnyArray | None,
    initial: AnyArray,
) -> State:
    z = ctx.normal(op.x.inferred, op.stream)
    x, force, T, mobility, z = aligned(state["x"], force, T, mobility, z)
    dt = ctx.dt
    if stiffness is None:
        return {"x": x + mobility * force * dt + root(2 * mobility * T * dt) * z}
    _, k = aligned(x, stiffness)
    return {"x": physics.ou_step(x, mobility * force, T / k, mobility * k, z, dt)}


MEANINGS[langevin.Brownian] = Delayed(
    start=_brownian_start, read=lambda op, state: state["x"], advance=_brownian_advance
)


def _langevin_start(op: langevin.Langevin, ctx: Context, *operands: Any) -> State:
    kind = op.x.inferred
    # Half kicks at the ends of neighbouring steps join into one (BAOAB); only the first stands alone.
    half = ctx.array(np.full(1, 0.5, kind.dtype.numpy))
    return {"x": whole(operands[-2], kind), "w": whole(operands[-1], kind), "kick": half}


def _langevin_advance(
    op: langevin.Langevin,
    ctx: Context,
    state: State,
    force: AnyArray,
    T: AnyArray,
    mass: AnyArray,
    friction: AnyArray,
    *_: Any,
) -> State:
    z = ctx.normal(op.x.inferred, op.stream)
    x, w, force, T, mass, friction, z = aligned(state["x"], state["w"], force, T, mass, friction, z)
    dt, xp = ctx.dt, namespace(x)
    v = w + state["kick"][0] * dt * force / mass
    x = x + dt / 2 * v
    # Friction and noise exactly over the whole step, between two halves of drift.
    v = xp.exp(-friction * dt) * v + root(T / mass * -xp.expm1(-2 * friction * dt)) * z
    return {"x": x + dt / 2 * v, "w": v, "kick": xp.ones_like(state["kick"])}


MEANINGS[langevin.Langevin] = Delayed(
    start=_langevin_start, read=lambda op, state: (state["x"], state["w"]), advance=_langevin_advance
)


def _velocity(
    op: langevin.Velocity, ctx: Context, state: State, w: AnyArray, force: AnyArray, mass: AnyArray
) -> tuple[AnyArray, State]:
    w, force, mass = aligned(w, force, mass)
    v = w + state["kick"][0] * ctx.dt * force / mass
    return v, {"kick": namespace(w).full_like(state["kick"], 0.5)}


def _velocity_start(op: langevin.Velocity, ctx: Context, *operands: AnyArray) -> State:
    return {"kick": ctx.array(np.zeros(1, op.v.dtype.numpy))}


MEANINGS[langevin.Velocity] = Stateful(start=_velocity_start, step=_velocity)


@pure(langevin.KineticEnergy)
def kinetic_energy(op: langevin.KineticEnergy, ctx: Context, v: AnyArray, mass: AnyArray) -> AnyArray:
    v, mass = aligned(v, mass)
    return (mass * v * v / 2).sum(axis=tuple(range(1, v.ndim)))


@pure(langevin.PairForce)
def pair_force(
    op: langevin.PairForce,
    ctx: Context,
    x: AnyArray,
    strength: AnyArray,
    sigma: AnyArray,
    charge: AnyArray,
    grid: AnyArray | None,
    energies: AnyArray | None,
) -> tuple[AnyArray, AnyArray, AnyArray]:
    n = x.shape[1]
    i, j = np.triu_indices(n, 1)
    charge = whole(charge, Type((n,), op.x.dtype))
    k, s, qq = strength[:, np.newaxis], sigma[:, np.newaxis], charge[:, i] * charge[:, j]
    law: dict[str, Callable[[AnyArray], Any]] = {
        "harmonic": lambda r: physics.harmonic(r, k),
        "lennard_jones": lambda r: physics.lennard_jones(r, k, s),
        "coulomb": lambda r: physics.coulomb(r, k, qq, op.softening),
        "table": lambda r: physics.tabulated(r, grid[0], energies[0]),  # type: ignore[index]
    }
    smooth = op.kind == "harmonic" or op.softening > 0 or (grid is not None and bool(grid[0, 0] > 0))
    if not smooth:
        _refuse_touching(op, ctx, x, i, j)
    f, U, W = physics.pair_forces(
        x, law[op.kind], cutoff=op.cutoff or None, box=op.box or None, shift=op.shift, smooth=smooth
    )
    return like(f, x), like(U, x), like(W, x)


def _refuse_touching(op: langevin.PairForce, ctx: Context, x: AnyArray, i: AnyArray, j: AnyArray) -> None:
    """Raise T405 where two particles are at one place, naming them, their sample and the tick."""
    collided = np.argwhere(numbers_of(_bonds(op, ctx, x, i, j)[1]) == 0)
    if len(collided):
        sample, pair = collided[0].tolist()
        notes = [f"particles {i[pair]} and {j[pair]} of sample {ctx.first_sample + sample}, at tick {ctx.tick}"]
        hint = "shorten the step, soften the potential, or keep them apart"
        raise error("T405", "two particles are at one place", where=op.location, notes=notes, hint=hint)


@pure(langevin.BondForce)
def bond_force(
    op: langevin.BondForce,
    ctx: Context,
    x: AnyArray,
    first: AnyArray,
    second: AnyArray,
    strength: AnyArray,
    length: AnyArray,
    formed: AnyArray,
) -> tuple[AnyArray, AnyArray, AnyArray]:
    vector, r = _bonds(op, ctx, x, first[0], second[0])
    r, strength, length, formed = aligned(r, strength, length, formed)
    stretch, strength = r - length, strength * formed
    xp = namespace(x)
    safe = xp.where(r > 0, r, 1.0)  # at r = 0 a bond of length 0 pushes by -strength, and any other nowhere
    # Of length 0 it is -strength to the bit, with the slope in the length that it has beside it.
    push = xp.where(length == 0, -strength * (1 - length / safe), -strength * stretch / safe)
    ends = ctx.array(np.eye(x.shape[1], dtype=op.x.dtype.numpy))
    incidence = ends[first[0]] - ends[second[0]]
    force = incidence.T @ (push[..., np.newaxis] * vector)
    return force, (strength * stretch * stretch / 2).sum(axis=-1), (push * r * r).sum(axis=-1)


def _bonds_start(op: langevin.Bonds, ctx: Context, *operands: Any) -> State:
    return {"formed": whole(operands[-1], op.formed.inferred)}


def _bonds_step(
    op: langevin.Bonds,
    ctx: Context,
    state: State,
    x: AnyArray,
    first: AnyArray,
    second: AnyArray,
    energy: AnyArray,
    initial: AnyArray,
) -> tuple[tuple[AnyArray, AnyArray], State]:
    _, r = _bonds(op, ctx, x, first[0], second[0])
    unbroken = namespace(r).where(r > op.r_break, 0.0, state["formed"])
    formed = namespace(r).where(r < op.r_form, 1.0, unbroken)
    formed, energy = aligned(formed, energy)
    return (formed, (formed * energy).sum(axis=-1)), {"formed": formed}


MEANINGS[langevin.Bonds] = Stateful(start=_bonds_start, step=_bonds_step)


def _bonds(op: Any, ctx: Context, x: AnyArray, first: AnyArray, second: AnyArray) -> tuple[AnyArray, AnyArray]:
    """Return the vectors (batch, bonds, d) from second to first and their lengths."""
    xp, vector = namespace(x), x[:, first] - x[:, second]
    if op.box:
        box = ctx.array(np.array(op.box, op.x.dtype.numpy))
        vector = vector - box * xp.floor(vector / box + 0.5)  # the nearest image
    return vector, root((vector * vector).sum(axis=-1))
