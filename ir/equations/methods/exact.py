"""The exact step of linear equations, and in law of linear equations with additive noise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from thermoc.ir.equations.arrays import ARRAYS
from thermoc.ir.equations.expressions import evaluate
from thermoc.ir.equations.motion import Motion, State
from thermoc.support.array_types import AnyArray

ORDER = math.inf
NOISE = "both"
STRONG, WEAK = math.inf, math.inf


def step(m: Motion, x: State) -> list[Any]:
    """x' = x + dt phi(A dt) f(x), phi(z) = (e^z - 1) / z, for f = A x + b with b held over the tick: no error of dt.

    Noise that depends on no variable is Ornstein and Uhlenbeck's: its law over the tick is exact. Where variables drive
    each other, A must be known when the network is compiled.
    """
    if m.analysis.diagonal and m.analysis.separate:
        return _apart(m, x)
    return _together(m, x)


def _apart(m: Motion, x: State) -> list[Any]:
    """Each variable by itself: a may be any value."""
    rates = m.rates(x)
    moved = [xi + f * m.dt * _exprel(m, a * m.dt) for xi, f, a in zip(x, m.drift(x), rates)]
    for (i, j), b in m.diffusion(x).items() if m.system.noises else ():
        # The variance of the tick is b^2 (e^(2 a dt) - 1) / 2a.
        spread = b * m.sqrt(_exprel(m, rates[i] * (2 * m.dt)) * m.dt)
        moved[i] = moved[i] + spread * m.normal(j)
    return moved


def _exprel(m: Motion, x: Any) -> Any:
    if isinstance(x, (int, float)) and not hasattr(x, "dtype"):
        return math.expm1(x) / x if x else 1.0
    return m.algebra.functions["exprel"](x)


def _together(m: Motion, x: State) -> list[Any]:
    A = _matrix(m, m.analysis.jacobian, len(x), len(x))  # pyright: ignore[reportConstantRedefinition]
    gain = _integral(A, m.dt)
    moved = [xi + push for xi, push in zip(x, _product(m, gain, m.drift(x), x))]
    if not m.system.noises:
        return moved
    B = _matrix(m, m.analysis.diffusion, len(x), len(m.system.noises))  # pyright: ignore[reportConstantRedefinition]
    spread = _root(_covariance(A, B @ np.swapaxes(B, -1, -2), m.dt))
    kicks = _product(m, spread, [m.normal(j) for j in range(len(x))], x)
    return [xi + kick for xi, kick in zip(moved, kicks)]


def _matrix(m: Motion, entries: Any, rows: int, columns: int) -> AnyArray:
    """Return a matrix (*units, rows, columns) of entries that are known numbers."""
    numeric = {key: evaluate(entry, {**m.numbers, "dt": m.dt}, ARRAYS) for key, entry in entries.items()}
    shape = np.broadcast_shapes(*(np.shape(entry) for entry in numeric.values()))
    matrix = np.zeros((*shape, rows, columns))
    for key, entry in numeric.items():
        matrix[(..., *key)] = entry
    return matrix


def _product(m: Motion, matrix: AnyArray, x: list[Any], like: State) -> list[Any]:
    """Return matrix x, row by row; entries that are 0 for every unit are left out."""
    rows: list[Any] = []
    for i in range(matrix.shape[-2]):
        terms = [_entry(matrix[..., i, j]) * x[j] for j in range(matrix.shape[-1]) if matrix[..., i, j].any()]
        total = terms[0] if terms else like[i] * 0.0
        for term in terms[1:]:
            total = total + term
        rows.append(total)
    return rows


def _entry(entry: AnyArray) -> Any:
    """Return one number as Python's, which takes the format of what stands beside it."""
    return float(entry.reshape(-1)[0]) if (entry == entry.reshape(-1)[0]).all() else entry


def _integral(A: AnyArray, dt: float) -> AnyArray:
    """Return the integral of e^(A s) over 0 to dt, from the exponential of [[A, 1], [0, 0]] (Van Loan 1978)."""
    import scipy.linalg  # pyright: ignore[reportMissingTypeStubs]

    linalg: Any = scipy.linalg
    n = A.shape[-1]
    wide = np.zeros((*A.shape[:-2], 2 * n, 2 * n))
    wide[..., :n, :n], wide[..., :n, n:] = A * dt, np.eye(n) * dt
    return np.asarray(linalg.expm(wide))[..., :n, n:]


def _covariance(A: AnyArray, Q: AnyArray, dt: float) -> AnyArray:
    """Return the integral of e^(A s) Q e^(A' s) over 0 to dt, from the exponential of [[-A, Q], [0, A']]."""
    import scipy.linalg  # pyright: ignore[reportMissingTypeStubs]

    linalg: Any = scipy.linalg
    n = A.shape[-1]
    shape = np.broadcast_shapes(A.shape, Q.shape)[:-2]
    wide = np.zeros((*shape, 2 * n, 2 * n))
    wide[..., :n, :n], wide[..., :n, n:], wide[..., n:, n:] = -A * dt, Q * dt, np.swapaxes(A, -1, -2) * dt
    grown = np.asarray(linalg.expm(wide))
    return np.swapaxes(grown[..., n:, n:], -1, -2) @ grown[..., :n, n:]


def _root(Q: AnyArray) -> AnyArray:
    """Return lower triangles L with L L' = Q, for Q that may be singular: noise need not reach every variable."""
    n = Q.shape[-1]
    L = np.zeros(Q.shape)
    size = np.einsum("...ii->...", Q)
    for j in range(n):
        pivot = Q[..., j, j] - (L[..., j, :j] ** 2).sum(-1)
        sound = pivot > 1e-14 * size
        L[..., j, j] = np.sqrt(np.where(sound, pivot, 0.0))
        for i in range(j + 1, n):
            residual = Q[..., i, j] - (L[..., i, :j] * L[..., j, :j]).sum(-1)
            L[..., i, j] = np.where(sound, residual / np.where(sound, L[..., j, j], 1.0), 0.0)
    return L
