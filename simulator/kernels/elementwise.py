"""The loops around scalar rules, for one, two and three operands.

Only loops over neighbouring elements vectorise, so an operand of one element is first spread over its place in scratch
memory, which holds three operands of a block. Samples that lie end to end are taken as one long row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit


@njit(error_model="numpy", nogil=True)
def end_to_end(x, n):
    """True where an operand's samples lie end to end like the result's, or share one element."""
    return x.stride == n or (x.stride == 0 and x.size == 1)


@njit(error_model="numpy", nogil=True)
def elements(x, s, n, joined, scratch, place):
    """Return an operand's n elements for sample s: where they lie, or one spread over its place in ``scratch``."""
    start = s * x.stride
    if x.size == n or (joined and x.stride):
        return x.array[start : start + n]
    spread = scratch[place * n : place * n + n]
    # a constant is spread once for all samples
    if s == 0 or x.stride:
        for i in range(n):
            spread[i] = x.array[start]
    return spread


def loop(rule: Callable[..., Any], operands: int) -> Callable[..., None]:
    """Return the kernel of an elementwise instruction: r[s, i] = rule(x[s, i], ...)."""
    return (_unary, _binary, _ternary)[operands - 1](njit(rule, error_model="numpy"))


def _unary(rule: Any) -> Callable[..., None]:
    def unary(r, x, samples, x_scratch):
        n, rows, joined = r.size, samples, end_to_end(x, r.size)
        if joined:
            n, rows = n * samples, 1
        for s in range(rows):
            rv, xv = r.array[s * n : s * n + n], elements(x, s, n, joined, x_scratch, 0)
            for i in range(n):
                rv[i] = rule(xv[i])

    return unary


def _binary(rule: Any) -> Callable[..., None]:
    def binary(r, x, y, samples, x_scratch, y_scratch):
        n, rows, joined = r.size, samples, end_to_end(x, r.size) and end_to_end(y, r.size)
        if joined:
            n, rows = n * samples, 1
        for s in range(rows):
            rv = r.array[s * n : s * n + n]
            xv, yv = elements(x, s, n, joined, x_scratch, 0), elements(y, s, n, joined, y_scratch, 1)
            for i in range(n):
                rv[i] = rule(xv[i], yv[i])

    return binary


def _ternary(rule: Any) -> Callable[..., None]:
    def ternary(r, x, y, z, samples, x_scratch, y_scratch, z_scratch):
        n, rows = r.size, samples
        joined = end_to_end(x, n) and end_to_end(y, n) and end_to_end(z, n)
        if joined:
            n, rows = n * samples, 1
        for s in range(rows):
            rv = r.array[s * n : s * n + n]
            xv, yv = elements(x, s, n, joined, x_scratch, 0), elements(y, s, n, joined, y_scratch, 1)
            zv = elements(z, s, n, joined, z_scratch, 2)
            for i in range(n):
                rv[i] = rule(xv[i], yv[i], zv[i])

    return ternary
