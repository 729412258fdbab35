"""Chains of spins whose fields are real numbers: heat-bath sweeps as those of ``chain``, a spin at a time (P6, P12).

A spin of field f goes up where 2 f > T logit(u), u the uniform of its place. Fields are kept up to date as spins flip;
they drift by rounding alone, some 1e-16 of the largest a flip.
"""

# pyright: reportCallIssue=false, reportGeneralTypeIssues=false

from __future__ import annotations

import numpy as np
from numba import njit

from thermoc.simulator.cache import keep
from thermoc.simulator.kernels import scalar
from thermoc.simulator.kernels.annealing.byte_lanes import BLOCK
from thermoc.simulator.kernels.annealing.chain import ONE, ChainNoise
from thermoc.simulator.kernels.operands import stopped
from thermoc.simulator.kernels.thermal import fill_uniforms
from thermoc.simulator.kernels.words import first_bit

CHUNK = 16
"""Blocks whose limits are made at a time."""


@njit(error_model="numpy", nogil=True)
def anneal_rows(couplings, chains, rows, T, sweeps, noise, halt):
    """Anneal some chains, as ``chain.anneal_rows`` does."""
    for k in range(rows.size):
        mine = ChainNoise(noise.sweep, noise.stream[k], noise.key)
        anneal(couplings, chains, rows[k], T[min(k, T.shape[0] - 1)], sweeps, mine, halt)


@njit(error_model="numpy", nogil=True)
def anneal(couplings, chains, row, T, sweeps, noise, halt):
    """Sweep one chain ``sweeps[k]`` times at each temperature T[k], T = 0 too; keep its lowest state."""
    limits, tick = np.empty(CHUNK * BLOCK), noise.sweep
    fields, words, best, energies = chains.fields[row], chains.words[row], chains.best[row], chains.energies[row]
    for k in range(T.size):
        for _ in range(sweeps[k]):
            if stopped(halt):
                return
            energies[0] += sweep(couplings, fields, words, T[k], limits, tick, noise)
            tick += 1
            if energies[0] < energies[1]:
                energies[1] = energies[0]
                best[:] = words


@njit(error_model="numpy", nogil=True)
def sweep(couplings, fields, words, T, limits, tick, noise):
    """Update every spin once; return by how much the energy changed."""
    change = 0.0
    for block in range(words.size):
        if block % CHUNK == 0:
            _limits(limits, block * BLOCK, T, tick, noise)
        start, at, sure = block * BLOCK, block % CHUNK * BLOCK, np.uint64(0)
        if not couplings.apart:
            change += _one_by_one(couplings, fields, words, block, limits[at : at + BLOCK])
            continue
        for bit in range(BLOCK):
            sure |= np.uint64(fields[start + bit] > limits[at + bit]) << np.uint64(bit)
        flips = (sure ^ words[block]) & couplings.real[block]
        words[block] ^= flips
        while flips:
            bit = first_bit(np.int64(flips))
            change += _flip(couplings, fields, start + bit, 1.0 if (sure >> np.uint64(bit)) & ONE else -1.0)
            flips &= flips - ONE
    return change


@njit(error_model="numpy", nogil=True)
def _one_by_one(couplings, fields, words, block, limits):
    """Update the spins of a block each after the flips of those before it; return by how much the energy changed."""
    change, remaining = 0.0, couplings.real[block]
    while remaining:
        bit = np.uint64(first_bit(np.int64(remaining)))
        remaining &= remaining - ONE
        index = np.uint64(block * BLOCK) + bit
        up = fields[index] > limits[bit]
        if up != ((words[block] >> bit) & ONE > 0):
            words[block] ^= ONE << bit
            change += _flip(couplings, fields, index, 1.0 if up else -1.0)
    return change


@njit(error_model="numpy", nogil=True)
def _limits(limits, first, T, tick, noise):
    fill_uniforms(limits, first, tick, 0, noise.stream, noise.key)
    for i in range(limits.size):
        limits[i] = T / 2 * scalar.logit(limits[i])


@njit(error_model="numpy", nogil=True)
def _flip(couplings, fields, place, spin):
    for e in range(couplings.offsets[np.uint64(place)], couplings.offsets[np.uint64(place) + ONE]):
        fields[couplings.columns[e]] += spin * couplings.doubled[e]
    return -2 * spin * fields[np.uint64(place)]


keep(anneal_rows, "the kernel that anneals real fields", 4.0)
