"""The meaning of particles in a bath."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc import physics
from thermoc.ir.dialects import langevin
from thermoc.ir.reference.meaning import Context, State, aligned, means, pure, whole
from thermoc.ir.types import Type
from thermoc.support.errors import error


def _brownian_start(op: langevin.Brownian, ctx: Context, *operands: Any) -> State:
    return {"x": whole(operands[-1], op.x.inferred)}


def _brownian_advance(
    op: langevin.Brownian,
    ctx: Context,
    state: State,
    force: NDArray,
    T: NDArray,
    mobility: NDArray,
    stiffness: NDArray | None,
    initial: NDArray,
) -> State:
    z = ctx.normal(op.x.inferred, op.stream)
    x, force, T, mobility, z = aligned(state["x"], force, T, mobility, z)
    dt = x.dtype.type(ctx.dt)
    if stiffness is None:
        return {"x": x + mobility * force * dt + np.sqrt(2 * mobility * T * dt) * z}
    _, k = aligned(x, stiffness)
    return {"x": physics.ou_step(x, mobility * force, T / k, mobility * k, z, dt)}


means(langevin.Brownian, start=_brownian_start, read=lambda op, state: state["x"], advance=_brownian_advance)


def _langevin_start(op: langevin.Langevin, ctx: Context, *operands: Any) -> State:
    kind = op.x.inferred
    half = np.full(1, 0.5, kind.dtype.numpy)
    return {"x": whole(operands[-2], kind), "w": whole(operands[-1], kind), "kick": half}


def _langevin_advance(
    op: langevin.Langevin,
    ctx: Context,
    state: State,
    force: NDArray,
    T: NDArray,
    mass: NDArray,
    friction: NDArray,
    *_: Any,
) -> State:
    z = ctx.normal(op.x.inferred, op.stream)
    x, w, force, T, mass, friction, z = aligned(state["x"], state["w"], force, T, mass, friction, z)
    dt = x.dtype.type(ctx.dt)
    v = w + state["kick"][0] * dt * force / mass
    x = x + dt / 2 * v
    v = np.exp(-friction * dt) * v + np.sqrt(T / mass * -np.expm1(-2 * friction * dt)) * z
    return {"x": x + dt / 2 * v, "w": v, "kick": np.ones(1, x.dtype)}


means(
    langevin.Langevin,
    start=_langevin_start,
    read=lambda op, state: (state["x"], state["w"]),
    advance=_langevin_advance,
)


def _velocity(
    op: langevin.Velocity, ctx: Context, state: State, w: NDArray, force: NDArray, mass: NDArray
) -> tuple[NDArray, State]:
    w, force, mass = aligned(w, force, mass)
    v = w + state["kick"][0] * w.dtype.type(ctx.dt) * force / mass
    return v, {"kick": np.full(1, 0.5, w.dtype)}


means(
    langevin.Velocity,
    start=lambda op, ctx, *operands: {"kick": np.zeros(1, op.v.dtype.numpy)},
    step=_velocity,
)


@pure(langevin.KineticEnergy)
def kinetic_energy(op: langevin.KineticEnergy, ctx: Context, v: NDArray, mass: NDArray) -> NDArray:
    v, mass = aligned(v, mass)
    return (mass * v * v / 2).sum(axis=tuple(range(1, v.ndim)))


@pure(langevin.PairForce)
def pair_force(
    op: langevin.PairForce,
    ctx: Context,
    x: NDArray,
    strength: NDArray,
    sigma: NDArray,
    charge: NDArray,
    grid: NDArray | None,
    energies: NDArray | None,
) -> tuple[NDArray, NDArray, NDArray]:
    n = x.shape[1]
    i, j = np.triu_indices(n, 1)
    charge = whole(charge, Type((n,), op.x.dtype))
    k, s, qq = strength[:, np.newaxis], sigma[:, np.newaxis], charge[:, i] * charge[:, j]
    law: dict[str, Callable[[NDArray], Any]] = {
        "harmonic": lambda r: physics.harmonic(r, k),
        "lennard_jones": lambda r: physics.lennard_jones(r, k, s),
        "coulomb": lambda r: physics.coulomb(r, k, qq, op.softening),
        "table": lambda r: physics.tabulated(r, grid[0], energies[0]),  # type: ignore[index]
    }
    smooth = op.kind == "harmonic" or op.softening > 0 or (grid is not None and grid[0, 0] > 0)
    if not smooth:
        _refuse_touching(op, ctx, x, i, j)
    how = {"cutoff": op.cutoff or None, "box": op.box or None, "shift": op.shift, "smooth": smooth}
    made = physics.pair_forces(x, law[op.kind], **how)
    return tuple(part.astype(x.dtype) for part in made)  # type: ignore[return-value]


def _refuse_touching(op: langevin.PairForce, ctx: Context, x: NDArray, i: NDArray, j: NDArray) -> None:
    """Raise T405 where two particles are at one place, naming them, their sample and the tick."""
    met = np.argwhere(_bonds(op, x, i, j)[1] == 0)
    if len(met):
        sample, pair = met[0].tolist()
        notes = [f"particles {i[pair]} and {j[pair]} of sample {ctx.first_sample + sample}, at tick {ctx.tick}"]
        hint = "shorten the step, soften the potential, or keep them apart"
        raise error("T405", "two particles are at one place", where=op.location, notes=notes, hint=hint)


@pure(langevin.BondForce)
def bond_force(
    op: langevin.BondForce,
    ctx: Context,
    x: NDArray,
    first: NDArray,
    second: NDArray,
    strength: NDArray,
    length: NDArray,
    formed: NDArray,
) -> tuple[NDArray, NDArray, NDArray]:
    apart, r = _bonds(op, x, first[0], second[0])
    r, strength, length, formed = aligned(r, strength, length, formed)
    stretch, strength = r - length, strength * formed
    safe = np.where(r > 0, r, 1)
    push = np.where(length == 0, -strength, -strength * stretch / safe)
    ends = np.eye(x.shape[1], dtype=x.dtype)
    incidence = ends[first[0]] - ends[second[0]]
    force = np.swapaxes(incidence, 0, 1) @ (push[..., np.newaxis] * apart)
    return force, (strength * stretch * stretch / 2).sum(axis=-1), (push * r * r).sum(axis=-1)


def _bonds_start(op: langevin.Bonds, ctx: Context, *operands: Any) -> State:
    return {"formed": whole(operands[-1], op.formed.inferred)}


def _bonds_step(
    op: langevin.Bonds,
    ctx: Context,
    state: State,
    x: NDArray,
    first: NDArray,
    second: NDArray,
    energy: NDArray,
    initial: NDArray,
) -> tuple[tuple[NDArray, NDArray], State]:
    _, r = _bonds(op, x, first[0], second[0])
    kept = np.where(r > op.r_break, r.dtype.type(0), state["formed"])
    formed = np.where(r < op.r_form, r.dtype.type(1), kept)
    formed, energy = aligned(formed, energy)
    return (formed, (formed * energy).sum(axis=-1)), {"formed": formed}


means(langevin.Bonds, start=_bonds_start, step=_bonds_step)


def _bonds(op: Any, x: NDArray, first: NDArray, second: NDArray) -> tuple[NDArray, NDArray]:
    """Return the vectors (batch, bonds, d) from second to first and their lengths."""
    apart = x[:, first] - x[:, second]
    if op.box:
        box = np.array(op.box, x.dtype)
        apart = apart - box * np.floor(apart / box + x.dtype.type(0.5))
    return apart, np.sqrt((apart * apart).sum(axis=-1))
