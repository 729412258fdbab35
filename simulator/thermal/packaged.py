"""The solver of dies of uniform layers in a package: exact in time to 1e-12 through one rational function.

The package's lumped nodes spoil the stack's own modes, but (A + z)^(-1) stays cheap (see ``rim``), and seven complex
z make the exponential (see ``rational``): T(dt) = T + dt phi_1(-A dt) (b - A T), in which only the change is rounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.thermal import modal, rim
from thermoc.simulator.thermal.grid import Shape, grid, rims
from thermoc.simulator.thermal.ledger import Ledger
from thermoc.simulator.thermal.rational import PHI1, PHI2, POLES
from thermoc.simulator.thermal.stack import Stack

KEPT = 8
"""Step lengths whose solvers are kept."""
SIDES = (("W", "E"), ("S", "N"))
NODES = ("spreader", "sink inner", "sink outer")


@dataclass(frozen=True, slots=True)
class Amplitudes:
    """Amplitudes (L, ny, nx), and the lumped nodes (axis, parity, 3) as sums and differences over sqrt(2)."""

    cells: NDArray
    nodes: NDArray


@dataclass(frozen=True, kw_only=True)
class Propagator:
    """What a step of one length needs: kick of the plain stack, drift of its flat modes, the sectors' inverses.

    weights: 2 PHI1 times each inverse's weight, real and imaginary parts.
    """

    kick: NDArray
    drift: NDArray
    inverses: tuple[rim.Inverse, ...]
    weights: tuple[tuple[NDArray, NDArray], ...]


class PackagedSolver:
    """Amplitudes of the plain stack's modes and the lumped nodes are the state."""

    def __init__(self, stack: Stack, shape: Shape, sources: tuple[int, ...], cosines: modal.CosineTransform):
        self.modes = m = modal.modes(grid(stack, shape), cosines)
        rim_list = rims(stack, shape)
        assert rim_list is not None
        self.rims, self.drive = rim_list, modal.ModalDrive(m, sources)
        self.sectors = rim.sectors(m, rim_list)
        # orthonormal cosines: the flat mode's amplitude is the mean times this root
        self.flat = np.sqrt(m.cells)
        self.zero = m.shape[:, :, 0, 0]
        self.top_rise = stack.top.temperature - stack.ambient if stack.top else 0.0
        self.inflow = m.top * self.top_rise * self.flat * self.zero[0]
        # a cache of this solver's own: one on the class would keep every die alive
        self.propagator = lru_cache(KEPT)(self._propagator)

    def start(self, rise: NDArray) -> Amplitudes:
        """Return the state of a temperature rise (L, ny, nx); the nodes take one that is the same everywhere."""
        nodes = np.zeros((2, 2, 3))
        if np.ptp(rise) == 0:
            # sums of both ends over sqrt(2): of two equal rises that is sqrt(2) times one
            nodes[:, 0] = np.sqrt(2) * rise.flat[0]
        return Amplitudes(modal.amplitudes(self.modes, rise), nodes)

    def rise(self, x: Amplitudes) -> NDArray:
        """Return the temperature rise (L, ny, nx)."""
        return modal.rise(self.modes, x.cells)

    def rise_of(self, x: Amplitudes, layer: int) -> NDArray:
        """Return the temperature rise (ny, nx) of one layer."""
        return modal.rise_of(self.modes, x.cells, layer)

    def rim(self, x: Amplitudes) -> dict[str, float]:
        """Return the rises of the lumped nodes by name."""
        plus, minus = x.nodes[:, 0] / np.sqrt(2), x.nodes[:, 1] / np.sqrt(2)
        sides = [[plus[axis] + minus[axis], plus[axis] - minus[axis]] for axis in (0, 1)]
        return {
            f"{node} {SIDES[axis][end]}": float(sides[axis][end][n])
            for n, node in enumerate(NODES)
            for axis in (0, 1)
            for end in (0, 1)
        }

    def step(self, x: Amplitudes, power: NDArray, dt: float) -> tuple[Amplitudes, Ledger]:
        """Return the state after ``dt`` of constant power (sources, ny, nx)."""
        p = self.propagator(dt)
        # of the present state: the step adds only what changes, so that rounding is that of the change
        rate, heats = self._pull(x, power)
        change, nodes = rate * p.kick, np.zeros_like(x.nodes)
        slope, slope_nodes = p.drift * rate[:, 0, 0], np.zeros_like(x.nodes)
        for sector, inv, weights in zip(self.sectors, p.inverses, p.weights):
            heat = (sector.nodes(heats, 0), sector.nodes(heats, 1))
            f, ends = rim.fluxes(sector, inv, sector.cut(rate), heat)
            drawn = rim.into_cells(sector, f)
            field = sector.cut(change)
            field += (sector.plates * _real_product(weights, drawn)).sum(axis=0)
            self._end(sector, slope_nodes, nodes, ends)
            if sector.parity == (0, 0):
                flat = np.einsum(
                    "k,ki,kl,li->i", 2 * PHI2, inv.weight[..., 0, 0], drawn[..., 0, 0], sector.plates[..., 0, 0]
                )
                slope += dt * flat.real
        after = Amplitudes(x.cells + change, x.nodes + nodes)
        # the time integral of temperature, from the modes: heat out comes from it and not from what is stored
        lasting = self.zero @ (dt * x.cells[:, 0, 0] + slope) * self.flat
        lasting_nodes = dt * x.nodes + dt * slope_nodes
        ledger = Ledger(
            dt=dt,
            work=float(power.sum()) * dt,
            heat_top=float(self.modes.top * (lasting[0] - dt * self.top_rise * self.modes.cells)),
            heat_bottom=float(self.modes.bottom * lasting[-1]) + self._of_nodes("air", lasting_nodes),
            stored=self._energy(change, nodes),
        )
        return after, ledger

    def steady(self, power: NDArray) -> Amplitudes:
        """Return the state in which nothing changes (P20)."""
        drive, heats = self._pull(Amplitudes(np.zeros_like(self.modes.rate), np.zeros((2, 2, 3))), power)
        cells, nodes = drive / self.modes.rate, np.zeros((2, 2, 3))
        for sector in self.sectors:
            inv = rim.inverse(sector, np.zeros(1, complex))
            f, ends = rim.fluxes(sector, inv, sector.cut(drive), (sector.nodes(heats, 0), sector.nodes(heats, 1)))
            field, drawn = sector.cut(cells), rim.into_cells(sector, f)[0].real
            field -= (sector.plates * drawn[:, np.newaxis]).sum(axis=0) * inv.weight[0].real
            for axis in (0, 1):
                if sector.met[axis]:
                    sector.nodes(nodes, axis)[:] = ends[axis][0].real
        return Amplitudes(cells, nodes)

    def energy(self, x: Amplitudes) -> float:
        """Return sum of C (T - T_ambient) in J, lumped nodes included."""
        return self._energy(x.cells, x.nodes)

    def _end(self, sector: rim.Sector, slope: NDArray, nodes: NDArray, ends: list[NDArray]) -> None:
        for axis in (0, 1):
            if sector.met[axis]:
                # twice the real part stands for the conjugate poles; the sign is that of 1 / (z - pole)
                sector.nodes(nodes, axis)[:] = -2 * (PHI1 @ ends[axis]).real
                sector.nodes(slope, axis)[:] = -2 * (PHI2 @ ends[axis]).real

    def _pull(self, x: Amplitudes, power: NDArray) -> tuple[NDArray, NDArray]:
        """Return the amplitudes' rates of change, and the heat into each lumped node in W (axis, parity, 3)."""
        rate = self.drive(power) - self.modes.rate * x.cells
        rate[:, 0, 0] += self.inflow
        heats = np.stack([-x.nodes[axis] @ self.rims[axis].chain for axis in (0, 1)])
        for sector in self.sectors:
            plates = np.einsum("lixy,ixy->lxy", sector.plates, sector.cut(x.cells))
            nodes = (sector.nodes(x.nodes, 0), sector.nodes(x.nodes, 1))
            across, up = rim.edge_temperatures(sector, plates, nodes)
            f = across * self.rims[0].edge[:, np.newaxis], up * self.rims[1].edge[:, np.newaxis]
            field, drawn = sector.cut(rate), rim.into_cells(sector, f)
            field -= (sector.plates * drawn[:, np.newaxis]).sum(axis=0)
            for axis in (0, 1):
                if sector.met[axis]:
                    sector.nodes(heats, axis)[:] += rim.into_nodes(sector, f, axis)
        return rate, heats

    def _of_nodes(self, name: str, u: NDArray) -> float:
        """Return the sum over all lumped nodes of their ``name`` times u."""
        return float(sum(np.sqrt(2) * getattr(r, name) @ u[axis, 0] for axis, r in enumerate(self.rims)))

    def _energy(self, cells: NDArray, nodes: NDArray) -> float:
        return float(self.modes.capacity @ (self.zero @ cells[:, 0, 0]) * self.flat) + self._of_nodes("capacity", nodes)

    def _propagator(self, dt: float) -> Propagator:
        rate = self.modes.rate
        # the same for all steps of one length, whatever the power: hence kept
        inverses = tuple(rim.inverse(sector, POLES / dt) for sector in self.sectors)
        scaled = [2 * PHI1[:, np.newaxis, np.newaxis, np.newaxis] * inv.weight for inv in inverses]
        return Propagator(
            kick=modal.kick(rate, dt),
            drift=modal.drift(rate[:, 0, 0], dt),
            inverses=inverses,
            # real and imaginary parts apart: a complex product would compute a part that is thrown away
            weights=tuple((np.ascontiguousarray(w.real), np.ascontiguousarray(w.imag)) for w in scaled),
        )


def _real_product(weights: tuple[NDArray, NDArray], drawn: NDArray) -> NDArray:
    """Return the real part of sum_k w_k d_k (2, L, nq, np); w (K, L, nq, np) in two parts, d (K, 2, nq, np)."""
    real = np.einsum("kixy,klxy->lixy", weights[0], np.ascontiguousarray(np.real(drawn)))
    real -= np.einsum("kixy,klxy->lixy", weights[1], np.ascontiguousarray(np.imag(drawn)))
    return real
