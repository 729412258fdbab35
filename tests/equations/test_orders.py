"""Each method falls at the order it states; noise in the sense it states. Errors of paths, not of chance: fixed draws."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from thermoc.ir.equations.arrays import ARRAYS
from thermoc.ir.equations.methods import METHODS, described
from thermoc.ir.equations.motion import Motion
from thermoc.ir.equations.problems import EquationProblem
from thermoc.ir.equations.reading import fits
from thermoc.ir.equations.system import read
from thermoc.ir.equations.tick import tick

State = list[Any]


def run(
    equations: str,
    method: str,
    start: State,
    numbers: dict[str, Any],
    T: float,
    steps: int,
    draws: Callable[[int, int], Any] = lambda k, j: 0.0,
    **more: Any,
) -> State:
    """Return the states at T after equal steps; draws: normals of a step and a noise."""
    system, dt, x = read(equations, **more), T / steps, start
    for k in range(steps):
        motion = Motion(
            system=system,
            algebra=ARRAYS,
            names=numbers,
            numbers=numbers,
            dt=dt,
            time=lambda k=k: k * dt,
            normal=lambda j, k=k: draws(k, j),
            sqrt=lambda value: value**0.5,
        )
        x = tick(motion, method, x).x
    return x


def order(counts: list[int], errors: list[float]) -> float:
    return float(-np.polyfit(np.log(counts), np.log(errors), 1)[0])


COUPLED = "dx/dt = y - x*(1 + y**2) : 1\ndy/dt = (sin(t) - x - y)/tau : 1"
"""Linear in each variable for itself, nonlinear together, and in time."""


def coupled(t: float, z: np.ndarray) -> list[float]:
    x, y = z
    return [y - x * (1 + y**2), (np.sin(t) - x - y) / 0.7]


@pytest.mark.parametrize("method", ["euler", "heun", "exponential_euler", "rk2", "rk4"])
def test_an_ordinary_equation_is_solved_at_the_stated_order(method: str):
    solved = solve_ivp(coupled, (0, 3), [1.0, 0.5], method="Radau", rtol=1e-12, atol=1e-13).y[:, -1]
    counts = [60, 120, 240] if METHODS[method].ORDER > 1 else [600, 1200, 2400]
    errors = [
        float(
            np.abs(np.array(run(COUPLED, method, [np.array(1.0), np.array(0.5)], {"tau": 0.7}, 3.0, n)) - solved).max()
        )
        for n in counts
    ]
    assert order(counts, errors) == pytest.approx(METHODS[method].ORDER, abs=0.1)


@pytest.mark.parametrize(
    "equations",
    [
        "dx/dt = -3*x + 1 : 1",
        "dx/dt = y : 1\ndy/dt = -x - 0.1*y : 1",
        "dx/dt = y : 1\ndy/dt = 0.5 : 1",
        "dx/dt = 2 : 1\ndy/dt = -y : 1",
    ],
)
def test_a_linear_system_has_no_error_whatever_the_step(equations: str):
    """Rates that are 0, that make a wave, and a matrix that has no eigenvectors."""
    system = read(equations)
    start = [np.array(1.0), np.array(-0.3)][: len(system.variables)]
    fine = run(equations, "rk4", start, {}, 2.0, 4000)
    once = run(equations, "exact", start, {}, 2.0, 1)
    np.testing.assert_allclose(once, fine, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(run(equations, "exact", start, {}, 2.0, 7), once, rtol=1e-13, atol=1e-13)


PATHS, FINE, T = 20000, 256, 1.0


@pytest.fixture(scope="module")
def increments() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(FINE, PATHS)) * np.sqrt(T / FINE)


@pytest.mark.parametrize(
    ("method", "sense"), [("euler", "Ito"), ("milstein", "Ito"), ("stochastic_heun", "Stratonovich")]
)
def test_multiplicative_noise_has_its_sense_and_its_orders(method: str, sense: str, increments: np.ndarray):
    """dx = mu x dt + s x dW has a solution in closed form, exp(W), in either sense."""
    assert sense == METHODS[method].NOISE

    def difference(n: int, mu: float, s: float) -> np.ndarray:
        solved = np.exp((mu - s * s / 2 if sense == "Ito" else mu) * T + s * increments.sum(0))
        z = increments.reshape(n, FINE // n, PATHS).sum(1) / np.sqrt(T / n)
        (x,) = run("dx/dt = mu*x + s*x*xi : 1", method, [np.ones(PATHS)], {"mu": mu, "s": s}, T, n, lambda k, j: z[k])
        return x - solved

    fine, coarse = [32, 64, 128, 256], [8, 16, 32, 64]
    strong = [float(np.sqrt(np.mean(difference(n, 0.1, 0.5) ** 2))) for n in fine]
    # On the same paths the mean of differences is known better than either mean.
    weak = [float(abs(np.mean(difference(n, 0.8, 0.5)))) for n in coarse]
    assert order(fine, strong) == pytest.approx(METHODS[method].STRONG, abs=0.1)
    assert order(coarse, weak) == pytest.approx(METHODS[method].WEAK, abs=0.1)


def test_constant_noise_makes_euler_of_strong_order_one(increments: np.ndarray):
    """A double well; the finest steps stand in for the solution."""
    well = "dx/dt = x - x**3 + s*xi : 1"

    def at(n: int) -> np.ndarray:
        z = increments.reshape(n, FINE // n, PATHS).sum(1) / np.sqrt(T / n)
        return run(well, "euler", [np.zeros(PATHS)], {"s": 0.5}, T, n, lambda k, j: z[k])[0]

    counts = [8, 16, 32]
    ends = [at(n) for n in (*counts, 64)]
    # Differences of one step size and half of it fall at the order of the error.
    errors = [float(np.sqrt(np.mean((a - b) ** 2))) for a, b in pairwise(ends)]
    assert order(counts, errors) == pytest.approx(1.0, abs=0.1)


def test_noises_that_do_not_commute_are_refused_by_milstein():
    """Heisenberg's system, whose area no pair of end points tells."""
    system = read("dx/dt = xi_a : 1\ndy/dt = xi_b : 1\ndz/dt = x*xi_b - y*xi_a : 1")
    with pytest.raises(EquationProblem, match="commute"):
        fits(system, "milstein")
    fits(read("dx/dt = x*xi_a : 1\ndy/dt = x*y*xi_a + y*xi_b : 1"), "milstein")


