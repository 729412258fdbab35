"""Thermal cycling: chains are heated and cooled again and again, and of what changed, each cluster is judged alone.

Moebius, Neklioudov, Diaz-Sanchez, Hoffmann, Fachat and Schreiber, Physical Review Letters 79, 4297 (1997), accept or
reject a cycle as one; here each of the clusters in which the new state differs from the old is kept where it does not
raise the energy (``simulator.kernels.annealing.clusters``), so that distant places of a sparse graph are improved side
by side. Of several chains the better half goes on, once it has taken over what the others do better.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from thermoc.apps.optimisation import chains as lay
from thermoc.apps.optimisation.temperatures import cooling, shares, span
from thermoc.apps.optimisation.work import Work
from thermoc.simulator.kernels.annealing.chain import Chains
from thermoc.simulator.kernels.annealing.clusters import keep_better
from thermoc.support.array_types import FloatArray

HEATS = (0.7, 0.6, 0.5)
"""How hot a cycle starts, of the temperature at which most spins are free."""
LEVELS, COOLING_LEVELS = 40, 200
FIRST = 0.3
"""The share of the sweeps in which chains are cooled for the first time."""
HALVINGS = (0.4, 0.6, 0.8)
"""After which shares of the sweeps the worse half of the chains ends."""
CYCLE = 1000
"""Sweeps of a cycle, at most."""
TRIAL = 32


def cycle(work: Work) -> NDArray[np.int8]:
    """Return the lowest states (replicas, n) of chains, of which most end early."""
    layout, budget, replicas = work.layout, work.budget, work.replicas or 2
    chains = lay.start(layout, lay.random_spins(work.model.size, replicas, work.seed))
    total = work.sweeps or _affordable(work, chains) or 4000
    symmetric = not layout.h.any()
    alive, done = np.arange(replicas), 0
    first = max(1, round(FIRST * total))
    T = cooling(work.model, min(COOLING_LEVELS, first))
    done += _sweep(work, chains, alive, T, first, done)
    for row in alive:
        keep_better(layout.couplings, chains, row, row, symmetric)
    spent, turn = done * replicas, 0
    hot, cold = span(work.model)
    length = max(1, min(max(CYCLE, first // 10), first))
    while not budget.over() and (budget.seconds is not None or spent < total * replicas):
        share = spent / (total * replicas)
        target = max(1, replicas >> sum(share >= limit for limit in HALVINGS))
        if len(alive) > target:
            alive = _better_half(work, chains, alive, target, symmetric)
        top = max(HEATS[turn % len(HEATS)] * hot, cold)
        T = np.append(np.geomspace(top, cold, min(LEVELS, length) - 1), 0.0) if length > 1 else np.zeros(1)
        done += _sweep(work, chains, alive, T, length, done)
        for row in alive:
            keep_better(layout.couplings, chains, row, row, symmetric)
        spent, turn = spent + length * len(alive), turn + 1
    return lay.spins_of(layout, chains.best)


def _sweep(work: Work, chains: Chains, rows: NDArray[np.int64], T: FloatArray, sweeps: int, done: int) -> int:
    """Sweep some chains through temperatures; return how many sweeps that were."""
    counts, scaled = shares(sweeps, len(T)), T * work.layout.scale

    def one(number: int) -> None:
        row = int(rows[number])
        work.sweep(chains, row, scaled, counts, lay.noise(work.seed, done, row))

    lay.in_threads(one, len(rows), work.threads, work.budget.halt)
    work.budget.spend(sweeps, float(work.layout.energies(chains).min()))
    return sweeps


def _better_half(
    work: Work, chains: Chains, alive: NDArray[np.int64], target: int, symmetric: bool
) -> NDArray[np.int64]:
    """Return the rows of the lowest chains, after each took over the clusters that any that ends has lower."""
    order = alive[np.argsort(chains.energies[alive, 0], kind="stable")]
    better, worse = order[:target], order[target:]
    for row in better:
        for other in worse:
            keep_better(work.layout.couplings, chains, row, other, symmetric)
    return np.sort(better)


def _affordable(work: Work, chains: Chains) -> int | None:
    """Return how many sweeps a chain has time for, from a trial; None where there is no limit of time."""
    if work.budget.seconds is None:
        return None
    middle = np.full(1, 0.4 * span(work.model)[0] * work.layout.scale)

    def trial(row: int) -> None:
        work.sweep(chains, row, middle, np.full(1, TRIAL), lay.noise(work.seed, 0, row))

    lay.in_threads(trial, len(chains.words), work.threads, work.budget.halt)
    before = work.budget.elapsed()
    lay.in_threads(trial, len(chains.words), work.threads, work.budget.halt)
    each = (work.budget.elapsed() - before) / TRIAL
    return max(8, int(work.budget.remaining() / max(each, 1e-9)))
