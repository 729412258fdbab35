"""Coupled binary units against exact enumeration; each statistical check is at 4 standard errors (6e-5)."""

# SciPy has no type stubs.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownArgumentType=false

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

import thermoc as tc
from thermoc.ir.colouring import clash, colouring
from thermoc.ir.dialects.core import Constant
from thermoc.ir.dialects.sampling import Gibbs
from thermoc.support.array_types import AnyArray, FloatArray


def lattice(L: int) -> FloatArray:
    """J = 1 between neighbours of the L x L torus."""
    J, place = np.zeros((L * L, L * L)), np.arange(L * L).reshape(L, L)
    for axis in (0, 1):
        neighbour = np.roll(place, 1, axis)
        J[place, neighbour] = J[neighbour, place] = 1
    return J


def sampled(
    J: AnyArray | csr_array,
    T: float,
    h: ArrayLike = 0.0,
    *,
    ticks: int,
    batch: int,
    seed: int = 1,
    levels: str = "spin",
    **attrs: Any,
) -> tc.Run:
    with tc.Network("gibbs") as net:
        s = tc.gibbs(T, J, h, levels=levels, **attrs)
        tc.output("s", s)
        tc.output("E", tc.ising_energy(s, J, h))
    return tc.compile(net, "sim").run(ticks=ticks, batch=batch, seed=seed)


def error(chains: AnyArray) -> float:
    """Standard error of the mean from independent chains (ticks, batch)."""
    return chains.mean(0).std(ddof=1) / np.sqrt(chains.shape[1])


@pytest.mark.parametrize("T", ["1.0", "2.0", "2.269185314", "3.0"])
def test_ising_4x4_against_enumeration(shared: Path, T: str):
    exact = json.loads((shared / "reference_values.json").read_text())["ising2d_4x4_periodic"][T]
    run = sampled(csr_array(lattice(4)), float(T), ticks=600, batch=400)
    E, M = run["E"][100:] / 16, np.abs(run["s"][100:].mean(-1))
    assert abs(E.mean() - exact["E_per_spin"]) < 4 * error(E)
    assert abs(M.mean() - exact["absM_per_spin"]) < 4 * error(M)
    C = (E - exact["E_per_spin"]) ** 2 * 16 / float(T) ** 2  # about the exact mean, so the estimate is linear
    assert abs(C.mean() - exact["C_per_spin"]) < 4 * error(C)


@pytest.mark.slow
@pytest.mark.parametrize("T", ["1.0", "2.0", "2.269185314", "3.0"])
def test_free_energy_and_entropy_4x4_by_integration(shared: Path, T: str):
    """F / T = -N ln 2 + the integral of U over 1/T from 0 (P48), U sampled at Gauss points; 4 standard errors."""
    exact = json.loads((shared / "reference_values.json").read_text())["ising2d_4x4_periodic"][T]
    nodes, weights = np.polynomial.legendre.leggauss(16)
    beta = (nodes + 1) / 2 / float(T)
    runs = [sampled(csr_array(lattice(4)), 1 / b, ticks=300, batch=200, seed=k)["E"][60:] for k, b in enumerate(beta)]
    share = weights / 2 / float(T)
    F = float(T) * (share @ [E.mean() for E in runs] - 16 * np.log(2))
    spread = float(T) * np.sqrt((share**2) @ [error(E) ** 2 for E in runs])
    assert abs(F / 16 - exact["F_per_spin"]) < 4 * spread / 16
    U = sampled(csr_array(lattice(4)), float(T), ticks=300, batch=200, seed=99)["E"][60:]
    S = (U.mean() - F) / float(T)
    assert abs(S / 16 - exact["S_per_spin"]) < 4 * np.hypot(error(U), spread) / float(T) / 16


def test_boltzmann_machine_of_ten_units(shared: Path):
    data = np.load(shared / "device-reference/v_analytic/pbit_boltzmann10.npz")
    s = sampled(data["J"], 1 / float(data["beta"]), data["h"], ticks=500, batch=300)["s"][50:]
    means = s.mean(0)
    z = (means.mean(0) - data["mean"]) / (means.std(0, ddof=1) / np.sqrt(len(means)))
    assert (np.abs(z) < 4).all()
    corr = np.einsum("tbi,tbj->bij", s, s) / len(s)
    off = ~np.eye(10, dtype=bool)
    z = ((corr.mean(0) - data["corr"]) / (corr.std(0, ddof=1) + 1e-300) * np.sqrt(len(corr)))[off]
    assert (np.abs(z) < 4.5).all()  # 45 pairs: false alarm 3e-4


