"""Rows that copy between a slot and a port or a ring: what the element of a point is, as text."""

from __future__ import annotations

from typing import NamedTuple

from thermoc.simulator.instructions import ports


class Copy(NamedTuple):
    """Where a row copies from or to: its other end is a slot."""

    end: str
    integer: bool
    writes: bool


COPIES = {
    ports.INPUT.opcode: Copy("input", False, False),
    ports.INT_INPUT.opcode: Copy("input", True, False),
    ports.OUTPUT.opcode: Copy("output", False, True),
    ports.INT_OUTPUT.opcode: Copy("output", True, True),
    ports.READ.opcode: Copy("ring", False, False),
    ports.INT_READ.opcode: Copy("ring", True, False),
    ports.WRITE.opcode: Copy("ring", False, True),
    ports.INT_WRITE.opcode: Copy("ring", True, True),
    ports.READ_LIST.opcode: Copy("ring", True, False),
    ports.WRITE_LIST.opcode: Copy("ring", True, True),
}


def element(copy: Copy, parameters: dict[str, int], size: int, widths: tuple[int, int]) -> str:
    """Return the element of point i as text. widths: of a sample's inputs and states, of its kind."""
    kind, offset = "int" if copy.integer else "float", parameters["offset"]
    if copy.end == "input":
        return f"{kind}_inputs[(timed * tick * batch + s) * {widths[0]} + {offset} + i]"
    if copy.end == "output":
        return f"{kind}_outputs[{offset} * ticks * batch + (tick * batch + s) * {size} + i]"
    ring = f"turn % {parameters['ticks']} * {size}" if parameters["ticks"] > 1 else "0"
    return f"{kind}_states[s * {widths[1]} + {offset} + {ring} + i]"
