"""The inner loop of products, in vectors: a tile of results stays in registers while the sum runs."""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

from llvmlite import binding, ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy import empty

from thermoc.simulator.kernels.scalar.primitives import fma

VECTOR_BYTES = 64 if binding.get_host_cpu_features().get("avx512f") else 32
TILE_ROWS = VECTOR_BYTES // 8
TILE_VECTORS = 3
"""Sums, vectors of y and a factor fill 28 of AVX-512's 32 registers or 16 of AVX2's, and so many sums in flight hide
the latency of the fused operations."""
PANEL = 512
"""Rows of y in a panel, which stays in the innermost cache while tiles read it."""
AHEAD = 8
"""Rows of y that are asked for before they are packed."""


class _Vectors:
    """Writes loads and stores of whole vectors, and of the first elements of one, into a function."""

    def __init__(self, context, builder, signature, args):
        self.context, self.builder, self.signature, self.args = context, builder, signature, args
        self.real, self.index = signature.args[0].dtype, ir.IntType(64)
        self.lanes, self.align = lanes_of(self.real), self.real.bitwidth // 8
        self.kind = ir.VectorType(context.get_data_type(self.real), self.lanes)
        self.width = f"v{self.lanes}f{self.real.bitwidth}"

    def function(self, name, result, arguments):
        return cgutils.get_or_insert_function(self.builder.module, ir.FunctionType(result, arguments), name)

    def data(self, number):
        kind = self.signature.args[number]
        return self.context.make_array(kind)(self.context, self.builder, self.args[number]).data

    def number(self, n):
        return ir.Constant(self.index, n)

    def place(self, base, *offsets):
        total = offsets[0]
        for offset in offsets[1:]:
            total = self.builder.add(total, offset)
        return self.builder.bitcast(self.builder.gep(base, [total]), self.kind.as_pointer())

    def spread(self, value, kind):
        undefined, places = ir.Constant(kind, ir.Undefined), ir.VectorType(ir.IntType(32), kind.count)
        first = self.builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
        return self.builder.shuffle_vector(first, undefined, ir.Constant(places, [0] * kind.count))

    def first(self, count):
        """Return which elements of a vector are among the first ``count``."""
        places = ir.Constant(ir.VectorType(self.index, self.lanes), list(range(self.lanes)))
        return self.builder.icmp_signed("<", places, self.spread(count, places.type))

    def load(self, place, some=None):
        """Return a vector; where ``some`` says which elements are there, the others are 0."""
        if some is None:
            return self.builder.load(place, align=self.align)
        arguments = [place, ir.IntType(32)(self.align), some, ir.Constant(self.kind, [0.0] * self.lanes)]
        kinds = [argument.type for argument in arguments]
        return self.builder.call(self.function(f"llvm.masked.load.{self.width}.p0", self.kind, kinds), arguments)

    def store(self, value, place, some=None):
        if some is None:
            self.builder.store(value, place, align=self.align)
            return
        arguments = [value, place, ir.IntType(32)(self.align), some]
        kinds = [argument.type for argument in arguments]
        self.builder.call(self.function(f"llvm.masked.store.{self.width}.p0", ir.VoidType(), kinds), arguments)

    def fma(self, x, y, z):
        return self.builder.call(self.function(f"llvm.fma.{self.width}", self.kind, [self.kind] * 3), [x, y, z])


def packing(vectors):
    """Return the intrinsic that lays ``vectors`` vectors of columns of y end to end.

    panel[k vectors lanes + j] = y[yo + k ys + j] for j < columns, and 0 beyond them in the last vector.
    """

    @intrinsic
    def pack(typingctx, panel, y, yo, ys, inner, columns):
        def codegen(context, builder, signature, args):
            v = _Vectors(context, builder, signature, args)
            _, _, yo, ys, inner, columns = args
            target, source = v.data(0), v.data(1)
            some = v.first(builder.sub(columns, v.number((vectors - 1) * v.lanes)))
            prefetch = v.function(
                "llvm.prefetch.p0", ir.VoidType(), [ir.IntType(8).as_pointer(), *[ir.IntType(32)] * 3]
            )
            with cgutils.for_range(builder, inner) as loop:
                row, line = builder.mul(loop.index, ys), builder.mul(loop.index, v.number(vectors * v.lanes))
                # rows are too far from each other for the processor to see where the next one is
                later = builder.add(row, builder.mul(ys, v.number(AHEAD)))
                for n in range(vectors):
                    offset = v.number(n * v.lanes)
                    pointer = builder.bitcast(v.place(source, yo, later, offset), ir.IntType(8).as_pointer())
                    builder.call(prefetch, [pointer, *(ir.IntType(32)(word) for word in (0, 3, 1))])
                    last = some if n == vectors - 1 else None
                    v.store(v.load(v.place(source, yo, row, offset), last), v.place(target, line, offset))
            return context.get_dummy_value()

        n = types.intp
        return types.void(panel, y, n, n, n, n), codegen

    return pack


