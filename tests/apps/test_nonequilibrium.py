"""P30, P34, P45, P46 away from equilibrium: works of driven networks, critical dynamics, avalanches.

Statistical bounds are four standard errors or more: a check fails by chance less than once in 10,000.
"""

import numpy as np
import pytest

import thermoc as tc
from thermoc import physics
from thermoc.apps.nonequilibrium import (
    drive,
    driven_ring,
    fluctuation_test,
    moved_trap,
    ring_free_energy,
    trap_free_energy,
)
from thermoc.apps.nonequilibrium.avalanches import SpikeRecord, avalanche_sizes, avalanches, neuristor_spikes
from thermoc.apps.nonequilibrium.critical import Z_MODEL_A, dynamic_exponent, order_decay

T = 0.8


def holds(test) -> None:
    c = test.crooks
    assert abs(test.jarzynski.dF - test.dF) < 4 * test.jarzynski.error
    assert abs(c.dF - test.dF) < 4 * c.error
    assert abs(c.crossing - test.dF) < 4 * c.crossing_error
    assert abs(test.integral[0] - 1) < 4 * test.integral[1]
    assert test.forward.imbalance < 1e-10 and test.backward.imbalance < 1e-10
    assert test.production[0] > 4 * test.production[1]


def test_a_trap_that_moves_and_stiffens_obeys_jarzynski_and_crooks():
    u, exe = np.linspace(0, 1, 21), tc.compile(moved_trap(T=T, dt=0.2))
    course = {"stiffness": 1 + 2 * u, "centre": 1.5 * u}
    dF = trap_free_energy(3.0, T=T) - trap_free_energy(1.0, T=T)
    test = fluctuation_test((exe, exe), course, T=T, dF=dF, samples=8000, settle=100, seed=3)
    holds(test)
    assert abs(test.crooks.slope - 1 / T) < 4 * test.crooks.slope_error
    assert "Bennett" in str(test)


def test_a_ring_that_a_field_turns_over_obeys_jarzynski_and_crooks():
    pair = tc.compile(driven_ring(6, T=2.0)), tc.compile(driven_ring(6, T=2.0, reverse=True))
    dF = ring_free_energy(6, 1.0, T=2.0) - ring_free_energy(6, -0.5, T=2.0)
    course = {"field": np.linspace(-0.5, 1.0, 11)}
    test = fluctuation_test(pair, course, T=2.0, dF=dF, samples=8000, settle=50, seed=4)
    holds(test)
    assert abs(test.crooks.slope - 0.5) < 4 * test.crooks.slope_error


def test_the_free_energy_of_a_ring_is_that_of_all_its_states():
    J = np.roll(np.eye(6), 1, 0) + np.roll(np.eye(6), -1, 0)
    for field in (-0.4, 0.0, 2.0):
        exact = physics.enumerate_ising(0.7 * J, 1.3, field).F
        assert ring_free_energy(6, field, J=0.7, T=1.3) == pytest.approx(exact, rel=1e-12)


def test_a_dragged_particle_produces_the_entropy_that_its_lag_costs():
    """Heat a tick over T is k (y v dt + (v dt)^2 / 2) / T, with the lag y = a v dt / (1 - a), a = e^(-mu k dt)."""
    dt, speed, k, ticks = 0.1, 0.5, 2.0, 120
    course = {"stiffness": np.full(ticks + 1, k), "centre": speed * dt * np.arange(ticks + 1)}
    run = drive(tc.compile(moved_trap(T=T, dt=dt)), course, samples=2000, settle=100, seed=5)
    a, step = np.exp(-k * dt), speed * dt
    exact = k * (a / (1 - a) + 0.5) * step**2 / T
    rate = -run.heat[60:].mean(axis=0) / T
    assert abs(rate.mean() - exact) < 4 * rate.std(ddof=1) / np.sqrt(2000)
    # the works of a Gaussian process: variance 2 T times the work dissipated
    W = run.total_work
    assert W.var(ddof=1) == pytest.approx(2 * T * W.mean(), rel=4 * np.sqrt(2 / 2000 + W.var() / W.mean() ** 2 / 2000))


