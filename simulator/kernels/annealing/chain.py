"""Chains of spins whose fields are whole numbers of a byte: heat-bath sweeps, block by block of one colour (P6, P12).

Spins stand colour by colour, each colour filled up to blocks of 64: no two spins of a block are coupled. A chain is
the field f = J s + h of each spin, kept up to date as spins flip, and the spins as bits of words. A sweep compares the
fields of a block with limits that random bytes set (``byte_lanes``); only spins that flip cost more. A byte that
decides nothing is followed by 32 further digits. Noise: bytes are Philox blocks at (place, sweep, draw, stream).
"""

# pyright: reportCallIssue=false, reportGeneralTypeIssues=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from thermoc.simulator.cache import keep
from thermoc.simulator.kernels.annealing.byte_lanes import BLOCK, up_bits
from thermoc.simulator.kernels.operands import stopped
from thermoc.simulator.kernels.simd.lanes import LANES, blocks, count_up, store
from thermoc.simulator.kernels.thermal import HALF, LOW, philox
from thermoc.simulator.kernels.words import first_bit

two_blocks = blocks(2)
ONE, NONE = np.uint64(1), np.uint64(0)
BYTES = 256
CHUNK = 64
"""Blocks whose noise is made at a time: 4 KiB, which stay in the innermost cache."""
WORDS = 8 * CHUNK
FINE = np.uint64(2)
"""The draw of the further digits; bytes take draws 0 and 1."""


class Couplings(NamedTuple):
    """Rows of couplings by place: offsets, columns, 2 J (int16 or float64); which bits of the blocks are spins.

    apart: whether no two spins of a block are coupled; whole numbers ask for it.
    """

    offsets: Any
    columns: Any
    doubled: Any
    real: Any
    apart: Any


class SpinChains(NamedTuple):
    """States, a chain a row: fields (int8), words, the lowest energy's words; energies (now, lowest), of int64."""

    fields: Any
    words: Any
    best: Any
    energies: Any


class ChainNoise(NamedTuple):
    """Where the noise of a chain stands: the first sweep, the stream (of several chains: one each), the seed's key."""

    sweep: int
    stream: Any
    key: Any


class ThresholdDigits(NamedTuple):
    """The probabilities of one temperature: as ``up_bits`` takes them; 32 further digits of each field + 128."""

    heights: Any
    values: Any
    fine: Any


@njit(error_model="numpy", nogil=True)
def anneal_rows(couplings, chains, rows, T, sweeps, noise, greatest, halt):
    """Anneal some chains, each at its own row of temperatures T, or all at the only one.

    noise: that of the first; ``noise.stream`` holds a stream for each.
    """
    for k in range(rows.size):
        mine = ChainNoise(noise.sweep, noise.stream[k], noise.key)
        anneal(couplings, chains, rows[k], T[min(k, T.shape[0] - 1)], sweeps, mine, greatest, halt)


@njit(error_model="numpy", nogil=True)
def anneal(couplings, chains, row, T, sweeps, noise, greatest, halt):
    """Sweep one chain ``sweeps[k]`` times at each temperature T[k], T = 0 too; keep its lowest state.

    ``greatest``: no field is greater.
    """
    digits = ThresholdDigits(np.empty(BYTES, np.uint8), np.empty(BYTES, np.int8), np.empty(BYTES, np.uint64))
    random, tick = np.empty(WORDS, np.uint64), noise.sweep
    fields, words, best, energies = chains.fields[row], chains.words[row], chains.best[row], chains.energies[row]
    for k in range(T.size):
        count = set_digits(digits, T[k], greatest)
        for _ in range(sweeps[k]):
            if stopped(halt):
                return
            energies[0] += sweep(couplings, fields, words, digits, count, random, tick, noise)
            tick += 1
            if energies[0] < energies[1]:
                energies[1] = energies[0]
                best[:] = words


@njit(error_model="numpy", nogil=True)
def set_digits(digits, T, greatest):
    """Set the digits of P = 1 / (1 + exp(-2 f / T)) of every field f; return how many limits there are to compare."""
    count, last = 0, 0
    for f in range(greatest, -greatest - 1, -1):
        P = _probability(f, T) * 256
        # P = 1 has the digits of the numbers just below
        height = min(np.int64(P), 255)
        digits.fine[f + 128] = np.uint64((P - height) * 4294967296.0)
        # no byte is below the digit 0; of fields with the same digit the least is the limit
        if height > 0:
            count += height != last
            digits.heights[count - 1], digits.values[count - 1] = height, f
        last = height
    return count


@njit(error_model="numpy", nogil=True)
def _probability(f, T):
    if T <= 0:
        return 0.5 if f == 0 else 1.0 if f > 0 else 0.0
    return 1 / (1 + math.exp(-2 * f / T))


@njit(error_model="numpy", nogil=True)
def sweep(couplings, fields, words, digits, count, random, tick, noise):
    """Update every spin once; return by how much the energy changed."""
    k0, k1 = np.uint64(noise.key) & LOW, np.uint64(noise.key) >> HALF
    change = 0
    for block in range(words.size):
        if block % CHUNK == 0:
            _fill(random, block * 2, np.uint64(tick), np.uint64(noise.stream), k0, k1)
        start, old = block * BLOCK, words[block]
        sure, perhaps = up_bits(fields, start, random, block % CHUNK * 8, digits.heights, digits.values, count)
        unsure = perhaps & ~sure & couplings.real[block]
        while unsure:
            bit = first_bit(np.int64(unsure))
            index = start + bit
            fine_word = philox(np.uint64(index), np.uint64(tick), FINE, np.uint64(noise.stream), k0, k1)[0]
            if fine_word < digits.fine[np.int64(fields[index]) + 128]:
                sure |= ONE << np.uint64(bit)
            unsure &= unsure - ONE
        flips = (sure ^ old) & couplings.real[block]
        words[block] = old ^ flips
        while flips:
            bit = first_bit(np.int64(flips))
            change += _flip(couplings, fields, start + bit, 1 if (sure >> np.uint64(bit)) & ONE else -1)
            flips &= flips - ONE
    return change


@njit(error_model="numpy", nogil=True)
def _fill(random, first, tick, stream, k0, k1):
    """Set the bytes of a chunk of blocks; four words come of an element, so that a block has two."""
    quarter = WORDS // 4
    for e in range(0, quarter, LANES):
        position = two_blocks(count_up() + np.uint64(first + e), tick, NONE, stream, k0, k1)
        for k in range(4):
            store(random, k * quarter + e, position[k])


@njit(error_model="numpy", nogil=True)
def _flip(couplings, fields, place, spin):
    """Tell the neighbours of a spin that it now is ``spin``; return by how much the energy changed."""
    # unsigned, so that no index is looked at for whether it counts from the end
    for e in range(couplings.offsets[np.uint64(place)], couplings.offsets[np.uint64(place + 1)]):
        j = couplings.columns[e]
        fields[j] += spin * couplings.doubled[e]
    return -2 * spin * np.int64(fields[np.uint64(place)])


keep(anneal_rows, "the kernel that anneals", 8.0)