def tile(vectors):
    """Return the intrinsic that adds x y to ``TILE_ROWS`` rows and ``vectors`` vectors of columns of r.

    r[ro + i rs + j] += sum over k < inner of x[xo + i xs + k] panel[k vectors lanes + j], in the order of k, each
    product entering by one fused operation: an element is the same from whichever tile. Only ``rows`` rows are there,
    and columns up to ``columns``, which the last vector holds some of. The arrays are one-dimensional.
    """

    @intrinsic
    def add_product(typingctx, r, ro, rs, x, xo, xs, panel, inner, rows, columns):
        def codegen(context, builder, signature, args):
            v = _Vectors(context, builder, signature, args)
            _, ro, rs, _, xo, xs, _, inner, rows, columns = args
            results, factors, panel = v.data(0), v.data(3), v.data(6)
            some = [None] * (vectors - 1) + [v.first(builder.sub(columns, v.number((vectors - 1) * v.lanes)))]
            # beyond the last row the last one is computed again: to the same bits, at the same place
            final = builder.sub(rows, v.number(1))
            lines = [
                builder.select(builder.icmp_signed("<", v.number(i), rows), v.number(i), final)
                for i in range(TILE_ROWS)
            ]
            targets = [
                [v.place(results, ro, builder.mul(i, rs), v.number(n * v.lanes)) for n in range(vectors)] for i in lines
            ]
            starts = [builder.gep(factors, [builder.add(xo, builder.mul(i, xs))]) for i in lines]
            # LLVM turns these places on the stack into registers: no phi nodes need be written by hand
            sums = [[cgutils.alloca_once_value(builder, v.load(*at)) for at in zip(row, some)] for row in targets]
            with cgutils.for_range(builder, inner) as loop:
                line = builder.mul(loop.index, v.number(vectors * v.lanes))
                y = [v.load(v.place(panel, line, v.number(n * v.lanes))) for n in range(vectors)]
                for start, row in zip(starts, sums):
                    factor = v.spread(builder.load(builder.gep(start, [loop.index])), v.kind)
                    for column, total in zip(y, row):
                        builder.store(v.fma(factor, column, builder.load(total)), total)
            for row, places in zip(sums, targets):
                for total, pointer, last in zip(row, places, some):
                    v.store(builder.load(total), pointer, last)
            return context.get_dummy_value()

        n = types.intp
        return types.void(r, n, n, x, n, n, panel, n, n, n), codegen

    return add_product


def lanes_of(dtype):
    """Return the number of elements of a vector."""
    return VECTOR_BYTES * 8 // dtype.bitwidth


@intrinsic
def lane_count(typingctx, r):
    """Return the number of elements of a vector of r's."""
    count = lanes_of(r.dtype)
    return types.intp(r), lambda context, builder, signature, args: context.get_constant(types.intp, count)


(one_tile, pack_one), (two_tile, pack_two), (three_tile, pack_three) = ((tile(n), packing(n)) for n in (1, 2, 3))


@njit(error_model="numpy", nogil=True)
def add_product(r, ro, x, xo, y, yo, rows, inner, columns):
    """Add x y to r for matrices (rows, inner) (inner, columns) that lie end to end.

    Each sum runs in the order of its index by fused operations: a row is the same whatever rows are beside it.
    """
    if rows < TILE_ROWS:
        _few_rows(r, ro, x, xo, y, yo, rows, inner, columns)
        return
    widest = TILE_VECTORS * lane_count(r)
    panel = empty(min(PANEL, inner) * widest, r.dtype)
    # panels go on from the sums that are in r: each still runs in the order of k
    for first in range(0, inner, PANEL):
        deep = min(PANEL, inner - first)
        for start in range(0, columns, widest):
            wide = min(widest, columns - start)
            _pack(panel, y, yo + first * columns + start, columns, deep, wide)
            _add_panel(r, ro + start, columns, x, xo + first, inner, panel, rows, deep, wide)


