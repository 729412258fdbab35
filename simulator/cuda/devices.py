"""Devices through time on a GPU: ``devices.loops``, a device a thread."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.cuda.compiler import Kernel, device_function
from thermoc.simulator.cuda.device import device as found
from thermoc.simulator.devices import loops
from thermoc.simulator.devices.loops import FINE, DeviceRecord, DeviceRows, DriveSchedule, Solver, Track
from thermoc.simulator.devices.records import Draws, Workspace
from thermoc.simulator.kernels.operands import shaped

ROOM, COUNTS, OUTCOME = 99, 5, 4
"""Floats and integers that a device's steps work in; what its run returns."""
ARRAYS = "parameters, circuit, domain, scale, t, source, ambient, states, memory, energy, shown, room, counts, outcome"
TEXT = f"""
def run({ARRAYS}, sizes, solver, numbers):
    for k in range(cuda.grid(1), numbers[1], cuda.gridsize(1)):
        advance({ARRAYS}, sizes, solver, numbers, k)
"""


def advance(
    parameters, circuit, domain, scale, t, source, ambient, states, memory, energy, shown, room, counts, outcome,
    sizes, solver, numbers, k,
):  # fmt: skip
    """Bring device k through all times; arrays are flat, ``sizes`` holds their shapes."""
    times, n = numbers[0], numbers[1]
    rows = DeviceRows(
        numbers[2],
        shaped(parameters, 0, (sizes[0], sizes[1])),
        shaped(circuit, 0, (sizes[2], sizes[3])),
        shaped(domain, 0, (sizes[4], sizes[5])),
        scale,
    )
    schedule = DriveSchedule(t, shaped(source, 0, (sizes[6], sizes[7])), shaped(ambient, 0, (sizes[8], sizes[9])))
    record = DeviceRecord(
        shaped(states, 0, (times, n, 3)),
        shaped(memory, 0, (n, 5)),
        shaped(energy, 0, (times, n, 2)),
        shaped(shown, 0, (times, n, 3)),
        shaped(counts, 5 * k, (3,)),
    )
    at = ROOM * k
    work = Workspace(
        shaped(room, at, (3, 3)),
        shaped(room, at + 9, (3, 3)),
        shaped(room, at + 18, (7, 8)),
        shaped(room, at + 74, (3,)),
        shaped(room, at + 77, (3,)),
        shaped(room, at + 80, (6,)),
        shaped(room, at + 86, (1,)),
        shaped(counts, 5 * k + 3, (2,)),
    )
    track = Track(shaped(room, at + 87, (3,)), shaped(room, at + 90, (3,)), shaped(room, at + 93, (3,)))
    how = Solver(numbers[3], solver[0], solver[1])
    draws = Draws(numbers[4] != 0, numbers[5] + k, 0, numbers[6], np.uint64(numbers[7]))
    status, row, driven, time = loops.one(rows, schedule, how, draws, record, k, work, track)
    outcome[4 * k], outcome[4 * k + 1], outcome[4 * k + 2], outcome[4 * k + 3] = status, row, driven, time


@cache
def kernel() -> Kernel:
    """Return the kernel of all devices."""
    names: dict[str, Any] = {"advance": device_function(advance)}
    kinds = ("float64",) * 12 + ("int64", "float64", "int64", "float64", "int64")
    title, modules = "the equations of devices on the GPU", (loops.__name__, __name__)
    return Kernel(text=TEXT, names=names, arrays=kinds, title=title, seconds=40.0, modules=modules)


def run(
    rows: DeviceRows, schedule: DriveSchedule, solver: Solver, draws: Draws, record: DeviceRecord
) -> tuple[int, int, int, int, float]:
    """As ``loops.run``: the record is filled, the first device that fails is returned."""
    device, (times, n) = found(), record.states.shape[:2]
    tables = [rows.parameters, rows.circuit, rows.domain, schedule.source, schedule.ambient]
    sizes = np.array([size for table in tables for size in table.shape], np.int64)
    given = [rows.parameters, rows.circuit, rows.domain, rows.scale, schedule.t, schedule.source, schedule.ambient]
    written = [record.states, record.memory, record.energy, record.shown]
    key = int(np.uint64(draws.key).astype(np.int64))
    numbers = [times, n, rows.model, solver.method, draws.noisy, draws.element, draws.stream, key]
    memory = [_uploaded(array) for array in (*given, *written)]
    room, counts, outcome = (
        _uploaded(array) for array in (np.zeros(ROOM * n), np.zeros(COUNTS * n, np.int64), np.zeros(OUTCOME * n))
    )
    rest = sizes, np.array([solver.dt, solver.tolerance]), np.array(numbers, np.int64)
    blocks = max(1, min(device.resident(kernel()), math.ceil(n / device.threads)))
    device.launch(kernel(), blocks, [*memory, room, counts, outcome, *map(_uploaded, rest)])
    for array, place in zip(written, memory[len(given) :]):
        array[...] = device.read(place).reshape(array.shape)
    record.counts[:2] += device.read(counts).reshape(n, COUNTS)[:, :2].sum(axis=0)
    return _first(device.read(outcome).reshape(n, OUTCOME))


def _first(outcomes: NDArray[np.float64]) -> tuple[int, int, int, int, float]:
    """Return (status, device, row of states, row of u, time) of the first device that failed."""
    for k in np.flatnonzero(outcomes[:, 0] != FINE).tolist()[:1]:
        status, row, driven, time = outcomes[k].tolist()
        return int(status), k, int(row), int(driven), time
    return FINE, 0, 0, 0, 0.0


def _uploaded(array: NDArray) -> Any:
    return found().upload(np.ascontiguousarray(array).reshape(-1))
