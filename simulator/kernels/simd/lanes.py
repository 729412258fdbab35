"""Vectors of 64-bit words as values of compiled code: one word a lane, as wide as the processor's registers.

Plain loops over arrays leave what they compute in memory between one loop and the next; a kernel written over lanes
keeps it in registers. The text is that of one word: ``(a & b) ^ (c >> n)``. Every width gives the same words.
"""

# pyright: reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportOptionalCall=false, reportPossiblyUnboundVariable=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

import operator
import platform

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, lower_cast, register_model

from thermoc.simulator.kernels.simd.tiles import VECTOR_BYTES
from thermoc.support.philox import MASK, MULTIPLIERS, ROUNDS, WEYL

LANES = VECTOR_BYTES // 8
_WORD, _VECTOR = ir.IntType(64), ir.VectorType(ir.IntType(64), LANES)
_HALVES = _INDEX = ir.VectorType(ir.IntType(32), 2 * LANES)


class Lanes(types.Type):
    """The type of a vector; a lone word stands for a vector of equals."""

    def __init__(self):
        super().__init__(name=f"lanes{LANES}")


lanes = Lanes()


@register_model(Lanes)
class _Model(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, _VECTOR)


def _spread(builder, value):
    kind = ir.VectorType(value.type, LANES)
    # LLVM knows this pair as one broadcast
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), None)
    return builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), zeros)


@lower_cast(types.uint64, Lanes)
def _cast(context, builder, given, wanted, value):
    return _spread(builder, value)


def _operator(function, method):
    @infer_global(function)
    class Template(AbstractTemplate):
        def generic(self, args, kws):
            if len(args) == 2 and lanes in args and all(arg in (lanes, types.uint64) for arg in args):
                return signature(lanes, lanes, lanes)
            return None

    @lower_builtin(function, lanes, lanes)
    def lower(context, builder, sig, args):
        return getattr(builder, method)(*args)


for _function, _method in (
    (operator.add, "add"),
    (operator.sub, "sub"),
    (operator.mul, "mul"),
    (operator.and_, "and_"),
    (operator.or_, "or_"),
    (operator.xor, "xor"),
    (operator.lshift, "shl"),
    (operator.rshift, "lshr"),
):
    _operator(_function, _method)


@infer_global(operator.invert)
class _Invert(AbstractTemplate):
    def generic(self, args, kws):
        return signature(lanes, lanes) if args == (lanes,) else None


@lower_builtin(operator.invert, lanes)
def _invert(context, builder, sig, args):
    return builder.not_(args[0])


def _pointer(context, builder, kind, array, place):
    """Return a pointer to the elements of a one-dimensional array from a place on, and the bytes of one."""
    start = builder.gep(context.make_array(kind)(context, builder, array).data, [place])
    vector = ir.VectorType(context.get_data_type(kind.dtype), LANES)
    return builder.bitcast(start, vector.as_pointer()), kind.dtype.bitwidth // 8


@intrinsic
def load(typingctx, words, place):
    """Return words of an array, from a place on."""

    def codegen(context, builder, sig, args):
        pointer, size = _pointer(context, builder, sig.args[0], *args)
        # aligned as an element is: a place need not be a whole number of vectors from the start
        return builder.load(pointer, align=size)

    return lanes(words, types.intp), codegen


@intrinsic
def store(typingctx, words, place, value):
    """Set words of an array, from a place on."""

    def codegen(context, builder, sig, args):
        pointer, size = _pointer(context, builder, sig.args[0], *args[:2])
        builder.store(args[2], pointer, align=size)
        return context.get_dummy_value()

    return types.void(words, types.intp, lanes), codegen


@intrinsic
def element(typingctx, numbers, place):
    """Return an element of an array: ``numbers[place]`` without the test for places that count from the end."""

    def codegen(context, builder, sig, args):
        start = builder.gep(context.make_array(sig.args[0])(context, builder, args[0]).data, [args[1]])
        return builder.load(start)

    return numbers.dtype(numbers, types.intp), codegen


@intrinsic
def spread(typingctx, word):
    """Return a vector of equals."""
    return lanes(types.uint64), lambda context, builder, sig, args: _spread(builder, args[0])


@intrinsic
def count_up(typingctx):
    """Return 0, 1, 2, ..."""
    return lanes(), lambda context, builder, sig, args: ir.Constant(_VECTOR, list(range(LANES)))


