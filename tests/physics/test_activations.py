"""P5 to P8: closed forms, limits, stability over the whole range of the formats."""

# SciPy has no type stubs.
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from thermoc import physics

X = np.array([-3.0, -0.5, 0.0, 0.25, 2.0])


def test_boltzmann_prefers_low_energy_by_the_ratio_of_its_factor():
    p = physics.boltzmann(X, 0.7)
    assert p.sum() == pytest.approx(1, abs=1e-15)
    assert np.log(p[0] / p[4]) == pytest.approx((X[4] - X[0]) / 0.7, rel=1e-14)


def test_boltzmann_takes_a_temperature_a_unit():
    T = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    weight = np.exp(-X / T)
    np.testing.assert_allclose(physics.boltzmann(X, T), weight / weight.sum(), rtol=1e-14)


def test_boltzmann_at_zero_is_argmin_shared_by_equals():
    np.testing.assert_array_equal(physics.boltzmann([2.0, 1.0, 1.0], 0.0), [0, 0.5, 0.5])


def test_fermi_dirac_is_its_formula_a_step_at_zero_and_symmetric():
    np.testing.assert_allclose(physics.fermi_dirac(X, 0.3, 0.1), 1 / (1 + np.exp((X - 0.1) / 0.3)), rtol=1e-14)
    np.testing.assert_array_equal(physics.fermi_dirac([-1.0, 0.5, 2.0], 0.0, 0.5), [1, 0.5, 0])
    np.testing.assert_allclose(physics.fermi_dirac(X, 0.3) + physics.fermi_dirac(-X, 0.3), 1, rtol=1e-15)


def test_what_is_no_number_stays_none():
    for y in (
        physics.boltzmann([np.nan, 1.0], 1.0),
        physics.fermi_dirac([np.nan], 1.0),
        physics.thermal_relu([np.nan], 1.0),
        physics.maxwell_boltzmann([np.nan], 1.0),
    ):
        assert np.isnan(y).any()


def test_thermal_relu_is_its_formula():
    np.testing.assert_array_equal(physics.thermal_relu(X, 0.25), [0, 0, 0, 0, 1.75])
    np.testing.assert_array_equal(physics.thermal_relu(X, 0.0), np.maximum(X, 0))


@pytest.mark.parametrize("T", [1e-3, 0.5, 40.0])
def test_maxwell_boltzmann_is_normalised_even_and_largest_at_x2_equal_2T(T: float):
    top = np.sqrt(2 * T)

    def density(x: float) -> float:
        return float(physics.maxwell_boltzmann(x, T))

    assert quad(density, 0, 12 * np.sqrt(T), epsabs=0)[0] == pytest.approx(1)
    assert physics.maxwell_boltzmann(-0.3, T) == physics.maxwell_boltzmann(0.3, T)
    near = physics.maxwell_boltzmann(top * np.array([0.999, 1, 1.001]), T)
    assert near.argmax() == 1
    exact = np.sqrt(2 / (np.pi * T**3)) * X**2 * np.exp(-(X**2) / (2 * T))
    np.testing.assert_allclose(physics.maxwell_boltzmann(X, T), exact, rtol=1e-12, atol=1e-300)
    np.testing.assert_array_equal(physics.maxwell_boltzmann(X, 0.0), 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nothing_overflows_up_to_the_range_of_the_format(dtype: type):
    most = np.finfo(dtype).max
    x = np.array([-most, -1.0, 0.0, 1.0, most], dtype) / dtype(2)
    with np.errstate(over="raise", invalid="raise"):
        for T in (dtype(1), dtype(1e-3) if dtype is np.float32 else dtype(1e-30)):
            small = x if T == 1 else np.clip(x, -T * most / 4, T * most / 4)
            for y in (
                physics.fermi_dirac(small, T),
                physics.thermal_relu(small, T),
                physics.maxwell_boltzmann(small, T),
            ):
                assert y.dtype == dtype
                assert np.isfinite(y).all()
            p = physics.boltzmann(small, T)
            assert p.dtype == dtype
            assert p.sum() == pytest.approx(1)
    np.testing.assert_array_equal(physics.fermi_dirac(x, dtype(1))[[0, 4]], [1, 0])
