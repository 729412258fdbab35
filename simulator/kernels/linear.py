"""Products. Each sum starts from its bias and runs in the order of its index, so nothing depends on what is around."""

from __future__ import annotations

import numpy as np

from thermoc.simulator.instructions.products import BIAS_A_COLUMN, BIAS_A_ROW, NO_BIAS
from thermoc.simulator.kernels.operands import sample
from thermoc.simulator.kernels.simd.tiles import add_product


def matmul(r, x, y, z, parameters, samples):
    """r = z + x y for pairs of matrices (rows, inner) (inner, columns) of every sample."""
    count, rows, inner, columns, shared, bias = parameters
    per_sample = x.stride
    if shared and bias != BIAS_A_ROW and x.stride == count * rows * inner and y.stride == 0 and z.stride == 0:
        # all samples meet one matrix: one product of many rows reads it once for six of them
        rows, count, samples = samples * count * rows, 1, 1
    for s in range(samples):
        for pair in range(count):
            first = s * per_sample + pair * rows * inner
            second = s * y.stride + (0 if shared else pair * inner * columns)
            out = (s * count + pair) * rows * columns
            for i in range(rows):
                line = r.array[out + i * columns : out + i * columns + columns]
                at = s * z.stride + (pair * rows + i if bias == BIAS_A_ROW else 0)
                for j in range(columns):
                    if bias == NO_BIAS:
                        line[j] = 0
                    else:
                        line[j] = z.array[at + j] if bias == BIAS_A_COLUMN else z.array[at]
            add_product(r.array, out, x.array, first, y.array, second, rows, inner, columns)


def sparse(r, x, y, z, table, offsets, columns, samples):
    """r[s, i] = z[i], where there is a bias, + sum over the entries e of row i of x[e] y[s, column of e]."""
    first = np.uint64(columns)
    for s in range(samples):
        rv, xv, yv, zv = sample(r, s), sample(x, s), sample(y, s), sample(z, s)
        # places are unsigned: a signed one may count from the end, which is asked for each entry
        end = np.uint64(table[offsets])
        for i in range(r.size):
            start, end = end, np.uint64(table[offsets + i + 1])
            # in the format of the floats: 0 is an integer, and would make it float64
            total = zv[i] if z.given else rv.dtype.type(0)
            for e in range(start, end):
                total += xv[e] * yv[np.uint64(table[first + e])]
            rv[i] = total
