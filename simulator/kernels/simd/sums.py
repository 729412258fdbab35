"""Long sums and sums of products, as eight sums of every eighth element in one vector."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils
from numba.extending import intrinsic

SUMS = 8
"""Part of what a sum means: the same on processors whose vectors are shorter."""


def eighths(products):
    """Return the intrinsic that adds up the first ``count`` elements of x from ``start``, ``count`` a multiple of 8.

    Every eighth element enters one of eight sums, which are added in order. With ``products`` the elements are
    those of x y, rounded before they are added.
    """

    @intrinsic
    def total(typingctx, x, y, start, count):
        def codegen(context, builder, signature, args):
            dtype = signature.args[0].dtype
            real, align = context.get_data_type(dtype), dtype.bitwidth // 8
            kind = ir.VectorType(real, SUMS)

            def load(number, place):
                data = context.make_array(signature.args[number])(context, builder, args[number]).data
                at = builder.bitcast(builder.gep(data, [place], inbounds=True), kind.as_pointer())
                return builder.load(at, align=align)

            # LLVM turns this place on the stack into a register: no phi node need be written by hand
            sums = cgutils.alloca_once_value(builder, ir.Constant(kind, [0.0] * SUMS))
            last = builder.add(args[2], args[3])
            with cgutils.for_range_slice(builder, args[2], last, ir.Constant(last.type, SUMS)) as (place, _):
                value = builder.fmul(load(0, place), load(1, place)) if products else load(0, place)
                builder.store(builder.fadd(builder.load(sums), value), sums)
            parts = [builder.extract_element(builder.load(sums), ir.IntType(32)(n)) for n in range(SUMS)]
            whole = parts[0]
            for partial in parts[1:]:
                whole = builder.fadd(whole, partial)
            return whole

        return x.dtype(x, y, start, count), codegen

    return total


sum_eighths: Any = eighths(products=False)
dot_eighths: Any = eighths(products=True)
