"""Energies and forces of particles: kinetic (P9), pairs (P10), bonds (P11). Reduced units, or any consistent ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from thermoc.physics.checks import finite, positive
from thermoc.support.array_types import FloatArray
from thermoc.support.errors import error
from thermoc.support.namespaces import Numbers, as_arrays, as_float64, beside, namespace, numbers_of, root

Energy = tuple[FloatArray, FloatArray]


def kinetic_energy(v: ArrayLike, mass: ArrayLike = 1.0) -> FloatArray:
    """Return sum m v^2 / 2 over the last axis (P9). v: (..., n); mass > 0 broadcasts. Errors: T405."""
    v = np.asarray(v, float)
    return (positive("mass", mass) * v * v / 2).sum(axis=-1)


def harmonic(r: Numbers, k: Numbers) -> Energy:
    """Return energy k r^2 / 2 and force -k r along r (P10). r = 0 is its minimum and allowed."""
    r = finite("r", r)
    r, k = as_arrays(r, k)
    return k * r * r / 2, -k * r


def lennard_jones(r: Numbers, epsilon: Numbers = 1.0, sigma: Numbers = 1.0) -> Energy:
    """Return energy 4 epsilon ((sigma/r)^12 - (sigma/r)^6) and force -dV/dr (P10). Errors: T405 where r <= 0."""
    r = positive("r", r)
    r, depth, size = as_float64(r, epsilon, sigma)
    six = namespace(r).pow(size / r, 6.0)
    return 4 * depth * six * (six - 1), 24 * depth * six * (2 * six - 1) / r


def coulomb(r: Numbers, k: Numbers = 1.0, qq: Numbers = 1.0, softening: float = 0.0) -> Energy:
    """Return energy k qq / s and force k qq r / s^3, s = sqrt(r^2 + softening^2) (P10). qq: product of the charges.

    Errors: T405 where r <= 0 without softening.
    """
    r = finite("r", r) if softening > 0 else positive("r", r)
    r, k, qq = as_float64(r, k, qq)
    s = namespace(r).sqrt(r * r + softening**2)
    strength = k * qq
    return strength / s, strength * r / s**3


def tabulated(r: Numbers, grid: Numbers, energy: Numbers) -> Energy:
    """Return the energy interpolated linearly on an increasing grid, and minus its slope.

    Beyond the ends of the grid both are zero. Errors: T405 for a grid that does not increase.
    """
    grid, energy, r = finite("grid", grid), finite("energy", energy), finite("r", r)
    steps = grid[1:] - grid[:-1]
    wrong = np.flatnonzero(numbers_of(steps) <= 0)
    if len(wrong) or grid.shape != energy.shape or grid.ndim != 1:
        notes = [f"grid has shape {list(grid.shape)}, energy {list(energy.shape)}"]
        notes += [f"grid[{wrong[0] + 1}] is not above grid[{wrong[0]}]"] if len(wrong) else []
        raise error("T405", "a table is an increasing grid with an energy for each point", notes=notes)
    xp, inside = namespace(r), (r >= grid[0]) & (r < grid[-1])
    cell = np.clip(np.searchsorted(numbers_of(grid), numbers_of(r), side="right") - 1, 0, len(steps) - 1)
    slope = (energy[1:] - energy[:-1])[cell] / steps[cell]
    return xp.where(inside, energy[cell] + slope * (r - grid[cell]), 0.0), xp.where(inside, -slope, 0.0)


def pair_forces(
    x: Numbers,
    law: Callable[[FloatArray], Energy],
    *,
    cutoff: float | None = None,
    box: Numbers | None = None,
    shift: bool = False,
    smooth: bool = False,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return forces (..., n, d), energy (...) and virial sum r f (...) of all pairs i < j (P10).

    x: positions (..., n, d). law: energy and force of a distance. cutoff: pairs at or beyond it count zero; ``shift``
    subtracts the energy there. box: lengths (d) of a periodic box, in which the nearest image counts; the cut-off is at
    most half of each. smooth: the force vanishes at r = 0, where two particles may then be. Errors: T405 for two
    particles at one place, naming them, and for a cut-off too long for the box.
    """
    x = finite("x", x)
    n = x.shape[-2]
    xp, (i, j) = namespace(x), np.triu_indices(n, 1)
    separation = x[..., i, :] - x[..., j, :]
    if box is not None:
        lengths = positive("box", box)
        # beyond half a side a second image of the same particle would count as well
        if cutoff is not None and cutoff > lengths.min() / 2:
            notes = [f"cutoff = {cutoff}", f"half the shortest side is {lengths.min() / 2}"]
            raise error("T405", "a cut-off reaches beyond the nearest image", notes=notes)
        lengths = beside(lengths, x)
        separation = separation - lengths * xp.floor(separation / lengths + 0.5)
    r = root((separation * separation).sum(axis=-1))
    touching = np.argwhere(numbers_of(r) == 0)
    if len(touching) and not smooth:
        pair = touching[0][-1]
        notes = [f"particles {i[pair]} and {j[pair]} are both at {x[(*touching[0][:-1], i[pair])].tolist()}"]
        raise error("T405", "two particles are at one place", notes=notes, hint="move one, or soften the potential")
    energy, force = law(r)
    if cutoff is not None:
        energy = energy - (law(beside(np.array(cutoff), r))[0] if shift else 0.0)
        energy, force = (xp.where(r < cutoff, values, 0.0) for values in (energy, force))
    # where the force vanishes at r = 0 its direction does not matter, but 0 / 0 would spread
    push = (force / xp.where(r == 0, 1.0, r))[..., np.newaxis] * separation
    # each pair enters with both signs: action is reaction, and total momentum stays
    incidence = beside(np.eye(n)[:, i] - np.eye(n)[:, j], push)
    return incidence @ push, energy.sum(axis=-1), (r * force).sum(axis=-1)


def bond_energy(formed: ArrayLike, energy: ArrayLike) -> FloatArray:
    """Return the sum of the energies of the bonds that are formed (P11). formed: (..., bonds) of 0 and 1."""
    return (np.asarray(formed) * np.asarray(energy)).sum(axis=-1)
