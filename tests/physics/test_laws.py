"""P1, P2, P16, P23, P25: entropies, observables, relaxation, schedules."""

from __future__ import annotations

import numpy as np
import pytest

from thermoc import physics


def test_shannon_entropy():
    assert physics.shannon_entropy([0.25] * 4) == pytest.approx(np.log(4), rel=1e-15)
    np.testing.assert_array_equal(physics.shannon_entropy([[1.0, 0.0], [0.0, 1.0]]), [0, 0])


def test_layer_observables_are_mean_square_entropy_and_their_free_energy():
    z, T = np.array([[0.5, -1.0, 2.0]]), np.array([0.8])
    U, S, F = physics.layer_observables(z, T)
    p = np.exp(-z / 0.8) / np.exp(-z / 0.8).sum()
    assert U[0] == pytest.approx(5.25 / 3, rel=1e-15)
    assert S[0] == pytest.approx(-(p * np.log(p)).sum(), rel=1e-14)
    assert F[0] == pytest.approx(U[0] - 0.8 * S[0], rel=1e-15)


def test_the_ou_step_keeps_the_stationary_law_exactly_for_any_step():
    """If m has mean d / gamma and variance T, so has m': (1 - a) d / gamma + a d / gamma, a^2 T + (1 - a^2) T."""
    for dt in (1e-6, 0.1, 50.0):
        mean = physics.ou_step(1.5, 3.0, 0.4, 2.0, 0.0, dt)
        assert mean == pytest.approx(1.5, rel=1e-14)
        a = float(physics.ou_step(1.0, 0.0, 0.0, 2.0, 0.0, dt))
        b = float(physics.ou_step(0.0, 0.0, 0.4, 2.0, 1.0, dt))
        assert a**2 * 0.4 + b**2 == pytest.approx(0.4, rel=1e-14)
        assert a == pytest.approx(np.exp(-2.0 * dt), rel=1e-14)


def test_two_half_steps_of_relaxation_are_one():
    half = physics.exponential_step(physics.exponential_step(2.0, 0.5, 3.0, 0.1), 0.5, 3.0, 0.1)
    assert half == pytest.approx(float(physics.exponential_step(2.0, 0.5, 3.0, 0.2)), rel=1e-15)


def test_schedules_are_their_formulas_and_never_below_the_floor():
    t = np.array([0.0, 0.5, 1.0, 4.0, 1e6])
    np.testing.assert_allclose(physics.exponential(t, 2.0, 3.0, 0.01)[:4], 2 * np.exp(-t[:4] / 3))
    np.testing.assert_allclose(physics.linear(t, 2.0, 8.0, 0.01)[:4], 2 * (1 - t[:4] / 8))
    np.testing.assert_allclose(physics.power_law(t, 2.0, 0.5, 1e-9), [2, 2, 2, 1, 2e-3])
    for law in (physics.exponential(t, 2.0, 3.0, 0.01), physics.linear(t, 2.0, 8.0, 0.01)):
        assert law[-1] == 0.01


def test_the_adaptive_schedule_solves_its_equation_for_constant_capacity():
    temperature = 2.0
    for _ in range(100):
        temperature = float(physics.adaptive_step(temperature, 4.0, 1.0, 0.5, 1e-6, 0.01))
    assert pytest.approx(2 * np.exp(-1.0 / (0.5 * 2.0)), rel=1e-12) == temperature
