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

    plates (2, L, nq, np): the modes' shapes in spreader and sink. column (np,), row (nq,): the cosines at the edges.
    Of the rims, along x and along y, ``met`` says which have nodes here: only the flat wave along an edge meets them,
    with ``weight``.
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
    """(A + z)^(-1) of one sector for K values of z.

    weight (K, L, nq, np): D. seen: D as the plates see it, real and imaginary part (K, 2, L, nq, np). nodes: W of
    either axis (K, 3, 3). across (K, 2, 2, nq): inverse of the edges beyond x among themselves, where waves along y
    stay apart; mixed (K, 2, 2, nq, np): their coupling to the edges beyond y; up (K, 2, np, 2, np): inverse of what
    is left for those.
    """

    weight: NDArray
    seen: tuple[NDArray, NDArray]
    nodes: tuple[NDArray, NDArray]
    across: NDArray
    mixed: NDArray
    up: NDArray


Edges = tuple[NDArray, NDArray]
"""A number of each edge wave beyond x (..., 2, nq), and beyond y (..., 2, np); of spreader and sink."""


def sectors(m: Modes, rims: tuple[Rim, Rim]) -> tuple[Sector, ...]:
    """Return the four sectors of a die with a rim."""
    _, ny, nx = m.rate.shape
    # a node meets the n cells of an edge alike: on their orthonormal flat wave that is sqrt(n)
    weight = (float(np.sqrt(ny)), float(np.sqrt(nx)))

    def sector(b: int, s: int) -> Sector:
        block = np.s_[..., b::2, s::2]
        return Sector(
            parity=(b, s),
            rate=np.ascontiguousarray(m.rate[block]),
            plates=np.ascontiguousarray(m.shape[-2:][block]),
            row=edge_values(ny)[b::2],
            column=edge_values(nx)[s::2],
            rims=rims,
            weight=weight,
        )

    return tuple(sector(b, s) for b in (0, 1) for s in (0, 1))


def edge_values(n: int) -> NDArray:
    """Return sqrt(2) times each orthonormal cosine of n cells at the first: the sum of both ends' over sqrt(2)."""
    values = 2 * np.cos(np.pi * np.arange(n) / (2 * n)) / np.sqrt(n)
    # the flat wave is normalised apart from the others, by 1/n in place of 2/n
    values[0] = np.sqrt(2 / n)
    return values


def inverse(sector: Sector, z: NDArray) -> Inverse:
    """Return the solver of a sector at each complex z (K,)."""
    D = 1 / (sector.rate + z[:, np.newaxis, np.newaxis, np.newaxis])
    nodes = [np.linalg.inv(z[:, np.newaxis, np.newaxis] * np.diag(rim.capacity) + rim.chain) for rim in sector.rims]
    # edges meet spreader and sink alone: of all layers these two shapes are enough
    response = sector.plates * D[:, np.newaxis]
    G = np.einsum("klixy,mixy->klmxy", response, sector.plates)
    across = _inverse_2x2(_own(sector, 0, np.einsum("klmqp,p->klmq", G, sector.column**2), nodes[0]))
    mixed = G * sector.row[:, np.newaxis] * sector.column
    self_coupling = _own(sector, 1, np.einsum("klmqp,q->klmp", G, sector.row**2), nodes[1])
    K, np_ = len(D), len(sector.column)
    schur = np.zeros((K, 2, np_, 2, np_), D.dtype)
    schur[:, :, range(np_), :, range(np_)] = np.moveaxis(self_coupling, 3, 0)
    # block elimination: waves along y stay apart beyond x, so only the edges beyond y need a dense matrix
    reached = np.einsum("klmq,kmnqp->klnqp", across, mixed)
    for q in range(len(sector.row)):  # einsum over q at once would copy, and BLAS would round by its threads
        schur -= np.einsum("klmp,klns->kmpns", mixed[:, :, :, q], reached[:, :, :, q])
    up = invert(schur.reshape(K, 2 * np_, 2 * np_)).reshape(schur.shape)
    parts = np.ascontiguousarray(response.real), np.ascontiguousarray(response.imag)
    return Inverse(weight=D, seen=parts, nodes=(nodes[0], nodes[1]), across=across, mixed=mixed, up=up)


