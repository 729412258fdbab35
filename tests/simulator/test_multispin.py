"""Words that 64 units or 64 samples share: equal to the reference, and the law they sample."""

import os
import subprocess
import sys

import numpy as np
import pytest
from scipy.sparse import csr_array

import thermoc as tc
from thermoc import physics
from thermoc.ir.feed import feed
from thermoc.ir.reference import interpret
from thermoc.simulator.kernels.gibbs import dispatch

RNG = np.random.default_rng(0)


def glass(n: int, degree: int) -> csr_array:
    """Random couplings -1 and +1 of a bounded degree."""
    J = np.zeros((n, n))
    for _ in range(n * degree):
        i, j = RNG.integers(0, n, 2)
        if i != j and (J[i] != 0).sum() < degree and (J[j] != 0).sum() < degree:
            J[i, j] = J[j, i] = RNG.choice([-1.0, 1.0])
    return csr_array(J)


def weighted(n: int) -> np.ndarray:
    J = RNG.normal(size=(n, n))
    return (J + J.T) * (1 - np.eye(n))


def whole(n: int, values, density: float = 1.0) -> np.ndarray:
    """Random couplings of these sizes."""
    J = np.triu(RNG.choice(values, (n, n)) * (RNG.random((n, n)) < density), 1)
    return J + J.T


def network(J, T=1.7, h=0.0, **attrs):
    with tc.Network("words") as net:
        start = RNG.choice([-1.0, 1.0], J.shape[0])
        tc.output(
            "s", tc.gibbs(T, J, h, initial=start if attrs.get("levels") != "binary" else (start + 1) / 2, **attrs)
        )
    return net


def check(net, *, batch, ticks=3, first_sample=0, **options):
    exe = tc.compile(net, "sim", **options)
    place = {"seed": 5, "first_sample": first_sample, "first_tick": 2}
    trace = interpret(net.graph, feed(net.graph, {}, ticks=ticks, batch=batch), **place)
    found = exe.run(ticks=ticks, batch=batch, **place)["s"]
    np.testing.assert_array_equal(found, trace.outputs["s"])
    assert not np.array_equal(found[0], found[-1])
    return exe


CASES = {
    "a glass": lambda: network(glass(40, 8), sweeps=3, draws="replica"),
    "bits that attract": lambda: network(abs(glass(40, 5)), h=-0.3, levels="binary", draws="replica"),
    "a glass of bits in a field": lambda: network(glass(40, 5), h=0.3, levels="binary", draws="replica"),
    "cooled": lambda: network(glass(30, 4), np.array([[3.0], [1.0], [0.5]]), sweeps=3, draws="replica"),
    "so cold that nothing is left to chance": lambda: network(glass(30, 4), 1e-3, draws="replica", h=0.5),
    "weights": lambda: network(weighted(9), draws="replica"),
    "a glass of degree 29": lambda: network(whole(30, [-1.0, 1.0]), 9.0, sweeps=2, draws="replica"),
    "weights in whole numbers": lambda: network(whole(37, [-3.0, -1.0, 0.0, 2.0]), 7.0, h=0.4, draws="replica"),
    "large weights": lambda: network(whole(11, np.arange(-40.0, 41.0)), 90.0, draws="replica"),
    "weights that are multiples": lambda: network(whole(17, [-0.75, 0.5, 1.25]), 2.0, draws="replica"),
    "tenths": lambda: network(whole(17, [-0.3, 0.1, 0.2]), 1.0, draws="replica"),
    "bits with weights": lambda: network(whole(21, [-2.0, 1.0, 5.0], 0.5), h=1.5, levels="binary", draws="replica"),
    "fields in whole numbers": lambda: network(glass(25, 3), h=RNG.integers(-2, 3, 25) * 1.0, draws="replica"),
    "bits, fields and weights": lambda: network(
        whole(19, [-2.0, 1.0], 0.4), h=RNG.integers(-4, 5, 19) * 1.0, levels="binary", draws="replica"
    ),
    "weights so cold that nothing is left to chance": lambda: network(whole(12, [-2.0, 1.0]), 1e-3, draws="replica"),
    "units alone": lambda: network(glass(20, 1), h=0.5, draws="replica"),
    "fields": lambda: network(glass(20, 4), h=RNG.normal(size=20), draws="replica"),
    "temperatures": lambda: network(glass(20, 4), RNG.uniform(1, 2, 20), draws="replica"),
    "words of any graph": lambda: network(glass(150, 6), sweeps=2, draws="word"),
    "weights cooled": lambda: network(
        whole(40, [-3.0, 1.0, 2.0]), np.array([[300.0], [20.0], [0.7]]), sweeps=3, draws="replica"
    ),
    "words of bits": lambda: network(weighted(9), levels="binary", draws="word"),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("batch", "first_sample"), [(3, 0), (70, 30), (130, 64)])
