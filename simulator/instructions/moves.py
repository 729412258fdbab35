"""Instructions that move elements by tables of places: casts, gather and scatter, windowed reductions."""

from __future__ import annotations

from thermoc.simulator.instructions.declaration import Instruction, Points, RowSizes, SlotKind, of_operand

FLOATS, INTS = SlotKind.FLOATS, SlotKind.INTS
I64, I32, BOOL = 0, 1, 2
"""What a cast's integers stand for."""
SUM, MEAN, MAX, MIN, ARGMAX, ARGMIN = range(6)
"""How a window is reduced."""
LONG = 64
"""Elements from which on consecutive windows are a WINDOW_SUM; in REDUCE each addition waits for the last."""
TYPE = {"dtype": "0 for i64, 1 for i32 (wraps), 2 for bool"}
PLACES = {"at": "where the places stand in the table, one an element"}
WINDOWS = {
    "at": "where the windows stand in the table, one behind the other",
    "window": "places in a window",
}


def _cast(row: RowSizes, dtype: int) -> bool:
    return row.x == row.n and dtype <= BOOL


def _gather(row: RowSizes, at: int) -> bool:
    return row.places(at, row.n, -1, row.x)


def _scatter(row: RowSizes, at: int) -> bool:
    # no -1, which stands for a zero that is read: an element must be written somewhere
    return row.places(at, row.x, 0, row.n)


FLOAT_TO_INT = Instruction(
    opcode=50,
    name="FLOAT_TO_INT",
    equation="r[i] = x[i], towards 0; -2^63 for NaN and beyond 64 bits",
    result=INTS,
    operands=(FLOATS,),
    parameters=TYPE,
    fits=_cast,
    kernel="moves.float_to_int",
    points=Points(rule="moves.float_to_int"),
)
INT_TO_INT = Instruction(
    opcode=51,
    name="INT_TO_INT",
    equation="r[i] = x[i], in fewer bits",
    result=INTS,
    operands=(INTS,),
    parameters=TYPE,
    fits=_cast,
    kernel="moves.int_to_int",
    points=Points(rule="moves.int_to_int"),
)
INT_TO_FLOAT = Instruction(
    opcode=52,
    name="INT_TO_FLOAT",
    equation="r[i] = x[i]",
    result=FLOATS,
    operands=(INTS,),
    fits=lambda row: row.x == row.n,
    kernel="moves.to_float",
    points=Points(rule="moves.to_float"),
)
GATHER = Instruction(
    opcode=60,
    name="GATHER",
    equation="r[i] = x[table[at + i]], 0 where the table says -1",
    result=FLOATS,
    operands=(FLOATS,),
    parameters=PLACES,
    fits=_gather,
    kernel="moves.gather",
    points=Points(rule="moves.gather"),
)
INT_GATHER = Instruction(
    opcode=61,
    name="INT_GATHER",
    equation="r[i] = x[table[at + i]], 0 where the table says -1",
    result=INTS,
    operands=(INTS,),
    parameters=PLACES,
    fits=_gather,
    kernel="moves.gather",
    points=Points(rule="moves.gather"),
)
SCATTER = Instruction(
    opcode=62,
    name="SCATTER",
    equation="r[table[at + i]] = x[i]",
    result=FLOATS,
    operands=(FLOATS,),
    parameters=PLACES,
    fits=_scatter,
    kernel="moves.scatter",
    points=Points(rule="moves.scatter", count=of_operand),
)
INT_SCATTER = Instruction(
    opcode=63,
    name="INT_SCATTER",
    equation="r[table[at + i]] = x[i]",
    result=INTS,
    operands=(INTS,),
    parameters=PLACES,
    fits=_scatter,
    kernel="moves.scatter",
    points=Points(rule="moves.scatter", count=of_operand),
)
REDUCE = Instruction(
    opcode=64,
    name="REDUCE",
    equation="r[o] = the reduction over k of x[table[at + o window + k]]; places -1 are left out",
    result=FLOATS,
    operands=(FLOATS,),
    parameters={**WINDOWS, "reduction": "0 sum, 1 mean (over the whole window), 2 maximum, 3 minimum"},
    fits=lambda row, at, window, reduction: row.places(at, row.n * window, -1, row.x) and reduction <= MIN,
    kernel="moves.reduce",
    points=Points(rule="moves.reduce"),
    seconds=0.8,
)
WINDOW_SUM = Instruction(
    opcode=66,
    name="WINDOW_SUM",
    equation="r[o] = sum over k of x[o window + k], as eight sums of every eighth; over the window for a mean",
    result=FLOATS,
    operands=(FLOATS,),
    parameters={"window": "elements of a sum", "mean": "1 for means"},
    fits=lambda row, window, mean: window >= 1 and row.x == row.n * window and mean <= 1,
    kernel="moves.sum_windows",
    points=Points(rule="moves.sum_window"),
    seconds=0.8,
)
WINDOW_DOT = Instruction(
    opcode=67,
    name="WINDOW_DOT",
    equation="r[o] = sum over k of x[o window + k] y[o window + k], products rounded, summed as in WINDOW_SUM",
    result=FLOATS,
    operands=(FLOATS, FLOATS),
    parameters={"window": "products of a sum", "mean": "1 for means"},
    fits=lambda row, window, mean: window >= 1 and row.x == row.y == row.n * window and mean <= 1,
    kernel="moves.dot_windows",
    points=Points(rule="moves.dot_window"),
    seconds=0.8,
)
ARG_REDUCE = Instruction(
    opcode=65,
    name="ARG_REDUCE",
    equation="r[o] = the k of the first maximum or minimum of x[table[at + o window + k]]; the first NaN wins",
    result=INTS,
    operands=(FLOATS,),
    parameters={**WINDOWS, "reduction": "4 maximum, 5 minimum"},
    fits=lambda row, at, window, reduction: (
        # an empty window has no extreme
        window >= 1 and row.places(at, row.n * window, 0, row.x) and reduction in (ARGMAX, ARGMIN)
    ),
    kernel="moves.arg_reduce",
    points=Points(rule="moves.arg_reduce"),
    seconds=0.8,
)
