"""The meaning of units by equations."""

from __future__ import annotations

from typing import Any

import numpy as np

from thermoc.ir.dialects import dynamics
from thermoc.ir.dialects.spiking import held_ticks
from thermoc.ir.equations.arrays import arrays_as
from thermoc.ir.equations.motion import Motion
from thermoc.ir.equations.reading import numbers_of, system_of
from thermoc.ir.equations.tick import TickExpressions, tick
from thermoc.ir.reference.meaning import MEANINGS, Context, State, Stateful, aligned, whole
from thermoc.support.array_types import AnyArray
from thermoc.support.namespaces import namespace
from thermoc.support.namespaces import numbers_of as plain


def _start(op: dynamics.Ode, ctx: Context, initial: AnyArray, *inputs: Any) -> State:
    counters = {"held": ctx.array(np.zeros((1, *op.shape), op.x.dtype.numpy))} if op.refractory else {}
    return {"x": whole(initial, op.x.inferred), **counters}


def _step(op: dynamics.Ode, ctx: Context, state: State, initial: AnyArray, *inputs: AnyArray):
    xp = namespace(state["x"])
    first, *arrays = aligned(state["x"][:, 0], *inputs)
    x = [first, *(state["x"][:, k] for k in range(1, len(op.variables)))]
    named = dict(zip(op.names, arrays))
    motion = Motion(
        system=system_of(op),
        algebra=arrays_as(first),
        names={**numbers_of(op), **named},
        numbers={**numbers_of(op), **{name: plain(array) for name, array in named.items()}},
        dt=ctx.dt,
        time=lambda: ctx.tick * ctx.dt,
        normal=lambda draw: ctx.normal(op.s.inferred, getattr(op, "stream", 0), draw),
        sqrt=lambda value: value**0.5,
        margin=True,
    )
    after = tick(motion, op.method, x, state.get("held"), held_ticks(op, ctx.dt))
    rows = [_full(xp, value, first, op) for value in after.x]
    batch = max(row.shape[0] for row in rows)
    rows = [xp.broadcast_to(row, (batch, *op.shape)) for row in rows]
    new = {"x": xp.stack(rows, axis=1)}
    if after.held is not None:
        new["held"] = xp.broadcast_to(after.held, (after.held.shape[0], *op.shape))
    fired = xp.zeros_like(rows[0]) if after.fired is None else _fired(ctx, xp, after, rows[0])
    return (fired, new["x"]), new


def _full(xp: Any, value: Any, like: AnyArray, op: dynamics.Ode) -> AnyArray:
    """Return a state as an array (batch, *shape) in its own format; an equation may have made a number of it."""
    array = xp.zeros_like(like) + value
    return xp.broadcast_to(array, (array.shape[0], *op.shape))


def _fired(ctx: Context, xp: Any, after: TickExpressions, like: AnyArray) -> AnyArray:
    up = xp.broadcast_to(after.fired, like.shape)
    if after.margin is None:
        return xp.where(up, xp.ones_like(like), xp.zeros_like(like))
    drive, level = (xp.broadcast_to(xp.zeros_like(like) + side, like.shape) for side in after.margin)
    return ctx.decided(up, drive, level)


MEANINGS[dynamics.Ode] = Stateful(start=_start, step=_step)
MEANINGS[dynamics.Sde] = Stateful(start=_start, step=_step)
