"""Uniform layers: cosine modes in the plane, eigenmodes through the stack; every step is exact.

The lateral Laplacian with adiabatic sides is diagonal in the cosine transform, so each pair of wave numbers leaves a
stack of L nodes, C dT/dt = -K T + p, which C^(-1/2) K C^(-1/2) = V diag(rate) V^T diagonalises once. In amplitudes
a = V^T C^(1/2) T_hat a step of constant power is a += (1 - e^(-rate dt))/rate (b - rate a) for any dt.

A heat sink of one temperature meets the mode of wave numbers (0, 0) alone, as one more node below the stack; to all
others it is a reservoir. It is kept as one more layer, whose mode at the other wave numbers has no shape.

The mode of wave numbers (0, 0) carries all of the heat. Its rates span ten orders of magnitude in thin layers, and a
closed stack has a rate of zero exactly, so it is decomposed by Jacobi's method, accurate in each rate by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.linalg import lapack

from thermoc.simulator.thermal.grid import Grid

PLANE = (-2, -1)


class CosineTransform(Protocol):
    """The cosine transform over a plane, orthonormal: a constant c gives c sqrt(ny nx)."""

    def forward(self, field: NDArray) -> NDArray:
        """Return the cosine coefficients (..., ny, nx) of a field."""
        ...

    def backward(self, coefficients: NDArray) -> NDArray:
        """Return the field of cosine coefficients."""
        ...


class FastCosines:
    """The transform by SciPy's FFT."""

    def forward(self, field: NDArray) -> NDArray:
        """Return the cosine coefficients (..., ny, nx) of a field."""
        return np.asarray(fft.dctn(field, axes=PLANE, norm="ortho"))

    def backward(self, coefficients: NDArray) -> NDArray:
        """Return the field of cosine coefficients."""
        return np.asarray(fft.idctn(coefficients, axes=PLANE, norm="ortho"))


@dataclass(frozen=True, kw_only=True)
class Modes:
    """Eigenmodes of uniform layers: ``rate`` (L, ny, nx) in 1/s; ``shape`` (L layers, L modes, ny, nx) in (K/J)^(1/2).

    T_hat = shape a, and a = shape^T (C T_hat). A sink counts as the last layer; ``capacity`` (L,) in J/K, ``top`` and
    ``bottom`` in W/K to the reservoirs are of one cell, the sink's divided among the cells.
    """

    cosines: CosineTransform

    rate: NDArray
    shape: NDArray
    capacity: NDArray
    top: float
    bottom: float

    @property
    def cells(self) -> int:
        """Cells of a layer."""
        return self.rate.shape[1] * self.rate.shape[2]


def modes(grid: Grid, cosines: CosineTransform) -> Modes:
    """Return the eigenmodes of a grid whose layers are uniform (its first cells are taken)."""
    layers, ny, nx = grid.capacity.shape
    C, top, bottom = grid.capacity[:, 0, 0], float(grid.top[0, 0]), float(grid.bottom[0, 0])
    across, up = (g[:, 0, 0] if g.size else np.zeros(layers) for g in (grid.across, grid.up))
    down = grid.down[:, 0, 0] if layers > 1 else np.zeros(0)
    # wave numbers along y and x add: the lateral Laplacian is a sum over the axes
    lateral = np.multiply.outer(up, wave(ny))[:, :, np.newaxis] + np.multiply.outer(across, wave(nx))[:, np.newaxis]
    K = np.zeros((ny, nx, layers, layers))
    K[:] = _column(down, top, bottom)
    K[..., range(layers), range(layers)] += np.moveaxis(lateral, 0, -1)
    # symmetric only when scaled by the roots of the capacities: eigh then gives orthonormal vectors
    scale = 1 / np.sqrt(C)
    values, vectors = np.linalg.eigh(K * scale * scale[:, np.newaxis])
    if grid.sink is not None:
        # of one cell, as the whole column is: the flat mode sees the sink through all cells alike
        C, down = np.append(C, grid.sink.capacity / (ny * nx)), np.append(down, bottom)
        bottom = grid.sink.air / (ny * nx)
    # at other wave numbers the sink has no shape; its rate there is one, for steady states divide by it
    rate, shape = np.ones((len(C), ny, nx)), np.zeros((len(C), len(C), ny, nx))
    rate[:layers] = np.moveaxis(values, 2, 0)
    shape[:layers, :layers] = np.moveaxis(vectors * scale[:, np.newaxis], (2, 3), (0, 1))
    # this mode again, by Jacobi: eigh errs by a share of the largest rate, in which the smallest would drown
    rate[:, 0, 0], heat = _heat_modes(C, down, top, bottom)
    shape[:, :, 0, 0] = heat / np.sqrt(C)[:, np.newaxis]
    return Modes(cosines=cosines, rate=rate, shape=shape, capacity=C, top=top, bottom=bottom)


def wave(n: int) -> NDArray:
    """Return the eigenvalues 2 - 2 cos(pi p / n) of n cells in a row, without cancellation."""
    return 4 * np.sin(np.pi * np.arange(n) / (2 * n)) ** 2


