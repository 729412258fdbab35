"""Pair-based plasticity by the timing of spikes, event by event, with exact traces."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(error_model="numpy", nogil=True)
def advance(W, before, after, pre, post, rates, decays, bounds):
    """Move W (n, m) by the spikes before (ticks, samples, m) and after (ticks, samples, n) of synapses.

    pre (samples, m) and post (samples, n) are the traces, which decay by a factor a tick and grow by 1 at a spike. A
    spike meets the traces of earlier ticks alone. rates: potentiation and depression, each a sample; bounds: of W.
    """
    ticks, samples, m = before.shape
    n = after.shape[2]
    for t in range(ticks):
        for s in range(samples):
            for i in range(m):
                pre[s, i] *= decays[0]
            for j in range(n):
                post[s, j] *= decays[1]
            for j in range(n):
                if after[t, s, j]:
                    for i in range(m):
                        W[j, i] += rates[0] * pre[s, i]
            for i in range(m):
                if before[t, s, i]:
                    for j in range(n):
                        W[j, i] -= rates[1] * post[s, j]
            for i in range(m):
                pre[s, i] += before[t, s, i]
            for j in range(n):
                post[s, j] += after[t, s, j]
        if np.isfinite(bounds[0]) or np.isfinite(bounds[1]):
            for j in range(n):
                for i in range(m):
                    W[j, i] = min(max(W[j, i], bounds[0]), bounds[1])
