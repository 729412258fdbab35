"""A run too short for a law says so; it is not measured as not-a-number, nor judged by an error bar it has not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import thermoc as tc
from thermoc.support.errors import ThermocError

RING = np.roll(np.eye(4), 1, axis=1) + np.roll(np.eye(4), -1, axis=1)


def particle(op):
    hole = tc.placeholder((3,))
    moved = op(-hole, 0.5)
    x = moved[0] if isinstance(moved, tuple) else moved
    tc.connect(hole, x)
    return x


STATEFUL = [
    lambda: tc.gibbs(1.0, RING),
    lambda: tc.memory(tc.constant(np.ones(3)), T=0.1),
    lambda: particle(tc.brownian),
    lambda: particle(tc.langevin),
]


def run(build: Callable[[], object], ticks: int):
    with tc.Network("short", dt=0.01) as net:
        tc.output("y", build())
    return tc.compile(net, "sim").run(ticks=ticks, batch=2)


@pytest.mark.parametrize("build", STATEFUL)
def test_one_tick_is_too_short(build: Callable[[], object]):
    with pytest.raises(ThermocError) as caught:
        tc.certify(run(build, 1))
    assert caught.value.code == "T404" and "too short" in str(caught.value) and "1 tick" in str(caught.value)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("ticks", [2, 3, 5, 8, 11])
@pytest.mark.parametrize("build", STATEFUL)
def test_what_cannot_be_averaged_is_named(build: Callable[[], object], ticks: int):
    certificate = tc.certify(run(build, ticks))
    assert all(np.isfinite(law.measured) for law in certificate.laws)
    assert certificate.verdict == "cannot tell"
    short = [law for law in certificate.laws if law.statement.startswith("ticks after the warm-up")]
    assert bool(short) is (ticks - ticks // 4 < 8)
    assert all(law.needed is not None and law.needed >= 8 for law in short)


def test_one_tick_without_state_is_long_enough():
    certificate = tc.certify(run(lambda: tc.sample_binary(tc.constant(np.zeros(400)), T=1.0), 1))
    assert certificate.holds and len(certificate.laws) > 1
