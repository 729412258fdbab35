"""Devices driven through time: traces of temperature, state, voltage and current, and the ledger of their energy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thermoc.simulator.arrays import count, counters, numbers
from thermoc.simulator.devices import loops
from thermoc.simulator.devices.device import Device, check_ambient, memories
from thermoc.simulator.devices.equations import rates, store
from thermoc.simulator.devices.records import (
    CAPACITANCE,
    CAPACITY,
    CURRENT,
    SHOWN,
    VOLTAGE,
    DeviceDraws,
    DeviceDrive,
    DeviceProblem,
)
from thermoc.simulator.threads import attended
from thermoc.support.errors import ThermocError, error
from thermoc.support.suggestions import near

METHODS = ("sdirk", "midpoint", "euler")
Outcome = tuple[int, int, int, int, float]
"""How a run of devices ended: status, and device, row, step and time of the one that could not go on."""
MOST_TICKS = 2**32


@dataclass(frozen=True, kw_only=True)
class DeviceTrace:
    """What n devices did at times t: rows are times, columns devices; SI units.

    ``work`` is the electrical energy taken from the source and ``heat`` what has left through thermal paths and loads
    since t[0]; ``stored`` is what the states hold beyond their start: work - heat = stored, to ``imbalance``.
    """

    t: NDArray
    T: NDArray
    state: NDArray
    node: NDArray
    voltage: NDArray
    current: NDArray
    work: NDArray
    heat: NDArray
    stored: NDArray
    steps: int
    rejected: int

    @property
    def imbalance(self) -> NDArray:
        """(n,) the greatest |work - heat - stored| of each device, in J."""
        return np.abs(self.work - self.heat - self.stored).max(axis=0)


def simulate(
    device: Device,
    drive: ArrayLike,
    t: ArrayLike,
    *,
    n: int | None = None,
    ambient: ArrayLike | None = None,
    method: str = "sdirk",
    tolerance: float = 1e-8,
    dt: float | None = None,
    noise: bool = False,
    seed: int = 0,
    stream: int = 0,
    first: int = 0,
) -> DeviceTrace:
    """Return what n devices do at the times t (n_t,), from t[0] on.

    drive: source voltage in V, and ambient: temperature in K (default the device's), each a number, (n_t, 1), (n,) or
    (n_t, n); rows are held from one time to the next, and n is to be given where a row might be either. ``sdirk`` takes
    steps of its own to a relative ``tolerance``; ``midpoint`` (Stratonovich) and ``euler`` (Ito) take steps of some dt,
    a whole number between times, and may have noise (P27, P28): Philox at (element first + k, tick, draw, stream) keyed
    by seed.

    Errors: T402, T403, T404, T405 (an ambient temperature out of the model's domain); T410 for a device that grows
    hotter than its limit and T411 for a step that cannot be solved or leaves the model's range, both with time, place,
    temperature and current.
    """
    times = np.ascontiguousarray(np.atleast_1d(numbers("t", t)))
    _check(times, method, tolerance, dt, noise)
    key, stream, first = counters(seed, stream, first)
    if noise and device.model.noiseless:
        hint = "choose stanford for a fluctuating filament"
        raise error("T404", f"{device.name} takes no noise", notes=[device.model.noiseless], hint=hint)
    n = _count(device, n, len(times), drive, ambient)
    source = _over_time("drive", drive, len(times), n)
    around = _over_time("ambient", device.ambient if ambient is None else ambient, len(times), n)
    check_ambient(device, around)
    for rows in (device.parameters, device.circuit, device.start):
        # kernels clamp a row's number: with any other count the last row would stand in for devices that lack one
        if len(rows) not in (1, n):
            raise error("T402", f"{device.name}: values for {len(rows)} devices, but there are {n}")
    schedule = loops.DriveSchedule(times, source, around)
    solver = loops.Solver(METHODS.index(method), float(dt or 0.0), tolerance)
    record = _begin(device, schedule, n)
    draws = DeviceDraws(noise, first, 0, stream, key)
    # the third count is the flag by which an interrupt ends the kernel: it cannot see Python's signals
    outcome: Outcome = attended(lambda: loops.run(device.rows, schedule, solver, draws, record), halt=record.counts[2:])
    if outcome[0] != loops.FINE:
        raise _failure(device, method, schedule, record, *outcome)
    return _trace(device, schedule, record)


def _begin(device: Device, schedule: loops.DriveSchedule, n: int) -> loops.DeviceRecord:
    """Return what a run writes, with the states that it starts from."""
    n_t = len(schedule.t)
    record = loops.DeviceRecord(
        states=np.zeros((n_t, n, 3)),
        memory=memories(device, n),
        energy=np.zeros((n_t, n, 2)),
        shown=np.zeros((n_t, n, 3)),
        counts=np.zeros(3, np.int64),
    )
    record.states[0] = device.start
    if not device.heated:
        record.states[0, :, 0] = schedule.ambient[0]
    return record


def _trace(device: Device, schedule: loops.DriveSchedule, record: loops.DeviceRecord) -> DeviceTrace:
    """Return what a run has written, by name."""
    states, shown = record.states, record.shown
    return DeviceTrace(
        t=schedule.t,
        T=np.where(shown[..., 2] > 0, shown[..., 2], states[..., 0]),
        state=states[..., 1],
        node=states[..., 2],
        voltage=shown[..., 1],
        current=shown[..., 0],
        work=record.energy[..., 0],
        heat=record.energy[..., 1],
        stored=_stored(device, states, schedule.ambient),
        steps=int(record.counts[0]),
        rejected=int(record.counts[1]),
    )


def _count(device: Device, n: int | None, n_t: int, *arguments: ArrayLike | None) -> int:
    """Return the number of devices. Errors: T402 where a row could be meant over devices or over times."""
    if n is not None:
        count("n", n, least=1)
    arrays = [numbers("drive or ambient", values) for values in arguments if values is not None]
    lengths = [values.shape[-1] for values in arrays if values.ndim]
    if n is None and device.count == 1 and any(values.ndim == 1 and len(values) == n_t > 1 for values in arrays):
        hint = "for values over time give a column, drive[:, np.newaxis]; for n devices say n=..."
        raise error("T402", f"a row of {n_t} values may be meant for {n_t} times or for {n_t} devices", hint=hint)
    return max(n or 1, device.count, *lengths)


def _check(times: NDArray, method: str, tolerance: float, dt: float | None, noise: bool) -> None:
    if times.ndim != 1 or not times.size or not np.isfinite(times).all() or (np.diff(times) <= 0).any():
        raise error("T403", "times must be finite and rise", hint="give t as a rising row of seconds")
    if method not in METHODS:
        raise error(
            "T404", f"there is no method {method!r}", hint=near(method, METHODS, f"choose one of {', '.join(METHODS)}")
        )
    tolerance, dt = _number("tolerance", tolerance), None if dt is None else _number("dt", dt)
    if not 0 < tolerance < 1:
        raise error("T404", f"tolerance is {tolerance}", hint="give a relative error between 0 and 1, as 1e-8")
    if method == "sdirk":
        if noise:
            raise error(
                "T404", "sdirk takes no noise", hint="choose method='midpoint' (Stratonovich) or 'euler' (Ito), and dt"
            )
        return
    if dt is None or not 0 < dt < np.inf:
        raise error("T404", f"{method} needs a step dt in s", notes=[f"dt is {dt}"])
    # one tick is one step; the draws of a longer run would repeat
    if len(times) > 1 and (times[-1] - times[0]) / dt + len(times) >= MOST_TICKS:
        raise error(
            "T404", "more steps than ticks of noise", notes=[f"{(times[-1] - times[0]) / dt:.3g} of {MOST_TICKS}"]
        )


def _over_time(name: str, values: ArrayLike, n_t: int, n: int) -> NDArray[np.float64]:
    """Return values as (1 or n_t, 1 or n). Errors: T402 (shape), T403 (not finite)."""
    array = numbers(name, values)
    rows = array.reshape(1, -1) if array.ndim < 2 else array
    if rows.ndim != 2 or rows.shape[0] not in (1, n_t) or rows.shape[1] not in (1, n):
        hint = "give a number, (n,), (n_t, 1) or (n_t, n)"
        raise error(
            "T402",
            f"{name} has the shape {array.shape}",
            notes=[f"there are n_t = {n_t} times and n = {n} devices"],
            hint=hint,
        )
    if not np.isfinite(rows).all():
        raise error("T403", f"{name} is not finite", notes=[f"at {np.argwhere(~np.isfinite(rows))[0].tolist()}"])
    return np.ascontiguousarray(rows)


def _stored(device: Device, states: NDArray, around: NDArray) -> NDArray:
    """Energy beyond the start: heat, charge, and the model's own."""
    C, heat = device.circuit[:, CAPACITANCE], device.circuit[:, CAPACITY]
    T, x, node = states[..., 0], states[..., 1], states[..., 2]
    # (b - a)(b + a) and not b^2 - a^2, which loses the digits that the balance is about
    stored = heat * (T - T[0]) + 0.5 * C * (node - node[0]) * (node + node[0])
    if device.model.store is None:
        return stored
    enthalpy = np.array([[_own_store(device, row[k], around, k) for k in range(x.shape[1])] for row in x])
    return stored + enthalpy - enthalpy[0]


def _own_store(device: Device, x: float, around: NDArray, k: int) -> float:
    parameters = device.parameters[min(k, len(device.parameters) - 1)]
    return store(device.number, x, around[0, min(k, around.shape[1] - 1)], parameters)


def _number(name: str, value: object) -> float:
    array = numbers(name, value, code="T404")
    if array.ndim:
        raise error("T404", f"{name} is one number, not an array of shape {array.shape}")
    return float(array)


def _failure(
    device: Device,
    method: str,
    schedule: loops.DriveSchedule,
    record: loops.DeviceRecord,
    status: int,
    k: int,
    row: int,
    step: int,
    at: float,
) -> ThermocError:
    """The error of device k that cannot go on: when, how hot, what current. Too hot comes first."""
    y, out = record.states[row, k], np.zeros(8)
    # a state that is no number tells nothing: that of the output before is reported
    if not np.isfinite(y).all() or (device.heated and y[0] <= 0):
        y = record.states[max(row - 1, 0), k]
    drive = loops.drive_of(schedule, step, k)
    cell = device.cell(k)
    rates(DeviceProblem(cell, DeviceDrive(*drive), record.memory[k], np.zeros(3)), y, out)
    T = max(y[0], out[SHOWN]) if device.heated else out[SHOWN]
    notes = [
        f"at t = {at:.6g} s, device {k}, source {drive.source:.6g} V",
        f"temperature {T:.6g} K, limit {cell.domain.hottest:.6g} K",
        f"current {out[CURRENT]:.6g} A at {out[VOLTAGE]:.6g} V",
    ]
    smaller = "take a smaller dt" if method != "sdirk" else ""
    # heat first: a device too hot also leaves its range and its solver, and neither of these would be the cause
    if status == loops.RUNAWAY or cell.domain.hottest < T or np.isinf(out[CURRENT]):
        hint = "raise the load's resistance (circuit_load) or the cooling, or lower the drive"
        hint += f"; or {smaller}" if smaller else ""
        return error("T410", f"{device.name}: the device runs away", notes=notes, hint=hint)
    if status == loops.OUTSIDE:
        notes[1] = f"internal state {y[1]:.6g}, range {cell.domain.least:.6g} to {cell.domain.greatest:.6g}"
        what = f"{device.name}: {method} left the range of the internal state"
        return error("T411", what, notes=notes, hint=smaller or "take a smaller tolerance")
    hint = smaller or "loosen the tolerance, or change the drive in smaller steps"
    return error("T411", f"{device.name}: {method} cannot solve its next step", notes=notes, hint=hint)