def test_equal_to_the_reference(case, batch, first_sample):
    check(CASES[case](), batch=batch, first_sample=first_sample)


@pytest.mark.parametrize("draws", ["word", "replica"])
def test_a_drive_that_is_none_and_a_temperature_of_zero_go_the_way_of_the_reference(draws: str):
    """0 / 0 is what a network can make of its inputs, and a computed temperature may be 0."""
    with tc.Network("odd") as net:
        odd = tc.input("x", (6,)) / tc.input("by", (6,))
        tc.output("s", tc.gibbs(tc.abs(tc.input("T", ())), np.zeros((6, 6)), odd, draws=draws))
    inputs = {"x": np.tile([0.0, 0, 0, 1, -1, 1], (2, 40, 1)), "by": np.tile([0.0, 1, 1, 0, 1, 1], (2, 40, 1))}
    exe = tc.compile(net, "sim")
    for T in (0.0, 1.0):
        given = {**inputs, "T": np.full((2, 40), T)}
        expected = interpret(exe.graph, feed(exe.graph, given), seed=3).outputs["s"]
        np.testing.assert_array_equal(exe.run(given, seed=3)["s"], expected)
        # what comes out is what the tick before made
        assert (expected[1, :, 0] == -1).all() and 0 < np.mean(expected[1, :, 1] == 1) < 1


@pytest.mark.parametrize("case", ["a glass", "cooled", "weights in whole numbers", "bits, fields and weights"])
def test_equal_to_the_kernel_that_goes_unit_by_unit(case, monkeypatch):
    exe = tc.compile(CASES[case](), "sim")
    place = {"ticks": 5, "batch": 200, "seed": 11, "first_sample": 50}
    whole = exe.run(**place)["s"]
    monkeypatch.setattr(dispatch, "layout", lambda *given: None)
    np.testing.assert_array_equal(exe.run(**place)["s"], whole)


def test_the_layout_takes_whole_multiples_only():
    for numbers, q in (([2.0, -3.0], 1.0), ([0.5, 0.75], 0.25), ([0.3, -0.1], 0.1), ([0.0], 1.0), ([7.0, 7.0], 7.0)):
        found = dispatch.whole_multiples(np.array(numbers))
        assert found is not None
        assert found[0] == pytest.approx(q, rel=1e-15)
    for numbers in ([1.0, np.pi], [1.0, 1.0 + 1e-12], [1.0, 5000.0]):
        assert dispatch.whole_multiples(np.array(numbers)) is None


NARROW = """
import sys
import llvmlite.binding
features = llvmlite.binding.get_host_cpu_features()
features.update({{name: False for name in features if name.startswith("avx512")}})
llvmlite.binding.get_host_cpu_features = lambda: features
sys.path.insert(0, {tests!r})  # this file again, in a process of its own
from test_multispin import CASES, check, network, physics
from thermoc.simulator.kernels.simd import lanes
assert lanes.LANES == 4
for case in ("a glass", "cooled", "weights in whole numbers"):
    check(CASES[case](), batch=130, first_sample=64)
check(network(physics.square_lattice(128), 2.1, draws="word"), batch=1)
"""


