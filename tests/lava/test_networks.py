"""Lava's fixed-point models say what the reference says: every output in every tick, and every state at the end.

``LAVA_NETWORKS=0:1000`` runs all of them, some 20 minutes.
"""

import os

import numpy as np
import pytest
from loihi_networks import TICKS, beside, network

import thermoc as tc
from thermoc.ir.feed import feed
from thermoc.ir.reference import interpret

FIRST, LAST = map(int, os.environ.get("LAVA_NETWORKS", "0:40").split(":"))
TOGETHER = 20
"""Networks that one run of Lava holds beside each other."""


@pytest.mark.parametrize("first", range(FIRST, LAST, TOGETHER))
def test_random_networks_differ_nowhere(first: int):
    graph, inputs = beside([network(seed) for seed in range(first, first + TOGETHER)])
    exe = tc.compile(graph, target="lava")
    found = exe.run(inputs, ticks=TICKS, seed=7)
    expected = interpret(exe.graph, feed(exe.graph, inputs, ticks=TICKS), seed=7)
    assert found.outputs.keys() == expected.outputs.keys() and found.states.keys() == expected.states.keys()
    wrong = [name for name in expected.outputs if (found.outputs[name] != expected.outputs[name]).any()]
    wrong += [name for name in expected.states if (found.states[name] != expected.states[name]).any()]
    assert wrong == []


@pytest.mark.parametrize("seed", [2, 10])
def test_samples_of_a_batch_are_copies(seed: int):
    sample = network(seed, batch=3)
    exe = tc.compile(sample.net, target="lava")
    found = exe.run(sample.inputs, ticks=TICKS, seed=7, first_sample=5)
    given = feed(exe.graph, sample.inputs, ticks=TICKS)
    expected = interpret(exe.graph, given, seed=7, first_sample=5)
    for name, array in (expected.outputs | expected.states).items():
        np.testing.assert_array_equal((found.outputs | found.states)[name], array, err_msg=name)
