"""The solver of dies whose layers are uniform, with a sink or none and no package: exact in time (see ``modal``)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.thermal import modal
from thermoc.simulator.thermal.grid import Shape, grid
from thermoc.simulator.thermal.ledger import Ledger
from thermoc.simulator.thermal.stack import Stack
from thermoc.support.errors import error

KEPT = 16
"""Step lengths whose propagators are kept."""


class UniformSolver:
    """Amplitudes of modes (L, ny, nx) are the whole state; a sink is the last layer."""

    def __init__(self, stack: Stack, shape: Shape, sources: tuple[int, ...], cosines: modal.CosineTransform):
        self.modes = m = modal.modes(grid(stack, shape), cosines)
        self.layers, self.sunk = len(stack.layers), stack.sink is not None
        self.drive = modal.ModalDrive(m, sources)
        self.flat = np.sqrt(m.cells)
        self.bottom_rise = stack.below.temperature - stack.ambient if stack.below else 0.0
        self.zero = m.shape[:, :, 0, 0]
        self.inflow = m.bottom * self.bottom_rise * self.flat * self.zero[-1]  # rises count from the top's reservoir
        self.factors = lru_cache(KEPT)(self._factors)

    def start(self, rise: NDArray) -> NDArray:
        """Return the state of a temperature rise (L, ny, nx); a sink takes one that is the same everywhere."""
        if self.sunk:
            # a sink has one temperature: only a start that is the same everywhere says which
            same = rise.flat[0] if np.ptp(rise) == 0 else 0.0
            rise = np.concatenate([rise, np.full_like(rise[:1], same)])
        return modal.amplitudes(self.modes, rise)

    def rise(self, x: NDArray) -> NDArray:
        """Return the temperature rise (L, ny, nx)."""
        return modal.rise(self.modes, x)[: self.layers]

    def rise_of(self, x: NDArray, layer: int) -> NDArray:
        """Return the temperature rise (ny, nx) of one layer."""
        return modal.rise_of(self.modes, x, layer)

    def rim(self, x: NDArray) -> dict[str, float]:
        """Return the rise of the sink, if there is one."""
        return {"sink": float(self.zero[-1] @ x[:, 0, 0] / self.flat)} if self.sunk else {}

    def step(self, x: NDArray, power: NDArray, dt: float) -> tuple[NDArray, Ledger]:
        """Return the state after ``dt`` of constant power (sources, ny, nx), exactly."""
        kick, drift = self.factors(dt)
        change = self._pull(x, power)
        # before it is overwritten: the ledger needs the rate itself
        slope = change[:, 0, 0].copy()
        change *= kick
        # the time integral of temperatures at the faces: heat out comes from it, apart from what is stored
        rise = self.zero @ (dt * x[:, 0, 0] + drift * slope) * self.flat
        ledger = Ledger(
            dt=dt,
            work=float(power.sum()) * dt,
            heat_top=float(self.modes.top * rise[0]),
            heat_bottom=float(self.modes.bottom * (rise[-1] - dt * self.bottom_rise * self.modes.cells)),
            stored=self._energy(change),
        )
        change += x
        return change, ledger

    def steady(self, power: NDArray) -> NDArray:
        """Return the state in which nothing changes (P20). Errors: T413."""
        # with no way out the flat mode's rate is zero, and power would raise it without end
        if self.modes.top == 0 and self.modes.bottom == 0:
            raise no_way_out()
        return self._pull(np.zeros_like(self.modes.rate), power) / self.modes.rate

    def energy(self, x: NDArray) -> float:
        """Return sum of C (T - T_ambient) in J."""
        return self._energy(x)

    def _energy(self, x: NDArray) -> float:
        return float(self.modes.capacity @ (self.zero @ x[:, 0, 0]) * self.flat)

    def _pull(self, x: NDArray, power: NDArray) -> NDArray:
        """Return drive less decay: the amplitudes' rate of change."""
        change = self.modes.rate * x
        np.subtract(self.drive(power), change, out=change)
        change[:, 0, 0] += self.inflow
        return change

    def _factors(self, dt: float) -> tuple[NDArray, NDArray]:
        rate = self.modes.rate
        return modal.kick(rate, dt), modal.drift(rate[:, 0, 0], dt)


def no_way_out():
    """Return the error of a die whose steady state does not exist."""
    hint = "cool its top or bottom face, or give it a sink or a package"
    return error("T413", "no steady state: heat has no way out of the die", hint=hint)
