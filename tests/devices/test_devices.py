"""Device models against their oracles: NbO2, VO2, and the shapes that the others must show."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq

from thermoc.simulator.devices import load, names, simulate
from thermoc.simulator.devices.lattice import lattice
from thermoc.simulator.devices.models import nbo2
from thermoc.support.errors import ThermocError


def crossings(t, x, level):
    """Times at which x rises through a level."""
    spline = CubicSpline(t, x - level)
    return np.array([root for root in spline.roots(extrapolate=False) if spline(root, 1) > 0])


def static(values, i, T_amb=300.0):
    """(v, T) of the memristor at rest at current i: the voltage whose own heat lets that current flow."""
    R, p = values["heat.resistance"], load("nbo2").record()
    rest = lambda v: nbo2.current(v, T_amb + R * v * i, p) - i  # noqa: E731
    top = 0.05
    while rest(top) < 0:
        top *= 1.1
    v = brentq(rest, 0, top, xtol=1e-15, rtol=1e-15)
    return v, T_amb + R * v * i


def test_nbo2_current_sweep_and_threshold(shared):
    sweep = np.loadtxt(shared / "device-reference/ii_mott/mott_dc.csv", delimiter=",", skiprows=1)
    values = load("nbo2").quantities
    found = np.array([static(values, i) for i in sweep[:, 0]])
    assert (np.abs(found - sweep[:, 3:5]).max(axis=0) < [1e-10, 1e-7]).all()
    at = found[:, 0].argmax()
    assert found[at, 0] == pytest.approx(0.868065, abs=1e-6) and sweep[at, 0] == 62e-6


def test_nbo2_pearson_anson(shared):
    reference = np.loadtxt(shared / "device-reference/ii_mott/mott_pearson_anson.csv", delimiter=",", skiprows=1)
    device = load("nbo2", circuit_load=6e3, circuit_capacitance=1e-12)
    trace = simulate(device, 1.6, reference[:, 0], tolerance=1e-9)
    assert np.abs(trace.node[:, 0] - reference[:, 3]).max() < 1e-8
    assert np.abs(trace.T[:, 0] - reference[:, 4]).max() < 1e-5
    assert np.abs(trace.voltage[:, 0] - reference[:, 5]).max() < 1e-8
    starts = crossings(trace.t, trace.node[:, 0], 0.87)
    assert 1 / np.diff(starts[starts > 20e-9]).mean() == pytest.approx(237.909e6, rel=1e-5)


def test_the_error_follows_the_tolerance():
    device = load("nbo2", circuit_load=6e3, circuit_capacitance=1e-12)
    fine = simulate(device, 1.6, [0, 30e-9], tolerance=1e-12)
    errors = []
    for tolerance in (1e-5, 1e-7, 1e-9):
        found = simulate(device, 1.6, [0, 30e-9], tolerance=tolerance)
        errors.append(abs(found.node[-1, 0] - fine.node[-1, 0]))
        assert found.steps < fine.steps
    assert errors[0] < 1e-2 and errors[1] < 1e-4 and errors[2] < 1e-6
    assert errors[0] > errors[1] > errors[2]


def test_fixed_steps_have_their_order():
    """Halving dt divides the error by 2 (Euler) and by 4 (midpoint)."""
    device = load("nbo2", circuit_load=6e3, circuit_capacitance=1e-12)
    exact = simulate(device, 1.6, [0, 1e-9], tolerance=1e-12).node[-1, 0]
    for method, ratio in (("euler", 2.0), ("midpoint", 4.0)):
        coarse, fine = (
            abs(simulate(device, 1.6, [0, 1e-9], method=method, dt=dt).node[-1, 0] - exact) for dt in (4e-12, 2e-12)
        )
        assert coarse / fine == pytest.approx(ratio, rel=0.1)


@pytest.mark.parametrize(("volts", "spikes"), [("9", False), ("9.96", False), ("12", True)])
def test_vo2_as_its_authors_step_it(shared, volts, spikes):
    path = shared / f"device-reference/vi_thermal_neuristor/single_V{volts}_dt1ns.csv"
    reference = np.loadtxt(path, delimiter=",", skiprows=1)
    t = np.append(0, reference[:, 0] * 1e-9)
    trace = simulate(load("vo2"), float(volts), t, method="euler", dt=1e-9)
    assert np.abs(trace.node[1:, 0] - reference[:, 1]).max() < 1e-9
    assert np.abs(trace.T[1:, 0] - reference[:, 2]).max() < 1e-7
    starts = crossings(t, trace.T[:, 0], 335.0)
    assert (len(starts) > 2) == spikes
    if spikes:
        assert np.diff(starts[2:]).mean() == pytest.approx(3.040e-6, abs=10e-9)


def test_vo2_reversals_are_found_where_they_are():
    """Free steps agree with each other, and with Euler's where those are short and look at every millionth of a kelvin."""
    t = np.linspace(0, 20e-6, 20001)
    periods = []
    for kwargs in ({"tolerance": 1e-7}, {"tolerance": 1e-9}, {"method": "euler", "dt": 0.05e-9}):
        trace = simulate(load("vo2", reversal_step=1e-6 if "dt" in kwargs else 0.01), 12.0, t, **kwargs)
        periods.append(np.diff(crossings(t, trace.T[:, 0], 335.0)[1:]).mean())
    assert periods[0] == pytest.approx(periods[1], rel=1e-5)
    assert periods[2] == pytest.approx(periods[1], rel=1e-4)


