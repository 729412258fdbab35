"""Gaussian networks (P29, P48): closed forms, and the law of thermo.ou_network within 4 standard errors (6e-5 each)."""

# SciPy has no type stubs.
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import ArrayLike

import thermoc as tc
from thermoc import physics
from thermoc.ir.feed import feed
from thermoc.ir.reference import interpret
from thermoc.support.array_types import AnyArray, FloatArray

RNG = np.random.default_rng(5)
G = RNG.normal(size=(8, 8))
STIFF = 0.5 * np.eye(8) + G @ G.T / 8


def sampled(
    K: AnyArray,
    b: ArrayLike,
    T: float,
    *,
    ticks: int,
    batch: int,
    dt: float = 1.0,
    seed: int = 3,
    target: str = "sim",
    **attrs: Any,
) -> AnyArray:
    with tc.Network("ou", dt=dt) as net:
        tc.output("x", tc.ou_network(K, T, b, **attrs))
    return tc.compile(net, target).run(ticks=ticks, batch=batch, seed=seed)["x"]


def test_closed_forms_are_those_of_the_table(shared: Path):
    data = np.load(shared / "device-reference/v_analytic/gaussian_network.npz")
    found = physics.gaussian_network(data["K"], data["b"], float(data["kT"]))
    for name, value in zip(("mean", "cov", "F", "U", "S_over_kB"), found):
        np.testing.assert_allclose(value, data[name], rtol=1e-12, atol=1e-13, err_msg=name)


def test_free_energy_of_one_unit_is_that_of_its_integral():
    k, b, T = 1.7, 0.3, 0.4
    x = np.linspace(-12, 12, 200_001)
    Z = np.exp(-(k * x**2 / 2 - b * x) / T).sum() * (24 / 200_000)
    found = physics.gaussian_network([[k]], b, T)
    assert pytest.approx(-T * np.log(Z), rel=1e-12) == found.F
    assert pytest.approx(found.F + T * found.S, rel=1e-12) == found.U


def test_samples_have_the_mean_and_covariance_of_the_table(shared: Path):
    """Chains start at 0 and forget it over 40 relaxation times; then the last state of each is one exact sample."""
    data = np.load(shared / "device-reference/v_analytic/gaussian_network.npz")
    softest = np.linalg.eigvalsh(data["K"])[0]
    chains = 40_000
    x: FloatArray = sampled(data["K"], data["b"], float(data["kT"]), ticks=5, batch=chains, dt=10 / softest)[-1]
    error = np.sqrt(np.diag(data["cov"]) / chains)
    assert (np.abs(x.mean(0) - data["mean"]) < 4 * error).all()
    cov = data["cov"]
    error = np.sqrt((cov**2 + np.outer(np.diag(cov), np.diag(cov))) / chains)  # Wishart
    assert (np.abs(np.cov(x.T) - cov) < 4 * error).all()


@pytest.mark.parametrize("dt", [0.01, 0.3, 4.0])
def test_the_step_is_exact_in_law_for_any_dt(dt: float):
    """After n ticks from x0: mean = m + e^(-mu K t) (x0 - m), covariance = T K^-1 (1 - e^(-2 mu K t)), t = n dt."""
    from scipy.linalg import expm

    b, T, mobility, x0, n, chains = RNG.normal(size=8), 0.6, 0.8, np.full(8, 2.0), 3, 30_000
    x: FloatArray = sampled(STIFF, b, T, ticks=n + 1, batch=chains, dt=dt, mobility=mobility, initial=x0)[-1]
    left, m = cast(FloatArray, expm(-mobility * STIFF * n * dt)), np.linalg.solve(STIFF, b)
    cov = T * np.linalg.inv(STIFF) @ (np.eye(8) - left @ left)
    assert (np.abs(x.mean(0) - m - left @ (x0 - m)) < 4 * np.sqrt(np.diag(cov) / chains)).all()
    error = np.sqrt((cov**2 + np.outer(np.diag(cov), np.diag(cov))) / chains)
    assert (np.abs(np.cov(x.T) - cov) < 4 * error).all()


def test_successive_states_are_correlated_as_the_propagator_says():
    """<dx(t + dt) dx(t)^T> = e^(-mu K dt) cov; independent chains give the error."""
    from scipy.linalg import expm

    chains, T = 30_000, 0.6
    x = sampled(STIFF, 0.0, T, ticks=42, batch=chains, dt=0.5)[-2:]
    expected = T * cast(FloatArray, expm(-STIFF * 0.5)) @ np.linalg.inv(STIFF)
    products = np.einsum("ci,cj->cij", x[1], x[0])
    assert (np.abs(products.mean(0) - expected) < 4 * products.std(0) / np.sqrt(chains)).all()


def test_the_lowered_network_is_the_op_of_the_reference():
    with tc.Network("ou", dt=0.3) as net:
        b = tc.input("b", (8,))
        tc.output("x", tc.ou_network(STIFF, 0.2, b, initial=1.0, mobility=2.0))
    drive = {"b": RNG.normal(size=(7, 3, 8))}
    whole = interpret(net.graph, feed(net.graph, drive), seed=9).outputs["x"]
    np.testing.assert_allclose(tc.compile(net, "sim").run(drive, seed=9)["x"], whole, rtol=0, atol=1e-13)


@pytest.mark.parametrize(
    ("K", "says"),
    [
        ([[2.0, 0.5], [0.4, 1.0]], "K[0, 1] = 0.5"),
        ([[1.0, 2.0], [2.0, 1.0]], "lowest eigenvalue, number 0 of 2, is -1"),
        (np.zeros((2, 2)), "lowest eigenvalue"),
    ],
)
def test_couplings_without_an_equilibrium_are_refused(K: ArrayLike, says: str):
    with pytest.raises(tc.ThermocError, match="T105") as caught:
        sampled(np.array(K), 0.0, 1.0, ticks=1, batch=1)
    assert says in str(caught.value)
    with pytest.raises(tc.ThermocError, match="T405"):
        physics.gaussian_network(K, 0.0, 1.0)


@pytest.mark.parametrize(("b", "T"), [(0.0, 0.0), (0.0, -1.0), (np.nan, 1.0), (np.zeros(3), 1.0)])
def test_wrong_quantities_are_refused(b: ArrayLike, T: float):
    with pytest.raises(tc.ThermocError, match="T405"):
        physics.gaussian_network(np.eye(2), b, T)
