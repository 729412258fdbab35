"""Populations of spiking units in place, spikes as lists, products that walk the spikes.

A list holds how many units fired and then which, in rising order.
"""

from __future__ import annotations

from thermoc.simulator.instructions.declaration import Instruction, Points, RowSizes, SlotKind, Trait
from thermoc.simulator.instructions.lists import LANES, LIST_PHASES, NO_PLACES, by_target, list_scratch

FLOATS, INTS, MAYBE = SlotKind.FLOATS, SlotKind.INTS, SlotKind.MAYBE_FLOATS
CHUNK = 512
"""Units that are looked at together; parameters of each unit lie so far apart."""
UNIT_PARAMETERS = 5
"""Of a population: keep, gain, offset, threshold, v_reset."""
GREATER_EQUAL, SUBTRACT = 1, 2
"""The form of LIF_STEP, in bits."""
LONGEST_REST = 2**16 - 2
"""Ticks that a unit can rest: they are counted in 16 bits, whose last number is a mark."""
MATRIX = {
    "rows": "rows of x and r",
    "inner": "columns of x, rows of y",
    "columns": "columns of y and r, elements of z",
    "finite": "1 where y is known to hold finite numbers alone, which need not be looked for then",
}
FEW = 0.2
"""Share of units that fire up to which a product with a whole matrix goes by events: there both ways take as long."""
COLUMNS = {
    "starts": "where in the table the ends of the columns stand",
    "targets": "where in the table the row of each entry stands",
    "into": "1 where r holds a sum already, and there is no z",
}


def words(units: int) -> int:
    """Return how many words hold the counts of so many units, four a word."""
    return (units + 3) // 4


def _columns(row: RowSizes, columns: int, starts: int, targets: int, into: int) -> bool:
    if row.z not in (-1, row.n) or into > 1 or columns < 0 or not row.offsets(starts, columns, row.table.size):
        return False
    entries = int(row.table[starts + columns])
    # offsets never fall, so that the end of the last column bounds every entry
    return (row.x == 1 or entries <= row.x) and row.places(targets, entries, 0, row.n)


def _spike_matmul(row: RowSizes, spikes: int, rows: int, inner: int, columns: int, finite: int) -> bool:
    sizes = (spikes, row.y, row.n) == (rows * inner, inner * columns, rows * columns)
    return sizes and row.z in (-1, columns) and min(inner, columns) >= 1 and finite <= 1


def _lif_step(row: RowSizes, membranes: int, counters: int, form: int, refractory: int) -> bool:
    units = row.n - 1
    parameters = row.z in (UNIT_PARAMETERS, UNIT_PARAMETERS * CHUNK * max(1, -(-units // CHUNK)))
    rests = refractory == 0 or (refractory <= LONGEST_REST and counters + words(units) <= row.int_states)
    states = membranes + units <= row.float_states and rests
    return units >= 0 and row.x == row.y == units and parameters and states and form < 4


SPARSE_COLUMNS = Instruction(
    opcode=72,
    name="SPARSE_COLUMNS",
    equation="r = z; r[table[targets + e]] += x[e] y[j] over the entries e of each column j where y[j] is not 0; x may "
    "be one number for all entries",
    result=FLOATS,
    operands=(FLOATS, FLOATS, MAYBE),
    parameters=COLUMNS,
    fits=lambda row, **parameters: _columns(row, row.y, **parameters),
    kernel="spiking.columns",
    points=Points(rule="spiking.columns", index=lambda row, **p: by_target(row, row.y, **p)),
    seconds=0.5,
    traits=frozenset({Trait.IN_PLACE}),
)
SPARSE_LIST = Instruction(
    opcode=73,
    name="SPARSE_LIST",
    equation="r = z; r[table[targets + e]] += x[e] over the entries e of each column that the list y names",
    result=FLOATS,
    operands=(FLOATS, INTS, MAYBE),
    parameters=COLUMNS,
    fits=lambda row, **parameters: _columns(row, row.y - 1, **parameters),
    kernel="spiking.listed_columns",
    points=Points(
        rule="spiking.listed_columns",
        count=lambda row, **p: max(row.n, row.y - 1, LANES),
        phases=lambda row, **p: 3,
        ints=lambda row, **p: row.n if row.x == 1 else row.y - 1,
        # equal weights are counted, in any order
        index=lambda row, **p: NO_PLACES if row.x == 1 else by_target(row, row.y - 1, **p),
    ),
    seconds=0.5,
    traits=frozenset({Trait.IN_PLACE}),
)
TRACE_STEP = Instruction(
    opcode=74,
    name="TRACE_STEP",
    equation="r = y r + x in place, r a state; x may be absent, y is one number or one a unit",
    result=FLOATS,
    operands=(MAYBE, FLOATS),
    fits=lambda row: row.in_state and row.x in (-1, row.n) and row.one_or_each(row.y, row.n),
    kernel="populations.trace_step",
    points=Points(rule="spiking.trace_step"),
    seconds=0.5,
    traits=frozenset({Trait.IN_PLACE, Trait.STEPS, Trait.PER_TICK}),
)
LIF_STEP = Instruction(
    opcode=77,
    name="LIF_STEP",
    equation="v = keep v + gain (x + y) + offset; r = the list of units that pass their threshold and are reset; z: "
    "keep, gain, offset, threshold, v_reset, one of each or 512 of each by chunks of units",
    result=INTS,
    operands=(FLOATS, FLOATS, FLOATS),
    parameters={
        "membranes": "where among the float states v stands",
        "counters": "where among the integer states the ticks stand that units still rest, four a word",
        "form": "bits: 1 fires at the threshold too, 2 subtract it",
        "refractory": "ticks that a unit rests after a spike",
    },
    fits=_lif_step,
    kernel="populations.lif_step",
    points=Points(
        rule="spiking.lif_step",
        count=lambda row, **p: max(1, row.n - 1),
        phases=lambda row, **p: LIST_PHASES,
        ints=lambda row, **p: list_scratch(row.n - 1),
    ),
    seconds=3.0,
    traits=frozenset({Trait.STEPS, Trait.PER_TICK}),
)
SPREAD = Instruction(
    opcode=76,
    name="SPREAD",
    equation="r[i] = 1 where the list x names i, else 0",
    result=FLOATS,
    operands=(INTS,),
    fits=lambda row: row.x == row.n + 1,
    kernel="populations.spread",
    points=Points(rule="lists.spread", phases=lambda row: 2),
    traits=frozenset({Trait.PER_TICK}),
)
SPIKE_MATMUL = Instruction(
    opcode=78,
    name="SPIKE_MATMUL",
    equation="r = z + x y, rows of spikes x (rows, inner) by a matrix y (inner, columns), summed by fma in the order "
    "of the units; no sum is -0.0",
    result=FLOATS,
    operands=(FLOATS, FLOATS, MAYBE),
    parameters=MATRIX,
    fits=lambda row, **parameters: _spike_matmul(row, row.x, **parameters),
    kernel="spike_matmul.spike_matmul",
    points=Points(rule="products.spike_matmul"),
    seconds=4.0,
)
LISTED_MATMUL = Instruction(
    opcode=79,
    name="LISTED_MATMUL",
    equation="as SPIKE_MATMUL for one row of spikes, of which x is the list",
    result=FLOATS,
    operands=(INTS, FLOATS, MAYBE),
    parameters=MATRIX,
    fits=lambda row, **parameters: parameters["rows"] == 1 and _spike_matmul(row, row.x - 1, **parameters),
    kernel="spike_matmul.listed_matmul",
    points=Points(rule="products.listed_matmul"),
    seconds=4.0,
)
