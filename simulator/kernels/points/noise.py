"""Uniforms and normals of one element, and rows of Boltzmann units."""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

import numpy as np

from thermoc.simulator.kernels.scalar.formats import by_format, scalar
from thermoc.simulator.kernels.simd.normals import logit32, logit64, normal32, normal64
from thermoc.simulator.kernels.thermal import HALF, LOW, boltzmann_row, philox, uniform32, uniform64


@scalar
def block(position, element, draw, stream):
    """The four words of an element's block."""
    k0, k1 = np.uint64(position.key) & LOW, np.uint64(position.key) >> HALF
    return philox(np.uint64(element), np.uint64(position.tick), np.uint64(draw), np.uint64(stream), k0, k1)


@scalar
def uniform_pair64(like, words):
    return uniform64(words[0], words[1]), uniform64(words[2], words[3])


@scalar
def uniform_pair32(like, words):
    return uniform32(words[0]), uniform32(words[2])


@scalar
def standard64(u, v):
    return normal64(u, v)


@scalar
def standard32(u, v):
    return normal32(u, v)


@scalar
def log_odds64(u):
    return logit64(u)


@scalar
def log_odds32(u):
    return logit32(u)


uniforms = by_format("uniforms", "Two uniforms of a block, in the format of ``like``.", uniform_pair64, uniform_pair32)
normal_of = by_format("normal_of", "A standard normal of two uniforms.", standard64, standard32)
logit = by_format("logit", "ln(u / (1 - u)), for uniforms whose 1 - u is exact.", log_odds64, log_odds32)


def uniform(like, draw, stream, position, n, i):
    """A uniform in (0, 1), from the block of element sample n + i."""
    return uniforms(like, block(position, position.sample * n + i, draw, stream))[0]


def normal(like, draw, stream, position, n, i):
    """A standard normal, from the block of element sample n + i."""
    u, v = uniforms(like, block(position, position.sample * n + i, draw, stream))
    return normal_of(u, v)


def boltzmann(r, x, y, units, i):
    """Row i of Boltzmann units."""
    first, step = i * units, 1 if y.size == r.size else 0
    boltzmann_row(r[first : first + units], x[first : first + units], y, first * step, step)
