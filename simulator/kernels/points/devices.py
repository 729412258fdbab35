"""Devices as units, a point a unit; where links join them one point goes through all, step by step."""

from __future__ import annotations

import numpy as np

from thermoc.simulator.devices.loops import FINE
from thermoc.simulator.devices.units import STATES, WIDTH, WORK, advance_units, units_of
from thermoc.simulator.instructions.devices import SIZES
from thermoc.simulator.kernels.devices import reported, sizes_at


def device_units(r, x, y, z, parameters, table, collision, tick, int_scratch, s, i):
    """A tick of unit i, or of all; collision: tick, unit and ``reported`` of each sample."""
    (at,) = parameters
    sizes = sizes_at(table, at)
    n, links = sizes[0], sizes[9]
    units = units_of(sizes, table[at + SIZES : at + SIZES + 2 * links], z.view(np.float64))
    scratch = int_scratch.view(np.float64)
    now, flux = scratch[: n * WIDTH].reshape((n, WIDTH)), scratch[n * WIDTH : n * (WIDTH + 1)]
    # drive and state in float64, whatever the format of the program
    drive, first = y, n * (WIDTH + 1)
    last = n if links else i + 1
    begin = 0 if links else i
    for k in range(begin, last):
        for j in range(STATES):
            now[k, j] = x[k * STATES + j]
    memory = scratch[first + i * WORK : first + (i + 1) * WORK]
    status, k = advance_units(units, begin, last, now, drive, flux, memory)
    if status != FINE and collision[3 * s] < 0:
        collision[3 * s], collision[3 * s + 1], collision[3 * s + 2] = tick, k, reported(sizes[1], status)
    for k in range(begin, last):
        for j in range(WIDTH):
            r[k * WIDTH + j] = now[k, j]
