"""Parallel tempering whose rungs are swept by workers; exchanges are made here, so the bits are those of one process.

A round sends each worker some chains, and gets them back: what a chain becomes follows from its state, its temperature
and its place in the noise alone, so a part whose worker dies is swept again by another.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from thermoc.apps.optimisation import tempering
from thermoc.apps.optimisation.budget import Budget
from thermoc.apps.optimisation.samples import Samples
from thermoc.apps.optimisation.work import Work
from thermoc.physics.ising_model import IsingModel
from thermoc.simulator.kernels.annealing.chain import SpinChains
from thermoc.support.array_types import FloatArray, IntArray
from thermoc.sweeps.clusters import client
from thermoc.sweeps.pools import check_workers

PARTS = 2
"""Parts of the rungs for each thread of a worker: those that are ready wait less for the others."""


def temper(
    model: IsingModel,
    *,
    seed: int = 0,
    replicas: int | None = None,
    sweeps: int | None = None,
    target_energy: float | None = None,
    scheduler: str | None = None,
    workers: int | None = None,
) -> Samples:
    """Return what ``minimise(model, method="tempering")`` does, bit for bit, its rungs spread over workers.

    scheduler, workers: as of ``tc.sweep``. Errors: T302, T424.
    """
    work = Work(
        model=model,
        seed=seed,
        replicas=replicas,
        sweeps=sweeps,
        threads=1,
        budget=Budget(target_energy=target_energy),
    )
    with client(scheduler=scheduler, workers=workers) as connected:
        spins = tempering.temper(work, None if connected is None else Spread(connected, work))
    energies = np.asarray(model.energy(spins))
    order = np.argsort(energies, kind="stable")
    return Samples(
        spins=spins[order],
        energies=energies[order],
        method="tempering",
        seed=seed,
        sweeps=work.budget.sweeps,
        seconds=work.budget.elapsed(),
    )


class Spread:
    """Sweeps chains on the workers of a Dask client."""

    def __init__(self, connected: Any, work: Work):
        from thermoc.sweeps.remote import Bring

        check_workers(connected, "sim")
        parts = (model_bytes(work.model), work.seed)
        self._client, self._round = connected, 0
        self._key = f"thermoc-temper-{hashlib.sha256(repr(parts).encode()).hexdigest()[:16]}"
        connected.register_plugin(Bring(self._key, made_work, (work.model, work.seed)))

    def __call__(self, work: Work, chains: SpinChains, rows: IntArray, T: FloatArray, done: int) -> None:
        """Sweep rows of the chains, which are replaced by what the workers return."""
        threads = max(1, sum(self._client.nthreads().values()))
        blocks = np.array_split(np.arange(rows.size), min(rows.size, PARTS * threads))
        self._round += 1
        futures = [
            self._client.submit(
                swept,
                self._key,
                SpinChains(*(array[rows[block]] for array in chains)),
                rows[block],
                T[block],
                done,
                key=f"{self._key}-{self._round}-{number}-{id(self)}",
                pure=False,
            )
            for number, block in enumerate(blocks)
        ]
        for block, returned in zip(blocks, self._client.gather(futures)):
            for array, chain in zip(chains, returned):
                array[rows[block]] = chain


def swept(key: str, chains: SpinChains, rows: IntArray, T: FloatArray, done: int) -> SpinChains:
    """Sweep chains on a worker; rows are their numbers among all, which place them in the noise."""
    from thermoc.sweeps.remote import shared

    work: Work = shared(key)
    copied = SpinChains(*(np.array(array) for array in chains))
    for index, row in enumerate(rows):
        temperature = np.full((1, 1), T[index])
        work.sweep(
            copied, np.array([index]), temperature, np.full(1, tempering.SWEEPS), done=done, first=int(row) - index
        )
    return copied


def made_work(payload: tuple[IsingModel, int]) -> Work:
    """Return a model laid out on a worker."""
    model, seed = payload
    work = Work(model=model, seed=seed, replicas=None, sweeps=None, threads=1, budget=Budget())
    assert work.layout is not None  # made before the first task comes
    return work


def model_bytes(model: IsingModel) -> str:
    """Return a hash of a model."""
    digest = hashlib.sha256(model.h.tobytes())
    for array in (model.J.indptr, model.J.indices, model.J.data):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