def test_free_steps_end_where_vo2_reverses():
    """Reversals missed by a step of their own would show as 0.02 K and more at these tolerances."""
    fine = simulate(load("vo2"), 12.0, [0, 20e-6], tolerance=1e-10).T[-1, 0]
    for tolerance, bound in ((1e-5, 1e-3), (1e-7, 5e-5)):
        assert abs(simulate(load("vo2"), 12.0, [0, 20e-6], tolerance=tolerance).T[-1, 0] - fine) < bound


@pytest.mark.slow
def test_a_lattice_of_neuristors(shared):
    stored = np.load(shared / "device-reference/vi_thermal_neuristor/array8x8_V9.96_c0.02_dt10ns.npz")
    node, T = stored["y0"][0]
    t = np.append(0, stored["t_ns"] * 1e-9)
    trace = lattice(load("vo2"), 9.96, t, shape=(8, 8), coupling=0.02, dt=1e-8, node=node, T=T)
    assert np.abs(trace.node[1:, 0] - stored["V"]).max() < 1e-6  # the stored values are float32
    assert np.abs(trace.T[1:, 0] - stored["T"]).max() < 5e-5
    assert np.abs(trace.current[1:, 0] * 1e3 - stored["I"]).max() < 1e-6
    gap = np.abs(trace.work - trace.heat - trace.stored).max()
    assert gap < 0.02 * trace.work[-1, 0]  # Euler's order 1 in dt
    finer = lattice(load("vo2"), 9.96, t[:101], shape=(8, 8), coupling=0.02, dt=1e-9, node=node, T=T)
    rough = np.abs(trace.work - trace.heat - trace.stored)[:101].max()
    assert np.abs(finer.work - finer.heat - finer.stored).max() == pytest.approx(rough / 10, rel=0.1)


def test_one_node_of_a_lattice_is_one_device():
    t = np.linspace(0, 5e-6, 501)
    alone = simulate(load("vo2"), 12.0, t, method="euler", dt=1e-9)
    both = lattice(load("vo2"), 12.0, t, shape=(2,), coupling=0.0, dt=1e-9)
    np.testing.assert_allclose(both.T[:, 0], np.repeat(alone.T, 2, axis=1), rtol=1e-10)
    np.testing.assert_allclose(both.node[:, 0, 1], alone.node[:, 0], rtol=1e-8, atol=1e-12)


def test_stanford_sets_and_resets():
    t = np.linspace(0, 400e-9, 401)
    u = np.select([t < 100e-9, t < 200e-9, t < 350e-9], [2.6, 0.1, -2.4], 0.1)[:, np.newaxis]
    trace = simulate(load("stanford"), u, t)
    ohms = 0.1 / trace.current[[150, 390], 0]
    assert trace.state[150, 0] == pytest.approx(0.1e-9, rel=1e-2) and trace.state[390, 0] == pytest.approx(
        1.7e-9, rel=1e-2
    )
    assert ohms[0] < 2e4 and ohms[1] > 1e6 and trace.T.max() > 1000


