"""The models by equations, each at the order its method states, and spikes where others have found them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy.integrate import solve_ivp

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


@pytest.mark.slow
def test_spikes_of_adex_come_when_radau_finds_them(example: ModuleType):
    """Six spikes with their resets: they are late, by a fifth where the tick is a fifth, for spikes are of order 1."""

    def peak(t: float, y: np.ndarray) -> float:
        return y[0] + 20.0  # from here to 20 mV it takes a millionth of a ms

    peak.terminal = True  # type: ignore[attr-defined]
    start, now, wanted = [-70.6, 0.0], 0.0, list[float]()
    while len(wanted) < 6:
        solved = solve_ivp(
            example.adex_slopes, (now, 400), start, method="Radau", rtol=1e-9, atol=1e-9, events=peak, first_step=1e-3
        )
        now = float(solved.t_events[0][0])
        wanted.append(now)
        start = [-70.6, float(solved.y_events[0][0][1]) + 80.5]
    late: list[float] = []
    for dt in (5e-5, 1e-5):
        net = example.network(dt, example.ADEX, **example.ADEX_UNIT)
        spikes = tc.compile(net, "sim").run(ticks=round(0.26 / dt))["spikes"].reshape(-1)
        late.append(float(np.max((np.flatnonzero(spikes)[:6] + 1) * dt * 1e3 - wanted)))
    assert late[1] < 0.3 and 4 < late[0] / late[1] < 6
