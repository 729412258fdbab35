"""Sums of the rows whose digits are not zero, in the order of the rows: variances of readings of one bit."""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from thermoc.simulator.kernels.simd.tiles import lanes_of

WIDTH = 32
"""Columns of a tile: with 128 rows of float64 it fits a first-level cache."""


@intrinsic
def sum_rows(typingctx, v, at, cells, rows, first, count):
    """v[at : at + WIDTH] = the sum of so many rows of the cells (rows, WIDTH), in their order."""

    def codegen(context, builder, signature, args):
        kind = context.get_data_type(signature.args[0].dtype)
        lanes, size = lanes_of(signature.args[0].dtype), signature.args[0].dtype.bitwidth // 8
        vector = ir.VectorType(kind, lanes)
        result, tile, numbers = (
            context.make_array(signature.args[k])(context, builder, args[k]).data for k in (0, 2, 3)
        )
        places = [ir.Constant(ir.IntType(64), k) for k in range(0, WIDTH, lanes)]

        def at(base, start, place):
            return builder.bitcast(builder.gep(base, [builder.add(start, place)]), vector.as_pointer())

        totals = [cgutils.alloca_once_value(builder, ir.Constant(vector, [0.0] * lanes)) for _ in places]
        for total in totals:
            builder.store(ir.Constant(vector, [0.0] * lanes), total)
        with cgutils.for_range(builder, args[5]) as loop:
            number = builder.load(builder.gep(numbers, [builder.add(args[4], loop.index)]))
            start = builder.mul(builder.zext(number, ir.IntType(64)), ir.Constant(ir.IntType(64), WIDTH))
            for total, place in zip(totals, places):
                row = builder.load(at(tile, start, place), align=size)
                builder.store(builder.fadd(builder.load(total), row), total)
        for total, place in zip(totals, places):
            builder.store(builder.load(total), at(result, args[1], place), align=size)
        return context.get_dummy_value()

    index = types.intp
    return types.void(v, index, cells, rows, index, index), codegen
