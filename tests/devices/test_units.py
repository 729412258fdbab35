"""Devices as units of a network: the trajectories of the device simulator, its references, its laws and its errors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import thermoc as tc
from thermoc.ir.feed import feed
from thermoc.ir.reference import interpret
from thermoc.simulator.devices import load, names, simulate

H = 2.0**-27
"""A step in s whose multiples are exact, so that times of the device simulator are those of ticks."""


def network(model: str, voltage: Any, dt: float = H, **how: Any) -> tc.Network:
    with tc.Network("units", dt=dt) as net:
        for name, value in tc.device(model, voltage, **how).items():
            tc.output(name, value)
    return net


def ran(net: tc.Network, ticks: int, batch: int = 1, seed: int = 0) -> dict[str, np.ndarray]:
    run = tc.compile(net, "sim").run(ticks=ticks, batch=batch, seed=seed)
    return {name: run[name] for name in net.graph.outputs}


def grid(rows: int, columns: int) -> np.ndarray:
    """Which units of a rectangle are neighbours."""
    row, column = np.divmod(np.arange(rows * columns), columns)
    return (np.abs(row[:, None] - row) + np.abs(column[:, None] - column) == 1).astype(float)


DRIVES = {
    "jart": ([-0.3, 0.2], 2.0**-34, {}),
    "nbo2": ([1.6, 1.2], 2.0**-40, {"circuit_load": 6e3, "circuit_capacitance": 1e-12}),
    "ou_cell": ([0.1, -0.2], 2.0**-32, {}),
    "pickett": ([0.9, 0.5], 2.0**-34, {"circuit_load": 1e3}),
    "rc": ([0.2, 0.4], 2.0**-34, {}),
    "stanford": ([0.5, -0.4], 2.0**-40, {}),
    "vo2": ([12.0, 9.0], H, {}),
    "vteam": ([0.12, -0.3], 2.0**-40, {}),
}
"""Voltages of two devices, a step, and values."""


def test_every_model_is_tried():
    assert set(DRIVES) <= set(names()) and len(DRIVES) == 8


@pytest.mark.parametrize("method", ["euler", "midpoint"])
@pytest.mark.parametrize("model", DRIVES)
def test_a_unit_has_the_bits_of_its_device(model: str, method: str):
    voltage, dt, values = DRIVES[model]
    ticks, seed = 30, 5
    noise = model != "jart"
    net = network(model, np.array(voltage), dt, method=method, noise=noise, **values)
    found = ran(net, ticks, seed=seed)
    (stream,) = [op.stream for op in net.graph.ops if op.opname == "thermo.device"]
    t = np.arange(ticks + 1) * dt
    how: dict[str, Any] = {"method": method, "dt": dt, "noise": noise, "seed": seed, "stream": stream}
    trace = simulate(load(model, **values), voltage, t, n=2, **how)
    shown = {"T": "T", "state": "state", "node": "node", "current": "current", "voltage": "voltage"}
    for name, field in shown.items():
        np.testing.assert_array_equal(found[name][:, 0], getattr(trace, field)[1:], err_msg=name)
    for name in ("work", "heat"):
        total = getattr(trace, name)[1:]
        np.testing.assert_allclose(found[name][:, 0].cumsum(axis=0), total, rtol=1e-9, atol=1e-12 * np.abs(total).max())


def test_steps_within_a_tick_are_ticks():
    voltage, dt, values = DRIVES["nbo2"]
    fine = ran(network("nbo2", voltage, dt, method="midpoint", **values), 60)
    coarse = ran(network("nbo2", voltage, dt * 3, method="midpoint", steps=3, **values), 20)
    np.testing.assert_array_equal(coarse["T"], fine["T"][2::3])
    other = ran(network("nbo2", voltage, 3.0, seconds=dt, method="midpoint", steps=3, **values), 20)
    np.testing.assert_array_equal(other["T"], coarse["T"])


def test_the_array_of_neuristors_as_a_network(shared):
    """8 x 8 VO2 devices on links, to the bounds of ``test_a_lattice_of_neuristors``."""
    stored = np.load(shared / "device-reference/vi_thermal_neuristor/array8x8_V9.96_c0.02_dt10ns.npz")
    node, T = stored["y0"][0]
    S, c = 1 / load("vo2").quantities["heat.resistance"], 0.02
    how = {"method": "euler", "conductance": c * S * grid(8, 8), "heat_resistance": 1 / (S * (1 - 4 * c))}
    net = network("vo2", 9.96, 1e-8, node=node, T=T, **how)
    ticks = np.rint(stored["t_ns"] / 10).astype(int)
    found = ran(net, int(ticks[-1]))
    rows = ticks - 1
    assert np.abs(found["node"][rows, 0] - stored["V"]).max() < 1e-6
    assert np.abs(found["T"][rows, 0] - stored["T"]).max() < 5e-5
    # a unit shows the current after a tick, the authors that of the step that ends with it
    later = ticks > 1
    assert np.abs(found["current"][rows[later] - 1, 0] * 1e3 - stored["I"][later]).max() < 1e-6


def test_the_oscillator_of_niobium_oxide_as_a_network(shared):
    """To the bounds of ``test_nbo2_pearson_anson``."""
    reference = np.loadtxt(shared / "device-reference/ii_mott/mott_pearson_anson.csv", delimiter=",", skiprows=1)
    dt = reference[1, 0] - reference[0, 0]
    net = network("nbo2", 1.6, dt, tolerance=1e-9, circuit_load=6e3, circuit_capacitance=1e-12)
    found = ran(net, len(reference) - 1)
    assert np.abs(found["node"][:, 0, 0] - reference[1:, 3]).max() < 1e-8
    assert np.abs(found["T"][:, 0, 0] - reference[1:, 4]).max() < 1e-5
    assert np.abs(found["voltage"][:, 0, 0] - reference[1:, 5]).max() < 1e-8


def test_heat_flows_between_units_and_none_is_lost():
    """Two thermal cells without a base: the sum of their heat stays, the difference dies at 2 G / C."""
    G, C = 1e-6, 1e-15
    how = {"conductance": G * grid(1, 2), "heat_resistance": np.inf, "heat_capacity": C, "T": [400.0, 300.0]}
    found = ran(network("rc", 0.0, 1e-12, method="midpoint", **how), 1000)
    T = found["T"][:, 0]
    np.testing.assert_allclose(T.sum(axis=1), 700.0, rtol=1e-13)
    np.testing.assert_allclose(T[-1, 0] - T[-1, 1], 100.0 * (1 - 2 * G * 1e-12 / C) ** 1000, rtol=1e-9)


def test_coupled_units_fluctuate_as_equipartition_asks():
    """Var T = k_B T^2 / C a node whatever the links (P27), from 400 samples; four standard errors, 1 in 16,000."""
    R, C = 1e5, 1e-15
    how = {"conductance": 1e-5 * grid(1, 3), "heat_resistance": R, "heat_capacity": C}
    T = ran(network("rc", 0.0, R * C / 40, method="midpoint", noise=True, **how), 200, batch=400, seed=3)["T"][-1]
    wanted = 1.380649e-23 * 300.0**2 / C
    found = ((T - 300.0) ** 2).mean() / wanted
    # explicit links add of the order of their step's rate, 2 G h / C = 1 / 20
    assert found == pytest.approx(1.0, abs=4 * math.sqrt(2 / T.size) + 0.06)


def test_a_p_bit_of_a_fluctuating_capacitor():
    """P(node > 0) = Phi(m / sqrt(k T / C)), m what the divider leaves (P28); 4000 samples a voltage, four standard
    errors, 7 in 16,000 false."""
    q = load("ou_cell").quantities
    sigma, share = math.sqrt(1.380649e-23 * 300.0 / q["circuit.capacitance"]), 0.5
    drive = np.array([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0]) * sigma / share
    with tc.Network("p-bits", dt=2e-9) as net:
        cell = tc.device("ou_cell", drive, method="midpoint", noise=True, steps=10)
        tc.output("s", tc.cast(cell["node"] > 0.0, dtype="f64"))
    run = tc.compile(net, "sim").run(ticks=8, batch=4000, seed=11)
    found = run["s"][-1].mean(axis=0)
    wanted = np.array([0.5 * math.erfc(-share * u / sigma / math.sqrt(2)) for u in drive])
    assert (np.abs(found - wanted) < 4 * np.sqrt(wanted * (1 - wanted) / 4000) + 1e-12).all()


def test_units_that_differ_and_their_spread():
    net = network("nbo2", 0.5, 1e-10, n=4000, spread={"activation_energy": 0.05}, seed=4)
    (op,) = [one for one in net.graph.ops if one.opname == "thermo.device"]
    rows = net.graph.producers[op.parameters.name].value.numpy
    column = list(load("nbo2").model.units).index("activation_energy")
    energies = rows[:, column] / load("nbo2").quantities["activation_energy"]
    assert rows.shape[0] == 4000 and np.unique(energies).size == 4000
    # the mean of 4000 within four standard errors, 1 in 16,000
    assert energies.mean() == pytest.approx(1.0, abs=4 * 0.05 / math.sqrt(4000))
    assert energies.std() == pytest.approx(0.05, rel=0.1)


COUPLED = {"conductance": 1e-5 * grid(1, 2), "T": [335.0, 334.0]}
CERTIFIED = {
    "midpoint": ("vo2", [12.0, 9.0], 2e-9, {"method": "midpoint", **COUPLED}),
    "euler": ("vo2", [12.0, 9.0], 1e-8, {"method": "euler", "noise": True, **COUPLED}),
    "sdirk": ("nbo2", [1.6], 1e-10, {"circuit_load": 6e3, "circuit_capacitance": 1e-12}),
    "enthalpy": ("pickett", [0.9], 1e-10, {"circuit_load": 1e3}),
}


@pytest.mark.parametrize("name", CERTIFIED)
def test_energy_is_accounted_for(name: str):
    model, voltage, dt, how = CERTIFIED[name]
    run = tc.compile(network(model, np.array(voltage), dt, **how), "sim").run(ticks=300, batch=2, seed=1)
    certificate = tc.certify(run)
    (law,) = [law for law in certificate.laws if law.law == "P45"]
    assert law.holds and law.bound < 1e-4 and certificate.holds


def test_targets_agree():
    """Reference, simulator and, by Euler's step in core ops, ONNX; Brian2 in the conformance suite."""
    with tc.Network("targets", dt=1e-8) as net:
        u = tc.input("u", (3,))
        cells = tc.device("vo2", u, method="euler", noise=True, conductance=1e-5 * grid(1, 3), T=[335.0, 334.0, 330.0])
        tc.output("T", cells["T"])
        tc.output("node", cells["node"])
    u = 10 + np.random.default_rng(0).random((30, 2, 3))
    assert tc.verify(net, ["sim", "onnx"], inputs={"u": u}, seed=7).ok


