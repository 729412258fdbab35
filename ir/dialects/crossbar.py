"""What a tile of memristors does: products through pairs of programmed cells, converters and shift-and-add.

A p-bit at the temperature of its place is ``thermo.sample_binary`` with that temperature as its operand, and a thermal
cell a node of ``thermo.heat_network``: neither needs an op of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from thermoc.ir.dialects.thermo import into
from thermoc.ir.ops import (
    Check,
    Op,
    Problem,
    ShapeProblem,
    at_least_one,
    attr,
    op,
    operand,
    positive,
    result,
)
from thermoc.ir.types import Shape
from thermoc.ir.values import Value
from thermoc.support.array_types import AnyArray

bits = Check("an integer from 0 to 64", lambda value: type(value) is int and 0 <= value <= 64)
not_negative = Check("a number >= 0", lambda value: isinstance(value, int | float) and value >= 0)


@op("crossbar.mvm")
class Mvm(Op):
    """y_j = scale_j sum over readings k, slices p, arrays t of 2^(dac_bits k + cell_bits p) ADC(u), u a read current.

    A weight is a pair of cells a slice, one in the array that adds and one in the array that subtracts; ``plus`` and
    ``minus`` are what the cells hold, in steps of conductance above g_min: G = g_min + level dG, with
    dG = (g_max - g_min) / (2^cell_bits - 1). An array has ``rows`` inputs and ``columns`` outputs, one slice and one
    sign; inputs beyond the rows go to the next array, and their codes are added. u = gain (sum_i d_i (K+ - K-)_ij / dG
    + z s) is in steps: d are digits of x, K the conductances as seen through the wires (G itself where r_word and r_bit
    are 0), and s^2 = read_noise^2 sum_i d_i^2 (G+^2 + G-^2)_ij / dG^2 the noise of a reading, z a standard normal
    for each (array of inputs, reading, slice, output).

    DAC: q = x (2^input_bits - 1) / x_max rounded and clipped, sign and magnitude, read ``dac_bits`` at a time from the
    lowest; dac_bits = 0 reads all at once, input_bits = 0 takes x as it is. ADC: u in 2^(adc_bits - 1) - 1 steps to
    either side of 0, up to adc_range, rounded and clipped; adc_bits = 0 converts exactly. cell_bits = 0 has one slice
    of levels from 0 to 1. Halves round up. gain: the cells' conductance over that programmed, where their temperature
    has changed it; one number, or numbers that broadcast into (arrays of inputs, outputs). Conductances are in S, wires
    in ohms, read_noise relative to a cell's conductance.
    """

    x: Value = operand("*s n")
    plus: Value = operand("p n m", uniform=True, constant=True)
    minus: Value = operand("p n m", uniform=True, constant=True)
    scale: Value = operand("*k", uniform=True, default=1.0)
    z: Value | None = operand("*s t c p m", optional=True)
    gain: Value | None = operand("*g", optional=True)
    rows: int = attr(default=128, check=at_least_one)
    columns: int = attr(default=128, check=at_least_one)
    cell_bits: int = attr(default=0, check=bits)
    input_bits: int = attr(default=0, check=bits)
    dac_bits: int = attr(default=0, check=bits)
    adc_bits: int = attr(default=0, check=bits)
    x_max: float = attr(default=1.0, check=positive)
    adc_range: float = attr(default=1.0, check=positive)
    g_min: float = attr(default=0.0, check=not_negative, unit="S")
    g_max: float = attr(default=1.0, check=positive, unit="S")
    r_word: float = attr(default=0.0, check=not_negative, unit="ohm")
    r_bit: float = attr(default=0.0, check=not_negative, unit="ohm")
    read_noise: float = attr(default=0.0, check=not_negative)
    y: Value = result("*s m")

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape] | None:
        slices, n, m = shapes["plus"]
        into((m,), scale=shapes["scale"])
        if self.cell_bits == 0 and slices != 1:
            raise ShapeProblem("cells without levels hold a weight in one slice", f"there are {slices} slices")
        arrays = -(-n // self.rows)
        if shapes["gain"] is not None:
            into((arrays, m), gain=shapes["gain"])
        last_axes = (arrays, self.readings, slices, m)
        if (shapes["z"] is not None) != (self.read_noise > 0):
            raise ShapeProblem("z is the noise of readings, given where read_noise > 0 alone")
        if shapes["z"] is not None and shapes["z"][-4:] != last_axes:
            notes = f"z ends in {list(shapes['z'][-4:])}", f"arrays, readings, slices and outputs are {list(last_axes)}"
            raise ShapeProblem("z must have a number for each reading", *notes)
        return None

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        """Yield what is wrong with the cells and the converters."""
        if self.g_max <= self.g_min:
            yield Problem("T105", "g_max must exceed g_min", (f"{self.g_max} S against {self.g_min} S",))
        elif any((array < -self.g_min / self.step).any() for array in cells(numbers)):
            yield Problem("T105", "a cell has a conductance below zero")
        # It would have 0 codes to either side of 0, by which the range is divided.
        if self.adc_bits == 1:
            yield Problem("T105", "an ADC of one bit has no step: take 2 bits or more, or 0 for an exact one")
        if self.dac_bits > self.input_bits:
            notes = (f"dac_bits = {self.dac_bits}, input_bits = {self.input_bits}",)
            yield Problem("T105", "a reading cannot take more bits than the input has", notes)

    @property
    def step(self) -> float:
        """One level, in siemens."""
        return (self.g_max - self.g_min) / (2**self.cell_bits - 1 if self.cell_bits else 1)

    @property
    def readings(self) -> int:
        """How many times an input is read."""
        return math.ceil(self.input_bits / self.dac_bits) if self.dac_bits else 1

    @property
    def steps(self) -> int:
        """Steps of an input on either side of 0."""
        return 2**self.input_bits - 1

    @property
    def codes(self) -> int:
        """Codes of the ADC on either side of 0."""
        return 2 ** (self.adc_bits - 1) - 1 if self.adc_bits else 0

    def tiles(self, n: int, m: int) -> Iterator[tuple[slice, slice]]:
        """Yield the inputs and outputs of each array."""
        for i in range(0, n, self.rows):
            for j in range(0, m, self.columns):
                yield slice(i, min(i + self.rows, n)), slice(j, min(j + self.columns, m))


def cells(numbers: Mapping[str, AnyArray]) -> list[AnyArray]:
    """Return the levels that are known."""
    return [np.asarray(numbers[name]) for name in ("plus", "minus") if name in numbers]
