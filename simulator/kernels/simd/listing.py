"""Lists of the places at which a number of an array passes a comparison, in rising order."""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 8


def _append(compare):
    """Return the intrinsic that appends places to a list where numbers compare so with a limit; it returns how many.

    (list, place in it, array, place in it, number of that place, limit): LANES numbers are compared.
    """

    @intrinsic
    def append(typingctx, list_, filled, x, first, number, limit):
        def codegen(context, builder, signature, args):
            list_, filled, x, first, number, limit = args
            items, numbers = signature.args[0].dtype, signature.args[2].dtype
            item, real = context.get_data_type(items), context.get_data_type(numbers)
            kind, floats = ir.VectorType(item, LANES), ir.VectorType(real, LANES)

            def spread(value, kind):
                single = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
                zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
                return builder.shuffle_vector(single, ir.Constant(kind, ir.Undefined), zeros)

            source = builder.gep(context.make_array(signature.args[2])(context, builder, x).data, [first])
            vector = builder.load(builder.bitcast(source, floats.as_pointer()), align=numbers.bitwidth // 8)
            # a number that is none differs from the limit, and is neither above it nor below
            test = builder.fcmp_unordered if compare == "!=" else builder.fcmp_ordered
            mask = test(compare, vector, spread(limit, floats))
            places = builder.add(
                spread(builder.trunc(number, item) if items.bitwidth < 64 else number, kind),
                ir.Constant(kind, list(range(LANES))),
            )
            target = builder.gep(context.make_array(signature.args[0])(context, builder, list_).data, [filled])
            function = ir.FunctionType(ir.VoidType(), [kind, target.type, mask.type])
            name = f"llvm.masked.compressstore.v{LANES}i{items.bitwidth}"
            builder.call(cgutils.get_or_insert_function(builder.module, function, name), [places, target, mask])
            bits = builder.zext(builder.bitcast(mask, ir.IntType(LANES)), ir.IntType(64))
            return builder.ctpop(bits)

        return types.intp(list_, types.intp, x, types.intp, types.intp, x.dtype), codegen

    return append


_differs, _above, _at_least = _append("!="), _append(">"), _append(">=")


@njit(error_model="numpy", nogil=True)
def append_nonzero(list_, filled, x, number):
    """Append the places of numbers that are not 0, counted from ``number``; return the length of the list."""
    vector_end, zero = x.size - x.size % LANES, x.dtype.type(0)
    for i in range(0, vector_end, LANES):
        filled += _differs(list_, filled, x, i, number + i, zero)
    for i in range(vector_end, x.size):
        if x[i] != zero:
            list_[filled] = number + i
            filled += 1
    return filled


@njit(error_model="numpy", nogil=True)
def append_passing(list_, filled, x, number, limit, at_least):
    """Append the places of numbers above a limit, or at it; return the length of the list."""
    vector_end = x.size - x.size % LANES
    for i in range(0, vector_end, LANES):
        if at_least:
            filled += _at_least(list_, filled, x, i, number + i, limit)
        else:
            filled += _above(list_, filled, x, i, number + i, limit)
    for i in range(vector_end, x.size):
        if x[i] > limit or (at_least and x[i] == limit):
            list_[filled] = number + i
            filled += 1
    return filled
