"""Forces between all pairs of particles (P10): directly, or by cells as wide as the cut-off where that is less work."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

HARMONIC, LENNARD_JONES, COULOMB, TABLE = 0, 1, 2, 3
SHIFT = 4
FEWEST = 150
"""Particles from which on cells may pay."""


@njit(error_model="numpy", nogil=True)
def law(kind, square, strength, sigma, qq, softening, table, at, points):
    """Return energy, and force over distance, of a pair whose squared distance is given."""
    if kind == HARMONIC:
        return strength * square / 2, -strength
    if kind == LENNARD_JONES:
        six = (sigma * sigma / square) ** 3
        return 4 * strength * six * (six - 1), 24 * strength * six * (2 * six - 1) / square
    if kind == COULOMB:
        soft = square + softening * softening
        energy = strength * qq / math.sqrt(soft)
        return energy, energy / soft
    r = math.sqrt(square)
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
def _meet(r, ro, x, xo, q, qo, i, j, d, n, kind, fc, at, points, boxed):
    """Add what one pair does to forces, energy and virial, which stand behind each other in r.

    Return whether it could: at one place, or too near for the format, two particles have no force that is a number.
    """
    cutoff, softening, square = fc[at], fc[at + 1], fc[at] * 0
    for a in range(d):
        apart = x[xo + i * d + a] - x[xo + j * d + a]
        if boxed:
            apart -= fc[at + 2 + a] * np.floor(apart / fc[at + 2 + a] + fc[at] * 0 + 0.5)
        square += apart * apart
    if cutoff > 0 and not square < cutoff * cutoff:
        return True
    qq = q[qo + 2 + i] * q[qo + 2 + j]
    table = at + 2 + (d if boxed else 0)
    energy, push = law(kind % SHIFT, square, q[qo], q[qo + 1], qq, softening, fc, table, points)
    if kind >= SHIFT:
        energy -= law(kind % SHIFT, cutoff * cutoff, q[qo], q[qo + 1], qq, softening, fc, table, points)[0]
    r[ro + n * d] += energy
    r[ro + n * d + 1] += push * square
    for a in range(d):
        apart = x[xo + i * d + a] - x[xo + j * d + a]
        if boxed:
            apart -= fc[at + 2 + a] * np.floor(apart / fc[at + 2 + a] + fc[at] * 0 + 0.5)
        r[ro + i * d + a] += push * apart
        r[ro + j * d + a] -= push * apart
    return math.isfinite(r.dtype.type(push)) or not math.isfinite(square)


def pair_forces(r, ro, samples, x, xo, xs, n, d, q, qo, qs, fc, at, kind, boxed, points, met):
    """Set forces (n, d), energy and virial of every sample, end to end in r.

    q: strength, sigma and n charges. fc holds from ``at``: cut-off (0: none), softening, the box's sides where there is
    one, a table's distances and energies. Sums run in an order that the positions alone decide. met, where it starts
    with -1, is set to the first sample in which two particles are at one place, and to these.
    """
    for s in range(samples):
        out, here, own = ro + s * (n * d + 2), xo + s * xs, qo + s * qs
        for k in range(n * d + 2):
            r[out + k] = 0
        low, width, count = np.zeros(3), np.ones(3), np.ones(3, np.int64)
        total = 1
        if fc[at] > 0 and n >= FEWEST and d <= 3:
            total = _grid(x, here, n, d, fc, at, boxed, low, width, count)
        if total < 27:
            for i in range(n):
                for j in range(i + 1, n):
                    if not _meet(r, out, x, here, q, own, i, j, d, n, kind, fc, at, points, boxed) and met[0] < 0:
                        met[0], met[1], met[2] = s, i, j
        else:
            i, j = _by_cells(r, out, x, here, q, own, d, n, kind, fc, at, points, boxed, low, width, count, total)
            if i >= 0 and met[0] < 0:
                met[0], met[1], met[2] = s, i, j


@njit(error_model="numpy", nogil=True)
def _grid(x, xo, n, d, fc, at, boxed, low, width, count):
    """Set the cells' corner, widths and numbers, no narrower than the cut-off; return how many, 1 where none pay."""
    total = 1
    for a in range(d):
        least, most = x[xo + a], x[xo + a]
        for i in range(n):
            least, most = min(least, x[xo + i * d + a]), max(most, x[xo + i * d + a])
        low[a], length = (0.0, fc[at + 2 + a]) if boxed else (least, most - least)
        if not math.isfinite(length):
            return 1
        count[a] = max(1, min(int(length / fc[at]), 1 + int(n ** (1 / d))))
        if boxed and count[a] < 3:  # its neighbours on both sides would be the same cell
            return 1
        width[a] = length / count[a] if length > 0 else 1.0
        total *= count[a]
    return total


@njit(error_model="numpy", nogil=True)
def _cell(x, xo, i, a, d, boxed, low, width, count):
    """Return a particle's cell along one axis."""
    place = math.floor((x[xo + i * d + a] - low[a]) / width[a])
    return int(place % count[a]) if boxed else int(min(max(place, 0), count[a] - 1))


@njit(error_model="numpy", nogil=True)
def _by_cells(r, ro, x, xo, q, qo, d, n, kind, fc, at, points, boxed, low, width, count, total):
    """Let each particle meet those of its own cell and the cells around it that come later in the list.

    Return the first two of no finite force, or -1, -1.
    """
    head, after = np.full(total, -1), np.empty(n, np.int64)
    mine, near = np.zeros(3, np.int64), np.zeros(3, np.int64)
    one, other = -1, -1
    for i in range(n - 1, -1, -1):
        cell = 0
        for a in range(d):
            cell = cell * count[a] + _cell(x, xo, i, a, d, boxed, low, width, count)
        after[i], head[cell] = head[cell], i
    for i in range(n):
        for a in range(d):
            mine[a] = _cell(x, xo, i, a, d, boxed, low, width, count)
        for step in range(3**d):
            rest, cell, inside = step, 0, True
            for a in range(d):
                near[a] = mine[a] + rest % 3 - 1
                rest //= 3
                if boxed:
                    near[a] = (near[a] + count[a]) % count[a]
                inside = inside and 0 <= near[a] < count[a]
                cell = cell * count[a] + near[a]
            j = head[cell] if inside else -1
            while j >= 0:
                if j > i and not _meet(r, ro, x, xo, q, qo, i, j, d, n, kind, fc, at, points, boxed) and one < 0:
                    one, other = i, j
                j = after[j]
    return one, other
