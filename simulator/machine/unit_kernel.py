"""Units through time, compiled: memristors stepped under bias and islands relaxed, pulse after pulse."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from thermoc.simulator.cache import keep
from thermoc.simulator.devices.equations import rates
from thermoc.simulator.devices.loops import FINE, adaptive, workspace
from thermoc.simulator.devices.records import WORK, Drive, Problem
from thermoc.simulator.devices.rule import rule

TOLERANCE = 1e-6
PIECES = 8
"""Pieces in an island's time constant; in each its memristor sees the mean that it is expected to have."""
SETTLED = 1e-7
"""A piece may be longer where the last one's heat was foreseen to this part of the island's temperature."""
SECONDS = 1e-12


@rule
def work(seconds, u, plain, T, heater, island, y, m, unit, cell, kept, sums, scratch):
    """Bring a unit through ``seconds`` at source u over a die at T; return (status, island, seconds reached).

    plain: its temperature is its only state, so that the heat of a piece is foreseen from its power. unit: its
    ``records.Cell``. cell: R and R C of the island. sums: J in, J of heat and K s are added to.
    """
    R, tau = cell
    steps, z = scratch
    done, h, tried, gain = 0.0, min(seconds, tau / PIECES), 0.0, 0.0
    while done < seconds:
        h = min(h, seconds - done)
        z[:] = 0.0
        rates(Problem(unit, Drive(u, island), m, z), y, steps.K[6])
        expected = steps.K[6, WORK] + gain if plain else gain
        goal = T + R * (expected + heater)
        mean = goal - (island - goal) * math.expm1(-h / tau) * tau / h
        kept[:] = 0.0
        status, tried = adaptive(Problem(unit, Drive(u, mean), m, z), y, (0.0, h), tried, TOLERANCE, kept, steps)
        if status != FINE:
            return status, island, done + steps.time[0]
        goal = T + R * (kept[1] / h + heater)
        island = goal + (island - goal) * math.exp(-h / tau)
        for k in range(3):
            sums[k] += kept[k]
        done = seconds if h >= seconds - done else done + h
        gain += kept[1] / h - expected
        if R * abs(kept[1] / h - expected) < SETTLED * island:
            h *= 2
    return FINE, island, seconds


@rule
def rest(seconds, plain, T, heater, island, y, m, unit, cell, kept, sums, scratch):
    """The same without bias. A plain memristor, whose temperature is its only state, hands its heat on and cools."""
    if not plain:
        return work(seconds, 0.0, False, T, heater, island, y, m, unit, cell, kept, sums, scratch)
    c, (R, tau), goal = unit.circuit, cell, T + cell[0] * heater
    left = math.exp(-seconds * c.conductance / c.capacity)
    over = y[0] - island
    island += c.capacity * over * (1 - left) * R / tau
    island = goal + (island - goal) * math.exp(-seconds / tau)
    y[0] = island + over * left
    return FINE, island, seconds


@njit(error_model="numpy", nogil=True)
def span(
    t0,
    t1,
    T,
    aim,
    own,
    first,
    begin,
    end,
    island,
    Y,
    memory,
    bias,
    unit,
    cell,
    most,
    plain,
    kelvin,
    joules,
    bad,
):
    """All classes from t0 to t1 (ps): joules (2, classes) of units and heaters and kelvin (pulses,) K s are added to.

    Up to the end of a pulse a heater of at most ``most`` W gives what holds the island at the pulse's aim (pulses,) K,
    but for its unit's own (pulses,) mean W. bad: status, class and time (ps) of the first that cannot go on.
    """
    kept, sums = np.zeros(3), np.zeros(3)
    scratch = workspace(), np.zeros(3)
    for k in range(T.size):
        n = first[k] + np.searchsorted(end[first[k] : first[k + 1]], t0, side="right")
        t = t0
        while t < t1:
            goal = min(n, first[k + 1] - 1)
            heater = max(0.0, (aim[goal] - T[k]) / cell[0] - own[goal]) if most > 0 else 0.0
            heater = min(heater, most)
            working, stop = n < first[k + 1] and begin[n] <= t, t1
            if n < first[k + 1]:
                stop = min(t1, end[n] if working else begin[n])
            sums[:] = 0.0
            seconds, y, m = (stop - t) * SECONDS, Y[k], memory[k]
            if working:
                status, island[k], reached = work(
                    seconds, bias, plain, T[k], heater, island[k], y, m, unit, cell, kept, sums, scratch
                )
                kelvin[n] += sums[2]
            else:
                status, island[k], reached = rest(
                    seconds, plain, T[k], heater, island[k], y, m, unit, cell, kept, sums, scratch
                )
            joules[0, k] += sums[0]
            joules[1, k] += heater * seconds
            if status != FINE:
                bad[0], bad[1], bad[2] = status, k, t + reached / SECONDS
                return
            n += working and stop == end[n]
            t = stop


span = keep(span, "the units of a chip", 20.0)
