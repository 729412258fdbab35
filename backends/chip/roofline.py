"""The roofline of a chip's core (Williams, Waterman and Patterson 2009): what ops reach, and what holds them back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from thermoc.simulator.machine.account import in_setup
from thermoc.simulator.machine.instructions import PICO, THERMAL, ChipOp
from thermoc.support.array_types import AnyArray
from thermoc.support.thinning import number

if TYPE_CHECKING:
    from thermoc.backends.chip.report import ChipReport

_BYTES = {ChipOp.LD: 0, ChipOp.ST: 0, ChipOp.SEND: 2, ChipOp.RECV: 2}
"""Which operand counts the bytes of an instruction that moves some."""


def roofline(report: ChipReport) -> dict[str, Any]:
    """Return two roofs of a core and a point for each op, in a tick of one sample.

    Operations: two for each cell that a product reads, one for each element of a vector operation, one for each update
    of a unit. Bytes: those that instructions of the op take through a buffer's port. Seconds: those that its cores are
    busy with it; instructions that wait are not.
    """
    layout, price = report.run.artefact.mapping, report.run.price
    program, chip = layout.program, layout.chip
    code, ticks = program.code, ~in_setup(program) & (program.code[:, 1] >= 0)
    work, moved = _operations(code), _bytes(code, chip["input.bits"])
    seconds = price.duration / PICO
    points = []
    for served, op in enumerate(program.ops):
        mine = ticks & (code[:, 1] == served)
        total, size, busy = work[mine].sum(), moved[mine].sum(), seconds[mine].sum()
        if busy > 0:
            point = {"operations": number(total), "bytes": number(size), "seconds": number(busy)}
            intensity, rate = total / size if size else None, total / busy
            points.append({"op": op, **point, "intensity": intensity and number(intensity), "rate": number(rate)})
    bandwidth = chip["buffer.width"] / 8 * chip["clock.frequency"]
    return {"peak": number(_peak(chip)), "bandwidth": number(bandwidth), "points": points}


def _operations(code: AnyArray) -> AnyArray:
    a, b, c, d = code[:, 2:6].astype(float).T
    kind = code[:, 0]
    return np.select(
        [kind == ChipOp.MVM, kind == ChipOp.VOP, np.isin(kind, [int(op) for op in THERMAL])],
        [2 * a * b * c * d, a * b, a * c],
        0.0,
    )


def _bytes(code: AnyArray, bits: float) -> AnyArray:
    kind, moved = code[:, 0], np.zeros(len(code))
    for op, field in _BYTES.items():
        moved[kind == op] = code[kind == op, 2 + field]
    setin = kind == ChipOp.SETIN
    moved[setin] = np.ceil(code[setin, 2] * bits / 8)
    return moved


def _peak(chip: Any) -> float:
    """Return the operations a second of a core whose arrays are all full and never wait."""
    arrays, columns, rows = (chip[f"crossbar.{name}"] for name in ("per_core", "columns", "rows"))
    read_time = max(chip["crossbar.read_time"], np.ceil(arrays * columns / chip["adc.per_core"]) / chip["adc.rate"])
    return 2 * arrays * columns * rows / (chip.reads * read_time)
