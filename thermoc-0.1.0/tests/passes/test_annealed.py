"""Annealing leaves equilibrium on purpose, and is not warned of."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import thermoc as tc
from thermoc.passes.analysis.annealed import annealed

RING = np.roll(np.eye(8), 1, axis=1) + np.roll(np.eye(8), -1, axis=1)


def schedule():
    return tc.schedule(kind="linear", T0=3.0, parameter=39.0, T_min=1e-3)


def by_tick():
    return tc.exp(tc.cast(tc.tick(), dtype="f64") * -0.1) + 1e-3


def adaptive():
    return tc.adaptive_schedule(T0=3.0, T_min=1e-3, capacity=1.0)


@pytest.mark.parametrize(
    "temperature",
    [schedule, by_tick, adaptive, lambda: np.linspace(3.0, 1e-3, 5)[:, None], lambda: schedule() * np.ones(8)],
)
def test_no_warning_of_equilibrium_where_the_temperature_moves(temperature: Callable[[], object]):
    with tc.Network("anneal") as net:
        s = tc.gibbs(temperature(), RING, sweeps=5)
        tc.output("s", s)
        tc.output("E", tc.ising_energy(s, RING))
    run = tc.compile(net, "sim").run(ticks=40, batch=2)
    assert run.warnings == () and run.diagnostics == {}


def test_an_input_that_changes_over_the_ticks_anneals():
    with tc.Network("anneal") as net:
        tc.output("s", tc.gibbs(tc.input("T", (), role="temperature"), RING))
    exe = tc.compile(net, "sim")
    moving = np.linspace(3.0, 0.01, 40)[:, None] * np.ones((40, 2))
    assert exe.run({"T": moving}).warnings == ()
    assert exe.run({"T": np.full(2, 0.2)}, ticks=40).diagnostics.keys() == {"s"}


def test_a_langevin_particle_is_annealed_by_its_kT():
    with tc.Network("anneal", dt=0.01) as net:
        hole = tc.placeholder((3,))
        x = tc.brownian(-hole, schedule())
        tc.connect(hole, x)
        tc.output("x", x)
    assert x.value.name in annealed(net.graph)
    assert tc.compile(net, "sim").run(ticks=40, batch=2).warnings == ()


def test_a_chain_at_a_temperature_that_stays_is_still_warned_of():
    with tc.Network("cold") as net:
        tc.output("s", tc.gibbs(np.full((5, 1), 0.05), RING, sweeps=5))
        tc.output("free", tc.gibbs(schedule(), RING))
    run = tc.compile(net, "sim").run(ticks=40, batch=2)
    assert {warning.code for warning in run.warnings} == {"W101", "W104"}
    assert run.diagnostics.keys() == {"s"}