def test_jart_loops_the_way_it_was_published():
    t = np.linspace(0, 6, 601)
    u = np.interp(t, [0, 1.5, 3, 4.5, 6], [0, -1.3, 0, 1.5, 0])[:, np.newaxis]
    trace = simulate(load("jart"), u, t, tolerance=1e-6)
    N = trace.state[:, 0]
    jump = u[np.flatnonzero(N > 1e27)[0], 0]
    assert -0.9 < jump < -0.4  # abrupt set
    assert N[300] == pytest.approx(20e26, rel=1e-3) and N[-1] == pytest.approx(0.008e26, rel=1e-2)
    i, T = trace.current[:, 0], trace.T[:, 0]
    assert (np.abs(i[350]) > 10 * np.abs(i[550])) and T[0] == 293.0
    assert (T >= 293.0 - 1e-9).all()


def test_pickett_switches_above_a_threshold_and_holds_its_enthalpy():
    t = np.linspace(0, 20e-9, 201)
    low, high = (simulate(load("pickett"), volts, t, tolerance=1e-9) for volts in (1.0, 2.5))
    assert low.state[-1, 0] < 0.01 and high.state[-1, 0] > 0.5
    power = high.voltage[-1, 0] * high.current[-1, 0]
    leak = 2 * np.pi * 20e-9 * 1.5 * 780 / np.log(1 / high.state[-1, 0])
    assert power == pytest.approx(leak, rel=1e-6)  # at rest the core's power leaves through the shell
    assert high.imbalance[0] < 1e-7 * high.work[-1, 0]


def test_pickett_moves_as_published():
    """(dH/du) du/dt = v^2 / R - G D with the paper's numbers, R = 2 kohm before it: Radau on the enthalpy's quotient."""
    area, length, rise = np.pi * 30e-9**2, 20e-9, 1080 - 300

    def enthalpy(u):
        return area * length * (2.6e6 * rise * (1 - u**2) / (2 * np.log(1 / u)) + 1.6e8 * u**2)

    def rate(t, u):
        R = 1e-2 * length / area / (1 + (1e-2 / 3e-4 - 1) * u**2)
        net = 2.5**2 * R / (R + 2e3) ** 2 - 2 * np.pi * length * 1.5 * rise / np.log(1 / u)
        return net / ((enthalpy(u + 1e-5) - enthalpy(u - 1e-5)) / 2e-5)

    t = np.linspace(0, 2e-9, 9)
    exact = solve_ivp(rate, (0, t[-1]), [0.1], method="Radau", t_eval=t, rtol=1e-9, atol=1e-12).y[0]
    found = simulate(load("pickett", start_state=0.1), 2.5, t, tolerance=1e-9).state[:, 0]
    assert exact[-1] - exact[0] > 0.1
    np.testing.assert_allclose(found, exact, rtol=1e-6)


def test_vteam_moves_only_beyond_its_thresholds():
    t = np.array([0, 1e-9, 2e-9])
    still = simulate(load("vteam"), [0.01], t)
    assert (still.state == 1.5e-9).all()
    t = np.linspace(0, 1e-10, 5)
    moving = simulate(load("vteam"), 0.12, t, tolerance=1e-10)
    np.testing.assert_allclose(moving.state[:, 0], 1.5e-9 + 5e-4 * (0.12 / 0.02 - 1) * t, rtol=1e-9)
    back = simulate(load("vteam"), -0.3, t, tolerance=1e-10)
    np.testing.assert_allclose(back.state[:, 0], 1.5e-9 - 10 * (0.3 / 0.2 - 1) ** 3 * t, rtol=1e-9)
    np.testing.assert_allclose(back.current[:, 0], -0.3 / (50 + 950 * back.state[:, 0] / 3e-9), rtol=1e-9)


def test_devices_that_differ_run_as_each_alone():
    loads = np.array([5e3, 6e3, 7e3])
    t = np.linspace(0, 10e-9, 11)
    together = simulate(load("nbo2", circuit_load=loads, circuit_capacitance=1e-12), 1.6, t)
    for k, value in enumerate(loads):
        alone = simulate(load("nbo2", circuit_load=value, circuit_capacitance=1e-12), 1.6, t)
        assert (together.node[:, k] == alone.node[:, 0]).all()
    warm = simulate(load("rc"), 0.1, [0, 1e-8], n=2, ambient=[300.0, 350.0])
    np.testing.assert_allclose(warm.T[-1] - [300, 350], 1.4e6 * 1e-5, rtol=1e-6)


