"""Low energies: exact on small models, the same bytes for any number of threads, energies those of the spins."""

import os
import signal
import threading

import numpy as np
import pytest
from apps.small_models import small_model, torus
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import block_diag, csr_array

from thermoc.apps.optimisation.minimise import METHODS, minimise
from thermoc.apps.optimisation.on_targets import anneal_on
from thermoc.apps.optimisation.samples import SamplingInterrupted
from thermoc.physics.ising import all_states
from thermoc.physics.ising_model import IsingModel
from thermoc.support.errors import ThermocError


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("whole", [True, False])
def test_the_least_energy_of_small_models(method, whole):
    for seed in range(4):
        model = small_model(12, seed, whole=whole, fields=seed % 2 == 0)
        least = model.energy(all_states(12)).min()
        samples = minimise(model, method=method, sweeps=300, seed=seed)
        assert samples.energies[0] == pytest.approx(least, abs=1e-9)


def lowest_of_24(model):
    """Return the least energy of 24 whole-number spins: those of the first and the last twelve, and what couples them."""
    J, s = model.J.toarray().astype(np.float32), all_states(12).astype(np.float32)
    ends = slice(0, 12), slice(12, 24)
    first, last = (-((s @ J[k, k]) * s).sum(axis=1) / 2 - s @ model.h[k].astype(np.float32) for k in ends)
    least = min((last - (s[k : k + 512] @ J[ends]) @ s.T + first[k : k + 512, None]).min() for k in range(0, 4096, 512))
    return float(least) + model.offset


def exact(seeds):
    """Return in how many models of 24 spins the least energy is reached, proven by enumeration."""
    models = [small_model(24, seed, fields=seed % 3 > 0) for seed in seeds]
    return sum(minimise(model, seed=7).energies[0] == lowest_of_24(model) for model in models)


def test_least_energies_of_24_spins():
    assert exact(range(3)) == 3


@pytest.mark.slow
def test_least_energies_of_a_hundred_models():
    assert exact(range(100)) == 100


@pytest.mark.parametrize("whole", [True, False])
def test_enumeration_returns_the_lowest_states_each_once(whole):
    """Of a model of three parts, one of them a lone spin: as all states of all of it have them."""
    parts = [small_model(n, n, whole=whole, density=1.0) for n in (8, 5, 1)]
    J, h = block_diag([part.J for part in parts]), np.concatenate([part.h for part in parts])
    order = np.random.default_rng(0).permutation(14)
    model = IsingModel(J=csr_array(csr_array(J)[order][:, order]), h=h[order], offset=0.25)
    every = model.energy(all_states(14))
    samples = minimise(model, replicas=40)
    assert samples.proven and samples.method == "enumeration"
    np.testing.assert_allclose(samples.energies, np.sort(every)[:40], atol=1e-12)
    assert len(np.unique(samples.spins, axis=0)) == 40
    assert len(minimise(model, replicas=2**15).spins) == 2**14, "there are no more"


def test_models_too_large_to_be_enumerated():
    assert not minimise(torus(6, 8, 1), sweeps=10).proven
    with pytest.raises(ThermocError, match=r"T404.*enumerate") as caught:
        minimise(torus(6, 8, 1), method="enumeration")
    assert "48 spins" in str(caught.value)


@pytest.mark.parametrize("number", [0, 1])
def test_largest_independent_sets(shared, number):
    """Of graphs of 100 nodes, against the exact size by integer programming (SciPy's HiGHS)."""
    folder = shared / "lava-optimization/tutorials/data/qubo/workloads/mis-uniform"
    edges = np.argwhere(np.triu(np.loadtxt(folder / f"mis-uniform-100-0.05-{number}.txt"), 1))
    rows = np.zeros((len(edges), 100))
    rows[np.arange(len(edges)), edges[:, 0]] = rows[np.arange(len(edges)), edges[:, 1]] = 1
    exact = milp(-np.ones(100), constraints=LinearConstraint(rows, ub=1), integrality=np.ones(100), bounds=Bounds(0, 1))
    # x_i = (1 + s_i) / 2: two for each edge within the set, less one a member
    J = np.zeros((100, 100))
    J[edges[:, 0], edges[:, 1]] = J[edges[:, 1], edges[:, 0]] = -0.5
    model = IsingModel(J=csr_array(J), h=0.5 + J.sum(axis=1), offset=len(edges) / 2 - 50)
    samples = minimise(model, seed=1)
    members = samples.spins[0] > 0
    assert not (members[edges[:, 0]] & members[edges[:, 1]]).any()
    assert members.sum() == -samples.energies[0] == round(-exact.fun)


