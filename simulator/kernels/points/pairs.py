"""Forces between all pairs, a point a particle. Each sum runs as in ``kernels.pairs``: with the particles before, then
as the first of its pairs.

Phases: cells and their lists are made, where there are some; each particle meets the others; energies are added up.
"""

from __future__ import annotations

import numpy as np

from thermoc.simulator.instructions.pairs import GRID, SHIFTED
from thermoc.simulator.kernels import pairs
from thermoc.simulator.kernels.pairs import FEWEST, CellGrid, PairLaw
from thermoc.simulator.kernels.scalar.formats import scalar


def forces(r, x, y, parameters, constants, collision, tick, float_scratch, int_scratch, phase, s, i):
    """A particle's forces, then all particles' energy and virial; collision: tick and particles of each sample."""
    n, axes, kind, at, boxed, points = parameters
    law = PairLaw(kind % SHIFTED, kind >= SHIFTED, boxed, points, axes, y, constants, at)
    if phase == 0:
        if i == 0:
            _lists(x, n, law, int_scratch)
    elif phase == 1:
        float_scratch[2 * i], float_scratch[2 * i + 1] = 0, 0
        for a in range(axes):
            r[i * axes + a] = 0
        _with_those_before(r, x, n, law, i)
        energies = float_scratch[2 * i : 2 * i + 2]
        int_scratch[GRID + i] = _with_those_behind(r, x, n, law, int_scratch, energies, i)
    elif i == 0:
        _total(r, n, float_scratch)
        for k in range(n):
            if int_scratch[GRID + k] >= 0 and collision[3 * s] < 0:
                collision[3 * s], collision[3 * s + 1], collision[3 * s + 2] = tick, k, int_scratch[GRID + k]


@scalar
def _cells(lists):
    """The grid of cells, in the scratch memory."""
    return CellGrid(lists[1:4].view(np.float64), lists[4:7].view(np.float64), lists[7:10])


@scalar
def _lists(x, n, law, lists):
    """Make cells and their lists where they pay."""
    lists[0], cells = 1, _cells(lists)
    if law.fc[law.at] > 0 and n >= FEWEST and law.axes <= 3:
        lists[0] = pairs.grid(x, n, law, cells)
    if lists[0] >= 27:
        first = GRID + 2 * n
        pairs.into_cells(x, n, law, cells, lists[first : first + lists[0]], lists[first - n : first])


@scalar
def _add(r, x, i, j, law, mine, side):
    """Add to the forces of one of a pair."""
    near, energy, push, square = pairs.meeting(x, i, j, law)
    if near:
        for a in range(law.axes):
            separation = pairs.distance(x, i, j, a, law)
            if side > 0:
                r[mine * law.axes + a] += push * separation
            else:
                r[mine * law.axes + a] -= push * separation
    return near, energy, push, square


@scalar
def _with_those_before(r, x, n, law, i):
    """Meet the particles before: pairs that are theirs."""
    for j in range(i):
        _add(r, x, j, i, law, i, -1)


@scalar
def _meet(r, x, i, j, law, energies):
    """Add a pair's force, energy and virial; return whether it is too near."""
    near, energy, push, square = _add(r, x, i, j, law, i, 1)
    if not near:
        return False
    energies[0] += energy
    energies[1] += push * square
    return pairs.fails(r, push, square)


@scalar
def _with_those_behind(r, x, n, law, lists, energies, i):
    """Meet the particles behind; return the first that is too near, or -1."""
    partner = -1
    if lists[0] < 27:
        for j in range(i + 1, n):
            if _meet(r, x, i, j, law, energies) and partner < 0:
                partner = j
        return partner
    cells, first = _cells(lists), GRID + 2 * n
    for step in range(3**law.axes):
        cell = pairs.near_cell(x, i, step, law, cells)
        j = lists[first + cell] if cell >= 0 else -1
        while j >= 0:
            if j > i and _meet(r, x, i, j, law, energies) and partner < 0:
                partner = j
            j = lists[first - n + j]
    return partner


@scalar
def _total(r, n, energies):
    """Add up energy and virial of all particles."""
    r[r.size - 2], r[r.size - 1] = 0, 0
    for k in range(n):
        r[r.size - 2] += energies[2 * k]
        r[r.size - 1] += energies[2 * k + 1]
