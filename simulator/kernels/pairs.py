"""Forces between all pairs of particles (P10): directly, or by cells as wide as the cut-off where that is less work."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from thermoc.simulator.instructions.pairs import COULOMB, HARMONIC, LENNARD_JONES, SHIFTED
from thermoc.simulator.kernels.scalar.rounding import floor

FEWEST = 150
"""Particles from which on cells may pay."""


class PairLaw(NamedTuple):
    """A force law and its numbers; fc holds from ``at``: cut-off (0: none), softening, the sides of a box where there
    is one, a table's distances and energies. q: strength, sigma and a charge of each particle.
    """

    kind: int
    shifted: bool
    boxed: int
    points: int
    axes: int
    q: Any
    fc: Any
    at: int


class CellGrid(NamedTuple):
    """Corner, widths and numbers of the cells along each axis."""

    low: Any
    width: Any
    count: Any


@njit(error_model="numpy", nogil=True)
def energy_and_push(law, square, qq):
    """Return energy, and force over distance, of a pair whose squared distance is given."""
    strength, sigma, softening = law.q[0], law.q[1], law.fc[law.at + 1]
    if law.kind == HARMONIC:
        return strength * square / 2, -strength
    if law.kind == LENNARD_JONES:
        two = sigma * sigma / square
        six = two * two * two
        return 4 * strength * six * (six - 1), 24 * strength * six * (2 * six - 1) / square
    if law.kind == COULOMB:
        soft = square + softening * softening
        energy = strength * qq / math.sqrt(soft)
        return energy, energy / soft
    r, table, points = math.sqrt(square), law.fc, law.points
    at = law.at + 2 + (law.axes if law.boxed else 0)
    # outside a table there is no force: extrapolated lines grow without bound
    if r < table[at] or r >= table[at + points - 1]:
        return 0.0 * r, 0.0 * r
    low, high = 0, points - 1
    while high - low > 1:
        middle = (low + high) // 2
        if table[at + middle] <= r:
            low = middle
        else:
            high = middle
    slope = (table[at + points + low + 1] - table[at + points + low]) / (table[at + low + 1] - table[at + low])
    return table[at + points + low] + slope * (r - table[at + low]), -slope / r


@njit(error_model="numpy", nogil=True)
def distance(x, i, j, a, law):
    """Return how far apart two particles are along an axis: to the nearest image where there is a box."""
    fc, side = law.fc, law.at + 2 + a
    separation = x[i * law.axes + a] - x[j * law.axes + a]
    if law.boxed:
        separation -= fc[side] * floor(separation / fc[side] + 0.5)
    return separation


@njit(error_model="numpy", nogil=True)
def meeting(x, i, j, law):
    """Return whether a pair is within the cut-off, its energy, force over distance, and squared distance."""
    cutoff, square = law.fc[law.at], 0.0
    for a in range(law.axes):
        separation = distance(x, i, j, a, law)
        square += separation * separation
    # written so that a distance that is no number goes on, and is reported
    if cutoff > 0 and not square < cutoff * cutoff:
        return False, 0.0, 0.0, square
    energy, push = energy_and_push(law, square, law.q[2 + i] * law.q[2 + j])
    if law.shifted:
        energy -= energy_and_push(law, cutoff * cutoff, law.q[2 + i] * law.q[2 + j])[0]
    return True, energy, push, square


@njit(error_model="numpy", nogil=True)
def fails(r, push, square):
    """Whether a pair is at one place, or too near for the format: its force is no number."""
    return not math.isfinite(r.dtype.type(push)) and math.isfinite(square)


@njit(error_model="numpy", nogil=True)
def _meet(r, x, i, j, law):
    """Add what one pair does to forces, energy and virial, which stand behind each other in r; return if it could."""
    d = law.axes
    near, energy, push, square = meeting(x, i, j, law)
    if not near:
        return True
    r[r.size - 2] += energy
    r[r.size - 1] += push * square
    for a in range(d):
        separation = distance(x, i, j, a, law)
        r[i * d + a] += push * separation
        r[j * d + a] -= push * separation
    return not fails(r, push, square)


@njit(error_model="numpy", nogil=True)
def _add_up(r, totals):
    """Add energy and virial of one particle's pairs to the totals."""
    totals[0] += r[r.size - 2]
    totals[1] += r[r.size - 1]
    r[r.size - 2], r[r.size - 1] = 0, 0


