"""64 bytes as a vector: the fields of a block of spins against the limits that their random bytes set."""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

BLOCK = 64
"""Spins of a block: the bits of a word. Narrower processors take such a vector in parts."""
_BYTE = ir.IntType(8)
_BYTES = ir.VectorType(_BYTE, BLOCK)


def _spread(builder, value):
    first = builder.insert_element(ir.Constant(_BYTES, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), BLOCK), None)
    return builder.shuffle_vector(first, ir.Constant(_BYTES, ir.Undefined), zeros)


@intrinsic
def up_bits(typingctx, fields, start, noise, first, heights, values, count):
    """Return two words: whose spins go up for sure, and whose may.

    With b the random byte of a spin of field f, and H the first digit (256 P) of the probability P that it goes up: for
    sure where b < H(f), perhaps where b = H(f). heights (uint8) are the digits, values (int8) the least fields that
    have them, from the greatest down, ``count`` of both. Fields: int8; noise: words of 64 bits, eight a block.
    """

    def codegen(context, builder, signature, args):
        fields, start, noise, first, heights, values, count = args

        def data(number, value):
            return context.make_array(signature.args[number])(context, builder, value).data

        def vector(number, value, place):
            return builder.load(
                builder.bitcast(builder.gep(data(number, value), [place]), _BYTES.as_pointer()), align=1
            )

        f, b = vector(0, fields, start), vector(2, noise, first)
        never, always = ir.Constant(_BYTES, [127] * BLOCK), ir.Constant(_BYTES, [-128] * BLOCK)
        sure = cgutils.alloca_once_value(builder, never)
        zero = builder.icmp_unsigned("==", b, ir.Constant(_BYTES, None))
        perhaps = cgutils.alloca_once_value(builder, builder.select(zero, always, never))
        digits, limits = data(4, heights), data(5, values)
        with cgutils.for_range(builder, count) as loop:
            height = _spread(builder, builder.load(builder.gep(digits, [loop.index])))
            limit = _spread(builder, builder.load(builder.gep(limits, [loop.index])))
            below, most = builder.icmp_unsigned("<", b, height), builder.icmp_unsigned("<=", b, height)
            builder.store(builder.select(below, limit, builder.load(sure)), sure)
            builder.store(builder.select(most, limit, builder.load(perhaps)), perhaps)
        word = ir.IntType(BLOCK)
        bits = [builder.bitcast(builder.icmp_signed(">=", f, builder.load(limit)), word) for limit in (sure, perhaps)]
        return context.make_tuple(builder, signature.return_type, bits)

    place = types.intp
    return types.UniTuple(types.uint64, 2)(fields, place, noise, place, heights, values, place), codegen
