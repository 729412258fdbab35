"""All states of a few coupled spins in the order of a Gray code: one spin flips a step (Gray, US patent 2632058, 1953).

The lowest are kept, sorted. Fields are summed anew every 2^12 steps, so that rounding stays that of as many flips.
"""

# pyright: reportCallIssue=false, reportGeneralTypeIssues=false

from __future__ import annotations

import numpy as np
from numba import njit

from thermoc.simulator.cache import keep
from thermoc.simulator.kernels.operands import stopped
from thermoc.simulator.kernels.words import first_bit

BLOCK = 12
"""Spins that flip within a block of states; the others are set at its start."""


@njit(error_model="numpy", nogil=True)
def enumerate_states(J, h, states, energies, halt):
    """Set states (k,) and energies (k,) to the k lowest of all 2^n, n < 63, lowest first.

    J (n, n) with zero diagonal, h (n,): E = -s.J.s / 2 - h.s. Bit i of a state is 1 where s_i = 1. Of equal energies
    those met first are kept. Returns the number of states that were looked at: fewer where it was stopped.
    """
    n = h.size
    inner = min(n, BLOCK)
    spins, fields = np.empty(n), np.empty(n)
    energies[:] = np.inf
    for block in range(1 << (n - inner)):
        if stopped(halt):
            return block << inner
        state = block << inner
        energy = _begin(J, h, state, spins, fields)
        _keep(state, energy, states, energies)
        for step in range(1, 1 << inner):
            k = first_bit(np.int64(step))
            energy += 2 * spins[k] * fields[k]
            spins[k] = -spins[k]
            twice = 2 * spins[k]
            for j in range(n):
                fields[j] += twice * J[k, j]
            state ^= 1 << k
            if energy < energies[-1]:
                _keep(state, energy, states, energies)
    return 1 << n


@njit(error_model="numpy", nogil=True)
def _begin(J, h, state, spins, fields):
    """Set spins and fields to those of a state; return its energy."""
    n, energy = h.size, 0.0
    for i in range(n):
        spins[i] = 1.0 if (state >> i) & 1 else -1.0
    for i in range(n):
        fields[i] = h[i]
        for j in range(n):
            fields[i] += J[i, j] * spins[j]
        energy -= spins[i] * (fields[i] + h[i]) / 2
    return energy


@njit(error_model="numpy", nogil=True)
def _keep(state, energy, states, energies):
    """Put a state where it stands among the lowest; the highest of them goes."""
    if not energy < energies[-1]:
        return
    at = energies.size - 1
    while at > 0 and energies[at - 1] > energy:
        energies[at], states[at] = energies[at - 1], states[at - 1]
        at -= 1
    energies[at], states[at] = energy, state


keep(enumerate_states, "the kernel that enumerates states", 3.0)
