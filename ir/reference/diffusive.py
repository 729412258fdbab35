"""The meaning of networks that diffuse in an energy."""

# pyright: reportConstantRedefinition=false
# (T and U are physical symbols, and no constants)

from __future__ import annotations

import numpy as np

from thermoc import physics
from thermoc.ir.dialects import diffusive
from thermoc.ir.reference.meaning import MEANINGS, Context, Delayed, State, aligned, whole
from thermoc.support.array_types import AnyArray
from thermoc.support.namespaces import as_type, like, namespace


def _start(op: diffusive.OuNetwork, ctx: Context, *operands: AnyArray) -> State:
    return {"x": whole(operands[-1], op.x.inferred)}


def _advance(
    op: diffusive.OuNetwork, ctx: Context, state: State, K: AnyArray, T: AnyArray, b: AnyArray, initial: AnyArray
) -> State:
    """The exact step in the eigenbasis of K, there and back."""
    x, b, T, z = aligned(state["x"], b, T, ctx.normal(op.x.inferred, op.stream))
    fine = np.dtype(np.float64)
    # In the eigenbasis the modes are independent, so that one normal each gives the exact law for any dt.
    rates, V = physics.modes(K[0])
    a, gain, spread = physics.ou_network_step(rates, op.mobility, ctx.dt)
    drift = whole(as_type(b, fine), op.x.inferred)
    y = a * (as_type(x, fine) @ V) + gain * (drift @ V) + namespace(T).sqrt(T) * spread * z
    return {"x": like(y @ V.T, x)}


MEANINGS[diffusive.OuNetwork] = Delayed(start=_start, read=lambda op, state: state["x"], advance=_advance)
