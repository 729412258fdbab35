"""Devices as units: a tick of memristors and cells by the rules of ``simulator.devices``."""

from __future__ import annotations

from thermoc.simulator.instructions.declaration import Instruction, Points, RowSizes, SlotKind, Trait

FLOATS, INTS = SlotKind.FLOATS, SlotKind.INTS
SIZES = 10
"""Integers before the ends of links: ``devices.units.UnitSizes``."""
MOST_SIZE = 2**31


def _devices(row: RowSizes, sizes: int) -> bool:
    if not row.places(sizes, SIZES, 0, MOST_SIZE):
        return False
    from thermoc.simulator.devices.units import STATES, WIDTH, UnitSizes  # the models load where there are devices

    counts = UnitSizes(*row.table[sizes : sizes + SIZES].tolist())
    n = counts.units
    matched = counts.possible() and (row.n, row.x) == (n * WIDTH, n * STATES)
    consistent = matched and (row.y, row.z) == (counts.drive, counts.floats)
    return consistent and row.places(sizes + SIZES, 2 * counts.links, 0, n)


def _points(row: RowSizes, sizes: int) -> int:
    """One a unit; one for all where heat flows between them, step by step."""
    return 1 if row.table[sizes + SIZES - 1] else int(row.table[sizes])


def _scratch(row: RowSizes, sizes: int) -> int:
    """Of each point: numbers of units after the tick, heat that flows in, what steps work in."""
    from thermoc.simulator.devices.units import WIDTH, WORK

    n = int(row.table[sizes])
    return n * (WIDTH + 1) + WORK * _points(row, sizes)


DEVICES = Instruction(
    opcode=140,
    name="DEVICES",
    equation="r = (units, 14): a tick of devices at x (units, 9), driven by y: voltages, ambient temperatures, noise; "
    "z holds the bits of their values in float64",
    result=FLOATS,
    operands=(FLOATS, FLOATS, INTS),
    parameters={
        "sizes": "where in the table units, model, method, steps, noise, rows and columns of parameters, rows of "
        "circuits and of domains, links and their ends stand"
    },
    fits=_devices,
    kernel="devices.device_units",
    points=Points(rule="devices.device_units", count=_points, ints=_scratch),
    traits=frozenset({Trait.ALONE, Trait.PER_TICK}),  # a device that cannot go on is reported with its tick
    seconds=20.0,
)
