"""Units by equations as a network: names, states, files, and what Brian2 gets of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thermoc as tc
from thermoc.ir.parser import parse_graph

LEAKY = "dv/dt = (I - v)/tau : 1 (unless refractory)"


def network(equations: str, *, dt: float = 0.1, **how: Any) -> tc.Network:
    with tc.Network("units", dt=dt) as net:
        for name, value in tc.dynamics(equations, **how).items():
            tc.output(name, value)
    return net


def spiking(**more: Any) -> tc.Network:
    how = {"constants": {"I": np.array([1.5, 3.0]), "tau": 2.0}, "threshold": "v > 1", "reset": "v = 0"}
    return network(LEAKY, **how | {"refractory": 0.3} | more)


@pytest.mark.slow
def test_it_is_the_leaky_unit_that_an_op_of_its_own_is():
    with tc.Network("lif", dt=0.1) as net:
        s, v = tc.lif(tc.constant([1.5, 3.0]), 2.0, refractory=0.3)
        tc.output("spikes", s)
        tc.output("v", v)
    ours, theirs = (tc.compile(network, "sim").run(ticks=200) for network in (spiking(method="exact"), net))
    assert np.array_equal(ours["spikes"], theirs["spikes"]) and ours["spikes"].sum() > 10
    np.testing.assert_allclose(ours["v"], theirs["v"], atol=1e-13)


def test_a_graph_and_a_file_keep_the_text(tmp_path: Path):
    net = spiking()
    net.save(tmp_path / "units.thermo")
    assert tc.load(tmp_path / "units.thermo").graph == net.graph == parse_graph(str(net.graph))
    wrong = str(net.graph).replace("(I - v)", "(J - v)")
    with pytest.raises(tc.ThermocError, match=r"T113.*'J' is unknown"):
        tc.compile(tc.Network.of(parse_graph(wrong)), "sim")
    noisy = str(net.graph).replace("(I - v)", "(I - v + xi)")
    with pytest.raises(tc.ThermocError, match=r"T113.*thermo\.sde"):
        tc.compile(tc.Network.of(parse_graph(noisy)), "sim")


def test_constants_inputs_and_arrays_give_one_result():
    plain = network("dv/dt = a - b*v : 1", constants={"a": 1.0, "b": 0.5}, n=2, method="exact")
    with tc.Network("fed", dt=0.1) as net:
        a, b = tc.input("a"), tc.input("b", (2,))
        tc.output("v", tc.dynamics("dv/dt = a - b*v : 1", inputs={"a": a, "b": b}, method="exact")["v"])
    fed = tc.compile(net, "sim").run({"a": np.ones((1,)), "b": np.full((1, 2), 0.5)}, ticks=20)["v"]
    np.testing.assert_allclose(tc.compile(plain, "sim").run(ticks=20)["v"], fed, atol=1e-15)


def test_a_matrix_that_is_not_known_is_refused_with_a_cure():
    with tc.Network("coupled", dt=0.1), pytest.raises(tc.ThermocError, match=r"T113.*must be known") as caught:
        tc.dynamics("dx/dt = k*y : 1\ndy/dt = -x : 1", inputs={"k": tc.input("k")}, method="exact")
    assert "rk4" in str(caught.value)


def test_the_report_says_what_was_made_of_them():
    changes = tc.compile(network("dx/dt = x - x**3 + 0.1*xi : 1", method="euler"), "sim").report().changes
    (change,) = [change for change in changes if "equations of x" in change.what]
    assert change.new == "a step of euler" and "Ito, strong order 0.5, weak order 1" in change.bound


@pytest.mark.brian2
def test_brian2_gets_the_equations_as_they_are(tmp_path: Path):
    exe = tc.compile(spiking(method="euler"), "brian2", codegen="numpy")
    exe.save(tmp_path / "units.py")
    script = (tmp_path / "units.py").read_text()
    assert "dv/dt = ((" in script and "(unless refractory)" in script and "threshold='v > 1'" in script
    assert "as they are" in str(exe.report().changes)
    heun = tc.compile(spiking(method="heun"), "brian2", codegen="numpy")
    heun.save(tmp_path / "heun.py")
    assert "dv/dt" not in (tmp_path / "heun.py").read_text()


@pytest.mark.slow
@pytest.mark.brian2
def test_it_runs_as_a_script_of_brian2_alone_does():
    """The same text in plain Brian2, spike for spike: our refractory time is one tick shorter by convention."""
    brian2 = pytest.importorskip("brian2")
    brian2.prefs.codegen.target = "numpy"
    text = "dv/dt = (I - v)/(2*second) : 1 (unless refractory)\nI : 1"
    clock = brian2.Clock(dt=0.1 * brian2.second)
    group = brian2.NeuronGroup(
        2, text, threshold="v > 1", reset="v = 0", refractory=0.4 * brian2.second, method="euler", clock=clock
    )
    group.I = [1.5, 3.0]
    monitor = brian2.SpikeMonitor(group)
    brian2.Network(group, monitor).run(20 * brian2.second)
    spikes = tc.compile(spiking(method="euler"), "sim").run(ticks=200)["spikes"].reshape(200, 2)
    found = [np.flatnonzero(spikes[:, k]) for k in range(2)]
    times = np.rint(np.asarray(monitor.t) / 0.1).astype(int)
    for k in range(2):
        assert np.array_equal(found[k], times[np.asarray(monitor.i) == k])


def test_a_session_goes_on_from_its_states():
    exe = tc.compile(spiking(), "sim")
    whole = exe.run(ticks=60)
    session = exe.start()
    pieces = [session.run(ticks)["v"] for ticks in (17, 43)]
    assert np.array_equal(np.concatenate(pieces), whole["v"])
