"""A step of contrastive divergence (P37) for a restricted Boltzmann machine of bits, in float32.

Means, and not samples, of hidden units enter the statistics; visible units are sampled. Every sum runs in a fixed
order, and noise is a function of chain, unit and step, so that the same seed gives the same bytes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from thermoc.simulator.kernels.learning import bands
from thermoc.simulator.kernels.learning.bands import BandedLayers, BlockCounter
from thermoc.simulator.kernels.learning.wide_tables import BAND, FOUR, ROWS, add_states

EIGHTS = BAND // 8
MOST_ROWS = 255
"""Bits that a byte counts."""


class Machine(NamedTuple):
    """Visible units (rows) and hidden ones (columns), and 1 / T."""

    layers: BandedLayers
    beta: Any


class Batch(NamedTuple):
    """Data of a step: bits (samples, visible) a byte each, or numbers in [0, 1] (else of no elements)."""

    bits: Any
    numbers: Any
    samples: int


class PersistentChains(NamedTuple):
    """Chains of the model: ``size`` of them; their visible bits in bands, and those bits' codes.

    persistent: they go on from where they were, else they start at the data (as many as samples). k: sweeps.
    """

    bits: Any
    codes: Any
    size: int
    k: int
    persistent: bool


class LearningRates(NamedTuple):
    """What a step does with a gradient: velocity = momentum velocity + rate (gradient - decay weight)."""

    rate: Any
    momentum: Any
    decay: Any


class Velocities(NamedTuple):
    """Of weights, in bands, and of both biases."""

    w: Any
    visible: Any
    hidden: Any


class StepMemory(NamedTuple):
    """Scratch memory; ``means`` are those of hidden units, of samples and then chains, in bands, over their numbers."""

    r: Any
    p: Any
    u: Any
    means: Any
    data_bits: Any
    data_codes: Any
    hidden_bits: Any
    hidden_codes: Any
    unit_codes: Any
    transposed: Any
    tables: Any
    square: Any
    sums: Any
    model_sums: Any


@njit(error_model="numpy", nogil=True)
def filled(n):
    """Return a number of samples or chains filled up to whole loads of codes."""
    return (n + ROWS - 1) // ROWS * ROWS


@njit(error_model="numpy", nogil=True)
def step(machine, velocities, rates, batch, chains, memory, counter):
    """Move weights and biases by a step; return the mean energies of data and of the model, hidden units summed over.

    The energies are -sum_j h_j (drive_j) - b.v with h the means, of the weights before the step.
    """
    rows = filled(batch.samples) + filled(chains.size)
    _load(machine.layers, batch, memory)
    data = _statistics(machine, batch, rows, not chains.persistent, memory, counter)
    for sweep in range(chains.k):
        if sweep or chains.persistent:
            _sample_hidden(machine, chains, memory, _numbered(counter, 2 * sweep))
        _sample_visible(machine, chains, memory, _numbered(counter, 2 * sweep + 1))
    model = _model_statistics(machine, chains, rows, memory)
    _count_units(machine.layers, batch, chains, memory)
    data_bias, model_bias = _move_visible(machine, velocities, rates, batch, chains, memory)
    _move_hidden(machine, velocities, rates, memory, rows)
    for q in range(machine.layers.columns // BAND):
        _gradient(machine.layers, batch, chains, memory, q)
        _move(machine, velocities.w, rates, memory.r, q)
    return data + data_bias, model + model_bias


@njit(error_model="numpy", nogil=True)
def _numbered(counter, draw):
    return BlockCounter(counter.step, draw, counter.stream, counter.key)


@njit(error_model="numpy", nogil=True)
def _load(layers, batch, memory):
    """Lay the data out in bands, with codes; numbers also side by side for each unit."""
    samples, visible = batch.samples, batch.bits.shape[1]
    if batch.numbers.size:
        _transpose(memory.transposed, batch.numbers, filled(samples))
        return
    rows = filled(samples)
    for q in range(layers.rows // BAND):
        bits = memory.data_bits[q * rows * BAND : (q + 1) * rows * BAND]
        bits[:] = 0
        width = min(BAND, visible - q * BAND)
        for s in range(samples):
            for lane in range(width):
                bits[s * BAND + lane] = batch.bits[s, q * BAND + lane]
        bands.encode(memory.data_codes, bits, samples, q, layers.rows // FOUR)


@njit(error_model="numpy", nogil=True)
def _transpose(transposed, numbers, rows):
    """Set transposed (units, rows) from numbers (samples, units), 0 beyond the samples."""
    samples, units = numbers.shape
    for i in range(units):
        for s in range(samples):
            transposed[i * rows + s] = numbers[s, i]
        for s in range(samples, rows):
            transposed[i * rows + s] = 0


@njit(error_model="numpy", nogil=True)
def _statistics(machine, batch, rows, sampled, memory, counter):
    """Set the means of hidden units beside the data, and draw them where ``sampled``. Return the mean energy."""
    layers, samples = machine.layers, batch.samples
    size, scale = samples * BAND, np.float32(1) / np.float32(samples)
    r, p, sums = memory.r[:size], memory.p[:size], memory.sums
    if sampled:
        bands.fill_uniforms(memory.u, samples, layers.columns, counter)
    sums[:] = 0
    for q in range(layers.columns // BAND):
        if batch.numbers.size:
            bands.drive_columns_by_numbers(r, samples, layers, q, batch.numbers.reshape(-1))
        else:
            bands.drive_columns(r, samples, layers, q, memory.data_codes, memory.tables)
        bands.logistic(p, r, size, machine.beta)
        if sampled:
            bits = memory.hidden_bits[:size]
            bands.decide(bits, p, memory.u[q * size : (q + 1) * size], size)
            bands.encode(memory.hidden_codes, bits, samples, q, layers.columns // FOUR)
        means = memory.means[q * rows * BAND : (q + 1) * rows * BAND]
        _keep(means[: filled(samples) * BAND], p, r, scale, sums)
    return -_total(sums)


@njit(error_model="numpy", nogil=True)
def _keep(means, p, r, share, sums):
    """Set means to p times a share, 0 beyond p, and add p r times the share to the sums."""
    for s in range(0, p.size, BAND):
        for lane in range(BAND):
            mean = p[s + lane] * share
            means[s + lane] = mean
            sums[lane] += mean * r[s + lane]
    for k in range(p.size, means.size):
        means[k] = 0


@njit(error_model="numpy", nogil=True)
def _total(sums):
    total = 0.0
    for lane in range(BAND):
        total += sums[lane]
    return total


@njit(error_model="numpy", nogil=True)
def _sample_hidden(machine, chains, memory, counter):
    """Draw the hidden units of chains from the visible ones."""
    layers, size = machine.layers, chains.size * BAND
    bands.fill_uniforms(memory.u, chains.size, layers.columns, counter)
    for q in range(layers.columns // BAND):
        bands.drive_columns(memory.r, chains.size, layers, q, chains.codes, memory.tables)
        bands.logistic(memory.p, memory.r, size, machine.beta)
        bits = memory.hidden_bits[:size]
        bands.decide(bits, memory.p, memory.u[q * size : (q + 1) * size], size)
        bands.encode(memory.hidden_codes, bits, chains.size, q, layers.columns // FOUR)


@njit(error_model="numpy", nogil=True)
def _sample_visible(machine, chains, memory, counter):
    """Draw the visible units of chains from the hidden ones."""
    layers, size = machine.layers, chains.size * BAND
    bands.fill_uniforms(memory.u, chains.size, layers.rows, counter)
    for q in range(layers.rows // BAND):
        bands.drive_rows(memory.r, chains.size, layers, q, memory.hidden_codes, memory.tables, memory.square)
        bands.logistic(memory.p, memory.r, size, machine.beta)
        bits = chains.bits[q * size : (q + 1) * size]
        bands.decide(bits, memory.p, memory.u[q * size : (q + 1) * size], size)
        bands.encode(chains.codes, bits, chains.size, q, layers.rows // FOUR)


@njit(error_model="numpy", nogil=True)
def _model_statistics(machine, chains, rows, memory):
    """Set the means of hidden units beside the chains, negative, behind those of the data. Return their mean energy."""
    layers, size, scale = machine.layers, chains.size * BAND, np.float32(-1) / np.float32(chains.size)
    r, p, sums, behind = memory.r[:size], memory.p[:size], memory.sums, filled(chains.size) * BAND
    sums[:] = 0
    for q in range(layers.columns // BAND):
        bands.drive_columns(r, chains.size, layers, q, chains.codes, memory.tables)
        bands.logistic(p, r, size, machine.beta)
        end = (q + 1) * rows * BAND
        _keep(memory.means[end - behind : end], p, r, scale, sums)
    return _total(sums)


@njit(error_model="numpy", nogil=True)
def _count_units(layers, batch, chains, memory):
    """Set the codes of visible units over samples and chains, four of these a code."""
    data, model = filled(batch.samples), filled(chains.size)
    groups = (data + model) // FOUR
    for q in range(layers.rows // BAND):
        if not batch.numbers.size:
            bits = memory.data_bits[q * data * BAND : (q + 1) * data * BAND]
            bands.encode_samples(memory.unit_codes, bits, data, q * BAND, 0, groups)
        at = q * chains.size * BAND
        bits = memory.hidden_bits[: model * BAND]
        for k in range(model * BAND):
            bits[k] = chains.bits[at + k] if k < chains.size * BAND else 0
        bands.encode_samples(memory.unit_codes, bits, model, q * BAND, data // FOUR, groups)


@njit(error_model="numpy", nogil=True)
def _gradient(layers, batch, chains, memory, q):
    """Set r (visible, BAND) to <v h>_data - <v h>_model for band q of the hidden units."""
    data, rows = filled(batch.samples), filled(batch.samples) + filled(chains.size)
    r, first, groups = memory.r, q * rows * BAND, rows // FOUR
    r[: layers.rows * BAND] = 0
    known = 0
    if batch.numbers.size:
        known = data
        bands.add_product(r, memory.transposed, layers.rows, data, memory.means[first : first + data * BAND])
    start, done = first + known * BAND, known // FOUR
    add_states(r, layers.rows, memory.means, start, groups - done, memory.unit_codes, done, groups, memory.tables)


@njit(error_model="numpy", nogil=True)
def _move(machine, velocity, rates, gradient, q):
    """Move the weights of band q."""
    size = machine.layers.rows * BAND
    w, v = machine.layers.w[q * size : (q + 1) * size], velocity[q * size : (q + 1) * size]
    rate, momentum, kept = rates.rate, rates.momentum, np.float32(1) - rates.rate * rates.decay
    if momentum == 0:
        # velocities that are not asked for would be most of the memory that is moved
        for k in range(size):
            w[k] = kept * w[k] + rate * gradient[k]
        return
    decay = rates.rate * rates.decay
    for k in range(size):
        v[k] = momentum * v[k] + rate * gradient[k] - decay * w[k]
        w[k] += v[k]


@njit(error_model="numpy", nogil=True)
def _move_visible(machine, velocities, rates, batch, chains, memory):
    """Move the visible biases; return what they add to the mean energies of data and model."""
    data_energy = model_energy = 0.0
    data, bias = filled(batch.samples), machine.layers.row_bias
    samples, count = np.float32(batch.samples), np.float32(chains.size)
    ups, downs = memory.sums, memory.model_sums
    for q in range(machine.layers.rows // BAND):
        if batch.numbers.size:
            _sum_rows(ups, memory.transposed, q * BAND * data, data, batch.numbers.shape[1] - q * BAND)
        else:
            _sum_bits(ups, memory.data_bits[q * data * BAND : (q + 1) * data * BAND], batch.samples)
        _sum_bits(downs, chains.bits[q * chains.size * BAND : (q + 1) * chains.size * BAND], chains.size)
        for lane in range(BAND):
            i = q * BAND + lane
            mean, downward = ups[lane] / samples, downs[lane] / count
            data_energy -= bias[i] * mean
            model_energy -= bias[i] * downward
            # units that only fill up a band are never 1: their biases stay
            velocities.visible[i] = rates.momentum * velocities.visible[i] + rates.rate * (mean - downward)
            bias[i] += velocities.visible[i]
    return data_energy, model_energy


@njit(error_model="numpy", nogil=True)
def _sum_bits(sums, bits, samples):
    """Set the sums over samples of a band of bits (samples, BAND)."""
    sums[:] = 0
    words = bits.view(np.uint64)
    for word in range(EIGHTS):
        for start in range(0, samples, MOST_ROWS):
            # a word is eight counters of a byte
            total = np.uint64(0)
            for s in range(start, min(samples, start + MOST_ROWS)):
                total += words[s * EIGHTS + word]
            for k in range(8):
                sums[8 * word + k] += np.float32((total >> np.uint64(8 * k)) & np.uint64(255))


@njit(error_model="numpy", nogil=True)
def _sum_rows(sums, rows, first, columns, count):
    """Set the sums of up to ``BAND`` rows of ``columns`` numbers each, 0 beyond ``count``."""
    sums[:] = 0
    for lane in range(min(BAND, count)):
        for s in range(columns):
            sums[lane] += rows[first + lane * columns + s]


@njit(error_model="numpy", nogil=True)
def _move_hidden(machine, velocities, rates, memory, rows):
    """Move the hidden biases by the sums of the means, those of the model being negative."""
    sums = memory.sums
    for q in range(machine.layers.columns // BAND):
        sums[:] = 0
        for s in range(rows):
            for lane in range(BAND):
                sums[lane] += memory.means[(q * rows + s) * BAND + lane]
        for lane in range(BAND):
            j = q * BAND + lane
            velocities.hidden[j] = rates.momentum * velocities.hidden[j] + rates.rate * sums[lane]
            machine.layers.column_bias[j] += velocities.hidden[j]
