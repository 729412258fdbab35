"""The crossbars of a chip, and the cells that a matrix of weights asks for on them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermoc.support.errors import error

Program = Callable[[NDArray, int], NDArray]
"""What cells hold when asked for levels (slices, inputs, outputs); the number tells one array from another."""
_WHOLE = ("rows", "columns", "cell_bits", "weight_bits", "input_bits", "dac_bits", "adc_bits")


@dataclass(frozen=True, kw_only=True)
class CrossbarSpec:
    """Arrays of ``rows`` by ``columns`` pairs of memristors, and what feeds and reads them. Errors: T208.

    cell_bits: levels of a cell, 0 for any conductance from g_min to g_max (S). weight_bits: of a weight's magnitude, in
    slices of ``cell_bits`` (one slice if 0). input_bits: of an input's magnitude, read ``dac_bits`` at a time (all at
    once if 0); 0 leaves inputs as they are. adc_bits: of a reading with its sign; 0 reads exactly. r_word, r_bit: ohms
    between neighbouring cells. read_noise: standard deviation of a cell's conductance over readings, relative.
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

    def __post_init__(self) -> None:
        wrong = [f"{name} = {value!r}" for name, value in vars(self).items() if not _fits(name, value)]
        if wrong:
            hint = "bits are integers >= 0 (an ADC has 2 or more), rows and columns >= 1, the rest numbers >= 0"
            raise error("T208", "a crossbar is not as one can be", notes=wrong, hint=hint)
        if self.g_max <= self.g_min:
            notes = [f"g_min = {self.g_min} S", f"g_max = {self.g_max} S"]
            raise error("T208", "a cell's conductance must have room between g_min and g_max", notes=notes)
        if self.dac_bits > self.input_bits or (self.weight_bits and not self.cell_bits):
            notes = [f"dac_bits = {self.dac_bits} of input_bits = {self.input_bits}"]
            notes += [f"weight_bits = {self.weight_bits} in cells of cell_bits = {self.cell_bits}"]
            raise error("T208", "a crossbar's bits do not fit each other", notes=notes)

    @property
    def slices(self) -> int:
        """Pairs of cells a weight."""
        return math.ceil(self.weight_bits / self.cell_bits) if self.weight_bits else 1

    @property
    def levels(self) -> int:
        """Steps of a weight's magnitude; 1 where it has none."""
        return 2 ** (self.slices * self.cell_bits) - 1 if self.cell_bits else 1


def programming(spec: CrossbarSpec, write: Callable[[NDArray, int], NDArray]) -> Program:
    """Return the program of a rule that says what conductances (S) stand in cells after writing others.

    A cell that takes its conductance exactly keeps its level exactly. Errors: T208 where the rule gives other cells.
    """
    step = (spec.g_max - spec.g_min) / (2**spec.cell_bits - 1 if spec.cell_bits else 1)

    def program(levels: NDArray, number: int) -> NDArray:
        wanted = np.clip(spec.g_min + step * levels, spec.g_min, spec.g_max)
        found = np.asarray(write(wanted, number), float)
        if found.shape != wanted.shape or not (np.isfinite(found).all() and (found >= 0).all()):
            notes = [f"{wanted.size} cells of shape {list(wanted.shape)}", f"it gave shape {list(found.shape)}"]
            raise error("T208", "a rule of programming must give each cell a conductance >= 0", notes=notes)
        return np.where(found == wanted, levels, (found - spec.g_min) / step)

    return program


def _fits(name: str, value: object) -> bool:
    if name in _WHOLE:
        least = 1 if name in ("rows", "columns") else 0
        return type(value) is int and value >= least and (name, value) != ("adc_bits", 1)
    return isinstance(value, int | float) and math.isfinite(value) and value >= 0


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Levels of the cells that add and subtract (slices, inputs, outputs), and the weight of one step."""

    plus: NDArray
    minus: NDArray
    step: float


def cells(W: NDArray, spec: CrossbarSpec) -> Cells:
    """Return the cells that come nearest to weights W (inputs, outputs): the largest takes all the levels there are."""
    largest = float(np.abs(W).max(initial=0.0)) or 1.0
    step, size = largest / spec.levels, np.abs(W) / (largest / spec.levels)
    if spec.cell_bits:
        whole, base = np.minimum(np.floor(size + 0.5), spec.levels), 2.0**spec.cell_bits
        parts = [np.floor(whole / base**p) - base * np.floor(whole / base ** (p + 1)) for p in range(spec.slices)]
    else:
        parts = [size]
    digits = np.stack(parts)
    return Cells(plus=np.where(W > 0, digits, 0.0), minus=np.where(W < 0, digits, 0.0), step=step)
