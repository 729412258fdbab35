"""Population annealing: replicas that are cooled together and copied or dropped by their Boltzmann weights.

Hukushima and Iba, AIP Conference Proceedings 690, 200 (2003); Machta, Physical Review E 82, 026704 (2010). Between two
temperatures, replica i is to have exp(-(beta' - beta) E_i), over its mean, copies; systematic resampling gives it the
whole number below or above.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from thermoc.apps.optimisation import chains as lay
from thermoc.apps.optimisation.restarts import lowest_of_batches
from thermoc.apps.optimisation.temperatures import cooling, shares
from thermoc.apps.optimisation.work import Work
from thermoc.simulator.kernels.annealing.chain import SpinChains
from thermoc.support.array_types import FloatArray, IntArray

REPLICAS, LEVELS = 64, 100


def anneal_population(work: Work) -> NDArray[np.int8]:
    """Return the lowest states (replicas, n) of one population, or of one after another until time is up."""
    replicas, sweeps = work.replicas or REPLICAS, work.sweeps or 1000
    return lowest_of_batches(work, replicas, lambda _, first: one_population(work, replicas, sweeps, first))


def one_population(work: Work, replicas: int, sweeps: int, first: int) -> SpinChains:
    """Return a population that was cooled, with the streams from ``first`` on."""
    layout, budget = work.layout, work.budget
    levels = min(LEVELS, sweeps)
    T, counts, rows = cooling(work.model, levels), shares(sweeps, levels), np.arange(replicas)
    chains = lay.start(layout, lay.random_spins(work.model.size, replicas, work.seed, first))
    rng, done = np.random.default_rng([work.seed, first, 2]), 0
    for k in range(levels):
        # the last temperature is 0, where all but the lowest would be dropped: it is a descent, of all
        if k > 0 and T[k] > 0:
            resample(chains, parents(chains.energies[:, 0], (1 / T[k] - 1 / T[k - 1]) / layout.scale, rng))
        work.sweep(chains, rows, T[k : k + 1], counts[k : k + 1], done=done, first=first)
        done += int(counts[k])
        if budget.spend(int(counts[k]), float(layout.energies(chains).min())):
            break
    return chains


def parents(energies: FloatArray, step: float, rng: np.random.Generator) -> IntArray:
    """Return whose copy each replica becomes, by weights exp(-step E). Those that live on keep their row."""
    weight = np.exp(-step * (energies - energies.min()))
    ends = np.cumsum(weight) * (len(energies) / weight.sum())
    copies = np.diff(np.floor(ends + rng.random()), prepend=0.0).astype(np.int64)
    # rounding may leave one replica too many or too few
    copies[np.argmax(copies)] += len(energies) - copies.sum()
    rows = np.arange(len(energies))
    extra = np.repeat(rows, np.maximum(copies - 1, 0))
    rows[copies == 0] = extra
    return rows


def resample(chains: SpinChains, rows: IntArray) -> None:
    """Replace each replica by the one that ``rows`` names, with the lowest state of its line."""
    for array in chains:
        array[:] = array[rows]
