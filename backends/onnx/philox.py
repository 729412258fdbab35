"""Philox4x32-10 in ONNX nodes, word for word as ``thermoc.support.philox`` writes it in NumPy.

Words are uint64 tensors holding values below 2^32: the products need 64 bits, and uint64 is the widest integer for
which runtimes have the bitwise operators. ONNX's own random operators are no functions of a counter, so none is used.
"""

from __future__ import annotations

import numpy as np

from thermoc.backends.onnx.writer import NodeWriter
from thermoc.support.philox import MASK, MULTIPLIERS, ROUNDS, WEYL

Words = tuple[str, str, str, str]


def words(w: NodeWriter, *, element: str, tick: str, draw: int, stream: int, seed: str) -> Words:
    """Return the block of each element. element, tick and seed name uint64 tensors; tick and seed are scalars."""
    c0, c1, c2, c3 = element, tick, _word(w, draw), _word(w, stream)
    k0, k1 = _low(w, seed), _right(w, seed, 32)
    for number in range(ROUNDS):
        # The key is raised between rounds, not before the first.
        if number:
            k0, k1 = (_low(w, w("Add", k, _word(w, step))) for k, step in zip((k0, k1), WEYL))
        p0, p1 = w("Mul", c0, _word(w, MULTIPLIERS[0])), w("Mul", c2, _word(w, MULTIPLIERS[1]))
        c0, c2 = _mixed(w, _right(w, p1, 32), c1, k0), _mixed(w, _right(w, p0, 32), c3, k1)
        c1, c3 = _low(w, p1), _low(w, p0)
    return c0, c1, c2, c3


def uniform(w: NodeWriter, high: str, low: str, dtype: np.dtype) -> str:
    """Return numbers in the open interval (0, 1), exact in ``dtype`` (float32 uses ``high`` alone)."""
    if dtype == np.float32:
        bits, width = _right(w, high, 9), 23
    else:
        shifted = w("BitShift", high, _word(w, 20), direction="LEFT")
        bits, width = w("BitwiseOr", shifted, _right(w, low, 12)), 52
    centred = w("Add", w("Cast", bits, to=dtype), w.constant(0.5, dtype))
    return w("Mul", centred, w.constant(2.0**-width, dtype))


def normal(w: NodeWriter, block: Words, dtype: np.dtype) -> str:
    """Return one standard normal per block: sqrt(-2 ln u0) cos(2 pi u1) (Box and Muller)."""
    first, second = uniform(w, block[0], block[1], dtype), uniform(w, block[2], block[3], dtype)
    radius = w("Sqrt", w("Mul", w("Log", first), w.constant(-2.0, dtype)))
    return w("Mul", radius, cosine(w, w("Mul", second, w.constant(2.0 * np.pi, dtype)), dtype))


def cosine(w: NodeWriter, x: str, dtype: np.dtype) -> str:
    """Return cos x; in float64 as sin(x + pi / 2), because onnxruntime up to 1.24 has Cos in float32 only."""
    return w("Cos", x) if dtype == np.float32 else w("Sin", w("Add", x, w.constant(np.pi / 2, dtype)))


def _word(w: NodeWriter, number: int) -> str:
    return w.constant(number, np.uint64)


def _low(w: NodeWriter, x: str) -> str:
    return w("BitwiseAnd", x, _word(w, MASK))


def _right(w: NodeWriter, x: str, bits: int) -> str:
    return w("BitShift", x, _word(w, bits), direction="RIGHT")


def _mixed(w: NodeWriter, a: str, b: str, key: str) -> str:
    return w("BitwiseXor", w("BitwiseXor", a, b), key)
