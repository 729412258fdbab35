"""The loops around scalar rules. Operands carry (array, offset, stride of a sample, step of an element)."""

from __future__ import annotations

from numba import njit


def unary(rule):
    """Return r[s, i] = rule(x[s, i])."""
    rule = njit(rule, error_model="numpy")

    @njit(error_model="numpy", nogil=True)
    def loop(r, ro, n, samples, x, xo, xs, xi):
        for s in range(samples):
            for i in range(n):
                r[ro + s * n + i] = rule(x[xo + s * xs + i * xi])

    return loop


def binary(rule):
    """Return r[s, i] = rule(x[s, i], y[s, i])."""
    rule = njit(rule, error_model="numpy")

    @njit(error_model="numpy", nogil=True)
    def loop(r, ro, n, samples, x, xo, xs, xi, y, yo, ys, yi):
        for s in range(samples):
            if xi == 1 and yi == 1:  # contiguous: this loop vectorises
                for i in range(n):
                    r[ro + s * n + i] = rule(x[xo + s * xs + i], y[yo + s * ys + i])
            else:
                for i in range(n):
                    r[ro + s * n + i] = rule(x[xo + s * xs + i * xi], y[yo + s * ys + i * yi])

    return loop


def ternary(rule):
    """Return r[s, i] = rule(x[s, i], y[s, i], z[s, i])."""
    rule = njit(rule, error_model="numpy")

    @njit(error_model="numpy", nogil=True)
    def loop(r, ro, n, samples, x, xo, xs, xi, y, yo, ys, yi, z, zo, zs, zi):
        for s in range(samples):
            for i in range(n):
                r[ro + s * n + i] = rule(x[xo + s * xs + i * xi], y[yo + s * ys + i * yi], z[zo + s * zs + i * zi])

    return loop
