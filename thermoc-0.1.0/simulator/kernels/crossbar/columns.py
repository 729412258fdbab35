"""All bit lines at one row, in vectors: conjugate gradients on the way down and on the way up, in one go each.

Arrays lie row by row; ``at`` is where a row starts, ``tiles`` its vectors.
"""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from thermoc.simulator.kernels.simd.vectors import LANES, Writer

_WHOLE, _REAL = types.intp, types.float64


@intrinsic
def gather_row(typingctx, G, p, bit, F, u, at, tiles):
    """u = F[row] = G p + u: what flows down beyond the row before is in u. Then u *= bit: what of it flows on."""

    def codegen(context, builder, signature, args):
        w = Writer(context, builder, signature, args)
        cells, words, left, found, flowing = (w.data(number) for number in range(5))
        at, tiles = args[5:]
        with cgutils.for_range(builder, tiles) as loop:
            j = w.times(loop.index, LANES)
            place = w.add(at, j)
            now = w.fma(w.load(cells, place), w.load(words, place), w.load(flowing, j))
            w.store(now, found, place)
            w.store(builder.fmul(now, w.load(left, place)), flowing, j)
        return context.get_dummy_value()

    return types.void(G, p, bit, F, u, _WHOLE, _WHOLE), codegen


@intrinsic
def onward_row(typingctx, x, z, beta, p, q, G, bit, F, u, at, tiles):
    """p = z + beta p, q = x + beta q, and ``gather_row`` of p; return p G q and the sum of F^2 bit."""

    def codegen(context, builder, signature, args):
        w = Writer(context, builder, signature, args)
        missing, solved, words, bits, cells, left, found, flowing = (w.data(n) for n in (0, 1, 3, 4, 5, 6, 7, 8))
        beta, at, tiles = w.spread(args[2]), *args[9:]
        squares, passed = w.nought(), w.nought()
        with cgutils.for_range(builder, tiles) as loop:
            j = w.times(loop.index, LANES)
            place = w.add(at, j)
            p = w.fma(beta, w.load(words, place), w.load(solved, place))
            q = w.fma(beta, w.load(bits, place), w.load(missing, place))
            current = builder.fmul(w.load(cells, place), p)
            now = builder.fadd(current, w.load(flowing, j))
            on = builder.fmul(now, w.load(left, place))
            for value, target in ((p, words), (q, bits), (now, found)):
                w.store(value, target, place)
            w.store(on, flowing, j)
            builder.store(w.fma(current, q, builder.load(squares)), squares)
            builder.store(w.fma(now, on, builder.load(passed)), passed)
        totals = [w.total(builder.load(part)) for part in (squares, passed)]
        return context.make_tuple(builder, signature.return_type, totals)

    pair = types.UniTuple(_REAL, 2)
    return pair(x, z, _REAL, p, q, G, bit, F, u, _WHOLE, _WHOLE), codegen


@intrinsic
def step_row(typingctx, bit, r, F, u, q, alpha, x, b, at, tiles):
    """u = bit (r F + u), the potentials that F makes; x -= alpha (q - u), b += alpha q."""

    def codegen(context, builder, signature, args):
        w = Writer(context, builder, signature, args)
        left, gathered, above, way, missing, found = (w.data(number) for number in (0, 2, 3, 4, 6, 7))
        ohms, alpha, at, tiles = w.spread(args[1]), w.spread(args[5]), *args[8:]
        with cgutils.for_range(builder, tiles) as loop:
            j = w.times(loop.index, LANES)
            place = w.add(at, j)
            through = w.fma(ohms, w.load(gathered, place), w.load(above, j))
            u, q = builder.fmul(w.load(left, place), through), w.load(way, place)
            w.store(u, above, j)
            w.store(w.fma(alpha, builder.fsub(u, q), w.load(missing, place)), missing, place)
            w.store(w.fma(alpha, q, w.load(found, place)), found, place)
        return context.get_dummy_value()

    return types.void(bit, _REAL, F, u, q, _REAL, x, b, _WHOLE, _WHOLE), codegen


@intrinsic
def lift_row(typingctx, bit, r, F, u, b, less, at, tiles):
    """u = bit (r F + u), the potentials that F makes; b = u - less b."""

    def codegen(context, builder, signature, args):
        w = Writer(context, builder, signature, args)
        left, gathered, above, found = (w.data(number) for number in (0, 2, 3, 4))
        ohms, less, at, tiles = w.spread(args[1]), w.spread(builder.fneg(args[5])), *args[6:]
        with cgutils.for_range(builder, tiles) as loop:
            j = w.times(loop.index, LANES)
            place = w.add(at, j)
            u = builder.fmul(w.load(left, place), w.fma(ohms, w.load(gathered, place), w.load(above, j)))
            w.store(u, above, j)
            w.store(w.fma(less, w.load(found, place), u), found, place)
        return context.get_dummy_value()

    return types.void(bit, _REAL, F, u, b, _REAL, _WHOLE, _WHOLE), codegen
