"""Sums of chosen rows of a matrix, in vectors that stay in registers while the sum runs."""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from thermoc.simulator.kernels.simd.tiles import VECTOR_BYTES, lane_count, lanes_of

WIDE = 16 if VECTOR_BYTES == 64 else 8
"""Vectors of sums at once: half of the processor's registers."""


def chosen_rows(vectors, scalar=False):
    """Return the intrinsic that sums rows of y, in ``vectors`` vectors of columns.

    r[ro + j] = (z[zo + j] + sum over k = chosen[e], e from first to last, of x[xo + k] y[yo + k ys + j]) + 0.0, each
    product entering by one fused operation; the last sum turns -0.0 into 0.0. ``scalar``: a vector is one element.
    """

    @intrinsic
    def sum_rows(typingctx, r, ro, z, zo, x, xo, y, yo, ys, chosen, first, last):
        def codegen(context, builder, signature, args):
            r, ro, z, zo, x, xo, y, yo, ys, chosen, first, last = args
            dtype = signature.args[0].dtype
            real, lanes = context.get_data_type(dtype), 1 if scalar else lanes_of(dtype)
            kind = real if scalar else ir.VectorType(real, lanes)
            name = f"llvm.fma.f{dtype.bitwidth}" if scalar else f"llvm.fma.v{lanes}f{dtype.bitwidth}"
            fma = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind] * 3), name)

            def data(number, value):
                return context.make_array(signature.args[number])(context, builder, value).data

            def vector(base, offset, number):
                place = builder.add(offset, ir.Constant(offset.type, number * lanes))
                return builder.bitcast(builder.gep(base, [place], inbounds=True), kind.as_pointer())

            def spread(value):
                if scalar:
                    return value
                single = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
                zeros = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
                return builder.shuffle_vector(single, ir.Constant(kind, ir.Undefined), zeros)

            align, biases, rows, numbers = dtype.bitwidth // 8, data(2, z), data(6, y), data(4, x)
            # LLVM turns these places on the stack into registers: no phi nodes need be written by hand
            sums = [
                cgutils.alloca_once_value(builder, builder.load(vector(biases, zo, v), align=align))
                for v in range(vectors)
            ]
            entries = data(9, chosen)
            with cgutils.for_range_slice(builder, first, last, ir.Constant(first.type, 1)) as (entry, _):
                k = builder.sext(builder.load(builder.gep(entries, [entry])), xo.type)
                factor = spread(builder.load(builder.gep(numbers, [builder.add(xo, k)])))
                line = builder.add(yo, builder.mul(k, ys))
                for v, total in enumerate(sums):
                    row = builder.load(vector(rows, line, v), align=align)
                    builder.store(builder.call(fma, [factor, row, builder.load(total)]), total)
            zero = ir.Constant(kind, 0.0 if scalar else [0.0] * lanes)
            for v, total in enumerate(sums):
                builder.store(builder.fadd(builder.load(total), zero), vector(data(0, r), ro, v), align=align)
            return context.get_dummy_value()

        place = types.intp
        return types.void(r, place, z, place, x, place, y, place, place, chosen, place, place), codegen

    return sum_rows


sum_wide, sum_four, sum_one, sum_scalar = (
    chosen_rows(WIDE), chosen_rows(4), chosen_rows(1), chosen_rows(1, scalar=True)
)  # fmt: skip


@njit(error_model="numpy", nogil=True)
def sum_chosen(r, z, x, apart, y, columns, chosen, ends):
    """r[i] = (z + sum of x[i, k] y[k] over the k that are chosen for row i) + 0.0, in the order in which they stand.

    chosen[ends[i] : ends[i + 1]] are those of row i. Rows of x lie ``apart`` elements apart, z is one row.
    """
    lanes = lane_count(r)
    width = WIDE * lanes
    if columns < width:
        width = 4 * lanes if columns >= 4 * lanes else lanes if columns >= lanes else 1
    # all rows meet a panel of y before the next one is read
    for start in range(0, columns, width):
        # the last panel overlaps the one before it: its sums are made again, the same
        j = min(start, columns - width)
        for i in range(ends.size - 1):
            out, line, first, last = i * columns + j, i * apart, ends[i], ends[i + 1]
            if width == WIDE * lanes:
                sum_wide(r, out, z, j, x, line, y, j, columns, chosen, first, last)
            elif width == 4 * lanes:
                sum_four(r, out, z, j, x, line, y, j, columns, chosen, first, last)
            elif width == lanes:
                sum_one(r, out, z, j, x, line, y, j, columns, chosen, first, last)
            else:
                sum_scalar(r, out, z, j, x, line, y, j, columns, chosen, first, last)
