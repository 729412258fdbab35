"""The meaning of Loihi's synapses: sums in int64, in a buffer of the ticks to come."""

from __future__ import annotations

from typing import Any

import numpy as np

from thermoc.ir.dialects import loihi
from thermoc.ir.reference import core
from thermoc.ir.reference.loihi.integers import shifted, wide
from thermoc.ir.reference.meaning import MEANINGS, Context, Delayed, State, pure
from thermoc.support.array_types import AnyArray


def _message(op: Any, x: AnyArray) -> AnyArray:
    return wide(x) if op.message_bits else (x != 0).astype(np.int64)


def _buffer_start(op: Any, ctx: Context, *_: Any) -> State:
    return {"buffer": np.zeros((1, *op.states()["buffer"]), np.int32)}


def _first(op: Any, state: State) -> AnyArray:
    return state["buffer"][:, 0]


def _pushed(op: Any, state: State, arriving: AnyArray) -> State:
    """Return the buffer a tick on, with (batch, longest + 1, m) arriving added: row 0 is sent in the next tick."""
    moved = np.concatenate([state["buffer"][:, 1:], np.zeros_like(state["buffer"][:, :1])], axis=1)
    return {"buffer": (moved + arriving).astype(np.int32)}


def _dense(
    op: loihi.LoihiDense, ctx: Context, state: State, x: AnyArray, weight: AnyArray, delays: AnyArray | None
) -> State:
    x, W = _message(op, x), wide(weight[0])
    rows = [W] if delays is None else [np.where(delays[0] == ticks, W, 0) for ticks in range(op.longest + 1)]
    # The shift is taken of the sum of each delay, not of each product: it rounds once.
    arriving = np.stack([shifted(x @ row.T, op.weight_exp) for row in rows], axis=1)
    if delays is None and op.longest:
        arriving = np.concatenate([arriving, np.zeros_like(arriving).repeat(op.longest, axis=1)], axis=1)
    return _pushed(op, state, arriving)


def _sparse(op: loihi.LoihiSparse, ctx: Context, state: State, x: AnyArray, *arrays: AnyArray | None) -> State:
    values, columns, offsets = (wide(array[0]) for array in arrays[:3] if array is not None)
    delays = np.zeros_like(columns) if arrays[3] is None else wide(arrays[3][0])
    row = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    terms = _message(op, x)[:, columns] * values
    arriving = np.zeros((len(x), op.longest + 1, len(offsets) - 1), np.int64)
    where: Any = (slice(None), delays, row)
    np.add.at(arriving, where, terms)  # += would add only one of several synapses between two units
    return _pushed(op, state, shifted(arriving, op.weight_exp))


def _conv(op: loihi.LoihiConv, ctx: Context, state: State, x: AnyArray, weight: AnyArray) -> State:
    summed = shifted(core.conv(op, ctx, _message(op, x), wide(weight), None), op.weight_exp)
    return {"buffer": ((summed + 2**23) % 2**24 - 2**23).astype(np.int32)}


@pure(loihi.LoihiDendrite)
def dendrite(op: loihi.LoihiDendrite, ctx: Context, *x: AnyArray) -> AnyArray:
    return np.sum(np.broadcast_arrays(*map(wide, x)), axis=0).astype(np.int32)


MEANINGS[loihi.LoihiDense] = Delayed(start=_buffer_start, read=_first, advance=_dense)
MEANINGS[loihi.LoihiSparse] = Delayed(start=_buffer_start, read=_first, advance=_sparse)
MEANINGS[loihi.LoihiConv] = Delayed(start=_buffer_start, read=lambda op, state: state["buffer"], advance=_conv)
