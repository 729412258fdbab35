"""The crossbars of a chip, and the cells that a matrix of weights asks for on them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from thermoc.support.array_types import FloatArray
from thermoc.support.errors import error

Program = Callable[[FloatArray, int], FloatArray]
"""The levels that cells store when asked for levels (slices, inputs, outputs); the number tells arrays apart."""
_INTEGERS = ("rows", "columns", "cell_bits", "weight_bits", "input_bits", "dac_bits", "adc_bits", "arrays_a_sign")


@dataclass(frozen=True, kw_only=True)
class CrossbarSpec:
    """Arrays of ``rows`` by ``columns`` memristors in pairs, and what feeds and reads them. Errors: T208.

    cell_bits: levels of a cell, 0 for any conductance from g_min to g_max (S). weight_bits: of a weight's magnitude, in
    slices of ``cell_bits`` (one slice if 0). input_bits: of an input's magnitude, read ``dac_bits`` at a time (all at
    once if 0); 0 leaves inputs as they are. adc_bits: of a reading with its sign; 0 reads exactly. r_word, r_bit: ohms
    between neighbouring cells. read_noise: standard deviation of a cell's conductance over readings, relative.

    arrays_a_sign: 2 for pairs; 1 for ISAAC's coding (Shafiee et al., ISCA 2016), in which bits of weights and inputs
    count the sign and those of a reading do not: weights have half their range added, columns that would be more than
    half full hold the complement, inputs are read bit by bit in two's complement.
    """

    rows: int = 128
    columns: int = 128
    cell_bits: int = 0
    weight_bits: int = 0
    input_bits: int = 0
    dac_bits: int = 0
    adc_bits: int = 0
    g_min: float = 0.0
    g_max: float = 1.0
    r_word: float = 0.0
    r_bit: float = 0.0
    read_noise: float = 0.0
    arrays_a_sign: int = 2

    def __post_init__(self) -> None:
        wrong = [f"{name} = {value!r}" for name, value in vars(self).items() if not _fits(name, value)]
        if wrong:
            hint = "bits are integers >= 0 (an ADC has 2 or more), rows and columns >= 1, the rest numbers >= 0"
            raise error("T208", "a crossbar is not as one can be", notes=wrong, hint=hint)
        if self.g_max <= self.g_min:
            notes = [f"g_min = {self.g_min} S", f"g_max = {self.g_max} S"]
            raise error("T208", "a cell's g_max must lie above its g_min", notes=notes)
        if self.dac_bits > self.input_bits or (self.weight_bits and not self.cell_bits):
            notes = [f"dac_bits = {self.dac_bits} of input_bits = {self.input_bits}"]
            notes += [f"weight_bits = {self.weight_bits} in cells of cell_bits = {self.cell_bits}"]
            raise error("T208", "a crossbar's bits do not fit each other", notes=notes)
        if self.arrays_a_sign == 1:
            self._check_one()

    def _check_one(self) -> None:
        """Refuse what arrays without pairs cannot be. Errors: T208."""
        lowest = {"weight_bits": 2, "input_bits": 2, "dac_bits": 1}
        wrong = [f"{name} = {getattr(self, name)}" for name, low in lowest.items() if getattr(self, name) < low]
        wrong += [f"dac_bits = {self.dac_bits}"] * (self.dac_bits > 1) + ["read_noise > 0"] * (self.read_noise > 0)
        if wrong:
            hint = "they need two bits or more of weights and inputs, read bit by bit, without noise"
            raise error("T208", "a crossbar cannot do with one array a sign", notes=wrong, hint=hint)

    @property
    def slices(self) -> int:
        """Pairs of cells a weight."""
        return math.ceil(self.weight_bits / self.cell_bits) if self.weight_bits else 1

    @property
    def levels(self) -> int:
        """Steps of a weight's magnitude; 1 where it has none."""
        if self.arrays_a_sign == 1:
            return 2 ** (self.weight_bits - 1) - 1
        return 2 ** (self.slices * self.cell_bits) - 1 if self.cell_bits else 1

    @property
    def steps(self) -> int:
        """Steps of an input's magnitude."""
        return 2 ** (self.input_bits - (self.arrays_a_sign == 1)) - 1


