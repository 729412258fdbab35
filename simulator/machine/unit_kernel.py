"""Units through time, compiled: memristors stepped under bias and islands relaxed, pulse after pulse."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from thermoc.simulator.cache import keep
from thermoc.simulator.devices.equations import rates
from thermoc.simulator.devices.loops import FINE, adaptive, workspace
from thermoc.simulator.devices.records import WORK, DeviceDrive, DeviceProblem
from thermoc.simulator.devices.rule import rule
from thermoc.simulator.machine.unit_state import UnitScratch

TOLERANCE = 1e-6
PIECES = 8
"""Pieces in an island's time constant; in each its memristor sees the mean that it is expected to have."""
SETTLED = 1e-7
"""A piece may be longer where the last one's heat was foreseen to this part of the island's temperature."""
SECONDS = 1e-12


@rule
def work(seconds, bias, T, heater, island, y, memory, design, scratch):
    """Bring a unit through ``seconds`` at a bias (V) over a die at T; return (status, island, seconds reached)."""
    R, tau, steps, piece = design.resistance, design.tau, scratch.steps, scratch.piece
    done, h, tried, gain = 0.0, min(seconds, tau / PIECES), 0.0, 0.0
    while done < seconds:
        h = min(h, seconds - done)
        scratch.noise[:] = 0.0
        rates(DeviceProblem(design.memristor, DeviceDrive(bias, island, 0.0), memory, scratch.noise), y, steps.K[6])
        # A plain memristor's heat is its power and what the last piece's heat was beyond the power foreseen for it.
        expected = steps.K[6, WORK] + gain if design.plain else gain
        goal = T + R * (expected + heater)
        # the mean over the piece of an exponential approach; expm1 keeps its digits where h is far below tau
        mean = goal - (island - goal) * math.expm1(-h / tau) * tau / h
        piece[:] = 0.0
        problem = DeviceProblem(design.memristor, DeviceDrive(bias, mean, 0.0), memory, scratch.noise)
        status, tried = adaptive(problem, y, (0.0, h), tried, TOLERANCE, piece, steps)
        if status != FINE:
            return status, island, done + steps.time[0]
        goal = T + R * (piece[1] / h + heater)  # the heat that did come, in the place of what was expected
        island = goal + (island - goal) * math.exp(-h / tau)
        for k in range(3):
            scratch.stretch[k] += piece[k]
        # exactly at the end: a sum of pieces may miss it by rounding, and a sliver would follow
        done = seconds if h >= seconds - done else done + h
        gain += piece[1] / h - expected
        if R * abs(piece[1] / h - expected) < SETTLED * island:
            h *= 2
    return FINE, island, seconds


@rule
def rest(seconds, T, heater, island, y, memory, design, scratch):
    """The same without bias. A plain memristor, whose temperature is its only state, gives its heat away and cools."""
    if not design.plain:
        return work(seconds, 0.0, T, heater, island, y, memory, design, scratch)
    # without bias all is linear, and one closed step replaces the pieces
    c, R, tau, goal = design.memristor.circuit, design.resistance, design.tau, T + design.resistance * heater
    decay = math.exp(-seconds * c.conductance / c.capacity)
    over = y[0] - island
    # R / tau is one over the island's heat capacity: what the memristor gives away warms the island
    island += c.capacity * over * (1 - decay) * R / tau
    island = goal + (island - goal) * math.exp(-seconds / tau)
    y[0] = island + over * decay
    return FINE, island, seconds


@njit(error_model="numpy", nogil=True)
def span(moment, T, hold, pulses, states, design, sums):
    """Bring all classes of units through a moment (from, to; ps) on dies at T (classes,).

    Ticks begin every ``pulses.period`` ps and are over ``pulses.length`` ps later: a step ends there too, so that a run
    may stop after any tick and go on as if it had not.

    Up to the end of a pulse a heater of at most ``hold.most`` W gives what holds the island at the pulse's aim, but for
    its unit's own mean W.
    """
    t0, t1 = moment
    first, begin, end, length, period = pulses
    island = states.island
    scratch = UnitScratch(workspace(), np.zeros(3), np.zeros(3), np.zeros(3))
    for k in range(T.size):
        # a pulse that ends at t0 is the slot's before
        n = first[k] + np.searchsorted(end[first[k] : first[k + 1]], t0, side="right")
        t = t0
        while t < t1:
            # after the last pulse the heater goes on at the last aim
            goal = min(n, first[k + 1] - 1)
            heater = max(0.0, (hold.aim[goal] - T[k]) / design.resistance - hold.own[goal]) if hold.most > 0 else 0.0
            heater = min(heater, hold.most)
            working, stop = n < first[k + 1] and begin[n] <= t, t1
            if n < first[k + 1]:
                stop = min(t1, end[n] if working else begin[n])
            if period > 0:
                stop = min(stop, length + ((t - length) // period + 1) * period)
            scratch.stretch[:] = 0.0
            seconds, y, memory = (stop - t) * SECONDS, states.memristor[k], states.memory[k]
            if working:
                status, island[k], reached = work(
                    seconds, design.bias, T[k], heater, island[k], y, memory, design, scratch
                )
                sums.kelvin[n] += scratch.stretch[2]
            else:
                status, island[k], reached = rest(seconds, T[k], heater, island[k], y, memory, design, scratch)
            sums.joules[0, k] += scratch.stretch[0]
            # the heater is on through rests too: it holds the island for the pulse to come
            sums.joules[1, k] += heater * seconds
            if status != FINE:
                sums.failed[0], sums.failed[1], sums.failed[2] = status, k, t + reached / SECONDS
                return
            n += working and stop == end[n]
            t = stop


span = keep(span, "the units of a chip", 20.0)