def test_protocols_and_rings_that_are_none_are_refused():
    exe = tc.compile(moved_trap())
    with pytest.raises(tc.ThermocError, match=r"T402.*protocol"):
        drive(exe, {"stiffness": np.ones(3), "centre": np.ones(4)}, samples=2, settle=1)
    with pytest.raises(tc.ThermocError, match=r"T401"):
        drive(exe, {"stiffness": np.ones(3)}, samples=2, settle=1)
    with pytest.raises(tc.ThermocError, match=r"T404.*equilibrium"):
        drive(exe, {"stiffness": np.ones(3), "centre": np.ones(3)}, samples=2, settle=0)
    with pytest.raises(tc.ThermocError, match=r"T405.*even"):
        driven_ring(5)


def test_order_decays_by_the_exponent_that_was_put_in():
    """A power law with independent errors: the exponent, and that its error bar is the spread of repetitions."""
    t, z = np.geomspace(10, 1000, 12), []
    law = (t ** (-1 / 8 / 2.2))[:, np.newaxis]
    for seed in range(40):
        m = law * (1 + 0.01 * np.random.default_rng(seed).normal(size=(12, 32)))
        z.append(dynamic_exponent(t, m, least=0))
    off = [(one.z - 2.2) / one.error for one in z]
    assert abs(np.mean(off)) < 4 / np.sqrt(40) and np.std(off) == pytest.approx(1, abs=4 / np.sqrt(80))


@pytest.mark.slow
def test_z_of_the_square_lattice_on_small_lattices():
    decay = order_decay(128, samples=256, sweeps=(10, 100), points=8, seed=1)
    exponent = dynamic_exponent(decay.sweeps, decay.m, least=10)
    assert abs(exponent.z - Z_MODEL_A) < 4 * exponent.error and exponent.error < 0.1
    with pytest.raises(tc.ThermocError, match="T405"):
        dynamic_exponent(decay.sweeps, decay.m, least=1000)
    with pytest.raises(tc.ThermocError, match="T404"):
        order_decay(128, sweeps=(100, 10))


def test_avalanches_are_chains_of_neighbours_within_the_window():
    """Nodes 0 1 2 / 3 4 5: 0, 1, 4 follow each other by one sample; 2 is late; 5 is alone; 0 again much later."""
    times, nodes = np.array([0.0, 1, 2, 4, 9, 30]), np.array([0, 1, 4, 2, 5, 0])
    spikes = SpikeRecord(times=times, nodes=nodes, shape=(2, 3), sampled=1.0)
    assert sorted(avalanche_sizes(spikes, 1.0)) == [1, 1, 1, 3]
    assert sorted(avalanche_sizes(spikes, 3.0)) == [1, 1, 4]
    assert sorted(avalanche_sizes(spikes, 5.0)) == [1, 5]
    # nodes 2 and 3 are neighbours in number, not in the array
    apart = SpikeRecord(times=np.zeros(2), nodes=np.array([2, 3]), shape=(2, 3), sampled=1.0)
    assert avalanche_sizes(apart, 1.0).tolist() == [1, 1]
    nothing = SpikeRecord(times=np.zeros(0), nodes=np.zeros(0, np.int64), shape=(2, 3), sampled=1.0)
    assert avalanches([nothing], 1.0).fit is None
    with pytest.raises(tc.ThermocError, match="T405"):
        avalanche_sizes(spikes, 0.0)


@pytest.mark.slow
def test_stronger_coupling_makes_larger_avalanches():
    size = {}
    for coupling in (0.0, 0.1):
        spikes = neuristor_spikes(volts=9.96, coupling=coupling, shape=(8, 8), duration=60e-6, settle=20e-6, seed=1)
        size[coupling] = avalanche_sizes(spikes, 100e-9).mean()
    assert 1 <= size[0.0] < 2 and size[0.1] > 32
