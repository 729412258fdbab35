"""Forces between all pairs of particles (P10)."""

from __future__ import annotations

from thermoc.simulator.instructions.declaration import Instruction, Points, RowSizes, SlotKind, Trait

FLOATS = SlotKind.FLOATS
GRID = 10
"""Integers of a grid of cells: how many there are, then their corner, widths and numbers."""
HARMONIC, LENNARD_JONES, COULOMB, TABULATED, SHIFTED = 0, 1, 2, 3, 4
"""Laws, and what is added to one that is shifted to 0 at its cut-off."""


def _pairs(row: RowSizes, particles: int, axes: int, law: int, settings: int, boxed: int, points: int) -> bool:
    floats = 2 + axes * boxed + 2 * points
    sizes = (row.n, row.x, row.y) == (particles * axes + 2, particles * axes, particles + 2)
    # a table of one point has no interval to look up
    laws = law < 2 * SHIFTED and boxed <= 1 and (law % SHIFTED != TABULATED or points >= 2)
    return sizes and particles >= 1 and axes >= 1 and laws and settings + floats <= row.float_constants


def _lists(row: RowSizes, particles: int, axes: int, **parameters: int) -> int:
    """The grid, what each particle is too near to, the next of each in its cell, the first of each cell."""
    across = next(number for number in range(1, particles + 1) if (number + 1) ** axes > particles)
    return GRID + 2 * particles + ((1 + across) ** axes if axes <= 3 else 1)


PAIRS = Instruction(
    opcode=86,
    name="PAIRS",
    equation="r = the forces of all pairs at x (particles, axes), then energy and virial; y: strength, sigma, a charge "
    "of each",
    result=FLOATS,
    operands=(FLOATS, FLOATS),
    parameters={
        "particles": "particles",
        "axes": "axes of space",
        "law": "0 harmonic, 1 Lennard-Jones, 2 Coulomb, 3 a table; + 4 shifted to 0 at the cut-off",
        "settings": "where among the float constants cut-off (0: none), softening, the sides of a box, distances and "
        "energies of a table stand",
        "boxed": "1 where there is a periodic box",
        "points": "points of the table",
    },
    fits=_pairs,
    kernel="pairs.pair_forces",
    points=Points(
        rule="pairs.forces",
        count=lambda row, particles, **p: particles,
        phases=lambda row, **p: 3,
        floats=lambda row, particles, **p: 2 * particles,
        ints=_lists,
    ),
    traits=frozenset({Trait.ALONE, Trait.PER_TICK}),  # two particles that collide are reported with their tick
)