@njit(error_model="numpy", nogil=True, inline="always")
def _pack(panel, y, yo, ys, deep, wide):
    """Lay up to three vectors of columns of y end to end."""
    lanes = lane_count(panel)
    if wide > 2 * lanes:
        pack_three(panel, y, yo, ys, deep, wide)
    elif wide > lanes:
        pack_two(panel, y, yo, ys, deep, wide)
    else:
        pack_one(panel, y, yo, ys, deep, wide)


@njit(error_model="numpy", nogil=True, inline="always")
def _add_panel(r, ro, rs, x, xo, xs, panel, rows, deep, wide):
    """Add x and a panel of y to up to three vectors of columns of r."""
    lanes = lane_count(r)
    for i in range(0, rows, TILE_ROWS):
        at, second, remaining = ro + i * rs, xo + i * xs, rows - i
        if wide > 2 * lanes:
            three_tile(r, at, rs, x, second, xs, panel, deep, remaining, wide)
        elif wide > lanes:
            two_tile(r, at, rs, x, second, xs, panel, deep, remaining, wide)
        else:
            one_tile(r, at, rs, x, second, xs, panel, deep, remaining, wide)


@njit(error_model="numpy", nogil=True, inline="always")
def _few_rows(r, ro, x, xo, y, yo, rows, inner, columns):
    """Two rows at a time, then one: y is read where it lies."""
    second = y[yo : yo + inner * columns].reshape((inner, columns))
    for i in range(0, rows, 2):
        at, first = ro + i * columns, xo + i * inner
        if i + 1 < rows:
            _two_rows(
                r[at : at + columns],
                r[at + columns : at + 2 * columns],
                x[first : first + inner],
                x[first + inner : first + 2 * inner],
                second,
            )
        else:
            _one_row(r[at : at + columns], x[first : first + inner], second)


@njit(error_model="numpy", nogil=True)
def _two_rows(r, s, x, w, y):
    """Two rows: y is read once for both, r and s once for four k; the loop over j vectorises."""
    inner, columns = y.shape
    index_type = inner - inner % 4
    for k in range(0, index_type, 4):
        x0, x1, x2, x3 = x[k], x[k + 1], x[k + 2], x[k + 3]
        w0, w1, w2, w3 = w[k], w[k + 1], w[k + 2], w[k + 3]
        # the innermost is first: k runs in order, as in the tiles
        for j in range(columns):
            y0, y1, y2, y3 = y[k, j], y[k + 1, j], y[k + 2, j], y[k + 3, j]
            r[j] = fma(x3, y3, fma(x2, y2, fma(x1, y1, fma(x0, y0, r[j]))))
            s[j] = fma(w3, y3, fma(w2, y2, fma(w1, y1, fma(w0, y0, s[j]))))
    for k in range(index_type, inner):
        for j in range(columns):
            r[j] = fma(x[k], y[k, j], r[j])
            s[j] = fma(w[k], y[k, j], s[j])


@njit(error_model="numpy", nogil=True)
def _one_row(r, x, y):
    """One row: r is read once for eight k."""
    inner, columns = y.shape
    index_type = inner - inner % 8
    for k in range(0, index_type, 8):
        x0, x1, x2, x3, x4, x5, x6, x7 = x[k], x[k + 1], x[k + 2], x[k + 3], x[k + 4], x[k + 5], x[k + 6], x[k + 7]
        for j in range(columns):
            low = fma(x3, y[k + 3, j], fma(x2, y[k + 2, j], fma(x1, y[k + 1, j], fma(x0, y[k, j], r[j]))))
            r[j] = fma(x7, y[k + 7, j], fma(x6, y[k + 6, j], fma(x5, y[k + 5, j], fma(x4, y[k + 4, j], low))))
    for k in range(index_type, inner):
        for j in range(columns):
            r[j] = fma(x[k], y[k, j], r[j])
