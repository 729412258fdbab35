"""The instructions of a chip: a row of integers each, (opcode, served op, a, b, c, d)."""

from __future__ import annotations

from enum import IntEnum

ROW = 6
PICO = 1e12
"""Picoseconds, which the machine counts in, a second."""


class ChipOp(IntEnum):
    """What a row does. Its operands are in ``FIELDS``; "served" is the number of the IR op that it works for."""

    # these numbers stand in saved programs and in the event kernel
    PROG = 0
    SETIN = 1
    MVM = 2
    ANNEAL = 3
    STEP = 4
    SAMPLE = 5
    VOP = 6
    LD = 7
    ST = 8
    SEND = 9
    RECV = 10
    BARRIER = 11
    HALT = 12


FIELDS: dict[ChipOp, tuple[str, ...]] = {
    ChipOp.PROG: ("arrays", "rows", "cells"),
    ChipOp.SETIN: ("values", "arrays"),
    ChipOp.MVM: ("arrays", "columns", "rows", "times"),
    ChipOp.ANNEAL: ("units", "first", "updates", "colour"),
    ChipOp.STEP: ("units", "first", "updates", "colour"),
    ChipOp.SAMPLE: ("units", "first", "updates", "colour"),
    ChipOp.VOP: ("elements", "passes"),
    ChipOp.LD: ("bytes",),
    ChipOp.ST: ("bytes",),
    ChipOp.SEND: ("core", "tag", "bytes"),
    ChipOp.RECV: ("core", "tag", "bytes"),
    ChipOp.BARRIER: ("group",),
    ChipOp.HALT: (),
}
THERMAL = (ChipOp.ANNEAL, ChipOp.STEP, ChipOp.SAMPLE)
"""Rows that work units at the temperature of their place: of those from the first on, the ones of a colour."""
