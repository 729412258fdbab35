"""Local rules in sessions on a GPU (numba-cuda's simulator): the bits of the CPU, weights and what goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import thermoc as tc
from thermoc.learning import contrastive_divergence
from thermoc.learning.boltzmann import BoltzmannMachine, train
from thermoc.learning.hebbian import hebbian
from thermoc.learning.machines import DeepBoltzmannMachine, RestrictedBoltzmannMachine
from thermoc.learning.stdp import StdpRule, stdp
from thermoc.physics.ising import all_states
from thermoc.session import Session

V = all_states(4, "binary")[[3, 5, 10, 12]]
RNG = np.random.default_rng(0)
J = np.triu(0.6 * RNG.normal(size=(6, 6)), 1)
RESTRICTED = RestrictedBoltzmannMachine(0.5 * RNG.normal(size=(4, 3)), 0.2 * RNG.normal(size=4), np.zeros(3))
MACHINES: dict[str, Any] = {
    "restricted": RESTRICTED.layers,
    "deep": DeepBoltzmannMachine(
        (RESTRICTED.W, 0.5 * RNG.normal(size=(3, 3))), (RESTRICTED.b, RESTRICTED.c, np.zeros(3))
    ),
    "general": BoltzmannMachine(J + J.T, 0.3 * RNG.normal(size=6), visible=4, T=1.2),
}


def arrays_of(machine: Any) -> tuple[np.ndarray, ...]:
    if isinstance(machine, BoltzmannMachine):
        return machine.J, machine.h
    return (*machine.weights, *machine.biases)


@pytest.mark.parametrize(
    ("kind", "persistent"),
    [("restricted", True), ("restricted", False), ("deep", True), ("general", True), ("general", False)],
)
def test_boltzmann_machines(kind: str, persistent: bool):
    """Persistent contrastive divergence, and CD-2 from the samples."""
    machine = MACHINES[kind]
    options: dict[str, Any] = {"chains": 4, "batch": 4, "sweeps": 2, "data_sweeps": 2, "persistent": persistent}
    one, other = (train(machine, V, epochs=2, seed=1, device=device, **options) for device in ("cpu", "cuda"))
    for before, a, b in zip(*map(arrays_of, (machine, one, other))):
        assert np.array_equal(a, b) and not np.array_equal(a, before)


def learnt_on_both(net: tc.Network, rule: Callable[[Session], np.ndarray]) -> list[np.ndarray]:
    """Return what a rule makes of a parameter W in sessions on CPU and GPU, which go on after it alike."""
    weights, states = [], []
    for device in ("cpu", "cuda"):
        with tc.compile(net, device=device).start(batch=2, seed=1) as session:
            weights.append(rule(session))
            assert np.array_equal(session.parameters["W"], weights[-1])
            session.run(1, {name: np.ones((2, *op.shape)) for name, op in net.graph.inputs.items()})
            states.append({name: np.array(session.state[name]) for name in session.state})
    np.testing.assert_equal(states[0], states[1])
    return weights


def test_hebb():
    W = np.array([[0.0, 0.5, -0.3], [0.5, 0.0, 0.0], [-0.3, 0.0, 0.0]])
    with tc.Network("spins") as net:
        tc.output("s", tc.gibbs(1.0, tc.parameter("W", W)))
    one, other = learnt_on_both(net, lambda session: hebbian(session, "W", "s", steps=3, ticks=2, rate=0.3, decay=0.2))
    assert np.array_equal(one, other) and (one != W).any() and one[1, 2] == 0


def test_stdp():
    W = np.full((2, 3), 2.0)
    with tc.Network("learner") as net:
        x = tc.input("x", (3,))
        tc.output("before", x)
        fired, _ = tc.lif(tc.affine(x, tc.parameter("W", W)), tau=5.0)
        tc.output("after", fired)
    spikes = (np.random.default_rng(2).random((4, 2, 3)) < 0.5).astype(float)
    learn = {"before": "before", "after": "after", "rule": StdpRule(), "steps": 2, "ticks": 4, "inputs": {"x": spikes}}
    one, other = learnt_on_both(net, lambda session: stdp(session, "W", **learn))
    assert np.array_equal(one, other) and (one != W).any()


def test_the_compiled_rule_names_the_one_that_runs_on_a_gpu():
    with pytest.raises(tc.ThermocError) as problem:
        contrastive_divergence.train(RESTRICTED, V, epochs=1, device="cuda")
    assert problem.value.code == "T404" and "machine.layers" in str(problem.value)
