"""Kernels of what is recorded without being kept: sums, and means and variances by Welford's recurrence.

Each is one array (batch, element) behind the outputs; moments are three: means, sums of squares, and a count a sample.
"""

from __future__ import annotations

from thermoc.simulator.kernels.operands import sample


def add_to_total(x, outputs, offset, samples, run):
    """A total += x."""
    first = outputs.size - offset * run.batch + run.start * x.size
    for s in range(samples):
        xv, at = sample(x, s), first + s * x.size
        for i in range(x.size):
            outputs[at + i] += xv[i]


def update_moments(x, outputs, offset, samples, run):
    """Mean and sum of squared deviations of all x so far."""
    means = outputs.size - offset * run.batch + run.start * x.size
    squares, counts = means + run.batch * x.size, outputs.size - (offset - 2 * x.size) * run.batch + run.start
    for s in range(samples):
        xv, at = sample(x, s), s * x.size
        outputs[counts + s] += 1
        n = outputs[counts + s]
        for i in range(x.size):
            deviation = xv[i] - outputs[means + at + i]
            outputs[means + at + i] += deviation / n
            outputs[squares + at + i] += deviation * (xv[i] - outputs[means + at + i])
