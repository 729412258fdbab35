"""Delays that differ from unit to unit, however many: each unit late by its own; their errors name the node."""

from __future__ import annotations

from pathlib import Path

import nir
import numpy as np
import pytest
from frontends.models import RNG, chain, full, trajectory, written

import thermoc as tc
from thermoc.ir.dialects import core

DT = 1e-4
OWN = np.random.default_rng(1)


def late(x: np.ndarray, ticks: np.ndarray) -> np.ndarray:
    columns = [np.concatenate([np.zeros(n), x[: len(x) - n, i]])[: len(x)] for i, n in enumerate(ticks)]
    return np.stack(columns, 1)


TICKS = {
    "64, from 0": np.arange(64),
    "65, from 0": np.arange(65),
    "65, from 7": np.arange(65) + 7,
    "300, mixed up": OWN.permutation(300),
    "some of a wide range": np.unique(OWN.integers(0, 600, 90)),
}


@pytest.mark.parametrize("name", TICKS)
def test_each_unit_is_late_by_its_own(tmp_path: Path, name: str):
    ticks = TICKS[name]
    n = len(ticks)
    x = RNG.normal(size=(int(ticks.max()) + 20, n))
    path = written(tmp_path / "n.nir", *chain(nir.Delay(ticks * DT), shape=(n,), out=(n,)))
    net = tc.load(path)
    np.testing.assert_array_equal(trajectory(net, x), late(x, ticks))
    kept = sum(op.ticks for op in net.graph.of(core.Delay))
    assert kept <= (ticks.sum() if n <= 64 else 2 * ticks.max() + ticks.min())
    net.save(tmp_path / "b.nir")
    assert tc.load(tmp_path / "b.nir").graph == net.graph


def test_many_delays_in_float32_and_between_other_nodes(tmp_path: Path):
    ticks, x = np.arange(80), RNG.normal(size=(100, 80))
    delay = nir.Delay((ticks * DT).astype(np.float32))
    nodes = chain(nir.Scale(full(2.0, 80)), delay, nir.Scale(full(3.0, 80)), shape=(80,), out=(80,))
    np.testing.assert_allclose(trajectory(tc.load(written(tmp_path / "n.nir", *nodes)), x), 6 * late(x, ticks))


def test_many_delays_break_a_cycle(tmp_path: Path):
    """v' = v + x + v(t - k), k from 1: no further tick is put in."""
    n, ticks = 70, np.arange(70) + 1
    nodes, edges = chain(nir.I(full(1 / DT, n)), nir.Delay(ticks * DT), shape=(n,), out=(n,))
    nodes["output"], edges = nir.Output({"output": np.array([n])}), [*edges[:2], ("n0", "output"), ("n1", "n0")]
    x = RNG.normal(size=(90, n))
    net = tc.load(written(tmp_path / "n.nir", nodes, edges), dt=DT)
    v = np.zeros((91, n))
    for tick in range(90):
        before = np.array([v[tick + 1 - k, i] if tick + 1 >= k else 0 for i, k in enumerate(ticks)])
        v[tick + 1] = v[tick] + x[tick] + before
    np.testing.assert_allclose(trajectory(net, x), v[1:], rtol=1e-12)
    assert "a cycle" not in str(net.repairs)


REFUSED = {
    "learned": (np.array([1e-4, 1.234e-4, 3.3e-4]), "T204", "delay = 0.0001234; 2 of 3 are none"),
    "below zero": (np.array([1e-4, -1e-4, 0]), "T508", "less than 0"),
    "too long together": (np.arange(3) * 1e3, "T504", "30000000 ticks of 3 elements"),
    "too long": (np.array([0, 0, 1e300]), "T504", "the limit is 67108864 numbers"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_delays_that_cannot_be_are_refused_by_their_own_name(tmp_path: Path, name: str):
    times, code, fact = REFUSED[name]
    path = written(tmp_path / "n.nir", *chain(nir.Delay(times), shape=(3,), out=(3,)))
    with pytest.raises(tc.ThermocError) as caught:
        tc.load(path)
    assert (caught.value.code, fact in str(caught.value)) == (code, True), str(caught.value)
    assert str(caught.value.findings[0].where) == f"{path}: node 'n0'"
