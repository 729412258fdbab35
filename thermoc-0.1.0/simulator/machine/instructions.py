"""The instructions of a chip: a row of integers each, (opcode, served op, a, b, c, d)."""

from __future__ import annotations

from enum import IntEnum

ROW = 6
PICO = 1e12
"""Picoseconds, which the machine counts in, a second."""


class Op(IntEnum):
    """What a row does. Its operands are in ``FIELDS``; "served" is the number of the IR op that it works for."""

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


FIELDS: dict[Op, tuple[str, ...]] = {
    Op.PROG: ("arrays", "rows", "cells"),
    Op.SETIN: ("values", "arrays"),
    Op.MVM: ("arrays", "columns", "rows", "times"),
    Op.ANNEAL: ("units", "first", "updates", "colour"),
    Op.STEP: ("units", "first", "updates", "colour"),
    Op.SAMPLE: ("units", "first", "updates", "colour"),
    Op.VOP: ("elements", "passes"),
    Op.LD: ("bytes",),
    Op.ST: ("bytes",),
    Op.SEND: ("core", "tag", "bytes"),
    Op.RECV: ("core", "tag", "bytes"),
    Op.BARRIER: ("group",),
    Op.HALT: (),
}
THERMAL = (Op.ANNEAL, Op.STEP, Op.SAMPLE)
"""Rows that work units at the temperature of their place: of those from the first on, the ones of a colour."""
