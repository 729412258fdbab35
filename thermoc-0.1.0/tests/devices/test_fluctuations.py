"""Fluctuations at rest (P27, P28), the energy of closed systems, and what explicit steps do to both.

Each variance is the mean over independent devices; bounds are 4 standard errors from the spread between them, a
false alarm in 16,000 each.
"""

import numpy as np
import pytest

from thermoc.simulator.devices import load, simulate, starting
from thermoc.simulator.devices.lattice import lattice
from thermoc.support import philox
from thermoc.support.units import K_B

CAPACITOR = {"circuit_load": 1e4, "circuit_capacitance": 1e-13}


def within(found, expected):
    """Whether the mean over devices (their second axis) of a time average lies within 4 standard errors."""
    own = found.mean(axis=0)
    return abs(own.mean() - expected) < 4 * own.std(ddof=1) / np.sqrt(len(own))


def settled(device, tau, dt, *, n=400, looks=40, method="midpoint", seed=1):
    """A trace at times tau apart, after ten of them."""
    t = np.append(0.0, 10 * tau + tau * np.arange(looks))
    return simulate(device, 0.0, t, n=n, method=method, dt=dt, noise=True, seed=seed)


@pytest.mark.parametrize(("name", "tau"), [("rc", 1.4e-10), ("nbo2", 1.4e-10), ("vo2", 2.42e-7), ("stanford", 2.3e-10)])
@pytest.mark.parametrize("part", [0.2, 3.0])
def test_temperature_fluctuates_by_k_T2_over_C_at_any_step(name, tau, part):
    """P27: <dT^2> = k_B T^2 / C for every device with a temperature of its own."""
    device = load(name)
    T = device.ambient[0]
    trace = settled(device, tau, part * tau)
    assert within((trace.T[1:] - T) ** 2, K_B * T**2 / device.circuit[0, 4])
    assert within(trace.T[1:], T)


@pytest.mark.parametrize("name", ["ou_cell", "nbo2", "vo2", "stanford", "pickett", "vteam", "rc"])
def test_a_node_fluctuates_by_k_T_over_C(name):
    """P28: <v^2> = k_B T / C on a capacitor between a load and any device, all at one temperature."""
    device = load(name, **CAPACITOR)
    tau = 1e-9
    trace = settled(device, tau, 0.1 * tau, looks=30)
    assert within(trace.node[1:] ** 2, K_B * device.ambient[0] / 1e-13)


def test_noise_of_the_reference_capacitors_and_bodies(shared):
    for C, T, rms in np.loadtxt(shared / "device-reference/v_analytic/kTC_noise.csv", delimiter=",", comments="#"):
        device = load("ou_cell", circuit_capacitance=C, heat_ambient=T)
        tau = C / 2e-6
        assert within(settled(device, tau, tau).node[1:] ** 2, rms**2)
    for C, T, rms in np.loadtxt(
        shared / "device-reference/v_analytic/thermal_fluctuation.csv", delimiter=",", comments="#"
    ):
        device = load("rc", heat_capacity=C, heat_ambient=T)
        assert within((settled(device, 1.4e6 * C, 1.4e6 * C).T[1:] - T) ** 2, rms**2)


def test_euler_is_off_by_what_theory_says(shared):
    """Euler-Maruyama's stationary variance is too large by 1 / (1 - gamma dt / 2)."""
    rows = np.loadtxt(shared / "device-reference/v_analytic/ou.csv", delimiter=",", comments="#")
    dt_gamma, exact, euler = rows[np.isclose(rows[:, 0], 0.1), :3][0]
    device = load("ou_cell")
    tau = 1e-15 / 2e-6
    found = settled(device, tau, dt_gamma * tau, n=1000, looks=60, method="euler").node[1:] ** 2
    assert within(found, K_B * 300 / 1e-15 * euler / exact)
    assert not within(found, K_B * 300 / 1e-15)


