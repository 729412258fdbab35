"""Devices as units of a network: n of one model over a tick, coupled by heat where links join them.

A tick is ``steps`` steps of one length by the rules of ``loops``; drive and ambient temperature are held over it. What
a link conducts is that of the step's start, G (T_i - T_j), taken from one end and given to the other; with noise it
carries its own (P27). Coupled devices of a hysteretic model are looked at together, as a lattice's are.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from thermoc.simulator.cache import keep
from thermoc.simulator.devices import equations
from thermoc.simulator.devices.device import names
from thermoc.simulator.devices.equations import HYSTERETIC, look, look_together, rates, store, travelled
from thermoc.simulator.devices.loops import (
    FINE,
    MIDPOINT,
    OUTSIDE,
    RUNAWAY,
    SDIRK,
    STUCK,
    DeviceRows,
    adaptive,
    cell_of,
    one_step,
)
from thermoc.simulator.devices.models import MODELS, NUMBERS
from thermoc.simulator.devices.records import (
    CURRENT,
    SHOWN,
    VOLTAGE,
    Cell,
    DeviceCircuit,
    DeviceDrive,
    DeviceProblem,
    Domain,
    Row,
    Workspace,
)
from thermoc.simulator.devices.rule import rule
from thermoc.simulator.devices.simulate import METHODS
from thermoc.support.errors import ThermocError, error
from thermoc.support.units import K_B

STATES, SHOWS = 9, 5
"""Numbers of a unit: T, internal state, node voltage, five of memory, the step to try next; then what is shown:
current, voltage across the device, temperature, work and heat of the tick in J."""
WIDTH = STATES + SHOWS
TRY = 8
WORK = 95
"""Floats that the steps of one unit work in."""
NUMBERS_BEFORE = 5
"""Floats of ``settings`` before the rows: length of a step, tolerance, what errors of three states are measured by."""


class DeviceUnits(NamedTuple):
    """Devices, how a tick is stepped (``loops.Solver``), links: ends (2 E,) of units, link (E,) W/K."""

    devices: DeviceRows
    method: int
    h: float
    steps: int
    tolerance: float
    noisy: bool
    ends: NDArray[np.int64]
    link: Row


class UnitSizes(NamedTuple):
    """The integers of ``settings``: units, model, method, steps, whether there is noise, rows of parameters and their
    number, rows of circuits and of domains, links."""

    units: int
    model: int
    method: int
    steps: int
    noisy: int
    rows: int
    columns: int
    circuits: int
    domains: int
    links: int

    @property
    def floats(self) -> int:
        """How many floats settings have."""
        return NUMBERS_BEFORE + self.rows * self.columns + 5 * self.circuits + 3 * self.domains + self.links

    @property
    def drive(self) -> int:
        """How many numbers drive a sample for a tick: voltages, ambient temperatures, noise."""
        noise = self.steps * (3 * self.units + self.links) if self.noisy else 0
        return 2 * self.units + noise

    def possible(self) -> bool:
        """Whether kernels stay within arrays of these sizes."""
        valid = 0 <= self.model < len(MODELS) and 0 <= self.method < len(METHODS) and self.noisy in (0, 1)
        each = all(count in (1, self.units) for count in (self.rows, self.circuits, self.domains))
        if not (valid and each and self.units >= 1 and self.steps >= 1 and self.links >= 0):
            return False
        return self.columns == len([*MODELS.values()][self.model].units)


def settings(
    model: str,
    *,
    method: str,
    h: float,
    steps: int,
    tolerance: float,
    noisy: bool,
    units: int,
    parameters: NDArray,
    circuit: NDArray,
    domain: NDArray,
    scale: NDArray,
    ends: NDArray,
    link: NDArray,
) -> tuple[UnitSizes, NDArray[np.int64], NDArray[np.float64]]:
    """Return sizes, ends of links and floats, which say all of the units but their state and drive."""
    counts = (len(parameters), parameters.shape[1], len(circuit), len(domain), len(link))
    sizes = UnitSizes(units, NUMBERS[model], METHODS.index(method), steps, int(noisy), *counts)
    blocks = ([h, tolerance], scale, parameters, circuit, domain, link)
    floats = np.concatenate([np.asarray(block, np.float64).reshape(-1) for block in blocks])
    return sizes, np.asarray(ends, np.int64).reshape(-1), floats


@rule
def units_of(sizes, ends, floats):
    """The units of ``settings``."""
    model, method, steps, noisy, rows, columns, circuits, domains, links = sizes[1:]
    first, second = NUMBERS_BEFORE, NUMBERS_BEFORE + rows * columns
    third, fourth = second + 5 * circuits, second + 5 * circuits + 3 * domains
    devices = DeviceRows(
        model,
        floats[first:second].reshape((rows, columns)),
        floats[second:third].reshape((circuits, np.int64(5))),
        floats[third:fourth].reshape((domains, np.int64(3))),
        floats[2:NUMBERS_BEFORE],
    )
    link = floats[fourth : fourth + links]
    return DeviceUnits(devices, method, floats[0], steps, floats[1], noisy != 0, ends, link)


@rule
def workspace_of(memory):
    """The arrays of one unit's steps, in ``WORK`` floats: those of steps, then the ledger (3,) and the noise (3,)."""
    return Workspace(
        memory[0:9].reshape((3, 3)),
        memory[9:18].reshape((3, 3)),
        memory[18:74].reshape((7, 8)),
        memory[74:80],
        memory[80:81],
        memory[81:83].view(np.int64),
        memory[83:86],
        memory[86:89],
    )


