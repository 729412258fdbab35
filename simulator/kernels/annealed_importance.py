"""Steps of annealed importance sampling of layers of bits: many chains at once, a unit's rule in the innermost loop."""

from __future__ import annotations

import numpy as np
from numba import njit

from thermoc.simulator.cache import keep
from thermoc.simulator.kernels.thermal import fill_uniforms


def weigh_and_sample(levels, field, u, first, last, old, new, log_weights):
    """Draw the units that were summed over at inverse temperature ``new``, and weigh the step from ``old`` to it.

    levels, field, u: (chains, n) states to be set, sums of couplings, uniforms; first, last: (n,) biases at 0 and 1. A
    unit's drive at beta is x = (1 - beta) first + beta (last + field), its sum over both levels 1 + e^x; log_weights
    (chains,) gain ln of the ratio of these sums.
    """
    chains, n = levels.shape
    for k in range(chains):
        linear, ratio = 0.0, 1.0
        for j in range(n):
            target = last[j] + field[k, j]
            before, after = first[j] + old * (target - first[j]), first[j] + new * (target - first[j])
            decay = np.exp(-abs(after))
            linear += max(after, 0.0) - max(before, 0.0)
            # each factor lies between 1/2 and 2: one logarithm serves 512 units
            ratio *= (1.0 + decay) / (1.0 + np.exp(-abs(before)))
            if j % 512 == 511:
                linear, ratio = linear + np.log(ratio), 1.0
            # P(up) = 1 / (1 + e^-x), of negative x written by e^x
            level = 1.0 if after >= 0 else decay
            levels[k, j] = 1.0 if u[k, j] * (1.0 + decay) < level else 0.0
        log_weights[k] += linear + np.log(ratio)


def sample_bits(levels, field, u, first, last, beta):
    """Set levels (chains, n) to bits drawn at drive (1 - beta) first + beta (last + field); as ``weigh_and_sample``."""
    chains, n = levels.shape
    for k in range(chains):
        for j in range(n):
            drive = first[j] + beta * (last[j] + field[k, j] - first[j])
            decay = np.exp(-abs(drive))
            level = 1.0 if drive >= 0 else decay
            levels[k, j] = 1.0 if u[k, j] * (1.0 + decay) < level else 0.0


def uniforms(u, tick, stream, key):
    """Fill u, flat, with the uniforms of its elements at a tick of a stream."""
    fill_uniforms(u, 0, tick, 0, stream, key)


weigh_and_sample_kernel = keep(njit(weigh_and_sample, error_model="numpy", nogil=True))
sample_bits_kernel = keep(njit(sample_bits, error_model="numpy", nogil=True))
uniforms_kernel = keep(njit(uniforms, error_model="numpy", nogil=True))
