"""Devices as units: the compiled ticks of ``devices.units`` on rows of a program, in float64 whatever its format."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from thermoc.simulator.devices.rule import rule
from thermoc.simulator.devices.units import STATES, WIDTH, ticked
from thermoc.simulator.instructions.devices import SIZES
from thermoc.simulator.kernels.operands import RowOperand


@rule
def sizes_at(table, sizes):
    """The sizes of the units, as a tuple that ``units_of`` takes."""
    t, integer = table[sizes : sizes + SIZES], np.int64
    n, model, method, steps, noisy = integer(t[0]), integer(t[1]), integer(t[2]), integer(t[3]), integer(t[4])
    return n, model, method, steps, noisy, integer(t[5]), integer(t[6]), integer(t[7]), integer(t[8]), integer(t[9])


@rule
def reported(model, status):
    """How a device that cannot go on is told from particles: below -1, its status and its model."""
    return -2 - status - 8 * model


def device_units(r, x, y, z, parameters, samples, table, collision):
    """A tick of all samples. collision, where it starts with -1, is set to sample, unit and ``reported``."""
    (at,) = parameters
    sizes = tuple(table[at : at + SIZES].tolist())
    n, links = sizes[0], sizes[-1]
    now = np.zeros((samples, n, WIDTH))
    now[:, :, :STATES] = _samples(x, samples).reshape(samples, n, STATES)
    ends = table[at + SIZES : at + SIZES + 2 * links].astype(np.int64)
    failed = np.full(3, -1)
    # copied: an array that may not be written is another type, for which all would be compiled again
    floats = z.array[: z.size].view(np.float64).copy()
    ticked(sizes, ends, floats, now, _samples(y, samples).astype(np.float64), failed)
    if failed[0] >= 0 and collision[0] < 0:
        collision[:] = failed[0], failed[2], reported(sizes[1], failed[1])
    _samples(r, samples)[...] = now.reshape(samples, -1)


def _samples(operand: RowOperand, samples: int) -> NDArray:
    """Return an operand's elements where they stand, (samples, size)."""
    width = operand.array.itemsize
    return as_strided(operand.array, (samples, operand.size), (operand.stride * width, width))
