"""Each stochastic op as the sampler of a posterior that is known: a prior, what is measured of it, and the network.

``wrong`` multiplies the temperature, or the variance of a draw: 1 is right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import thermoc as tc
from thermoc import physics

UNITS = 4
DT = 0.3
J = np.array([[0, 0.6, 0, -0.4], [0.6, 0, 0.5, 0], [0, 0.5, 0, 0.7], [-0.4, 0, 0.7, 0]])
K = np.array([[2.0, 0.5, 0, 0], [0.5, 1.0, 0.3, 0], [0, 0.3, 1.5, 0.2], [0, 0, 0.2, 1.2]])
LOGITS = np.array([0.5, 0.0, -0.7, 0.2])
Rng = np.random.Generator


@dataclass(frozen=True, kw_only=True)
class Case:
    """prior(rng, count) -> (count, units). measured(rng, theta) -> y. posterior(y, wrong) -> theta in a network.

    again: y of theta in a network. memory: whether theta is the state at the start of a tick, so that y of the same
    tick may follow from it. ticks: between two draws that do not remember each other, and before the first.
    """

    prior: Callable[[Rng, int], NDArray]
    measured: Callable[[Rng, NDArray], NDArray]
    again: Callable[[Any], Any]
    posterior: Callable[[Any, float], Any]
    memory: bool = True
    ticks: int = 1


def gaussian_prior(rng: Rng, count: int) -> NDArray:
    return rng.normal(size=(count, UNITS))


def measured(rng: Rng, theta: NDArray) -> NDArray:
    return theta + rng.normal(size=theta.shape)


def again(theta: Any) -> Any:
    return theta + tc.normal(shape=(UNITS,))


def gaussian(posterior: Callable[[Any, float], Any], **more: Any) -> Case:
    """Return a case of prior N(0, 1) and noise N(0, 1): the posterior has mean y / 2 and variance 1 / 2."""
    return Case(**{"prior": gaussian_prior, "measured": measured, "again": again, "posterior": posterior, **more})


def langevin(y: Any, wrong: float) -> Any:
    f = tc.placeholder((UNITS,))
    x, _ = tc.langevin(f, wrong, 1.5, 2.0)
    tc.connect(f, y - 2.0 * x)
    return x


def heat_network(y: Any, wrong: float) -> Any:
    # fluctuations of a thousandth of the temperature, so that their noise does not follow them
    k_B, T = 1e-6 * wrong, 100.0
    size = np.sqrt(2e-6) * T
    nodes = tc.heat_network(0.5 * size * y, 1.0, np.zeros((UNITS, UNITS)), T, 1.0, T, k_B=k_B)
    return (nodes[0] - T) / size


def sde(y: Any, wrong: float) -> Any:
    # Euler's variance is T / (k (1 - k dt / 2)), here 1 / 2 at k = 2
    text = "dx/dt = y - 2*x + b*xi : 1"
    noise = {"b": float(np.sqrt(2 * (1 - DT) * wrong))}
    return tc.dynamics(text, inputs={"y": y}, constants=noise, method="euler")["x"]


def spins(rng: Rng, count: int) -> NDArray:
    states = physics.all_states(UNITS)
    return states[rng.choice(len(states), count, p=physics.enumerate_ising(J, 1.0).probabilities)]


def gibbs_sweeps(y: Any, wrong: float) -> Any:
    s = tc.placeholder((UNITS,))
    after = tc.gibbs_sweeps(s, wrong, J, y, sweeps=2)
    tc.connect(s, tc.delay(after, 1.0))
    return after


def springs(rng: Rng, count: int) -> NDArray:
    return rng.multivariate_normal(np.zeros(UNITS), np.linalg.inv(K), count)


def chances(rng: Rng, count: int) -> NDArray:
    return rng.random((count, UNITS))


def uniform(y: Any, wrong: float) -> Any:
    # Beta(2, 1) after a success, Beta(1, 2) after a failure
    u = tc.uniform(shape=(UNITS,))
    return y * u ** (0.5 * wrong) + (1.0 - y) * (1.0 - u**0.5)


def bits(rng: Rng, count: int) -> NDArray:
    return (rng.random((count, UNITS)) < 0.3).astype(float)


def classes(rng: Rng, count: int) -> NDArray:
    p = np.exp(LOGITS)
    return np.eye(UNITS)[rng.choice(UNITS, count, p=p / p.sum())]


CASES: dict[str, Case] = {
    "thermo.normal": gaussian(
        lambda y, wrong: 0.5 * y + np.sqrt(0.5 * wrong) * tc.normal(shape=(UNITS,)), memory=False
    ),
    "thermo.uniform": Case(
        prior=chances,
        measured=lambda rng, theta: (rng.random(theta.shape) < theta).astype(float),
        again=lambda theta: tc.sample_binary(tc.log(theta) - tc.log(1.0 - theta), 1.0),
        posterior=uniform,
        memory=False,
    ),
    "thermo.noise": gaussian(
        lambda y, wrong: 0.5 * y + tc.noise(2.0 * wrong, 0.25 / 2.0 / DT, shape=(UNITS,)), memory=False
    ),
    "thermo.memory": gaussian(lambda y, wrong: tc.memory(1.3 * 0.5 * y, 0.5 * wrong, 1.3), ticks=12),
    "thermo.sample_binary": Case(
        prior=bits,
        measured=measured,
        again=again,
        posterior=lambda y, wrong: tc.sample_binary(0.7 * (y - 0.5 + np.log(0.3 / 0.7)), 0.7 * wrong),
        memory=False,
    ),
    "thermo.sample_categorical": Case(
        prior=classes,
        measured=measured,
        again=again,
        posterior=lambda y, wrong: tc.sample_categorical(-0.6 * (y + LOGITS), 0.6 * wrong),
        memory=False,
    ),
    "thermo.brownian": gaussian(lambda y, wrong: tc.brownian(y, wrong, 0.7, 2.0), ticks=12),
    "thermo.langevin": gaussian(langevin, ticks=20),
    "thermo.ou_network": Case(
        prior=springs,
        measured=measured,
        again=again,
        posterior=lambda y, wrong: tc.ou_network(K + np.eye(UNITS), wrong, y),
        ticks=10,
    ),
    "thermo.sde": gaussian(sde, memory=False, ticks=8),
    "thermo.heat_network": gaussian(heat_network, ticks=15),
    "thermo.gibbs": Case(
        prior=spins, measured=measured, again=again, posterior=lambda y, wrong: tc.gibbs(wrong, J, y), ticks=8
    ),
    "thermo.gibbs_sweeps": Case(
        prior=spins, measured=measured, again=again, posterior=gibbs_sweeps, memory=False, ticks=6
    ),
}
WITHOUT = {
    "loihi.fermi_dirac": "integers that stand for thermo.sample_binary, whose distance from it tests/loihi bounds",
    "loihi.categorical": "integers that stand for thermo.sample_categorical, as above",
    "loihi.memory": "integers that stand for thermo.memory, as above",
    "loihi.relaxation": "integers that stand for a mode of thermo.ou_network, as above",
    "thermo.device": "a circuit without a conjugate prior; tests/devices holds its noise to equipartition",
}
"""Stochastic ops that are not calibrated themselves, and why."""
