"""Thermal networks, what relaxes, and who stands between, in Lava: every integer is that of reference and emulator."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from cases import stiff
from heat_networks import arithmetic, links, middle, warm

import thermoc as tc
from thermoc.ir.feed import feed
from thermoc.ir.reference import interpret


def heated() -> tc.Network:
    """Fifty nodes, two of which heat p-bits."""
    rng = np.random.default_rng(1)
    with tc.Network("heated") as net:
        T = tc.heat_network(tc.input("p", ()), rng.uniform(1, 3, 50), links(50), rng.uniform(0.5, 2.0, 50))[0]
        tc.output("T", T)
        tc.output("s", tc.sample_binary(tc.affine(tc.input("x", (2,)), np.eye(2)), T=T[:2]))
    return net


def cools() -> tc.Network:
    """Schedules that cool p-bits, a network sampled in turns, and probabilities between two parts of the chip."""
    rng = np.random.default_rng(2)
    with tc.Network("cools") as net:
        T = tc.schedule(kind="exponential", T0=2.0, parameter=5.0, T_min=0.3)
        slow = tc.adaptive_schedule(4.0, T0=1.0, T_min=0.2)
        x = tc.input("x", (4,))
        tc.output("T", slow)
        tc.output("s", tc.sample_binary(tc.affine(x, np.eye(4)), T=T))
        p = tc.boltzmann(tc.affine(x, rng.normal(size=(5, 4))), slow)
        tc.output("y", tc.affine(p, rng.normal(size=(2, 5))))
    return net


def anneals() -> tc.Network:
    """A network sampled in turns, at a temperature that falls by the same difference in each of its ticks."""
    J = np.array([[0, 1.0, -0.6, 0], [1.0, 0, 0, 0.8], [-0.6, 0, 0, 0.5], [0, 0.8, 0.5, 0]])
    with tc.Network("anneals") as net:
        T = tc.schedule(kind="linear", T0=2.0, parameter=9.0, T_min=0.3)
        tc.output("y", tc.gibbs(T, J, 0.1, colors=np.array([0, 1, 1, 0]), initial=1.0))
    return net


def diffuses() -> tc.Network:
    """An OU network whose temperature and drive are the host's; its units fire p-bits."""
    with tc.Network("diffuses") as net:
        T = tc.abs(tc.input("T", ())) + 0.2
        x = tc.ou_network(stiff(5), T, tc.input("b", (5,)), mobility=0.4, initial=0.5)
        tc.output("x", x)
        tc.output("s", tc.sample_binary(tc.affine(x, np.eye(5)), T=0.5))
    return net


CASES: dict[str, tuple[Any, dict[str, tuple[int, ...]]]] = {
    "closed": (lambda: warm(50), {}),
    "open": (lambda: warm(9, power=0.1, ambient=0.2, T_ambient=0.7), {}),
    "heated": (heated, {"p": (12, 2), "x": (12, 2, 2)}),
    "middle": (middle, {"x": (12, 2, 6)}),
    "cools": (cools, {"x": (12, 2, 4)}),
    "anneals": (anneals, {}),
    "diffuses": (diffuses, {"T": (12, 2), "b": (12, 2, 5)}),
    "arithmetic": (arithmetic, {"x": (6, 2, 6), "z": (6, 2, 6)}),
}


PARTS = {
    "cools": {"custom: relaxation", "custom: boltzmann"},
    "anneals": {"custom: relaxation"},
    "diffuses": {"custom: relaxation"},
}
"""Processes a case is there for; of the others it is nodes, or a process of the host between two parts."""


@pytest.mark.parametrize("case", CASES)
def test_lava_emulator_and_reference_are_equal_in_every_integer(case: str):
    make, shapes = CASES[case]
    rng = np.random.default_rng(0)
    x = {name: rng.uniform(-1, 1, shape) for name, shape in shapes.items()}
    samples = {name: array[:, 0] for name, array in x.items()} if case == "arithmetic" else None
    exe = tc.compile(make(), "lava", input_range=(-1.0, 1.0), calibrate=samples)
    size = {} if shapes else {"ticks": 12, "batch": 2}
    found = exe.run(x, seed=4, **size)
    kinds = set(_parts(exe).values())
    assert PARTS.get(case, set()) <= kinds
    assert case in PARTS or any(kind.startswith(("custom: heat_node", "host: between")) for kind in kinds)
    emulated = tc.compile(exe.graph, "sim").run(x, seed=4, **size)
    expected = interpret(exe.graph, feed(exe.graph, x, **size), seed=4)
    for name, array in expected.outputs.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)
        np.testing.assert_allclose(emulated[name], array, rtol=0, atol=1e-12, err_msg=name)
    for name in exe.artefact.loihi.states:
        np.testing.assert_array_equal(found.states[name], emulated.states[name], err_msg=name)


def _parts(exe) -> dict[str, str]:
    return json.loads(exe.artefact.files["manifest.json"])["parts"]
