"""The models by equations, each at the order its method states, and spikes where others have found them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import thermoc as tc

EXAMPLE = Path(__file__).parents[2] / "examples" / "equations.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("equations", EXAMPLE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["FitzHugh-Nagumo", "Hodgkin-Huxley", "Hodgkin-Huxley, rk4", "AdEx", "Izhikevich", "Kuramoto ring"]
)
def test_a_model_falls_at_its_order(example: ModuleType, name: str):
    steps, errors, order = example.errors(name)
    assert example.slope(steps, errors) == pytest.approx(order, abs=0.1)


def test_the_double_well_settles_to_its_law(example: ModuleType):
    """<x^2> of 64 units x 64 samples at ticks a correlation time apart; 4 standard errors, a false alarm in 16,000."""
    x = tc.compile(example.double_well, "sim").run(ticks=2000, batch=64, seed=7, record={"x": tc.every(200)})["x"][4:]
    square = (x**2).reshape(len(x), -1)
    grid = np.linspace(-3, 3, 2001)
    weight = np.exp(-(grid**4 / 4 - grid**2 / 2) / 0.25)
    exact = (grid**2 * weight).sum() / weight.sum()
    error = square.mean(0).std(ddof=1) / np.sqrt(square.shape[1])
    # Euler's own error of the law at dt = 0.02 is below 0.01.
    assert abs(square.mean() - exact) < 4 * error + 0.01
