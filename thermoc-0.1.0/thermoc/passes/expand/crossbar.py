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
from thermoc.passes.rewriting import Rewriter


def mvm(op: Mvm, w: Rewriter) -> Value:
    """Digits of x, a product for each array of inputs with all slices side by side, ADC, shift and add."""
    plus, minus = w.known(op.plus), w.known(op.minus)
    assert plus is not None and minus is not None
    weights, noise = crossbar.seen(op, plus, minus), crossbar.spread(op, plus, minus)
    slices, n, m = weights.shape
    lead = op.x.shape[:-1]
    readings, total = _digits(op, w), None
    for t, first in enumerate(range(0, n, op.rows)):
        last = min(first + op.rows, n)
        columns = (first, last, (*lead, slices, m))
        for k, whole in enumerate(readings):
            d = _part(w, whole, first, last)
            u = _product(w, d, weights, columns)
            if op.z is not None:
                deviation = w.sqrt(_product(w, w.mul(d, d), noise, columns))
                u = w.add(u, w.mul(deviation, _noise(w, op.z, (t, k))))
            code = _converted(op, w, u if op.gain is None else w.mul(u, _warmth(w, op.gain, t)))
            shift = 2.0 ** (op.dac_bits * k + op.cell_bits * np.arange(slices, dtype=float))[:, np.newaxis]
            term = w(core.Reduce, x=w.mul(code, shift), kind="sum", axes=(len(lead),))
            total = term if total is None else w.add(total, term)
    assert total is not None
    return w.mul(total, op.scale)


def _digits(op: Mvm, w: Rewriter) -> list[Value]:
    """Return what the DAC gives for each reading."""
    if op.input_bits == 0:
        return [op.x]
    q = _rounded(w, w.mul(op.x, op.steps / op.x_max), op.steps)
    if op.dac_bits == 0:
        return [q]
    size, sign, base = w(core.Abs, x=q), w(core.Sign, x=q), 2.0**op.dac_bits
    above = [size, *(w(core.Floor, x=w.mul(size, base**-k)) for k in range(1, op.readings + 1))]
    return [w.mul(sign, w.sub(low, w.mul(high, base))) for low, high in pairwise(above)]


def _rounded(w: Rewriter, x: Value, most: int) -> Value:
    """Return x rounded, halves up, and clipped at +-most."""
    whole = w(core.Floor, x=w.add(x, 0.5))
    return w(core.Minimum, a=w(core.Maximum, a=whole, b=float(-most)), b=float(most))


def _converted(op: Mvm, w: Rewriter, u: Value) -> Value:
    if op.adc_bits == 0:
        return u
    return w.mul(_rounded(w, w.mul(u, op.codes / op.adc_range), op.codes), op.adc_range / op.codes)


def _part(w: Rewriter, x: Value, first: int, last: int) -> Value:
    """Return x[..., first:last]."""
    lead = x.shape[:-1]
    starts, stops = (*(0,) * len(lead), first), (*lead, last)
    return w(core.Slice, x=x, starts=starts, stops=stops, steps=(1,) * len(starts))


def _product(w: Rewriter, d: Value, matrix: np.ndarray, columns: tuple[int, int, Shape]) -> Value:
    """Return d times the inputs ``first`` to ``last`` of every slice, as (*lead, p, m)."""
    first, last, shape = columns
    weight = np.swapaxes(matrix[:, first:last], 1, 2).reshape(-1, last - first)
    return w(core.Reshape, x=w(core.Affine, x=d, weight=w.constant(weight)), shape=shape)


def _noise(w: Rewriter, z: Value, at: tuple[int, int]) -> Value:
    """Return z[..., t, k, :, :]."""
    *lead, _, _, slices, m = z.shape
    starts = (*(0,) * len(lead), *at, 0, 0)
    stops = (*lead, *(place + 1 for place in at), slices, m)
    part = w(core.Slice, x=z, starts=starts, stops=stops, steps=(1,) * len(starts))
    return w(core.Reshape, x=part, shape=(*lead, slices, m))


def _warmth(w: Rewriter, gain: Value, t: int) -> Value:
    """Return the gains of an array of inputs: all of them, or row t."""
    shape = gain.shape
    if len(shape) < 2:
        return gain
    row = min(t, shape[0] - 1)
    part = w(core.Slice, x=gain, starts=(row, 0), stops=(row + 1, shape[1]), steps=(1, 1))
    return w(core.Reshape, x=part, shape=shape[1:])


EXPANSIONS: dict[type[Op], Callable[[Any, Rewriter], Any]] = {Mvm: mvm}
