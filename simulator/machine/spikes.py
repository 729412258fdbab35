"""What a spiking network costs on a chip that is stated by the energy and time of its events, as Loihi is.

Units are visited every step, updated where there is something to update, and fire; a firing sends one packet to each
core that it reaches, whose synapses to local units are then read one by one. A packet's hops go along x, then y.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from thermoc.simulator.chips import Chip
from thermoc.support.errors import error

KINDS = ("dense", "sparse", "conv")


@dataclass(frozen=True, kw_only=True)
class Placed:
    """Units on cores and the synapses between them.

    core: (n,) the core of each unit; -1 for one of the host's, whose messages arrive and cost nothing to send.
    synapses: kind ("dense", "sparse", "conv") to a matrix (n targets, n sources) of how many there are.
    """

    core: NDArray[np.int64]
    synapses: Mapping[str, sparse.csc_array]


@dataclass(frozen=True, kw_only=True)
class SpikingCosts:
    """Counts of events, joules by component, joules by core (cores,), and seconds of each step (steps,).

    A step takes as long as its busiest core, whose units and arriving synapses are served one after another, and the
    barrier; waiting for links is left out, so it is a lower bound.
    """

    updates: int
    firings: int
    packets: int
    synaptic_events: int
    joules: Mapping[str, float]
    core_joules: NDArray[np.float64]
    step_seconds: NDArray[np.float64]


def spiking_costs(placed: Placed, chip: Chip, *, spikes: NDArray, potential: NDArray, bias: NDArray) -> SpikingCosts:
    """Return what a run costs.

    spikes: (steps, n), which units fired. potential: (steps, n), what each held when the step began; bias: (n,). A unit
    is updated where its potential or bias is not zero, or a spike has come from the step before.
    Errors: T305 for a chip of another kind, T306 for more units on a core than it holds.
    """
    return SpikingPrices(placed, chip).of(spikes=spikes, potential=potential, bias=bias)


class SpikingPrices:
    """What the events of a placed network cost on a chip, for as many runs as are asked. Errors: T305, T306."""

    def __init__(self, placed: Placed, chip: Chip):
        _check(placed, chip)
        self._placed, self._chip, self._reach = placed, chip, _Reach(placed, chip)
        self._own = np.flatnonzero(placed.core >= 0)
        shape = (chip.cores, len(placed.core))
        self._core_of = sparse.csr_array((np.ones(len(self._own)), (placed.core[self._own], self._own)), shape)

    def of(self, *, spikes: NDArray, potential: NDArray, bias: NDArray) -> SpikingCosts:
        """Return what a run costs; arguments as of ``spiking_costs``."""
        placed, chip, reach = self._placed, self._chip, self._reach
        fired = np.asarray(spikes) != 0
        arrived = _arrivals(placed, fired)
        # a unit that fires is updated too, even where its potential shows nothing before or after
        updated = (potential != 0) | arrived | (bias != 0) | fired
        energy, seconds = _by_core(chip, self._core_of, reach, fired, updated)
        firings = fired[:, self._own].sum(axis=0)
        return SpikingCosts(
            updates=int(updated[:, self._own].sum()),
            firings=int(firings.sum()),
            packets=int((reach.packets[self._own] * firings).sum()),
            synaptic_events=int(
                sum((events.sum(axis=0) * fired.sum(axis=0)).sum() for events in reach.events.values())
            ),
            joules={name: float(values.sum()) for name, values in energy.items()},
            core_joules=np.sum(list(energy.values()), axis=0),
            step_seconds=seconds.max(axis=1) + _barrier(placed, chip),
        )


class _Reach:
    """Per source: packets, hops along x and y; events of each kind by core (cores, n)."""

    def __init__(self, placed: Placed, chip: Chip):
        n, per, wide = len(placed.core), chip.whole("mesh.cores"), chip.whole("mesh.rows")
        self.events: dict[str, sparse.csr_array] = {}
        touched = sparse.csr_array((chip.cores, n))
        for kind, matrix in placed.synapses.items():
            entries = sparse.coo_array(matrix)
            target, source = placed.core[entries.row], entries.col
            self.events[kind] = sparse.csr_array((entries.data, (target, source)), (chip.cores, n))
            # several synapses of one source on a core are as many events, yet one packet: packets count pairs
            self.events[kind].sum_duplicates()
            touched = touched + self.events[kind]
        pairs = sparse.coo_array(touched)
        source_tile, target_tile = (
            placed.core[pairs.col] // per,
            pairs.row // per,
        )  # tiles are numbered down the columns
        # what the host sends comes in where it is read: how far it travels is the board's
        host = placed.core[pairs.col] < 0
        dx, dy = np.abs(source_tile // wide - target_tile // wide), np.abs(source_tile % wide - target_tile % wide)
        dx, dy = np.where(host, 0, dx), np.where(host, 0, dy)
        self.packets = np.bincount(pairs.col, minlength=n)
        joules = (
            dx * chip["network.hop_energy_x"] + dy * chip["network.hop_energy_y"] + chip["network.message_in_energy"]
        )
        self.arriving = sparse.csr_array((np.ones(pairs.nnz), (pairs.row, pairs.col)), (chip.cores, n))
        self.hop_joules = sparse.csr_array((joules, (pairs.row, pairs.col)), (chip.cores, n))


def _by_core(chip: Chip, core_of, reach: _Reach, fired: NDArray, updated: NDArray):
    """Return joules by component and core, and seconds by step and core."""
    f, u, units = fired.astype(float), updated.astype(float), np.asarray(core_of.sum(axis=1))
    fires, moves = core_of @ f.T, core_of @ u.T  # (cores, steps)
    sends = core_of @ (f * reach.packets).T
    energy = {
        "synapse": sum(
            (chip[f"synapse.{kind}_energy"] * (m @ f.sum(axis=0)) for kind, m in reach.events.items()),
            np.zeros(chip.cores),
        ),
        "soma": len(fired) * units * chip["soma.access_energy"]
        + moves.sum(axis=1) * chip["soma.update_energy"]
        + fires.sum(axis=1) * chip["soma.spike_energy"],
        "network": sends.sum(axis=1) * chip["network.message_out_energy"] + reach.hop_joules @ f.sum(axis=0),
    }
    seconds = (
        units[:, None] * chip["soma.access_time"]
        + moves * chip["soma.update_time"]
        + fires * chip["soma.spike_time"]
        + sends * chip["network.message_out_time"]
    )
    reading = (reach.arriving @ f.T) * chip["network.message_in_time"]
    reading = reading + sum(chip[f"synapse.{kind}_time"] * (m @ f.T) for kind, m in reach.events.items())
    return energy, np.maximum(seconds, reading).T


def _arrivals(placed: Placed, fired: NDArray) -> NDArray[np.bool_]:
    """Return (steps, n): where a spike of the step before arrives."""
    before = np.concatenate([np.zeros_like(fired[:1]), fired[:-1]]).astype(np.float32)
    arrivals = np.zeros(fired.shape, bool)
    for matrix in placed.synapses.values():
        ones = matrix.copy().astype(np.float32)
        # ones in place of weights: arrivals whose weights cancel are arrivals all the same
        ones.data[:] = 1
        arrivals |= (ones @ before.T).T > 0
    return arrivals


def _barrier(placed: Placed, chip: Chip) -> float:
    """Seconds in which the tiles in use agree that a step is over: the table's last entry not above their number."""
    cores = placed.core[placed.core >= 0]
    used, tiles = len(np.unique(cores // chip.whole("mesh.cores"))), chip.quantities.array("barrier.tiles")
    return float(chip.quantities.array("barrier.time")[max(0, np.searchsorted(tiles, used, side="right") - 1)])


def _check(placed: Placed, chip: Chip) -> None:
    if chip.kind != "spiking":
        raise error("T305", f"chip {chip.name!r} is not stated by spiking events", notes=[f"it is a {chip.kind} chip"])
    population = np.bincount(placed.core[placed.core >= 0], minlength=chip.cores)
    if len(population) > chip.cores or population.max() > chip["core.units"]:
        worst = int(population.argmax())
        limit = chip.quantities.quantity("core.units")
        notes = [f"core {worst} of {chip.cores} is to hold {population[worst]} units"]
        notes += [f"a core holds {limit.written} ({limit.source})"]
        raise error("T306", f"the units do not fit chip {chip.name!r}", notes=notes)