REFUSED = {
    "a model that is none": (lambda: tc.device("memristor", 1.0), "T404", "there is no device"),
    "a value that is none": (lambda: tc.device("vo2", 1.0, width=3.0), "T404", "no value 'width'"),
    "a method that is none": (lambda: tc.device("vo2", 1.0, method="rk4"), "T404", "no method 'rk4'"),
    "a value out of its range": (lambda: tc.device("vteam", 1.0, off_voltage=-0.1), "T405", "above 0"),
    "a voltage that is none": (lambda: tc.device("vo2", [1.0, np.nan]), "T403", "voltage is not finite"),
    "an ambient that is none": (lambda: tc.device("vo2", 1.0, T_ambient=-1.0), "T405", "heat_ambient"),
    "counts that differ": (lambda: tc.device("vo2", [1.0, 2.0], n=3), "T402", "numbers of units differ"),
    "heat that makes heat": (lambda: tc.device("vo2", 1.0, conductance=[[0, 1], [2, 0]]), "T405", "not symmetric"),
    "links of what has no temperature": (
        lambda: tc.device("vteam", 1.0, conductance=grid(1, 2)),
        "T405",
        "temperature",
    ),
    "a step too long": (lambda: tc.device("nbo2", 1.0, method="euler"), "T214", "heat path"),
    "noise of free steps": (lambda: tc.device("vo2", 1.0, noise=True), "T404", "sdirk takes no noise"),
    "noise of a contact": (lambda: tc.device("jart", 1.0, noise=True, method="midpoint"), "T404", "equilibrium"),
    "a spread that is none": (lambda: tc.device("vo2", 1.0, spread={"width": 0.1}), "T404", "no value 'width'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_said_where_it_is_written(name: str):
    call, code, says = REFUSED[name]
    with pytest.raises(tc.ThermocError) as caught, tc.Network("wrong", dt=1e-8):
        call()
    assert caught.value.code == code and says in str(caught.value)


@pytest.mark.parametrize("way", ["sim", "reference"])
def test_a_device_that_cannot_go_on_is_named(way: str):
    """The second unit of the third sample is driven beyond its limit at tick 4."""
    with tc.Network("hot", dt=1e-8) as net:
        tc.output("T", tc.device("vo2", tc.input("u", (3,)), method="euler")["T"])
    u = np.full((8, 4, 3), 9.0)
    u[4, 2, 1] = 1e9
    with pytest.raises(tc.ThermocError) as caught:
        if way == "sim":
            tc.compile(net, "sim").run({"u": u})
        else:
            interpret(net.graph, feed(net.graph, {"u": u}))
    text = str(caught.value)
    assert caught.value.code in ("T410", "T411") and "unit 1 of sample 2, at tick" in text


def test_a_chip_holds_its_own_device_alone():
    how = {"seconds": 1e-11, "method": "midpoint"}
    assert tc.compile(network("nbo2", 0.5, 1.0, **how), "chip").run(ticks=3)["T"].shape == (3, 1, 1)
    with pytest.raises(tc.ThermocError, match="holds no vteam") as caught:
        tc.compile(network("vteam", 0.5, 1.0, **how), "chip")
    assert caught.value.code == "T305" and "nbo2" in str(caught.value)


@pytest.mark.parametrize(
    ("target", "how", "says"),
    [
        ("lava", {"method": "euler"}, "24 bits"),
        ("onnx", {"method": "sdirk"}, "until a step is solved"),
        ("brian2", {"method": "euler", "circuit_inner": 10.0}, "until a number is found"),
    ],
)
def test_a_target_says_why_it_holds_no_device(target: str, how: dict[str, Any], says: str):
    with pytest.raises(tc.ThermocError) as caught:
        _ = tc.compile(network("vo2", 9.0, **how), target).artefact
    assert caught.value.code == "T301" and says in str(caught.value)
