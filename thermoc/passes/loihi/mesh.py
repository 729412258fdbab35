"""Placement on meshes of cores: a greedy start, then exchanges that shorten the way of messages; deterministic.

Slots are (chip, row, column) of every core there is; ``slot`` of a placement is the index of each core's slot. traffic
is the matrix of messages from core to core in a tick.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# (SciPy has no types for sparse arrays)

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array

from thermoc.support.array_types import FloatArray, IntArray

WIDTH = 16
"""Columns of a chip's mesh of 8 by 16 cores, as press reports of 2021 have it."""
CROSSING = 32
"""A step from chip to chip counts like so many hops; our choice."""
ROUNDS, LEAST_GAIN = 4, 1e-9


def slots_of(cores: int, cores_per_chip: int, chips: int) -> IntArray:
    """Return the slots (chip, row, column) of as many chips as are needed, chip by chip, row by row."""
    used = min(chips, -(-cores // cores_per_chip)) if cores else 0
    chip, core = np.divmod(np.arange(used * cores_per_chip), cores_per_chip)
    return np.stack([chip, core // WIDTH, core % WIDTH], axis=1)


def distances(start: IntArray, end: IntArray) -> IntArray:
    """Return the hops from each of some slots (n, 3) to each of others (m, 3), (n, m)."""
    chip, row, column = np.abs(start[:, None] - end[None]).transpose(2, 0, 1)
    return CROSSING * chip + row + column


def message_hops(slot: IntArray, traffic: csr_array, slots: IntArray) -> float:
    """Return messages times hops."""
    source, target = traffic.nonzero()
    hops = np.abs(slots[slot[source]] - slots[slot[target]]) @ np.array([CROSSING, 1, 1])
    return float((traffic[source, target] * hops).sum()) if len(source) else 0.0


def greedy(traffic: csr_array, slots: IntArray) -> IntArray:
    """Place the core with most messages to those placed where that costs least; the first of equals."""
    both_ways = (traffic + traffic.T).tocsr()
    slot = np.full(both_ways.shape[0], -1)
    free = np.ones(len(slots), bool)
    # All messages of a core, weighted so lightly that they only break ties.
    pull, total = np.zeros(len(slot)), 1e-6 * both_ways.sum(axis=1)
    for _ in range(len(slot)):
        core = int(np.argmax(np.where(slot >= 0, -1.0, pull + total)))
        partners, messages = _row(both_ways, core)
        placed = slot[partners] >= 0
        cost = distances(slots, slots[slot[partners[placed]]]) @ messages[placed]
        chosen = int(np.argmin(np.where(free, cost, np.inf)))
        slot[core], free[chosen] = chosen, False
        pull[partners] += messages
    return slot


def exchanged(slot: IntArray, traffic: csr_array, slots: IntArray) -> IntArray:
    """Move cores to free slots, or swap two, as long as a round of moves shortens the way."""
    both_ways, slot = (traffic + traffic.T).tocsr(), slot.copy()
    for _ in range(ROUNDS):
        moved = False
        for core in range(len(slot)):
            gains = _gains(core, slot, both_ways, slots)
            target = int(np.argmax(gains))
            # A gain within rounding is none, or cores of equal cost would move in every round.
            if gains[target] > LEAST_GAIN:
                # Who had the slot gets the one that becomes free; in an empty slot nobody stands.
                slot[slot == target] = slot[core]
                slot[core], moved = target, True
        if not moved:
            break
    return slot


def _gains(core: int, slot: IntArray, both_ways: Any, slots: IntArray) -> FloatArray:
    """Return what the way is shortened by if a core goes to each slot, and who has that slot to its.

    With t messages and d hops a swap of a and b saves the sum over k of (t_ak - t_bk) (d_ak - d_bk), less 2 t_ab d_ab:
    the way between the two stays.
    """
    partners, messages = _row(both_ways, core)
    cost = distances(slots, slots[slot[partners]]) @ messages
    gains = cost[slot[core]] - cost
    hops = distances(slots[slot[core]][None], slots)[0]
    # An occupied slot means a swap: the core that has it moves too.
    gains[slot] += _costs(both_ways, slots[slot]) - both_ways @ hops[slot]
    gains[slot[partners]] -= 2 * messages * hops[slot[partners]]
    gains[slot[core]] = 0.0
    return gains


def _row(both_ways: Any, core: int) -> tuple[IntArray, FloatArray]:
    """Return a core's partners and the messages between them."""
    start, stop = both_ways.indptr[core : core + 2]
    partners: IntArray = both_ways.indices[start:stop]
    messages: FloatArray = both_ways.data[start:stop]
    return partners, messages


def _costs(both_ways: Any, positions: IntArray) -> FloatArray:
    """Return the way of each core's messages."""
    rows = np.repeat(np.arange(len(positions)), np.diff(both_ways.indptr))
    hops = np.abs(positions[rows] - positions[both_ways.indices]) @ np.array([CROSSING, 1, 1])
    return np.bincount(rows, both_ways.data * hops, minlength=len(positions)).astype(float)
