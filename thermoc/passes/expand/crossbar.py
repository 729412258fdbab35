"""Products of crossbars in terms of ops that every target holds."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from thermoc.ir.dialects import core
from thermoc.ir.dialects.crossbar import Mvm
from thermoc.ir.ops import Op
from thermoc.ir.reference import crossbar
from thermoc.ir.types import Shape
from thermoc.ir.values import Value
from thermoc.passes.rewriting import Expression, Rewriter
from thermoc.support.array_types import FloatArray


def mvm(op: Mvm, w: Rewriter) -> Expression:
    """Digits of x, a product for each array of inputs with all slices side by side, ADC, shift and add."""
    plus, minus = w.numbers(op.plus), w.numbers(op.minus)
    weights, noise = crossbar.seen(op, plus, minus), crossbar.spread(op, plus, minus)
    slices, n, m = weights.shape
    lead = op.x.shape[:-1]
    readings = _digits(op, w)
    total: Expression | None = None
    # Each array has its own ADC: what is added up are rounded numbers, so the inputs must be split as on the chip.
    for t, first in enumerate(range(0, n, op.rows)):
        last = min(first + op.rows, n)
        columns = (first, last, (*lead, slices, m))
        for k, digits in enumerate(readings):
            d = _rows(w, digits, first, last)
            u = _product(w, d, weights, columns)
            if op.z is not None:
                # Variances of independent cells add up, each with the square of its digit; the root comes last.
                deviation = w.sqrt(_product(w, d * d, noise, columns))
                u = u + deviation * _noise(w, op.z, (t, k))
            code = _converted(op, w, u if op.gain is None else u * _warmth(w, op.gain, t))
            # A digit of reading k and slice p counts 2^(dac_bits k + cell_bits p) times: the shift of shift-and-add.
            shift = 2.0 ** (op.dac_bits * k + op.cell_bits * np.arange(slices, dtype=float))[:, np.newaxis]
            term = w.sum(code * shift, len(lead))
            total = term if total is None else total + term
    assert total is not None
    return total * op.scale


def _digits(op: Mvm, w: Rewriter) -> list[Expression]:
    """Return what the DAC gives for each reading."""
    x = w[op.x]
    if op.input_bits == 0:
        return [x]
    q = rounded(w, x * (op.steps / op.x_max), op.steps)
    if op.dac_bits == 0:
        return [q]
    size, sign, base = w.abs(q), w(core.Sign, x=q), 2.0**op.dac_bits
    # Digits as differences of floors: a factor that is a power of two rounds nothing, so every digit is exact.
    above = [size, *(w.floor(size * base**-k) for k in range(1, op.readings + 1))]
    return [sign * (low - high * base) for low, high in pairwise(above)]


def rounded(w: Rewriter, x: Expression, largest: float) -> Expression:
    """Return x rounded, halves up, and clipped at +-largest."""
    # A converter saturates: what lies beyond its range reads as the last code.
    return w.minimum(w.maximum(w.floor(x + 0.5), -float(largest)), float(largest))


def _converted(op: Mvm, w: Rewriter, u: Expression) -> Expression:
    if op.adc_bits == 0:
        return u
    return rounded(w, u * (op.codes / op.adc_range), op.codes) * (op.adc_range / op.codes)


def _rows(w: Rewriter, x: Expression, first: int, last: int) -> Expression:
    """Return x[..., first:last]."""
    lead = x.shape[:-1]
    starts, stops = (*(0,) * len(lead), first), (*lead, last)
    return w(core.Slice, x=x, starts=starts, stops=stops, steps=(1,) * len(starts))


def _product(w: Rewriter, d: Expression, matrix: FloatArray, columns: tuple[int, int, Shape]) -> Expression:
    """Return d times the inputs ``first`` to ``last`` of every slice, as (*lead, p, m)."""
    first, last, shape = columns
    # All slices in one product: a target then multiplies once for an array, not once for each slice.
    weight = np.swapaxes(matrix[:, first:last], 1, 2).reshape(-1, last - first)
    return w.reshape(w.affine(d, w.constant(weight)), shape)


def _noise(w: Rewriter, z: Value, at: tuple[int, int]) -> Expression:
    """Return z[..., t, k, :, :]."""
    *lead, _, _, slices, m = z.shape
    starts = (*(0,) * len(lead), *at, 0, 0)
    stops = (*lead, *(index + 1 for index in at), slices, m)
    of_reading = w(core.Slice, x=z, starts=starts, stops=stops, steps=(1,) * len(starts))
    return w.reshape(of_reading, (*lead, slices, m))


def _warmth(w: Rewriter, gain: Value, t: int) -> Expression:
    """Return the gains of an array of inputs: all of them, or row t."""
    shape = gain.shape
    if len(shape) < 2:
        return w[gain]
    row = min(t, shape[0] - 1)
    of_array = w(core.Slice, x=gain, starts=(row, 0), stops=(row + 1, shape[1]), steps=(1, 1))
    return w.reshape(of_array, shape[1:])


EXPANSIONS: dict[type[Op], Callable[[Any, Rewriter], Any]] = {Mvm: mvm}
