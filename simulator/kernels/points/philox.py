"""Philox4x32-10 in words of 32 bits, which is what a GPU multiplies at once: the words of ``thermal.philox``."""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

import numpy as np

from thermoc.simulator.kernels.scalar.formats import scalar
from thermoc.simulator.kernels.words import wide_product
from thermoc.support.philox import MULTIPLIERS, WEYL

M0, M1 = np.uint32(MULTIPLIERS[0]), np.uint32(MULTIPLIERS[1])
W0, W1 = np.uint32(WEYL[0]), np.uint32(WEYL[1])
HALF = np.uint64(32)


@scalar
def rounds(c0, c1, c2, c3, k0, k1):
    """Two of the ten rounds, and the key after them."""
    for _ in range(2):
        p0, p1 = wide_product(c0, M0), wide_product(c2, M1)
        # each is cast: Numba promotes what it does to words of 32 bits
        c0, c1 = np.uint32(np.uint32(np.uint32(p1 >> HALF) ^ c1) ^ k0), np.uint32(p1)
        c2, c3 = np.uint32(np.uint32(np.uint32(p0 >> HALF) ^ c3) ^ k1), np.uint32(p0)
        k0, k1 = np.uint32(k0 + W0), np.uint32(k1 + W1)
    return c0, c1, c2, c3, k0, k1


@scalar
def philox(element, tick, draw, stream, key):
    """The four words of a counter, of whose words the last 32 bits count."""
    k = np.uint64(key)
    state = np.uint32(element), np.uint32(tick), np.uint32(draw), np.uint32(stream), np.uint32(k), np.uint32(k >> HALF)
    # written out: a loop of ten rounds is not unrolled
    state = rounds(*rounds(*rounds(*rounds(*rounds(*state)))))
    return state[0], state[1], state[2], state[3]


@scalar
def joined(high, low):
    """Two words as one of 64 bits."""
    return (np.uint64(high) << HALF) | np.uint64(low)
