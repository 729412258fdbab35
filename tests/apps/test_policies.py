"""CartPole by a thermodynamic policy: that it learns, that a seed gives one policy, and what it refuses."""

import sys

import numpy as np
import pytest

import thermoc as tc
from thermoc.apps.policies import CARTPOLE, ControlTask, train_policy


@pytest.mark.slow
def test_a_short_training_balances_longer_and_a_seed_gives_one_policy():
    pytest.importorskip("gymnasium")
    policy, again = (train_policy(seed=3, updates=25, copies=16) for _ in range(2))
    assert np.mean(policy.scores[-5:]) > 3 * np.mean(policy.scores[:5])
    assert np.all(np.diff(policy.temperatures) < 0)
    assert policy.scores == again.scores
    network = policy.network()
    assert all(np.array_equal(network.parameters[name], again.parameters[name]) for name in again.parameters)
    assert np.array_equal(policy.evaluate(4, seed=9), again.evaluate(4, seed=9))


def test_tasks_that_have_no_policy_are_refused():
    pytest.importorskip("gymnasium")
    with pytest.raises(tc.ThermocError, match=r"T404.*no task"):
        train_policy(ControlTask(name="Nothing-v7"))
    with pytest.raises(tc.ThermocError, match=r"T404.*discrete"):
        train_policy(ControlTask(name="Pendulum-v1"))


def test_without_gymnasium_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    with pytest.raises(tc.ThermocError, match=r'(?s)T302.*pip install "thermoc\[rl\]"'):
        train_policy(CARTPOLE)
