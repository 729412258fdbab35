"""What is recorded without being kept: sums, means and variances, one element of a sample."""

from __future__ import annotations


def total(xi, outputs, offset, batch, n, s, i):
    """A total += x."""
    outputs[outputs.size - offset * batch + s * n + i] += xi


def moments(x, outputs, offset, batch, phase, s, i):
    """Mean and sum of squared deviations of all x so far; first, how many they are."""
    first, n = outputs.size - offset * batch, x.size
    count = first + 2 * n * batch + s
    if phase == 0:
        if i == 0:
            outputs[count] += 1
        return
    mean = first + s * n + i
    deviation = x[i] - outputs[mean]
    outputs[mean] += deviation / outputs[count]
    outputs[mean + n * batch] += deviation * (x[i] - outputs[mean])


def number(tick):
    """The number of the tick."""
    return tick
