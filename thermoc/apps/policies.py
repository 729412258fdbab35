"""Policies that learn to act: Gymnasium's tasks, played by a thermodynamic network whose temperature cools (P38).

Tasks have observations (n,) and a few discrete actions, as CartPole-v1 has. All copies of a task are one batch of one
session; each update replaces the weights and the temperature in it. ``pip install "thermoc[rl]"`` brings Gymnasium.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import thermoc as tc
from thermoc.learning.policy_gradient import Environment, Reinforce, initial_weights, play, policy_network
from thermoc.support.array_types import FloatArray
from thermoc.support.errors import error
from thermoc.support.extras import need

CARTPOLE_SCALE = (2.4, 2.0, 0.21, 2.0)
"""Position (m) and angle (rad) at which CartPole ends, and usual velocities (m/s, rad/s)."""
STEADY = 5
"""So many batches in a row at the goal end the training."""


@dataclass(frozen=True, kw_only=True)
class ControlTask:
    """A task by Gymnasium's name. scale: what observations are divided by; goal: the mean score that ends training."""

    name: str
    scale: ArrayLike = 1.0
    goal: float = np.inf

    def copies(self, count: int) -> Environment:
        """Return so many copies side by side. Errors: T302, T404 for an unknown task or one it has no policy for."""
        gym = need("gymnasium", "rl", "tasks for policies")
        try:
            env = gym.make_vec(self.name, num_envs=count)
        except gym.error.Error as reason:
            raise error("T404", f"Gymnasium has no task {self.name!r}", notes=[str(reason)]) from None
        sizes(env)
        return env


CARTPOLE = ControlTask(name="CartPole-v1", scale=CARTPOLE_SCALE, goal=490.0)
"""A pole on a cart, 500 moves at most; solved by a mean score of 475 over 100 episodes."""


def sizes(env: Any) -> tuple[int, int]:
    """Return how many observations and actions a task has. Errors: T404 where they are not (n,) and discrete."""
    observations, acts = env.single_observation_space, env.single_action_space
    if len(observations.shape or ()) != 1 or not hasattr(acts, "n"):
        notes = [f"observations: {observations}", f"actions: {acts}"]
        raise error("T404", "a policy takes observations (n,) and chooses among discrete actions", notes=notes)
    return int(observations.shape[0]), int(acts.n)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A trained policy. scores: mean of each update's episodes; temperatures: what they were played at."""

    task: ControlTask
    executable: tc.Executable
    parameters: dict[str, FloatArray]
    scores: list[float] = field(default_factory=list)
    temperatures: list[float] = field(default_factory=list)

    def network(self) -> tc.Network:
        """Return its network with the weights learned, to save or to compile for another target."""
        weights = {name: value for name, value in self.parameters.items() if name != "T"}
        return policy_network(weights, T=float(self.parameters["T"]))

    def evaluate(self, episodes: int = 100, *, seed: int = 0) -> FloatArray:
        """Return the scores (episodes,) of new episodes at its last temperature."""
        env = self.task.copies(episodes)
        with self.executable.start(batch=episodes, seed=seed, parameters=self.parameters) as session:
            return play(session, env, scale=self.task.scale, seed=seed).scores


def train_policy(
    task: ControlTask = CARTPOLE,
    *,
    hidden: int = 16,
    copies: int = 32,
    updates: int = 150,
    seed: int = 0,
    watch: Callable[[int, float, float], None] | None = None,
    **rule: Any,
) -> Policy:
    """Return a policy trained by REINFORCE until five batches in a row reach the task's goal, or after ``updates``.

    hidden: units of its hidden layer; copies: episodes an update. rule: ``temperature``, ``least``, ``cooling``,
    ``rate``, ``discount`` of ``Reinforce``. watch: called after each update with its number, mean score and
    temperature. The same seed gives the same policy. Errors: T302, T404, and those of ``Reinforce``.
    """
    env = task.copies(copies)
    observations, actions = sizes(env)
    learner = Reinforce(weights=initial_weights(observations, hidden, actions, seed=seed), **rule)
    exe = tc.compile(policy_network(learner.weights, T=learner.temperature, name=task.name.lower()))
    scores, temperatures = [], []
    with exe.start(batch=copies, seed=seed) as session:
        for k in range(updates):
            session.parameters.update(learner.parameters)
            # each seed has its own starts: no two updates, and no two trainings of up to 10,000, share one
            episodes = play(session, env, scale=task.scale, seed=10_000 * seed + k)
            scores.append(float(episodes.scores.mean()))
            temperatures.append(learner.temperature)
            if watch is not None:
                watch(k, scores[-1], learner.temperature)
            if len(scores) >= STEADY and min(scores[-STEADY:]) >= task.goal:
                break
            learner.update(episodes)
    return Policy(task=task, executable=exe, parameters=learner.parameters, scores=scores, temperatures=temperatures)
