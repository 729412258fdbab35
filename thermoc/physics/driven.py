"""Driven systems: work, free-energy differences, entropy production (P30)."""

# pyright: reportConstantRedefinition=false
# (T, C, G are a temperature, a capacity and conductances, not constants)

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from thermoc.physics.checks import finite, non_negative, positive
from thermoc.support.array_types import FloatArray


@dataclass(frozen=True, kw_only=True)
class FreeEnergyDifference:
    """dF from works, its standard error, and the mean work dissipated, <W> - dF >= 0."""

    dF: float
    error: float
    dissipated: float
    samples: int


def jarzynski(work: ArrayLike, T: float) -> FreeEnergyDifference:
    """Return dF = -T ln <e^(-W/T)> of independent works (P30; Jarzynski 1997), error bar by the delta method.

    work: (samples,), each from a start in equilibrium. The mean is dominated by rare small works: trust the error bar
    only where W spreads over a few T. Errors: T405.
    """
    W, T = finite("work", work).reshape(-1), float(positive("T", T))
    # counted from the least work, whose weight is one: the sum can neither overflow nor vanish
    low = W.min()
    weight = np.exp(-(W - low) / T)
    mean = weight.mean()
    dF = float(low - T * np.log(mean))
    spread = float(T * weight.std(ddof=1) / mean / np.sqrt(len(W))) if len(W) > 1 else float("inf")
    return FreeEnergyDifference(dF=dF, error=spread, dissipated=float(W.mean() - dF), samples=len(W))


@dataclass(frozen=True, kw_only=True)
class Production:
    """Rates of entropy production: total = housekeeping + excess, each >= 0 and in k_B per time."""

    total: FloatArray
    housekeeping: FloatArray
    excess: FloatArray


def markov_entropy_production(rates: ArrayLike, p: ArrayLike) -> Production:
    """Return the entropy production of a Markov jump process and its two parts (P30; Esposito and Van den Broeck 2010).

    rates: (n, n), rates[i, j] the rate from j to i; p: (..., n) the distribution now. Housekeeping keeps the stationary
    state out of equilibrium, excess is what relaxing towards it costs. A rate without its reverse is refused: its
    entropy production is infinite. Errors: T405.
    """
    from thermoc.physics.checks import distribution
    from thermoc.support.errors import error

    W = non_negative("rates", rates).copy()
    np.fill_diagonal(W, 0.0)
    one_way = np.argwhere((W > 0) & (W.T == 0))
    if len(one_way):
        i, j = (int(k) for k in one_way[0])
        notes = [f"rates[{i}, {j}] = {W[i, j]!r}", f"rates[{j}, {i}] = 0"]
        raise error("T405", "a jump has no reverse", notes=notes, hint="give it a small rate")
    p = distribution("p", p)
    steady = stationary(W)
    flow = W * p[..., np.newaxis, :]
    net = flow - np.swapaxes(flow, -1, -2)
    # a jump that is not there: the logarithm of one, which the sums below leave out
    safe = np.where(W > 0, W, 1.0)
    log_ratio = np.log((safe * steady[np.newaxis, :]) / (safe.T * steady[:, np.newaxis]))
    # an empty state has no logarithm; the floor keeps the sum a number
    gap = np.log(np.maximum(p, 1e-300) / steady)
    shifted = gap[..., np.newaxis, :] - gap[..., :, np.newaxis]
    keep = np.where(W > 0, net * log_ratio, 0.0).sum(axis=(-2, -1)) / 2
    excess = np.where(W > 0, net * shifted, 0.0).sum(axis=(-2, -1)) / 2
    return Production(total=keep + excess, housekeeping=keep, excess=excess)


def stationary(rates: ArrayLike) -> FloatArray:
    """Return the stationary distribution of a jump process; rates[i, j] from j to i, connected."""
    W = np.array(rates, float)
    np.fill_diagonal(W, 0.0)
    generator = W - np.diag(W.sum(axis=0))
    # one balance follows from the others: in its place stands that probabilities sum to one
    generator[-1] = 1.0
    right = np.zeros(len(W))
    right[-1] = 1.0
    return np.asarray(np.linalg.solve(generator, right), float)
