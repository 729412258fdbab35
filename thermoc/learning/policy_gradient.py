"""REINFORCE with a Boltzmann policy, whose temperature is exploration (P38; Williams 1992).

A policy is a network: observations x (n,) drive hidden units h = 1 / (1 + e^-(W1 x + b1)) (P6), these give every action
an energy E = -(W2 h + b2), and one action is drawn from e^(-E / T) / Z (P5). Weights and T are parameters: a session
plays on with new ones, and nothing is compiled again.
"""

# pyright: reportConstantRedefinition=false
# (T is a temperature, not a constant)

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

import thermoc as tc
from thermoc.physics import boltzmann, fermi_dirac
from thermoc.physics.checks import finite, positive
from thermoc.support.array_types import AnyArray, BoolArray, FloatArray
from thermoc.support.errors import error

Weights = Mapping[str, FloatArray]
WEIGHTS = ("W1", "b1", "W2", "b2")
FADE, FADE_SQUARE, LEAST = 0.9, 0.999, 1e-8
"""Of Adam's means of the gradient and of its square (Kingma and Ba 2015), and what keeps its quotient finite."""


class Environment(Protocol):
    """Copies of a task that are played side by side, as Gymnasium's vector environments are."""

    num_envs: int

    def reset(self, *, seed: int | None = None) -> tuple[AnyArray, Any]:
        """Return observations (num_envs, n) at the start."""
        ...

    def step(self, actions: AnyArray) -> tuple[AnyArray, AnyArray, AnyArray, AnyArray, Any]:
        """Return observations, rewards, whether each ended, whether each ran out of time."""
        ...


def initial_weights(observations: int, hidden: int, actions: int, *, seed: int = 0) -> dict[str, FloatArray]:
    """Return random weights of a policy; those of the actions are zero, so that all are equally likely at first."""
    rng = np.random.default_rng(seed)
    return {
        "W1": rng.normal(size=(hidden, observations)) / np.sqrt(observations),
        "b1": np.zeros(hidden),
        "W2": np.zeros((actions, hidden)),
        "b2": np.zeros(actions),
    }


def policy_network(weights: Weights, *, T: float, name: str = "policy") -> tc.Network:
    """Return the network of a policy: input x (n,); output action (actions,), 1 for the one drawn; probe p.

    Errors: T103, T108, T404 for weights that are not all there.
    """
    missing = [key for key in WEIGHTS if key not in weights]
    if missing:
        raise error("T404", "a policy has weights W1, b1, W2, b2", notes=[f"missing: {', '.join(missing)}"])
    with tc.Network(name) as net:
        W1, b1, W2, b2 = (tc.parameter(key, weights[key]) for key in WEIGHTS)
        temperature = tc.parameter("T", T, role="temperature", trainable=False)
        x = tc.input("x", (np.shape(weights["W1"])[1],))
        h = tc.fermi_dirac(-tc.affine(x, W1, b1), 1.0)
        energy = -tc.affine(h, W2, b2)
        tc.output("action", tc.sample_categorical(energy, temperature))
        tc.probe("p", tc.boltzmann(energy, temperature))
    return net


@dataclass(frozen=True, kw_only=True)
class Episodes:
    """One episode of every copy: observations (ticks, copies, n), actions, rewards (ticks, copies).

    running: (ticks, copies) whether the copy was still in its episode; what is False there counts nothing.
    """

    observations: FloatArray
    actions: AnyArray
    rewards: FloatArray
    running: BoolArray

    @property
    def scores(self) -> FloatArray:
        """Rewards (copies,) of each episode."""
        return (self.rewards * self.running).sum(axis=0)


def play(session: tc.Session, env: Environment, *, scale: ArrayLike = 1.0, seed: int | None = None) -> Episodes:
    """Play one episode in every copy of a task, a tick of the session a move.

    session: of a policy network, with a batch of ``env.num_envs``. scale: what observations are divided by.
    seed: of the task's start. Errors: T402 where the batch is another, T403 for observations that are not finite.
    """
    if session.batch != env.num_envs:
        notes = [f"the session has a batch of {session.batch}", f"there are {env.num_envs} copies"]
        raise error("T402", "a policy needs a sample for every copy of the task", notes=notes)
    observation, scale = np.asarray(env.reset(seed=seed)[0], float), np.asarray(scale, float)
    running = np.ones(env.num_envs, bool)
    rows: list[tuple[AnyArray, ...]] = []
    while running.any():
        x = observation / scale
        action = session.step({"x": x})["action"].argmax(axis=-1)
        observation, reward, ended, late, _ = env.step(action)
        rows.append((x, action, reward, running))
        running = running & ~(np.asarray(ended) | np.asarray(late))
    columns = [np.array(column) for column in zip(*rows)]
    observations, actions, rewards, masks = columns
    return Episodes(observations=observations, actions=actions, rewards=rewards.astype(float), running=masks)


