"""The solver of dies whose layers hold inlays: Crank-Nicolson with a damped start, conjugate gradients.

Each step of constant power is cut into substeps; the first is taken as two backward Euler halves, which damp what a
jump of power excites and Crank-Nicolson would leave ringing (Rannacher, Numer. Math. 43:309, 1984): second order in
the substep, stable at any. All substeps share one matrix, C + h/2 K, whose preconditioner is the die of uniform
layers of the same mean conductance along each layer, inverted by cosine transforms, scaled by each cell's own share.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.thermal import modal
from thermoc.simulator.thermal.conduction import Field, capacities, conduct, facing
from thermoc.simulator.thermal.grid import Grid, Shape, grid, rims
from thermoc.simulator.thermal.ledger import Ledger
from thermoc.simulator.thermal.packaged import NODES, SIDES
from thermoc.simulator.thermal.stack import Stack
from thermoc.simulator.thermal.uniform import no_way_out
from thermoc.support.errors import error

TOLERANCE = 1e-12
"""Of a solve's residual, relative to its right-hand side."""
MOST_ITERATIONS = 2000


class VariedSolver:
    """Temperature rises of cells, lumped nodes and a sink are the state."""

    def __init__(
        self, stack: Stack, shape: Shape, sources: tuple[int, ...], substeps: int, cosines: modal.CosineTransform
    ):
        if substeps < 1:
            raise error("T404", "a step needs a substep", notes=[f"substeps = {substeps!r}"])
        self.grid, self.rims = grid(stack, shape), rims(stack, shape) or ()
        self.sources, self.substeps = sources, substeps
        self.capacity = capacities(self.grid, self.rims)
        self.top_rise = stack.top.temperature - stack.ambient if stack.top else 0.0
        self.bottom_rise = stack.below.temperature - stack.ambient if stack.below else 0.0
        # the preconditioner's: a die of uniform layers, which the cosine modes solve exactly
        self.modes = modal.modes(uniform(self.grid), cosines)
        self.preconditioner = lru_cache(8)(self._preconditioner)

    def start(self, rise: NDArray) -> Field:
        """Return the state of a temperature rise (L, ny, nx); nodes and sink take one that is the same everywhere."""
        same = rise.flat[0] if np.ptp(rise) == 0 else 0.0
        return Field(np.array(rise), np.full_like(self.capacity.nodes, same), np.full_like(self.capacity.sink, same))

    def rise(self, x: Field) -> NDArray:
        """Return the temperature rise (L, ny, nx)."""
        return x.cells

    def rise_of(self, x: Field, layer: int) -> NDArray:
        """Return the temperature rise (ny, nx) of one layer."""
        return x.cells[layer]

    def rim(self, x: Field) -> dict[str, float]:
        """Return the rises of the lumped nodes and the sink by name."""
        sink = {"sink": float(x.sink[0])} if self.grid.sink else {}
        return sink | {
            f"{node} {SIDES[axis][end]}": float(x.nodes[axis, end, n])
            for n, node in enumerate(NODES)
            for axis in range(len(self.rims))
            for end in (0, 1)
        }

    def step(self, x: Field, power: NDArray, dt: float) -> tuple[Field, Ledger]:
        """Return the state after ``dt`` of constant power (sources, ny, nx)."""
        # constant over the whole step: substeps are for accuracy alone
        b, h = self._inflow(power), dt / self.substeps
        after, heat, change = self._damped(x, b, h)
        for _ in range(self.substeps - 1):
            # the last change is the best guess at the next
            change = self._solve(h / 2, self._pull(after, b).times(h), change)
            # heat by the rule that moves the state, the trapezium: any other would not close the ledger
            heat += h / 2 * self._heat(after)
            after = after.plus(1.0, change)
            heat += h / 2 * self._heat(after)
        stored = self.capacity.dot(after.plus(-1.0, x))
        top, bottom = (float(flow) for flow in heat)
        return after, Ledger(dt=dt, work=float(power.sum()) * dt, heat_top=top, heat_bottom=bottom, stored=stored)

    def _damped(self, x: Field, b: Field, h: float) -> tuple[Field, NDArray, Field]:
        """Return the state after two backward Euler halves of h, the heat that left (2,), and a guess at h's change."""
        # two halves with the matrix of h / 2 that Crank-Nicolson uses too: one preconditioner serves all
        change = self._solve(h / 2, self._pull(x, b).times(h / 2), None)
        x = x.plus(1.0, change)
        heat = h / 2 * self._heat(x)
        change = self._solve(h / 2, self._pull(x, b).times(h / 2), change)
        x = x.plus(1.0, change)
        return x, heat + h / 2 * self._heat(x), change.times(2.0)

    def steady(self, power: NDArray) -> Field:
        """Return the state in which nothing changes (P20). Errors: T413."""
        if not (self.grid.top.any() or self.grid.bottom.any()):
            raise no_way_out()
        # a step of infinite length: K alone is left of the matrix
        return self._solve(np.inf, self._inflow(power), None)

    def energy(self, x: Field) -> float:
        """Return sum of C (T - T_ambient) in J, lumped nodes included."""
        return self.capacity.dot(x)

    def _pull(self, x: Field, inflow: Field) -> Field:
        """Return the heat that enters each cell and node, in W."""
        return inflow.plus(-1.0, conduct(self.grid, self.rims, x))

    def _inflow(self, power: NDArray) -> Field:
        cells = np.zeros_like(self.capacity.cells)
        for layer, watts in zip(self.sources, power):
            cells[layer] += watts
        cells[0] += self.grid.top * self.top_rise
        sink = np.zeros_like(self.capacity.sink)
        if self.grid.sink:
            sink += self.grid.sink.air * self.bottom_rise
        else:
            cells[-1] += self.grid.bottom * self.bottom_rise
        return Field(cells, np.zeros_like(self.capacity.nodes), sink)

    def _heat(self, x: Field) -> NDArray:
        """Return the heat that leaves through the top, and through the bottom or the package, in W."""
        if self.grid.sink:
            below = self.grid.sink.air * (x.sink[0] - self.bottom_rise)
        else:
            below = (self.grid.bottom * (x.cells[-1] - self.bottom_rise)).sum()
        below += sum((x.nodes[axis] * rim.air).sum() for axis, rim in enumerate(self.rims))
        return np.array([(self.grid.top * (x.cells[0] - self.top_rise)).sum(), below])

    def _matrix(self, h: float, x: Field) -> Field:
        """Return (C + h K) x, or K x where h is infinite."""
        K = conduct(self.grid, self.rims, x)
        if h == np.inf:
            return K
        return self.capacity.product(x).plus(h, K)

    def _solve(self, h: float, b: Field, guess: Field | None) -> Field:
        """Return x of (C + h K) x = b by preconditioned conjugate gradients. Errors: T409 where they do not settle."""
        x = guess or b.times(0.0)
        r = b.plus(-1.0, self._matrix(h, x)) if guess else b
        goal = TOLERANCE**2 * b.dot(b)
        precondition, p, before = self.preconditioner(h), None, 1.0
        for _ in range(MOST_ITERATIONS):
            # not <, so that a right-hand side of zero is solved at once
            if r.dot(r) <= goal:
                return x
            z = precondition(r)
            now = r.dot(z)
            p = z if p is None else z.plus(now / before, p)
            q = self._matrix(h, p)
            size = now / p.dot(q)
            x, r, before = x.plus(size, p), r.plus(-size, q), now
        notes = [f"residual {np.sqrt(r.dot(r) / b.dot(b)):.3g} after {MOST_ITERATIONS} rounds"]
        raise error("T409", "the heat equation's solver did not settle", notes=notes)

    def _balance(self, h: float) -> NDArray:
        """Return the root of the plain die's diagonal over this one's, cell by cell."""
        plain = uniform(self.grid)
        if h == np.inf:
            return np.sqrt(diagonal(plain) / diagonal(self.grid))
        return np.sqrt((plain.capacity + h * diagonal(plain)) / (self.grid.capacity + h * diagonal(self.grid)))

    def _preconditioner(self, h: float):
        """Return r -> M r with M near (C + h K)^(-1)."""
        m = self.modes
        z = 0.0 if h == np.inf else 1 / h
        factor = 1 / (m.rate + z)
        if h != np.inf:
            factor = factor / h
        nodes = [
            np.linalg.inv(_alone(rim, axis, self.grid) + z * np.diag(rim.capacity))
            for axis, rim in enumerate(self.rims)
        ]
        scale = 1.0 if h == np.inf else 1 / h

        root, layers = self._balance(h), len(self.grid.capacity)

        def apply(r: Field) -> Field:
            hat = np.zeros_like(m.rate)
            hat[:layers] = m.cosines.forward(root * r.cells)
            hat[layers:, 0, 0] = r.sink / np.sqrt(m.cells)
            a = np.einsum("lixy,lxy->ixy", m.shape, hat)
            a *= factor
            rise = modal.rise(m, a)
            out = [r.nodes[axis] @ W * scale for axis, W in enumerate(nodes)]
            return Field(root * rise[:layers], np.array(out).reshape(r.nodes.shape), rise[layers:, 0, 0])

        return apply


