"""What spreads for ever is not asked to mix; what is held is."""

from __future__ import annotations

import numpy as np
import pytest

import thermoc as tc
from thermoc.mixing import sampled
from thermoc.passes.analysis.diffusing import diffusing


def free():
    return tc.brownian(tc.constant(np.zeros(2)), 1.0)


def stiff():
    return tc.brownian(tc.constant(np.zeros(2)), 1.0, stiffness=1.0)


def particle(of: int, force):
    f = tc.placeholder((2,))
    moved = tc.langevin(f, 1.0)
    tc.connect(f, force(*moved))
    return moved[of]


def summed(back):
    x = tc.placeholder((2,))
    y = tc.delay(back(x) + tc.normal(shape=(2,)), 1.0)
    tc.connect(x, y)
    return y


def equation(text: str, name: str):
    return tc.dynamics(text, n=2, method="euler")[name]


def gas(of: str, held: float = 0.0):
    x0 = np.stack(np.meshgrid([1.0, 3.0], [1.0, 3.0], [1.0]), axis=-1).reshape(4, 3)
    f = tc.placeholder((4, 3))
    x, w = tc.langevin(f, 1.0, initial=x0)
    pulled, U, *_ = tc.pair_force(x, kind="lennard_jones", cutoff=2.0, shift=True, box=(4.0, 4.0, 4.0))
    tc.connect(f, pulled - held * x if held else pulled)
    return {"x": x, "w": w, "U": U}[of]


WALKS = {
    "the places of a gas, whose centre nothing holds": lambda: gas("x"),
    "a free particle": free,
    "a particle that falls": lambda: tc.brownian(tc.constant(np.ones(2)), 1.0),
    "the place of a free particle with mass": lambda: particle(0, lambda x, w: tc.constant(np.zeros(2))),
    "the place of one that only drags": lambda: particle(0, lambda x, w: -w),
    "a random walk": lambda: summed(lambda x: x),
    "a walk looked at twice over": lambda: 2.0 * free() + 1.0,
    "an equation without a spring": lambda: equation("dx/dt = 0.1*xi : 1", "x"),
}
HELD = {
    "the places of a gas in a trap": lambda: gas("x", held=1.0),
    "the velocities of a gas": lambda: gas("w"),
    "the energy of a gas": lambda: gas("U"),
    "a spring": stiff,
    "a force of the place": lambda: particle(0, lambda x, w: -tc.tanh(x)),
    "the velocity of a free particle": lambda: particle(1, lambda x, w: tc.constant(np.zeros(2))),
    "a sum that decays": lambda: summed(lambda x: 0.9 * x),
    "a sum that turns back": lambda: summed(lambda x: -x),
    "an equation with a spring": lambda: equation("dx/dt = -x + 0.1*xi : 1", "x"),
    "a memory": lambda: tc.memory(tc.constant(np.zeros(2)), 1.0),
}


def names(build) -> tuple[bool, list[str]]:
    with tc.Network("moving", dt=0.1) as net:
        tc.output("y", build())
    (out,) = net.graph.outputs.values()
    return out.x.name in diffusing(net.graph), sampled(net.graph, ())


@pytest.mark.parametrize("name", WALKS)
def test_a_walk_is_not_asked_to_mix(name: str):
    assert names(WALKS[name]) == (True, [])


@pytest.mark.parametrize("name", HELD)
def test_what_is_held_is(name: str):
    assert names(HELD[name]) == (False, ["y"])
