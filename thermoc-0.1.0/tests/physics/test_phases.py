"""P34: finite-size scaling finds a transition that was put in."""

import numpy as np
import pytest

import thermoc as tc
from thermoc import physics

TC, NU = 2.0, 1.0


def made(L: int, T: np.ndarray, chains: int, seed: int) -> np.ndarray:
    """Magnetisations whose Binder cumulant depends on (T - TC) L^(1/nu) alone: two narrow peaks that widen with T."""
    x = (T - TC) * L ** (1 / NU)
    width = np.exp(x / 4)[:, np.newaxis, np.newaxis] * 0.8
    rng = np.random.default_rng(seed)
    sign = rng.choice([-1.0, 1.0], size=(len(T), 400, chains))
    return sign + width * rng.normal(size=sign.shape)


def test_the_crossing_and_the_exponent_are_found():
    T = np.linspace(1.9, 2.1, 9)
    found = physics.finite_size_scaling({L: made(L, T, 64, L) for L in (8, 16, 32)}, T)
    assert abs(found.tc - TC) < 4 * found.error and found.error < 0.01
    assert found.nu == pytest.approx(NU, abs=0.15)


def test_the_error_bar_is_the_spread_of_repeated_experiments():
    T = np.linspace(1.9, 2.1, 9)
    runs = [physics.finite_size_scaling({L: made(L, T, 32, 100 * k + L) for L in (8, 16)}, T) for k in range(40)]
    spread = np.std([run.tc for run in runs], ddof=1)
    assert spread == pytest.approx(np.mean([run.error for run in runs]), rel=4 / np.sqrt(2 * 39))


def test_sizes_that_do_not_cross_are_refused():
    T = np.linspace(2.5, 3.0, 9)
    with pytest.raises(tc.ThermocError, match=r"(?s)T405.*sizes 8 and 16"):
        physics.finite_size_scaling({L: made(L, T, 32, L) for L in (8, 16)}, T)


def test_correlation_length_of_independent_and_smooth_spins():
    rng = np.random.default_rng(0)
    assert physics.correlation_length(rng.choice([-1, 1], (500, 16, 16))) < 0.5
    L, xi = 64, 3.0
    k = 2 * np.sin(np.pi * np.fft.fftfreq(L))
    power = 1 / (1 + xi**2 * (k[:, None] ** 2 + k[None, :] ** 2))
    field = np.fft.ifft2(np.sqrt(power) * np.fft.fft2(rng.normal(size=(4000, L, L)))).real
    assert physics.correlation_length(field) == pytest.approx(xi, rel=4 * 0.5 * np.sqrt(2 / 8000) * 3)