def test_two_noises_of_one_variable_and_one_of_two_fall_at_order_one():
    """dx = a x dW1 + b x dW2, dy = a y dW1: closed forms again."""
    n_fine, paths = 128, 4000
    dW = np.random.default_rng(5).normal(size=(n_fine, 2, paths)) * np.sqrt(1 / n_fine)
    W = dW.sum(0)
    x = np.exp(-(0.3**2 + 0.2**2) / 2 + 0.3 * W[0] + 0.2 * W[1])
    y = np.exp(-(0.3**2) / 2 + 0.3 * W[0])
    equations = "dx/dt = 0.3*x*xi_1 + 0.2*x*xi_2 : 1\ndy/dt = 0.3*y*xi_1 : 1"
    counts, errors = [8, 16, 32], list[float]()
    for n in counts:
        z = dW.reshape(n, n_fine // n, 2, paths).sum(1) / np.sqrt(1 / n)
        found = run(equations, "milstein", [np.ones(paths)] * 2, {}, 1.0, n, lambda k, j, z=z: z[k, j])
        errors.append(float(np.sqrt(np.mean((found[0] - x) ** 2 + (found[1] - y) ** 2))))
    assert order(counts, errors) == pytest.approx(1.0, abs=0.1)


def test_linear_noise_is_exact_in_law():
    """The covariance of an inertial particle after one long step, against the integral of e^As B B' e^A's."""
    from scipy.integrate import quad_vec
    from scipy.linalg import expm

    A, B, dt = np.array([[0.0, 1.0], [-1.0, -0.5]]), np.array([0.0, 0.7]), 1.3
    wanted = quad_vec(lambda s: np.outer(expm(A * s) @ B, expm(A * s) @ B), 0, dt)[0]
    equations, zero = "dq/dt = p : 1\ndp/dt = -q - 0.5*p + 0.7*xi : 1", [np.array(0.0), np.array(0.0)]
    columns = [run(equations, "exact", zero, {}, dt, 1, lambda k, j, i=i: float(i == j)) for i in range(2)]
    L = np.array(columns, float).T
    np.testing.assert_allclose(L @ L.T, wanted, rtol=1e-9)
    (spread,) = run("dx/dt = -2*x + 0.7*xi : 1", "exact", [np.array(0.0)], {}, dt, 1, lambda k, j: 1.0)
    assert spread**2 == pytest.approx(0.7**2 * (1 - np.exp(-4 * dt)) / 4, rel=1e-12)


def test_times_of_spikes_are_right_to_a_tick():
    """2,000 leaky units under different currents: the first spike is late by half a tick in the mean, so order 1."""
    current = np.linspace(1.2, 3.0, 2000)
    solved = np.log(current / (current - 1))
    late: list[float] = []
    counts = [40, 80, 160]
    for n in counts:
        system, dt = read("dv/dt = I - v : 1", "v > 1", "v = 0"), 2.0 / n
        x, first = [np.zeros(2000)], np.full(2000, np.inf)
        for k in range(n):
            motion = Motion(
                system=system, algebra=ARRAYS, names={"I": current}, numbers={"I": current}, dt=dt,
                time=lambda: 0.0, normal=lambda j: 0.0, sqrt=lambda value: value**0.5,
            )  # fmt: skip
            after = tick(motion, "exact", x)
            x, first = after.x, np.where(after.fired & np.isinf(first), (k + 1) * dt, first)
        assert ((first - solved > -1e-12) & (first - solved < dt + 1e-12)).all()
        late.append(float(np.mean(first - solved)))
    assert order(counts, late) == pytest.approx(1.0, abs=0.1)


def test_every_method_states_what_it_is():
    for name, module in METHODS.items():
        assert module.step.__doc__ and module.__doc__
        assert module.NOISE in ("", "Ito", "Stratonovich", "both")
        assert described(name) and (not module.NOISE or described(name, noisy=True))
    assert described("milstein", noisy=True) == "Ito, strong order 1, weak order 1 in dt"
