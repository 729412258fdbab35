"""Crooks' theorem of Gaussian works, for which dF, slope and crossing are known."""

import numpy as np
import pytest

import thermoc as tc
from thermoc import physics

T, DF, SPREAD = 0.7, 1.3, 0.6


def works(rng: np.random.Generator, forward: int, backward: int) -> tuple[np.ndarray, np.ndarray]:
    """Works of variance s^2 dissipate s^2 / 2T, both ways."""
    lost = SPREAD**2 / 2 / T
    return DF + lost + SPREAD * rng.normal(size=forward), -DF + lost + SPREAD * rng.normal(size=backward)


def test_estimates_and_error_bars_are_right_for_unequal_numbers():
    """Means of 100 repetitions within 4 standard errors, their spread within 4 of one: five checks in 10,000."""
    rng = np.random.default_rng(0)
    results = [physics.crooks(*works(rng, 600, 400), T) for _ in range(100)]
    for estimate, error, exact in (
        ("dF", "error", DF),
        ("slope", "slope_error", 1 / T),
        ("crossing", "crossing_error", DF),
    ):
        off = np.array([(getattr(r, estimate) - exact) / getattr(r, error) for r in results])
        assert abs(off.mean()) < 0.4, estimate
        assert off.std() == pytest.approx(1, abs=4 / np.sqrt(200)), estimate


def test_works_that_do_not_overlap_or_are_too_few_are_refused():
    with pytest.raises(tc.ThermocError, match=r"(?s)T405.*do not overlap.*drive more slowly"):
        physics.crooks([5.0, 6.0], [-1.0, -2.0], 1.0)
    with pytest.raises(tc.ThermocError, match=r"T405.*two works"):
        physics.crooks([5.0], [-1.0, -2.0], 1.0)
