"""Simulated annealing in long single chains (Kirkpatrick, Gelatt and Vecchi, Science 220, 671, 1983; P23)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from thermoc.apps.optimisation import chains as lay
from thermoc.apps.optimisation.restarts import lowest_of_batches
from thermoc.apps.optimisation.temperatures import cooling, shares
from thermoc.apps.optimisation.work import Work
from thermoc.simulator.kernels.annealing.chain import SpinChains

LEVELS = 200
"""Temperatures of a cooling: to set the limits of one costs as much as a sweep of some hundred spins."""
SLICE = 20_000_000
"""Updates after which the clock is looked at."""


def anneal(work: Work) -> NDArray[np.int8]:
    """Return the lowest states (replicas, n) of chains that are cooled once, or again and again until time is up."""
    replicas, sweeps = work.replicas or 8, work.sweeps or 1000

    def batch(number: int, first: int) -> SpinChains:
        # where nobody said how long, each takes twice as long as the one before
        return one_cooling(work, replicas, sweeps if work.sweeps else sweeps << number, first)

    return lowest_of_batches(work, replicas, batch)


def one_cooling(work: Work, replicas: int, sweeps: int, first: int) -> SpinChains:
    """Return chains with the streams from ``first`` on, cooled once."""
    layout, budget = work.layout, work.budget
    chains = lay.start(layout, lay.random_spins(work.model.size, replicas, work.seed, first))
    levels = min(LEVELS, sweeps)
    T, counts = cooling(work.model, levels), shares(sweeps, levels)
    # a slice ends with the level in which it has as many sweeps
    ends, slice_sweeps = np.cumsum(counts), -(-SLICE // (replicas * layout.places))
    at = done = 0
    while at < levels and not budget.over():
        end = min(int(np.searchsorted(ends, done + slice_sweeps)) + 1, levels)
        work.sweep(chains, np.arange(replicas), T[at:end], counts[at:end], done=done, first=first)
        passed = int(ends[end - 1]) - done
        at, done = end, done + passed
        budget.spend(passed, float(layout.energies(chains).min()))
    return chains
