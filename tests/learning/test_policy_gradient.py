"""P38: the gradient of a Boltzmann policy against finite differences, enumeration and the network's own draws."""

import numpy as np
import pytest

import thermoc as tc
from thermoc.learning.policy_gradient import (
    Episodes,
    Reinforce,
    advantages,
    initial_weights,
    log_policy_gradient,
    play,
    policy_network,
    returns,
)
from thermoc.physics import boltzmann, fermi_dirac

T = 0.7
REWARDS = np.array([1.0, -0.5, 3.0])


def random_weights(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=np.shape(w)) for name, w in initial_weights(4, 5, 3, seed=seed).items()}


def chances(weights: dict[str, np.ndarray], x: np.ndarray, T: float = T) -> np.ndarray:
    h = fermi_dirac(-(x @ weights["W1"].T + weights["b1"]), 1.0)
    return boltzmann(-(h @ weights["W2"].T + weights["b2"]), T)


def enumerated(weights: dict[str, np.ndarray], x: np.ndarray) -> dict[str, np.ndarray]:
    """The gradient of the mean of REWARDS over all actions, each with its probability."""
    total = {name: np.zeros_like(w) for name, w in weights.items()}
    for action, reward in enumerate(REWARDS):
        weight = chances(weights, x)[:, action] * reward
        gradient = log_policy_gradient(weights, x, np.full(len(x), action), weight, T=T)
        total = {name: total[name] + gradient[name] for name in total}
    return total


def test_the_gradient_is_that_of_the_expected_reward():
    weights, x = random_weights(0), np.random.default_rng(1).normal(size=(6, 4))
    gradient, step = enumerated(weights, x), 1e-6
    for name, w in weights.items():
        for index in np.ndindex(w.shape):
            ends = []
            for sign in (1, -1):
                moved = w.copy()
                moved[index] += sign * step
                ends.append((chances({**weights, name: moved}, x) @ REWARDS).sum())
            assert gradient[name][index] == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-8)


class Bandit:
    """One move, whose reward depends on the action alone."""

    def __init__(self, x: np.ndarray):
        self.x, self.num_envs = x, len(x)

    def reset(self, *, seed: int | None = None):
        return self.x, {}

    def step(self, actions: np.ndarray):
        over = np.ones(self.num_envs, bool)
        return self.x, REWARDS[actions], over, ~over, {}


def bandit_episodes(weights: dict[str, np.ndarray], copies: int, seed: int) -> Episodes:
    bandit = Bandit(np.broadcast_to([0.3, -0.2, 0.5, 1.0], (copies, 4)))
    with tc.compile(policy_network(weights, T=T)).start(batch=copies, seed=seed) as session:
        return play(session, bandit)


def test_the_network_draws_by_its_policy_and_the_baseline_adds_no_bias():
    """Of 22 components and 3 shares each within 4.5 standard errors: a false alarm once in 6,000."""
    weights, copies = random_weights(2), 20_000
    episodes = bandit_episodes(weights, copies, seed=5)
    x, actions = episodes.observations[0], episodes.actions[0]
    p = chances(weights, x[:1])[0]
    share = np.bincount(actions, minlength=3) / copies
    assert (np.abs(share - p) < 4.5 * np.sqrt(p * (1 - p) / copies)).all()
    gain, exact = advantages(episodes)[0], enumerated(weights, x[:1])
    by_action = [log_policy_gradient(weights, x[:1], np.array([a]), np.ones(1), T=T) for a in range(3)]
    for name in weights:
        terms = np.stack([by_action[a][name] for a in range(3)])[actions] * gain.reshape(-1, *[1] * weights[name].ndim)
        error = terms.std(axis=0, ddof=1) / np.sqrt(copies)
        assert (np.abs(terms.mean(axis=0) - exact[name]) < 4.5 * error + 1e-12).all(), name


def test_returns_and_advantages_of_two_episodes():
    running = np.array([[True, True], [True, False], [True, False]])
    episodes = Episodes(
        observations=np.zeros((3, 2, 1)), actions=np.zeros((3, 2), int), rewards=np.ones((3, 2)), running=running
    )
    assert episodes.scores.tolist() == [3, 1]
    assert returns([1.0, 1.0, 1.0], 0.5).tolist() == [1.75, 1.5, 1.0]
    assert advantages(episodes).tolist() == [[2, -2], [2, 0], [1, 0]]


def test_a_policy_learns_the_best_action_and_cools():
    learner = Reinforce(weights=initial_weights(4, 5, 3), cooling=0.9, least=0.3)
    bandit = Bandit(np.random.default_rng(0).normal(size=(64, 4)))
    exe = tc.compile(policy_network(learner.weights, T=learner.temperature))
    with exe.start(batch=64, seed=1) as session:
        first = play(session, bandit).scores.mean()
        for _ in range(30):
            session.parameters.update(learner.parameters)
            episodes = play(session, bandit)
            learner.update(episodes)
    assert learner.temperature == 0.3
    assert episodes.scores.mean() > 2.8 > first + 0.5


def test_what_is_wrong_is_named():
    weights = random_weights(0)
    with pytest.raises(tc.ThermocError, match=r"T404.*\n.*missing: b2"):
        policy_network({name: w for name, w in weights.items() if name != "b2"}, T=1.0)
    with (
        tc.compile(policy_network(weights, T=1.0)).start(batch=3) as session,
        pytest.raises(tc.ThermocError, match="T402"),
    ):
        play(session, Bandit(np.zeros((4, 4))))
    with pytest.raises(tc.ThermocError, match="T405"):
        returns([1.0], 1.5)
    with pytest.raises(tc.ThermocError, match="T405"):
        Reinforce(weights=weights, rate=-1.0)
    episodes = bandit_episodes(weights, 4, seed=0)
    learner = Reinforce(weights={**weights, "W1": weights["W1"] * np.nan})
    with pytest.raises(tc.ThermocError, match=r"T403.*\n.*of W1"):
        learner.update(episodes)
