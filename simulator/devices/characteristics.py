"""Currents of many devices at once, at given voltages, temperatures and states: what a crossbar's cells ask."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from thermoc.simulator.arrays import numbers
from thermoc.simulator.cache import keep
from thermoc.simulator.devices.device import Device, check_state, memories
from thermoc.simulator.devices.equations import behind
from thermoc.simulator.devices.loops import cell_of
from thermoc.support.errors import error


def _through(rows, u, T, x, memory, out):
    """out[k] = (i, v, T) of device k behind its load and inner resistance."""
    for k in range(u.size):
        cell, m = cell_of(rows, k), memory[min(k, len(memory) - 1)]
        R = cell.circuit.load + cell.circuit.inner
        at = behind(cell.model, u[k], R, T[k], x[k], m, cell.parameters)
        out[k, 0], out[k, 1], out[k, 2] = at.i, at.v, at.T


_through = keep(njit(_through, error_model="numpy", nogil=True))


def currents(
    device: Device, u: ArrayLike, *, T: ArrayLike | None = None, state: ArrayLike | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (i, v) in A and V as u, T and state broadcast: currents at source voltages u, and own voltages.

    T in K (default the ambient one; for ``jart`` always the ambient one) and the internal state (default the start's).
    No capacitor takes part. Of devices that differ each has its own u, T and state, or they share them.

    Errors: T402 (shapes), T403 (no finite numbers), T405 (out of the model's domain), T410 (hotter than the limit),
    T411 (a current that has no solution, or is beyond a float).
    """
    n = device.count
    given = [numbers("voltage", u)]
    for name, values, kept in (("T", T, device.ambient), ("state", state, device.start[:, 1])):
        given.append(numbers(name, values) if values is not None else kept if n > 1 else np.asarray(kept[0]))
    if not np.isfinite(given[0]).all():
        raise error("T403", "voltage is not finite", notes=[f"at {np.argwhere(~np.isfinite(given[0]))[0].tolist()}"])
    try:
        shape = np.broadcast_shapes(*(a.shape for a in given), (n,) if n > 1 else ())
    except ValueError:
        notes = [f"u {given[0].shape}, T {given[1].shape}, state {given[2].shape}, {n} devices"]
        raise error("T402", "shapes of voltages, temperatures and states disagree", notes=notes) from None
    if n > 1 and shape != (n,):
        raise error("T402", f"{n} devices that differ have rows of {n} values, not the shape {shape}")
    voltages, heat, x = (np.ascontiguousarray(np.broadcast_to(a, shape)).ravel() for a in given)
    check_state(device, heat, x)
    out = np.zeros((voltages.size, 3))
    _through(device.rows, voltages, heat, x, memories(device, n), out)
    top = np.broadcast_to(device.domain[:, 0], heat.shape)
    hot = np.flatnonzero(out[:, 2] > top)
    if hot.size:
        k = int(hot[0])
        notes = [f"at {voltages[k]:g} V: {out[k, 2]:g} K, limit {top[k]:g} K", f"{hot.size} of {voltages.size} points"]
        raise error("T410", f"{device.name}: the device is hotter than its limit", notes=notes)
    unsolved = np.flatnonzero(~np.isfinite(out).all(axis=1))
    if unsolved.size:
        k = int(unsolved[0])
        notes = [f"at {voltages[k]:g} V, {heat[k]:g} K", f"{unsolved.size} of {voltages.size} points"]
        hint = "lower the voltage, or put a load in series (circuit_load)"
        raise error("T411", f"{device.name}: a current has no finite solution", notes=notes, hint=hint)
    return out[:, 0].reshape(shape), out[:, 1].reshape(shape)
