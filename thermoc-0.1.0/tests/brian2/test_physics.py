"""Thermodynamics on Brian2: closed forms within 4 standard errors (false alarm 6e-5 a check), temperatures that move."""

from __future__ import annotations

import numpy as np

import thermoc as tc


def on_brian2(net: tc.Network, **how) -> tc.Run:
    return tc.compile(net, "brian2", codegen="numpy").run(**how)


def test_ou_memory_variance_and_autocorrelation():
    """Variance T and correlation exp(-gamma dt k), exact for any dt (P25); 4000 independent units."""
    with tc.Network("ou", dt=0.3) as net:
        tc.output("m", tc.memory(tc.input("x", (4000,)), T=0.7, gamma=1.5))
    m = on_brian2(net, inputs={"x": np.zeros((1, 4000))}, ticks=40, seed=3)["m"][:, 0]
    assert abs(m[-1].var() - 0.7) < 4 * 0.7 * np.sqrt(2 / 4000)
    for lag in (1, 3):
        exact = np.exp(-1.5 * 0.3 * lag)
        product = m[-1] * m[-1 - lag]
        assert abs(product.mean() - 0.7 * exact) < 4 * product.std() / np.sqrt(4000)


def test_brownian_unit_in_a_spring_is_at_equipartition():
    """<k x^2> = T (P29, P47), with stiffness as an equation and as a force of the network."""
    with tc.Network("well", dt=0.2) as net:
        still = tc.input("x", (3000,))
        tc.output("x", tc.brownian(still, 0.8, mobility=0.5, stiffness=2.0))
    x = on_brian2(net, inputs={"x": np.zeros((1, 3000))}, ticks=30, seed=4)["x"][-1, 0]
    energy = 2.0 * x**2
    assert abs(energy.mean() - 0.8) < 4 * energy.std() / np.sqrt(3000)


def test_a_boltzmann_machine_of_ten_units(shared):
    """Gibbs sweeps by colour phases against the exact means."""
    data = np.load(shared / "device-reference/v_analytic/pbit_boltzmann10.npz")
    with tc.Network("machine") as net:
        tc.output("s", tc.gibbs(1 / float(data["beta"]), data["J"], data["h"], levels="spin"))
    s = on_brian2(net, ticks=120, batch=150, seed=5)["s"][20:]
    means = s.mean(0)
    z = (means.mean(0) - data["mean"]) / (means.std(0, ddof=1) / np.sqrt(len(means)))
    assert (np.abs(z) < 4).all()


def test_a_heat_network_of_two_layers_fluctuates_as_it_should():
    """<dT^2> = k_B T0^2 / C of each node (P27), two layers of nodes between reservoirs of one temperature."""
    C = np.array([1.0, 2.0, 0.5, 1.0, 3.0])
    G = np.zeros((5, 5))
    G[:3, 3:] = 0.4
    G += G.T
    with tc.Network("heat", dt=0.5) as net:
        T, _, _ = tc.heat_network(0.0, C, G, 2.0, ambient=np.array([0.6, 0, 0, 0, 0.3]), T_ambient=2.0, k_B=1e-6)
        tc.output("T", T)
    assert "dheat_network_T/dt = " in tc.compile(net, "brian2").artefact.text
    T = on_brian2(net, ticks=80, batch=800, seed=6)["T"][-1]
    square = (T - 2.0) ** 2
    assert (np.abs(square.mean(0) - 1e-6 * 4 / C) < 4 * square.std(0) / np.sqrt(800)).all()


def test_temperature_moves_the_units_while_they_run():
    """p-bits follow P6 at the temperature of each tick: a schedule, and a heat network in the same simulation."""
    with tc.Network("cooling") as net:
        falling = tc.schedule(kind="exponential", T0=4.0, parameter=6.0, T_min=0.2)
        heated, _, _ = tc.heat_network(np.array([0.5]), 2.0, np.zeros((1, 1)), 1.0, ambient=0.1, T_ambient=1.0)
        drive = tc.input("x", (2000,))
        tc.output("cold", tc.sample_binary(drive, T=falling))
        tc.output("hot", tc.sample_binary(drive, T=heated))
    run = on_brian2(net, inputs={"x": np.ones((1, 2000))}, ticks=20, seed=7)
    ticks = np.arange(20)
    falling = np.maximum(4 * np.exp(-ticks / 6), 0.2)
    heated = 1 + 5 * (1 - np.exp(-0.05 * ticks))
    for name, T in {"cold": falling, "hot": heated}.items():
        p = 1 / (1 + np.exp(-1 / T))
        assert (np.abs(run[name].mean((1, 2)) - p) < 4 * np.sqrt(p * (1 - p) / 2000)).all(), name
