"""Data of learning rules: checked, and put in an order that the seed and the number of the epoch decide."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from thermoc.support import philox
from thermoc.support.array_types import AnyArray, IntArray
from thermoc.support.errors import error

DIVERGED = 1e6
"""Weights and biases beyond this decide every unit at any temperature in use: training goes nowhere any more."""
ORDER_STREAM = 1
"""The Philox stream of the order of samples; noise of chains is stream 0."""


def visible_data(data: ArrayLike, units: int) -> AnyArray:
    """Return samples (N, units) as bytes where all are 0 or 1, else as float32 in [0, 1].

    Numbers between 0 and 1 are taken as the probabilities of bits, and their expectations enter the statistics.
    Errors: T402 for another shape or no sample, T403 for numbers outside [0, 1].
    """
    array = np.asarray(data)
    if array.ndim != 2 or array.shape[1] != units or not len(array):
        notes = [f"they have shape {list(array.shape)}", f"the machine has {units} visible units"]
        raise error("T402", "samples are an array (samples, units)", notes=notes)
    if array.dtype.kind not in "biuf":
        raise error("T403", "samples are no numbers", notes=[f"they are {array.dtype}"])
    if ((array == 0) | (array == 1)).all():
        return np.ascontiguousarray(array, np.uint8)
    wrong = np.argwhere(~((array >= 0) & (array <= 1)))
    if len(wrong):
        i, j = (int(k) for k in wrong[0])
        hint = "scale them, or cut them into bits"
        raise error("T403", "samples are numbers from 0 to 1", notes=[f"data[{i}, {j}] = {array[i, j]}"], hint=hint)
    return np.ascontiguousarray(array, np.float32)


def shuffled(count: int, *, epoch: int, seed: int) -> IntArray:
    """Return the order of samples in an epoch: a permutation, sorted by words of Philox."""
    w0, w1, _, _ = philox.words(np.arange(count), tick=epoch, draw=0, stream=ORDER_STREAM, seed=seed)
    return np.argsort((w0 << np.uint64(32)) | w1, kind="stable")