@pytest.mark.slow
def test_a_narrower_vector_gives_the_same_words(tmp_path):
    code = NARROW.format(tests=os.path.dirname(__file__))
    given = {**os.environ, "THERMOC_CACHE": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=given, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("h", [0.0, 0.2])
@pytest.mark.parametrize("levels", ["spin", "binary"])
def test_lattice_equal_to_the_reference(h, levels):
    net = network(physics.square_lattice(128, 0.8), 2.1, h, levels=levels, draws="word", sweeps=2)
    exe = check(net, batch=2, ticks=3, first_sample=7)
    assert exe.artefact.program.code[:, 8].max() & 16  # the lattice's own kernel


def test_a_wide_lattice_whose_rows_are_cut_by_blocks():
    check(network(physics.square_lattice(384), 2.3, draws="word"), batch=1, ticks=2)


@pytest.mark.parametrize("case", ["a glass", "weights in whole numbers"])
def test_threads_blocks_and_splits_do_not_matter(case):
    net = CASES[case]()
    whole = tc.compile(net, "sim", threads=1).run(ticks=4, batch=600, seed=3)["s"]
    np.testing.assert_array_equal(tc.compile(net, "sim", threads=2).run(ticks=4, batch=600, seed=3)["s"], whole)
    exe = tc.compile(net, "sim")
    parts = [
        exe.run(ticks=4, batch=count, seed=3, first_sample=at)["s"] for at, count in ((0, 100), (100, 333), (433, 167))
    ]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)


@pytest.mark.slow
@pytest.mark.parametrize("draws", ["replica", "word"])
def test_they_sample_the_same_law(draws):
    """Mean energy of a 4 x 4 lattice at 4 standard errors (6e-5)."""
    exact = physics.enumerate_ising(physics.square_lattice(4).toarray(), 2.5)
    s = tc.compile(network(physics.square_lattice(4), 2.5, draws=draws), "sim").run(ticks=400, batch=512)["s"][50:]
    E = physics.ising_energy(s, physics.square_lattice(4)).mean(axis=0)
    assert abs(E.mean() - exact.U) < 4 * E.std(ddof=1) / np.sqrt(512)


@pytest.mark.slow
@pytest.mark.parametrize("T", [2.0, 3.0])
def test_lattice_against_onsager(T):
    """L = 64 is too small for whole words of a row, L = 128 is not; both at 4 standard errors."""
    for L, draws, batch, ticks, sweeps in ((64, "replica", 128, 40, 25), (128, "word", 24, 40, 25)):
        start = np.ones(L * L)
        with tc.Network("onsager") as net:
            s = tc.gibbs(T, physics.square_lattice(L), initial=start, draws=draws, sweeps=sweeps)
            tc.output("E", tc.ising_energy(s, physics.square_lattice(L)))
            tc.output("M", tc.abs(tc.reduce(s, kind="mean", axes=(0,))))
        run = tc.compile(net, "sim").run(ticks=ticks, batch=batch, seed=1)
        E = run["E"][20:].mean(axis=0) / L**2
        assert abs(E.mean() - physics.onsager_energy(T)) < 4 * E.std(ddof=1) / np.sqrt(batch)
        M = run["M"][20:].mean(axis=0)
        if T < physics.ISING_TC:
            assert abs(M.mean() - physics.onsager_magnetisation(T)) < 4 * M.std(ddof=1) / np.sqrt(batch)


def test_onnx_and_parallel_units_refuse_shared_words():
    with pytest.raises(tc.ThermocError, match=r'(?s)T301.*draws = .replica.*draws="unit"'):
        tc.compile(network(glass(8, 3), draws="replica"), "onnx")
    with pytest.raises(tc.ThermocError, match="T105"):
        network(glass(8, 3), draws="word", order="parallel")
