"""Quasi-static temperatures of cells: that of the grid below, their own Joule heat, and their neighbours'.

A cell of thermal resistance R_th to the grid gives heat to its four neighbours too. With rho the ratio of lateral to
vertical conductance, (1 + rho L) dT = R_th P on the lattice, L its Laplacian with insulated edges, so that all heat
still leaves through the grid: the mean rise is R_th times the mean power. The crosstalk alpha = dT of a neighbour / dT
of the cell is to first order rho / (1 + 4 rho), and that is how a given alpha is read: rho = alpha / (1 - 4 alpha).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import dctn, idctn

from thermoc.simulator.arrays import numbers, spread
from thermoc.simulator.crossbar.circuit import Circuit, Solution
from thermoc.support.errors import error

K_PER_EV = 11604.518121550082
"""Kelvins of one electronvolt, e / k_B (2019 SI, exact to these digits)."""
HOTTEST = 3000.0
"""Kelvins at which a cell counts as run away: no electrode or oxide of these devices is solid there."""
Law = Literal["linear", "arrhenius"]


@dataclass(frozen=True, kw_only=True)
class HeatedCells:
    """How a cell warms and what warmth does to it.

    R_th: kelvins a watt to the grid. crosstalk: alpha, from 0 to below 1/4. law and coefficient:
    G = G0 (1 + coefficient (T - T0)) in 1/K ("linear"), or G0 exp(coefficient e/k_B (1/T0 - 1/T)) in eV ("arrhenius").
    Errors: T405.
    """

    R_th: float
    crosstalk: float = 0.0
    law: Law = "linear"
    coefficient: float = 0.0
    T0: float = 300.0

    def __post_init__(self) -> None:
        for name in ("R_th", "crosstalk", "coefficient", "T0"):
            if numbers(name, getattr(self, name), code="T405").ndim:
                raise error("T405", f"{name} is one number", notes=[f"got {getattr(self, name)!r}"])
        lattice_ratio(self.crosstalk)
        if not (self.R_th >= 0 and math.isfinite(self.R_th)):
            raise error("T405", "R_th must be a thermal resistance >= 0", notes=[f"it is {self.R_th} K/W"])
        if self.law not in ("linear", "arrhenius") or not math.isfinite(self.coefficient) or not self.T0 > 0:
            notes = [f"law = {self.law!r}, coefficient = {self.coefficient}, T0 = {self.T0} K"]
            raise error("T405", "a law of conductance is linear or arrhenius, from T0 > 0", notes=notes)

    def conductance(self, G0: NDArray, T: ArrayLike) -> NDArray:
        """Return conductances at T of cells that have G0 at T0; a linear law stops at zero."""
        T = np.asarray(T, float)
        # a falling law would pass through zero, and a negative conductance would give power out of nothing
        if self.law == "linear":
            return G0 * np.maximum(1 + self.coefficient * (T - self.T0), 0.0)
        return G0 * np.exp(self.coefficient * K_PER_EV * (1 / self.T0 - 1 / T))

    def temperature(self, P: NDArray, grid: ArrayLike) -> NDArray:
        """Return kelvins of cells (..., m, n) that dissipate P watts over a grid at ``grid`` kelvins."""
        return np.asarray(grid, float) + rise(P, self.R_th, self.crosstalk)


def lattice_ratio(crosstalk: float) -> float:
    """Return rho, lateral over vertical conductance, of a crosstalk alpha = rho / (1 + 4 rho). Errors: T405."""
    if not 0 <= crosstalk < 0.25:
        notes = [f"it is {crosstalk}", "alpha = rho / (1 + 4 rho) stays below 1/4 for every rho"]
        raise error("T405", "crosstalk must be from 0 to below 1/4", notes=notes)
    return crosstalk / (1 - 4 * crosstalk)


def rise(P: NDArray, R_th: float, crosstalk: float = 0.0) -> NDArray:
    """Return the rise in K of cells (..., m, n) that dissipate P: (1 + rho L) dT = R_th P, by cosine transform."""
    rho = lattice_ratio(crosstalk)
    # without neighbours exact, cell by cell: the transforms would round
    if rho == 0:
        return R_th * P
    m, n = P.shape[-2:]
    # eigenvalues of the lattice's Laplacian with insulated edges, which the cosine transform makes diagonal
    modes = [2 - 2 * np.cos(np.pi * np.arange(size) / size) for size in (m, n)]
    decay = 1 + rho * (modes[0][:, np.newaxis] + modes[1])
    # the mean's mode is divided by one: whatever the crosstalk, all heat leaves through the grid below
    spectrum: NDArray = np.asarray(dctn(P, axes=(-2, -1), norm="ortho")) / decay
    return R_th * np.asarray(idctn(spectrum, axes=(-2, -1), norm="ortho"))


@dataclass(frozen=True, kw_only=True, eq=False)
class Settled:
    """Cells in balance with their own heat: conductances and temperatures (m, n), the solution, and how many rounds."""

    G: NDArray
    T: NDArray
    solution: Solution
    rounds: int


def settle(
    G0: NDArray,
    V: ArrayLike,
    cells: HeatedCells,
    *,
    grid: ArrayLike = 300.0,
    r_word: float = 0.0,
    r_bit: float = 0.0,
    tolerance: float = 1e-9,
    most: int = 200,
) -> Settled:
    """Return the state in which each cell has the conductance of its own temperature, for one input V (m).

    grid: kelvins below the cells, one or (m, n). tolerance: kelvins a round may still change. Errors: T412 where the
    cells run away or do not settle, with the hottest one.
    """
    G0 = Circuit(G=G0).G  # refused where it is no matrix of conductances
    grid, near, count = spread("grid", grid, G0.shape), None, 0
    if not (grid > 0).all():
        raise error("T405", "a temperature of the grid is not above 0 K", notes=[f"the least is {grid.min():g} K"])
    T = grid
    # plain iteration: where conductance rises with T it diverges just where the cells would run away
    for count in range(1, most + 1):
        G = cells.conductance(G0, T)
        # from the last round's potentials: conductances change little between rounds
        near = Circuit(G=G, r_word=r_word, r_bit=r_bit).solve(V, near=near)
        new = cells.temperature(near.cell_power[0], grid)
        moved, T = float(np.abs(new - T).max()), new
        if T.max() > HOTTEST:
            break
        if moved <= tolerance:
            return Settled(G=G, T=T, solution=near, rounds=count)
    assert near is not None
    i, j = np.unravel_index(int(T.argmax()), T.shape)
    what = "a cell of a crossbar runs away" if T.max() > HOTTEST else "the cells of a crossbar do not settle"
    notes = [
        f"cell ({i}, {j}) is at {T[i, j]:.6g} K after {count} rounds",
        f"it carries {near.cell_currents[0, i, j]:.6g} A over a grid at {np.broadcast_to(grid, T.shape)[i, j]:.6g} K",
    ]
    raise error("T412", what, notes=notes, hint="lower the input voltages, or the thermal resistance")
