"""The conductance matrix of any grid, applied without being stored: every face's flux once, so that heat is kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.thermal.grid import Grid, Rim

Nodes = NDArray
"""Lumped nodes (axis, end, 3); empty (0, 2, 3) without a package."""


@dataclass(frozen=True, slots=True)
class Field:
    """One number of each cell (L, ny, nx), of each lumped node (axes, 2, 3), and of a sink (1,) or none (0,)."""

    cells: NDArray
    nodes: NDArray
    sink: NDArray

    def plus(self, factor: float, other: Field) -> Field:
        """Return self + factor other."""
        return Field(
            self.cells + factor * other.cells, self.nodes + factor * other.nodes, self.sink + factor * other.sink
        )

    def times(self, factor: float) -> Field:
        """Return factor self."""
        return Field(factor * self.cells, factor * self.nodes, factor * self.sink)

    def product(self, other: Field) -> Field:
        """Return self times another, number by number."""
        return Field(self.cells * other.cells, self.nodes * other.nodes, self.sink * other.sink)

    def dot(self, other: Field) -> float:
        """Return the scalar product."""
        projected = self.product(other)
        return float(projected.cells.sum() + projected.nodes.sum() + projected.sink.sum())


def conduct(g: Grid, rims: tuple[Rim, ...], T: Field) -> Field:
    """Return K T: the heat leaving each cell and node in W, reservoirs at zero included."""
    c = T.cells
    out = np.zeros_like(c)
    for axis, link in ((2, g.across), (1, g.up), (0, g.down)):
        # one flux a face, taken from one cell and given to the other: heat is conserved to rounding by construction
        low, high = facing(axis)
        flux = link * (c[low] - c[high])
        out[low] += flux
        out[high] -= flux
    out[0] += g.top * c[0]
    # an empty sink sums to zero: without one the face meets a reservoir, which is taken at zero here
    down = g.bottom * (c[-1] - T.sink.sum())
    out[-1] += down
    # the sink gathers what all cells of the last layer give it, and loses heat to the air alone
    sink = np.array([g.sink.air * T.sink[0] - down.sum()]) if g.sink else T.sink
    nodes = np.empty_like(T.nodes)
    for axis, rim in enumerate(rims):
        nodes[axis] = T.nodes[axis] @ rim.chain
        for end in (0, 1):
            edge = edge_of(axis, end)
            # edge cells meet the spreader's and the inner sink's nodes; the outer sink's lies beyond these
            flux = rim.edge[:, np.newaxis] * (c[edge] - T.nodes[axis, end, :2, np.newaxis])
            out[edge] += flux
            nodes[axis, end, :2] -= flux.sum(axis=1)
    return Field(out, nodes, sink)


def edge_of(axis: int, end: int):
    """Return the slice of spreader and sink (2, n) that meets the nodes of an axis (0 is x) at one end."""
    return np.s_[-2:, :, -end] if axis == 0 else np.s_[-2:, -end, :]


def capacities(g: Grid, rims: tuple[Rim, ...]) -> Field:
    """Return C of every cell and node in J/K."""
    nodes = np.zeros((len(rims), 2, 3))
    for axis, rim in enumerate(rims):
        nodes[axis] = rim.capacity
    return Field(g.capacity, nodes, np.array([g.sink.capacity] if g.sink else []))


def facing(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Return the cells (L, ny, nx) before and behind the inner faces of an axis."""
    low, high = [slice(None)] * 3, [slice(None)] * 3
    low[axis], high[axis] = slice(None, -1), slice(1, None)
    return tuple(low), tuple(high)