@intrinsic
def positive(typingctx, numbers, place):
    """Return all ones where a float of an array, from a place on, is above 0."""

    def codegen(context, builder, sig, args):
        pointer, size = _pointer(context, builder, sig.args[0], *args)
        numbers = builder.load(pointer, align=size)
        # an ordered comparison: a NaN is not above 0
        return builder.sext(builder.fcmp_ordered(">", numbers, ir.Constant(numbers.type, None)), _VECTOR)

    return lanes(numbers, types.intp), codegen


@intrinsic
def levels(typingctx, numbers, place, bits, low):
    """Set floats of an array, from a place on: 1 where the last bit of a word is 1, else ``low``."""

    def codegen(context, builder, sig, args):
        pointer, size = _pointer(context, builder, sig.args[0], *args[:2])
        up = builder.trunc(args[2], ir.VectorType(ir.IntType(1), LANES))
        unity = _spread(builder, ir.Constant(args[3].type, 1))
        builder.store(builder.select(up, unity, _spread(builder, args[3])), pointer, align=size)
        return context.get_dummy_value()

    return types.void(numbers, types.intp, lanes, numbers.dtype), codegen


@intrinsic
def store_uniforms(typingctx, numbers, place, words):
    """Set floats of an array, from a place on, to uniforms in (0, 1) of the first 52 or 23 bits of words."""

    def codegen(context, builder, sig, args):
        pointer, size = _pointer(context, builder, sig.args[0], *args[:2])
        kind, digits = pointer.type.pointee, {8: 52, 4: 23}[size]
        bits = ir.VectorType(ir.IntType(8 * size), LANES)
        fraction = builder.lshr(args[2], ir.Constant(_VECTOR, [64 - digits] * LANES))
        fraction = fraction if size == 8 else builder.trunc(fraction, bits)
        # behind the exponent of 1 it is a float in [1, 2), without a conversion; the difference is exact
        exponent = (2 ** (8 * size - digits - 2) - 1) << digits
        number = builder.bitcast(builder.or_(fraction, ir.Constant(bits, [exponent] * LANES)), kind)
        difference = builder.fsub(number, ir.Constant(kind, [1 - 2.0 ** (-digits - 1)] * LANES))
        builder.store(difference, pointer, align=size)
        return context.get_dummy_value()

    return types.void(numbers, types.intp, lanes), codegen


@intrinsic
def flags(typingctx, value):
    """Return one word: its bits tell which lanes are not 0."""

    def codegen(context, builder, sig, args):
        bits = builder.icmp_unsigned("!=", args[0], ir.Constant(_VECTOR, None))
        return builder.zext(builder.bitcast(bits, ir.IntType(LANES)), _WORD)

    return types.uint64(lanes), codegen


def ternary(table, formula):
    """Return the intrinsic of a function of three words: bit 4 a + 2 b + c of the table is its value for bits a, b, c.

    formula: the same for the builder, where there is no instruction for it. LLVM does not find it by itself.
    """

    @intrinsic
    def function(typingctx, a, b, c):
        def codegen(context, builder, sig, args):
            if LANES < 8:
                return formula(builder, *args)
            number = ir.Constant(ir.IntType(32), table)
            kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3 + [number.type])
            name = "llvm.x86.avx512.pternlog.q.512"
            return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [*args, number])

        return lanes(lanes, lanes, lanes), codegen

    return function


def _choose(builder, a, b, c):
    return builder.or_(builder.and_(a, b), builder.and_(builder.not_(a), c))


def _majority(builder, a, b, c):
    return builder.or_(builder.and_(a, b), builder.and_(builder.xor(a, b), c))


choose = ternary(0b11001010, _choose)
"""b where a is 1, else c."""
majority = ternary(0b11101000, _majority)
"""What most of a, b and c are."""
parity = ternary(0b10010110, lambda builder, a, b, c: builder.xor(builder.xor(a, b), c))
"""a ^ b ^ c."""


@intrinsic
def ones(typingctx, word):
    """Return how many bits of a word are 1."""

    def codegen(context, builder, sig, args):
        return builder.ctpop(args[0])

    return types.intp(types.uint64), codegen


