"""A die's cells joined to the lumped nodes beyond its sides: (A + z)^(-1) in the cosine modes.

The nodes touch edge cells only, so the modes of the plain stack solve all but the fluxes f over the edges:
with D = 1/(rate + z), F the edges' temperatures of the amplitudes, R those of the nodes and W = (z C + G)^(-1) theirs,

    (1/g + F D F^T + R W R^T) f = F D r - R W r_nodes,   a = D (r - F^T f),   u = W (r_nodes + R^T f).

Opposite sides are alike, so sums and differences of theirs meet even and odd waves only: four sectors that never
mix. An edge's flux is kept in cosine modes along it, where the die's own rows and columns stay apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.thermal.grid import Rim
from thermoc.simulator.thermal.modal import Modes


@dataclass(frozen=True, kw_only=True)
class Sector:
    """Waves of one parity along y and one along x: (nq, np) of them, in L eigenmodes each.

    plates (2, L, nq, np): the modes' shapes in spreader and sink; column (np,) and row (nq,): twice-folded edge values of
    the cosines. Of the rims, along x and along y, ``met`` says which have nodes here: only the flat wave along an edge
    meets them, with ``weight``.
    """

    parity: tuple[int, int]
    rate: NDArray
    plates: NDArray
    row: NDArray
    column: NDArray
    rims: tuple[Rim, Rim]
    weight: tuple[float, float]

    @property
    def met(self) -> tuple[bool, bool]:
        """Whether the nodes beyond the sides in x, and in y, lie in this sector."""
        return self.parity[0] == 0, self.parity[1] == 0

    def cut(self, a: NDArray) -> NDArray:
        """Return this sector's part (..., nq, np) of amplitudes, a view."""
        return a[..., self.parity[0] :: 2, self.parity[1] :: 2]

    def nodes(self, u: NDArray, axis: int) -> NDArray:
        """Return this sector's nodes (3,) beyond the sides of an axis, a view of u (axis, parity, 3)."""
        return u[axis, self.parity[1 - axis]]


@dataclass(frozen=True, kw_only=True)
class Inverse:
    """(A + z)^(-1) of one sector for several z: weight (K, L, nq, np), nodes per axis (K, 3, 3), edges (K, E, E)."""

    weight: NDArray
    seen: NDArray
    nodes: tuple[NDArray, NDArray]
    edges: NDArray


def sectors(m: Modes, rims: tuple[Rim, Rim]) -> tuple[Sector, ...]:
    """Return the four sectors of a die with a rim."""
    _, ny, nx = m.rate.shape
    weight = (float(np.sqrt(ny)), float(np.sqrt(nx)))

    def sector(b: int, s: int) -> Sector:
        part = np.s_[..., b::2, s::2]
        return Sector(
            parity=(b, s),
            rate=np.ascontiguousarray(m.rate[part]),
            plates=np.ascontiguousarray(m.shape[-2:][part]),
            row=edge_values(ny)[b::2],
            column=edge_values(nx)[s::2],
            rims=rims,
            weight=weight,
        )

    return tuple(sector(b, s) for b in (0, 1) for s in (0, 1))


def edge_values(n: int) -> NDArray:
    """Return sqrt(2) times each orthonormal cosine of n cells at the first: the sum of both ends' over sqrt(2)."""
    values = 2 * np.cos(np.pi * np.arange(n) / (2 * n)) / np.sqrt(n)
    values[0] = np.sqrt(2 / n)
    return values


def inverse(sector: Sector, z: NDArray) -> Inverse:
    """Return the solver of a sector at each z (K,), real or complex."""
    D = 1 / (sector.rate + z[:, np.newaxis, np.newaxis, np.newaxis])
    nodes = tuple(
        np.linalg.inv(z[:, np.newaxis, np.newaxis] * np.diag(rim.capacity) + rim.chain) for rim in sector.rims
    )
    return Inverse(
        weight=D,
        seen=sector.plates * D[:, np.newaxis],
        nodes=(nodes[0], nodes[1]),
        edges=np.linalg.inv(_edge_matrix(sector, D, nodes)),
    )


