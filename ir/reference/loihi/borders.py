"""The meaning of Loihi's borders: numbers to messages and back, in float64."""

from __future__ import annotations

import numpy as np

from thermoc.ir.dialects import loihi
from thermoc.ir.reference.meaning import Context, pure
from thermoc.support.array_types import AnyArray


@pure(loihi.LoihiEncode)
def encode(op: loihi.LoihiEncode, ctx: Context, x: AnyArray) -> AnyArray:
    top = 2 ** (op.bits - 1) - 1
    y = np.clip(np.rint(x.astype(np.float64) * op.scale), -top, top)
    # What is no number says nothing.
    return np.where(np.isnan(y), 0.0, y).astype(np.int32)


@pure(loihi.LoihiDecode)
def decode(op: loihi.LoihiDecode, ctx: Context, x: AnyArray) -> AnyArray:
    return (x.astype(np.float64) / op.scale).astype(op.dtype.numpy)
