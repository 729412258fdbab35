"""A crossbar with resistive wires as one linear map, by elimination row after row; dense, exact, no iteration.

Word line i runs from its source through a wire resistance to each of its cells in turn, bit line j from cell to cell
and through one more resistance to ground. No step divides by a resistance or subtracts nearly equal numbers, so wires
of no resistance give the plain product, exactly.
"""

# pyright: reportConstantRedefinition=false, reportMissingTypeStubs=false
# (T, C, G are a temperature, a capacity and conductances, not constants; SciPy has no types)

from __future__ import annotations

from typing import Any

import numpy as np

from thermoc.support.array_types import FloatArray

ROWS = 16
"""Word lines eliminated together: it bounds the memory, (rows, n, n)."""


def transfer(G: FloatArray, r_word: float, r_bit: float) -> FloatArray:
    """Return K (n, m), in siemens, of cells G (m, n): inputs V (m) give the currents K V out of the bit lines.

    r_word and r_bit are in ohms. It takes about 3 m n^3 operations, once for all inputs.
    """
    m, n = G.shape
    if r_word == 0 and r_bit == 0:
        return np.ascontiguousarray(G.T)
    Y, J = np.zeros((n, n)), np.zeros((n, m))
    for first in range(0, m, ROWS):
        rows = range(first, min(first + ROWS, m))
        for i, (admittance, source) in zip(rows, zip(*word_lines(G[first : first + ROWS], r_word))):
            if i:
                Y, J[:, :i] = _through(Y, J[:, :i], r_bit)
            Y = Y + admittance
            J[:, i] = source
    return _through(Y, J, r_bit)[1]


def _through(Y: FloatArray, J: FloatArray, r: float) -> tuple[FloatArray, FloatArray]:
    """Return admittance and source currents of the bit lines as seen past one more wire resistance."""
    import scipy.linalg  # not loaded where no wire is solved

    solvers: Any = scipy.linalg

    if r == 0:
        return Y, J
    # 1 + r Y is symmetric and positive definite, so Cholesky cannot break down and needs no pivots
    factor: Any = solvers.cho_factor(np.eye(len(Y)) + r * Y, lower=True, check_finite=False)
    solved: FloatArray = solvers.cho_solve(factor, np.concatenate([Y, J], axis=1), check_finite=False)
    # exactly symmetric again: rounding is not, and the next factorisation reads one half only
    return (solved[:, : len(Y)] + solved[:, : len(Y)].T) / 2, solved[:, len(Y) :]


def word_lines(G: FloatArray, r: float) -> tuple[FloatArray, FloatArray]:
    """Return what the bit lines see of word lines G (k, n): admittances (k, n, n), currents of a unit input (k, n).

    With A the matrix of a line: G - G A^-1 G, and G times the potentials where all bit lines are at zero.
    """
    k, n = G.shape
    ratios = ladder(G, r)
    inner, solved = np.zeros((k, n, n)), np.zeros((k, n, n))
    carry = np.zeros((k, n))
    for j in range(n - 1, -1, -1):  # currents of a unit at each place, gathered towards the source
        carry = carry * ratios[:, j + 1, np.newaxis] if j + 1 < n else carry
        carry[:, j] = 1.0
        inner[:, j] = carry
    carry = np.zeros((k, n))
    for j in range(n):
        carry = ratios[:, j, np.newaxis] * (r * inner[:, j] + carry)
        solved[:, j] = carry
    admittance = np.eye(n) * G[:, :, np.newaxis] - G[:, :, np.newaxis] * solved * G[:, np.newaxis, :]
    return admittance, G * np.cumprod(ratios, axis=1)


def ladder(G: FloatArray, r: float) -> FloatArray:
    """Return what each cell of a line (..., n) leaves of the potential before it: 1 / (1 + r Y).

    Y is what is seen from a cell on, from the far end: Y_j = G_j + Y_{j+1} / (1 + r Y_{j+1}).
    """
    ratios, Y = np.empty_like(G), np.zeros(G.shape[:-1])
    for j in range(G.shape[-1] - 1, -1, -1):
        Y = G[..., j] + Y / (1 + r * Y)
        ratios[..., j] = 1 / (1 + r * Y)
    return ratios