@rule
def exchange(units, now, z, step, flux):
    """flux[k]: W that unit k takes from those that it is linked to. z: the tick's noise."""
    n, links = now.shape[0], units.link.size
    for k in range(n):
        flux[k] = 0.0
    first = 3 * units.steps * n + step * links
    for e in range(links):
        i, j, G = units.ends[2 * e], units.ends[2 * e + 1], units.link[e]
        q = G * (now[i, 0] - now[j, 0])
        if units.noisy:
            # Euler's T may pass below 0 K in a draw: the root then is that of 0
            q += math.sqrt(2 * K_B * max(now[i, 0] * now[j, 0], 0.0) * G / units.h) * z[first + e]
        flux[i] -= q
        flux[j] += q


@rule
def look_all(units, now):
    """Turn coupled hysteretic units that went back, once any has gone far enough since all were last looked at."""
    model, n, far = units.devices.model, now.shape[0], 0.0
    for k in range(n):
        far = max(far, travelled(model, now[k, 0], now[k, 3:8], cell_of(units.devices, k).parameters))
    if far > 0:
        for k in range(n):
            look_together(model, now[k, 0], now[k, 3:8], cell_of(units.devices, k).parameters)


@rule
def step_unit(units, k, now, drive, inflow, step, memory):
    """One step of unit k; return its status. drive: of the tick (``UnitSizes.drive``)."""
    n, work, ledger, noise = now.shape[0], workspace_of(memory), memory[89:92], memory[92:95]
    cell = cell_of(units.devices, k)
    y, m = now[k, 0:3], now[k, 3:8]
    ledger[0], ledger[1], ledger[2] = 0.0, 0.0, 0.0
    for d in range(3):
        noise[d] = 0.0
    problem = DeviceProblem(cell, DeviceDrive(np.float64(drive[k]), np.float64(drive[n + k]), inflow), m, noise)
    if units.method == SDIRK:
        work.counts[0], work.counts[1] = 0, 0
        status, now[k, TRY] = adaptive(problem, y, (0.0, units.h), now[k, TRY], units.tolerance, ledger, work)
    else:
        if units.link.size == 0:
            look(cell.model, y[0], m, cell.parameters)
        if units.noisy:
            # white noise of unit power, held over h, has the variance 1 / h
            root, at = 1 / math.sqrt(units.h), 2 * n + step * n + k
            noise[0] = drive[at] * root if cell.circuit.capacity > 0 else 0.0
            if cell.circuit.capacitance > 0:
                noise[1], noise[2] = drive[at + units.steps * n] * root, drive[at + 2 * units.steps * n] * root
        status = one_step(problem, y, units.h, units.method == MIDPOINT, ledger, work)
    now[k, STATES + 3] += ledger[0]
    now[k, STATES + 4] += ledger[1]
    return status


@rule
def show_unit(units, k, now, drive, memory):
    """Set what is shown of unit k after a tick: noiseless, at the drive of the tick; return the status."""
    n, work, noise = now.shape[0], workspace_of(memory), memory[92:95]
    for d in range(3):
        noise[d] = 0.0
    cell, out = cell_of(units.devices, k), work.K[0]
    unit_drive = DeviceDrive(np.float64(drive[k]), np.float64(drive[n + k]), 0.0)
    rates(DeviceProblem(cell, unit_drive, now[k, 3:8], noise), now[k, 0:3], out)
    now[k, STATES], now[k, STATES + 1], now[k, STATES + 2] = out[CURRENT], out[VOLTAGE], out[SHOWN]
    if not math.isfinite(out[CURRENT]) or out[SHOWN] > cell.domain.hottest:
        return RUNAWAY if out[SHOWN] > cell.domain.hottest else STUCK
    return FINE


@rule
def advance_units(units, first, last, now, drive, flux, memory):
    """A tick of units [first, last) of a sample in place, all of them where they are linked; (status, unit).

    now: (n, 14), whose shown numbers are set. flux: (n,) scratch; memory: (95,).
    """
    linked = units.link.size > 0
    for k in range(first, last):
        now[k, STATES + 3], now[k, STATES + 4] = 0.0, 0.0
    for step in range(units.steps):
        if linked:
            exchange(units, now, drive[2 * now.shape[0] :], step, flux)
            if HYSTERETIC[units.devices.model] and units.method != SDIRK:
                look_all(units, now)
        for k in range(first, last):
            status = step_unit(units, k, now, drive, flux[k] if linked else 0.0, step, memory)
            if status != FINE:
                return status, k
    for k in range(first, last):
        status = show_unit(units, k, now, drive, memory)
        if status != FINE:
            return status, k
    return FINE, 0


