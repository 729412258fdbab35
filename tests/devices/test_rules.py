"""Scalar rules: derivatives, limits, and the same numbers on CUDA (its simulator) as on the CPU."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest

from thermoc.simulator.devices import currents, load
from thermoc.simulator.devices.model import OperatingPoint
from thermoc.simulator.devices.models import jart, nbo2, pickett, stanford, vo2
from thermoc.simulator.kernels import scalar
from thermoc.support.errors import ThermocError

ON_CUDA = """
import numpy as np
from numba import cuda
from thermoc.simulator.devices import load, equations, pbit
from thermoc.simulator.devices.equations import circuit_of, domain_of
from thermoc.simulator.devices.model import OperatingPoint
from thermoc.simulator.devices.models import NUMBERS, nbo2, stanford
from thermoc.simulator.devices.records import Cell, DeviceDrive, DeviceProblem

current, gap_rate, on, rates = nbo2.current, stanford.gap_rate, pbit.on, equations.rates
NBO2 = NUMBERS["nbo2"]

def point(v, T):
    return OperatingPoint(v, 0.0, 0.0, T, 0.0)

@cuda.jit
def kernel(v, T, row, own, other, circuit, domain, scale, memory, y, z, out, i, speed, up):
    k = cuda.grid(1)
    if k < v.size:
        i[k] = current(v[k], T[k], own)
        speed[k] = gap_rate(point(v[k], T[k]), 1e-9, other)
        up[k] = on(v[k], T[k] / 300.0, 0.3)
        cell = Cell(NBO2, row, circuit_of(circuit), scale, domain_of(domain))
        rates(DeviceProblem(cell, DeviceDrive(v[k], 300.0), memory, z), y[k], out[k])

a, b = load("nbo2"), load("stanford")
own, other = a.record(), b.record()
v, T = np.linspace(-1.5, 1.5, 7), np.linspace(300.0, 600.0, 7)
y = np.zeros((7, 3)); y[:, 0] = T
i, speed, up, out = np.zeros(7), np.zeros(7), np.zeros(7), np.zeros((7, 8))
fixed = a.parameters[0], own, other, a.circuit[0], a.domain[0], a.scale
kernel[1, 8](v, T, *fixed, np.zeros(5), y, np.zeros(3), out, i, speed, up)
for k in range(7):
    assert i[k] == current(v[k], T[k], own), (i[k], v[k])
    assert abs(speed[k] / gap_rate(point(v[k], T[k]), 1e-9, other) - 1) < 1e-13
    assert up[k] == (T[k] / 300 * np.log(0.3 / 0.7) < v[k])
    on_cpu = np.zeros(8)
    rates(DeviceProblem(a.cell(), DeviceDrive(v[k], 300.0), np.zeros(5), np.zeros(3)), y[k], on_cpu)
    assert (out[k] == on_cpu).all()
