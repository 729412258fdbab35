"""Temperatures of cells: heat that leaves is heat that is made, crosstalk, and the balance of a self-heating cell."""

from __future__ import annotations

import numpy as np
import pytest
from crossbars import random_cells
from scipy.optimize import brentq

import thermoc as tc
from thermoc.simulator.crossbar import Circuit, HeatedCells, lattice_ratio, rise, settle


def test_without_crosstalk_each_cell_is_on_its_own():
    P = np.random.default_rng(0).random((4, 5)) * 1e-6
    assert np.array_equal(rise(P, 1e6), 1e6 * P)


@pytest.mark.parametrize("alpha", [0.01, 0.1, 0.2])
def test_the_lattice_obeys_its_equation_and_keeps_heat(alpha: float):
    """(1 + rho L) dT = R P at every cell, edges insulated; the mean rise is R times the mean power."""
    P, R, rho = np.random.default_rng(1).random((6, 9)), 1e6, lattice_ratio(alpha)
    dT = rise(P, R, alpha)
    padded = np.pad(dT, 1, mode="edge")
    L = 4 * dT - padded[2:, 1:-1] - padded[:-2, 1:-1] - padded[1:-1, 2:] - padded[1:-1, :-2]
    np.testing.assert_allclose(dT + rho * L, R * P, rtol=1e-12)
    assert dT.mean() == pytest.approx(R * P.mean(), rel=1e-13)


def test_crosstalk_to_first_order():
    """A neighbour's rise over the cell's own tends to alpha as alpha falls, its error as alpha^2."""
    P = np.zeros((31, 31))
    P[15, 15] = 1.0
    off = []
    for alpha in (0.04, 0.02, 0.01):
        dT = rise(P, 1.0, alpha)
        off.append(abs(dT[15, 16] / dT[15, 15] / alpha - 1))
    assert (
        off[0] < 0.05
        and off[1] / off[0] == pytest.approx(1 / 4, rel=0.3)
        and off[2] / off[1] == pytest.approx(1 / 4, rel=0.3)
    )


def test_laws_of_conductance():
    """Arrhenius against exp(-Ea/kT) in SI, and its derivative at T0 against the linear law."""
    G0 = np.array([1e-5])
    hot = HeatedCells(R_th=1.0, law="arrhenius", coefficient=0.2, T0=300.0).conductance(G0, 330.0)
    exact = 1e-5 * np.exp(-0.2 * 1.602176634e-19 / 1.380649e-23 * (1 / 330 - 1 / 300))
    assert hot[0] == pytest.approx(exact, rel=1e-12)
    slope = 0.2 * 11604.518 / 300**2
    straight = HeatedCells(R_th=1.0, coefficient=slope).conductance(G0, 300.001)
    assert straight[0] == pytest.approx(
        HeatedCells(R_th=1.0, law="arrhenius", coefficient=0.2).conductance(G0, 300.001)[0], rel=1e-9
    )
    assert HeatedCells(R_th=1.0, coefficient=-0.1).conductance(G0, 400.0)[0] == 0


def test_one_cell_settles_at_its_closed_form():
    """Linear law, no wires: T - T0 = R V^2 G0 (1 + a (T - T0)) has the root R V^2 G0 / (1 - a R V^2 G0)."""
    G0, V, R, a = 1e-4, 0.5, 1e6, 0.01
    found = settle(np.array([[G0]]), [V], HeatedCells(R_th=R, coefficient=a), tolerance=1e-11)
    P0 = R * V**2 * G0
    assert found.T[0, 0] - 300 == pytest.approx(P0 / (1 - a * P0), rel=1e-10)


def test_one_cell_behind_a_wire_settles_at_the_root_of_its_balance():
    """Arrhenius, in series with two wire resistances; the root by bisection."""
    G0, V, R, r = 1e-4, 1.0, 2e5, 500.0
    cells = HeatedCells(R_th=R, law="arrhenius", coefficient=0.1)

    def missing(T: float) -> float:
        G = cells.conductance(np.array([G0]), T)[0]
        return T - 310.0 - R * G * (V / (1 + 2 * r * G)) ** 2

    found = settle(np.array([[G0]]), [V], cells, grid=310.0, r_word=r, r_bit=r, tolerance=1e-11)
    assert found.T[0, 0] == pytest.approx(brentq(missing, 300, 500, xtol=1e-12), abs=1e-8)


def test_the_state_found_is_in_balance():
    """Conductances are those of the temperatures, temperatures those of the heat."""
    G0, V = random_cells(8, 8), np.full(8, 0.4)
    cells = HeatedCells(R_th=1e6, crosstalk=0.1, law="arrhenius", coefficient=0.05)
    found = settle(G0, V, cells, r_word=5.0, r_bit=5.0)
    again = Circuit(G=cells.conductance(G0, found.T), r_word=5.0, r_bit=5.0).solve(V)
    np.testing.assert_allclose(cells.temperature(again.cell_power[0], 300.0), found.T, atol=1e-8)
    assert found.T.max() > 300.1


def test_a_runaway_is_told_with_its_cell():
    G0 = random_cells(3, 3)
    G0[1, 2] = 1e-3
    with pytest.raises(tc.ThermocError, match=r"cell \(1, 2\)") as caught:
        settle(G0, np.ones(3), HeatedCells(R_th=1e6, law="arrhenius", coefficient=0.3))
    assert caught.value.code == "T412"


@pytest.mark.parametrize(
    "make",
    [
        lambda: HeatedCells(R_th=-1.0),
        lambda: HeatedCells(R_th=1.0, crosstalk=0.25),
        lambda: HeatedCells(R_th=1.0, law="cubic"),
        lambda: rise(np.ones((2, 2)), 1.0, -0.1),
    ],
)  # type: ignore[arg-type]
def test_bad_input_is_refused(make):
    with pytest.raises(tc.ThermocError) as caught:
        make()
    assert caught.value.code == "T405"