def ticked(sizes, ends, floats, now, drive, failed):
    """A tick of all samples: now (samples, n, 14) in place, drive (samples, :). failed: sample, status, unit."""
    units, n = units_of(sizes, ends, floats), now.shape[1]
    flux, memory = np.zeros(n), np.zeros(WORK)
    for s in range(now.shape[0]):
        status, k = advance_units(units, 0, n, now[s], drive[s], flux, memory)
        if status != FINE:
            failed[0], failed[1], failed[2] = s, status, k
            return


ticked = keep(njit(ticked, error_model="numpy", nogil=True), "the equations of devices", 20.0)


def failure(model: int, status: int, unit: int, sample: int, tick: int) -> ThermocError:
    """Return the error of a unit that cannot go on."""
    name, where = names()[model], [f"unit {unit} of sample {sample}, at tick {tick}"]
    if status == RUNAWAY:
        hint = "raise the load's resistance (circuit_load) or the cooling, lower the drive, or take a smaller dt"
        return error("T410", f"{name}: the device runs away", notes=[*where, "hotter than heat_limit"], hint=hint)
    hint = "take a smaller dt or more steps a tick, or method='sdirk'; or lower the voltage"
    why = "the internal state left its range" if status == OUTSIDE else "a step or a current has no finite solution"
    return error("T411", f"{name}: the device cannot take its next step", notes=[*where, why], hint=hint)


class TracedDevice:
    """The rules of Euler's steps, with the records they are called with: numbers may be arrays, or values of a graph.

    parameters, circuit: their columns; drive: source and ambient temperature; memory, noise: lists, which rules read
    and change. instead: by the functions that choose a model's rule, that rule itself.
    """

    def __init__(self, model: str, *, parameters: list, circuit: list, drive: tuple, memory: list, noise: list):
        declared = MODELS[model]
        self._number, self._drive, self._memory, self._noise = NUMBERS[model], drive, memory, noise
        self.parameters, self._circuit = declared.parameters(*parameters), DeviceCircuit(*circuit)
        self.rates, hysteresis = rates, declared.hysteresis
        self.look = hysteresis and hysteresis.look
        self.look_together, self.travelled = (
            hysteresis and hysteresis.look_together,
            hysteresis and hysteresis.travelled,
        )
        self.instead = {
            equations.conduct: self._of(declared.conduct),
            equations.solve: self._of(declared.solve),
            equations.rate: self._of(declared.rate, 0.0),
            equations.core: self._of(declared.core),
        }

    def _of(self, chosen: Any, default: Any = None) -> Any:
        """Return a stand-in for a function (model, ..., row): the model's rule, or what stands where it has none."""
        return TracedRule(chosen, self.parameters, default)

    def problem(self, inflow: Any) -> DeviceProblem:
        """Return what rates depend on but the state."""
        domain = Domain(np.inf, -np.inf, np.inf)  # type: ignore[arg-type]
        cell = Cell(self._number, self.parameters, self._circuit, np.ones(3), domain)
        return DeviceProblem(cell, DeviceDrive(*self._drive, inflow), self._memory, self._noise)  # type: ignore[arg-type]


class TracedRule(NamedTuple):
    """A model's rule that stands in for the choice among all models: called with (model, *arguments, row)."""

    rule: Any
    parameters: Any
    default: Any


class UnitLibrary:
    """What the IR asks of device models (``thermoc.ir.device_library``)."""

    def columns(self, model: str) -> int | None:
        """Return how many parameters a model has, None where there is no such model."""
        return len(MODELS[model].units) if model in MODELS else None

    def names(self) -> tuple[str, ...]:
        """Return the models by name."""
        return names()

    def stored(self, model: str, parameters: NDArray, x: NDArray, T_ambient: NDArray) -> NDArray[np.float64] | None:
        """Return J that internal states x (..., n) store of themselves, None where the model has no such store."""
        if MODELS[model].store is None:
            return None
        rows = np.broadcast_to(parameters, (x.shape[-1], parameters.shape[1]))
        values = np.empty(x.shape)
        for index in np.ndindex(x.shape):
            values[index] = store(NUMBERS[model], x[index], T_ambient[index], rows[index[-1]])
        return values

    def traced(self, model: str, **how: Any) -> TracedDevice:
        """Return the rules of Euler's steps of a model, to be written in other terms."""
        return TracedDevice(model, **how)

    def tick(self, now: NDArray, drive: NDArray, *, sample: int, tick: int, **how: Any) -> NDArray[np.float64]:
        """Return (samples, n, 14) after a tick of units now (samples, n, 9); ``how`` as ``settings`` takes it.

        Errors: T410, T411, with the unit.
        """
        sizes, ends, floats = settings(units=now.shape[1], **how)
        after = np.zeros((*now.shape[:2], WIDTH))
        after[:, :, :STATES] = now
        failed = np.full(3, -1)
        ticked(tuple(sizes), ends, floats, after, np.ascontiguousarray(drive, np.float64), failed)
        if failed[0] >= 0:
            raise failure(sizes.model, int(failed[1]), int(failed[2]), sample + int(failed[0]), tick)
        return after
