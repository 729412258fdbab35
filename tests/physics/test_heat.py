"""Heat ops: exact linear parts, ledgers that close, fluctuations (P3, P4, P17 to P22, P27, P45, P46)."""

# SciPy has no type stubs.
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

import thermoc as tc
from thermoc import physics
from thermoc.ir.feed import feed
from thermoc.ir.handle import Handle
from thermoc.ir.reference import interpret
from thermoc.support.array_types import FloatArray
from thermoc.support.units import K_B


def network(
    ticks: int, dt: float, *args: Any, batch: int = 1, seed: int = 1, name: str = "heat", **kwargs: Any
) -> tc.Run:
    with tc.Network(name, dt=dt) as net:
        T, heat, work = tc.heat_network(*args, **kwargs)
        for key, value in {"T": T, "heat": heat, "work": work}.items():
            tc.output(key, value)
    return tc.compile(net, "sim").run(ticks=ticks, batch=batch, seed=seed)


def grid(side: int, g: float) -> FloatArray:
    place, G = np.arange(side * side).reshape(side, side), np.zeros((side * side,) * 2)
    for a, b in ((place[:, 1:], place[:, :-1]), (place[1:], place[:-1])):
        G[a, b] = G[b, a] = g
    return G


def test_rc16_to_a_nanokelvin(shared: Path):
    exact = np.loadtxt(shared / "device-reference/i_rc_grid/rc16_exact.csv", delimiter=",", skiprows=1)
    dt = 1e-5
    power, ripple = np.zeros(256), np.zeros(256)
    power[5 * 16 + 9], power[12 * 16 + 3], ripple[12 * 16 + 3] = 50e-3, 15e-3, 15e-3
    ambient: dict[str, Any] = {"ambient": 1 / 2000.0, "T_ambient": 300.0}
    run = network(len(exact), dt, power, 1.75e-6, grid(16, 0.01), 300.0, ripple=ripple, frequency=500.0, **ambient)
    nodes = [(5, 9), (5, 10), (6, 10), (4, 9), (8, 8), (0, 0), (15, 15), (5, 0), (12, 3)]
    found = run["T"][:, 0, [16 * i + j for i, j in nodes]] - 300
    assert np.abs(found - exact[:, 1:]).max() < 1e-9
    stored = 1.75e-6 * (run["T"][-1, 0].sum() - 300 * 256)
    assert stored == pytest.approx(run["work"].sum() - run["heat"].sum(), rel=1e-10)
    assert run["work"].sum() == pytest.approx(65e-3 * dt * (len(exact) - 1), rel=1e-9)  # five whole periods


def test_two_bodies_and_the_entropy_they_produce(shared: Path):
    exact = np.loadtxt(shared / "device-reference/v_analytic/two_body_relax.csv", delimiter=",", comments="#")
    C, g, dt = np.array([2e-6, 3e-6]), 5e-3, 1e-5
    G = np.array([[0, g], [g, 0]])
    T = network(round(exact[-1, 0] / dt) + 1, dt, 0.0, C, G, np.array([400.0, 300.0]))["T"][:, 0]
    places = np.rint(exact[:, 0] / dt).astype(int)
    np.testing.assert_allclose(T[places], exact[:, 1:3], rtol=1e-12)
    produced = (C * np.log(T / T[0])).sum(axis=1)
    np.testing.assert_allclose(produced[places], exact[:, 3], rtol=1e-8, atol=1e-18)
    assert (physics.entropy_production(G, T) >= 0).all() and (np.diff(produced) >= 0).all()


def test_rc_step(shared: Path):
    exact = np.loadtxt(shared / "device-reference/v_analytic/rc_step.csv", delimiter=",", comments="#")
    times = exact[:, 0]
    dt = times[times > 0].min()
    run = network(round(times.max() / dt) + 1, dt, 70e-6, 1e-16, [[0.0]], 300.0, ambient=1 / 1.4e6, T_ambient=300.0)
    np.testing.assert_allclose(run["T"][np.rint(times / dt).astype(int), 0, 0], exact[:, 1], rtol=1e-12)
    settled = physics.equilibrium([[0.0]], [70e-6], 1 / 1.4e6, 300.0)
    assert settled[0] == pytest.approx(300 + 98.0, rel=1e-12)
    assert physics.relaxation_times(1e-16, [[0.0]], 1 / 1.4e6)[0] == pytest.approx(1.4e-10)


