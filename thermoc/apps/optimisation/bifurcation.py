"""Simulated bifurcation, ballistic and discrete (Goto et al., Science Advances 7, eabe7953, 2021).

A network of particles in double wells that form while it runs, without noise: Langevin's equation with inertia at no
temperature. Half of the replicas are ballistic, the others discrete. Each ends with a descent, spin by spin.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.apps.optimisation import chains as lay
from thermoc.apps.optimisation.restarts import lowest_of_batches
from thermoc.apps.optimisation.work import Work
from thermoc.physics.ising_model import IsingModel
from thermoc.simulator.kernels.annealing.bifurcation import bifurcate
from thermoc.simulator.kernels.annealing.chain import SpinChains
from thermoc.support.array_types import FloatArray

REPLICAS, TOGETHER, STEPS = 32, 16, 1000
"""Replicas of a call, those that share a walk through the couplings, and steps."""
PIECE = 100_000
"""Steps whose pump is written down at a time."""
Float32Array = NDArray[np.float32]
DT, STABLE = 1.25, 1.6
"""The longest step, and the product of step and highest frequency, which is stable below 2."""
DESCENT = 10
STRENGTH = 0.5
"""Coupling in units of 1 / (root mean square of J times sqrt(n)), as Goto et al. take it."""


def bifurcation(work: Work) -> NDArray[np.int8]:
    """Return states (replicas, n). ``sweeps`` are steps; until time is up, further replicas are begun."""
    replicas, steps = work.replicas or REPLICAS, work.sweeps or STEPS
    return lowest_of_batches(work, replicas, lambda _, first: one_batch(work, replicas, steps, first))


def one_batch(work: Work, replicas: int, steps: int, first: int) -> SpinChains:
    """Return the chains of replicas whose noise of the start begins at row ``first``."""
    n, budget = work.model.size, work.budget
    groups = [np.arange(begin, min(begin + TOGETHER, replicas)) for begin in range(0, replicas, TOGETHER)]
    spins = np.empty((replicas, n), np.int8)
    scale = _strength(work.model.J.data, work.model.h, n)
    dt = _step(scale, work.model)

    def run(number: int) -> None:
        rows = groups[number]
        positions = _start(work, len(rows), first + int(rows[0]))
        _bifurcate(work, *positions, steps, scale, dt, discrete=number % 2 == 1)
        spins[rows] = np.where(positions[0].T >= 0, 1, -1)

    lay.in_threads(run, len(groups), work.threads, budget.halt)
    chains = lay.start(work.layout, spins)
    work.sweep(chains, np.arange(replicas), np.zeros(1), np.full(1, DESCENT), first=first)
    budget.spend(steps, float(work.layout.energies(chains).min()))
    return chains


def _start(work: Work, replicas: int, first: int) -> tuple[Float32Array, Float32Array]:
    """Return positions and momenta (n, replicas) near 0."""
    rng = np.random.default_rng([work.seed, first, 3])
    x, y = rng.uniform(-0.1, 0.1, (2, work.model.size, replicas)).astype(np.float32)
    return np.ascontiguousarray(x), np.ascontiguousarray(y)


def _bifurcate(
    work: Work, x: Float32Array, y: Float32Array, steps: int, scale: float, dt: float, *, discrete: bool
) -> None:
    """Step positions and momenta while the wells form."""
    model = work.model
    offsets, columns = model.J.indptr.astype(np.uint64), model.J.indices.astype(np.uint32)
    J, h = ((scale * values).astype(np.float32) for values in (model.J.data, model.h))
    for start in range(0, steps, PIECE):
        pump = (np.arange(start, min(start + PIECE, steps)) / max(steps - 1, 1)).astype(np.float32)
        bifurcate(offsets, columns, J, h, x, y, pump, np.float32(dt), discrete, work.budget.halt)
        if work.budget.stopped:
            return


def _step(scale: float, model: IsingModel) -> float:
    """Return a step that is stable for the stiffest mode: its frequency squared is 1 less the least of the scaled J's
    eigenvalues, which no row's sum of |J| is less than.
    """
    stiffest = scale * float(abs(model.J).sum(axis=0).max(initial=0.0))
    if model.size > 2 and model.J.nnz:
        from scipy.sparse.linalg import ArpackError, eigsh

        begin = np.random.default_rng(0).normal(size=model.size)
        options: dict[str, Any] = {"k": 1, "which": "SA", "tol": 0.05, "v0": begin, "return_eigenvectors": False}
        # where it does not converge the bound stays
        with suppress(ArpackError):
            stiffest = min(stiffest, max(0.0, -1.1 * scale * float(eigsh(model.J, **options)[0])))
    return min(DT, STABLE / float(np.sqrt(1 + stiffest)))


def _strength(J: FloatArray, h: FloatArray, n: int) -> float:
    """Return what couplings are multiplied by: their greatest eigenvalue becomes about 1."""
    squares = float((J**2).sum() + 2 * (h**2).sum())
    return STRENGTH * float(np.sqrt(n / squares)) if squares else 1.0
