"""Words of 64 bits: what many threads may do to one, and what is known of its bits."""

# pyright: reportCallIssue=false

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


@intrinsic
def atomic_add(typingctx, array, place, number):
    """Add a number to an element of an array of integers, which others may do at the same time."""

    def codegen(context, builder, signature, args):
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        builder.atomic_rmw("add", builder.gep(data, [args[1]]), args[2], "monotonic")
        return context.get_dummy_value()

    return types.void(array, types.intp, array.dtype), codegen


@intrinsic
def bit_count(typingctx, word):
    """Return how many bits of a word are 1."""
    return types.int64(types.int64), lambda context, builder, signature, args: builder.ctpop(args[0])


@intrinsic
def first_bit(typingctx, word):
    """Return the place of the lowest bit of a word that has one."""

    def codegen(context, builder, signature, args):
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), codegen


@intrinsic
def wide_product(typingctx, a, b):
    """Return the product of two words of 32 bits."""

    def codegen(context, builder, signature, args):
        word = ir.IntType(64)
        if builder.module.triple.startswith("nvptx"):
            # one instruction; LLVM would widen all that leads there to 64 bits
            kind = ir.FunctionType(word, [ir.IntType(32)] * 2)
            return builder.call(ir.InlineAsm(kind, "mul.wide.u32 $0, $1, $2;", "=l,r,r"), args)
        return builder.mul(*(builder.zext(value, word) for value in args))

    return types.uint64(types.uint32, types.uint32), codegen