@intrinsic
def pick(typingctx, words, place, value, some):
    """Set words of an array, from a place on, to the lanes of a value that ``flags`` names; those behind are spoilt."""

    def codegen(context, builder, sig, args):
        pointer, size = _pointer(context, builder, sig.args[0], *args[:2])
        bits = ir.IntType(LANES)
        mask = builder.bitcast(builder.trunc(args[3], bits), ir.VectorType(ir.IntType(1), LANES))
        if LANES < 8:
            name, kind = f"llvm.masked.compressstore.v{LANES}i64", [_VECTOR, pointer.type, mask.type]
            function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.VoidType(), kind), name)
            builder.call(function, [args[2], pointer, mask])
            return context.get_dummy_value()
        name, kind = f"llvm.x86.avx512.mask.compress.v{LANES}i64", [_VECTOR, _VECTOR, mask.type]
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(_VECTOR, kind), name)
        # all lanes are stored: some processors take very long to store those of a mask
        builder.store(builder.call(function, [args[2], ir.Constant(_VECTOR, None), mask]), pointer, align=size)
        return context.get_dummy_value()

    return types.void(words, types.intp, lanes, types.uint64), codegen


def _together(builder, values):
    """Return the values, all of which are computed before any is used.

    LLVM would rather make each next to its use, one after the other, and the processor wait for each product.
    """
    if platform.machine() not in ("x86_64", "AMD64"):
        return values
    kinds, n = [_VECTOR] * len(values), len(values)
    register = "v" if LANES == 8 else "x"
    constraint = ",".join([f"={register}"] * n + [str(k) for k in range(n)])
    nothing = ir.InlineAsm(ir.FunctionType(ir.LiteralStructType(kinds), kinds), "", constraint, side_effect=True)
    all_of_them = builder.call(nothing, values)
    return [builder.extract_value(all_of_them, k) for k in range(n)]


def blocks(count):
    """Return the intrinsic that makes ``count`` Philox blocks a lane, of draws in a row, and returns their halves.

    (element, tick, draw, stream, k0, k1) -> the first two words of each block as one, then the last two. All blocks go
    from round to round in step, so that some compute while others wait. Only the low halves of words count.
    """

    @intrinsic
    def philox(typingctx, element, tick, draw, stream, k0, k1):
        def codegen(context, builder, sig, args):
            def both(value, number):
                return _spread(builder, builder.add(value, ir.Constant(_WORD, number)))

            def product(a, b):
                # both factors below 2^32: LLVM sees that and takes the multiplication of 32-bit halves, which AVX2 has
                low = builder.and_(a, ir.Constant(_VECTOR, [MASK] * LANES))
                return builder.mul(low, ir.Constant(_VECTOR, [b] * LANES))

            def upper(value):
                # by shuffles, here and below: of shifted products LLVM makes products of 64 bits, three times as dear
                pairs = builder.bitcast(value, _HALVES)
                odd = [k | 1 for k in range(2 * LANES)]
                return builder.bitcast(builder.shuffle_vector(pairs, pairs, ir.Constant(_INDEX, odd)), _VECTOR)

            def raised(value):
                pairs, nothing = builder.bitcast(value, _HALVES), ir.Constant(_HALVES, None)
                order = [k - 1 if k % 2 else 2 * LANES for k in range(2 * LANES)]
                return builder.bitcast(builder.shuffle_vector(pairs, nothing, ir.Constant(_INDEX, order)), _VECTOR)

            element, tick, draw, stream, k0, k1 = args
            tick, stream = _spread(builder, tick), _spread(builder, stream)
            states = [(element, tick, both(draw, k), stream) for k in range(count)]
            for r in range(ROUNDS):
                # sums of keys run over into the high halves, which no product looks at
                keys = both(k0, r * WEYL[0]), both(k1, r * WEYL[1])
                products = [(product(c0, MULTIPLIERS[0]), product(c2, MULTIPLIERS[1])) for c0, _, c2, _ in states]
                if r == ROUNDS - 1:
                    break
                states = [
                    (
                        builder.xor(upper(p1), builder.xor(c1, keys[0])),
                        p1,
                        builder.xor(upper(p0), builder.xor(c3, keys[1])),
                        p0,
                    )
                    for (p0, p1), (_, c1, _, c3) in zip(products, states)
                ]
            position = []
            for (p0, p1), (_, c1, _, c3) in zip(products, states):
                # a product holds both halves of the result: only its high one is still to be mixed with counter and key
                for p, c, key in ((p1, c1, keys[0]), (p0, c3, keys[1])):
                    position.append(builder.xor(builder.xor(p, raised(c)), raised(key)))
            return context.make_tuple(builder, sig.return_type, _together(builder, position))

        word = types.uint64
        return types.UniTuple(lanes, 2 * count)(lanes, word, word, word, word, word), codegen

    return philox
