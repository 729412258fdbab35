"""P9 to P16, P28, P30 to P33: formulas against their definitions and limits."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import pytest

import thermoc as tc
from thermoc import physics
from thermoc.learning.hopfield import hebb
from thermoc.physics.energies import Energy
from thermoc.support.array_types import FloatArray

Law = Callable[[FloatArray], Energy]
LAWS: list[Law] = [
    lambda r: physics.harmonic(r, 3.0),
    lambda r: physics.lennard_jones(r, 0.7, 1.1),
    lambda r: physics.coulomb(r, 2.0, -1.5),
    lambda r: physics.coulomb(r, 2.0, -1.5, softening=0.3),
]


def slope(energy: Law, r: FloatArray, h: float = 1e-6) -> FloatArray:
    return (energy(r + h)[0] - energy(r - h)[0]) / (2 * h)


@pytest.mark.parametrize("law", LAWS)
def test_a_force_is_minus_the_slope_of_its_energy(law: Law):
    r = np.array([0.9, 1.3, 2.0])
    np.testing.assert_allclose(law(r)[1], -slope(law, r), rtol=1e-7)


def test_lennard_jones_has_its_minimum_where_it_should():
    energy, force = physics.lennard_jones(2 ** (1 / 6))
    assert energy == pytest.approx(-1, rel=1e-15) and abs(force) < 1e-14


def test_a_table_is_interpolated_and_zero_outside():
    energy, force = physics.tabulated([0.5, 1.0, 1.25, 2.0, 9.0], [1.0, 1.5, 2.0], [4.0, 2.0, 1.0])
    np.testing.assert_allclose(energy, [0, 4, 3, 0, 0])
    np.testing.assert_allclose(force, [0, 4, 4, 0, 0])


def test_pair_forces_sum_to_nothing_and_see_the_nearest_image():
    x = np.random.default_rng(0).uniform(0, 5, (6, 3))
    force, energy, virial = physics.pair_forces(x, physics.lennard_jones, cutoff=2.5, box=[5.0, 5.0, 5.0])
    np.testing.assert_allclose(force.sum(axis=0) / np.abs(force).max(), 0, atol=1e-13)
    moved = physics.pair_forces(x + np.array([5.0, -5.0, 10.0]), physics.lennard_jones, cutoff=2.5, box=[5.0, 5.0, 5.0])
    np.testing.assert_allclose(moved[1], energy, rtol=1e-9)
    two = physics.pair_forces([[0.1, 0.0], [4.9, 0.0]], lambda r: physics.harmonic(r, 2.0), box=[5.0, 5.0])
    np.testing.assert_allclose([two[1], two[2], two[0][0, 0]], [0.04, -0.08, -0.4])
    assert virial == pytest.approx(brute_virial(x), rel=1e-9)


def brute_virial(x: FloatArray) -> float:
    total = 0.0
    pairs: list[tuple[FloatArray, FloatArray]] = list(itertools.combinations(x, 2))
    for a, b in pairs:
        d = a - b - 5 * np.round((a - b) / 5)
        r = float(np.sqrt(d @ d))
        total += r * float(physics.lennard_jones(r)[1]) if r < 2.5 else 0
    return total


@pytest.mark.parametrize(
    ("call", "fact"),
    [
        (lambda: physics.lennard_jones([1.0, 0.0]), r"r\[1\] = 0.0"),
        (lambda: physics.pair_forces([[1.0, 2.0], [0.0, 0.0], [1.0, 2.0]], physics.lennard_jones), "particles 0 and 2"),
        (lambda: physics.pair_forces(np.eye(3), lambda r: physics.harmonic(r, 1.0), cutoff=2.0, box=[3.0] * 3), "1.5"),
        (lambda: physics.shannon_entropy([0.5, 0.6]), "p sums to 1.1"),
        (lambda: physics.shannon_entropy([1.5, -0.5]), r"p\[1\] = -0.5"),
        (lambda: physics.mixing_entropy([[0.5, 0.5], [0.5, 0.6]]), r"x\[1\] sums to 1.1"),
        (lambda: physics.kinetic_energy([1.0], [-1.0]), r"mass\[0\] = -1.0"),
        (lambda: physics.enumerate_ising([[0.0, 1.0], [2.0, 0.0]], 1.0), r"J\[0, 1\] = 1.0"),
        (lambda: physics.equilibrium([[0, 1, 0], [1, 0, 0], [0, 0, 0]], [1.0, 0, 0], [1.0, 0, 0]), "node 2"),
        (lambda: physics.heat_step([1.0, 0.0], np.zeros((2, 2)), 1.0, 0.1), r"C\[1\] = 0.0"),
        (lambda: physics.tabulated(1.0, [1.0, 1.0], [0.0, 0.0]), r"grid\[1\]"),
        (lambda: physics.markov_entropy_production([[0, 1], [0, 0]], [0.5, 0.5]), r"rates\[0, 1\]"),
    ],
)
def test_impossible_quantities_are_named(call: Callable[[], object], fact: str):
    with pytest.raises(tc.ThermocError, match=rf"(?s)T405.*{fact}"):
        call()


def test_entropies_of_counts_and_mixtures():
    assert physics.configurational_entropy([2, 3]) == pytest.approx(np.log(10), rel=1e-14)
    assert physics.mixing_entropy([0.25, 0.75, 0.0]) == pytest.approx(-0.25 * np.log(0.25) - 0.75 * np.log(0.75))


def test_einstein_solid_in_both_limits():
    assert physics.einstein_heat_capacity([1.0, 2.0], 1e6) == pytest.approx(2, rel=1e-11)
    assert physics.einstein_heat_capacity([1.0], 0.01) == pytest.approx(1e4 * np.exp(-100), rel=1e-12)
    assert physics.einstein_heat_capacity([1.0, 0.0], 1e-4) == 1.0
    u = 0.7
    exact = u**2 * np.exp(u) / (np.exp(u) - 1) ** 2
    assert physics.einstein_heat_capacity([0.7], 1.0) == pytest.approx(exact, rel=1e-13)


def square_lattice(L: int) -> FloatArray:
    """As an array: SciPy, which has no type stubs, makes the sparse one."""
    return cast(FloatArray, physics.square_lattice(L).toarray())  # pyright: ignore[reportUnknownMemberType]


def test_heat_capacity_both_ways_by_enumeration():
    """P15, P48: Var(E) / T^2 = dU/dT; the three-point rule is wrong by C'' dT^2 / 6."""
    J = square_lattice(3)
    U = np.array([physics.enumerate_ising(J, T).U for T in (2.299, 2.3, 2.302)])
    assert physics.heat_capacity_from_derivative([2.299, 2.3, 2.302], U)[0] == pytest.approx(
        physics.enumerate_ising(J, 2.3).C, rel=1e-5
    )
    ensemble = physics.enumerate_ising(J, 2.3)
    assert pytest.approx(float(physics.shannon_entropy(ensemble.probabilities)), rel=1e-12) == ensemble.S


def test_enumeration_gives_the_4x4_table(shared: Path):
    table = json.loads((shared / "reference_values.json").read_text())["ising2d_4x4_periodic"]
    for T, row in table.items():
        exact = physics.enumerate_ising(square_lattice(4), float(T))
        assert pytest.approx(row["E_per_spin"], rel=1e-12) == exact.U / 16
        assert pytest.approx(row["C_per_spin"], rel=1e-10) == exact.C / 16
        assert pytest.approx(row["F_per_spin"], rel=1e-12) == exact.F / 16
        assert pytest.approx(row["S_per_spin"], rel=1e-11) == exact.S / 16


def test_onsager(shared: Path):
    exact = json.loads((shared / "reference_values.json").read_text())["ising2d_infinite"]
    assert pytest.approx(exact["Tc"], rel=1e-15) == physics.ISING_TC
    for T, u in exact["u"].items():
        assert physics.onsager_energy(float(T)) == pytest.approx(u, rel=1e-12)
    for temperature, m in exact["m"].items():
        assert physics.onsager_magnetisation(float(temperature)) == pytest.approx(m, rel=1e-12)
    assert physics.onsager_energy(exact["Tc"]) == pytest.approx(exact["u(Tc)"], rel=1e-6)
    assert physics.onsager_magnetisation(3.0) == 0


def test_a_qubo_and_its_ising_have_the_same_energies():
    rng = np.random.default_rng(3)
    Q = rng.normal(size=(5, 5))
    J, h, offset = physics.qubo_to_ising(Q)
    x, s = physics.all_states(5, "binary"), physics.all_states(5)
    np.testing.assert_allclose(
        np.einsum("ki,ij,kj->k", x, Q, x), physics.ising_energy(s, J, h) + offset, rtol=0, atol=1e-13
    )
    back, offset = physics.ising_to_qubo(J, h)
    np.testing.assert_allclose(physics.ising_energy(s, J, h), np.einsum("ki,ij,kj->k", x, back, x) + offset, atol=1e-13)


def test_hopfield_stores_patterns_at_energy_minima():
    x = np.sign(np.random.default_rng(0).normal(size=(2, 60)))
    J = hebb(x)
    assert (np.sign(J @ x[0]) == x[0]).all() and (np.diag(J) == 0).all()


def test_order_parameters_and_critical_temperatures():
    assert physics.order_parameter(np.full(7, 0.3)) == pytest.approx(1)
    assert physics.order_parameter(np.arange(8) * np.pi / 4) == pytest.approx(0, abs=1e-15)
    assert physics.mean_field_tc(4.0) == 4.0
    assert physics.finite_size_tc(100, 2.0, 1.0, 1.0) == pytest.approx(1.98)
    assert physics.binder_cumulant([1.0, -1.0]) == pytest.approx(2 / 3)
    normal = np.random.default_rng(0).normal(size=10**6)
    assert abs(physics.binder_cumulant(normal)) < 4 * np.sqrt(96 / 9 / 10**6)


def test_noise_of_capacitors_and_temperatures(shared: Path):
    folder = shared / "device-reference/v_analytic"
    for C, T, rms in np.loadtxt(folder / "kTC_noise.csv", delimiter=",", comments="#", ndmin=2):
        assert physics.capacitor_voltage(C, T) == pytest.approx(rms, rel=1e-12)
    for capacity, temperature, rms in np.loadtxt(
        folder / "thermal_fluctuation.csv", delimiter=",", comments="#", ndmin=2
    ):
        assert physics.temperature_fluctuation(capacity, temperature) == pytest.approx(rms, rel=1e-12)
    assert physics.johnson_current(1e-3, 300.0, 1e6) == pytest.approx(np.sqrt(4 * 1.380649e-23 * 300 * 1e3))


def test_jarzynski_of_a_stiffening_spring(shared: Path):
    """Instant switching k0 -> k1 from equilibrium: W = (k1 - k0) x^2 / 2 (P30)."""
    k0, k1, T, dF = np.loadtxt(shared / "device-reference/v_analytic/jarzynski_stiffening.csv", delimiter=",")
    x = np.random.default_rng(0).normal(size=200000) * np.sqrt(T / k0)
    found = physics.jarzynski((k1 - k0) * x * x / 2, T)
    assert abs(found.dF - dF) < 4 * found.error and found.error < 0.01
    assert found.dissipated > 0


def test_entropy_production_splits_and_is_positive():
    """A ring driven one way: at rest all is housekeeping, ln(forward/backward) a step of its current."""
    n, forward, backward = 3, 2.0, 0.5
    W = forward * np.roll(np.eye(n), 1, 0) + backward * np.roll(np.eye(n), -1, 0)
    rest = physics.markov_entropy_production(W, np.full(n, 1 / n))
    assert rest.total == pytest.approx((forward - backward) * np.log(forward / backward))
    assert rest.excess == pytest.approx(0, abs=1e-14)
    p = np.random.default_rng(0).dirichlet(np.ones(n), 50)
    both = physics.markov_entropy_production(W, p)
    assert (both.housekeeping >= 0).all() and (both.excess >= 0).all()
