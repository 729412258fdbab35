"""The meaning of devices as units: the one implementation of their steps, which the simulator's kernels call too."""

from __future__ import annotations

from typing import Any

import numpy as np

from thermoc.ir.device_library import STATES, library
from thermoc.ir.dialects import devices
from thermoc.ir.reference.meaning import MEANINGS, Context, State, Stateful, pure, whole
from thermoc.ir.types import Type
from thermoc.support.array_types import AnyArray
from thermoc.support.namespaces import numbers_of


def _ticked(
    op: Any, ctx: Context, now: AnyArray, source: AnyArray, T_ambient: AnyArray, z: AnyArray | None, **how: Any
) -> AnyArray:
    """Return (batch, n, 14), in the format of ``now``, computed in float64: in NumPy, whatever the run is in."""
    now, source, T_ambient = (numbers_of(array) for array in (now, source, T_ambient))
    z = None if z is None else numbers_of(z)
    n, like = now.shape[1], Type(now.shape[1:2])
    parts = [whole(source, like), whole(T_ambient, like), *([] if z is None else [z])]
    batch = max(part.shape[0] for part in (now, *parts))
    drive = np.concatenate([np.broadcast_to(part, (batch, part.shape[1])) for part in parts], axis=1)
    every = np.broadcast_to(now, (batch, n, STATES))
    numbers = {key: getattr(op, key) for key in ("model", "method", "steps", "tolerance")}
    where = {"sample": ctx.first_sample, "tick": ctx.tick}
    after = library().tick(every, drive, noisy=z is not None, **numbers, **how, **where)
    return ctx.array(after.astype(now.dtype))


def _rows(*arrays: AnyArray) -> dict[str, AnyArray]:
    names = ("parameters", "circuit", "domain", "scale", "ends", "link")
    # copied: an array that may not be written is another type, for which the steps would be compiled again
    return {name: numbers_of(array)[0].copy() for name, array in zip(names, arrays)}


@pure(devices.DeviceStep)
def device_step(
    op: devices.DeviceStep,
    ctx: Context,
    now: AnyArray,
    source: AnyArray,
    T_ambient: AnyArray,
    *rows: Any,
) -> AnyArray:
    return _ticked(op, ctx, now, source, T_ambient, rows[-1], h=op.h, **_rows(*rows[:-1]))


def _start(
    op: devices.DeviceDynamics, ctx: Context, source: Any, T_ambient: Any, initial: AnyArray, *rows: Any
) -> State:
    return {"now": initial}


def _step(
    op: devices.DeviceDynamics,
    ctx: Context,
    state: State,
    source: AnyArray,
    T_ambient: AnyArray,
    initial: AnyArray,
    *rows: AnyArray,
):
    h = ctx.dt * op.seconds / op.steps
    (n,), links = op.T.shape, len(rows[-1][0])
    z = normals(op, ctx, n, links) if op.noise else None
    after = _ticked(op, ctx, state["now"], source, T_ambient, z, h=h, **_rows(*rows))
    shown = (STATES + 2, 1, 2, STATES, STATES + 1, STATES + 3, STATES + 4)
    return tuple(after[:, :, k] for k in shown), {"now": after[:, :, :STATES]}


def normals(op: devices.DeviceDynamics, ctx: Context, n: int, links: int) -> AnyArray:
    """Return the normals of a tick: of heat, load and device, draws 0 to 2, then of links, draw 3."""
    kind = Type((op.steps, n), op.T.dtype)
    parts = [ctx.normal(kind, op.stream, draw) for draw in range(3)]
    parts += [ctx.normal(Type((op.steps, links), op.T.dtype), op.stream, 3)] if links else []
    return np.concatenate([numbers_of(array).reshape(array.shape[0], -1) for array in parts], axis=1)


MEANINGS[devices.DeviceDynamics] = Stateful(start=_start, step=_step)
