"""Noise is a function: Philox4x32-10 at counter (element, tick, draw, stream), keyed by the seed.

Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. One block of four
32-bit words serves one element of one draw, so that no result depends on threads, batch split or target.

Words become numbers by a rule that every target repeats to the bit:

* float64 ``u = ((w0 << 20 | w1 >> 12) + 1/2) / 2^52``, float32 ``u = ((w0 >> 9) + 1/2) / 2^23``, exact and in (0, 1);
  the second uniform of a block uses (w2, w3) in the same way. Both precisions agree to 2^-23.
* a normal is Box-Muller's ``sqrt(-2 ln u0) cos(2 pi u1)``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thermoc.support.array_types import AnyArray

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10
MASK = 0xFFFFFFFF

Words = tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint64]]


def philox4x32(counter: tuple[ArrayLike, ...], key: tuple[int, int], rounds: int = ROUNDS) -> Words:
    """Return the four words of each counter.

    counter: four integer arrays that broadcast together, each word below 2^32. key: two words below 2^32.
    The words are returned as uint64 arrays holding values below 2^32.
    """
    c0, c1, c2, c3 = (np.asarray(word, np.uint64) for word in counter)
    k0, k1 = key
    for _ in range(rounds):
        # Both factors are below 2^32: the product is exact in 64 bits, and its halves are the words wanted.
        p0, p1 = c0 * np.uint64(MULTIPLIERS[0]), c2 * np.uint64(MULTIPLIERS[1])
        c0, c1, c2, c3 = (
            (p1 >> np.uint64(32)) ^ c1 ^ np.uint64(k0),
            p1 & np.uint64(MASK),
            (p0 >> np.uint64(32)) ^ c3 ^ np.uint64(k1),
            p0 & np.uint64(MASK),
        )
        k0, k1 = (k0 + WEYL[0]) & MASK, (k1 + WEYL[1]) & MASK
    return c0, c1, c2, c3


def key_of(seed: int) -> tuple[int, int]:
    """Split a seed of 64 bits into the key (low word, high word)."""
    return seed & MASK, (seed >> 32) & MASK


def words(element: ArrayLike, *, tick: int, draw: int, stream: int, seed: int) -> Words:
    """Return the block of each element: element is sample * units + unit, below 2^32."""
    return philox4x32((element, tick, draw, stream), key_of(seed))


def uniform(high: NDArray[np.uint64], low: NDArray[np.uint64], dtype: np.dtype) -> AnyArray:
    """Return numbers in the open interval (0, 1), exact in ``dtype`` (float32 uses ``high`` alone)."""
    if dtype == np.float32:
        # 23 bits and the half are exact in a significand of 24, so neither 0 nor 1 comes out.
        return ((high >> np.uint64(9)).astype(np.float32) + np.float32(0.5)) * np.float32(2.0**-23)
    # 52 bits, not 53: the half needs the last one.
    bits = (high << np.uint64(20)) | (low >> np.uint64(12))
    return (bits.astype(np.float64) + 0.5) * 2.0**-52


def normal(block: Words, dtype: np.dtype) -> AnyArray:
    """Return one standard normal per block, by Box and Muller, computed in ``dtype``."""
    first, second = uniform(block[0], block[1], dtype), uniform(block[2], block[3], dtype)
    two, tau = dtype.type(2.0), dtype.type(2.0 * np.pi)
    return np.sqrt(-two * np.log(first)) * np.cos(tau * second)
