"""The meaning of ``crossbar``: each array, reading and slice in turn."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from thermoc.ir.dialects.crossbar import Mvm
from thermoc.ir.reference.meaning import Context, pure
from thermoc.ir.values import Array
from thermoc.physics.crossbar import transfer
from thermoc.support.array_types import AnyArray
from thermoc.support.namespaces import like, namespace, numbers_of, root

Wires = Callable[[AnyArray, float, float], AnyArray]
# Maps of arrays that are remembered; each is as large as the weights that it is of.
_KEPT = 64
_seen: OrderedDict[Any, AnyArray] = OrderedDict()


def seen(op: Mvm, plus: AnyArray, minus: AnyArray, through: Wires = transfer) -> AnyArray:
    """Return what each pair of cells adds to a current, in steps (p, n, m): plus - minus, through the wires.

    through: what gives the map of an array with its wires, to rounding; that of ``thermoc.physics`` if none is named.
    """
    if op.r_word == 0 and op.r_bit == 0:
        return plus - minus
    key = Array(plus).digest, Array(minus).digest, op.step, op.g_min, op.r_word, op.r_bit, op.rows, op.columns
    if key not in _seen:
        _seen[key] = _through_wires(op, plus, minus, through)
        # The map through wires costs a linear solve an array, and is asked for at every tick.
        while len(_seen) > _KEPT:
            _seen.popitem(last=False)
    return _seen[key]


def _through_wires(op: Mvm, plus: AnyArray, minus: AnyArray, through: Wires) -> AnyArray:
    difference = np.empty(plus.shape)
    for p in range(len(plus)):
        for i, j in op.tiles(*plus.shape[1:]):
            up, down = (
                through(np.maximum(op.g_min + op.step * level[p, i, j].astype(float), 0.0), op.r_word, op.r_bit)
                for level in (plus, minus)
            )
            difference[p, i, j] = (up - down).T / op.step
    return difference.astype(plus.dtype)


def spread(op: Mvm, plus: AnyArray, minus: AnyArray) -> AnyArray:
    """Return the variance that a pair of cells adds to a reading of one step of input, in steps squared (p, n, m)."""
    parts = [(op.g_min / op.step + level.astype(float)) ** 2 for level in (plus, minus)]
    return (op.read_noise**2 * (parts[0] + parts[1])).astype(plus.dtype)


def digits(op: Mvm, x: AnyArray) -> AnyArray:
    """Return what the DAC gives for each reading, (readings, *x.shape)."""
    if op.input_bits == 0:
        return x[np.newaxis]
    xp = namespace(x)
    q = xp.clip(xp.floor(x * (op.steps / op.x_max) + 0.5), -op.steps, op.steps)
    if op.dac_bits == 0:
        return q[np.newaxis]
    base, size, sign = 2.0**op.dac_bits, xp.abs(q), xp.sign(q)
    digits_of_size = [xp.floor(size / base**k) - base * xp.floor(size / base ** (k + 1)) for k in range(op.readings)]
    return like(xp.stack([sign * digit for digit in digits_of_size]), x)


def converted(op: Mvm, u: AnyArray) -> AnyArray:
    """Return currents as the ADC reports them."""
    if op.adc_bits == 0:
        return u
    xp = namespace(u)
    code = xp.clip(xp.floor(u * (op.codes / op.adc_range) + 0.5), -op.codes, op.codes)
    return code * (op.adc_range / op.codes)


def spread_out(gain: AnyArray, arrays: int, m: int) -> AnyArray:
    """Return gains (batch, *shape) as (batch, arrays of inputs, outputs)."""
    aligned = gain.reshape(len(gain), *(1,) * (3 - gain.ndim), *gain.shape[1:])
    return namespace(gain).broadcast_to(aligned, (len(gain), arrays, m))


@pure(Mvm)
def mvm(
    op: Mvm,
    ctx: Context,
    x: AnyArray,
    plus: AnyArray,
    minus: AnyArray,
    scale: AnyArray,
    z: AnyArray | None,
    gain: AnyArray | None,
) -> AnyArray:
    cells = numbers_of(plus[0]), numbers_of(minus[0])
    weights, noise = (ctx.array(numbers) for numbers in (seen(op, *cells), spread(op, *cells)))
    xp = namespace(x)
    slices, n, m = weights.shape
    readings = digits(op, x)
    batch = max(array.shape[0] for array in (x, z, gain) if array is not None)
    total = ctx.array(np.zeros((batch, *x.shape[1:-1], m), op.y.dtype.numpy))
    arrays = -(-n // op.rows)
    warmth = ctx.array(np.ones((1, arrays, m), op.y.dtype.numpy)) if gain is None else spread_out(gain, arrays, m)
    for t, first in enumerate(range(0, n, op.rows)):
        factor = warmth[:, t].reshape(-1, *(1,) * (total.ndim - 2), m)
        word_lines = slice(first, first + op.rows)
        for k in range(op.readings):
            d = readings[k][..., word_lines]
            # Each slice is converted by itself: the ADC rounds and clips before codes are shifted and added.
            for p in range(slices):
                u = xp.matmul(d, weights[p, word_lines])
                if z is not None:
                    u = u + root(xp.matmul(d * d, noise[p, word_lines])) * z[..., t, k, p, :]
                total = total + 2.0 ** (op.dac_bits * k + op.cell_bits * p) * converted(op, u * factor)
    return total * scale
