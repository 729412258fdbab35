"""Floats into Loihi's integers and back: the rules of ``points.loihi``, over all elements of all samples."""

from __future__ import annotations

from thermoc.simulator.kernels.operands import sample
from thermoc.simulator.kernels.points import loihi as rules


def encode(r, x, scale, top, samples):
    """r = rint(x scale), halves to even, clipped to +-top; scale is the bits of a float64."""
    for s in range(samples):
        rv, xv = sample(r, s), sample(x, s)
        for i in range(r.size):
            rv[i] = rules.encode(xv[i], scale, top)


def decode(r, x, scale, samples):
    """r = x / scale, in float64 before it is rounded to the format of r."""
    for s in range(samples):
        rv, xv = sample(r, s), sample(x, s)
        for i in range(r.size):
            rv[i] = rules.decode(xv[i], scale)