def test_every_device_has_a_page_of_data():
    for name in names():
        rows = load(name).quantities.rows()
        assert all(row["source"] and row["sure"] in "SRO" for row in rows)


def runaway():
    return simulate(load("nbo2", circuit_inner=0.0), 3.0, [0, 1e-9, 1e-6], n=3)


@pytest.mark.parametrize(
    ("call", "code", "says"),
    [
        (lambda: load("nbo"), "T404", "did you mean 'nbo2'?"),
        (lambda: load("nbo2", circuit_laod=1.0), "T404", "did you mean 'circuit_load'?"),
        (lambda: load("nbo2", area=np.nan), "T405", "no number"),
        (lambda: load("nbo2", circuit_capacitance=1e-12), "T405", "without a load"),
        (lambda: load("nbo2", area=[1e-14, 2e-14], thickness=[1e-8] * 3), "T402", "differ in number"),
        (lambda: simulate(load("rc"), 0.1, [0, 1e-9, 1e-9]), "T403", "rise"),
        (lambda: simulate(load("rc"), 0.1, []), "T403", "rise"),
        (lambda: load("nbo2", heat_capacity=-1e-15), "T405", "at least 0"),
        (lambda: simulate(load("rc"), np.nan, [0, 1e-9]), "T403", "not finite"),
        (lambda: simulate(load("rc"), np.zeros((3, 2)), [0, 1e-9]), "T402", "n_t = 2"),
        (lambda: simulate(load("rc"), [0.1, 0.2], [0, 1e-9]), "T402", "2 times or for 2 devices"),
        (lambda: simulate(load("rc"), 0.1, [0, 1e-9], method="rk4"), "T404", "sdirk"),
        (lambda: simulate(load("rc"), 0.1, [0, 1e-9], noise=True), "T404", "midpoint"),
        (lambda: simulate(load("rc"), 0.1, [0, 1e-9], method="euler"), "T404", "dt"),
        (lambda: lattice(load("rc"), 1.0, [0, 1e-9], shape=(2, 2), coupling=0.1, dt=1e-9), "T404", "vo2"),
        (lambda: lattice(load("vo2"), 1.0, [0, 1e-9], shape=(2, 2), coupling=0.3, dt=1e-9), "T405", "0.25"),
        (
            lambda: simulate(load("jart"), 0.1, [0, 1e-9], method="midpoint", dt=1e-10, noise=True),
            "T404",
            "equilibrium",
        ),
    ],
)
def test_bad_input(call, code, says):
    with pytest.raises(ThermocError) as caught:
        call()
    assert caught.value.code == code and says in str(caught.value)


@pytest.mark.slow
def test_a_runaway_is_reported_with_time_place_and_current():
    with pytest.raises(ThermocError) as caught:
        runaway()
    text = str(caught.value)
    assert caught.value.code == "T410"
    assert "device 0" in text and "t = " in text and "current" in text and " A at " in text and "nan" not in text


@pytest.mark.parametrize(
    ("method", "code", "says"), [("midpoint", "T411", "smaller dt"), ("euler", "T410", "smaller dt")]
)
def test_too_long_a_step_is_reported(method, code, says):
    device = load("nbo2", circuit_load=6e3, circuit_capacitance=1e-12)
    with pytest.raises(ThermocError) as caught:
        simulate(device, 1.6, [0, 60e-9], method=method, dt=1e-9)
    text = str(caught.value)
    assert caught.value.code == code and says in text and "t = " in text and "current" in text and "nan" not in text


def test_a_lattice_that_runs_away_says_which_node():
    drive = np.array([1.0, 1e4])
    with pytest.raises(ThermocError) as caught:
        lattice(load("vo2"), drive, [0, 1e-5], shape=(2,), coupling=0.0, dt=1e-9)
    assert caught.value.code == "T410" and "node 1" in str(caught.value) and "nan" not in str(caught.value)
