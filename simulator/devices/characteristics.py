"""Currents of many devices at once, at given voltages, temperatures and states: what a crossbar's cells ask."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from thermoc.simulator.cache import keep
from thermoc.simulator.devices.device import Device
from thermoc.simulator.devices.equations import behind
from thermoc.simulator.devices.simulate import memories
from thermoc.support.errors import error


def _through(model, u, T, x, memory, p, c, out):
    """out[k] = (i, v) of device k behind its load and inner resistance."""
    for k in range(u.size):
        row, way = min(k, p.shape[0] - 1), min(k, c.shape[0] - 1)
        v, i, _, _, _ = behind(model, u[k], c[way, 0] + c[way, 1], T[k], x[k], memory[min(k, len(memory) - 1)], p[row])
        out[k, 0], out[k, 1] = i, v


_through = keep(njit(_through, error_model="numpy", nogil=True))


def currents(
    device: Device, u: ArrayLike, *, T: ArrayLike | None = None, state: ArrayLike | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (i, v) in A and V as u, T and state broadcast: currents at source voltages u, and own voltages.

    T in K (default the ambient one; for ``jart`` always the ambient one) and the internal state (default the start's).
    No capacitor takes part. Of devices that differ each has its own u, T and state, or they share them. Errors: T402.
    """
    n = device.count
    given = [np.asarray(u, np.float64)]
    for values, kept in ((T, device.ambient), (state, device.start[:, 1])):
        given.append(np.asarray(values, np.float64) if values is not None else kept if n > 1 else kept[0])
    try:
        shape = np.broadcast_shapes(*(a.shape for a in given), (n,) if n > 1 else ())
    except ValueError:
        notes = [f"u {given[0].shape}, T {given[1].shape}, state {given[2].shape}, {n} devices"]
        raise error("T402", "shapes of voltages, temperatures and states disagree", notes=notes) from None
    if n > 1 and shape != (n,):
        raise error("T402", f"{n} devices that differ have rows of {n} values, not the shape {shape}")
    voltages, heat, x = (np.ascontiguousarray(np.broadcast_to(a, shape)).ravel() for a in given)
    out = np.zeros((voltages.size, 2))
    rows = (memories(device, n), device.parameters, device.circuit)
    _through(int(device.model), voltages, heat, x, *rows, out)
    return out[:, 0].reshape(shape), out[:, 1].reshape(shape)