def test_binary_levels_sample_the_qubo():
    Q = np.array([[1.0, -2.0, 0.5], [0.0, 0.3, 1.5], [0.0, 0.0, -0.7]])
    J, h = -(Q + Q.T) * (1 - np.eye(3)), -np.diag(Q)
    states = np.array(list(itertools.product((0, 1), repeat=3)))
    weight = np.exp(-np.einsum("ki,ij,kj->k", states, Q, states) / 0.8)
    s = sampled(J, 0.8, h, ticks=400, batch=300, levels="binary", initial=0.0)["s"][20:]
    seen = (s @ [4, 2, 1]).astype(int)
    for state, p in enumerate(weight / weight.sum()):
        hits = (seen == state).astype(float)
        assert abs(hits.mean() - p) < 4 * error(hits)


def test_parallel_update_samples_something_else():
    J = np.array([[0.0, 1.0], [1.0, 0.0]])
    exact = np.tanh(1.0)
    right = sampled(J, 1.0, ticks=300, batch=200)["s"][20:].prod(-1)
    wrong = sampled(J, 1.0, ticks=300, batch=200, order="parallel")["s"][20:].prod(-1)
    assert abs(right.mean() - exact) < 4 * error(right)
    assert abs(wrong.mean() - exact) > 20 * error(wrong)


def test_colours_of_lattices_and_layers_are_two():
    torus = csr_array(lattice(6))
    assert np.array_equal(colouring(torus.indptr, torus.indices), np.indices((6, 6)).sum(0).reshape(-1) % 2)
    W = np.random.default_rng(0).normal(size=(5, 7))
    layers = csr_array(np.block([[np.zeros((5, 5)), W], [W.T, np.zeros((7, 7))]]))
    assert np.array_equal(colouring(layers.indptr, layers.indices), [0] * 5 + [1] * 7)


def test_stored_zeros_couple_nothing():
    J = csr_array((np.array([1.0, 0.0, 1.0, 0.0, 0.0, 0.0]), ([0, 0, 1, 1, 2, 2], [1, 2, 0, 2, 0, 1])), shape=(3, 3))
    with tc.Network("net") as net:
        tc.output("s", tc.gibbs(1.0, J))
    (op,) = net.graph.of(Gibbs)
    assert op.values is not None and op.colors is not None
    numbers = {c.y.name: c.value.numpy for c in net.graph.of(Constant)}
    assert len(numbers[op.values.name]) == 2 and numbers[op.colors.name].max() == 1
    assert J.nnz == 6, "the caller's matrix is the caller's"


@pytest.mark.parametrize("n", [5, 40, 3000])
def test_a_colouring_is_proven(n: int):
    rng = np.random.default_rng(n)
    pairs = rng.integers(0, n, (3 * n, 2))
    one_way = csr_array((np.ones(3 * n), pairs.T), shape=(n, n))
    J = csr_array(one_way + one_way.T)
    J.setdiag(0)
    J.eliminate_zeros()
    colors = colouring(J.indptr, J.indices)
    assert clash(J.indptr, J.indices, colors) is None
    assert len(np.unique(colors)) <= np.diff(J.indptr).max() + 1
    colors[J.indices[0]] = colors[np.repeat(np.arange(n), np.diff(J.indptr))[0]]
    assert clash(J.indptr, J.indices, colors) is not None


@pytest.mark.parametrize(
    ("J", "more", "code", "fact"),
    [
        ([[0.0, 1.0], [1.0, 0.0]], {"colors": np.array([0, 0])}, "T112", "units 0 and 1 are coupled"),
        ([[0.0, 1.0], [1.0, 0.5]], {}, "T105", "J[1, 1] = 0.5"),
        ([[0.0, np.nan], [np.nan, 0.0]], {}, "T107", "[0, 1] = nan"),
        ([[0.0, 1.0, 2.0]], {}, "T103", "J"),
        (csr_array([[0.0, 0.0], [np.nan, 0.0]]), {}, "T107", "J[1, 0] = nan"),
    ],
)
def test_wrong_couplings_are_named(J: Any, more: dict[str, Any], code: str, fact: str):
    with pytest.raises(tc.ThermocError) as caught, tc.Network("wrong"):
        tc.output("s", tc.gibbs(1.0, J if isinstance(J, csr_array) else np.array(J), **more))
    assert code in str(caught.value) and fact in str(caught.value)
