"""Parallel tempering with a ladder that adapts, and cluster moves between replicas of one temperature.

Hukushima and Nemoto, Journal of the Physical Society of Japan 65, 1604 (1996); isoenergetic cluster moves: Houdayer
(2001), Zhu, Ochoa and Katzgraber (2015). Each temperature has two replicas, one of each of two ladders, so that sparse
models have partners to move clusters between. Temperatures are moved, during the first third of the rounds, to where
neighbours are exchanged equally often; from then on they stay, and each rung keeps its Boltzmann law exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermoc.apps.optimisation import chains as lay
from thermoc.apps.optimisation.temperatures import span
from thermoc.apps.optimisation.work import Work
from thermoc.simulator.kernels.annealing.chain import SpinChains
from thermoc.simulator.kernels.annealing.clusters import exchange_clusters
from thermoc.support.array_types import FloatArray, IntArray

RUNGS = 24
LADDERS = 2
SWEEPS = 10
"""Sweeps between exchanges."""
ADAPTING = 1 / 3
EVERY = 20
"""Rounds between two changes of the ladder."""
SPARSE = 16
"""Mean number of neighbours up to which clusters are moved: those of denser graphs span all spins."""


@dataclass(kw_only=True)
class Ladder:
    """Temperatures (rungs,), hottest first; the row on each rung of each ladder; exchanges (rungs - 1,)."""

    T: FloatArray
    rows: IntArray
    tried: FloatArray
    done: FloatArray

    @property
    def rates(self) -> FloatArray:
        """Shares of the exchanges (rungs - 1,) that were made, of neighbouring rungs."""
        return self.done / np.maximum(self.tried, 1)


SweepRows = Callable[[Work, SpinChains, IntArray, FloatArray, int], None]
"""Sweeps chains: rows (m,), each at its temperature (m,), behind so many sweeps; rows are independent."""


def temper(work: Work, sweep_rows: SweepRows | None = None) -> NDArray[np.int8]:
    """Return the lowest states (replicas, n) of all rungs. ``sweeps`` are those of each replica.

    sweep_rows: what sweeps the chains, default threads of this process.
    """
    rungs = max(2, (work.replicas or LADDERS * RUNGS) // LADDERS)
    chains, ladder = begin(work, rungs)
    rounds = None if work.sweeps is None and work.budget.seconds is not None else (work.sweeps or 2000) // SWEEPS
    number, adapting = 0, rounds if rounds is not None else 10**9
    while not work.budget.over() and (rounds is None or number < max(1, rounds)):
        one_round(work, chains, ladder, number, sweep_rows or in_threads)
        number += 1
        if rounds is None:
            early = work.budget.elapsed() < ADAPTING * (work.budget.seconds or 0)
        else:
            early = number < ADAPTING * adapting
        if early and number % EVERY == 0:
            adapt(ladder)
    best = np.argsort(chains.energies[:, 1], kind="stable")[: work.replicas or len(chains.words)]
    return lay.spins_of(work.layout, chains.best[best])


def begin(work: Work, rungs: int) -> tuple[SpinChains, Ladder]:
    """Return chains in random states, and a geometric ladder between a hot and a cold temperature."""
    hot, cold = span(work.model)
    chains = lay.start(work.layout, lay.random_spins(work.model.size, LADDERS * rungs, work.seed))
    rows = np.arange(LADDERS * rungs).reshape(LADDERS, rungs)
    T = np.geomspace(hot, cold, rungs)
    return chains, Ladder(T=T, rows=rows, tried=np.zeros(rungs - 1), done=np.zeros(rungs - 1))


def in_threads(work: Work, chains: SpinChains, rows: IntArray, T: FloatArray, done: int) -> None:
    """Sweep chains on threads of this process."""
    work.sweep(chains, rows, T[:, np.newaxis], np.full(1, SWEEPS), done=done)


def one_round(work: Work, chains: SpinChains, ladder: Ladder, number: int, sweep_rows: SweepRows = in_threads) -> None:
    """Sweep every replica, move a cluster on each rung, exchange neighbouring rungs."""
    sweep_rows(work, chains, ladder.rows.reshape(-1), np.tile(ladder.T, len(ladder.rows)), number * SWEEPS)
    rng = np.random.default_rng([work.seed, number, 1])
    if work.model.J.nnz <= SPARSE * work.model.size:
        move_clusters(work, chains, ladder, rng)
    _exchange(chains, ladder, work.layout.scale, number, rng)
    work.budget.spend(SWEEPS, float(work.layout.energies(chains).min()))


def move_clusters(work: Work, chains: SpinChains, ladder: Ladder, rng: np.random.Generator) -> None:
    """Exchange, on each rung, one cluster in which its two replicas differ: the sum of their energies stays."""
    symmetric = not work.layout.h.any()
    starts = rng.integers(work.layout.places, size=ladder.rows.shape[1])
    exchange_clusters(work.layout.couplings, chains, np.ascontiguousarray(ladder.rows.T), starts, symmetric)


def _exchange(chains: SpinChains, ladder: Ladder, scale: float, number: int, rng: np.random.Generator) -> None:
    """Exchange replicas of rungs k and k + 1, even and odd k by turns, with probability min(1, exp(dbeta dE))."""
    beta, lower = 1 / (ladder.T * scale), number % 2
    for rows in ladder.rows:
        E = chains.energies[rows, 0]
        k = np.arange(lower, len(beta) - 1, 2)
        # colder is k + 1: it takes the lower energy always
        log_ratio = (beta[k + 1] - beta[k]) * (E[k + 1] - E[k])
        accepted = k[np.log(rng.random(len(k))) < log_ratio]
        ladder.tried[k] += 1
        ladder.done[accepted] += 1
        rows[accepted], rows[accepted + 1] = rows[accepted + 1], rows[accepted].copy()


def adapt(ladder: Ladder) -> None:
    """Move the inner temperatures so that exchanges are even, and count anew.

    With the rate A of a pair of neighbours, their distance in units of what exchanges need is erfc^-1(A) (Kofke,
    Journal of Chemical Physics 117, 6911, 2002); rungs are put evenly along the sum of distances.
    """
    from scipy.special import erfcinv

    rates = np.clip((ladder.done + 0.5) / (ladder.tried + 1), 1e-3, 0.999)
    length = np.concatenate([[0.0], np.cumsum(erfcinv(rates))])
    beta = np.interp(np.linspace(0, length[-1], len(length)), length, 1 / ladder.T)
    # half way: rates of a few rounds are rough
    ladder.T[1:-1] = 1 / (0.5 * beta[1:-1] + 0.5 / ladder.T[1:-1])
    ladder.tried[:], ladder.done[:] = 0, 0
