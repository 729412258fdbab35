"""Works of a process and of its reverse: Crooks' theorem, Bennett's acceptance ratio (P30, P46)."""

# pyright: reportConstantRedefinition=false
# (T is a temperature, not a constant)

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from thermoc.physics.checks import finite, positive
from thermoc.support.array_types import FloatArray
from thermoc.support.errors import error

ITERATIONS = 100


@dataclass(frozen=True, kw_only=True)
class CrooksEstimate:
    """What works of both directions say of P_F(W) / P_B(-W) = e^((W - dF) / T), each with its standard error.

    dF: by Bennett's acceptance ratio, which takes the slope 1 / T as known. slope: d ln(P_F / P_B) / dW as measured,
    1 / T where the theorem holds. crossing: the work at which the two densities are equal, dF where it holds.
    """

    dF: float
    error: float
    slope: float
    slope_error: float
    crossing: float
    crossing_error: float


def crooks(forward: ArrayLike, backward: ArrayLike, T: float) -> CrooksEstimate:
    """Return dF, and slope and crossing of ln P_F(W) / P_B(-W), from works of a process and of its reverse.

    forward, backward: (samples,), independent, each from a start in equilibrium; backward are the works that the
    reverse took, of the opposite sign. By maximum likelihood, as a logistic regression of the direction on the work:
    no bins (Crooks 1999; Bennett 1976; Shirts et al. 2003). Errors: T405 for works of fewer than two samples, or that
    do not overlap.
    """
    W_F, W_B = (_works(name, work) for name, work in (("forward", forward), ("backward", backward)))
    beta = 1 / float(positive("T", T))
    work = np.concatenate([W_F, -W_B])
    if W_F.min() >= -W_B.min() or -W_B.max() >= W_F.max():
        notes = [f"forward {W_F.min():.6g} to {W_F.max():.6g}", f"reverse {-W_B.max():.6g} to {-W_B.min():.6g}"]
        raise error("T405", "the works of both directions do not overlap", notes=notes, hint="drive more slowly")
    # in units of T and around the middle: the regression is then well conditioned
    middle = float(np.median(work))
    x = beta * (work - middle)
    label = np.repeat([1.0, 0.0], [len(W_F), len(W_B)])
    prior = float(np.log(len(W_F) / len(W_B)))
    sampling = 1 / len(W_F) + 1 / len(W_B)
    fixed, fixed_covariance = _logistic(np.ones((len(x), 1)), label, prior + x)
    coefficients, covariance = _logistic(np.column_stack([np.ones(len(x)), x]), label, np.full(len(x), prior))
    # how many of each direction there are is chosen, not drawn (Prentice and Pyke 1979)
    fixed_covariance[0, 0] -= sampling
    covariance[0, 0] -= sampling
    a, b = (float(value) for value in coefficients)
    gradient = np.array([-1 / b, a / b**2])
    return CrooksEstimate(
        dF=middle - float(fixed[0]) / beta,
        error=_root(fixed_covariance[0, 0]) / beta,
        slope=beta * b,
        slope_error=beta * _root(covariance[1, 1]),
        crossing=middle - a / b / beta,
        crossing_error=_root(float(gradient @ covariance @ gradient)) / beta,
    )


def _works(name: str, work: ArrayLike) -> FloatArray:
    W = finite(name, work).reshape(-1)
    if len(W) < 2:
        raise error("T405", f"{name} needs two works at least", notes=[f"it has {len(W)}"])
    return W


def _logistic(design: FloatArray, label: FloatArray, offset: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return coefficients and covariance of P(label = 1) = 1 / (1 + e^-(offset + design c)), by Newton's method."""
    size = int(design.shape[1])
    c: FloatArray = np.zeros(size)
    information: FloatArray = np.eye(size)
    for _ in range(ITERATIONS):
        # beyond 700 the exponential overflows, and the probability is 0 or 1 to the last bit long before
        p = 1 / (1 + np.exp(-np.clip(offset + design @ c, -700, 700)))
        information = (design * (p * (1 - p))[:, np.newaxis]).T @ design
        step: FloatArray = np.asarray(np.linalg.solve(information, design.T @ (label - p)), np.float64)
        c = np.asarray(c + np.clip(step, -4.0, 4.0), np.float64)
        if np.abs(step).max() < 1e-10:
            break
    return c, np.asarray(np.linalg.inv(information), np.float64)


def _root(variance: float) -> float:
    return float(np.sqrt(max(variance, 0.0)))