@pytest.mark.parametrize("method", METHODS)
def test_same_bytes_at_one_thread_and_at_two(method):
    model = torus(12, 14, 3)
    one, two = (minimise(model, method=method, sweeps=60, seed=5, threads=threads) for threads in (1, 2))
    assert one.spins.tobytes() == two.spins.tobytes()
    assert one.energies.tobytes() == two.energies.tobytes()
    other = minimise(model, method=method, sweeps=60, seed=6)
    assert other.spins.tobytes() != one.spins.tobytes()


@pytest.mark.parametrize("method", METHODS)
def test_samples_say_what_they_are(method):
    model = torus(6, 8, 1)
    samples = minimise(model, method=method, sweeps=50, replicas=4, seed=9)
    assert samples.spins.dtype == np.int8 and samples.spins.shape == (4, 48)
    assert set(np.unique(samples.spins)) == {-1, 1}
    assert np.array_equal(samples.energies, model.energy(samples.spins))
    assert (np.diff(samples.energies) >= 0).all()
    assert (samples.method, samples.seed) == (method, 9) and samples.sweeps > 0


def test_a_target_ends_early_and_progress_is_told():
    model, told = torus(10, 10, 2), []
    full = minimise(model, method="cycling", sweeps=2000, seed=1)
    early = minimise(
        model, method="cycling", sweeps=2000, seed=1, target_energy=full.energies[0], on_progress=told.append
    )
    assert early.energies[0] == full.energies[0] and early.sweeps < full.sweeps
    assert told[-1].best_energy == early.energies[0] and told[-1].sweeps == early.sweeps
    assert [p.best_energy for p in told] == sorted((p.best_energy for p in told), reverse=True)


@pytest.mark.parametrize("method", METHODS)
def test_time_is_kept(method):
    model = torus(10, 10, 2)
    minimise(model, method=method, sweeps=10)  # compiles
    samples = minimise(model, method=method, seconds=0.2)
    assert 0.1 < samples.seconds < 3


@pytest.mark.parametrize("method", METHODS)
def test_ctrl_c_ends_a_sampler_with_the_best_so_far(method):
    model = torus(12, 14, 3)
    minimise(model, method=method, sweeps=10)  # compiles
    before = signal.getsignal(signal.SIGINT)  # Brian2 may have put its own there
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(SamplingInterrupted) as stop:
        minimise(model, method=method, sweeps=2_000_000_000, replicas=4)
    samples = stop.value.samples
    assert samples.spins.shape == (4, 168) and samples.seconds < 30
    assert np.array_equal(samples.energies, model.energy(samples.spins))
    # the handler that was there is back
    assert signal.getsignal(signal.SIGINT) is before


def test_spins_without_couplings_follow_their_fields():
    model = IsingModel(J=csr_array((3, 3)), h=np.array([1.0, -2.0, 0.0]))
    for method in METHODS:
        assert minimise(model, method=method, sweeps=20).energies[0] == -3


@pytest.mark.parametrize(
    "options, code",
    [
        ({"method": "guessing"}, "T404"),
        ({"device": "abacus"}, "T404"),
        ({"device": "cuda", "target_energy": 0.0}, "T404"),
        ({"sweeps": 0}, "T404"),
        ({"replicas": 1.5}, "T404"),
        ({"seconds": float("nan")}, "T404"),
        ({"seed": -1}, "T404"),
        ({"threads": 0}, "T404"),
        ({"target_energy": float("nan")}, "T404"),
    ],
)
def test_wrong_options(options, code):
    with pytest.raises(ThermocError) as caught:
        minimise(torus(4, 4, 0), **options)
    assert caught.value.code == code


def test_a_model_that_is_not_finite():
    with pytest.raises(ThermocError, match="T403"):
        minimise(IsingModel(J=csr_array((2, 2)), h=np.array([0.0, np.nan])))


def test_ctrl_c_ends_a_network_with_its_states():
    model = torus(6, 8, 1)
    anneal_on("sim", model, sweeps=10)  # compiles
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(SamplingInterrupted) as stop:
        anneal_on("sim", model, sweeps=4 * 10**8, replicas=3)
    samples = stop.value.samples
    assert 0 < samples.sweeps < 4 * 10**8
    assert np.array_equal(samples.energies, model.energy(samples.spins)) and len(samples.energies) == 3
