"""Laws of real units whose partition function nobody knows: what forces and places balance (P25, P29, P47)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from thermoc.certificates.law import Finding
from thermoc.certificates.samples.blocks import Blocks, means
from thermoc.certificates.samples.models import RealLaw
from thermoc.certificates.samples.scores import limit, most_pairs, two_sided, worst
from thermoc.certificates.significance import POWER
from thermoc.physics.pseudolikelihood import TemperatureFit, interval


def laws(blocks: Blocks, law: RealLaw) -> Iterator[Finding]:
    """Yield what samples of exp(-E / T) must be: <(x_i - c) dE/dx_j> = T where i is j, else 0, whatever Z is.

    That follows by integrating by parts, for any c; c is the mean of the samples, which moves it by some tau / n.
    """
    x = blocks.values
    g = law.gradient(x) / law.T
    off = x - x.mean(axis=0)
    product = off * g
    yield temperature(blocks, law, product)
    # over the root of the mean square, so that bounds of what one row adds are alike
    size = np.sqrt((g * g).mean(axis=0))
    yield worst(blocks, law.op, "no force is left over, of each unit", g / np.where(size > 0, size, 1.0), 0.0, 1.0)
    yield worst(blocks, law.op, "each unit's temperature is the model's, by its virial", product - 1, 0.0, 1.0)
    i, j = np.nonzero(~np.eye(law.units, dtype=bool))
    if len(i):
        places = np.unique(np.linspace(0, len(i) - 1, min(len(i), most_pairs(len(off)))).round().astype(int))
        i, j = i[places], j[places]
        spread = off.std(axis=0)
        scale = np.where(spread[i] * size[j] > 0, spread[i] * size[j], 1.0)
        statement = "no unit's force leans on another's place"
        yield worst(blocks, law.op, statement, off[:, i] * g[:, j] / scale, 0.0, 1.0)


def temperature(blocks: Blocks, law: RealLaw, share: NDArray) -> Finding:
    """Return that the mean virial of all units is that of the model's temperature (P47)."""
    estimate = means(blocks, share.mean(axis=1, keepdims=True))
    mean, error, dof = float(estimate.mean[0]), float(estimate.error[0]), blocks.count - 1
    return Finding(
        law="P47",
        op=law.op,
        statement="temperature over the model's, by the virial of the forces",
        statistic="virial",
        measured=mean,
        expected=1.0,
        bound=lambda level: limit(level, dof) * error,
        samples=len(share),
        p=two_sided((mean - 1) / error if error > 0 else np.nan, dof),
        bias=lambda level: (limit(level, dof) + POWER) * error,
        bias_of="temperature",
        ticks=1,
        details={"error": error, "tau": blocks.tau},
    )


def unit_temperatures(blocks: Blocks, law: RealLaw, *, sigmas: float = 2.5758) -> TemperatureFit:
    """Return the temperature of each unit by its virial, with its interval, autocorrelation counted."""
    x = blocks.values
    estimate = means(blocks, (x - x.mean(axis=0)) * law.gradient(x))
    T = np.where(estimate.mean > 0, estimate.mean, np.nan)
    fit = interval(1 / T, estimate.error / T**2, sigmas)
    return fit._replace(low=np.maximum(T - sigmas * estimate.error, 0.0), high=T + sigmas * estimate.error)
