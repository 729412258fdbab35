"""Sweeps of heat-bath updates over coupled binary units (P6, P12)."""

from __future__ import annotations

from math import isqrt

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.instructions.declaration import (
    COUNTER,
    Instruction,
    Points,
    RowSizes,
    SlotKind,
    Trait,
    of_result,
)

FLOATS = SlotKind.FLOATS
SPINS, AT_ONCE, WORDS, REPLICAS, LATTICE, BY_SWEEP = 1, 2, 4, 8, 16, 32
"""The form of a sweep, in bits: levels are -1 and +1; a class may be coupled; 64 units of a class share a word, or 64
samples of a unit do; the units are a square lattice whose side is a multiple of 128; temperatures are one a sweep,
which only this bit can tell where there are as many sweeps as units."""
FOUR, COLUMNS = 4, 16
"""Dense layers: units of a class are filled up to fours; matrices are cut into bands of so many columns, one vector of
float32 and two of float64, the last filled up."""
BOND_TABLES = {
    "at": "where in the table the classes' first units (classes + 1), the units class by class (n), the units' first "
    "couplings (n + 1) and the couplings' other ends stand",
}
SWEEP = {
    "classes": "classes of units that are updated together",
    "sweeps": "sweeps a tick",
    "form": "bits: 1 levels -1 and +1, 2 a class may be coupled, 4 units share words, 8 samples do, 16 a square "
    "lattice, 32 a temperature a sweep",
    "stream": "fourth word of the counter (element, tick, sweep, stream)",
    "couplings": "where among the float constants the couplings stand",
}
TRAITS = frozenset({Trait.RANDOM, Trait.SWEEPS, Trait.PER_TICK, Trait.SCRATCH})


def layer_shapes(starts: NDArray[np.integer]) -> list[tuple[int, int]]:
    """Return (rows, columns) of each class's matrix; starts: where classes begin, and the end."""
    groups = -(-np.diff(starts) // FOUR)
    columns = -(-np.diff(starts) // COLUMNS) * COLUMNS
    return [(int(FOUR * (groups.sum() - size)), int(wide)) for size, wide in zip(groups, columns)]


def _sweeps(row: RowSizes, sweeps: int, form: int, stream: int) -> bool:
    """True where the operands and numbers of sweeps over n units agree."""
    n, rates = row.n, (1, sweeps) if form & BY_SWEEP else (1, sweeps, row.n, sweeps * row.n)
    sizes = row.x == n and row.one_or_each(row.y, n) and row.z in rates
    # sweeps and stream are words of Philox's counter, which have 32 bits
    return sizes and n >= 1 and 1 <= sweeps < COUNTER and stream < COUNTER


def _form_exists(form: int, classes: int, n: int) -> bool:
    """True for a form that exists; a lattice has two classes and a side that words fill."""
    side, form = isqrt(n), form & ~(SPINS | BY_SWEEP)
    # a row of 128 sites has 64 of each colour, one word
    if form & LATTICE:
        return form == LATTICE | WORDS and classes == 2 and side * side == n and side % 128 == 0
    return form in (0, AT_ONCE, WORDS, REPLICAS)


def _sparse(
    row: RowSizes, *, at: int, classes: int, sweeps: int, form: int, stream: int, couplings: int, shared: bool
) -> bool:
    n, order, offsets = row.n, at + classes + 1, at + classes + 1 + row.n
    if not _sweeps(row, sweeps, form, stream) or not _form_exists(form, classes, n):
        return False
    # each form belongs to one opcode: their kernels read the noise of a unit in different ways
    if ((form & ~BY_SWEEP) >= WORDS) != shared:
        return False
    if not row.offsets(at, classes, n + 1) or not row.places(order, n, 0, n):
        return False
    if not row.offsets(offsets, n, row.table.size):
        return False
    entries = int(row.table[offsets + n])
    return row.places(offsets + n + 1, entries, 0, n) and couplings + entries <= row.float_constants


def _layers(row: RowSizes, at: int, classes: int, sweeps: int, form: int, stream: int, couplings: int) -> bool:
    n, starts = row.n, row.table[at : at + classes + 1]
    if not _sweeps(row, sweeps, form, stream) or form & ~(SPINS | BY_SWEEP):
        return False
    if not row.places(at, classes + 1 + n, 0, n + 1) or not len(starts):
        return False
    if starts[0] != 0 or starts[-1] != n or (np.diff(starts) < 0).any():
        return False
    floats = sum(rows * columns for rows, columns in layer_shapes(starts))
    return row.places(at + classes + 1, n, 0, n) and couplings + floats <= row.float_constants


def _lattice(row: RowSizes, sweeps: int, form: int) -> bool:
    """True where sites have one field, and temperatures are those of sweeps: words of sites are updated together."""
    a_unit = not form & BY_SWEEP and row.z != 1 and row.z in (row.n, sweeps * row.n)
    return form & LATTICE > 0 and row.y == 1 and not a_unit


GIBBS = Instruction(
    opcode=84,
    name="GIBBS",
    equation="r = x after sweeps: unit i is up where factor (y[i] + sum of J r) > z[i] logit(u), factor 2 for spins; "
    "y is one field or one a unit, z temperatures: one, one a sweep, one a unit, or one of each",
    result=FLOATS,
    operands=(FLOATS, FLOATS, FLOATS),
    parameters={**BOND_TABLES, **SWEEP},
    fits=lambda row, **parameters: _sparse(row, **parameters, shared=False),
    kernel="gibbs.rows.gibbs",
    points=Points(
        rule="gibbs.gibbs",
        phases=lambda row, classes, sweeps, form, **p: 1 + classes * sweeps * (2 if form & AT_ONCE else 1),
        floats=of_result,
    ),
    seconds=2.0,
    traits=TRAITS,
)
GIBBS_WORDS = Instruction(
    opcode=85,
    name="GIBBS_WORDS",
    equation="as GIBBS, where 64 units of a class, or 64 samples of a unit, share the words of their uniforms",
    result=FLOATS,
    operands=(FLOATS, FLOATS, FLOATS),
    parameters={**BOND_TABLES, **SWEEP},
    fits=lambda row, **parameters: _sparse(row, **parameters, shared=True),
    kernel="gibbs.dispatch.words",
    points=Points(
        rule="gibbs.words",
        count=lambda row, sweeps, form, **p: row.n // 128 if _lattice(row, sweeps, form) else row.n,
        phases=lambda row, classes, sweeps, form, **p: classes * sweeps + (2 if _lattice(row, sweeps, form) else 1),
        ints=lambda row, sweeps, form, **p: row.n // 64 + 5 * sweeps if _lattice(row, sweeps, form) else 0,
    ),
    traits=TRAITS | {Trait.ALONE},
)
GIBBS_LAYERS = Instruction(
    opcode=87,
    name="GIBBS_LAYERS",
    equation="as GIBBS, of dense couplings from class to class, laid out as matrices",
    result=FLOATS,
    operands=(FLOATS, FLOATS, FLOATS),
    parameters={"at": "where in the table the classes' first units (classes + 1) and the units class by class stand"}
    | SWEEP,
    fits=_layers,
    kernel="gibbs.dense_layers.gibbs_layers",
    points=Points(
        rule="dense_layers.gibbs_layers",
        phases=lambda row, classes, sweeps, **p: 2 + classes * sweeps,
        ints=lambda row, **p: 1,
    ),
    seconds=7.0,
    traits=TRAITS,
)