def amplitudes(m: Modes, rise: NDArray) -> NDArray:
    """Return the amplitudes (L, ny, nx) of a temperature rise (L, ny, nx) in K."""
    return np.einsum("lixy,l,lxy->ixy", m.shape, m.capacity, m.cosines.forward(rise))


def drive(m: Modes, power: NDArray, layers: tuple[int, ...]) -> NDArray:
    """Return what a power (sources, ny, nx) in W into these layers adds to the amplitudes a second."""
    hat = m.cosines.forward(power)
    total = m.shape[layers[0]] * hat[0]
    for layer, component in zip(layers[1:], hat[1:]):
        total += m.shape[layer] * component
    return total


class ModalDrive:
    """The drive of a power, kept until another power comes: power often lasts for many steps."""

    def __init__(self, m: Modes, layers: tuple[int, ...]):
        self._modes, self._layers = m, layers
        self._last: tuple[NDArray, NDArray] | None = None

    def __call__(self, power: NDArray) -> NDArray:
        """Return ``drive`` of a power (sources, ny, nx); read only."""
        last = self._last
        # by value, with a copy: a caller may fill the same array anew
        if last is None or not np.array_equal(last[0], power):
            last = self._last = (power.copy(), drive(self._modes, power, self._layers))
        return last[1]


def rise(m: Modes, a: NDArray) -> NDArray:
    """Return the temperature rise (L, ny, nx) in K."""
    return m.cosines.backward(np.einsum("lixy,ixy->lxy", m.shape, a))


def rise_of(m: Modes, a: NDArray, layer: int) -> NDArray:
    """Return the temperature rise (ny, nx) of one layer in K."""
    return m.cosines.backward((m.shape[layer] * a).sum(axis=0))


def kick(rate: NDArray, dt: float) -> NDArray:
    """Return (1 - exp(-rate dt))/rate, which is dt where the rate is zero."""
    z = rate * dt
    # a closed stack has one rate of zero: its heat can only grow by what comes in
    return np.where(z > 0, -np.expm1(-z) / np.where(z > 0, rate, 1.0), dt)


def drift(rate: NDArray, dt: float) -> NDArray:
    """Return (rate dt - 1 + exp(-rate dt))/rate^2: what a unit slope adds to the integral over dt."""
    z = rate * dt
    # z - 1 + e^-z cancels to z^2 / 2: below 0.02 the series keeps the digits
    series = dt**2 * (1 / 2 - z / 6 * (1 - z / 4 * (1 - z / 5 * (1 - z / 6 * (1 - z / 7 * (1 - z / 8))))))
    safe = np.where(z > 0, z, 1.0)
    return np.where(z < 0.02, series, dt**2 * (safe + np.expm1(-safe)) / safe**2)


def _column(down: NDArray, top: float, bottom: float) -> NDArray:
    """Return the conductance matrix (L, L) of one column of cells."""
    links = np.concatenate([[top], down, [bottom]])
    return np.diag(links[:-1] + links[1:]) - np.diag(down, 1) - np.diag(down, -1)


def _heat_modes(C: NDArray, down: NDArray, top: float, bottom: float) -> tuple[NDArray, NDArray]:
    """Return rates (L,) and orthonormal vectors (L, L) of a column, each rate to its own last digits.

    K = B^T D B with B the differences between neighbours and D their conductances, so the rates are the squares of
    the singular values of D^(1/2) B C^(-1/2): Demmel et al., Linear Algebra Appl. 299:21 (1999).
    """
    n = len(C)
    links = np.concatenate([[top], down, [bottom]])
    factor = np.zeros((n + 1, n))
    for i in range(n):
        factor[i, i], factor[i + 1, i] = 1.0, -1.0
    factor *= np.sqrt(links)[:, np.newaxis] / np.sqrt(C)
    # a face without a reservoir has no link, and its row of zeros would add nothing
    factor = factor[links > 0]
    if len(factor) < n:
        return _closed_modes(C, factor)
    values, _, vectors = _jacobi(factor)
    # dgejsv sorts from the largest on: turned round, rates rise
    return values[::-1] ** 2, vectors[:, ::-1]


def _closed_modes(C: NDArray, factor: NDArray) -> tuple[NDArray, NDArray]:
    """A column that no reservoir touches: all its heat is one mode of rate zero."""
    flat = np.sqrt(C / C.sum())[:, np.newaxis]
    if not len(factor):
        return np.zeros(1), flat
    values, vectors, _ = _jacobi(np.asfortranarray(factor.T))
    vectors = vectors[:, : len(values)]
    return np.concatenate([[0.0], values[::-1] ** 2]), np.hstack([flat, vectors[:, ::-1]])


def _jacobi(matrix: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Return singular values and both sides' vectors by one-sided Jacobi rotations with full pivoting (dgejsv)."""
    values, u, v, work, _, info = lapack.dgejsv(  # pyright: ignore[reportAttributeAccessIssue]
        matrix, joba=2, jobu=0, jobv=0, jobr=0
    )
    if info != 0:
        raise FloatingPointError(f"dgejsv: {info}")
    # singular values come scaled where they might over- or underflow
    return values * (work[0] / work[1]), u, v
