"""The time step of NIR files that state none: recognised by the writer's numbers, assumed and told, or said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
from frontends.models import chain, cuba, full, lif, trajectory, written

import thermoc as tc


def integrator(*r: float) -> nir.IF:
    return nir.IF(np.resize(r, 4), full(1.0, 4), full(0.0, 4))


def leaky(tau: float, r: float, n: int = 4) -> nir.LIF:
    return lif(n, tau=full(tau, n), r=full(r, n))


def current(dt: float, alpha: float, beta: float) -> nir.CubaLIF:
    """As snnTorch and SpikingJelly write decays."""
    syn, mem = dt / (1 - alpha), dt / (1 - beta)
    return cuba(4, tau_syn=full(syn, 4), tau_mem=full(mem, 4), w_in=full(syn / dt, 4), r=full(mem / dt, 4))


def loaded(path: Path, *nodes: Any, **options: Any) -> tc.Network:
    return tc.load(written(path / "n.nir", *chain(*nodes, shape=(4,), out=(4,))), **options)


RECOGNISED: dict[str, tuple[list[Any], float, str]] = {
    "SpikingJelly's integrators": ([integrator(1e4)], 1e-4, "r = 1 / dt"),
    "with another step": ([integrator(1e3), integrator(1e3)], 1e-3, "r = 1 / dt"),
    "of 10 ms": ([integrator(100.0)], 1e-2, "r = 1 / dt"),
    "integrators without spikes": ([nir.I(full(2e3, 4))], 5e-4, "r = 1 / dt"),
    "beside its leaky units": ([integrator(1e3), leaky(2e-3, 1.0), leaky(3e-3, 3.0)], 1e-3, "r = 1 / dt"),
    "snnTorch's leaky units": ([leaky(1e-3, 10.0)], 1e-4, "tau / dt"),
    "SpikingJelly's currents": ([current(1e-3, 0.5, 0.8)], 1e-3, "tau / dt"),
    "two decays": ([leaky(2e-3, 4.0), leaky(5e-3, 10.0)], 5e-4, "tau / dt"),
    "sinabs' ticks": ([leaky(20.0, 1.0)], 1.0, "in ticks"),
    "sinabs' ticks and integrators": ([integrator(1.0), leaky(20.0, 1.0)], 1.0, "in ticks"),
    "Norse's times": ([leaky(1e-5, 1.0)], 1e-6, "Norse"),
    "integrators a tick": ([integrator(1.0)], 1.0, "no node has a time: 1"),
    "integrators a tick, and a gain": ([integrator(0.5), integrator(3.0)], 1.0, "no node has a time: 1"),
    "integrators of several gains in 1 / s": ([integrator(1e4), integrator(2e3)], 1e-4, "is per s"),
    "one tau, one r": ([leaky(2.5e-3, 24.0)], 1e-4, "no time step: 0.0001 s"),
    "leaky units and integrators a tick": ([integrator(1.0), leaky(2e-3, 1.0)], 1e-4, "no time step: 0.0001 s"),
    "integrators that disagree with leaky units": ([integrator(1e3), leaky(2e-3, 7.0)], 1e-4, "no time step: 0.0001 s"),
    "a step that no delay is a multiple of": ([integrator(1e3), nir.Delay(full(4e-4, 4))], 1e-4, "no time step: 0.0001 s"),
    "a step that a time is shorter than": ([integrator(100.0), leaky(2e-3, 1.0)], 1e-4, "no time step: 0.0001 s"),
}  # fmt: skip


@pytest.mark.parametrize("name", RECOGNISED)
def test_the_step_follows_from_what_writers_put_into_the_numbers(tmp_path: Path, name: str):
    nodes, dt, told = RECOGNISED[name]
    net = loaded(tmp_path, *nodes)
    assert net.graph.dt == pytest.approx(dt, rel=1e-12)
    assert told in str(net.repairs[0])
    assert "dt=..." in str(net.repairs[0])
    assert loaded(tmp_path, *nodes, dt=2e-4).graph.dt == 2e-4


def test_an_input_adds_itself_whatever_step_spikingjelly_had(tmp_path: Path):
    """0.3 a tick passes 1 in the fourth, by hand; a step of 1 would add 3,000."""
    for dt in (1e-4, 1e-3, 0.01):
        found = trajectory(loaded(tmp_path, integrator(1 / dt)), full(0.3, 8, 4))
        assert found[:, 0].tolist() == [0, 0, 0, 1, 0, 0, 0, 1]


def doubts(net: tc.Network) -> list[str]:
    return [repair.what for repair in net.repairs if "no time step" not in repair.what and "reset" not in repair.what]


ODD: dict[str, tuple[list[Any], dict[str, float], str]] = {
    "mixed": ([integrator(1.0), leaky(2e-3, 1.0)], {}, "take less than 0.01 of their input a tick"),
    "mixed, with a step": ([integrator(1.0), leaky(2e-3, 1.0)], {"dt": 1e-4}, "beside nodes whose times are in seconds"),
    "mixed, some of them": ([integrator(1e4, 1e4, 1.0, 1e4), leaky(2e-3, 1.0)], {}, "take less than 0.01"),
    "per second, with a step of 1": ([integrator(1e4)], {"dt": 1.0}, "take more than 100 times their input a tick"),
    "ticks, with a step in seconds": ([leaky(20.0, 1.0)], {"dt": 1e-4}, "times are longer than 10000 ticks of 0.0001 s"),
    "seconds, with a step of 1": ([leaky(2e-3, 1.0)], {"dt": 1.0}, "times are shorter than a tick of 1 s"),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_what_is_off_by_orders_of_magnitude_is_told(tmp_path: Path, name: str):
    nodes, options, told = ODD[name]
    (what,) = doubts(loaded(tmp_path, *nodes, **options))
    assert told in what


def test_what_is_not_is_not(tmp_path: Path):
    for nodes in ([integrator(1e4), leaky(2e-3, 1.0)], [integrator(1.0)], [integrator(1.0), leaky(20.0, 1.0)]):
        assert doubts(loaded(tmp_path, *nodes)) == []


def test_net_save_leaves_nothing_open(tmp_path: Path):
    net = loaded(tmp_path, integrator(1.0), leaky(2e-3, 1.0))
    net.save(tmp_path / "b.nir")
    assert tc.load(tmp_path / "b.nir").repairs == ()
