"""Ladders of eight word lines side by side, in vectors: rows are transposed on their way in and out, by eight cells.

The elimination of a line runs from cell to cell, so its vectors must run across lines, while everything else runs
along them. Eight lines of G and x are read as tiles of eight by eight, multiplied, transposed in registers, eliminated.
"""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from thermoc.simulator.kernels.simd.vectors import LANES, VectorBuilder


@intrinsic
def gather(typingctx, G, x, at, stride, word, group, tiles, carried):
    """carried[j] = G x of cell j and beyond, as it flows towards the source, for the eight lines from offset ``at`` on.

    word: share[j, lane] from offset ``group`` on. Return the sum of carried^2 word: over 1 / r, x G A_W^-1 G x.
    """

    def codegen(context, builder, signature, args):
        w = VectorBuilder(context, builder, signature, args)
        cells, potentials, onward_share, result = (w.data(number) for number in (0, 1, 4, 7))
        _, _, at, stride, _, group, tiles, _ = args
        carry, beyond, total = w.zero(), w.zero(), w.zero()
        with cgutils.for_range(builder, tiles) as loop:
            tile = builder.sub(builder.sub(tiles, w.index(1)), loop.index)
            first = w.times(tile, LANES)
            starts = [w.add(at, first, w.times(stride, i)) for i in range(LANES)]
            # multiplied before they are transposed: one transposition does for both factors
            rows = [builder.fmul(w.load(cells, start), w.load(potentials, start)) for start in starts]
            # from the far end: the wire before a cell carries the currents of all cells beyond it
            for k, entering in reversed(list(enumerate(w.transposed(rows)))):
                cell = w.times(w.add(first, w.index(k)), LANES)
                now, leaves = (
                    w.fma(builder.load(beyond), builder.load(carry), entering),
                    w.load(onward_share, w.add(group, cell)),
                )
                w.store(now, result, cell)
                builder.store(w.fma(builder.fmul(now, now), leaves, builder.load(total)), total)
                builder.store(now, carry)
                builder.store(leaves, beyond)
        return w.total(builder.load(total))

    index = types.intp
    return types.float64(G, x, index, index, word, index, index, carried), codegen


@intrinsic
def spread(typingctx, z, at, stride, word, group, tiles, carried, r, before, first):
    """z = the potentials of the eight lines, from what ``gather`` carried and the sources' ``before[first + lane]``."""

    def codegen(context, builder, signature, args):
        w = VectorBuilder(context, builder, signature, args)
        result, onward_share, flowing, sources = (w.data(number) for number in (0, 3, 6, 8))
        _, at, stride, _, group, tiles, _, r, _, first = args
        ohms = w.spread(r)
        potential = cgutils.alloca_once_value(builder, w.load(sources, first))
        with cgutils.for_range(builder, tiles) as loop:
            start, columns = w.times(loop.index, LANES), []
            for k in range(LANES):
                cell = w.times(w.add(start, w.index(k)), LANES)
                leaves = w.load(onward_share, w.add(group, cell))
                drop = builder.fmul(builder.fmul(leaves, ohms), w.load(flowing, cell))
                columns.append(w.fma(leaves, builder.load(potential), drop))
                builder.store(columns[-1], potential)
            for i, row in enumerate(w.transposed(columns)):
                w.store(row, result, w.add(at, start, w.times(stride, i)))
        return context.get_dummy_value()

    index, real = types.intp, types.float64
    return types.void(z, index, index, word, index, index, carried, real, before, index), codegen
