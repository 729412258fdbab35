"""Critical dynamics of the square Ising lattice: its exponent z from how order decays at T_c (P34).

Started in full order at T_c, the magnetisation falls as m(t) ~ t^(-beta / (nu z)) while the correlation length, which
grows as t^(1/z), is far below the side (Janssen, Schaub and Schmittmann 1989; Li, Schuelke and Zheng 1995). With
beta / nu = 1/8 exactly, its slope gives z. Heat bath, like all local dynamics without conservation, is in the class of
model A, z = 2.1667(5) (Nightingale and Bloete 1996).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

import thermoc as tc
from thermoc import physics
from thermoc.physics.checks import positive
from thermoc.support.array_types import FloatArray, IntArray
from thermoc.support.errors import error

BETA_OVER_NU = 1 / 8
Z_MODEL_A, Z_ERROR = 2.1667, 0.0005
WORD_SIDE = 128
"""Sides that are multiples of it are updated 64 spins at a time."""


@dataclass(frozen=True, kw_only=True)
class OrderDecay:
    """Magnetisations (points, samples) of independent lattices after so many sweeps (points,) from full order."""

    sweeps: IntArray
    m: FloatArray
    side: int


def order_decay(
    side: int = 512, *, samples: int = 64, sweeps: tuple[int, int] = (10, 500), points: int = 18, seed: int = 0
) -> OrderDecay:
    """Return how full order decays at T_c by heat bath, black squares and white; sweeps: the first and last seen.

    Points in time are spaced evenly on a logarithmic scale, to whole fives of sweeps. Errors: T404, T405.
    """
    first, last = sweeps
    step = 5
    if not step <= first < last:
        raise error("T404", "sweeps are the first, 5 at least, and a later last one", notes=[f"sweeps = {sweeps}"])
    draws = "word" if side % WORD_SIDE == 0 else "replica"
    with tc.Network("order_decay") as net:
        options = {"initial": 1.0, "sweeps": step, "draws": draws}
        s = tc.gibbs(physics.ISING_TC, physics.square_lattice(side), **options)
        tc.output("m", tc.reduce(s, kind="mean", axes=(0,)))
    ticks = np.unique(np.round(np.geomspace(first, last, points) / step).astype(np.int64))
    rows = []
    with tc.compile(net).start(batch=samples, seed=seed) as session:
        for tick in ticks:
            if tick > session.tick:
                session.run(int(tick - session.tick), record={})
            rows.append(session.run(1)["m"][0])
    return OrderDecay(sweeps=step * ticks, m=np.array(rows, float), side=side)


@dataclass(frozen=True, kw_only=True)
class DynamicExponent:
    """z and its standard error, from the slope of ln m against ln t."""

    z: float
    error: float
    slope: float
    slope_error: float


def dynamic_exponent(sweeps: ArrayLike, m: ArrayLike, *, least: int = 20) -> DynamicExponent:
    """Return z of magnetisations (points, samples) that decay from full order; sweeps before ``least`` are left out.

    A line through ln m(t), each point weighted by its own error; as all points are of the same lattices, the error of
    the slope is jackknifed over the samples. Errors: T405.
    """
    t, values = positive("sweeps", sweeps), np.asarray(m, float)
    late = t >= least
    if values.shape[:1] != t.shape or values.ndim != 2 or values.shape[1] < 2 or late.sum() < 3:
        notes = [f"{len(t)} points, {int(late.sum())} from {least} sweeps on", f"m has shape {list(values.shape)}"]
        raise error("T405", "z needs magnetisations (points, samples), three points and two samples", notes=notes)
    x, values = np.log(t[late]), values[late]
    mean, count = positive("the mean of m", values.mean(axis=1)), values.shape[1]
    weight = mean / values.std(axis=1, ddof=1)

    def slope(averages: FloatArray) -> float:
        return float(np.polyfit(x, np.log(averages), 1, w=weight)[0])

    left_out = np.array([slope((mean * count - values[:, k]) / (count - 1)) for k in range(count)])
    spread = float(np.sqrt((count - 1) * left_out.var()))
    fitted = slope(mean)
    z = -BETA_OVER_NU / fitted
    return DynamicExponent(z=z, error=spread * z * z / BETA_OVER_NU, slope=fitted, slope_error=spread)
