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
PANEL = 1024
"""Rows of y in a panel: it should fit an eighth of a common L2 cache."""
PACKED_ROWS = 12
"""From so many rows on it pays to lay a panel of y end to end before it is read for each six of them."""


def tile(rows, vectors, scalar=False):
    """Return the intrinsic that adds x y to ``rows`` rows and ``vectors`` vectors of columns of r.

    r[ro + i rs + j] += sum over k < inner of x[xo + i xs + k] y[yo + k ys + j], in the order of k, each product
    entering by one fused operation: an element is the same from whichever tile. The arrays are one-dimensional.
    ``scalar``: a vector is one element.
    """

    @intrinsic
    def add_product(typingctx, r, ro, rs, x, xo, xs, y, yo, ys, inner):
        def codegen(context, builder, signature, args):
            r, ro, rs, x, xo, xs, y, yo, ys, inner = args
            real = context.get_data_type(signature.args[0].dtype)
            lanes = 1 if scalar else lanes_of(signature.args[0].dtype)
            kind = real if scalar else ir.VectorType(real, lanes)
            index = inner.type

            def data(number, value):
                return context.make_array(signature.args[number])(context, builder, value).data

            def at(base, offset):
                return builder.bitcast(builder.gep(base, [offset], inbounds=True), kind.as_pointer())

            def load(base, offset):
                return builder.load(at(base, offset), align=signature.args[0].dtype.bitwidth // 8)

            def spread(value):
                if scalar:
                    return value
                first = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(index, 0))
                zeros = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
                return builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), zeros)

            width = f"f{signature.args[0].dtype.bitwidth}"
            name = f"llvm.fma.{width}" if scalar else f"llvm.fma.v{lanes}{width}"
            fma = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind] * 3), name)

            def number(n):
                return ir.Constant(index, n)

            results, ones, columns_data = data(0, r), data(3, x), data(6, y)
            places = [
                [builder.add(builder.add(ro, builder.mul(number(i), rs)), number(v * lanes)) for v in range(vectors)]
                for i in range(rows)
            ]
            starts = [builder.add(xo, builder.mul(number(i), xs)) for i in range(rows)]
            # LLVM turns these places on the stack into registers: no phi nodes need be written by hand
            sums = [[cgutils.alloca_once_value(builder, load(results, p)) for p in line] for line in places]
            with cgutils.for_range(builder, inner) as loop:
                line = builder.add(yo, builder.mul(loop.index, ys))
                columns = [load(columns_data, builder.add(line, number(v * lanes))) for v in range(vectors)]
                for i in range(rows):
                    factor = spread(builder.load(builder.gep(ones, [builder.add(starts[i], loop.index)])))
                    for v in range(vectors):
                        builder.store(builder.call(fma, [factor, columns[v], builder.load(sums[i][v])]), sums[i][v])
            for i in range(rows):
                for v in range(vectors):
                    target = at(results, places[i][v])
                    builder.store(builder.load(sums[i][v]), target, align=signature.args[0].dtype.bitwidth // 8)
            return context.get_dummy_value()

        index_type = types.intp
        return types.void(
            r, index_type, index_type, x, index_type, index_type, y, index_type, index_type, index_type
        ), codegen

    return add_product


def lanes_of(dtype):
    """Return the number of elements of a vector."""
    return VECTOR_BYTES * 8 // dtype.bitwidth


@intrinsic
def lane_count(typingctx, r):
    """Return the number of elements of a vector of r's."""
    count = lanes_of(r.dtype)
    return types.intp(r), lambda context, builder, signature, args: context.get_constant(types.intp, count)


# twelve sums, two vectors of y and a factor fill 15 of AVX2's 16 registers, and so many sums in flight hide
# the latency of the fused operations
six_two, six_one, six_scalar = tile(6, 2), tile(6, 1), tile(6, 1, scalar=True)


@njit(error_model="numpy", nogil=True)
def add_product(r, ro, x, xo, y, yo, rows, inner, columns):
    """Add x y to r for matrices (rows, inner) (inner, columns) that lie end to end.

    Each sum runs in the order of its index by fused operations: a row is the same whatever rows are beside it.
    """
    # a panel that is read by many tiles is laid end to end once, so that each reads it in a straight line
    packed = rows >= PACKED_ROWS
    width, depth = (2 * lane_count(r), PANEL) if packed else (max(columns, 1), max(inner, 1))
    panel, first_place = (empty(PANEL * width, r.dtype), 0) if packed else (y, yo)
    for start in range(0, columns, width):
        wide = min(width, columns - start)
        # panels go on from the sums that are in r: each still runs in the order of k
        for first in range(0, inner, depth):
            deep = min(depth, inner - first)
            if packed:
                for k in range(deep):
                    for j in range(wide):
                        panel[k * wide + j] = y[yo + (first + k) * columns + start + j]
            _add_rows(r, ro + start, columns, x, xo + first, inner, panel, first_place, rows, deep, wide)


@njit(error_model="numpy", nogil=True, inline="always")
def _add_rows(r, ro, rs, x, xo, xs, y, yo, rows, inner, columns):
    """Add x y to rows of r that lie ``rs`` apart, those of x ``xs`` apart: six at a time, two, one."""
    i = 0
    while i + 6 <= rows:
        _six_rows(r, ro + i * rs, rs, x, xo + i * xs, xs, y, yo, inner, columns)
        i += 6
    while i + 2 <= rows:
        at, second = ro + i * rs, xo + i * xs
        _two_rows(
            r[at : at + columns],
            r[at + rs : at + rs + columns],
            x[second : second + inner],
            x[second + xs : second + xs + inner],
            y[yo : yo + inner * columns].reshape((inner, columns)),
        )
        i += 2
    if i < rows:
        at, second = ro + i * rs, xo + i * xs
        first = y[yo : yo + inner * columns].reshape((inner, columns))
        _one_row(r[at : at + columns], x[second : second + inner], first)


@njit(error_model="numpy", nogil=True)
def _six_rows(r, ro, rs, x, xo, xs, y, yo, inner, columns):
    """Six rows of r: in tiles of two vectors, one, one element."""
    lanes, j = lane_count(r), 0
    while j + 2 * lanes <= columns:
        six_two(r, ro + j, rs, x, xo, xs, y, yo + j, columns, inner)
        j += 2 * lanes
    if j + lanes <= columns:
        six_one(r, ro + j, rs, x, xo, xs, y, yo + j, columns, inner)
        j += lanes
    while j < columns:
        six_scalar(r, ro + j, rs, x, xo, xs, y, yo + j, columns, inner)
        j += 1


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
