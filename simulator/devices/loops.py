"""Devices through time: the loop over devices, output times and steps around ``steppers``, compiled, kept on disk."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from thermoc.simulator.cache import keep
from thermoc.simulator.devices.equations import HYSTERETIC, circuit_of, domain_of, look, rates, remember
from thermoc.simulator.devices.model import DIRECTION
from thermoc.simulator.devices.records import (
    CURRENT,
    SHOWN,
    STATE,
    TEMPERATURE,
    Cell,
    DeviceDraws,
    DeviceDrive,
    DeviceProblem,
    Row,
    Workspace,
)
from thermoc.simulator.devices.rule import rule
from thermoc.simulator.devices.steppers import euler, jacobian, midpoint, sdirk
from thermoc.simulator.kernels import scalar
from thermoc.simulator.kernels.operands import stopped
from thermoc.simulator.kernels.thermal import HALF, LOW, philox, uniform64

FINE, RUNAWAY, STUCK, OUTSIDE = 0, 1, 2, 3
"""How a run ends: at its end, too hot, unsolved, or with its internal state out of the model's range."""
SDIRK, MIDPOINT, EULER = range(3)
SAFETY, LEAST, MOST = 0.9, 0.2, 5.0
SMALLEST = 1e-15
"""A step below this part of its interval means that the solution cannot be continued."""
TURNS = 40


class DeviceRows(NamedTuple):
    """Devices of one model, (n or 1, :) each; see ``Device``."""

    model: int
    parameters: Row
    circuit: Row
    domain: Row
    scale: Row


class DriveSchedule(NamedTuple):
    """Output times t (n_t,), and what holds from one to the next: source V and ambient K, (n_t or 1, n or 1)."""

    t: Row
    source: Row
    ambient: Row


class Solver(NamedTuple):
    """method: SDIRK with steps of its own to a relative tolerance, MIDPOINT or EULER with steps of dt."""

    method: int
    dt: float
    tolerance: float


class DeviceRecord(NamedTuple):
    """What a run writes: states (n_t, n, 3), row 0 given; memory (n, 5); energy (n_t, n, 2), work and heat since t[0].

    shown: (n_t, n, 3) current, voltage, temperature. counts: steps tried, steps rejected; the run ends early once the
    third is set.
    """

    states: Row
    memory: Row
    energy: Row
    shown: Row
    counts: NDArray[np.int64]


class Steps(NamedTuple):
    """Steps of one length from a time on; implicit: by the midpoint rule, else Euler's."""

    start: float
    length: float
    number: int
    implicit: bool


@rule
def normal(element, tick, draw, stream, key):
    """A standard normal of Philox block (element, tick, draw, stream), as ``thermoc.support.philox`` defines it."""
    k0, k1 = np.uint64(key) & LOW, np.uint64(key) >> HALF
    w0, w1, w2, w3 = philox(np.uint64(element), np.uint64(tick), np.uint64(draw), np.uint64(stream), k0, k1)
    return scalar.normal(uniform64(w0, w1), uniform64(w2, w3))


@rule
def workspace():
    """The arrays that one device's steps work in."""
    return Workspace(
        np.zeros((3, 3)),
        np.zeros((3, 3)),
        np.zeros((7, 8)),
        np.zeros(6),
        np.zeros(1),
        np.zeros(2, np.int64),
        np.zeros(3),
        np.zeros(3),
    )


@rule
def judge(cell, y, shown):
    """The status of a state and the temperature shown with it. Too hot comes first: it explains the others."""
    domain = cell.domain
    if (cell.circuit.capacity > 0 and (y[0] > domain.hottest or y[0] <= 0)) or shown > domain.hottest:
        return RUNAWAY
    if not (math.isfinite(y[0]) and math.isfinite(y[1]) and math.isfinite(y[2])):
        return STUCK
    return FINE if domain.least <= y[STATE] <= domain.greatest else OUTSIDE


@rule
def accept(y, ledger, new):
    """Take a step's result: the state, and its work, heat and integral of temperature, which add up."""
    for k in range(3):
        y[k] = new[k]
    for k in range(3):
        ledger[k] += new[3 + k]


