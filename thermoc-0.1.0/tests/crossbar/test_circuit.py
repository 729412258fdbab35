"""Crossbars with resistive wires against badcrossbar's currents, a full nodal solve, Kirchhoff's laws and limits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from crossbars import nodal, random_cells

import thermoc as tc
from thermoc.physics.crossbar import transfer
from thermoc.simulator.crossbar import Circuit
from thermoc.simulator.crossbar import circuit as module


@pytest.fixture(scope="module")
def xbar32(shared: Path) -> dict[str, np.ndarray]:
    with np.load(shared / "device-reference" / "iii_crossbar" / "xbar32.npz") as file:
        return dict(file)


def test_currents_and_cells_of_the_reference(xbar32: dict[str, np.ndarray]):
    """Every current within 1e-9 of badcrossbar's and of a sparse LU's; power too."""
    r_word, r_bit = float(xbar32["r_word"]), float(xbar32["r_bit"])
    circuit = Circuit(G=1 / xbar32["R_ohm"], r_word=r_word, r_bit=r_bit)
    found = circuit.solve(xbar32["V_in"].T)
    for name in ("badcrossbar", "nodal"):
        np.testing.assert_allclose(found.currents, xbar32[f"I_out_{name}"], rtol=1e-9)
        np.testing.assert_allclose(found.cell_currents, np.moveaxis(xbar32[f"I_dev_{name}"], 2, 0), rtol=1e-9)
        np.testing.assert_allclose(circuit.currents(xbar32["V_in"].T), xbar32[f"I_out_{name}"], rtol=1e-9)
    np.testing.assert_allclose(found.source_power, xbar32["P_in_W"], rtol=1e-9)
    np.testing.assert_allclose(found.cell_power.sum(axis=(1, 2)), xbar32["P_device_W"], rtol=1e-9)
    wire = found.word_power.sum(axis=(1, 2)) + found.bit_power.sum(axis=(1, 2))
    np.testing.assert_allclose(wire, xbar32["P_wire_W"], rtol=1e-9)


@pytest.mark.parametrize(
    ("m", "n", "r_word", "r_bit"), [(7, 5, 20.0, 3.0), (40, 64, 100.0, 1.0), (1, 1, 5.0, 7.0), (33, 2, 1e-3, 1e3)]
)
def test_potentials_of_a_full_nodal_solve(m: int, n: int, r_word: float, r_bit: float):
    """Cells down to 100 ohms on wires of up to a kilohm: an order where wires are all that counts."""
    G, V = random_cells(m, n, low=2, high=6), np.random.default_rng(1).normal(size=m)
    word, bit = nodal(G, V, r_word, r_bit)
    circuit = Circuit(G=G, r_word=r_word, r_bit=r_bit)
    found = circuit.solve(V)
    room = 1e-10 * np.abs(V).max()
    np.testing.assert_allclose(found.word[0], word, rtol=0, atol=room)
    np.testing.assert_allclose(found.bit[0], bit, rtol=0, atol=room)
    np.testing.assert_allclose(
        circuit.currents(V),
        (G * (word - bit)).sum(axis=0),
        rtol=1e-10,
        atol=1e-10 * (G * np.abs(word)).sum(axis=0).max(),
    )


@pytest.mark.parametrize(("r_word", "r_bit"), [(2.0, 3.0), (0.0, 3.0), (2.0, 0.0), (1e-9, 1e-9)])
def test_power_and_kirchhoff_balance(r_word: float, r_bit: float):
    """What the sources give is what cells and wires turn into heat (to 1e-12), and every wire obeys Ohm's law.

    The powers come from currents alone, the potentials from the solver: they agree only where both are right.
    """
    V = np.random.default_rng(2).normal(size=(3, 20))
    found = Circuit(G=random_cells(20, 30), r_word=r_word, r_bit=r_bit).solve(V)
    heat = (found.cell_power + found.word_power + found.bit_power).sum(axis=(1, 2))
    np.testing.assert_allclose(heat, found.source_power, rtol=1e-11)
    along = np.flip(np.flip(found.cell_currents, 2).cumsum(axis=2), 2)
    before = np.concatenate([V[:, :, np.newaxis], found.word[:, :, :-1]], axis=2)
    np.testing.assert_allclose(before - found.word, r_word * along, rtol=0, atol=1e-12)
    after = np.concatenate([found.bit[:, 1:], np.zeros((3, 1, 30))], axis=1)
    np.testing.assert_allclose(found.bit - after, r_bit * found.cell_currents.cumsum(axis=1), rtol=0, atol=1e-12)


def test_ideal_wires_give_the_product_exactly():
    G, V = random_cells(17, 9), np.random.default_rng(3).normal(size=17)
    circuit = Circuit(G=G)
    assert np.array_equal(circuit.transfer, G.T)
    assert np.array_equal(circuit.solve(V).currents[0], (G * V[:, np.newaxis]).sum(axis=0))


def test_small_resistances_tend_to_the_ideal_product():
    """The deviation falls with r, down to rounding: nothing divides by r."""
    G, V = random_cells(16, 16), np.random.default_rng(4).uniform(0.1, 1, 16)
    off = []
    for r in (1.0, 1e-2, 1e-4, 1e-15):
        circuit = Circuit(G=G, r_word=r, r_bit=r)
        assert np.allclose(circuit.solve(V).currents[0], circuit.currents(V), rtol=1e-12)
        off.append(float(np.abs(circuit.currents(V) / (V @ G) - 1).max()))
    assert off[1] / off[0] == pytest.approx(1e-2, rel=0.05) and off[2] / off[1] == pytest.approx(1e-2, rel=0.01)
    assert off[3] < 1e-14


def test_reciprocity():
    """Turned by a right angle twice and with its ends exchanged, the same cells and wires have the transposed map."""
    G = random_cells(12, 7)
    one = transfer(G, 4.0, 9.0)
    other = transfer(np.ascontiguousarray(G[::-1, ::-1].T), 9.0, 4.0)
    np.testing.assert_allclose(other[::-1, ::-1].T, one, rtol=1e-12)


def test_cells_that_do_not_conduct():
    G = random_cells(10, 10)
    G[:, 3], G[5] = 0.0, 0.0
    V = np.ones(10)
    found = Circuit(G=G, r_word=5.0, r_bit=5.0).solve(V)
    assert found.currents[0, 3] == 0 and (found.cell_currents[0, 5] == 0).all()
    np.testing.assert_allclose(found.currents[0], transfer(G, 5.0, 5.0) @ V, rtol=1e-12)


def test_a_guess_near_by_saves_iterations_and_changes_nothing():
    G, V = random_cells(64, 64, low=3, high=5), np.random.default_rng(5).uniform(0, 0.2, (2, 64))
    cold = Circuit(G=G, r_word=5.0, r_bit=5.0).solve(V)
    warmer = Circuit(G=G * (1 + 1e-6), r_word=5.0, r_bit=5.0)
    warm, anew = warmer.solve(V, near=cold), warmer.solve(V)
    assert max(warm.iterations) < min(anew.iterations)
    np.testing.assert_allclose(warm.currents, anew.currents, rtol=1e-10)


def test_threads_batches_and_what_was_solved_before_change_nothing():
    """Arrays to work in are used again, by circuits of other sizes too."""
    circuit = Circuit(G=random_cells(21, 27), r_word=1.0, r_bit=1.0)
    V = np.random.default_rng(6).normal(size=(5, 21))
    whole = circuit.solve(V, threads=2)
    Circuit(G=random_cells(30, 9, low=2), r_word=50.0, r_bit=1.0).solve(np.ones(30))
    for part in (slice(0, 5), slice(3, 4)):
        found = circuit.solve(V[part], threads=1)
        assert np.array_equal(found.word, whole.word[part]) and np.array_equal(found.bit, whole.bit[part])


@pytest.mark.parametrize(
    ("code", "make"),
    [
        ("T405", lambda: Circuit(G=np.array([[1e-6, -1e-6]]))),
        ("T405", lambda: Circuit(G=np.array([[1e-6, np.nan]]))),
        ("T405", lambda: Circuit(G=np.ones(3))),
        ("T405", lambda: Circuit(G=np.ones((2, 2)), r_word=-1.0)),
        ("T402", lambda: Circuit(G=np.ones((2, 3))).solve(np.ones(3))),
        ("T402", lambda: Circuit(G=np.ones((2, 3))).currents([1.0, np.inf])),
    ],
)
def test_bad_input_is_refused(code: str, make):
    with pytest.raises(tc.ThermocError) as caught:
        make()
    assert caught.value.code == code


def test_potentials_that_do_not_converge_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MOST_ITERATIONS", 3)
    with pytest.raises(tc.ThermocError) as caught:
        Circuit(G=np.ones((20, 20)), r_word=10.0, r_bit=10.0).solve(np.ones(20))
    assert caught.value.code == "T412"


@pytest.mark.parametrize(("m", "n", "r", "low"), [(24, 24, 1.0, 4), (40, 12, 50.0, 2), (9, 50, 1e3, 2)])
def test_both_ways_to_the_map_agree_to_rounding(m: int, n: int, r: float, low: float):
    """Elimination in NumPy and unit inputs by conjugate gradients: what a target may use for the reference's map."""
    G = random_cells(m, n, low=low)
    exact = transfer(G, r, 2 * r)
    np.testing.assert_allclose(Circuit(G=G, r_word=r, r_bit=2 * r).transfer, exact, rtol=0, atol=2e-14 * exact.max())
