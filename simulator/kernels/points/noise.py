"""Uniforms and normals of one element, and rows of Boltzmann units."""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

from typing import Any

import numpy as np

from thermoc.simulator.kernels.points.philox import philox
from thermoc.simulator.kernels.scalar.formats import by_format, scalar
from thermoc.simulator.kernels.scalar.noise import logit
from thermoc.simulator.kernels.scalar.noise import normal as normal_of_two
from thermoc.simulator.kernels.thermal import boltzmann_row, uniform32, uniform64


@scalar
def block(position, element, draw, stream):
    """The four words of an element's block."""
    w0, w1, w2, w3 = philox(element, position.tick, draw, stream, position.key)
    return np.uint64(w0), np.uint64(w1), np.uint64(w2), np.uint64(w3)


@scalar
def uniforms64(like, words):
    """``uniforms`` in float64."""
    return uniform64(words[0], words[1]), uniform64(words[2], words[3])


@scalar
def uniforms32(like, words):
    """``uniforms`` in float32."""
    return uniform32(words[0]), uniform32(words[2])


@by_format(uniforms64, uniforms32)
def uniforms(like: Any, words: Any) -> Any:
    """Two uniforms of a block, in the format of ``like``."""


def uniform(like, draw, stream, position, n, i):
    """A uniform in (0, 1), from the block of element sample n + i."""
    return uniforms(like, block(position, position.sample * n + i, draw, stream))[0]


def normal(like, draw, stream, position, n, i):
    """A standard normal, from the block of element sample n + i."""
    u, v = uniforms(like, block(position, position.sample * n + i, draw, stream))
    return normal_of_two(u, v)


def p_bit(like, xi, yi, spins, stream, position, n, i):
    """1 where xi > yi logit(u), u the uniform of element sample n + i, else 0, or -1 for spins."""
    u = uniforms(like, block(position, position.sample * n + i, 0, stream))[0]
    return 1 if xi > yi * logit(u) else -spins


def boltzmann(r, x, y, units, i):
    """Row i of Boltzmann units."""
    first, step = i * units, 1 if y.size == r.size else 0
    boltzmann_row(r[first : first + units], x[first : first + units], y, first * step, step)
