"""Products of matrices with units of two levels, by tables of the sums of four rows: additions alone.

Four units are in one of 16 states, so one look-up and one addition do for four of them; a table of 16 sums serves every
sample of a block. Each sum runs in the order of its units, (0 + 1) + (2 + 3) first, whatever samples are beside it.
"""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from thermoc.simulator.instructions.gibbs import COLUMNS, FOUR

VECTOR_BYTES = 64
STATES = 2**FOUR
DEEP = 8
"""Tables that a sum passes by in registers: 8 KiB of them stay in the first cache beside a tile of results."""


def _vectors(context, signature, position):
    """Return the element's type, its bytes and the type of a vector of the elements of an array argument."""
    dtype = signature.args[position].dtype
    lanes = VECTOR_BYTES * 8 // dtype.bitwidth
    return dtype.bitwidth // 8, ir.VectorType(context.get_data_type(dtype), lanes), lanes


def _data(context, builder, signature, position, value):
    return context.make_array(signature.args[position])(context, builder, value).data


@intrinsic
def lanes(typingctx, r):
    """Return the number of elements of a vector of r's."""
    count = VECTOR_BYTES * 8 // r.dtype.bitwidth
    return types.intp(r), lambda context, builder, signature, args: context.get_constant(types.intp, count)


@intrinsic
def tabulate(typingctx, table, to, w, wo, spins):
    """Set 16 vectors of the table from ``to`` on: entry m is the sum of four rows of w, from wo on, whose bit of m is
    set; where ``spins``, less the others. Rows of w lie ``COLUMNS`` apart.
    """

    def codegen(context, builder, signature, args):
        table, to, w, wo, spins = args
        size, kind, wide = _vectors(context, signature, 0)
        entries, weights = (_data(context, builder, signature, at, value) for at, value in ((0, table), (2, w)))

        def place(base, start, offset):
            where = builder.gep(base, [builder.add(start, ir.Constant(start.type, offset))])
            return builder.bitcast(where, kind.as_pointer())

        up = [builder.load(place(weights, wo, COLUMNS * k), align=size) for k in range(FOUR)]
        zero = ir.Constant(kind, [0.0] * wide)
        down = [builder.select(spins, builder.fsub(zero, row), zero) for row in up]

        def pairs(first, second):
            return [builder.fadd((up if m & 1 else down)[first], (up if m & 2 else down)[second]) for m in range(4)]

        # two sums of four, then sixteen of those: 24 additions in the place of 48
        low, high = pairs(0, 1), pairs(2, 3)
        for m in range(STATES):
            builder.store(builder.fadd(low[m % 4], high[m // 4]), place(entries, to, wide * m), align=size)
        return context.get_dummy_value()

    return types.void(table, types.intp, w, types.intp, types.boolean), codegen


def adder(tables):
    """Return the intrinsic that adds, for each sample, the entry of its state in each of some tables to its vector.

    r[ro + s lanes ...] += table[k][codes[co + s cs + k]], k in order; a code is the entry's offset in bytes.
    """

    @intrinsic
    def add(typingctx, r, ro, samples, table, to, codes, co, cs):
        def codegen(context, builder, signature, args):
            r, ro, samples, table, to, codes, co, cs = args
            size, kind, wide = _vectors(context, signature, 0)
            byte, index = ir.IntType(8).as_pointer(), samples.type
            results = _data(context, builder, signature, 0, r)
            first = builder.gep(_data(context, builder, signature, 3, table), [to])
            entries, states = builder.bitcast(first, byte), _data(context, builder, signature, 5, codes)
            with cgutils.for_range(builder, samples) as loop:
                at = builder.add(ro, builder.mul(loop.index, ir.Constant(index, wide)))
                target = builder.bitcast(builder.gep(results, [at]), kind.as_pointer())
                # the sum stays in a register while it passes eight tables: memory is met once
                total = builder.load(target, align=size)
                line = builder.add(co, builder.mul(loop.index, cs))
                for k in range(tables):
                    state = builder.load(builder.gep(states, [builder.add(line, ir.Constant(index, k))]))
                    # codes are offsets in bytes, at most 15 * 64: a code takes two bytes, a look-up no product
                    offset = builder.add(builder.zext(state, index), ir.Constant(index, k * STATES * VECTOR_BYTES))
                    entry = builder.bitcast(builder.gep(entries, [offset]), kind.as_pointer())
                    total = builder.fadd(total, builder.load(entry, align=size))
                builder.store(total, target, align=size)
            return context.get_dummy_value()

        integer = types.intp
        return types.void(r, integer, integer, table, integer, codes, integer, integer), codegen

    return add


add_eight, add_one = adder(DEEP), adder(1)


@njit(error_model="numpy", nogil=True)
def add_states(r, samples, w, wo, groups, spins, codes, co, cs, tables):
    """Add the rows of units that are up to a vector of each sample; rows lie ``COLUMNS`` apart from w[wo] on.

    codes: (samples, cs), of which ``groups`` from co on are met; tables: scratch memory for ``DEEP`` of them.
    """
    size = STATES * lanes(r)
    for first in range(0, groups, DEEP):
        deep = min(DEEP, groups - first)
        for k in range(deep):
            tabulate(tables, k * size, w, wo + (first + k) * FOUR * COLUMNS, spins)
        if deep == DEEP:
            add_eight(r, 0, samples, tables, 0, codes, co + first, cs)
        else:
            # the remaining tables one at a time, in the same order: the sum does not depend on how they are grouped
            for k in range(deep):
                add_one(r, 0, samples, tables, k * size, codes, co + first + k, cs)
