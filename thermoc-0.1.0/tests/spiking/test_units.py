"""Spiking units against loops and closed forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import thermoc as tc
from thermoc import physics
from thermoc.ir.feed import feed
from thermoc.ir.reference import interpret

RNG = np.random.default_rng(5)


def run(build: Any, x: np.ndarray, *, dt: float = 0.1) -> np.ndarray:
    """Results of a unit, (ticks, results), for one input a tick."""
    with tc.Network("n", dt=dt) as net:
        made = build(tc.input("x", (1,)))
        tc.output("y", tc.concat(made) if isinstance(made, tuple) else made)
    return interpret(net.graph, feed(net.graph, {"x": x.reshape(-1, 1, 1)})).outputs["y"][:, 0]


def fine(x: np.ndarray, tau_syn: float, tau_mem: float, *, dt: float, steps: int = 4000) -> np.ndarray:
    """Return (v, i) after each tick from Runge-Kutta steps of fourth order; w_in 1.5, r 2, v_leak 0.2."""
    state, found = np.array([0.3, -0.4]), []

    def slope(y: np.ndarray, drive: float) -> np.ndarray:
        return np.array([(0.2 - y[0] + 2.0 * y[1]) / tau_mem, (-y[1] + 1.5 * drive) / tau_syn])

    h = dt / steps
    for drive in x:
        for _ in range(steps):
            a = slope(state, drive)
            b = slope(state + h / 2 * a, drive)
            c = slope(state + h / 2 * b, drive)
            state = state + h / 6 * (a + 2 * b + 2 * c + slope(state + h * c, drive))
        found.append(state)
    return np.array(found)


def current(method: str, tau_syn: float, tau_mem: float, x: np.ndarray, *, dt: float) -> np.ndarray:
    return run(
        lambda u: tc.cuba_li(u, tau_syn, tau_mem, 1.5, 2.0, 0.2, initial=0.3, i_initial=-0.4, method=method), x, dt=dt
    )


@pytest.mark.parametrize(("tau_syn", "tau_mem"), [(0.05, 0.2), (0.3, 0.1), (0.2, 0.2), (0.2, 0.2 + 1e-9)])
def test_the_exact_step_is_the_solution_of_both_equations(tau_syn: float, tau_mem: float):
    x = RNG.normal(size=4)
    np.testing.assert_allclose(
        current("exact", tau_syn, tau_mem, x, dt=0.1), fine(x, tau_syn, tau_mem, dt=0.1, steps=400), rtol=0, atol=1e-10
    )


def test_exact_steps_compose():
    """Two ticks of dt are one of 2 dt, whatever the time constants."""
    x = RNG.normal(size=5)
    halves = current("exact", 0.07, 0.3, np.repeat(x, 2), dt=0.1)
    np.testing.assert_allclose(halves[1::2], current("exact", 0.07, 0.3, x, dt=0.2), rtol=1e-13)


@pytest.mark.parametrize("method", ["euler", "semi_implicit", "exponential"])
def test_other_methods_are_of_order_one(method: str):
    """Halving dt halves the error against the exact course."""
    errors = []
    for steps in (200, 400):
        dt, x = 1.0 / steps, np.ones(steps)
        errors.append(np.abs(current(method, 0.3, 0.2, x, dt=dt) - current("exact", 0.3, 0.2, x, dt=dt))[:, 0].max())
    assert 1.9 < errors[0] / errors[1] < 2.1


@pytest.mark.parametrize("method", ["euler", "semi_implicit", "exponential"])
@pytest.mark.parametrize("reset", ["zero", "subtract", "value"])
def test_cuba_lif_is_its_loop(method: str, reset: str):
    x, v, i, dt, tau_syn, tau_mem = RNG.normal(size=80) + 1.0, 0.1, 0.0, 0.1, 0.3, 0.5
    options: dict[str, Any] = {"w_in": 2.0, "r": 1.5, "v_leak": 0.1, "v_threshold": 0.9, "v_reset": -0.2}
    found = run(lambda u: tc.cuba_lif(u, tau_syn, tau_mem, initial=0.1, reset=reset, method=method, **options), x)
    a, b = np.exp(-dt / tau_mem), np.exp(-dt / tau_syn)
    for tick, drive in enumerate(x):
        before = i
        i = (
            2 * drive + (i - 2 * drive) * b
            if method == "exponential"
            else i + dt / tau_syn * (-i + 2 * drive)
        )  # fmt: skip
        target = 0.1 + 1.5 * (i if method == "semi_implicit" else before)
        v = target + (v - target) * a if method == "exponential" else v + dt / tau_mem * (target - v)
        spike = v > 0.9
        v = {"zero": 0.0, "subtract": v - 0.9, "value": -0.2}[reset] if spike else v
        np.testing.assert_allclose(found[tick], [spike, v, i], rtol=1e-11, atol=1e-13)
    assert 3 < found[:, 0].sum() < 70


def test_semi_implicit_is_what_snntorch_and_loihi_do():
    """syn = alpha syn + x, mem = beta mem + syn, with w_in = tau_syn / dt and r = tau_mem / dt."""
    x, alpha, beta, dt, syn, mem = RNG.random(30), 0.7, 0.9, 1e-3, 0.0, 0.0
    tau_syn, tau_mem = dt / (1 - alpha), dt / (1 - beta)
    found = run(lambda u: tc.cuba_li(u, tau_syn, tau_mem, tau_syn / dt, tau_mem / dt, method="semi_implicit"), x, dt=dt)
    for tick, drive in enumerate(x):
        syn = alpha * syn + drive
        mem = beta * mem + syn
        np.testing.assert_allclose(found[tick], [mem, syn], rtol=1e-12)


@pytest.mark.parametrize("tau", [1e-3, 1.0, 1e9])
@pytest.mark.parametrize("ratio", [1e-12, 0.5, 1.0, 1 + 1e-12, 1 + 1e-6, 3.0, 1e12])
def test_the_chained_gain_has_no_bad_place(tau: float, ratio: float):
    """Against the mean of its integrand, e^-(u + (s - u) p) over p in [0, 1], times u: no difference of close numbers."""
    u, s = 0.1 / tau, 0.1 / (tau * ratio)
    p, weight = np.polynomial.legendre.leggauss(40)
    lowest, span = min(u, s), min(abs(u - s), 60.0)
    tail = span / abs(u - s) if u != s else 1.0
    exact = u * np.exp(-lowest) * tail * (weight * np.exp(-span * (p + 1) / 2)).sum() / 2
    assert float(physics.chained_gain(tau * ratio, tau, 0.1)) == pytest.approx(exact, rel=1e-10, abs=1e-300)


@pytest.mark.parametrize("unit", ["lif", "if", "cuba_lif"])
@pytest.mark.parametrize("reset", ["value", "subtract"])
@pytest.mark.parametrize("ticks", [1, 3])
def test_a_refractory_unit_keeps_its_reset_value(unit: str, reset: str, ticks: int):
    """Held for that many ticks after its spike; then as one that starts from there."""
    made = {"lif": lambda *a, **k: tc.lif(a[0], 0.5, **k), "if": tc.if_, "cuba_lif": tc.cuba_lif}
    more = {"cuba_lif": (0.3, 0.5)}.get(unit, ())
    x = np.full(60, 4.0)
    found = run(lambda u: made[unit](u, *more, v_threshold=0.8, v_reset=-0.1, reset=reset, refractory=0.1 * ticks), x)
    spikes = np.flatnonzero(found[:, 0])
    assert len(spikes) > 4
    for spike in spikes[spikes < 60 - ticks]:
        assert (found[spike : spike + ticks + 1, 1] == found[spike, 1]).all()
        assert not found[spike + 1 : spike + ticks + 1, 0].any()
    later = spikes[spikes < 59 - ticks] + ticks + 1
    assert (found[later, 1] != found[later - 1, 1]).all()
    if unit == "cuba_lif":
        free = run(lambda u: tc.cuba_li(u, 0.3, 0.5), x)
        np.testing.assert_allclose(found[:, 2], free[:, 1], rtol=1e-12)


def test_a_membrane_above_the_threshold_waits_to_spike_again():
    """Subtracting leaves 2.5 - 1 = 1.5 > 1: it spikes again only when it is free."""
    found = run(lambda u: tc.if_(u, 10.0, reset="subtract", refractory=0.2), np.array([4.5, 0, 0, 0, 0, 0, 0.0]))
    assert found[:, 0].tolist() == [1, 0, 0, 1, 0, 0, 1]
    assert found[:, 1].tolist() == [3.5, 3.5, 3.5, 2.5, 2.5, 2.5, 1.5]


@pytest.mark.parametrize("refractory", [0.25, 0.1000001, 1e-12])
def test_a_refractory_time_that_dt_does_not_divide_is_refused(refractory: float):
    with tc.Network("n", dt=0.1) as net:
        tc.output("s", tc.lif(tc.input("x", (1,)), 1.0, refractory=refractory)[0])
    for run_ in (lambda: tc.compile(net), lambda: interpret(net.graph, feed(net.graph, {"x": np.ones((1, 1, 1))}))):
        with pytest.raises(tc.ThermocError) as caught:
            run_()
        assert caught.value.code == "T204"
        assert str(refractory) in str(caught.value)


def test_a_refractory_time_is_a_time():
    with pytest.raises(tc.ThermocError) as caught, tc.Network("n"):
        tc.lif(tc.input("x", (1,)), 1.0, refractory=-1.0)
    assert caught.value.code == "T105"


def test_a_trace_decays_and_takes_the_whole_jump_of_its_tick():
    x = RNG.random(20)
    found, g = run(lambda u: tc.trace(u, 0.4, initial=2.0), x)[:, 0], 2.0
    for tick, jump in enumerate(x):
        g = g * np.exp(-0.1 / 0.4) + jump
        assert found[tick] == pytest.approx(g, rel=1e-14)


def test_scale_threshold_and_integrator_are_nirs():
    x = np.array([0.5, 1.0, 1.5, -2.0])
    assert run(lambda u: tc.threshold(u, 1.0), x).ravel().tolist() == [0, 0, 1, 0]
    assert run(lambda u: tc.threshold(u, 1.0, compare="greater_equal"), x).ravel().tolist() == [0, 1, 1, 0]
    assert run(lambda u: tc.scale(u, -2.0), x).ravel().tolist() == [-1, -2, -3, 4]
    np.testing.assert_allclose(run(lambda u: tc.i(u, 2.0, 1.0), x).ravel(), 1 + 0.2 * np.cumsum(x))