def test_neighbours_in_a_lattice_fluctuate_together_as_they_must():
    """<dT_i dT_j> = k_B T^2 / C delta_ij once settled, whatever the coupling (Euler's own bias is below its error bar)."""
    device = load("vo2")
    tau, C, T = 2.42e-7, device.circuit[0, 4], 325.0
    t = np.append(0.0, 8 * tau + tau * np.arange(20))
    trace = lattice(device, 0.0, t, shape=(2, 2), coupling=0.2, dt=tau / 400, samples=100, noise=True, seed=5)
    d = (trace.T[1:] - T) / np.sqrt(K_B * T**2 / C)
    assert within((d**2).mean(axis=-1), 1.0)
    assert within(d[..., 0] * d[..., 1], 0.0) and within(d[..., 0] * d[..., 2], 0.0)
    assert within((trace.node[1:] ** 2).mean(axis=-1), K_B * T / 145.34619293e-12)


def test_noise_between_neighbours_takes_from_one_what_it_gives_the_other():
    """A lattice cut off from its base: bodies exchange 1e-14 J, all of them together what capacitors hold, some 1e-20 J."""
    device = load("vo2")
    t = np.linspace(0, 1e-6, 11)
    trace = lattice(device, 0.0, t, shape=(3, 3), coupling=0.25, dt=1e-9, samples=4, noise=True, seed=2)
    each = device.circuit[0, 4] * (trace.T - 325.0)
    assert np.abs(each[-1]).mean() > 1e-15
    assert np.abs(each.sum(axis=-1)).max() < 2e-19


def test_heat_from_a_capacitor_stays_in_a_closed_box():
    """10^6 noisy steps of a capacitor and the body it heats: nothing enters or leaves, to 1e-10 of what was exchanged."""
    device = load("rc", circuit_load=np.inf, circuit_capacitance=1e-12, heat_resistance=np.inf, heat_capacity=1e-15)
    device = starting(device, node=1.0)
    trace = simulate(device, 0.0, np.linspace(0, 1e-6, 11), method="midpoint", dt=1e-12, noise=True, seed=3)
    assert trace.steps == 1_000_000
    charge = 0.5e-12 * (trace.node[:, 0] ** 2 - 1.0)
    heat = 1e-15 * (trace.T[:, 0] - trace.T[0, 0])
    assert (trace.work == 0).all() and (trace.heat == 0).all()
    assert np.abs(charge + heat).max() < 1e-10 * 0.5e-12
    assert trace.T[-1, 0] == pytest.approx(300 + 500, rel=1e-3)


def test_a_spiking_device_keeps_its_books():
    """10^6 noisy steps of a neuristor: energy in, less heat out by flux, is what is stored."""
    trace = simulate(load("vo2"), 12.0, np.linspace(0, 1e-3, 101), method="midpoint", dt=1e-9, noise=True, seed=4)
    assert trace.steps == 1_000_000
    assert trace.imbalance[0] < 1e-10 * trace.work[-1, 0]
    assert trace.work[-1, 0] > 1e-6 and (np.diff(trace.heat[:, 0]) > 0).all()


@pytest.mark.parametrize("name", ["rc", "nbo2", "stanford", "jart", "vteam"])
def test_free_steps_close_the_books_of_devices_without_a_capacitor(name):
    trace = simulate(load(name), [0.3, 0.8], np.linspace(0, 2e-9, 21))
    assert (trace.imbalance < 1e-10 * trace.work[-1]).all() and (trace.work[-1] > 0).all()


def test_a_step_of_power(shared):
    exact = np.loadtxt(shared / "device-reference/v_analytic/rc_step.csv", delimiter=",", comments="#")
    trace = simulate(load("rc"), np.sqrt(70e-6 / 1e-3), exact[:, 0], tolerance=1e-10)
    np.testing.assert_allclose(trace.T[:, 0], exact[:, 1], rtol=1e-9)


def test_noise_is_the_function_that_every_target_has():
    """One Euler step of a fluctuating capacitor from the words themselves; devices split between calls draw the same."""
    device, dt = load("ou_cell", circuit_load=np.inf), 1e-12
    t = np.array([0, dt, 2 * dt])
    trace = simulate(device, 0.0, t, n=4, method="euler", dt=dt, noise=True, seed=9, stream=3)
    block = philox.words(np.arange(4), tick=0, draw=2, stream=3, seed=9)
    z = philox.normal(block, np.dtype(np.float64))
    np.testing.assert_allclose(trace.node[1], -np.sqrt(2 * K_B * 300 * 1e-6 * dt) / 1e-15 * z, rtol=1e-12)
    later = simulate(device, 0.0, t, n=2, method="euler", dt=dt, noise=True, seed=9, stream=3, first=2)
    assert (later.node == trace.node[:, 2:]).all()
