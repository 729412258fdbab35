"""The ADC in vectors: codes of all readings and slices of a vector, shifted and added in registers."""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

from typing import NamedTuple

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy import floor

from thermoc.simulator.kernels.simd.tiles import lanes_of


class Converter(NamedTuple):
    """The ``MVM_SETTINGS`` floats: steps of an input, those over x_max, codes, those over the range, a code's worth,
    and what a reading, a slice and a lower slice's digit are worth."""

    steps: float
    scale: float
    codes: float
    fine: float
    worth: float
    reading: float
    slice: float
    lower: float


@njit(error_model="numpy", nogil=True)
def rounded(x, half, most):
    """x to the nearest whole number, halves up, from -most to most."""
    return max(min(floor(x + half), most), -most)


def _add_codes(noisy, warm):
    @intrinsic
    def add_codes(typingctx, sums, j, u, noise, at, step, values, count, gains, codes, fine, worth):
        """sums[j], ... of a vector += values[i] times the code of gains[j] (u[at + i step] + noise[at + i step]).

        The values are powers of two: their products with a code's worth are exact.
        """

        def codegen(context, builder, signature, args):
            kind = context.get_data_type(signature.args[0].dtype)
            lanes, size = lanes_of(signature.args[0].dtype), signature.args[0].dtype.bitwidth // 8
            vector, shorts = ir.VectorType(kind, lanes), ir.VectorType(ir.IntType(16), lanes)

            def data(number):
                return context.make_array(signature.args[number])(context, builder, args[number]).data

            def load(base, place, kind, size):
                return builder.load(builder.bitcast(builder.gep(base, [place]), kind.as_pointer()), align=size)

            def spread(value):
                first = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
                zeros = ir.Constant(ir.VectorType(ir.IntType(32), lanes), None)
                return builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), zeros)

            def function(name, count):
                name = f"llvm.{name}.v{lanes}f{8 * size}"
                return cgutils.get_or_insert_function(builder.module, ir.FunctionType(vector, [vector] * count), name)

            _, j, _, _, start, step, _, count, _, most, fine, worth = args
            most, fine, worth, half = spread(most), spread(fine), spread(worth), ir.Constant(vector, [0.5] * lanes)
            lowest, floor, fma = builder.fneg(most), function("floor", 1), function("fma", 3)
            sums, currents, noises, values = data(0), data(2), data(3), data(6)
            total = cgutils.alloca_once_value(builder, load(sums, j, vector, size))
            with cgutils.for_range(builder, count) as loop:
                place = builder.add(builder.add(start, j), builder.mul(loop.index, step))
                # by way of words as wide as the floats: one instruction each
                words = ir.VectorType(ir.IntType(8 * size), lanes)
                u = builder.sitofp(builder.sext(load(currents, place, shorts, 2), words), vector)
                if noisy:
                    u = builder.fadd(u, load(noises, place, vector, size))
                u = builder.fmul(u, load(data(8), j, vector, size)) if warm else u
                code = builder.call(floor, [builder.fadd(builder.fmul(u, fine), half)])
                # in this order NaN stays what it is
                code = builder.select(builder.fcmp_ordered("<", most, code), most, code)
                code = builder.select(builder.fcmp_ordered(">", lowest, code), lowest, code)
                value = spread(builder.load(builder.gep(values, [loop.index])))
                builder.store(builder.call(fma, [value, builder.fmul(code, worth), builder.load(total)]), total)
            target = builder.bitcast(builder.gep(sums, [j]), vector.as_pointer())
            builder.store(builder.load(total), target, align=size)
            return context.get_dummy_value()

        index, real = types.intp, sums.dtype
        return types.void(sums, index, u, noise, index, index, values, index, gains, real, real, real), codegen

    return add_codes


add_codes, add_warm_codes = _add_codes(False, False), _add_codes(False, True)
add_noisy_codes, add_noisy_warm_codes = _add_codes(True, False), _add_codes(True, True)
