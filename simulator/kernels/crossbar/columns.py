"""All bit lines at one row, in vectors: conjugate gradients on the way down and on the way up, in one go each.

Arrays lie row by row; ``at`` is where a row starts, ``tiles`` its vectors.
"""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from thermoc.simulator.kernels.simd.vectors import LANES, VectorBuilder

_INDEX, _REAL = types.intp, types.float64


@intrinsic
def gather_row(typingctx, G, p, bit, F, u, at, tiles):
    """u = F[row] = G p + u: what flows down beyond the row before is in u. Then u *= bit: what of it flows on."""

    def codegen(context, builder, signature, args):
        w = VectorBuilder(context, builder, signature, args)
        cells, words, onward_share, result, flowing = (w.data(number) for number in range(5))
        at, tiles = args[5:]
        with cgutils.for_range(builder, tiles) as loop:
            j = w.times(loop.index, LANES)
            cell = w.add(at, j)
            now = w.fma(w.load(cells, cell), w.load(words, cell), w.load(flowing, j))
            w.store(now, result, cell)
            w.store(builder.fmul(now, w.load(onward_share, cell)), flowing, j)
        return context.get_dummy_value()

    return types.void(G, p, bit, F, u, _INDEX, _INDEX), codegen


@intrinsic
def onward_row(typingctx, x, z, beta, p, q, G, bit, F, u, at, tiles):
    """p = z + beta p, q = x + beta q, and ``gather_row`` of p; return p G q and the sum of F^2 bit."""

    def codegen(context, builder, signature, args):
        w = VectorBuilder(context, builder, signature, args)
        missing, solved, words, bits, cells, onward_share, result, flowing = (
            w.data(n) for n in (0, 1, 3, 4, 5, 6, 7, 8)
        )
        beta, at, tiles = w.spread(args[2]), *args[9:]
        squares, passed = w.zero(), w.zero()
        with cgutils.for_range(builder, tiles) as loop:
            j = w.times(loop.index, LANES)
            cell = w.add(at, j)
            p = w.fma(beta, w.load(words, cell), w.load(solved, cell))
            q = w.fma(beta, w.load(bits, cell), w.load(missing, cell))
            current = builder.fmul(w.load(cells, cell), p)
            now = builder.fadd(current, w.load(flowing, j))
            on = builder.fmul(now, w.load(onward_share, cell))
            for value, target in ((p, words), (q, bits), (now, result)):
                w.store(value, target, cell)
            w.store(on, flowing, j)
            # summed while the numbers are in registers: a pass of its own would read three arrays again
            builder.store(w.fma(current, q, builder.load(squares)), squares)
            builder.store(w.fma(now, on, builder.load(passed)), passed)
        totals = [w.total(builder.load(sums)) for sums in (squares, passed)]
        return context.make_tuple(builder, signature.return_type, totals)

    pair = types.UniTuple(_REAL, 2)
    return pair(x, z, _REAL, p, q, G, bit, F, u, _INDEX, _INDEX), codegen


@intrinsic
def step_row(typingctx, bit, r, F, u, q, alpha, x, b, at, tiles):
    """u = bit (r F + u), the potentials that F makes; x -= alpha (q - u), b += alpha q."""

    def codegen(context, builder, signature, args):
        w = VectorBuilder(context, builder, signature, args)
        onward_share, gathered, above, along, missing, result = (w.data(number) for number in (0, 2, 3, 4, 6, 7))
        ohms, alpha, at, tiles = w.spread(args[1]), w.spread(args[5]), *args[8:]
        with cgutils.for_range(builder, tiles) as loop:
            j = w.times(loop.index, LANES)
            cell = w.add(at, j)
            through = w.fma(ohms, w.load(gathered, cell), w.load(above, j))
            u, q = builder.fmul(w.load(onward_share, cell), through), w.load(along, cell)
            w.store(u, above, j)
            w.store(w.fma(alpha, builder.fsub(u, q), w.load(missing, cell)), missing, cell)
            w.store(w.fma(alpha, q, w.load(result, cell)), result, cell)
        return context.get_dummy_value()

    return types.void(bit, _REAL, F, u, q, _REAL, x, b, _INDEX, _INDEX), codegen


@intrinsic
def lift_row(typingctx, bit, r, F, u, b, less, at, tiles):
    """u = bit (r F + u), the potentials that F makes; b = u - less b."""

    def codegen(context, builder, signature, args):
        w = VectorBuilder(context, builder, signature, args)
        onward_share, gathered, above, result = (w.data(number) for number in (0, 2, 3, 4))
        ohms, less, at, tiles = w.spread(args[1]), w.spread(builder.fneg(args[5])), *args[6:]
        with cgutils.for_range(builder, tiles) as loop:
            j = w.times(loop.index, LANES)
            cell = w.add(at, j)
            u = builder.fmul(w.load(onward_share, cell), w.fma(ohms, w.load(gathered, cell), w.load(above, j)))
            w.store(u, above, j)
            w.store(w.fma(less, w.load(result, cell), u), result, cell)
        return context.get_dummy_value()

    return types.void(bit, _REAL, F, u, b, _REAL, _INDEX, _INDEX), codegen
