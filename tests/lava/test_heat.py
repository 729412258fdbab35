"""Thermal networks, what they heat and who stands between, in Lava: every integer is that of reference and emulator."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
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


CASES: dict[str, tuple[Any, dict[str, tuple[int, ...]]]] = {
    "closed": (lambda: warm(50), {}),
    "open": (lambda: warm(9, power=0.1, ambient=0.2, T_ambient=0.7), {}),
    "heated": (heated, {"p": (12, 2), "x": (12, 2, 2)}),
    "middle": (middle, {"x": (12, 2, 6)}),
    "arithmetic": (arithmetic, {"x": (6, 2, 6), "z": (6, 2, 6)}),
}


@pytest.mark.parametrize("case", CASES)
def test_lava_emulator_and_reference_are_equal_in_every_integer(case: str):
    make, shapes = CASES[case]
    rng = np.random.default_rng(0)
    x = {name: rng.uniform(-1, 1, shape) for name, shape in shapes.items()}
    samples = {name: array[:, 0] for name, array in x.items()} if case == "arithmetic" else None
    exe = tc.compile(make(), "lava", input_range=(-1.0, 1.0), calibrate=samples)
    size = {} if shapes else {"ticks": 12, "batch": 2}
    found = exe.run(x, seed=4, **size)
    assert any(kind.startswith(("custom: heat_node", "host: between")) for kind in _parts(exe).values())
    emulated = tc.compile(exe.graph, "sim").run(x, seed=4, **size)
    expected = interpret(exe.graph, feed(exe.graph, x, **size), seed=4)
    for name, array in expected.outputs.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)
        np.testing.assert_allclose(emulated[name], array, rtol=0, atol=1e-12, err_msg=name)
    for name in exe.artefact.loihi.states:
        np.testing.assert_array_equal(found.states[name], emulated.states[name], err_msg=name)


def _parts(exe) -> dict[str, str]:
    return json.loads(exe.artefact.files["manifest.json"])["parts"]
