"""The lowest states of a model whose connected parts are small, by looking at all states of each: proven optima."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from thermoc.apps.optimisation.work import Work
from thermoc.physics.ising_model import IsingModel
from thermoc.support.array_types import FloatArray, IntArray
from thermoc.support.errors import error

MOST_SPINS, MOST_STATES = 24, 2**25
"""Spins of a connected part, and states of all parts together: some tenths of a second."""
REPLICAS = 8


def enumerable(model: IsingModel) -> bool:
    """Return whether each connected part of a model is small enough."""
    sizes = np.bincount(_labels(model))
    return int(sizes.max(initial=0)) <= MOST_SPINS and int((1 << sizes).sum()) <= MOST_STATES


def enumerate_parts(work: Work) -> NDArray[np.int8]:
    """Return the lowest states (at most ``replicas``, n), each once: parts that are not coupled add up.

    Errors: T404 for a model whose parts are too large.
    """
    if not enumerable(work.model):
        notes = [f"the largest connected part has {np.bincount(_labels(work.model)).max()} spins"]
        notes.append(f"at most {MOST_SPINS} spins, and {MOST_STATES:,} states of all parts")
        raise error("T404", "too many states to enumerate", notes=notes, hint='method="auto"')
    label, limit = _labels(work.model), work.replicas or REPLICAS
    order, ends = np.argsort(label, kind="stable"), np.cumsum(np.bincount(label))
    spins, energies = np.zeros((1, 0), np.int8), np.zeros(1)
    for group in np.split(order, ends[:-1]):
        mine, levels = _part(work, group, limit)
        # the lowest of a sum are among the lowest of both
        sums = (energies[:, np.newaxis] + levels).reshape(-1)
        lowest = np.argsort(sums, kind="stable")[:limit]
        first, second = np.divmod(lowest, len(levels))
        spins, energies = np.concatenate([spins[first], mine[second]], axis=1), sums[lowest]
    work.budget.spend(0, float(energies[0]) + work.model.offset)
    back = np.empty_like(spins)
    back[:, order] = spins
    return back


def _part(work: Work, part: IntArray, most: int) -> tuple[NDArray[np.int8], FloatArray]:
    """Return the lowest states of a connected part, and their energies."""
    from thermoc.simulator.kernels.annealing.enumeration import enumerate_states
    from thermoc.simulator.threads import attended

    J, h = work.model.J[part][:, part].toarray().astype(float), work.model.h[part].astype(float)
    count = min(most, 1 << len(part))
    states, energies = np.zeros(count, np.int64), np.empty(count)
    halt = work.budget.halt
    attended(lambda: enumerate_states(J, h, states, energies, halt), halt)
    bits = (states[:, np.newaxis] >> np.arange(len(part))) & 1
    return (2 * bits - 1).astype(np.int8), energies


def _labels(model: IsingModel) -> IntArray:
    from scipy.sparse.csgraph import connected_components

    return connected_components(model.J, directed=False)[1]
