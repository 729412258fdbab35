"""A die on a grid: temperatures in K, power in W of each cell, one call a time slot.

die = Die(stack, (64, 64))
state = die.start(300.0)
state, ledger = die.step(state, power, 1e-3)       # power (ny, nx), or (sources, ny, nx) in the layers' order
die.temperature(state, "active")                   # (ny, nx) in K
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thermoc.simulator.arrays import count, numbers, spread
from thermoc.simulator.thermal.floorplan import Binning
from thermoc.simulator.thermal.grid import Shape
from thermoc.simulator.thermal.ledger import Ledger
from thermoc.simulator.thermal.modal import CosineTransform, FastCosines
from thermoc.simulator.thermal.packaged import PackagedSolver
from thermoc.simulator.thermal.stack import Stack
from thermoc.simulator.thermal.uniform import UniformSolver
from thermoc.simulator.thermal.varied import VariedSolver
from thermoc.support.errors import error

MOST_ENTRIES = 1 << 26
"""Of the table of modes, cells times layers: half a gigabyte."""


@dataclass(frozen=True, slots=True)
class DieState:
    """A die's heat at ``time`` in s; what it holds is its solver's own."""

    time: float
    held: Any


class Die:
    """A stack on ``shape`` (ny, nx) cells, with the solver that suits it.

    Uniform layers are stepped exactly in time, with or without a package; layers with inlays by Crank-Nicolson in
    ``substeps`` a step, the first of them damped. processor: "cpu" or "cuda", where cosine transforms are taken: by
    FFT, or as products of matrices, which agree to rounding. Errors: T303 for another processor, T421 for a GPU that
    is not there, T405, T402 where a layer takes power and none does.
    """

    def __init__(self, stack: Stack, shape: Shape, *, substeps: int = 8, processor: str = "cpu"):
        self.stack, self.shape = stack, _shape(stack, shape)
        self.sources = tuple(i for i, layer in enumerate(stack.sheets) if layer.source)
        if not self.sources:
            raise error("T405", "no layer takes power", hint="mark one as a source")
        self.solver = self._solver(substeps, _cosines(processor, self.shape))

    def _solver(self, substeps: int, cosines: CosineTransform) -> UniformSolver | PackagedSolver | VariedSolver:
        # inlays break the cosine modes: they cost the exact step, and are solved by iteration
        if not self.stack.uniform:
            return VariedSolver(self.stack, self.shape, self.sources, substeps, cosines)
        kind = UniformSolver if self.stack.package is None else PackagedSolver
        return kind(self.stack, self.shape, self.sources, cosines)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the sheets from the top down, the package's spreader and sink included."""
        return tuple(sheet.name for sheet in self.stack.sheets)

    def start(self, temperature: ArrayLike | None = None) -> DieState:
        """Return the state of a temperature in K: one number, or (L, ny, nx); of the ambient where none is given.

        A sink and the package's lumped nodes start at the ambient, or at the one number. Errors: T402, T405.
        """
        T = numbers("a start", self.stack.ambient if temperature is None else temperature)
        full = (len(self.layers), *self.shape)
        if T.shape not in ((), full):
            notes = [f"it has shape {list(T.shape)}", f"the die has {list(full)} cells"]
            raise error("T402", "a start must be one temperature or one a cell", notes=notes)
        if not (np.isfinite(T).all() and (T > 0).all()):
            raise error("T405", "temperatures must be finite and > 0 K", notes=[f"the least is {T.min()!r}"])
        # rises and not temperatures: the equation is linear in them, and small ones keep their digits
        rise = T - self.stack.ambient
        return DieState(0.0, self.solver.start(np.broadcast_to(rise, full)))

    def step(self, state: DieState, power: ArrayLike, dt: float) -> tuple[DieState, Ledger]:
        """Return the state after ``dt`` s of constant power in W, and the step's ledger. Errors: T402, T403."""
        dt = float(spread("a step", dt, ()))
        if not dt > 0:
            raise error("T403", "a step must be > 0 s", notes=[f"it is {dt!r}"])
        stored, ledger = self.solver.step(state.held, self._power(power), float(dt))
        return DieState(state.time + dt, stored), ledger

    def steady(self, power: ArrayLike) -> DieState:
        """Return the state that this power settles to (P20). Errors: T402, T403, T413."""
        return DieState(np.inf, self.solver.steady(self._power(power)))

    def temperature(self, state: DieState, layer: int | str | None = None) -> NDArray:
        """Return temperatures in K: (L, ny, nx), or (ny, nx) of one layer by index or name."""
        if layer is None:
            return self.solver.rise(state.held) + self.stack.ambient
        index = self.stack.place(layer) if isinstance(layer, str) else layer
        return self.solver.rise_of(state.held, index) + self.stack.ambient

    def block_means(self, state: DieState, layer: int | str, binning: Binning) -> NDArray:
        """Return the mean temperature over each block (blocks,) in K."""
        return binning.means(self.temperature(state, layer))

    def rim(self, state: DieState) -> dict[str, float]:
        """Return the temperatures of a sink or the package's lumped nodes in K by name; empty without either."""
        return {name: rise + self.stack.ambient for name, rise in self.solver.rim(state.held).items()}

    def energy(self, state: DieState) -> float:
        """Return what all nodes hold above the ambient in J: the sum of C (T - T_ambient)."""
        return self.solver.energy(state.held)

    def _power(self, power: ArrayLike) -> NDArray:
        P = numbers("power", power)
        expected = (len(self.sources), *self.shape)
        if P.shape == self.shape and len(self.sources) == 1:
            P = P[np.newaxis]
        if P.shape != expected:
            notes = [
                f"it has shape {list(P.shape)}",
                f"{len(self.sources)} layers take power, on {list(self.shape)} cells",
            ]
            raise error("T402", "power must hold one number a cell of each source layer", notes=notes)
        # the sum first: one pass without an array of flags; only where it is not finite does a closer look pay
        if not np.isfinite(P.sum()) and not np.isfinite(P).all():
            layer, row, column = (int(i) for i in np.argwhere(~np.isfinite(P))[0])
            where = f"layer {self.layers[self.sources[layer]]!r}, row {row}, column {column}"
            raise error("T403", "a power is not finite", notes=[f"{where} holds {P[layer, row, column]}"])
        return P


def _cosines(processor: str, shape: Shape) -> CosineTransform:
    if processor == "cuda":
        from thermoc.simulator.cuda.cosines import DeviceCosines

        return DeviceCosines(shape)
    if processor != "cpu":
        raise error("T303", "a die is stepped on cpu or cuda", notes=[f"processor = {processor!r}"])
    return FastCosines()


def _shape(stack: Stack, shape: Shape) -> Shape:
    if np.shape(shape) != (2,):
        raise error("T402", "a grid has a shape of two whole numbers, (ny, nx)", notes=[f"it is {shape!r}"])
    ny, nx = (count("a side of the grid", n) for n in shape)
    # the table of modes holds a matrix of layers by layers for each cell, hence the square
    if min(ny, nx) < 1 or ny * nx * len(stack.sheets) ** 2 > MOST_ENTRIES:
        notes = [
            f"asked for {ny} x {nx} cells in {len(stack.sheets)} layers",
            f"at most {MOST_ENTRIES} cells times layers",
        ]
        raise error("T405", "a grid needs a cell, and no more than the limit", notes=notes)
    return ny, nx
