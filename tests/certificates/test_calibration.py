"""Simulation-based calibration (Talts et al. 2018) and Geweke's joint test (2004) of every stochastic op.

The reference draws; targets are held to its words elsewhere (tests/conformance). Each statistic is at 1e-5, two to six a
case: a false alarm in 2,000 suites; seeds are fixed. 60 % too much temperature must be noticed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from certificates.calibrated_ops import CASES, DT, UNITS, WITHOUT, Case
from numpy.typing import NDArray
from scipy import stats

import thermoc as tc
from thermoc.ir.feed import feed
from thermoc.ir.ops import REGISTRY, STOCHASTIC
from thermoc.ir.reference import interpret

LEVEL = 1e-5
DRAWS, SIMULATIONS = 7, 1000
CHAINS, STEPS = 300, 100
WEIGHTS = np.array([1.0, -0.7, 0.4, 1.3])


def test_every_stochastic_op_is_calibrated_or_has_its_reason():
    stochastic = {name for name, op in REGISTRY.items() if STOCHASTIC in op.traits}
    assert stochastic == CASES.keys() | WITHOUT.keys()
    assert not CASES.keys() & WITHOUT.keys()


def drawn(net: tc.Network, inputs: dict[str, NDArray], ticks: int, batch: int, seed: int) -> NDArray:
    given = feed(net.graph, inputs, ticks=ticks, batch=batch, seed=seed)
    return np.asarray(interpret(net.graph, given, seed=seed).outputs["theta"], float)


def statistics(theta: NDArray) -> NDArray:
    """Return what is ranked: a unit, and all of them weighed."""
    return np.stack([theta[..., 0], theta @ WEIGHTS], axis=-1)


def calibration(case: Case, wrong: float) -> float:
    """Return the p of ranks that are not uniform, the least of two statistics."""
    rng = np.random.default_rng(1)
    theta = case.prior(rng, SIMULATIONS)
    with tc.Network("posterior", dt=DT) as net:
        tc.output("theta", case.posterior(tc.input("y", (UNITS,)), wrong))
    ticks = case.ticks * (DRAWS + 1)
    traced = drawn(net, {"y": case.measured(rng, theta)}, ticks, SIMULATIONS, 3)
    draws, truth = statistics(traced[case.ticks - 1 :: case.ticks][1:]), statistics(theta)
    assert len(draws) == DRAWS
    # equal values, of spins and bits, stand in an order of chance
    below, ties = (draws < truth - 1e-9).sum(axis=0), (np.abs(draws - truth) <= 1e-9).sum(axis=0)
    ranks = below + rng.integers(0, ties + 1)
    counts = [np.bincount(ranks[:, k], minlength=DRAWS + 1) for k in range(ranks.shape[1])]
    return min(float(stats.chisquare(count).pvalue) for count in counts)


def joint(case: Case, wrong: float) -> float:
    """Return the p of moments that differ from the prior's where parameters and data are drawn in turn."""
    with tc.Network("joint", dt=DT) as net:
        theta = tc.placeholder((UNITS,))
        drawn_again = case.posterior(case.again(theta), wrong)
        before: Any = drawn_again if case.memory else tc.delay(drawn_again, 0.5)
        tc.connect(theta, before)
        tc.output("theta", drawn_again)
    traced = drawn(net, {}, STEPS, CHAINS, 5)[STEPS // 4 :]
    prior = case.prior(np.random.default_rng(2), 200_000)

    def moments(x: NDArray) -> NDArray:
        return np.stack([x[..., 0], x[..., 0] ** 2, (x @ WEIGHTS) ** 2], axis=-1)

    of_chains, exact = moments(traced).mean(axis=0), moments(prior)
    variance = of_chains.var(axis=0, ddof=1) / CHAINS + exact.var(axis=0) / len(exact)
    gap = of_chains.mean(axis=0) - exact.mean(axis=0)
    # of levels that are all 1 in size the square never moves, in either
    score = np.abs(gap) / np.where(variance > 1e-18, np.sqrt(variance), 1.0)
    return float(min(1.0, 2 * stats.t.sf(score, CHAINS - 1).min()))


@pytest.mark.parametrize("name", CASES)
def test_ranks_of_the_truth_among_draws_are_uniform(name: str):
    assert calibration(CASES[name], 1.0) > LEVEL


@pytest.mark.parametrize("name", CASES)
def test_parameters_and_data_drawn_in_turn_keep_the_prior(name: str):
    assert joint(CASES[name], 1.0) > LEVEL


@pytest.mark.parametrize("name", CASES)
def test_what_is_too_warm_is_noticed(name: str):
    assert min(calibration(CASES[name], 1.6), joint(CASES[name], 1.6)) < LEVEL
