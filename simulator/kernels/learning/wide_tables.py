"""Products of matrices with bits, by tables of the sums of four rows, for two vectors of float32 columns at a time.

As ``gibbs.lookups``, whose sums of bits these are, in other groups: a code is a byte, eight of them are one load, and
each serves two additions, which leaves the processor's loads to the tables.
"""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

FOUR, STATES = 4, 16
"""Bits of a code, and sums of a table."""
LANES = 16
"""Floats of a vector: 64 bytes."""
BAND = 2 * LANES
"""Columns of a band."""
DEEP = 8
"""Tables that a sum passes by in registers, and codes of a load: 16 KiB of them stay in the first cache."""
ROWS = FOUR * DEEP
"""Rows are filled up to a multiple of so many."""
CODE = STATES
"""What a state is multiplied by to be a code: an entry's place in bytes over 8, which addresses multiply by."""

_FLOAT, _INDEX = ir.FloatType(), ir.IntType(64)
_KIND = ir.VectorType(_FLOAT, LANES)


def _data(context, builder, signature, args, position):
    return context.make_array(signature.args[position])(context, builder, args[position]).data


@intrinsic
def tabulate(typingctx, table, to, w, first):
    """Set the table from ``to`` on: entry m is the sum, for both vectors, of the rows of w whose bit of m is set.

    w has rows of ``BAND`` columns, of which the four from place ``first`` on are meant.
    """

    def codegen(context, builder, signature, args):
        entries, weights = (_data(context, builder, signature, args, at) for at in (0, 2))

        def place(base, start, offset):
            where = builder.gep(base, [builder.add(start, ir.Constant(_INDEX, offset))])
            return builder.bitcast(where, _KIND.as_pointer())

        zero = ir.Constant(_KIND, [0.0] * LANES)
        for vector in (0, LANES):
            up = [builder.load(place(weights, args[3], BAND * k + vector), align=4) for k in range(FOUR)]
            # two sums of four, then sixteen of those
            low = [zero, up[0], up[1], builder.fadd(up[0], up[1])]
            high = [zero, up[2], up[3], builder.fadd(up[2], up[3])]
            for m in range(STATES):
                total = builder.fadd(low[m % 4], high[m // 4])
                builder.store(total, place(entries, args[1], BAND * m + vector), align=4)
        return context.get_dummy_value()

    return types.void(table, types.intp, w, types.intp), codegen


@intrinsic
def add_eight(typingctx, r, ro, samples, table, codes, co, cs):
    """Add to r[ro + s BAND ...] the entries of eight tables, in order, that the codes from codes[co + s cs] on name."""

    def codegen(context, builder, signature, args):
        _, ro, samples, _, _, co, cs = args
        byte = ir.IntType(8).as_pointer()
        results = builder.gep(_data(context, builder, signature, args, 0), [ro])
        entries = builder.bitcast(_data(context, builder, signature, args, 3), byte)
        states = builder.gep(_data(context, builder, signature, args, 4), [co])
        with cgutils.for_range(builder, samples) as loop:
            at = builder.gep(results, [builder.mul(loop.index, ir.Constant(_INDEX, BAND))])
            places = [
                builder.bitcast(builder.gep(at, [ir.Constant(_INDEX, v)]), _KIND.as_pointer()) for v in (0, LANES)
            ]
            totals = [builder.load(pointer, align=4) for pointer in places]
            line = builder.bitcast(builder.gep(states, [builder.mul(loop.index, cs)]), _INDEX.as_pointer())
            eight = builder.load(line, align=1)
            for k in range(DEEP):
                state = builder.and_(builder.lshr(eight, ir.Constant(_INDEX, 8 * k)), ir.Constant(_INDEX, 255))
                start = builder.mul(state, ir.Constant(_INDEX, 8))
                for v in (0, 1):
                    offset = builder.add(start, ir.Constant(_INDEX, 4 * (k * STATES * BAND + v * LANES)))
                    entry = builder.bitcast(builder.gep(entries, [offset]), _KIND.as_pointer())
                    totals[v] = builder.fadd(totals[v], builder.load(entry, align=4))
            for total, pointer in zip(totals, places):
                builder.store(total, pointer, align=4)
        return context.get_dummy_value()

    n = types.intp
    return types.void(r, n, n, table, codes, n, n), codegen


@njit(error_model="numpy", nogil=True)
def add_states(r, samples, w, first, groups, codes, co, cs, tables):
    """Add the rows of w whose bits are set to r (samples, BAND); rows start at w[first], codes of s at co + s cs."""
    for group in range(0, groups, DEEP):
        for k in range(DEEP):
            tabulate(tables, k * STATES * BAND, w, first + (group + k) * FOUR * BAND)
        add_eight(r, 0, samples, tables, codes, co + group, cs)


@njit(error_model="numpy", nogil=True)
def add_states_of_columns(r, samples, w, q, rows, groups, codes, tables, square):
    """As ``add_states`` for the transposed matrix: add the rows of its band q whose bits are set to r (samples, BAND).

    w (rows, 4 groups) lies in bands. Squares of it are transposed as they are needed, which costs less than to keep
    both matrices: one fits the second cache.
    """
    for group in range(0, groups, DEEP):
        transpose_square(square, 0, w, (group // DEEP * rows + q * BAND) * BAND)
        for k in range(DEEP):
            tabulate(tables, k * STATES * BAND, square, k * FOUR * BAND)
        add_eight(r, 0, samples, tables, codes, group, groups)


def _exchanged(builder, rows):
    """Return the transposed rows, 16 vectors of 16: step by step, halves of twice the size change places."""
    vector_type = ir.VectorType(ir.IntType(32), LANES)
    for step in (1, 2, 4, 8):
        first = [lane - step + LANES if lane & step else lane for lane in range(LANES)]
        second = [lane + LANES if lane & step else lane + step for lane in range(LANES)]
        for i in range(LANES):
            if not i & step:
                a, b = rows[i], rows[i + step]
                rows[i] = builder.shuffle_vector(a, b, ir.Constant(vector_type, first))
                rows[i + step] = builder.shuffle_vector(a, b, ir.Constant(vector_type, second))
    return rows


@intrinsic
def transpose_square(typingctx, target, to, source, first):
    """Set ``BAND`` rows of ``BAND`` columns, from place ``to`` on, to those from ``first`` on, transposed."""

    def codegen(context, builder, signature, args):
        targets, sources = (_data(context, builder, signature, args, at) for at in (0, 2))

        def place(base, start, offset):
            where = builder.gep(base, [builder.add(start, ir.Constant(_INDEX, offset))])
            return builder.bitcast(where, _KIND.as_pointer())

        for row in (0, LANES):
            for column in (0, LANES):
                pointers = [place(sources, args[3], (row + i) * BAND + column) for i in range(LANES)]
                columns = _exchanged(builder, [builder.load(pointer, align=4) for pointer in pointers])
                for i, vector in enumerate(columns):
                    builder.store(vector, place(targets, args[1], (column + i) * BAND + row), align=4)
        return context.get_dummy_value()

    return types.void(target, types.intp, source, types.intp), codegen
