"""Stein discrepancies: how far samples are from exp(-E / T) whose Z is unknown, and a test of it (P12, P49).

Each function returns the matrix kappa(x, y) whose mean over samples of that law is zero. ``stein_test`` says how
unlikely the mean is. What no discrepancy of this kind can see: the weights of wells between which no sample lies.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from thermoc.physics.checks import finite
from thermoc.support.array_types import FloatArray, IntArray
from thermoc.support.errors import error

LEAST_BLOCKS = 16
"""Independent groups of samples from which on the test is made."""


class SteinTest(NamedTuple):
    """discrepancy: the mean of the matrix, zero for samples of the law. p: how often chance would give as much.

    weights: of the squares that it is a sum of where the law holds, (blocks,).
    """

    discrepancy: float
    p: float
    weights: FloatArray

    @property
    def blocks(self) -> int:
        """How many groups of samples stand for themselves."""
        return len(self.weights)

    def limit(self, level: float) -> float:
        """Return what the discrepancy stays below but for ``level``, by halving."""
        low, high = 0.0, float(np.abs(self.weights).sum())
        while chi_square_tail(self.weights, high) > level and high < 1e300:
            low, high = high, 2 * high
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if chi_square_tail(self.weights, middle) > level else (low, middle)
        return high / self.blocks**2


def discrete_stein_matrix(
    states: ArrayLike, cost: ArrayLike, T: ArrayLike, *, operator: str = "heat-bath"
) -> FloatArray:
    """Return the Stein kernel (samples, samples) of binary units, from the energy that flipping each would cost.

    states: (samples, units) of two levels; cost: the same shape, E(flipped) - E. With k = exp(-H / units), H the number
    of units in which two states differ. operator "difference": kappa of Yang et al. (2018), with the ratios
    exp(-cost / T), which are unbounded at low temperatures. "heat-bath": the same with every flip weighed by its
    probability 1 / (1 + exp(cost / T)) (Shi et al. 2022), which is bounded. Errors: T404, T405.
    """
    cost = finite("cost", cost) / np.asarray(T, float)
    x = np.asarray(states, float)
    if x.shape != cost.shape or x.ndim != 2:
        notes = [f"states have shape {list(x.shape)}", f"costs have shape {list(cost.shape)}"]
        raise error("T405", "states and costs must be (samples, units)", notes=notes)
    n = x.shape[1]
    sign = np.where(x > 0, 1.0, -1.0)
    kernel = np.exp(-(n - sign @ sign.T) / 2 / n)
    # flipping unit i in one of two states brings them one unit apart where they agree, together where they differ
    different, together = np.exp(-1 / n), np.exp(1 / n)
    mean, half = (different + together) / 2, (different - together) / 2
    if operator == "heat-bath":
        q = 0.5 * (1 - np.tanh(0.5 * cost))
        return 2 * kernel * ((1 - mean) * (q @ q.T) - half * ((q * sign) @ (q * sign).T))
    if operator != "difference":
        raise error("T404", f"there is no operator {operator!r}", notes=["operators: heat-bath, difference"])
    w = np.exp(np.minimum(-cost, 300.0))
    total, signed = w.sum(axis=1), (w * sign) @ sign.T
    flipped = mean * (total[:, np.newaxis] + total) + half * (signed + signed.T)
    return kernel * (n + w @ w.T - flipped)


def kernel_stein_matrix(x: ArrayLike, score: ArrayLike, *, scale: ArrayLike | None = None) -> FloatArray:
    """Return the Stein kernel (samples, samples) of real units with the inverse multiquadric kernel.

    x: (samples, units); score: -dE/dx / T of the same shape; k = (1 + |x - y|^2 / units)^-1/2 with each unit over its
    ``scale``, default its spread in x (Gorham and Mackey 2017). Errors: T405.
    """
    x, s = finite("x", x), finite("score", score)
    if x.shape != s.shape or x.ndim != 2:
        notes = [f"x has shape {list(x.shape)}", f"score has shape {list(s.shape)}"]
        raise error("T405", "samples and scores must be (samples, units)", notes=notes)
    n = x.shape[1]
    size = np.asarray(x.std(axis=0) if scale is None else scale, float) * np.sqrt(n)
    size = np.where(size > 0, size, 1.0)
    # in units of the scale: y = x / size, and scores with respect to y
    y, u = x / size, s * size
    squares = (y * y).sum(axis=1)
    distance = np.maximum(squares[:, np.newaxis] + squares - 2 * y @ y.T, 0.0)
    base = 1 + distance
    k, first = base**-0.5, base**-1.5
    along = (u * y).sum(axis=1)[:, np.newaxis] - u @ y.T  # u(x).(x - y)
    # grad_y k = (x - y) base^-3/2, grad_x k its opposite
    cross = first * (along + along.T)
    trace = n * first - 3 * distance * base**-2.5
    # the score of y is with respect to coordinates of its own scale, so all terms are in units of y
    return k * (u @ u.T) + cross + trace


def stein_test(matrix: FloatArray, block: IntArray | None = None) -> SteinTest:
    """Return the mean of a Stein kernel, and the chance of one as large for samples of the law.

    block: (samples,) which samples depend on each other, such as a stretch of a chain of many correlation times;
    default: each stands alone. Under the law the sum over blocks is a sum of squares of normals weighed by the
    eigenvalues of the matrix summed over blocks: the wild bootstrap (Chwialkowski et al. 2014) with one normal a block,
    its tail in closed form (Kuonen 1999) in place of drawn. Errors: T405 for fewer than 16 blocks.
    """
    if block is not None:
        names = np.unique(block)
        member = (block == names[:, np.newaxis]).astype(float)
        matrix = member @ matrix @ member.T / np.outer(member.sum(axis=1), member.sum(axis=1))
    if len(matrix) < LEAST_BLOCKS:
        notes = [f"{len(matrix)} independent groups", f"at least {LEAST_BLOCKS} are needed"]
        raise error("T405", "too few independent samples for a Stein test", notes=notes)
    matrix = (matrix + matrix.T) / 2
    weights = np.asarray(np.linalg.eigvalsh(matrix), float)
    total = float(matrix.sum())
    return SteinTest(total / matrix.size, chi_square_tail(weights, total), weights)


def chi_square_tail(weights: ArrayLike, total: float) -> float:
    """Return P(sum w_k Z_k^2 >= total), Z standard normal, by the saddlepoint (Lugannani and Rice; Kuonen 1999).

    weights: any signs. Relative error some percent, in the far tail too.
    """
    brentq: Any = import_module("scipy.optimize").brentq
    ndtr: Any = import_module("scipy.special").ndtr
    w = np.asarray(weights, float)
    w = w[np.abs(w) > 1e-12 * np.abs(w).max(initial=0.0)]
    if not len(w):
        return 1.0
    if total >= 0 and w.max() <= 0:
        return 0.0
    if total <= 0 and w.min() >= 0:
        return 1.0

    def slope(z: float) -> float:
        return float((w / (1 - 2 * z * w)).sum()) - total

    upper = 0.5 / w.max() if w.max() > 0 else np.inf
    lower = 0.5 / w.min() if w.min() < 0 else -np.inf
    scale = float(np.abs(w).sum())
    high = upper * (1 - 1e-9) if np.isfinite(upper) else _beyond(slope, 1 / scale, 1)
    low = lower * (1 - 1e-9) if np.isfinite(lower) else _beyond(slope, -1 / scale, -1)
    if slope(high) <= 0:  # beyond all that these weights give
        return 0.0
    if slope(low) >= 0:
        return 1.0
    z = float(brentq(slope, low, high, xtol=1e-14 / scale, rtol=1e-12))
    r = float(np.sign(z) * np.sqrt(max(2 * z * total + float(np.log1p(-2 * z * w).sum()), 0.0)))
    v = z * float(np.sqrt(2 * ((w / (1 - 2 * z * w)) ** 2).sum()))
    if abs(r) < 1e-4:  # at the mean the formula is 0 / 0; its limit has the third cumulant
        third = 8 * float((w**3).sum()) / (2 * float((w**2).sum())) ** 1.5
        return float(0.5 - third / 6 / np.sqrt(2 * np.pi))
    return float(np.clip(1 - ndtr(r + np.log(v / r) / r), 0.0, 1.0))


def _beyond(slope: Callable[[float], float], start: float, sign: int) -> float:
    """Return an argument where a monotone function has the sign asked for, by doubling."""
    z = start
    for _ in range(200):
        if sign * slope(z) > 0:
            return z
        z *= 2
    return z
