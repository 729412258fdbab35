"""The records that kernels of devices take: one device, what drives it, and the arrays that its steps work in.

Rows, in this order:

* state y: temperature T (K), internal state x (the model's unit), node voltage (V);
* noise z: what is held over a step in place of white noise of unit power: heat, load, device;
* rates: dT/dt, dx/dt, dv/dt, electrical power in, heat flow out, i, v, T.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Row = NDArray[np.float64]

TEMPERATURE, STATE, NODE, WORK, HEAT, CURRENT, VOLTAGE, SHOWN = range(8)
LOAD, INNER, CAPACITANCE, CONDUCTANCE, CAPACITY = range(5)
"""Columns of ``Device.circuit``, the fields of ``DeviceCircuit``."""


class DeviceCircuit(NamedTuple):
    """What a device hangs in: ohm, ohm, F (0 for no capacitor), W/K, J/K (0: no temperature of its own)."""

    load: float
    inner: float
    capacitance: float
    conductance: float
    capacity: float


class Domain(NamedTuple):
    """What a run may reach: the highest temperature, the least and the greatest internal state."""

    hottest: float
    least: float
    greatest: float


class Cell(NamedTuple):
    """One device as kernels read it: the number of its model, its row of parameters, its surroundings.

    scale: (3,) what errors of the state are measured by; 0 marks a state that stands still.
    """

    model: int
    parameters: Row
    circuit: DeviceCircuit
    scale: Row
    domain: Domain


class DeviceDrive(NamedTuple):
    """Source voltage in V, ambient temperature in K, and heat in W that comes from other devices."""

    source: float
    ambient: float
    inflow: float = 0.0


class DeviceProblem(NamedTuple):
    """The equation of one device over a step: all that its rates depend on but the state."""

    cell: Cell
    drive: DeviceDrive
    memory: Row
    noise: Row


class Workspace(NamedTuple):
    """Arrays that steps write: J and M (3, 3), K (7, 8) stage rates, new (6,) the step's result, base and guess (3,).

    Row 6 of K holds the rates at the start of the step, row 5 is scratch. ``new``: the state, then work and heat of the
    step in J, then the temperature shown times h. time: (1,) the time reached. counts: steps tried, steps rejected.
    """

    J: Row
    M: Row
    K: Row
    new: Row
    time: Row
    counts: NDArray[np.int64]
    base: Row
    guess: Row


class DeviceDraws(NamedTuple):
    """Which Philox draws drive a device: (element, tick, draw, stream) under a key, none where not ``noisy``."""

    noisy: bool
    element: int
    tick: int
    stream: int
    key: np.uint64
