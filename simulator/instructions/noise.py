"""Noise as a function of counters (Philox4x32-10), rows of Boltzmann units, and p-bits."""

from __future__ import annotations

from thermoc.simulator.instructions.declaration import COUNTER, Instruction, Points, RowSizes, SlotKind, Trait

FLOATS = SlotKind.FLOATS
BLOCKS = {
    "draw": "the third word of the counter (element, tick, draw, stream)",
    "stream": "its fourth word",
}
TRAITS = frozenset({Trait.RANDOM, Trait.PER_TICK, Trait.SCRATCH})


def _counters(row: RowSizes, draw: int, stream: int) -> bool:
    # Philox takes words of 32 bits: a longer one would spill into the rounds' high halves
    return draw < COUNTER and stream < COUNTER


def _boltzmann(row: RowSizes, units: int) -> bool:
    return units >= 1 and row.n % units == 0 and row.x == row.n and row.one_or_each(row.y, row.n)


def _p_bits(row: RowSizes, spins: int, stream: int) -> bool:
    return row.one_or_each(row.x, row.n) and row.one_or_each(row.y, row.n) and spins <= 1 and stream < COUNTER


BOLTZMANN = Instruction(
    opcode=80,
    name="BOLTZMANN",
    equation="r[i] = exp(-x[i] / y[i]) / Z over each row of units (P5); y is one temperature or one a unit",
    result=FLOATS,
    operands=(FLOATS, FLOATS),
    parameters={"units": "units of a row"},
    fits=_boltzmann,
    kernel="thermal.boltzmann",
    points=Points(rule="noise.boltzmann", count=lambda row, units: row.n // units),
    seconds=0.6,
)
NORMAL = Instruction(
    opcode=81,
    name="NORMAL",
    equation="r[i] = a standard normal, from the block of element i",
    result=FLOATS,
    parameters=BLOCKS,
    fits=_counters,
    kernel="thermal.normals",
    points=Points(rule="noise.normal"),
    seconds=1.3,
    traits=TRAITS,
)
UNIFORM = Instruction(
    opcode=82,
    name="UNIFORM",
    equation="r[i] = a uniform in (0, 1), from the block of element i",
    result=FLOATS,
    parameters=BLOCKS,
    fits=_counters,
    kernel="thermal.uniforms",
    points=Points(rule="noise.uniform"),
    seconds=0.8,
    traits=TRAITS,
)
P_BITS = Instruction(
    opcode=89,
    name="P_BITS",
    equation="r[i] = 1 where x[i] > y[i] logit(u), u the uniform of the block of element i, else 0, or -1 for spins "
    "(P6)",
    result=FLOATS,
    operands=(FLOATS, FLOATS),
    parameters={
        "spins": "1 for the levels -1 and 1, 0 for 0 and 1",
        "stream": "the fourth word of the counter (element, tick, 0, stream)",
    },
    fits=_p_bits,
    kernel="thermal.p_bits",
    points=Points(rule="noise.p_bit"),
    seconds=1.0,
    traits=TRAITS,
)
