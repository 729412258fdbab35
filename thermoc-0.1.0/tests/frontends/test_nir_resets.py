"""What units do when they have spiked, as the caller says it: against loops of each framework's own update."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
from frontends.models import chain, cuba, full, lif, trajectory, written

import thermoc as tc

X = np.random.default_rng(1).normal(size=(60, 4)) + 0.4
BETA, ALPHA, LEVEL = np.array([0.9, 0.5, 0.75, 0.97]), 0.6, np.array([0.8, 1.0, 0.3, 1.5])
DT = 1e-4


def update(reset: str, mem: Any, s: Any, drive: Any) -> tuple[Any, Any]:
    """(membrane after the tick, spikes) of snnTorch: late resets act on the membrane of the next tick."""
    if reset == "subtract_delayed":
        mem = BETA * mem + drive - s * LEVEL
    elif reset == "zero_delayed":
        mem = (BETA * mem + drive) * (1 - s)
    else:
        mem = BETA * mem + drive
    s = (mem > LEVEL) * 1.0
    after = {"value": np.where(s, 0.25, mem), "zero": (1 - s) * mem, "subtract": mem - s * LEVEL}
    return after.get(reset, mem), s


def leaky(reset: str) -> list[np.ndarray]:
    mem, s, spikes = np.zeros(4), np.zeros(4), []
    for x in X:
        mem, s = update(reset, mem, s, x)
        spikes.append(s)
    return spikes


def synaptic(reset: str) -> list[np.ndarray]:
    syn, mem, s, spikes = np.zeros(4), np.zeros(4), np.zeros(4), []
    for x in X:
        syn = ALPHA * syn + x
        mem, s = update(reset, mem, s, syn)
        spikes.append(s)
    return spikes


MEM = {"r": 1 / (1 - BETA), "v_threshold": LEVEL, "v_reset": full(0.25, 4)}
LEAKY = lif(4, tau=DT / (1 - BETA), **MEM)
SYNAPTIC = cuba(4, tau_mem=DT / (1 - BETA), tau_syn=full(DT / (1 - ALPHA), 4), w_in=full(1 / (1 - ALPHA), 4), **MEM)
RESETS = ("value", "zero", "subtract", "subtract_delayed", "zero_delayed")
LOOPS: dict[str, tuple[Any, Callable[[str], list[np.ndarray]]]] = {
    "LIF": (LEAKY, leaky),
    "CubaLIF": (SYNAPTIC, synaptic),
}


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("kind", LOOPS)
def test_a_reset_is_that_of_the_loop(tmp_path: Path, kind: str, reset: str):
    node, loop = LOOPS[kind]
    path = written(tmp_path / "n.nir", *chain(node, shape=(4,), out=(4,)))
    net = tc.load(path, reset=reset)
    expected = np.array(loop(reset))
    np.testing.assert_array_equal(trajectory(net, X), expected)
    assert all((expected != np.array(loop(other))).any() for other in RESETS if other != reset)
    assert "reset" not in str([repair.what for repair in net.repairs])


@pytest.mark.parametrize("method", ["exact", "exponential"])
def test_a_late_subtraction_follows_the_decay_of_the_method(tmp_path: Path, method: str):
    """v' = e^(-dt / tau) v + (1 - e^(-dt / tau)) r x - v_threshold s."""
    node = lif(4, tau=full(5e-4, 4), r=full(2.0, 4), v_leak=full(0.1, 4))
    path = written(tmp_path / "n.nir", *chain(node, shape=(4,), out=(4,)))
    keep, v, s, expected = np.exp(-DT / 5e-4), np.zeros(4), np.zeros(4), []
    for x in X:
        v = keep * v + (1 - keep) * (0.1 + 2 * x) - 0.5 * s
        s = (v > 0.5) * 1.0
        expected.append(s)
    found = trajectory(tc.load(path, dt=DT, method=method, reset="subtract_delayed"), X)
    np.testing.assert_array_equal(found, expected)
    assert np.sum(expected) > 10


def test_integrators_subtract(tmp_path: Path):
    """By hand: nothing is lost, so spikes are the whole thresholds in the sum so far, at once or a tick late."""
    node = nir.IF(full(1.0, 1), full(1.0, 1), full(0.0, 1))
    path = written(tmp_path / "n.nir", *chain(node, shape=(1,), out=(1,)))
    x = full(0.375, 16, 1)
    for reset in ("subtract", "subtract_delayed"):
        found = trajectory(tc.load(path, reset=reset, compare="greater_equal"), x)[:, 0]
        np.testing.assert_array_equal(np.cumsum(found), np.floor(0.375 * np.arange(1, 17)))


@pytest.mark.parametrize("reset", ["subtract_delayed", "zero_delayed"])
def test_a_reset_is_the_same_on_every_target(tmp_path: Path, reset: str):
    path = written(tmp_path / "n.nir", *chain(LEAKY, SYNAPTIC, shape=(4,), out=(4,)))
    found = tc.verify(
        tc.load(path, reset=reset),
        ["sim", "onnx", "brian2"],
        inputs={"input": X[:, None]},
        options={"brian2": {"codegen": "numpy"}},
    )
    assert found.ok, str(found)


def test_compare_moves_units_that_stand_at_their_threshold(tmp_path: Path):
    """SpikingJelly and sinabs spike at the threshold, NIR above it."""
    nodes = chain(nir.IF(full(1.0, 1), full(1.0, 1), full(0.0, 1)), nir.Threshold(full(1.0, 1)), shape=(1,), out=(1,))
    path = written(tmp_path / "n.nir", *nodes)
    x = full(0.25, 8, 1)
    assert trajectory(tc.load(path), x).sum() == 0
    assert trajectory(tc.load(path, compare="greater_equal"), x)[:, 0].tolist() == [0, 0, 0, 1, 0, 0, 0, 1]


def test_the_reset_that_was_assumed_is_told(tmp_path: Path):
    path = written(tmp_path / "n.nir", *chain(lif(4), shape=(4,), out=(4,)))
    (told,) = [repair for repair in tc.load(path).repairs if "reset" in repair.what]
    assert "reset to v_reset = 0" in told.what
    assert told.notes[0] == "n0"
    assert "reset='subtract'" in told.notes[1]
    stated = written(tmp_path / "n.nir", *chain(lif(4, v_reset=full(0.1, 4)), shape=(4,), out=(4,)))
    assert "reset" not in str([repair.what for repair in tc.load(stated).repairs])


def test_what_cannot_be_is_refused(tmp_path: Path):
    path = written(tmp_path / "n.nir", *chain(lif(4, tau=full(1e-4, 4)), shape=(4,), out=(4,)))
    cases = {"late": "no unit has the reset 'late'", "subtract_delayed": "a tick of 0.0001 s leaves 0 of v"}
    for reset, fact in cases.items():
        with pytest.raises(tc.ThermocError) as caught:
            tc.load(path, reset=reset)
        assert caught.value.code == "T303"
        assert fact in str(caught.value)
