"""Explicit steps of heat on a grid: the plain sweeps, whatever the panels and threads; exact modes; conservation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import thermoc as tc
from thermoc.simulator.kernels import heat_stencil
from thermoc.simulator.thermal import explicit_steps

RNG = np.random.default_rng(3)
SHAPES = [(1, 7), (37, 41), (5, heat_stencil.PANEL + 9), (130, 6)]


def plain(T: np.ndarray, fourier: float, sign: int, offset: float) -> np.ndarray:
    """Return T after one step, by NumPy."""
    around = np.pad(T, 1, mode="edge")
    for edge in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        around[edge] = sign * around[edge] + offset
    neighbours = (around[:-2, 1:-1] + around[2:, 1:-1]) + (around[1:-1, :-2] + around[1:-1, 2:])
    return T + fourier * (neighbours - 4 * T)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("boundary", ["insulated", "fixed"])
def test_steps_are_those_of_plain_sweeps(shape: tuple[int, int], boundary: str):
    """More steps than a pass takes, to rounding: NumPy does not fuse products with sums."""
    T, sides = RNG.random(shape), (1, 0.0) if boundary == "insulated" else (-1, 2.6)
    expected = T
    for _ in range(heat_stencil.DEPTH + 3):
        expected = plain(expected, 0.2, *sides)
    found = explicit_steps(T, 0.2, heat_stencil.DEPTH + 3, boundary=boundary, T_boundary=1.3)
    np.testing.assert_allclose(found, expected, rtol=1e-13)


@pytest.mark.parametrize("precision", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
def test_bits_depend_on_no_panel_and_no_thread(shape: tuple[int, int], precision: Any):
    T = RNG.random(shape).astype(precision)
    steps = heat_stencil.DEPTH + 2
    whole = explicit_steps(T, 0.25, steps, threads=1)
    one_by_one = T
    for _ in range(steps):
        one_by_one = explicit_steps(one_by_one, 0.25, 1, threads=3)
    assert whole.dtype == precision and np.array_equal(whole, one_by_one)


def test_a_wave_decays_as_its_eigenvalue_says():
    """cos(pi k (i + 1/2) / n) keeps its form between insulated borders, times 1 - 2 F (1 - cos(pi k / n)) a step."""
    n, k, F, steps = 64, 5, 0.2, 50
    wave = np.cos(np.pi * k * (np.arange(n) + 0.5) / n)
    factor = 1 - 2 * F * (1 - np.cos(np.pi * k / n))
    found = explicit_steps(np.tile(wave, (9, 1)), F, steps)
    np.testing.assert_allclose(found, np.tile(factor**steps * wave, (9, 1)), atol=1e-13)


def test_insulated_heat_stays():
    T = RNG.random((50, 40))
    assert abs(explicit_steps(T, 0.25, 100).sum() / T.sum() - 1) < 1e-13


def test_no_steps_change_nothing():
    T = RNG.random((3, 4))
    assert np.array_equal(explicit_steps(T, 0.1, 0), T)


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("T402", {"T": np.zeros(3)}),
        ("T402", {"T": np.zeros((0, 3))}),
        ("T403", {"T": np.zeros((2, 2), int)}),
        ("T404", {"steps": -1}),
        ("T404", {"threads": 0}),
        ("T404", {"boundary": "open"}),
        ("T405", {"fourier": 0.3}),
        ("T405", {"fourier": float("nan")}),
    ],
)
def test_bad_input_is_refused(code: str, change: dict[str, Any]):
    with pytest.raises(tc.ThermocError) as caught:
        explicit_steps(**{"T": np.zeros((2, 2)), "fourier": 0.1, "steps": 1} | change)
    assert caught.value.code == code