def _edge_matrix(sector: Sector, D: NDArray, nodes: tuple[NDArray, ...]) -> NDArray:
    """Return 1/g + F D F^T + R W R^T (K, E, E), edges in x first: E = 2 nq + 2 np."""
    G = np.einsum("lixy,mixy,kixy->klmxy", sector.plates, sector.plates, D, optimize=True)
    K, (nq, np_) = len(D), G.shape[-2:]
    rows, columns, H = 2 * nq, 2 * np_, np.zeros((K, 2 * (nq + np_), 2 * (nq + np_)), D.dtype)
    across = np.einsum("klmqp,p->klmq", G, sector.column**2)
    up = np.einsum("klmqp,q->klmp", G, sector.row**2)
    for part, size, axis, own in ((np.s_[:rows], nq, 0, across), (np.s_[rows:], np_, 1, up)):
        square = H[:, part, part].reshape(K, 2, size, 2, size)
        square[:, :, range(size), :, range(size)] += np.moveaxis(own, 3, 0)
        square[:, range(2), :, range(2)] += np.eye(size) / sector.rims[axis].edge[:, np.newaxis, np.newaxis, np.newaxis]
        if sector.met[axis] and size:
            square[:, :, 0, :, 0] += sector.weight[axis] ** 2 * nodes[axis][:, :2, :2]
        H[:, part, part] = square.reshape(K, 2 * size, 2 * size)
    mixed = np.einsum("klmqp,q,p->klqmp", G, sector.row, sector.column).reshape(K, rows, columns)
    H[:, :rows, rows:], H[:, rows:, :rows] = mixed, mixed.swapaxes(1, 2)
    return H


def edge_temperatures(sector: Sector, plates: NDArray, nodes: tuple[NDArray, NDArray]) -> NDArray:
    """Return F theta - R u (..., E) of coefficients (..., 2, nq, np) and nodes (..., 3) of either axis."""
    across, up = plates @ sector.column, sector.row @ plates
    for axis, edge in enumerate((across, up)):
        if sector.met[axis] and edge.shape[-1]:
            edge[..., 0] -= sector.weight[axis] * nodes[axis][..., :2]
    lead = plates.shape[:-3]
    return np.concatenate([across.reshape(*lead, -1), up.reshape(*lead, -1)], axis=-1)


def conductances(sector: Sector) -> NDArray:
    """Return g (E,) in W/K of the edges, in the order of their temperatures."""
    return np.concatenate([np.repeat(rim.edge, len(w)) for rim, w in zip(sector.rims, (sector.row, sector.column))])


def into_cells(sector: Sector, flux: NDArray) -> NDArray:
    """Return F^T f before the modes' shapes: coefficients (..., 2, nq, np) of the heat that edges (..., E) draw."""
    nq, np_ = len(sector.row), len(sector.column)
    across = flux[..., : 2 * nq].reshape(*flux.shape[:-1], 2, nq, 1)
    up = flux[..., 2 * nq :].reshape(*flux.shape[:-1], 2, 1, np_)
    return across * sector.column + up * sector.row[:, np.newaxis]


def into_nodes(sector: Sector, flux: NDArray, axis: int) -> NDArray:
    """Return R^T f (..., 3): the heat that the nodes of an axis take from the edges, in W."""
    heat = np.zeros((*flux.shape[:-1], 3), flux.dtype)
    size, first = (len(sector.row), 0) if axis == 0 else (len(sector.column), 2 * len(sector.row))
    if sector.met[axis] and size:
        heat[..., 0] = sector.weight[axis] * flux[..., first]
        heat[..., 1] = sector.weight[axis] * flux[..., first + size]
    return heat


def fluxes(sector: Sector, inv: Inverse, r: NDArray, heat: tuple[NDArray, NDArray]) -> tuple[NDArray, list[NDArray]]:
    """Return edge fluxes (K, E) of (A + z)^(-1) on r (L, nq, np) and node heats (3,) of either axis, and the nodes."""
    plates = np.einsum("klixy,ixy->klxy", inv.seen, r)
    alone = [W @ h for W, h in zip(inv.nodes, heat)]
    f = (inv.edges @ edge_temperatures(sector, plates, (alone[0], alone[1]))[..., np.newaxis])[..., 0]
    return f, [
        u + (W @ into_nodes(sector, f, axis)[..., np.newaxis])[..., 0]
        for axis, (u, W) in enumerate(zip(alone, inv.nodes))
    ]
