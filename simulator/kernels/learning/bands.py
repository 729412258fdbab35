"""Matrices in bands of columns, and layers of bits that are driven through them (``wide_tables``).

A matrix (rows, columns) lies band by band: band q holds its rows one after another, ``BAND`` columns each. Rows and
columns are filled up to multiples of ``BAND`` by zeros, and biases there by ``NEVER``, so that units which only fill up
are 0. Bits lie the same way, one a byte; four of them make a code of a byte.
"""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from thermoc.simulator.kernels import scalar
from thermoc.simulator.kernels.learning.wide_tables import (
    BAND,
    CODE,
    DEEP,
    FOUR,
    add_states,
    add_states_of_columns,
)
from thermoc.simulator.kernels.simd.lanes import LANES, blocks, count_up, store_uniforms
from thermoc.simulator.kernels.simd.tiles import TILE_ROWS, VECTOR_BYTES, tile
from thermoc.simulator.kernels.thermal import HALF, LOW

NEVER = np.float32(-1e30)
"""The bias of a unit that fills up a band."""
ONE = np.float32(1)

two_blocks = blocks(2)
add_band = tile(BAND * 4 // VECTOR_BYTES)


class BandedLayers(NamedTuple):
    """Two layers, (rows) and (columns) units: weights between them in bands, and the biases of both."""

    w: Any
    row_bias: Any
    column_bias: Any
    rows: int
    columns: int


class BlockCounter(NamedTuple):
    """Where the noise of a layer stands.

    Unit 64 c + 32 d + 8 w + l of chain s takes word w of the Philox block (8 (chunks s + c) + l, step, 2 draw + d,
    stream), chunks being how many chunks of 64 the layer has.
    """

    step: int
    draw: int
    stream: int
    key: Any


@njit(error_model="numpy", nogil=True)
def fill_uniforms(u, samples, columns, counter):
    """Set u, in bands of ``samples`` rows, to float32 uniforms in (0, 1) of 23 digits."""
    k0, k1 = np.uint64(counter.key) & LOW, np.uint64(counter.key) >> HALF
    step, draw, stream = np.uint64(counter.step), np.uint64(2 * counter.draw), np.uint64(counter.stream)
    chunks = (columns + 2 * BAND - 1) // (2 * BAND)
    for s in range(samples):
        for c in range(chunks):
            for first in range(0, 8, LANES):
                element = count_up() + np.uint64((s * chunks + c) * 8 + first)
                w01, w23, x01, x23 = two_blocks(element, step, draw, stream, k0, k1)
                at = (2 * c * samples + s) * BAND + first
                _store_four(u, at, w01, w23)
                # the second half of a chunk may lie beyond the last band
                if (2 * c + 1) * BAND < columns:
                    _store_four(u, at + samples * BAND, x01, x23)


@njit(forceinline=True)
def _store_four(u, at, w01, w23):
    store_uniforms(u, at, w01)
    store_uniforms(u, at + 8, w01 << HALF)
    store_uniforms(u, at + 16, w23)
    store_uniforms(u, at + 24, w23 << HALF)


@njit(error_model="numpy", nogil=True)
def drive_columns(r, samples, layers, q, codes, tables):
    """Set r (samples, BAND) to the drives of band q of the columns, by the bits of the rows."""
    _repeat(r, samples, layers.column_bias[q * BAND : (q + 1) * BAND])
    groups = layers.rows // FOUR
    add_states(r, samples, layers.w, q * layers.rows * BAND, groups, codes, 0, groups, tables)


@njit(error_model="numpy", nogil=True)
def drive_columns_by_numbers(r, samples, layers, q, x):
    """As ``drive_columns`` for rows that are any numbers, x (samples, rows) side by side."""
    _repeat(r, samples, layers.column_bias[q * BAND : (q + 1) * BAND])
    add_product(r, x, samples, layers.rows, layers.w[q * layers.rows * BAND : (q + 1) * layers.rows * BAND])


@njit(error_model="numpy", nogil=True)
def drive_rows(r, samples, layers, q, codes, tables, square):
    """Set r (samples, BAND) to the drives of band q of the rows, by the bits of the columns; square: scratch memory."""
    _repeat(r, samples, layers.row_bias[q * BAND : (q + 1) * BAND])
    groups = layers.columns // FOUR
    add_states_of_columns(r, samples, layers.w, q, layers.rows, groups, codes, tables, square)


@njit(error_model="numpy", nogil=True)
def add_product(r, x, rows, inner, band):
    """Add x (rows, inner) times a band (inner, BAND) to r (rows, BAND)."""
    for i in range(0, rows, TILE_ROWS):
        add_band(r, i * BAND, BAND, x, i * inner, inner, band, inner, rows - i, BAND)


@njit(error_model="numpy", nogil=True)
def _repeat(r, samples, bias):
    for s in range(samples):
        for lane in range(BAND):
            r[s * BAND + lane] = bias[lane]


@njit(error_model="numpy", nogil=True)
def logistic(p, r, size, beta):
    """Set p to 1 / (1 + exp(-beta r))."""
    for k in range(size):
        p[k] = ONE / (ONE + scalar.exp(-beta * r[k]))


@njit(error_model="numpy", nogil=True)
def decide(bits, p, u, size):
    """Set bits to 1 where u < p, else to 0."""
    for k in range(size):
        bits[k] = u[k] < p[k]


@njit(error_model="numpy", nogil=True)
def encode(codes, bits, samples, q, groups):
    """Set the codes (samples, groups) of band q from its bits (samples, BAND)."""
    fours = bits.view(np.uint32)
    for s in range(samples):
        for g in range(DEEP):
            x = fours[s * DEEP + g]
            codes[s * groups + q * DEEP + g] = ((x | (x >> 7) | (x >> 14) | (x >> 21)) & 15) * CODE


@njit(error_model="numpy", nogil=True)
def encode_samples(codes, bits, samples, unit, first, groups):
    """Set codes[unit + lane, first + g] from the bits of four samples each, of a band (samples, BAND)."""
    for g in range(samples // FOUR):
        k = g * FOUR * BAND
        for lane in range(BAND):
            low = bits[k + lane] | (bits[k + BAND + lane] << 1)
            high = bits[k + 2 * BAND + lane] | (bits[k + 3 * BAND + lane] << 1)
            codes[(unit + lane) * groups + first + g] = (low | (high << 2)) * CODE