def returns(rewards: ArrayLike, discount: float = 1.0) -> FloatArray:
    """Return G_t = r_t + discount G_{t+1} along the first axis. rewards: (ticks, ...). Errors: T405."""
    total = finite("rewards", rewards).copy()
    if not 0 <= discount <= 1:
        raise error("T405", "a discount is between 0 and 1", notes=[f"discount = {discount}"])
    for t in range(len(total) - 2, -1, -1):
        total[t] += discount * total[t + 1]
    return total


def advantages(episodes: Episodes, discount: float = 1.0) -> FloatArray:
    """Return (ticks, copies) how much better each move ended than the other copies' of the same tick did on average.

    A copy's own return is not in its baseline, so that the gradient is without bias. Copies whose episode is over count
    with a return of zero, which is what is still to come for them. Fewer than two copies have no baseline.
    """
    G = returns(episodes.rewards * episodes.running, discount)
    peers = G.shape[1] - 1
    baseline = (G.sum(axis=1, keepdims=True) - G) / peers if peers else 0.0
    return (G - baseline) * episodes.running


def log_policy_gradient(
    weights: Weights, x: FloatArray, actions: AnyArray, weight: FloatArray, *, T: float
) -> dict[str, FloatArray]:
    """Return the gradient of sum_k weight_k ln pi(action_k | x_k) with respect to the policy's weights (P38).

    x: (samples, n); actions, weight: (samples,). d ln pi(a) / dE_j = -(delta_aj - pi_j) / T.
    """
    h = fermi_dirac(-(x @ weights["W1"].T + weights["b1"]), 1.0)
    p = boltzmann(-(h @ weights["W2"].T + weights["b2"]), T)
    # of -E: the action taken is pushed down in energy, all others up by their probability
    push = (np.eye(p.shape[1])[actions] - p) * (weight / T)[:, np.newaxis]
    hidden = (push @ weights["W2"]) * h * (1 - h)
    return {"W1": hidden.T @ x, "b1": hidden.sum(axis=0), "W2": push.T @ h, "b2": push.sum(axis=0)}


@dataclass(kw_only=True)
class Reinforce:
    """Gradient ascent on the expected return, by Adam; ``temperature`` is that of the next episodes.

    cooling: the factor by which each update cools, down to ``least``. Errors: T405.
    """

    weights: dict[str, FloatArray]
    temperature: float = 1.0
    least: float = 0.1
    cooling: float = 0.97
    rate: float = 0.05
    discount: float = 0.99
    updates: int = 0
    _mean: dict[str, FloatArray] = field(default_factory=dict)
    _square: dict[str, FloatArray] = field(default_factory=dict)

    def __post_init__(self):
        for name in ("temperature", "least", "cooling", "rate"):
            positive(name, getattr(self, name))

    @property
    def parameters(self) -> dict[str, FloatArray]:
        """What a session of the policy takes: weights and temperature."""
        return {**self.weights, "T": np.asarray(self.temperature)}

    def update(self, episodes: Episodes) -> None:
        """Learn from episodes that were played with these weights at this temperature; then cool.

        Errors: T403 where the gradient is not finite: the weights are then as they were.
        """
        gain = advantages(episodes, self.discount)
        # the scale of the task's rewards leaves the step as it is
        spread = float(gain[episodes.running].std()) or 1.0
        running = episodes.running
        moves = episodes.observations[running], episodes.actions[running], gain[running] / spread / running.sum()
        gradient = log_policy_gradient(self.weights, *moves, T=self.temperature)
        wrong = [name for name, slope in gradient.items() if not np.isfinite(slope).all()]
        if wrong:
            raise error("T403", "the gradient of the policy is not finite", notes=[f"of {name}" for name in wrong])
        self._ascend(gradient)
        self.temperature = max(self.least, self.cooling * self.temperature)

    def _ascend(self, gradient: Weights) -> None:
        self.updates += 1
        for name, slope in gradient.items():
            mean = FADE * self._mean.get(name, np.zeros_like(slope)) + (1 - FADE) * slope
            square = FADE_SQUARE * self._square.get(name, np.zeros_like(slope)) + (1 - FADE_SQUARE) * slope**2
            self._mean[name], self._square[name] = mean, square
            step = mean / (1 - FADE**self.updates)
            size = np.sqrt(square / (1 - FADE_SQUARE**self.updates)) + LEAST
            self.weights[name] = self.weights[name] + self.rate * step / size
