"""Kernels of what is recorded without being kept: sums, and means and variances by Welford's recurrence.

Each is one array (batch, element) behind the outputs; moments are three: means, sums of squares, and a count a sample.
Loops go over slices: their indices cannot be negative, so that they become vectors.
"""

from __future__ import annotations

from thermoc.simulator.kernels.operands import sample


def add_to_total(x, outputs, offset, samples, run):
    """A total += x."""
    first = outputs.size - offset * run.batch + run.start * x.size
    for s in range(samples):
        xv, totals = sample(x, s), outputs[first + s * x.size : first + (s + 1) * x.size]
        for i in range(x.size):
            totals[i] += xv[i]


def update_moments(x, outputs, offset, samples, run):
    """Mean and sum of squared deviations of all x so far."""
    means = outputs.size - offset * run.batch + run.start * x.size
    squares, counts = means + run.batch * x.size, outputs.size - (offset - 2 * x.size) * run.batch + run.start
    for s in range(samples):
        xv, at = sample(x, s), s * x.size
        mean, m2 = outputs[means + at : means + at + x.size], outputs[squares + at : squares + at + x.size]
        outputs[counts + s] += 1
        n = outputs[counts + s]
        for i in range(x.size):
            deviation = xv[i] - mean[i]
            mean[i] += deviation / n
            m2[i] += deviation * (xv[i] - mean[i])
