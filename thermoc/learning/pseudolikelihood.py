"""Couplings from samples (inverse Ising) by pseudolikelihood, with standard errors.

The probability of each unit beside all others knows no partition function: the sum of their logarithms over units and
samples is largest near the couplings that made the samples (Besag, J. R. Stat. Soc. B 36 (1974) 192; consistent and
concave). SciPy's L-BFGS finds the maximum, symmetric couplings and fields at once.
"""

# pyright: reportMissingTypeStubs=false
# (SciPy has no types)

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc.learning.machines import logistic
from thermoc.physics.checks import positive
from thermoc.support.array_types import BoolArray, FloatArray, IntArray
from thermoc.support.errors import error

MOST_PARAMETERS = 5000
"""Couplings and fields of which errors are computed: a matrix of 200 MB."""


@dataclass(frozen=True, kw_only=True, eq=False)
class InverseIsing:
    """Estimates J (n, n) and h (n,), in units of the energy, and their standard errors of the same shapes.

    Errors are those of independent samples (Godambe's sandwich), 0 where nothing was estimated, and None where there
    are more than 5,000 numbers to estimate. log_likelihood: the mean log pseudolikelihood a sample, in nats.
    """

    J: FloatArray
    h: FloatArray
    J_error: FloatArray | None
    h_error: FloatArray | None
    log_likelihood: float


def pseudolikelihood(
    samples: ArrayLike, *, T: float = 1.0, pairs: ArrayLike | None = None, weight_decay: float = 0.0, most: int = 1000
) -> InverseIsing:
    """Return the couplings and fields of P12's energy under which samples (N, n) at temperature T are likeliest.

    Samples are all of -1 and 1, or all of 0 and 1. pairs: (n, n), true where units may be coupled; default all.
    weight_decay: sum of squares of couplings times half of this is taken off, which keeps them finite where units
    never change. Errors: T402, T403, T405; T404 where ``most`` rounds do not get there.
    """
    from scipy.optimize import minimize

    problem = _Problem.of(samples, float(positive("T", T)), pairs, weight_decay)
    start = np.zeros(problem.size)
    result = minimize(problem.loss, start, jac=True, method="L-BFGS-B", options={"maxiter": most, "gtol": 1e-9})
    if not result.success and np.abs(result.jac).max() > 1e-5:
        hint = "take a weight_decay > 0, or more rounds: a unit that others decide has no finite couplings"
        raise error(
            "T404", "the pseudolikelihood has no maximum that is reached", notes=[str(result.message)], hint=hint
        )
    J, h = problem.arrays(result.x)
    errors = problem.arrays(problem.errors(result.x)) if problem.size <= MOST_PARAMETERS else (None, None)
    log_likelihood = float(problem.logs(J, h).sum(axis=1).mean())
    return InverseIsing(J=J, h=h, J_error=errors[0], h_error=errors[1], log_likelihood=log_likelihood)


@dataclass(frozen=True, eq=False)
class _Problem:
    """Samples s, whether units are up, the pairs (first < second), and the drive a unit of field makes, over T."""

    s: FloatArray
    up: BoolArray
    first: IntArray
    second: IntArray
    factor: float
    decay: float

    @classmethod
    def of(cls, samples: ArrayLike, T: float, pairs: ArrayLike | None, decay: float) -> _Problem:
        s = np.asarray(samples, float)
        if s.ndim != 2 or 0 in s.shape:
            raise error("T402", "samples are an array (samples, units)", notes=[f"they have shape {list(s.shape)}"])
        spins, bits = (bool(((s == low) | (s == 1)).all()) for low in (-1, 0))
        if not spins and not bits:
            odd = s[(s != -1) & (s != 1)][0]
            raise error("T403", "samples are all of -1 and 1, or all of 0 and 1", notes=[f"one is {odd}"])
        n = s.shape[1]
        mask = np.ones((n, n), bool) if pairs is None else np.asarray(pairs, bool)
        if mask.shape != (n, n):
            notes = [f"it has shape {list(mask.shape)}", f"there are {n} units"]
            raise error("T402", "pairs is an array (units, units)", notes=notes)
        first, second = np.nonzero(np.triu(mask | mask.T, 1))
        return cls(s, s > 0, first, second, (2 if spins else 1) / T, decay)

    @property
    def size(self) -> int:
        return len(self.first) + self.s.shape[1]

    def arrays(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return J and h of the numbers that are estimated."""
        n, pairs = self.s.shape[1], len(self.first)
        J = np.zeros((n, n))
        J[self.first, self.second] = J[self.second, self.first] = x[:pairs]
        return J, x[pairs:]

    def logs(self, J: FloatArray, h: FloatArray) -> FloatArray:
        """Return the log probability of each unit beside the others (N, n)."""
        drive = self.factor * (self.s @ J + h)
        return -np.logaddexp(0, np.where(self.up, -drive, drive))

    def loss(self, x: FloatArray) -> tuple[float, FloatArray]:
        """Return minus the mean log pseudolikelihood, and its gradient."""
        J, h = self.arrays(x)
        residual = self.factor * (self.up - logistic(self.factor * (self.s @ J + h)))
        cross = residual.T @ self.s / len(self.s)
        gradient = np.concatenate([(cross + cross.T)[self.first, self.second], residual.mean(axis=0)])
        decayed = np.concatenate([x[: len(self.first)], np.zeros(len(h))]) * self.decay
        total = -self.logs(J, h).sum(axis=1).mean() + decayed @ x / 2
        return float(total), decayed - gradient

    def errors(self, x: FloatArray) -> FloatArray:
        """Return standard errors: H^-1 V H^-1 / N, H the mean curvature and V the variance of samples' gradients."""
        (J, h), n, pairs = self.arrays(x), self.s.shape[1], len(self.first)
        p = logistic(self.factor * (self.s @ J + h))
        weight, residual = self.factor**2 * p * (1 - p), self.factor * (self.up - p)
        number = np.full((n, n), -1)
        number[self.first, self.second] = number[self.second, self.first] = np.arange(pairs)
        H: Any = np.zeros((self.size, self.size))
        for i in range(n):
            neighbours = np.flatnonzero(number[i] >= 0)
            features = np.column_stack([self.s[:, neighbours], np.ones(len(self.s))])
            at = np.append(number[i, neighbours], pairs + i)
            H[np.ix_(at, at)] += features.T @ (weight[:, i, np.newaxis] * features) / len(self.s)
        H[np.arange(pairs), np.arange(pairs)] += self.decay
        first, second = self.first, self.second
        gradients = residual[:, first] * self.s[:, second] + residual[:, second] * self.s[:, first]
        gradients = np.column_stack([gradients, residual])
        spread = np.linalg.solve(H, np.cov(gradients, rowvar=False, bias=True)) if len(self.s) > 1 else H
        return np.sqrt(np.clip(np.diag(np.linalg.solve(H, spread.T)), 0, None) / len(self.s))


__all__ = ["InverseIsing", "pseudolikelihood"]