@rule
def adaptive(problem, y, interval, h, tol, ledger, work):
    """Bring y through the interval (t0, t1); return (status, next step). A hysteretic model's reversal ends a step.

    h: the step to try first, 0 for none. ledger: work and heat in J and the temperature's integral in K s are added to.
    """
    t0, t1 = interval
    cell, m, K = problem.cell, problem.memory, work.K
    # a thousandth of the interval: error control lengthens it fivefold a step, and shortening costs a rejection
    t, h = t0, min(h, t1 - t0) if h > 0 else (t1 - t0) * 1e-3
    while t < t1:
        work.time[0] = t
        # two steps of half of what is left, rather than one of most of it and a sliver
        if h >= (t1 - t) * (1 - 1e-12):
            h = t1 - t
        elif h > 0.5 * (t1 - t):
            h = 0.5 * (t1 - t)
        rates(problem, y, K[6])
        # J of this state: currents are exponential in v and T, so one of an earlier step soon is far off
        jacobian(problem, y, work)
        error = sdirk(problem, y, h, tol, work)
        work.counts[0] += 1
        if error > 1:
            work.counts[1] += 1
            # the embedded order 3 errs by h^4, hence the fourth root; beyond 1e12 it says nothing of what would do
            h *= max(LEAST, SAFETY / math.sqrt(math.sqrt(error))) if error < 1e12 else LEAST
            if h < SMALLEST * max(t1 - t0, abs(t1)):
                return STUCK, h
            continue
        turned = False
        if HYSTERETIC[cell.model]:
            # dT/dt leaves the branch's direction within the step: the rates at its start and at its last stage say so
            turned = K[6, TEMPERATURE] * m[DIRECTION] > 0 and K[4, TEMPERATURE] * m[DIRECTION] < 0
            if turned:
                h = reversal(problem, y, h, tol, work)
        accept(y, ledger, work.new)
        status = judge(cell, y, K[4, SHOWN])
        if status != FINE:
            return status, h
        # t + h may miss t1 by rounding, and a sliver of a step would follow
        ends = t + h >= t1 or h == t1 - t
        t = t1 if ends and not turned else t + h
        remember(cell.model, y[TEMPERATURE], turned, m, cell.parameters)
        # an error of zero would ask for an infinite step
        h *= min(MOST, max(LEAST, SAFETY / math.sqrt(math.sqrt(max(error, 1e-10)))))
    work.time[0] = t1
    return FINE, h


@rule
def reversal(problem, y, h, tol, work):
    """Return the part of h after which dT/dt is zero, the step to it being in ``new``: false position, Illinois."""
    K = work.K
    low, f_low, high, f_high = 0.0, K[6, TEMPERATURE], h, K[4, TEMPERATURE]
    side, s = 0, h
    for _ in range(TURNS):
        s = (low * f_high - high * f_low) / (f_high - f_low)
        if not (low < s < high):
            s = 0.5 * (low + high)
        # the full step again from y: an interpolation would not close the energy balance
        sdirk(problem, y, s, tol, work)
        f = K[4, TEMPERATURE]
        if f * f_high > 0:
            high, f_high = s, f
            if side == 1:
                f_low *= 0.5
            side = 1
        else:
            low, f_low = s, f
            if side == -1:
                f_high *= 0.5
            side = -1
        if high - low < 1e-9 * h or abs(f) * h < 1e-12 * y[TEMPERATURE]:
            return s
    return s


@rule
def draw_noise(circuit, draws, tick, root, z):
    """Fill z with noise held over a step: of heat where the device has a temperature, of currents where a node."""
    element, stream, key = draws.element, draws.stream, draws.key
    z[0] = normal(element, tick, 0, stream, key) * root if circuit.capacity > 0 else 0.0
    z[1] = normal(element, tick, 1, stream, key) * root if circuit.capacitance > 0 else 0.0
    z[2] = normal(element, tick, 2, stream, key) * root if circuit.capacitance > 0 else 0.0


@rule
def one_step(problem, y, h, implicit, ledger, work):
    """Take a step of h by the midpoint rule or Euler's, on the present branch and noise; return the status."""
    rates(problem, y, work.K[6])
    if implicit:
        jacobian(problem, y, work)
        if not midpoint(problem, y, h, work):
            return STUCK
    else:
        euler(y, h, work)
    accept(y, ledger, work.new)
    # the temperature shown is that of the stage whose rates the step took: the new state has none yet
    return judge(problem.cell, y, work.K[0 if implicit else 6, SHOWN])


