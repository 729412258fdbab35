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
from thermoc.simulator.kernels.annealing.chain import SpinChains
from thermoc.simulator.kernels.annealing.clusters import keep_better
from thermoc.support.array_types import FloatArray, IntArray

HEATS = (0.7, 0.6, 0.5)
"""How hot a cycle starts, of the temperature at which most spins are free."""
LEVELS, COOLING_LEVELS = 40, 200
FIRST = 0.3
"""The share of the sweeps in which chains are cooled for the first time."""
HALVINGS = (0.4, 0.6, 0.8)
"""After which shares of the sweeps the worse half of the chains ends."""
SOON = 10_000
CYCLE = 1000
"""Sweeps of a cycle, or a tenth of those of the first cooling."""
SLICE = 20_000_000
"""Updates after which the clock is looked at."""
TRIAL = 32


def cycle(work: Work) -> NDArray[np.int8]:
    """Return the lowest states (replicas, n) of chains, of which most end early."""
    layout, budget, replicas = work.layout, work.budget, work.replicas or 2
    chains = lay.start(layout, lay.random_spins(work.model.size, replicas, work.seed))
    total = work.sweeps or _affordable(work, chains) or 4000
    first = _first_sweeps(work, total)
    symmetric, alive, iteration = not layout.h.any(), np.arange(replicas), 0
    done = _sweep(work, chains, alive, cooling(work.model, min(COOLING_LEVELS, first)), first, 0)
    _judge(work, chains, alive, symmetric)
    spent, length = done * replicas, max(1, min(max(CYCLE, first // 10), first))
    while not budget.over() and (budget.seconds is not None or spent < total * replicas):
        fraction = spent / (total * replicas)
        target = max(1, replicas >> sum(fraction >= limit for limit in HALVINGS))
        if len(alive) > target:
            alive = _better_half(work, chains, alive, target, symmetric)
        swept = _sweep(work, chains, alive, _reheating(work, iteration, length), length, done)
        _judge(work, chains, alive, symmetric)
        done, spent, iteration = done + swept, spent + swept * len(alive), iteration + 1
    return lay.spins_of(layout, chains.best)


def _first_sweeps(work: Work, total: int) -> int:
    """Return how many sweeps chains are first cooled for; not for long where a known energy is to be reached soon."""
    limit = SOON if work.budget.target_energy is not None else total
    return max(1, min(round(FIRST * total), limit))


def _reheating(work: Work, turn: int, length: int) -> FloatArray:
    """Return the temperatures of a cycle."""
    hot, cold = span(work.model)
    top = max(HEATS[turn % len(HEATS)] * hot, cold)
    return np.append(np.geomspace(top, cold, min(LEVELS, length) - 1), 0.0) if length > 1 else np.zeros(1)


def _sweep(work: Work, chains: SpinChains, rows: IntArray, T: FloatArray, sweeps: int, done: int) -> int:
    """Sweep some chains through temperatures, unless the budget ends before; return how many sweeps that were."""
    counts, swept = shares(sweeps, len(T)), 0
    updates = sweeps * len(rows) * work.layout.places
    for levels in np.array_split(np.arange(len(T)), min(len(T), 1 + updates // SLICE)):
        work.sweep(chains, rows, T[levels], counts[levels], done=done + swept)
        passed = int(counts[levels].sum())
        swept += passed
        if work.budget.spend(passed, float(work.layout.energies(chains).min())):
            break
    return swept


def _judge(work: Work, chains: SpinChains, rows: IntArray, symmetric: bool) -> None:
    """Keep, in each chain, what did not raise its energy."""

    def one(number: int) -> None:
        row = int(rows[number])
        keep_better(work.layout.couplings, chains, row, row, symmetric)

    lay.in_threads(one, len(rows), work.threads, work.budget.halt)


def _better_half(work: Work, chains: SpinChains, alive: IntArray, target: int, symmetric: bool) -> IntArray:
    """Return the rows of the lowest chains, after each took over the clusters that any that ends has lower."""
    order = alive[np.argsort(chains.energies[alive, 0], kind="stable")]
    better, worse = order[:target], order[target:]
    for row in better:
        for index in worse:
            keep_better(work.layout.couplings, chains, row, index, symmetric)
    return np.sort(better)


def _affordable(work: Work, chains: SpinChains) -> int | None:
    """Return how many sweeps a chain has time for, from a trial; None where there is no limit of time."""
    if work.budget.seconds is None:
        return None
    # a temperature at which about as many spins flip as in a whole cooling
    middle, rows = np.full(1, 0.4 * span(work.model)[0]), np.arange(len(chains.words))
    work.sweep(chains, rows, middle, np.full(1, TRIAL))
    before = work.budget.elapsed()
    work.sweep(chains, rows, middle, np.full(1, TRIAL))
    trial_seconds = (work.budget.elapsed() - before) / TRIAL
    return max(8, int(work.budget.remaining() / max(trial_seconds, 1e-9)))
