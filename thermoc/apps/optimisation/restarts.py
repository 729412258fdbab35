"""Batches of replicas, one after another until the time is up, and the lowest of all of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from thermoc.apps.optimisation import chains as lay
from thermoc.apps.optimisation.work import Work
from thermoc.simulator.kernels.annealing.chain import SpinChains


def lowest_of_batches(work: Work, replicas: int, batch: Callable[[int, int], SpinChains]) -> NDArray[np.int8]:
    """Return the lowest states (replicas, n) of one batch, or where there is a limit of time, of all that fit into it.

    batch: its number and the first of its streams -> chains of ``replicas``.
    """
    states, lowest, number = [], [], 0
    while True:
        chains = batch(number, number * replicas)
        states.append(lay.spins_of(work.layout, chains.best))
        lowest.append(chains.energies[:, 1])
        number += 1
        if work.budget.over() or work.budget.seconds is None:
            break
    best = np.argsort(np.concatenate(lowest), kind="stable")[:replicas]
    return np.concatenate(states)[best]