@rule
def fixed(problem, y, steps, draws, ledger, work):
    """Take steps of one length, with noise held over each; return the status."""
    cell, h = problem.cell, steps.length
    # white noise of unit power, held over h, has the variance 1 / h
    root = 1 / math.sqrt(h)
    for s in range(steps.number):
        work.time[0] = steps.start + s * h
        # before the rates, so that the whole step is taken on one branch
        look(cell.model, y[TEMPERATURE], problem.memory, cell.parameters)
        if draws.noisy:
            draw_noise(cell.circuit, draws, draws.tick + s, root, problem.noise)
        status = one_step(problem, y, h, steps.implicit, ledger, work)
        if status != FINE:
            return status
    return FINE


@rule
def cell_of(rows, k):
    """Device k of rows that may be shared by all."""
    row = min(k, rows.parameters.shape[0] - 1)
    circuit = circuit_of(rows.circuit[min(k, rows.circuit.shape[0] - 1)])
    domain = domain_of(rows.domain[min(k, rows.domain.shape[0] - 1)])
    return Cell(rows.model, rows.parameters[row], circuit, rows.scale, domain)


@rule
def drive_of(schedule, j, k):
    """What drives device k from output time j on."""
    u, Ta = schedule.source, schedule.ambient
    source = u[min(j, u.shape[0] - 1), min(k, u.shape[1] - 1)]
    return DeviceDrive(source, Ta[min(j, Ta.shape[0] - 1), min(k, Ta.shape[1] - 1)], 0.0)


@njit(error_model="numpy", nogil=True)
def run(rows, schedule, solver, draws, record):
    """Devices ``draws.element`` and on, through all times; return (status, device, row of states, row of u, time)."""
    t, work = schedule.t, workspace()
    ledger, y, z = np.zeros(3), np.zeros(3), np.zeros(3)
    for k in range(record.states.shape[1]):
        cell, m = cell_of(rows, k), record.memory[k]
        ledger[:], y[:], z[:] = 0.0, record.states[0, k], 0.0
        h, tick = 0.0, 0
        for j in range(t.shape[0]):
            if stopped(record.counts[2:]):  # pyright: ignore[reportCallIssue]
                return FINE, k, j, j, t[j]
            if j > 0:
                problem = DeviceProblem(cell, drive_of(schedule, j - 1, k), m, z)
                work.counts[:] = 0
                if solver.method == SDIRK:
                    status, h = adaptive(problem, y, (t[j - 1], t[j]), h, solver.tolerance, ledger, work)
                else:
                    # 1e-6 of slack: rounding of the quotient would otherwise add a step to a whole number of them
                    number = max(1, math.ceil((t[j] - t[j - 1]) / solver.dt - 1e-6))
                    steps = Steps(t[j - 1], (t[j] - t[j - 1]) / number, number, solver.method == MIDPOINT)
                    positions = DeviceDraws(draws.noisy, draws.element + k, tick, draws.stream, draws.key)
                    status = fixed(problem, y, steps, positions, ledger, work)
                    # ticks run on over output times, so that no draw is used twice
                    tick += number
                    work.counts[0] = number
                record.counts[:2] += work.counts
                if status != FINE:
                    record.states[j, k] = y
                    return status, k, j, j - 1, work.time[0]
                record.states[j, k], record.energy[j, k] = y, ledger[:2]
            # what is shown at an output time is noiseless, and follows the drive from that time on
            z[:] = 0.0
            out = work.K[0]
            rates(DeviceProblem(cell, drive_of(schedule, j, k), m, z), y, out)
            record.shown[j, k] = out[CURRENT : SHOWN + 1]
            if not math.isfinite(out[CURRENT]) or out[SHOWN] > cell.domain.hottest:
                return RUNAWAY if out[SHOWN] > cell.domain.hottest else STUCK, k, j, j, t[j]
    return FINE, 0, 0, 0, 0.0


run = keep(run, "the equations of devices", 20.0)
