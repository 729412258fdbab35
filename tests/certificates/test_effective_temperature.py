"""P6, P47: the temperature that each unit shows, on a cool simulator, at temperatures of its own, and on a hot die.

Intervals are at 99 %; that many units together hold what is true is checked by a binomial bound of 1e-4.
"""

from __future__ import annotations

import numpy as np
import pytest
from machine.chips_by_hand import hot
from scipy import stats

import thermoc as tc
from thermoc import physics

RING = np.roll(np.eye(12), 1, 0) + np.roll(np.eye(12), -1, 0)


def covered(found: physics.UnitTemperatures, truth: np.ndarray) -> bool:
    """Tell whether as many intervals hold the truth as 99 % of so many do, but for 1e-4 of times."""
    outside = len(found.outside(truth))
    return float(stats.binom.sf(outside - 1, len(truth), 0.01)) > 1e-4


def bits(T, drive) -> tc.Network:
    with tc.Network("bits") as net:
        tc.output("s", tc.sample_binary(np.asarray(drive, float), T))
    return net


def test_units_at_temperatures_of_their_own_show_them():
    T = np.linspace(0.5, 2.0, 40)
    run = tc.compile(bits(T, np.linspace(-2, 2, 40) + 0.03), "sim").run(ticks=400, batch=20, seed=1)
    found = tc.effective_temperatures(run)
    assert np.allclose(found.stated, T) and covered(found, T)
    assert not covered(found, 1.2 * T)
    assert found.predicted is None


def test_updates_of_coupled_units_show_their_temperature_without_waiting_for_equilibrium():
    with tc.Network("ring") as net:
        tc.output("s", tc.gibbs(1.5, RING, 0.2))
    found = tc.effective_temperatures(tc.compile(net, "sim").run(ticks=1000, batch=8, seed=2), warmup=0)
    assert covered(found, np.full(12, 1.5)) and not covered(found, np.full(12, 1.8))


def test_springs_show_theirs_with_their_memory_counted():
    with tc.Network("springs", dt=0.4) as net:
        tc.output("x", tc.ou_network(np.array([[2.0, 0.5, 0], [0.5, 1.0, 0], [0, 0, 3.0]]), 0.6, [0.3, 0.0, -1.0]))
    found = tc.effective_temperatures(tc.compile(net, "sim").run(ticks=1500, batch=32, seed=3), "x")
    assert len(found.outside()) == 0
    assert (np.abs(found.high / found.low - 1) < 0.2).all()


def test_on_a_hot_die_units_show_what_the_heat_model_predicts(tmp_path):
    drive = np.random.default_rng(0).normal(size=64)
    with tc.Network("warm") as net:
        x = tc.affine(tc.input("x", (8,)), np.zeros((64, 8)), drive)
        tc.output("s", tc.sample_binary(x, 0.8))
    exe = tc.compile(net, "chip", chip=hot(tmp_path), temperature="die")
    run = exe.run({"x": np.ones((16, 8))}, ticks=600, seed=4)
    found = tc.effective_temperatures(run, warmup=20)
    assert found.predicted is not None
    # in air of 360 K, calibrated at 300 K: a fifth too warm
    assert found.predicted.min() / 0.8 > 1.15 and found.predicted.max() / 0.8 < 1.4
    assert covered(found, found.predicted)
    assert not covered(found, found.stated)


def test_a_frozen_unit_tells_nothing_and_says_so():
    found = tc.effective_temperatures(tc.compile(bits(1.0, [60.0, 0.0, 0.5]), "sim").run(ticks=300, batch=4, seed=1))
    assert np.isnan(found.T[:2]).all() and np.isfinite(found.T[2])


def test_a_map_is_drawn(tmp_path):
    run = tc.compile(bits(np.ones(10), np.linspace(-1, 1, 10)), "sim").run(ticks=200, batch=4, seed=1)
    tc.plot.save(tc.plot.temperatures(tc.effective_temperatures(run)), tmp_path / "map.svg")
    assert (tmp_path / "map.svg").stat().st_size > 2000


def test_what_has_no_temperature_is_refused():
    with tc.Network("plain") as net:
        tc.output("y", tc.tanh(tc.constant(np.ones(2))))
    run = tc.compile(net, "sim").run(ticks=4)
    with pytest.raises(tc.ThermocError, match="T404"):
        tc.effective_temperatures(run)
    with pytest.raises(tc.ThermocError, match="T401"):
        tc.effective_temperatures(run, "z")