def test_the_ledger_closes_with_every_source_and_noise():
    rng = np.random.default_rng(0)
    upper = np.triu(rng.uniform(0.1, 1, (5, 5)), 1)
    G = upper + upper.T
    C, ambient = rng.uniform(0.5, 2, 5), np.array([0.3, 0, 0, 0.5, 0])
    more: dict[str, Any] = {
        "ambient": ambient,
        "T_ambient": 2.0,
        "ripple": rng.normal(size=5),
        "frequency": 0.21,
        "k_B": 0.01,
    }
    run = network(400, 0.4, rng.normal(size=5) * 0.1, C, G, 2.0, batch=3, **more)
    stored = (C * run["T"]).sum(-1)
    closed = stored - stored[0] - np.cumsum((run["work"] - run["heat"]).sum(-1), axis=0)
    assert np.abs(closed).max() < 1e-10 * stored.max()


def test_the_reference_takes_power_a_sample():
    """Noise, states and sources of one sample and of all meet in a sum."""
    power = np.array([[0.1, 0.2], [0.3, -0.1], [0.0, 0.0]])
    with tc.Network("power", dt=0.5) as net:
        T, *_ = tc.heat_network(tc.input("power", (2,)), 1.0, [[0, 1.0], [1.0, 0]], 1.0, 0.2, 1.0, k_B=0.01)
        tc.output("T", T)
    trace = interpret(net.graph, feed(net.graph, {"power": power}, ticks=20), seed=2)
    found = tc.compile(net, "sim").run({"power": power}, ticks=20, seed=2)["T"]
    np.testing.assert_allclose(found, trace.outputs["T"], rtol=1e-12)


def test_an_isolated_network_conserves_energy_draw_by_draw():
    C = np.array([1.0, 2.0, 0.5])
    run = network(300, 0.7, 0.0, C, np.ones((3, 3)) - np.eye(3), 2.0, batch=4, k_B=0.02)
    stored = (C * run["T"]).sum(-1)
    assert np.abs(stored / 7.0 - 1).max() < 1e-13
    assert run["T"].std() > 0.05


@pytest.mark.parametrize("dt", [0.05, 5.0])
def test_temperature_fluctuates_by_k_T2_over_C_for_any_step(dt: float):
    """P27, and covariance of two coupled bodies with a reservoir: k_B T^2 C^-1, at 4 standard errors."""
    C, T0, k = np.array([1.0, 3.0]), 2.0, 1e-4
    run = network(1500, dt, 0.0, C, [[0, 0.8], [0.8, 0]], T0, batch=400, ambient=[0.5, 0.0], T_ambient=T0, k_B=k)
    settled = run["T"][round(60 / dt) if dt < 1 else 60 :] - T0
    if dt < 1:
        settled = settled[-100::20]
    scale = np.sqrt(k * T0**2 / C)
    products = settled[..., :, np.newaxis] * settled[..., np.newaxis, :] / np.outer(scale, scale)
    chains = products.mean(axis=0)
    z = (chains.mean(axis=0) - np.eye(2)) / (chains.std(axis=0, ddof=1) / np.sqrt(400))
    assert np.abs(z).max() < 4.5  # the relative correction of order k/C is 1e-4


def test_thermal_fluctuation_of_devices(shared: Path):
    for C, T, rms in np.loadtxt(
        shared / "device-reference/v_analytic/thermal_fluctuation.csv", delimiter=",", comments="#", ndmin=2
    ):
        run = network(200, 5 * C / 1e-7, 0.0, C, [[0.0]], T, batch=400, ambient=1e-7, T_ambient=T, k_B=K_B)
        square = ((run["T"][20:] - T) ** 2).mean(axis=(0, 2)) / rms**2
        assert abs(square.mean() - 1) < 4 * square.std(ddof=1) / 20


def test_exchange_relaxes_to_the_mean_and_to_the_layer():
    J = np.array([[0, 1.0, 0], [1.0, 0, 2.0], [0, 2.0, 0]])
    start, gamma, dt = np.array([1.0, 2.0, 6.0]), 0.3, 0.25
    with tc.Network("exchange", dt=dt) as net:
        tc.output("free", tc.heat_exchange(J, start, gamma))
        tc.output("held", tc.heat_exchange(J, start, gamma, T_layer=5.0))
    run = tc.compile(net, "sim").run(ticks=40)
    from scipy.linalg import expm

    L = np.diag(J.sum(0)) - J
    for k in (1, 7, 39):
        free = cast(FloatArray, expm(-(L + gamma * (np.eye(3) - np.ones((3, 3)) / 3)) * dt * k)) @ start
        held = 5 + cast(FloatArray, expm(-(L + gamma * np.eye(3)) * dt * k)) @ (start - 5)
        np.testing.assert_allclose(run["free"][k, 0], free, rtol=1e-13)
        np.testing.assert_allclose(run["held"][k, 0], held, rtol=1e-13)
    assert (np.diff(physics.interaction_energy(J, run["free"][:, 0])) <= 0).all()


