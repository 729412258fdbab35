"""Integer arithmetic of Loihi 2, and the noise of a unit.

Noise is Philox4x32-10 at (element, tick, draw, stream), keyed by the seed.
"""

import numpy as np

LIMIT = 2**23 - 1
FRACTION = 12
ONE = 1 << FRACTION
FINE = 24  # bits of a relaxation below a step of what it sends
LN2 = 45426  # ln 2 with 16 fractional bits
BEND = 1408  # log2(1 + m) is about m + 0.34375 m (1 - m), to within 0.0086
LOG2E = 1512775  # log2 e with 20 fractional bits
HALVINGS = np.rint(2**23 * 2.0 ** -(np.arange(ONE) / ONE)).astype(np.int64)
COSINES = np.rint(ONE * np.cos(2 * np.pi * (np.arange(1024) + 0.5) / 1024)).astype(np.int64)


def wide(x):
    """Return x with 64 bits, in which nothing overflows."""
    return np.asarray(x).astype(np.int64)


def decayed(x, keep):
    """Return sgn(x) (|x| keep >> 12)."""
    return np.sign(x) * (np.abs(x) * keep >> 12)


def shifted(x, exponent):
    """Return x << exponent, a floor shift where it is negative."""
    return x << exponent if exponent >= 0 else x >> -exponent


def wrapped(x):
    """Return x modulo 2^24 in (-2^23, 2^23]."""
    return -((-x + 2**23) % 2**24 - 2**23)


def clipped(x):
    """Return x clipped to +-(2^23 - 1)."""
    return np.clip(x, -LIMIT, LIMIT)


def lg(A):
    """Return log2 of whole numbers from 1 below 2^34, with 12 fractional bits, by leading zeros and a parabola."""
    e = np.frexp(A.astype(np.float64))[1].astype(np.int64) - 1
    m = ((A << FRACTION) >> e) - ONE
    return (e << FRACTION) + m + (BEND * m * (ONE - m) >> 24)


def natural(x):
    """Return a logarithm to base 2 as one to base e, truncated towards nought."""
    return np.sign(x) * (np.abs(x) * LN2 >> 16)


def logit(word):
    """Return logit((w + 1/2) / 2^32) with 12 fractional bits, to within 0.0115."""
    A = 2 * wide(word) + 1
    return natural(lg(A) - lg(2**33 - A))


def surprise(word):
    """Return -ln((w + 1/2) / 2^32) with 12 fractional bits, at least 1."""
    A = 2 * wide(word) + 1
    return np.maximum(natural((33 << FRACTION) - lg(A)), 1)


def gumbel(word):
    """Return ln(-ln((w + 1/2) / 2^32)) with 12 fractional bits, to within 0.008.

    Towards u = 1, where -ln u is lost among 12 bits, by q = 1 - u: ln q + q / 2 + 0.28 q^2.
    """
    complement = 2**33 - (2 * wide(word) + 1)
    q = complement >> 21
    near = natural(lg(complement) - (33 << FRACTION)) + (q * (2048 + (1150 * q >> FRACTION)) >> FRACTION)
    return np.where(complement > 2**32, natural(lg(surprise(word)) - (FRACTION << FRACTION)), near)


def boltzmann_weight(distance, T):
    """Return exp(-distance / T) with 23 fractional bits, of distances of at least 0; T has 8 fractional bits."""
    v = distance * LOG2E // np.maximum(T, 1)
    return HALVINGS[v & ONE - 1] >> np.minimum(v >> FRACTION, 63)


def normal(first, second):
    """Return Box and Muller's normal of two words, with 12 fractional bits."""
    radius = np.floor(np.sqrt((2 * surprise(first) << FRACTION).astype(np.float64))).astype(np.int64)
    return radius * COSINES[wide(second) >> 22] >> FRACTION


def uniform(word):
    """Return (w + 1/2) / 2^32."""
    return (np.asarray(word).astype(np.float64) + 0.5) * 2.0**-32


def words(elements, tick, draw, stream, seed):
    """Return four arrays of words below 2^32, one block an element (Salmon and others, SC 2011)."""
    mask, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    c0 = np.asarray(elements).astype(np.uint64)
    c1, c2, c3 = (np.full_like(c0, number) for number in (tick, draw, stream))
    k0, k1 = seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF
    for _ in range(10):
        p0, p1 = c0 * np.uint64(0xD2511F53), c2 * np.uint64(0xCD9E8D57)
        c0, c1 = (p1 >> half) ^ c1 ^ np.uint64(k0), p1 & mask
        c2, c3 = (p0 >> half) ^ c3 ^ np.uint64(k1), p0 & mask
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c0, c1, c2, c3


class Noise:
    """The words of a population: ``job`` says where the run stands, ``lag`` by how many ticks the unit is late."""

    def __init__(self, params):
        job = params["job"]
        self.seed, self.first_tick, self.lag = job["seed"], job["first_tick"], params["lag"]
        self.stream, units = params["stream"], params["shape"][0]
        self.elements = job["first_sample"] * (units // job["batch"]) + np.arange(units, dtype=np.uint64)

    def turn(self, step):
        """Return which tick of its own the unit is in, negative before it starts. Lava counts steps from 1."""
        return self.first_tick + step - 1 - self.lag

    def words(self, turn, turns=1, sweeps=1):
        """Return the blocks of a turn."""
        return words(self.elements, turn // (turns * sweeps), turn // turns % sweeps, self.stream, self.seed)
