"""Warnings that name the wrong number and the cure."""

import numpy as np
import pytest

import thermoc as tc
from thermoc import physics

RING = np.roll(np.eye(6), 1, 0) + np.roll(np.eye(6), -1, 0)


def found(make):
    with tc.Network("lint", dt=0.5) as net:
        make()
    return [(warning.code, str(warning)) for warning in tc.lint(net)]


def euler(tau):
    tc.output("y", tc.li(1.0, tau, method="euler"))


def current(tau_syn, method):
    tc.output("y", tc.cuba_li(1.0, tau_syn, 1.0, method=method)[0])


def spring(k, **more):
    x = tc.placeholder((2,))
    y = tc.brownian(-k * x, 1.0, **more)
    tc.connect(x, y)
    tc.output("y", y)


def inertial(k):
    f = tc.placeholder((2,))
    x, _ = tc.langevin(f, 1.0)
    tc.connect(f, -k * x)
    tc.output("y", x)


def cold(T):
    tc.output("s", tc.gibbs(T, RING))


def asymmetric(gap):
    J = RING.copy()
    J[2, 3] += gap
    tc.output("s", tc.gibbs(1.0, J))


@pytest.mark.parametrize(
    ("good", "bad", "code", "fact"),
    [
        (lambda: cold(0.2), lambda: cold(1e-3), "W101", "T = 0.001"),
        (lambda: asymmetric(0.0), lambda: asymmetric(0.25), "W102", "J[2, 3] = 1.25"),
        (lambda: euler(1.0), lambda: euler(0.2), "W103", "dt / tau = 2.5"),
        (lambda: current(0.2, "exact"), lambda: current(0.2, "euler"), "W103", "dt / tau_syn = 2.5"),
        (lambda: current(0.5, "semi_implicit"), lambda: current(0.4, "semi_implicit"), "W103", "dt / tau_syn = 1.25"),
        (lambda: spring(3.9), lambda: spring(4.1), "W103", "mobility k dt = 2.05"),
        (lambda: spring(3.9), lambda: spring(4.1, initial=1.0), "W103", "dt < 0.488"),
        (lambda: inertial(15.0), lambda: inertial(17.0), "W103", "k dt^2 / m = 4.25"),
    ],
)
def test_each_warning_has_its_limit(good, bad, code, fact):
    assert found(good) == []
    [(seen, text)] = found(bad)
    assert seen == code and fact in text and "hint" in text


@pytest.mark.parametrize("levels", ["spin", "binary"])
def test_the_cost_of_flipping_is_that_of_the_energy(levels):
    """Two units and one coupling: what the warning names is E of one flip from the ground state (P12)."""
    J = np.array([[0.0, 3.0], [3.0, 0.0]])
    low = -1.0 if levels == "spin" else 0.0
    cost = physics.ising_energy(np.array([1.0, low]), J) - physics.ising_energy(np.ones(2), J)
    [(code, text)] = found(lambda: tc.output("s", tc.gibbs(1e-3, J, levels=levels)))
    assert code == "W101" and f"costs {cost:.4g}:" in text


def test_forces_with_noise_or_inputs_are_left_alone():
    def driven():
        tc.output("y", tc.brownian(tc.input("f", (2,)), 1.0))

    assert found(driven) == []


def test_compiling_carries_the_warnings():
    with tc.Network("cold") as net:
        cold(1e-3)
    exe = tc.compile(net, "sim")
    assert [warning.code for warning in exe.warnings] == ["W101"]
    assert "W101" in str(exe.report())