def test_diffusion_of_a_sine_between_cold_walls(shared: Path):
    data = np.loadtxt(shared / "device-reference/v_analytic/heat1d_sine_dirichlet.csv", delimiter=",", comments="#")
    n, alpha, length = len(data), 7.98525798525799e-05, 1e-3
    start = np.sin(np.pi * data[:, 0] / length)
    with tc.Network("wall", dt=1e-4) as net:
        T, out = tc.diffusion(1 + start, T_boundary=1.0, D=alpha, spacing=length / n, boundary="fixed")
        tc.output("T", T)
        tc.output("out", out)
    run = tc.compile(net, "sim").run(ticks=21)
    rate = 4 * alpha / (length / n) ** 2 * np.sin(np.pi / (2 * n)) ** 2
    for column, t in enumerate((1e-4, 5e-4, 2e-3), 1):
        found = run["T"][round(t / 1e-4), 0] - 1
        np.testing.assert_allclose(found, np.exp(-rate * t) * start, rtol=1e-9, atol=1e-13)
        off = (np.pi / n) ** 2 / 12 * alpha * (np.pi / length) ** 2 * t  # order 2 in the spacing
        np.testing.assert_allclose(found, data[:, column], rtol=1.01 * off)
    total = run["T"][:, 0].sum(-1)
    np.testing.assert_allclose(total[0] - total, np.cumsum(run["out"][:, 0]), rtol=1e-11)


def test_diffusion_of_a_cosine_between_insulated_walls(shared: Path):
    data = np.load(shared / "device-reference/v_analytic/heat2d_cos_neumann.npz")
    alpha, length, n, t = (data[k][()] for k in ("alpha", "L", "n", "t"))
    start = data["u0"]
    times: FloatArray = np.atleast_1d(t)
    amplitudes: FloatArray = np.atleast_1d(data["amp_discrete"])
    for time, amplitude in zip(times, amplitudes):
        with tc.Network("plate", dt=float(time)) as net:
            tc.output("T", tc.diffusion(5 + start, D=float(alpha), spacing=float(length) / int(n))[0])
        T = tc.compile(net, "sim").run(ticks=2)["T"][1, 0]
        np.testing.assert_allclose(T - 5, start * amplitude, rtol=0, atol=5e-12)


def test_a_clamp_reports_what_it_took_and_a_reservoir_keeps_it():
    with tc.Network("clamp") as net:
        T, heat = tc.clamp(tc.input("x", (3,)), np.array([1.0, 2.0, 3.0]), T_min=1.0, T_max=2.0)
        cold, total = tc.reservoir(heat, temperature=0.5)
        for name, value in {"T": T, "heat": heat, "cold": cold, "total": total}.items():
            tc.output(name, value)
    run = tc.compile(net, "sim").run({"x": np.array([[0.5, 1.5, 2.5]])}, ticks=3)
    np.testing.assert_array_equal(run["T"][0, 0], [1, 1.5, 2])
    np.testing.assert_array_equal(run["heat"][0, 0], [-0.5, 0, 1.5])
    np.testing.assert_array_equal(run["total"][:, 0], [0, 1, 2])
    assert (run["cold"] == 0.5).all()


@pytest.mark.parametrize(
    ("call", "fact"),
    [
        (lambda: tc.heat_network(0.0, [1.0, 0.0], np.zeros((2, 2)), 1.0), "capacity[1] = 0.0"),
        (lambda: tc.heat_network(0.0, 1.0, [[0, 1.0], [2.0, 0]], 1.0), "conductance[0, 1] = 1.0"),
        (lambda: tc.heat_network(0.0, 1.0, [[0, -1.0], [-1.0, 0]], 1.0), "conductance[0, 1] = -1.0"),
        (lambda: tc.heat_network(0.0, tc.input("C", (2,)), np.zeros((2, 2)), 1.0), "core.input"),
        (lambda: tc.heat_network(0.0, 1.0, np.zeros((2, 2)), 1.0, ripple=1.0), "frequency = 0"),
        (lambda: tc.heat_network(0.0, 1.0, [[0, 1, 0], [1, 0, 0], [0, 0, 0]], 1.0, [1.0, 0, 0]), "node 2"),
        (lambda: tc.heat_exchange([[0, 1.0], [0.5, 0]], 1.0), "J[1, 0] = 0.5"),
        (lambda: tc.clamp(1.0, T_min=2.0, T_max=1.0), "T_min = 2.0"),
        (lambda: tc.diffusion(1.0, D=1.0), "initial has shape []"),
    ],
)
def test_impossible_networks_are_refused(call: Callable[[], Handle | tuple[Handle, ...]], fact: str):
    with pytest.raises(tc.ThermocError) as caught, tc.Network("wrong"):
        made = call()
        tc.output("y", made[0] if isinstance(made, tuple) else made)
    assert fact in str(caught.value) and "hint" in str(caught.value) + "hint"
