"""Loihi's arithmetic in int64: decays, wraps and clips, and the logarithms and normals of its noise in integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from thermoc.ir.dialects import loihi
from thermoc.ir.reference.meaning import Context
from thermoc.support.array_types import AnyArray

FRACTION = 12
ONE = 1 << FRACTION
FINE = 24
"""Bits of a relaxation below a step of what it sends."""
LOG2E = 1512775
"""log2 e with 20 fractional bits."""
HALVINGS = np.rint(2**23 * 2.0 ** -(np.arange(ONE) / ONE)).astype(np.int64)
LN2 = 45426
"""ln 2 with 16 fractional bits."""
BEND = 1408
"""The parabola's height with 12 fractional bits: log2(1 + m) is about m + 0.34375 m (1 - m)."""
COSINES = np.rint(ONE * np.cos(2 * np.pi * (np.arange(1024) + 0.5) / 1024)).astype(np.int64)


def wide(x: AnyArray) -> AnyArray:
    """Return integers of 64 bits: sums of 32-bit products need them before they are wrapped or clipped."""
    return x.astype(np.int64)


def started(op: Any, ctx: Context) -> bool:
    """Tell whether a unit's lag is over."""
    return ctx.tick >= op.lag


def decayed(x: AnyArray, keep: int) -> AnyArray:
    """Return sgn(x) (|x| keep >> 12): a decay of Loihi truncates towards zero, so a state dies out from both sides."""
    return np.sign(x) * (np.abs(x) * keep >> 12)


def shifted(x: AnyArray, exponent: int) -> AnyArray:
    """Return x << exponent, a floor shift where it is negative."""
    return x << exponent if exponent >= 0 else x >> -exponent


def wrapped(x: AnyArray) -> AnyArray:
    """Return x modulo 2^24 in (-2^23, 2^23]."""
    # Turned over twice: NumPy's % gives [0, 2^24), so that 2^23 and not -2^23 stays.
    return -((-x + 2**23) % 2**24 - 2**23)


def clipped(x: AnyArray) -> AnyArray:
    """Return x clipped to +-(2^23 - 1)."""
    return np.clip(x, -loihi.LIMIT, loihi.LIMIT)


def lg(A: AnyArray) -> AnyArray:
    """Return log2 of integers from 1 below 2^34, with 12 fractional bits, by leading zeros and a parabola."""
    # frexp gives the position of the leading bit exactly: all A below 2^34 are floats of 53 bits.
    e = np.frexp(A.astype(np.float64))[1].astype(np.int64) - 1
    m = ((A << FRACTION) >> e) - ONE
    return (e << FRACTION) + m + (BEND * m * (ONE - m) >> 24)


def natural(x: AnyArray) -> AnyArray:
    """Return a logarithm to base 2 as one to base e, truncated towards zero."""
    return np.sign(x) * (np.abs(x) * LN2 >> 16)


def logit(word: AnyArray) -> AnyArray:
    """Return logit((w + 1/2) / 2^32) with 12 fractional bits, to within 0.0115, of words below 2^32."""
    A = 2 * word.astype(np.int64) + 1
    return natural(lg(A) - lg(2**33 - A))


def surprise(word: AnyArray) -> AnyArray:
    """Return -ln((w + 1/2) / 2^32) with 12 fractional bits, at least 1."""
    A = 2 * word.astype(np.int64) + 1
    return np.maximum(natural((33 << FRACTION) - lg(A)), 1)


def gumbel(word: AnyArray) -> AnyArray:
    """Return ln(-ln u), u = (w + 1/2) / 2^32, with 12 fractional bits, to within 0.008.

    Towards u = 1, where -ln u is lost among 12 bits, by q = 1 - u: ln q + q / 2 + 0.28 q^2.
    """
    complement = 2**33 - (2 * word.astype(np.int64) + 1)
    q = complement >> 21
    near = natural(lg(complement) - (33 << FRACTION)) + (q * (2048 + (1150 * q >> FRACTION)) >> FRACTION)
    return np.where(complement > 2**32, natural(lg(surprise(word)) - (FRACTION << FRACTION)), near)


def normal(first: AnyArray, second: AnyArray) -> AnyArray:
    """Return Box and Muller's normal of two words, with 12 fractional bits."""
    radius = np.floor(np.sqrt((2 * surprise(first) << FRACTION).astype(np.float64))).astype(np.int64)
    return radius * COSINES[(second >> np.uint64(22)).astype(np.int64)] >> FRACTION


def boltzmann_weight(distance: AnyArray, T: AnyArray) -> AnyArray:
    """Return exp(-distance / T) with 23 fractional bits, of distances of at least 0; T has 8 fractional bits."""
    v = distance * LOG2E // np.maximum(T, 1)
    return HALVINGS[v & ONE - 1] >> np.minimum(v >> FRACTION, 63)