def diagonal(g: Grid) -> NDArray:
    """Return the sum of the conductances that meet in each cell (L, ny, nx)."""
    total = np.zeros_like(g.capacity)
    for axis, link in ((2, g.across), (1, g.up), (0, g.down)):
        for side in facing(axis):
            total[side] += link
    total[0] += g.top
    total[-1] += g.bottom
    return total


def uniform(g: Grid) -> Grid:
    """Return the grid of the same shape whose layers are uniform: geometric means of conductances, means of C."""
    # geometric: conductances may differ by orders of magnitude, and a plain mean would be next to the largest
    mean = {name: _geometric(getattr(g, name)) for name in ("across", "up", "down", "top", "bottom")}
    capacity = np.broadcast_to(g.capacity.mean(axis=(1, 2), keepdims=True), g.capacity.shape)
    return replace(g, capacity=capacity, **mean)


def _geometric(link: NDArray) -> NDArray:
    """Return geometric means over the plane, spread over it again; zero stays zero."""
    # a face that is adiabatic has no logarithm, and stays so
    if not link.size or not link.any():
        return link
    return np.broadcast_to(np.exp(np.log(link).mean(axis=(-2, -1), keepdims=True)), link.shape)


def _alone(rim, axis: int, g: Grid) -> NDArray:
    """Return the matrix (3, 3) of a side's nodes with the edge cells held still."""
    cells = g.capacity.shape[1 + axis]
    return rim.chain + np.diag([*(cells * rim.edge), 0.0])
