"""How a product of crossbars becomes a row of code."""

from __future__ import annotations

import math

import numpy as np

from thermoc.backends.sim.rows.writer import ProgramWriter
from thermoc.ir.dialects.crossbar import Mvm
from thermoc.ir.element_indices import indices
from thermoc.ir.reference import crossbar
from thermoc.simulator.instructions.products import LEVEL_TILE, MVM, MVM_SETTINGS, WHOLE_BITS


def mvm(op: Mvm, w: ProgramWriter) -> None:
    """Settings, scales, and the cells as seen through the wires, a row for each input with all slices side by side.

    Without noise and with an exact ADC the readings add up to one of the whole input.
    """
    plus, minus = w.numbers(op, "plus").astype(float), w.numbers(op, "minus").astype(float)
    from thermoc.simulator.crossbar.circuit import transfer  # Numba loads where there are wires to solve

    slices, n, m = plus.shape
    single_reading = op.adc_bits == 0 and op.z is None
    readings, form = (1, 2) if single_reading or op.dac_bits == 0 else (op.readings, 1)
    weights, rows = crossbar.seen(op, plus, minus, transfer), op.rows
    form = 2 * _together(op, weights, w.real) - 1 if form == 1 else form
    if single_reading and op.gain is None and _exact(op, weights, w.real):
        # whole numbers add up in any order: one product stands for all slices and arrays
        weights, slices, rows = np.tensordot(_shifts(op, slices), weights, 1)[np.newaxis], 1, n
    parts = [_settings(op), np.broadcast_to(w.numbers(op, "scale"), (m,)), weights]
    parts += [] if op.z is None else [crossbar.spread(op, plus, minus)]
    floats = [block.swapaxes(0, 1) if block.ndim == 3 else block for block in parts]
    constants = w.constant(np.concatenate([block.reshape(-1) for block in floats]))
    levels, largest = _levels(op, weights) if form % 2 else (np.empty(0, np.int32), 0)
    sizes = [n, m, slices, rows, readings, form if op.input_bits else 0, largest]
    table = w.table(np.concatenate([np.array(sizes), levels]))
    operands = (w.slot(op.x), -1 if op.z is None else w.slot(op.z), _gain(op, w, -(-n // rows), m))
    vectors = math.prod(op.x.shape[:-1])
    w.row(MVM, w.slot(op.y), operands, sizes=table, settings=w.slots[constants][1], vectors=vectors)


def _shifts(op: Mvm, slices: int) -> np.ndarray:
    """Return what a code of each slice is worth."""
    return 2.0 ** (op.cell_bits * np.arange(slices))


def _exact(op: Mvm, weights: np.ndarray, real: np.dtype) -> bool:
    """Return whether inputs are whole steps, weights whole numbers, and no sum of theirs too long for a float."""
    largest = np.tensordot(_shifts(op, len(weights)), np.abs(weights), 1).sum(axis=0).max(initial=0.0) * op.steps
    return op.input_bits > 0 and (np.rint(weights) == weights).all() and largest < 2.0 ** WHOLE_BITS[real.itemsize]


def _together(op: Mvm, weights: np.ndarray, real: np.dtype) -> int:
    """Return how many readings go through the cells as one number: what it holds of their currents in whole steps.

    The product of the digits d_k + 2^b d_{k+1} + ... is u_k + 2^b u_{k+1} + ..., exactly, where 2 |u| < 2^b.
    """
    # Digits can share a number only while each current is a whole number of steps.
    if op.z is not None or (np.rint(weights) != weights).any():
        return 1
    parts = [np.abs(weights[:, first : first + op.rows]).sum(axis=1) for first in range(0, weights.shape[1], op.rows)]
    bound = int(max(block.max(initial=0.0) for block in parts)) * (2**op.dac_bits - 1)
    capacity = max(1, WHOLE_BITS[real.itemsize] // (bound.bit_length() + 1))
    # No more products than the capacity asks for, with equally many readings in each.
    return math.ceil(op.readings / math.ceil(op.readings / capacity))


def _levels(op: Mvm, weights: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the weights as bytes in tiles of outputs, and the largest; nothing and 0 where tables do not pay."""
    largest = np.abs(weights).max(initial=0)
    if largest > 127 or (np.rint(weights) != weights).any() or op.adc_bits == 0 or op.dac_bits > 3:
        return np.empty(0, np.int32), 0
    slices, n, m = weights.shape
    tiles = np.zeros((slices, n, -(-m // LEVEL_TILE) * LEVEL_TILE), np.int8)
    tiles[:, :, :m] = weights
    in_order = tiles.reshape(slices, n, -1, LEVEL_TILE).swapaxes(1, 2)
    return np.ascontiguousarray(in_order).view(np.int32).reshape(-1), int(largest)


def _gain(op: Mvm, w: ProgramWriter, arrays: int, m: int) -> int:
    """Return the slot of one gain, or of one for each array of inputs and output."""
    if op.gain is None:
        return -1
    shape = op.gain.shape
    if math.prod(shape) == 1:
        return w.slot(op.gain)
    return w.arranged(op.gain, np.broadcast_to(indices(shape), (arrays, m)))


def _settings(op: Mvm) -> np.ndarray:
    codes = (op.codes, op.codes / op.adc_range, op.adc_range / op.codes) if op.adc_bits else (0.0, 0.0, 0.0)
    base = 2.0**op.dac_bits
    numbers = np.array([op.steps, op.steps / op.x_max, *codes, base, 2.0**op.cell_bits, 1 / base])
    assert numbers.size == MVM_SETTINGS
    return numbers