def programming(spec: CrossbarSpec, write: Callable[[FloatArray, int], FloatArray]) -> Program:
    """Return the program of a rule that says what conductances (S) stand in cells after writing others.

    A cell that takes its conductance exactly keeps its level exactly. Errors: T208 where the rule gives other cells.
    """
    step = (spec.g_max - spec.g_min) / (2**spec.cell_bits - 1 if spec.cell_bits else 1)

    def program(levels: FloatArray, number: int) -> FloatArray:
        target = np.clip(spec.g_min + step * levels, spec.g_min, spec.g_max)
        stored = np.asarray(write(target, number), float)
        if stored.shape != target.shape or not (np.isfinite(stored).all() and (stored >= 0).all()):
            notes = [f"{target.size} cells of shape {list(target.shape)}", f"it gave shape {list(stored.shape)}"]
            raise error("T208", "a rule of programming must give each cell a conductance >= 0", notes=notes)
        return np.where(stored == target, levels, (stored - spec.g_min) / step)

    return program


def _fits(name: str, value: object) -> bool:
    if name in _INTEGERS:
        if name == "arrays_a_sign":
            return type(value) is int and value in (1, 2)
        lowest = 1 if name in ("rows", "columns") else 0
        # One bit of a reading is its sign: with no other there is no code.
        return type(value) is int and value >= lowest and (name, value) != ("adc_bits", 1)
    return isinstance(value, int | float) and math.isfinite(value) and value >= 0


@dataclass(frozen=True, kw_only=True)
class WeightCells:
    """Levels of the cells that add and subtract (slices, inputs, outputs), and the weight of one step.

    offset: steps that a weight is more than its cells (inputs, outputs); None where they store all of it.
    """

    plus: FloatArray
    minus: FloatArray
    step: float
    offset: FloatArray | None = None


def cells(W: FloatArray, spec: CrossbarSpec) -> WeightCells:
    """Return the cells that come nearest to weights W (inputs, outputs): the largest takes all the levels there are."""
    if spec.arrays_a_sign == 1:
        return _biased(W, spec)
    # One step for the matrix, so that readings of all columns add up without factors of their own.
    largest = float(np.abs(W).max(initial=0.0)) or 1.0
    step, size = largest / spec.levels, np.abs(W) / (largest / spec.levels)
    if spec.cell_bits:
        steps, base = np.minimum(np.floor(size + 0.5), spec.levels), 2.0**spec.cell_bits
        slices = [np.floor(steps / base**p) - base * np.floor(steps / base ** (p + 1)) for p in range(spec.slices)]
    else:
        slices = [size]
    digits = np.stack(slices)
    return WeightCells(plus=np.where(W > 0, digits, 0.0), minus=np.where(W < 0, digits, 0.0), step=step)


def _biased(W: FloatArray, spec: CrossbarSpec) -> WeightCells:
    """Return cells of weights with half their range added, of which a column's sum is at most half of what it can be.

    A column of an array that would hold more has each level taken from the highest; the levels stand in ``minus``.
    """
    step, half, base = (float(np.abs(W).max(initial=0.0)) or 1.0) / spec.levels, spec.levels + 1, 2.0**spec.cell_bits
    steps = np.clip(np.floor(W / step + 0.5), -spec.levels, spec.levels) + half
    levels = np.stack([np.floor(steps / base**p) % base for p in range(spec.slices)])
    plus, minus, offset = levels.copy(), np.zeros_like(levels), np.full(W.shape, -float(half))
    for first in range(0, len(W), spec.rows):
        array = levels[:, first : first + spec.rows]
        # The complement of a column that is more than half full carries less than half of the largest current.
        full = array.sum(axis=1, keepdims=True) > (base - 1) * array.shape[1] / 2
        plus[:, first : first + spec.rows] = np.where(full, 0.0, array)
        minus[:, first : first + spec.rows] = np.where(full, base - 1 - array, 0.0)
        added = np.einsum("pkm,p->km", full * (base - 1), base ** np.arange(spec.slices))
        offset[first : first + spec.rows] += added
    return WeightCells(plus=plus, minus=minus, step=step, offset=offset)
