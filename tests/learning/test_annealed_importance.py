"""Annealed importance sampling against sums over all states."""

from itertools import pairwise

import numpy as np
import pytest

import thermoc as tc
from thermoc.learning.annealed_importance import log_likelihood, log_partition
from thermoc.learning.machines import DeepBoltzmannMachine, RestrictedBoltzmannMachine
from thermoc.physics import all_states


def restricted(m: int, n: int, seed: int, T: float = 1.3) -> RestrictedBoltzmannMachine:
    rng = np.random.default_rng(seed)
    return RestrictedBoltzmannMachine(rng.normal(0, 1, (m, n)), rng.normal(0, 1, m), rng.normal(0, 1, n), T)


def deep(sizes: tuple[int, ...], seed: int) -> DeepBoltzmannMachine:
    rng = np.random.default_rng(seed)
    weights = tuple(rng.normal(0, 1, pair) for pair in pairwise(sizes))
    return DeepBoltzmannMachine(weights, tuple(rng.normal(0, 1, n) for n in sizes), 0.8)


MACHINES = {
    "12 units": restricted(6, 6, 1),
    "wide": restricted(4, 9, 2),
    "tall": restricted(9, 4, 3),
    "deep": deep((6, 4, 5), 4),
    "deeper": deep((3, 4, 3, 4), 5),
}


@pytest.mark.parametrize("name", MACHINES)
def test_it_is_the_sum_over_all_states_within_its_error(name: str):
    """Twelve estimates: the sum of the squares of their distances in standard errors is chi-squared of 12 degrees, which
    is above 40 once in 14,000. The error bar is no more than it takes: below 1.5 once in 10,000."""
    machine = MACHINES[name]
    exact, estimates = (
        machine.log_partition(),
        [log_partition(machine, steps=60, chains=100, seed=k) for k in range(12)],
    )
    squares = sum(((e.value - exact) / e.error) ** 2 for e in estimates)
    assert 1.5 < squares < 40
    assert all(e.error < 0.2 for e in estimates)


def test_the_start_at_base_rates_changes_the_error_and_not_the_value():
    machine = restricted(6, 6, 6)
    data = (np.random.default_rng(1).random((50, 6)) < 0.2).astype(float)
    estimate = log_partition(machine, data, steps=100, chains=200, seed=1)
    assert abs(estimate.value - machine.log_partition()) < 4 * estimate.error  # a false alarm once in 16,000
    assert estimate.value != log_partition(machine, steps=100, chains=200, seed=1).value


def test_more_chains_begin_with_the_same_chains_and_the_seed_decides():
    machine = restricted(5, 7, 7)
    few, many = (log_partition(machine, steps=20, chains=k, seed=3).log_weights for k in (8, 16))
    assert np.array_equal(few, many[:8])
    assert not np.array_equal(few, log_partition(machine, steps=20, chains=8, seed=4).log_weights)


def test_the_error_is_the_spread_of_the_weights():
    log_z = log_partition(restricted(5, 5, 8), steps=10, chains=50)
    w = np.exp(log_z.log_weights)
    assert log_z.value == pytest.approx(np.log(w.mean()))
    assert log_z.error == pytest.approx(w.std(ddof=1) / w.mean() / np.sqrt(50))
    assert log_z.effective_chains == pytest.approx(50 / (1 + w.var() / w.mean() ** 2))


def test_the_likelihood_of_a_restricted_machine_is_exact_but_for_the_estimate():
    machine, states = restricted(6, 6, 9), all_states(6, "binary")
    log_z = log_partition(machine, steps=10, chains=20)
    likelihood = log_likelihood(machine, states, log_z)
    assert np.allclose(likelihood.images, machine.log_likelihood(states) + machine.log_partition() - log_z.value)
    assert not likelihood.bound and likelihood.error == log_z.error
    assert likelihood.mean == pytest.approx(likelihood.images.mean())


def test_the_likelihood_of_a_deep_machine_is_a_bound_from_below():
    """-<E> / T + S of independent units is below ln of the sum over hidden states, and near it for weak couplings."""
    machine, v = MACHINES["deep"], all_states(6, "binary")
    hidden = all_states(9, "binary")
    energies = machine.energy(
        [np.repeat(v, len(hidden), 0), *(np.tile(h, (len(v), 1)) for h in (hidden[:, :4], hidden[:, 4:]))]
    )
    exact = np.logaddexp.reduce(-energies.reshape(len(v), -1) / machine.T, axis=1)
    log_z = log_partition(machine, steps=10, chains=20)
    likelihood = log_likelihood(machine, v, log_z)
    gap = exact - log_z.value - likelihood.images
    assert likelihood.bound and gap.min() > 0 and gap.mean() < 1.5


def test_bad_input_is_named():
    machine = restricted(4, 3, 1)
    log_z = log_partition(machine, steps=1, chains=2)
    for code, call in (
        ("T404", lambda: log_partition(machine, steps=0)),
        ("T404", lambda: log_partition(machine, chains=1)),
        ("T404", lambda: log_partition(machine, seed=-1)),
        ("T402", lambda: log_partition(machine, np.zeros((2, 5)))),
        ("T403", lambda: log_likelihood(machine, [[0, 1, 0.5, 1]], log_z)),
        ("T403", lambda: log_likelihood(machine, [[0, 1, np.nan, 1]], log_z)),
    ):
        with pytest.raises(tc.ThermocError, match=code):
            call()
