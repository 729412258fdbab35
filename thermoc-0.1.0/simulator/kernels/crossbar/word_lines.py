"""Ladders of eight word lines abreast, in vectors: the rows are turned on their way in and out, eight cells at a time.

The elimination of a line runs from cell to cell, so its vectors must run across lines, while everything else runs
along them. Eight lines of G and x are read as tiles of eight by eight, multiplied, turned in registers and eliminated.
"""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from thermoc.simulator.kernels.simd.vectors import LANES, Writer


@intrinsic
def gather(typingctx, G, x, at, stride, word, group, tiles, carried):
    """carried[j] = G x of cell j and beyond, as it flows towards the source, for the eight lines from offset ``at`` on.

    word: left[j, lane] from offset ``group`` on. Return the sum of carried^2 word: over 1 / r, x G A_W^-1 G x.
    """

    def codegen(context, builder, signature, args):
        w = Writer(context, builder, signature, args)
        cells, others, left, found = (w.data(number) for number in (0, 1, 4, 7))
        _, _, at, stride, _, group, tiles, _ = args
        carry, beyond, total = w.nought(), w.nought(), w.nought()
        with cgutils.for_range(builder, tiles) as loop:
            tile = builder.sub(builder.sub(tiles, w.whole(1)), loop.index)
            first = w.times(tile, LANES)
            starts = [w.add(at, first, w.times(stride, i)) for i in range(LANES)]
            rows = [builder.fmul(w.load(cells, start), w.load(others, start)) for start in starts]
            for k, entering in reversed(list(enumerate(w.turned(rows)))):
                place = w.times(w.add(first, w.whole(k)), LANES)
                now, leaves = (
                    w.fma(builder.load(beyond), builder.load(carry), entering),
                    w.load(left, w.add(group, place)),
                )
                w.store(now, found, place)
                builder.store(w.fma(builder.fmul(now, now), leaves, builder.load(total)), total)
                builder.store(now, carry)
                builder.store(leaves, beyond)
        return w.total(builder.load(total))

    whole = types.intp
    return types.float64(G, x, whole, whole, word, whole, whole, carried), codegen


@intrinsic
def spread(typingctx, z, at, stride, word, group, tiles, carried, r, before, first):
    """z = the potentials of the eight lines, from what ``gather`` carried and the sources' ``before[first + lane]``."""

    def codegen(context, builder, signature, args):
        w = Writer(context, builder, signature, args)
        found, left, flowing, sources = (w.data(number) for number in (0, 3, 6, 8))
        _, at, stride, _, group, tiles, _, r, _, first = args
        ohms = w.spread(r)
        potential = cgutils.alloca_once_value(builder, w.load(sources, first))
        with cgutils.for_range(builder, tiles) as loop:
            start, columns = w.times(loop.index, LANES), []
            for k in range(LANES):
                place = w.times(w.add(start, w.whole(k)), LANES)
                leaves = w.load(left, w.add(group, place))
                drop = builder.fmul(builder.fmul(leaves, ohms), w.load(flowing, place))
                columns.append(w.fma(leaves, builder.load(potential), drop))
                builder.store(columns[-1], potential)
            for i, row in enumerate(w.turned(columns)):
                w.store(row, found, w.add(at, start, w.times(stride, i)))
        return context.get_dummy_value()

    whole, real = types.intp, types.float64
    return types.void(z, whole, whole, word, whole, whole, carried, real, before, whole), codegen