print("same")
"""


def point(v, T):
    """An operating point of a model whose rate asks for no more."""
    return OperatingPoint(v, 0.0, 0.0, T, 0.0)


def test_rules_run_on_cuda():
    env = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run([sys.executable, "-c", ON_CUDA], env=env, capture_output=True, text=True, timeout=300)
    assert done.stdout.strip() == "same", done.stderr


@pytest.mark.parametrize("v", [1e-6, 1e-3, 0.049, 0.3, 1.0, -0.7])
def test_nbo2_slopes_are_its_currents(v):
    p = load("nbo2").record()
    i, dv, dT = nbo2.slopes(v, 400.0, p)
    assert i == pytest.approx(nbo2.current(v, 400.0, p), rel=1e-14)
    h = 1e-5
    assert dv == pytest.approx(
        (nbo2.current(v * (1 + h), 400.0, p) - nbo2.current(v * (1 - h), 400.0, p)) / (2 * h * v), rel=1e-7
    )
    assert dT == pytest.approx((nbo2.current(v, 400 + 0.01, p) - nbo2.current(v, 400 - 0.01, p)) / 0.02, rel=1e-6)


def test_the_enhancement_is_one_function_across_its_seam():
    for x in (1e-9, 1e-3, 0.0499999, 0.05, 0.0500001, 1.0, 20.0):
        exact = 0.5 + sum(x**k / (math.factorial(k) * (k + 2)) for k in range(120))  # every term is positive
        assert nbo2.enhancement(x)[0] == pytest.approx(exact, rel=2e-13)


def test_a_minor_branch_leaves_the_major_one_where_it_turns():
    p = load("vo2").record()
    m = np.array([1.0, 0.0, 0.0, 0.0, 324.9])
    for T, direction in ((338.0, -1.0), (331.0, 1.0), (335.0, -1.0)):
        before = vo2.resistance(T, m, p)
        vo2.turn(T, direction, m, p)
        assert vo2.resistance(T, m, p) == pytest.approx(before, rel=1e-6)


def test_stanford_stands_still_at_its_ends():
    p = load("stanford").record()
    set_, reset = point(2.5, 300.0), point(-2.5, 300.0)
    assert stanford.gap_rate(set_, 0.1e-9, p) == 0.0
    assert stanford.gap_rate(reset, 1.7e-9, p) == 0.0
    assert stanford.gap_rate(set_, 1.0e-9, p) < 0 < stanford.gap_rate(reset, 1.0e-9, p)


def test_stanford_rates_are_its_formula():
    """dg/dt = -v0 [exp(-(Eag - gamma a0 q V / L) / kT) - exp(-(Ear + gamma a0 q V / L) / kT)], numbers as published."""
    p = load("stanford").record()
    for v, T, g in ((1.2, 400.0, 1.0), (-1.1, 350.0, 0.7)):
        kT, push = 8.617333262e-5 * T, (16.5 - 1.25 * g**3) * 0.25 / 5 * v
        rate = -150 * (np.exp(-(1.501 - push) / kT) - np.exp(-(1.5 + push) / kT))
        assert stanford.gap_rate(point(v, T), g * 1e-9, p) == pytest.approx(rate, rel=1e-8)
        i = 61.4e-6 * np.exp(-g / 0.27505) * np.sinh(v / 0.43)
        assert stanford.current(v, g * 1e-9, p) == pytest.approx(i, rel=1e-12)


def test_pickett_stores_what_its_slope_says():
    p = load("pickett").record()
    for u in (0.01, 0.3, 0.9):
        d = 1e-5 * u
        rise = pickett.enthalpy(u + d, 780.0, p) - pickett.enthalpy(u - d, 780.0, p)
        assert pickett.enthalpy_slope(u, 780.0, p) == pytest.approx(rise / (2 * d), rel=1e-8)
        assert pickett.leak(u, 780.0, p) == pytest.approx(2 * np.pi * 20e-9 * 1.5 * 780 / np.log(1 / u), rel=1e-12)


def jart_by_hand(v, v_s, T, N):
    """(i of the contact, R of disc and plug, dN/dt at i, R_th), from the published equations with their numbers."""
    q, k, eps0, h = 1.602176634e-19, 1.380649e-23, 8.8541878128e-12, 6.62607015e-34
    A, z = np.pi * 45e-9**2, 2
    lowered = (q**3 * z * N * max(0.08 - v_s, 0) / (8 * np.pi**2 * (5.5 * eps0) ** 3)) ** 0.25
    phi = max(0.18 - lowered, 0.0)
    if v_s > 0:
        i = A * 6.01e5 * T**2 * np.exp(-phi * q / (k * T)) * (np.exp(q * v_s / (k * T)) - 1)
    else:
        W00 = q * h / (4 * np.pi) * np.sqrt(z * N / (9.10938e-31 * 17 * eps0))
        W0, e = W00 / np.tanh(W00 / (k * T)), W00 / (W00 / (k * T) - np.tanh(W00 / (k * T)))
        under = np.pi * W00 * q * (abs(v_s) + phi / np.cosh(W00 / (k * T)) ** 2)
        i = -A * 6.01e5 * T / k * np.sqrt(under) * np.exp(-q * phi / W0) * (np.exp(q * abs(v_s) / e) - 1)
    disc, plug = 0.4e-9 / (N * z * q * 4e-6 * A), 2.6e-9 / (20e26 * z * q * 4e-6 * A)
    line = 719.2437 * (1 + 719.2437 * 3.92e-3 * i**2 * 90471.47)
    field = (v_s + i * (disc + plug)) / 3e-9 if v > 0 else i * disc / 0.4e-9
    limit = 1 - (0.008e26 / N) ** 10 if v > 0 else 1 - (N / 20e26) ** 10
    g, kT = z * field * 0.25e-9 / (np.pi * 1.35), k * T / q
    low, high = (1.35 * (np.sqrt(1 - g**2) + s * g * np.pi / 2 + g * np.arcsin(g)) for s in (-1, 1))
    ions = z * q * (20e26 + N) / 2 * 0.25e-9 * 2e13 * A * (np.exp(-low / kT) - np.exp(-high / kT)) * limit
    return i, disc + plug, line, -ions / (A * 0.4e-9 * q * z), 15.72e6 * (0.27 if v > 0 else 1.0)


@pytest.mark.parametrize(("v", "N"), [(-0.6, 9e23), (-0.3, 1e27), (0.5, 1.5e27), (1.2, 1e25), (0.02, 1e24)])
def test_jart_solves_the_published_equations(v, N):
    p = load("jart").record()
    i, T, v_s = jart.solve(v, 650.0, 293.0, N, p)
    contact, cell, line, rate, R_th = jart_by_hand(v, v_s, T, N)
    assert i == pytest.approx(contact, rel=1e-5)  # the masses and constants are rounded
    assert v_s + i * (cell + line + 650.0) == pytest.approx(v, rel=1e-7)
    assert pytest.approx(293.0 + i * (v_s + i * cell) * R_th, rel=1e-7) == T
    assert jart.density_rate(OperatingPoint(v, i, 0.0, T, v_s), N, p) == pytest.approx(rate, rel=1e-4)


def test_arithmetic_exponentials_and_sines():
    x = np.random.default_rng(1).uniform(-600, 600, 3000)
    np.testing.assert_allclose([scalar.exp(v) for v in x], np.exp(x), rtol=4e-16)
    a = np.random.default_rng(2).uniform(-30, 30, 3000)
    fraction = a - np.rint(a)
    np.testing.assert_allclose([scalar.sin_turns(v) for v in a], np.sin(2 * np.pi * fraction), rtol=0, atol=1e-15)


@pytest.mark.parametrize("name", ["nbo2", "vo2", "stanford", "pickett", "vteam", "jart", "rc"])
def test_currents_solve_the_series_circuit(name):
    """v + R i(v) = u to rounding, for arrays; the current at v alone is the same."""
    u = np.array([[-0.9, -1e-3, 0.0], [1e-3, 0.4, 1.1]])
    i, v = currents(load(name, circuit_load=3e3, circuit_capacitance=0.0, circuit_inner=200.0), u, T=350.0)
    assert i.shape == u.shape and i[0, 2] == 0.0
    np.testing.assert_allclose(v + 3200 * i, u, rtol=1e-14, atol=1e-18)
    alone, _ = currents(load(name, circuit_load=0.0, circuit_capacitance=0.0, circuit_inner=0.0), v, T=350.0)
    np.testing.assert_allclose(i, alone, rtol=1e-9)


def test_currents_of_devices_that_differ_and_states_that_differ():
    areas = np.array([1e-14, 2e-14, 3e-14])
    i, _ = currents(load("nbo2", area=areas, circuit_inner=0.0), 0.5)
    np.testing.assert_allclose(i, i[0] * np.array([1, 2, 3]), rtol=1e-14)
    with pytest.raises(ThermocError, match="rows of 3"):
        currents(load("nbo2", area=areas), np.zeros((2, 3)))
    with pytest.raises(ThermocError, match="disagree"):
        currents(load("nbo2"), [0.1, 0.2], T=[300.0, 310.0, 320.0])
    gaps = np.array([0.3e-9, 0.9e-9])
    i, _ = currents(load("stanford", circuit_load=0.0), 0.1, state=gaps)
    assert i[0] / i[1] == pytest.approx(np.exp(0.6 / 0.27505), rel=1e-12)
