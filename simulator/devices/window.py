"""A soft stop at the ends of an internal state, shared by the models that have one."""

from __future__ import annotations

from thermoc.simulator.devices.rule import rule


@rule
def window(x, rate, least, greatest, edge):
    """1 inside, falling linearly to 0 over ``edge`` at the end towards which x moves.

    A hard stop would make the right-hand side jump, and error control would take ever shorter steps at it.
    """
    distance = x - least if rate < 0 else greatest - x
    return min(1.0, max(0.0, distance / edge))
