"""tau = r = inf, as snnTorch writes beta = 1: the limit v' = v + x, for a population or for some of its units."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
from frontends.models import chain, cuba, full, lif, trajectory, written

import thermoc as tc

X = np.random.default_rng(1).normal(size=(60, 4)) + 0.3
DT, INF = 1e-4, np.inf


def leak(beta: Any, alpha: Any = 0.0) -> np.ndarray:
    """Spikes of snnTorch's loop."""
    syn, mem, spikes = np.zeros(4), np.zeros(4), []
    for x in X:
        syn = alpha * syn + x
        mem = beta * mem + syn
        spikes.append((mem > 1) * 1.0)
        mem = np.where(spikes[-1], 0, mem)
    return np.array(spikes)


def fields(decay: np.ndarray, time: str, gain: str) -> dict[str, np.ndarray]:
    with np.errstate(divide="ignore"):
        tau = DT / (1 - decay)
    return {time: tau, gain: tau / DT}


@pytest.mark.parametrize("beta", [np.ones(4), np.array([0.5, 1.0, 0.9, 1.0])])
def test_a_leaky_unit(tmp_path: Path, beta: np.ndarray):
    node = lif(4, **fields(beta, "tau", "r"), v_threshold=full(1.0, 4), v_leak=full(0.0, 4))
    net = tc.load(written(tmp_path / "n.nir", *chain(node, shape=(4,), out=(4,))), dt=DT)
    np.testing.assert_array_equal(trajectory(net, X), leak(beta))
    assert "a time and its gain are infinite" in str(net.repairs)
    found = tc.verify(net, ["sim", "onnx"], inputs={"input": X[:, None]})
    assert found.ok, str(found)


@pytest.mark.parametrize("alpha", [np.ones(4), np.array([0.5, 1.0, 0.9, 0.2])])
@pytest.mark.parametrize("beta", [np.ones(4), np.array([0.5, 1.0, 0.9, 1.0])])
def test_a_unit_with_a_current(tmp_path: Path, alpha: np.ndarray, beta: np.ndarray):
    node = cuba(4, **fields(beta, "tau_mem", "r"), **fields(alpha, "tau_syn", "w_in"))
    net = tc.load(written(tmp_path / "n.nir", *chain(node, shape=(4,), out=(4,))), dt=DT)
    np.testing.assert_array_equal(trajectory(net, X), leak(beta, alpha))


def test_units_without_spikes(tmp_path: Path):
    """LI: the sum of its inputs."""
    node = nir.LI(full(INF, 4), full(INF, 4), full(0.0, 4))
    for dt in (None, 1e-3):
        net = tc.load(written(tmp_path / "n.nir", *chain(node, shape=(4,), out=(4,))), **({"dt": dt} if dt else {}))
        np.testing.assert_allclose(trajectory(net, X), np.cumsum(X, axis=0), rtol=1e-12)


@pytest.mark.parametrize("reset", ["subtract", "subtract_delayed"])
def test_a_reset_of_the_limit(tmp_path: Path, reset: str):
    node = lif(4, tau=full(INF, 4), r=full(INF, 4), v_threshold=full(1.0, 4))
    found = trajectory(tc.load(written(tmp_path / "n.nir", *chain(node, shape=(4,), out=(4,))), reset=reset), X)
    v, expected = np.zeros(4), []
    for x in X:
        v = v + x
        expected.append((v > 1) * 1.0)
        v = v - expected[-1]
    np.testing.assert_array_equal(found, expected)


REFUSED = {
    "a time alone": ({"tau": full(INF, 4)}, None, "tau or r is infinite where the other is not"),
    "a gain alone": ({"r": full(INF, 4)}, None, "tau or r is infinite where the other is not"),
    "of different units": ({"tau": np.array([INF, 1, 1, 1]), "r": np.array([1, INF, 1, 1])}, None, "where the other"),
    "a threshold": ({"v_threshold": full(INF, 4)}, None, "v_threshold holds a number that is not finite"),
    "no number": ({"tau": full(INF, 4), "r": full(np.nan, 4)}, None, "tau or r is infinite where the other is not"),
    "some, exactly": ({"tau": np.array([INF, 1, 1, 1]), "r": np.array([INF, 1, 1, 1])}, "exact", "has no such limit"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_infinite_numbers_are_refused(tmp_path: Path, name: str):
    changes, method, fact = REFUSED[name]
    path = written(tmp_path / "n.nir", *chain(lif(4, **changes), shape=(4,), out=(4,)))
    with pytest.raises(tc.ThermocError) as caught:
        tc.load(path, method=method)
    assert (caught.value.code, fact in str(caught.value)) == ("T508", True), str(caught.value)
