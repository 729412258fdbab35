"""Power laws of whole numbers: what was put in is found, with an error bar that is the spread; others are ruled out."""

import numpy as np
import pytest

import thermoc as tc
from thermoc.physics.power_laws import power_law


def drawn(exponent: float, count: int, seed: int, most: int = 2000) -> np.ndarray:
    k = np.arange(1, most + 1)
    p = k**-exponent
    return np.random.default_rng(seed).choice(k, size=count, p=p / p.sum())


def test_the_exponent_is_found_and_its_error_is_the_spread():
    fits = [power_law(drawn(2.3, 1000, seed), least=1, most=2000, repeats=0) for seed in range(60)]
    off = np.array([(fit.exponent - 2.3) / fit.error for fit in fits])
    assert abs(off.mean()) < 4 / np.sqrt(60) and off.std() == pytest.approx(1, abs=4 / np.sqrt(120))


@pytest.mark.slow
def test_a_power_law_is_kept_and_an_exponential_is_ruled_out():
    """p is uniform where the law holds: below 0.02 once in 50, of one fixed seed."""
    kept = power_law(drawn(2.0, 2000, seed=1), least=1, repeats=50)
    assert kept.p > 0.02 and kept.advantage > 0.1
    ruled_out = power_law(np.random.default_rng(0).geometric(0.1, 2000), least=1, repeats=50)
    assert ruled_out.p == 0 and ruled_out.advantage < 0


def test_the_tail_begins_where_the_law_does():
    sizes = np.concatenate([10 * drawn(2.5, 1500, seed=2, most=200), np.random.default_rng(3).integers(1, 10, 1500)])
    # multiples of ten are no law of whole numbers: spread them over their decade
    sizes = sizes + np.where(sizes >= 10, np.random.default_rng(4).integers(0, 10, len(sizes)), 0)
    assert 6 <= power_law(sizes, repeats=0).least <= 60


def test_what_is_no_size_or_too_few_is_refused():
    for sizes in ([1.5] * 100, [0] * 100, [], [1, 2, 3]):
        with pytest.raises(tc.ThermocError, match="T405"):
            power_law(sizes)