def pair_forces(r, x, y, parameters, samples, constants, collision):
    """Set forces (particles, axes), energy and virial of every sample.

    Sums run in an order that the positions alone decide. collision, where it starts with -1, is set to the first sample
    in which two particles are at one place, and to these.
    """
    n, axes, kind, at, boxed, points = parameters
    for s in range(samples):
        forces = r.array[s * r.stride : s * r.stride + r.size]
        positions = x.array[s * x.stride : s * x.stride + x.size]
        q = y.array[s * y.stride : s * y.stride + y.size]
        law = PairLaw(kind % SHIFTED, kind >= SHIFTED, boxed, points, axes, q, constants, at)
        forces[:], totals = 0, np.zeros(2, r.array.dtype)
        cells, total = CellGrid(np.zeros(3), np.ones(3), np.ones(3, np.int64)), 1
        if constants[at] > 0 and n >= FEWEST and axes <= 3:
            total = grid(positions, n, law, cells)
        first, second = -1, -1
        if total < 27:  # fewer than three cells an axis: all pairs are near
            for i in range(n):
                for j in range(i + 1, n):
                    if not _meet(forces, positions, i, j, law) and first < 0:
                        first, second = i, j
                _add_up(forces, totals)
        else:
            first, second = _by_cells(forces, positions, n, law, cells, total, totals)
        forces[r.size - 2], forces[r.size - 1] = totals[0], totals[1]
        if first >= 0 and collision[0] < 0:
            collision[0], collision[1], collision[2] = s, first, second


@njit(error_model="numpy", nogil=True)
def root(n, d):
    """Return the greatest whole number whose d-th power is at most n."""
    number = 1
    while (number + 1) ** d <= n:
        number += 1
    return number


@njit(error_model="numpy", nogil=True)
def grid(x, n, law, cells):
    """Set the cells' corner, widths and numbers, no narrower than the cut-off; return how many, 1 where none pay."""
    d, fc, at, boxed, total = law.axes, law.fc, law.at, law.boxed, 1
    low, width, count = cells
    for a in range(d):
        lowest, highest = x[a], x[a]
        for i in range(n):
            # a GPU's own minimum of NaN and a number is the number
            coordinate = x[i * d + a]
            lowest, highest = (
                coordinate if coordinate < lowest else lowest,
                coordinate if coordinate > highest else highest,
            )
        low[a], length = (0.0, fc[at + 2 + a]) if boxed else (lowest, highest - lowest)
        if not math.isfinite(length):
            return 1
        # more cells than particles would take longer to empty than to search
        # (compared as floats: one beyond 64 bits has no conversion that is the same on every processor)
        limit = 1 + root(n, d)
        count[a] = max(1, int(length / fc[at]) if length / fc[at] < limit else limit)
        if boxed and count[a] < 3:  # its neighbours on both sides would be the same cell
            return 1
        width[a] = length / count[a] if length > 0 else 1.0
        total *= count[a]
    return total


@njit(error_model="numpy", nogil=True)
def cell_of(x, i, a, law, cells):
    """Return a particle's cell along one axis."""
    cell_index = np.int64(floor((x[i * law.axes + a] - cells.low[a]) / cells.width[a]))
    return int(cell_index % cells.count[a]) if law.boxed else int(min(max(cell_index, 0), cells.count[a] - 1))


@njit(error_model="numpy", nogil=True)
def into_cells(x, n, law, cells, head, after):
    """Make the list of each cell's particles: head is its first, after[i] the next behind i, -1 where there is none."""
    head[:] = -1
    # from the last to the first, so that each list rises and sums run in the order of the particles
    for i in range(n - 1, -1, -1):
        cell = 0
        for a in range(law.axes):
            cell = cell * cells.count[a] + cell_of(x, i, a, law, cells)
        after[i], head[cell] = head[cell], i


@njit(error_model="numpy", nogil=True)
def near_cell(x, i, step, law, cells):
    """Return the cell of a particle, or that around it to which one of 3^axes steps leads; -1 where there is none."""
    cell = 0
    for a in range(law.axes):
        count = cells.count[a]
        near = cell_of(x, i, a, law, cells) + step % 3 - 1
        step //= 3
        if law.boxed:
            near = (near + count) % count
        # a particle beyond a free border has been put into the outermost cell, whose neighbours end there
        elif not 0 <= near < count:
            return -1
        cell = cell * count + near
    return cell


@njit(error_model="numpy", nogil=True)
def _by_cells(r, x, n, law, cells, total, totals):
    """Let each particle meet those of its own cell and the cells around it that come later in the list.

    Return the first two of no finite force, or -1, -1.
    """
    head, after = np.empty(total, np.int64), np.empty(n, np.int64)
    first, second = -1, -1
    into_cells(x, n, law, cells, head, after)
    for i in range(n):
        for step in range(3**law.axes):
            cell = near_cell(x, i, step, law, cells)
            j = head[cell] if cell >= 0 else -1
            while j >= 0:
                if j > i and not _meet(r, x, i, j, law) and first < 0:
                    first, second = i, j
                j = after[j]
        _add_up(r, totals)
    return first, second