def _own(sector: Sector, axis: int, coupling: NDArray, nodes: NDArray) -> NDArray:
    """Return 1/g + F D F^T + R W R^T of one axis' edges among themselves (K, 2, 2, n), waves apart."""
    self_coupling = coupling.copy()
    self_coupling[:, range(2), range(2)] += 1 / sector.rims[axis].edge[:, np.newaxis]
    # only the flat wave along an edge meets its nodes, and odd waves have none
    if sector.met[axis] and self_coupling.shape[-1]:
        self_coupling[..., 0] += sector.weight[axis] ** 2 * nodes[:, :2, :2]
    return self_coupling


def _inverse_2x2(m: NDArray) -> NDArray:
    """Return inverses of symmetric matrices m[:, i, j, ...]."""
    a, b, d = m[:, 0, 0], m[:, 0, 1], m[:, 1, 1]
    return np.stack([np.stack([d, -b], 1), np.stack([-b, a], 1)], 1) / (a * d - b * b)[:, np.newaxis, np.newaxis]


def invert(m: NDArray) -> NDArray:
    """Return inverses of matrices (K, n, n) by Gauss and Jordan, without BLAS, whose threads would show in the digits.

    No pivot is sought: the numerical range of these matrices lies in a cone of less than half a turn, spanned by
    1/g > 0 and 1/(rate + z), so elimination cannot break down.
    """
    m = m.copy()
    for i in range(m.shape[1]):
        pivot = 1 / m[:, i, i]
        row = m[:, i] * pivot[:, np.newaxis]
        row[:, i] = pivot
        column = m[:, :, i].copy()
        column[:, i] = 0
        m[:, :, i] = 0
        m -= column[:, :, np.newaxis] * row[:, np.newaxis]
        m[:, i] = row
    return m


def edge_temperatures(sector: Sector, plates: NDArray, nodes: tuple[NDArray, NDArray]) -> Edges:
    """Return F theta - R u of coefficients (..., 2, nq, np) and nodes (..., 3) of either axis."""
    edges = np.einsum("...qp,p->...q", plates, sector.column), np.einsum("...qp,q->...p", plates, sector.row)
    for axis, edge in enumerate(edges):
        if sector.met[axis] and edge.shape[-1]:
            edge[..., 0] -= sector.weight[axis] * nodes[axis][..., :2]
    return edges


def into_cells(sector: Sector, flux: Edges) -> NDArray:
    """Return F^T f before the modes' shapes: coefficients (..., 2, nq, np) of the heat that the edges draw."""
    across, up = flux
    return across[..., np.newaxis] * sector.column + up[..., np.newaxis, :] * sector.row[:, np.newaxis]


def into_nodes(sector: Sector, flux: Edges, axis: int) -> NDArray:
    """Return R^T f (..., 3): the heat that the nodes of an axis take from the edges, in W."""
    edge = flux[axis]
    heat = np.zeros((*edge.shape[:-2], 3), edge.dtype)
    if sector.met[axis] and edge.shape[-1]:
        heat[..., :2] = sector.weight[axis] * edge[..., 0]
    return heat


def fluxes(sector: Sector, inv: Inverse, r: NDArray, heat: tuple[NDArray, NDArray]) -> tuple[Edges, list[NDArray]]:
    """Return the edges' fluxes in (A + z)^(-1) of r (L, nq, np) and node heats (3,) of either axis, and the nodes."""
    alone = [np.einsum("kij,j->ki", W, h) for W, h in zip(inv.nodes, heat)]
    flat = np.ascontiguousarray(r)
    plates = np.empty(inv.mixed.shape[:2] + flat.shape[1:], complex)
    plates.real, plates.imag = (np.einsum("klixy,ixy->klxy", component, flat) for component in inv.seen)
    across, up = edge_temperatures(sector, plates, (alone[0], alone[1]))
    up = up - np.einsum("klmqp,klq->kmp", inv.mixed, np.einsum("klmq,kmq->klq", inv.across, across))
    up = np.einsum("kmpns,kns->kmp", inv.up, up)
    across = across - np.einsum("klmqp,kmp->klq", inv.mixed, up)
    f = np.einsum("klmq,kmq->klq", inv.across, across), up
    absorbed = [np.einsum("kij,kj->ki", W, into_nodes(sector, f, axis)) for axis, W in enumerate(inv.nodes)]
    return f, [u + extra for u, extra in zip(alone, absorbed)]
