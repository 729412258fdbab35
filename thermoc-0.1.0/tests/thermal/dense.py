"""An oracle: the whole network as one dense matrix, stepped by the matrix exponential."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import expm

from thermoc.simulator.thermal.grid import grid, rims


@dataclass
class Dense:
    """Capacity C (n,), conductances K (n, n) with reservoirs at nought, inflow from reservoirs (n,)."""

    C: np.ndarray
    K: np.ndarray
    inflow: np.ndarray
    cells: np.ndarray

    def power(self, watts, layers):
        b = self.inflow.copy()
        for layer, part in zip(layers, np.reshape(watts, (len(layers), -1))):
            b[self.cells[layer].ravel()] += part
        return b

    def step(self, rise, b, dt):
        settled = np.linalg.solve(self.K, b)
        return settled + expm(-self.K / self.C[:, None] * dt) @ (rise - settled)


def dense(stack, shape):
    g = grid(stack, shape)
    n = g.capacity.size
    cells = np.arange(n).reshape(g.capacity.shape)
    lumped = 12 if stack.package else 1 if stack.sink else 0
    K, C = np.zeros((n + lumped,) * 2), np.zeros(n + lumped)
    C[:n] = g.capacity.ravel()
    link(K, cells[:, :, 1:], cells[:, :, :-1], g.across)
    link(K, cells[:, 1:], cells[:, :-1], g.up)
    link(K, cells[1:], cells[:-1], g.down)
    inflow = np.zeros(n + lumped)
    if stack.sink:
        link(K, cells[-1], np.full(cells[-1].shape, n), g.bottom)
        K[n, n] += 1 / stack.sink.resistance
        C[n] = stack.sink.capacity
        inflow[n] = (stack.sink.temperature - stack.ambient) / stack.sink.resistance
    below = np.zeros_like(g.bottom) if stack.sink else g.bottom
    for face, side, conductance in ((stack.top, 0, g.top), (stack.bottom, -1, below)):
        K[cells[side].ravel(), cells[side].ravel()] += conductance.ravel()
        if face is not None:
            inflow[cells[side].ravel()] += conductance.ravel() * (face.temperature - stack.ambient)
    for axis, rim in enumerate(rims(stack, shape) or ()):
        for end in (0, 1):
            first = n + 6 * axis + 3 * end
            K[first : first + 3, first : first + 3] += rim.chain
            C[first : first + 3] = rim.capacity
            for plate in (0, 1):
                edge = cells[plate - 2][:, -end] if axis == 0 else cells[plate - 2][-end]
                link(K, edge, np.full(edge.shape, first + plate), rim.edge[plate])
    return Dense(C, K, inflow, cells)


def link(K, a, b, g):
    for i, j, k in zip(a.ravel(), b.ravel(), np.broadcast_to(g, a.shape).ravel()):
        K[i, i] += k
        K[j, j] += k
        K[i, j] -= k
        K[j, i] -= k
