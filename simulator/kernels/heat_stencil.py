"""Explicit steps of the heat equation on a grid, several at a time while a panel of rows is in the cache (P19).

A step of a cell is T' = fma(F, fma(-4, T, (above + below) + (left + right)), T): its bits depend on no order of cells.
"""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

from typing import NamedTuple

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy import empty

from thermoc.simulator.kernels.scalar.primitives import fma
from thermoc.simulator.kernels.simd.tiles import lane_count, lanes_of

DEPTH = 16
"""Steps that a panel is taken on before it is left."""
PANEL = 2048
"""Columns of a panel: three rows of each of its steps should fit a second-level cache, with much to spare."""


class Border(NamedTuple):
    """What lies beyond the grid: sign times the cell at the border plus ``offset``."""

    sign: float
    offset: float


class Panel(NamedTuple):
    """Rows and columns of the grid that are to be known after so many steps: from first to last, from left to right."""

    first: int
    last: int
    left: int
    right: int


@njit(error_model="numpy", nogil=True)
def step_row(result, above, below, before, middle, behind, fourier):
    """Some cells of a row after one step, from those around them: views, so that no index can be negative."""
    four, vectors = result.dtype.type(-4), result.size // lane_count(result)
    step_vectors(result, above, below, before, middle, behind, fourier, vectors)
    for j in range(vectors * lane_count(result), result.size):
        around = (above[j] + below[j]) + (before[j] + behind[j])
        result[j] = fma(fourier, fma(four, middle[j], around), middle[j])


@intrinsic
def step_vectors(typingctx, result, above, below, before, middle, behind, fourier, vectors):
    """``step_row`` of so many vectors, as wide as the processor's registers: a compiler would take half of them."""

    def codegen(context, builder, signature, args):
        real = signature.args[0].dtype
        kind = ir.VectorType(context.get_data_type(real), lanes_of(real))
        rows = [context.make_array(signature.args[k])(context, builder, args[k]).data for k in range(6)]

        name = f"llvm.fma.v{kind.count}f{real.bitwidth}"
        fma = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind] * 3), name)

        def at(row, place):
            return builder.bitcast(builder.gep(row, [place]), kind.as_pointer())

        def spread(value):
            first = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
            zeros = ir.Constant(ir.VectorType(ir.IntType(32), kind.count), None)
            return builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), zeros)

        fourier, four = spread(args[6]), ir.Constant(kind, [-4.0] * kind.count)
        with cgutils.for_range(builder, args[7]) as loop:
            place = builder.mul(loop.index, ir.Constant(ir.IntType(64), kind.count))
            up, down, left, centre, right = (builder.load(at(row, place), align=real.bitwidth // 8) for row in rows[1:])
            around = builder.fadd(builder.fadd(up, down), builder.fadd(left, right))
            after = builder.call(fma, [fourier, builder.call(fma, [four, centre, around]), centre])
            builder.store(after, at(rows[0], place), align=real.bitwidth // 8)
        return context.get_dummy_value()

    row = result
    return types.void(row, row, row, row, row, row, result.dtype, types.intp), codegen


@njit(error_model="numpy", nogil=True)
def mirror(result, row, border):
    """result = what lies beyond a row at the border."""
    for j in range(row.size):
        result[j] = fma(border.sign, row[j], border.offset)


@njit(error_model="numpy", nogil=True)
def close(row, start, end, width, shift, border):
    """Set the cells beyond the ends of a row that is known from column ``start`` to ``end`` of ``width``."""
    if start == 0:
        row[-1 - shift] = fma(border.sign, row[-shift], border.offset)
    if end == width:
        row[width - shift] = fma(border.sign, row[width - 1 - shift], border.offset)


@njit(error_model="numpy", nogil=True)
def advance_panel(result, T, panel, steps, fourier, border):
    """result = T (rows, columns) after so many steps, in a panel; cells around it are stepped beside it.

    The steps run down the rows as waves, each two rows behind the one before: three rows of each are kept.
    """
    rows, columns = T.shape
    left, right = max(0, panel.left - steps), min(columns, panel.right + steps)
    shift = left - 1
    window = empty((steps + 1, 3, right - left + 2), T.dtype)
    beyond = empty((2, right - left + 2), T.dtype)
    for i in range(max(0, panel.first - steps), min(rows, panel.last + steps) + steps):
        if i < rows:
            row = window[0, i % 3]
            row[1 : right - left + 1] = T[i, left:right]
            close(row, left, right, columns, shift, border)
        for s in range(1, steps + 1):
            q, slack = i - s, steps - s
            if q < max(0, panel.first - slack) or q >= min(rows, panel.last + slack):
                continue
            previous = window[s - 1]
            middle, above, below = previous[q % 3], previous[(q - 1) % 3], previous[(q + 1) % 3]
            if q == 0:
                mirror(beyond[0], middle, border)
                above = beyond[0]
            if q == rows - 1:
                mirror(beyond[1], middle, border)
                below = beyond[1]
            start, end = max(0, panel.left - slack), min(columns, panel.right + slack)
            at, to = start - shift, end - shift
            before, after = middle[at - 1 : to - 1], middle[at + 1 : to + 1]
            step_row(window[s, q % 3, at:to], above[at:to], below[at:to], before, middle[at:to], after, fourier)
            close(window[s, q % 3], start, end, columns, shift, border)
            if s == steps:
                result[q, panel.left : panel.right] = window[s, q % 3, panel.left - shift : panel.right - shift]


@njit(error_model="numpy", nogil=True)
def advance_rows(result, T, first, last, steps, fourier, border, halt):
    """result = T after so many steps, in rows from first to last; ``halt[0]`` ends it early."""
    columns = T.shape[1]
    for left in range(0, columns, PANEL):
        if halt[0]:
            return
        panel = Panel(first, last, left, min(left + PANEL, columns))
        advance_panel(result, T, panel, steps, fourier, border)
