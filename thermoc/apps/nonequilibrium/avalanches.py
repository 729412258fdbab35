"""Avalanches of spikes in arrays of VO2 neuristors that heat each other (Zhang et al., arXiv 2312.12899).

A neuristor spikes where its current rises through a threshold. Spikes of nodes side by side that follow each other
within a window of time belong to one avalanche; its size is the number of its spikes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from thermoc.physics.checks import positive
from thermoc.physics.power_laws import LEAST_TAIL, PowerLaw, power_law
from thermoc.simulator.devices import load
from thermoc.simulator.devices.lattice import lattice
from thermoc.support.array_types import FloatArray, IntArray
from thermoc.support.errors import error


@dataclass(frozen=True, kw_only=True)
class SpikeRecord:
    """Spikes of an array (rows, columns): times in s and nodes, row by row; ``sampled`` every so many seconds."""

    times: FloatArray
    nodes: IntArray
    shape: tuple[int, int]
    sampled: float


def neuristor_spikes(
    *,
    volts: float,
    coupling: float,
    shape: tuple[int, int] = (32, 32),
    duration: float = 200e-6,
    settle: float = 50e-6,
    threshold: float = 2e-3,
    seed: int = 0,
) -> SpikeRecord:
    """Return the spikes of an array of VO2 neuristors at ``volts``, from nodes at random voltages, with their noise.

    coupling: of ``lattice``, the share of the thermal conductance that leads to each neighbour. Times in s: ``settle``
    is left out of ``duration``; threshold in A. Sampled every 50 ns, in steps of 10 ns. Errors: those of ``lattice``.
    """
    if not 0 <= settle < duration:
        raise error("T405", "nothing is left after settling", notes=[f"settle {settle} s, duration {duration} s"])
    sampled = 50e-9
    t = np.arange(0.0, duration, sampled)
    start = np.random.default_rng(seed).uniform(0.0, 0.8 * volts, shape[0] * shape[1])
    options = {"shape": shape, "coupling": coupling, "dt": 10e-9, "node": start, "noise": True, "seed": seed}
    current = lattice(load("vo2"), volts, t, **options).current[t >= settle, 0]
    rises = (current[1:] >= threshold) & (current[:-1] < threshold)
    ticks, nodes = np.nonzero(rises)
    return SpikeRecord(times=np.asarray(sampled * ticks, np.float64), nodes=nodes, shape=shape, sampled=sampled)


def avalanche_sizes(spikes: SpikeRecord, window: float) -> IntArray:
    """Return the size of each avalanche; window: the time in s within which a neighbour's spike belongs to it.

    Errors: T405.
    """
    window = float(positive("window", window))
    order = np.lexsort((spikes.times, spikes.nodes))
    times, nodes = spikes.times[order], spikes.nodes[order]
    if not len(times):
        return np.zeros(0, np.int64)
    # one line for all nodes, each a stretch of its own that no window reaches beyond
    stretch = float(times.max()) + 4 * window
    index = nodes * stretch + times
    column, row = nodes % spikes.shape[1], nodes // spikes.shape[1]
    # half a sample more: times are whole numbers of samples, and their sums are rounded
    reach = window + spikes.sampled / 2
    pairs = [
        _within(index, inside, index[inside] + step * stretch, reach)
        for inside, step in (
            (np.flatnonzero(column < spikes.shape[1] - 1), 1),
            (np.flatnonzero(row < spikes.shape[0] - 1), spikes.shape[1]),
        )
    ]
    first, second = (np.concatenate(ends) for ends in zip(*pairs))
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(len(times),) * 2)
    return np.bincount(connected_components(graph, directed=False)[1])


def _within(place: FloatArray, inside: IntArray, targets: FloatArray, reach: float) -> tuple[IntArray, IntArray]:
    """Return pairs of spikes (a of ``inside``, b) whose places are within reach of a's target."""
    low, high = np.searchsorted(place, targets - reach), np.searchsorted(place, targets + reach)
    count = high - low
    first = np.repeat(inside, count)
    offset = np.arange(len(first)) - np.repeat(np.cumsum(count) - count, count)
    return first, np.repeat(low, count) + offset


@dataclass(frozen=True, kw_only=True)
class Avalanches:
    """Sizes of avalanches, and the power law that fits best below half the array's nodes.

    spanning: share of all spikes that lie in avalanches of half the array's nodes or more. fit: None where fewer than
    50 avalanches are smaller.
    """

    sizes: IntArray
    spanning: float
    fit: PowerLaw | None


def avalanches(runs: Sequence[SpikeRecord], window: float, *, repeats: int = 100) -> Avalanches:
    """Return the sizes of avalanches of one or several runs and their power law; window as of ``avalanche_sizes``.

    Errors: T405.
    """
    if not runs:
        raise error("T405", "avalanches need the spikes of a run at least")
    sizes = np.concatenate([avalanche_sizes(spikes, window) for spikes in runs])
    half = runs[0].shape[0] * runs[0].shape[1] // 2
    below = sizes[sizes < half]
    fit = power_law(below, most=half - 1, repeats=repeats) if len(below) >= LEAST_TAIL else None
    return Avalanches(sizes=sizes, spanning=float(sizes[sizes >= half].sum() / max(1, sizes.sum())), fit=fit)
