"""Whether a program fits a chip: its cores, and what every row asks of a core."""

from __future__ import annotations

import numpy as np

from thermoc.simulator.chips import Chip
from thermoc.simulator.machine.instructions import FIELDS, THERMAL, ChipOp
from thermoc.simulator.machine.program import ChipProgram
from thermoc.support.errors import error

LIMITS: dict[ChipOp, dict[str, tuple[str, str]]] = {
    ChipOp.PROG: {"arrays": ("crossbar.per_core", "arrays of a core"), "rows": ("crossbar.rows", "rows of an array")},
    ChipOp.SETIN: {"arrays": ("crossbar.per_core", "arrays of a core")},
    ChipOp.MVM: {
        "arrays": ("crossbar.per_core", "arrays of a core"),
        "columns": ("crossbar.columns", "columns of an array"),
        "rows": ("crossbar.rows", "rows of an array"),
    },
    **{op: {"units": ("sampler.units", "p-bits of a core")} for op in THERMAL},
    ChipOp.SEND: {"bytes": ("buffer.size", "bytes that the tile's buffer holds")},
    ChipOp.RECV: {"bytes": ("buffer.size", "bytes that the tile's buffer holds")},
}
"""What an operand may be at most: the chip's number, and what that is."""


def check(program: ChipProgram, chip: Chip) -> None:
    """Refuse a program that the chip cannot hold. Errors: T305 where it lacks a part, T306 where it has too few."""
    if chip.kind != "crossbar":
        raise error("T305", f"chip {chip.name!r} has no crossbars", notes=[f"it is a {chip.kind} chip"])
    code = program.code
    messages = np.isin(code[:, 0], (ChipOp.SEND, ChipOp.RECV))
    # a partner beyond the program's own streams must be a core of the chip too
    highest = max(len(program.starts) - 1, int(code[messages, 2].max(initial=-1)) + 1)
    if highest > chip.cores:
        notes = [f"it uses {highest} cores", f"{chip.name} has {chip.cores}"]
        raise error("T306", f"program {program.name!r} does not fit chip {chip.name!r}", notes=notes)
    if np.isin(code[:, 0], THERMAL).any() and "sampler.units" not in chip:
        raise error(
            "T305", f"chip {chip.name!r} has no p-bits", hint="take thermo-1, or add [sampler] to the chip's file"
        )
    for opcode, limits in LIMITS.items():
        for field, (name, what) in limits.items():
            if name in chip:
                _within(program, chip, opcode, field, chip.whole(name), what)
    _within(program, chip, ChipOp.PROG, "cells", _cells(chip), "cells of a core")
    _within(program, chip, ChipOp.BARRIER, "group", chip.cores - 1, "the last number of a group")


def _cells(chip: Chip) -> int:
    return chip.whole("crossbar.per_core") * chip.whole("crossbar.rows") * chip.whole("crossbar.columns")


def _within(program: ChipProgram, chip: Chip, opcode: ChipOp, field: str, most: int, what: str) -> None:
    """Refuse the first row whose operand is above what there is."""
    column = 2 + FIELDS[opcode].index(field)
    rows = np.flatnonzero((program.code[:, 0] == opcode) & (program.code[:, column] > most))
    if len(rows):
        notes = [f"it asks for {program.code[rows[0], column]}", f"{chip.name} has {most}: {what}"]
        raise error("T306", f"an instruction does not fit chip: {program.text(int(rows[0]))}", notes=notes)
