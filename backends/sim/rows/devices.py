"""How a tick of devices becomes a row: their state, what drives them side by side, their values as constants."""

from __future__ import annotations

from typing import Any

import numpy as np

from thermoc.backends.sim.rows.writer import ProgramWriter
from thermoc.ir.dialects.devices import DeviceStep
from thermoc.simulator.instructions.devices import DEVICES
from thermoc.simulator.instructions.moves import SCATTER

ROWS = ("parameters", "circuit", "domain", "scale", "ends", "link")


def device_step(op: DeviceStep, w: ProgramWriter) -> None:
    """Voltages, ambient temperatures and noise behind each other; values in float64, whatever the program's format."""
    from thermoc.simulator.devices.units import settings  # the models load where there are devices

    n = op.now.shape[0]
    how: dict[str, Any] = {
        "method": op.method,
        "h": op.h,
        "steps": op.steps,
        "tolerance": op.tolerance,
        "noisy": op.z is not None,
    }
    rows: dict[str, Any] = {name: w.numbers(op, name) for name in ROWS}
    sizes, ends, floats = settings(op.model, units=n, **how, **rows)
    drive, start = w.work(op.source.inferred.with_(shape=(sizes.drive,))), 0
    for value in (op.source, op.T_ambient, *([] if op.z is None else [op.z])):
        w.row(SCATTER, drive, (w.slot(value),), at=w.table(np.arange(start, start + value.size)))
        start += value.size
    operands = (w.slot(op.now), drive, w.constant(floats.view(np.int64)))
    w.row(DEVICES, w.slot(op.after), operands, sizes=w.table(np.concatenate([np.array(sizes, np.int64), ends])))
