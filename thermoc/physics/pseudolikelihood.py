"""Temperatures that samples show: by how they follow their drives, or by what their forces balance (P6, P47)."""

# pyright: reportConstantRedefinition=false
# (T is a temperature)

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from thermoc.physics.checks import finite
from thermoc.support.array_types import BoolArray, FloatArray, IntArray
from thermoc.support.errors import error

STEPS = 60
"""Steps of Newton's method; a concave likelihood takes about eight."""


class TemperatureFit(NamedTuple):
    """Temperatures (units,), the lower and upper end of their intervals, and the error of 1 / T.

    inf where a unit does not follow its drive, nan where nothing can be told.
    """

    T: FloatArray
    low: FloatArray
    high: FloatArray
    beta: FloatArray
    beta_error: FloatArray


class UnitTemperatures(NamedTuple):
    """The temperature that each unit shows, with its interval, beside what was asked for: each (units,).

    predicted: what a model of heat says that it should be, or None. shape: how the units lie.
    """

    title: str
    T: FloatArray
    low: FloatArray
    high: FloatArray
    stated: FloatArray
    predicted: FloatArray | None = None
    shape: tuple[int, ...] = ()

    def outside(self, of: FloatArray | None = None) -> IntArray:
        """Return the units whose interval does not hold ``of``: default the predicted temperature, else the stated."""
        reference = of if of is not None else self.stated if self.predicted is None else self.predicted
        return np.flatnonzero((reference < self.low) | (reference > self.high)).astype(np.int64)


def binary_temperatures(
    up: ArrayLike, drive: ArrayLike, *, memory: ArrayLike = 0.5, sigmas: float = 2.5758
) -> TemperatureFit:
    """Return the temperature at which each unit is up with probability 1 / (1 + exp(-drive / T)), most likely.

    The likelihood of each unit given all others (Besag 1975), over samples up (samples, units) and drives of the same
    shape: the energy that going up gives back. memory: integrated autocorrelation time of a unit's score in samples
    (1/2 for independent ones), by which the errors widen. sigmas: half the width of an interval, default 99 %.
    Errors: T405.
    """
    drive = finite("drive", drive)
    ups: BoolArray = np.asarray(up, bool)
    if ups.shape != drive.shape or drive.ndim != 2:
        notes = [f"up has shape {list(ups.shape)}", f"drive has shape {list(drive.shape)}"]
        raise error("T405", "levels and drives must be (samples, units)", notes=notes)
    # scaled, so that one start serves drives of any size
    size = np.sqrt((drive * drive).mean(axis=0))
    informative = size > 0
    scaled = drive / np.where(informative, size, 1.0)
    beta, information = _most_likely(ups, scaled)
    wide = np.sqrt(2 * np.broadcast_to(np.asarray(memory, float), beta.shape))
    with np.errstate(divide="ignore", invalid="ignore"):
        error_ = np.where(informative & (information > 0), wide / np.sqrt(information) / size, np.nan)
        beta = np.where(np.isnan(error_), np.nan, beta / size)
    return interval(beta, error_, sigmas)


def interval(beta: FloatArray, error_: FloatArray, sigmas: float) -> TemperatureFit:
    """Return the temperatures of 1 / T = beta within ``sigmas`` errors; an end that is not positive is inf."""
    low, high = beta + sigmas * error_, beta - sigmas * error_
    with np.errstate(divide="ignore", invalid="ignore"):
        T, T_low, T_high = (np.where(b > 0, 1 / b, np.where(np.isnan(b), np.nan, np.inf)) for b in (beta, low, high))
    return TemperatureFit(T=T, low=T_low, high=T_high, beta=beta, beta_error=error_)


def probability_up(drive: FloatArray) -> FloatArray:
    """Return 1 / (1 + exp(-drive)) without overflow (P6)."""
    return 0.5 * (1 + np.tanh(0.5 * drive))


def _most_likely(up: BoolArray, drive: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return beta (units,) of the greatest likelihood, and its information; where all follow, information is zero."""
    beta = np.zeros(drive.shape[1])
    for _ in range(STEPS):
        p = probability_up(beta * drive)
        score = (drive * (up - p)).sum(axis=0)
        information = (drive * drive * p * (1 - p)).sum(axis=0)
        # of separable units the likelihood rises for ever: its steps stay at one
        step = score / np.maximum(information, 1e-12)
        step = np.clip(step, -2.0, 2.0)
        beta = beta + step
        if np.abs(step).max(initial=0.0) < 1e-10:
            break
    p = probability_up(beta * drive)
    information = (drive * drive * p * (1 - p)).sum(axis=0)
    return beta, np.where(information > 1e-6, information, 0.0)
