"""Where on the mesh each group of tasks lies, so that wires are short."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.chip.capacities import Capacities
from thermoc.backends.chip.partition import CoreGroups
from thermoc.backends.chip.work_types import ChipWork
from thermoc.ir.graph import Graph
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Log
from thermoc.support.errors import error

SWEEPS = 12
"""Rounds over all groups at most; a few are enough for most networks."""


@dataclass(frozen=True, kw_only=True)
class CorePlacement:
    """The core of each group, and the sum over messages of bytes times hops a tick."""

    core: NDArray[np.int64]
    wire: int

    def __str__(self) -> str:
        lines = [f"  group {group} on core {core}" for group, core in enumerate(self.core)]
        return "\n".join([f"wires: {self.wire} byte hops a tick", *lines]) + "\n"


@dataclass(frozen=True, kw_only=True)
class PlaceGroups(Pass):
    """Choose a core for every group of tasks so that wires are short; the graph stays. Errors: T306."""

    name: ClassVar[str] = "place"

    chip: Capacities = field(repr=False)

    def run(self, graph: Graph, log: Log) -> Graph:
        log.keep(place(log.needed(ChipWork), log.needed(CoreGroups), self.chip))
        return graph


def traffic(work: ChipWork, groups: CoreGroups) -> NDArray[np.float64]:
    """Return bytes a tick between groups, (groups, groups), symmetric."""
    between = np.zeros((groups.groups, groups.groups))
    for sent in work.transfers:
        a, b = groups.group[sent.source], groups.group[sent.target]
        if a != b:
            between[a, b] += sent.traffic
            between[b, a] += sent.traffic
    return between


def place(work: ChipWork, groups: CoreGroups, chip: Capacities) -> CorePlacement:
    """Return cores for the groups that keep wires short.

    Groups are laid along a snake through the tiles, then swapped while that shortens the wires. No tile's buffer is to
    hold more than it can. Errors: T306 where there is no tile for a group's messages.
    """
    mesh = MeshPlacement(core=_laid(groups.bytes, chip), links=traffic(work, groups), bytes=groups.bytes, chip=chip)
    _shorten(mesh)
    return CorePlacement(core=mesh.core, wire=mesh.wire())


class MeshPlacement:
    """A placement that is being changed: the core of each group, and the group at each core (-1 for none)."""

    def __init__(self, *, core: NDArray, links: NDArray, bytes: NDArray, chip: Capacities):
        self.core, self.links, self.bytes, self.chip = core, links, bytes, chip
        self.at = np.full(chip.cores, -1)
        self.at[core] = np.arange(len(core))

    def wire(self) -> int:
        """Return the sum over messages of bytes times hops a tick."""
        return int((self.links * self.chip.hops[np.ix_(self.core, self.core)]).sum() / 2)

    def swap(self, here: int, there: int) -> None:
        """Let what lies on two cores trade places."""
        one, two = self.at[here], self.at[there]
        self.at[here], self.at[there] = two, one
        if one >= 0:
            self.core[one] = there
        if two >= 0:
            self.core[two] = here

    def fits(self, group: int) -> NDArray[np.bool_]:
        """Return with which cores a group can trade places so that both tiles' buffers still hold all, (cores,)."""
        chip, size = self.chip, self.bytes
        tile = np.arange(chip.cores) // chip.cores_a_tile
        full = np.bincount(tile[self.core], size, minlength=chip.columns * chip.rows)
        home = int(tile[self.core[group]])
        gain = size[group] - np.where(self.at >= 0, size[self.at], 0)
        # Within a tile a trade changes no buffer.
        return (tile == home) | ((full[tile] + gain <= chip.buffer) & (full[home] - gain <= chip.buffer))

    def gains(self, group: int) -> NDArray[np.float64]:
        """Return by how much the wires shorten where a group trades places with each core."""
        hops, home = self.chip.hops[:, self.core].astype(float), int(self.core[group])
        cost = self.links[group] @ hops.T  # of the group's own messages, at each core
        gain = float(cost[home]) - cost
        taken_cores = np.flatnonzero(self.at >= 0)
        groups = self.at[taken_cores]
        before = (self.links[groups] * hops[taken_cores]).sum(axis=1)
        after = self.links[groups] @ hops[home]
        # The two groups' own messages are counted with the partner still in its old place: twice that is put right.
        gain[taken_cores] += before - after - 2 * self.links[groups, group] * self.chip.hops[home, taken_cores]
        gain[home] = 0.0
        return gain


def _snake(chip: Capacities) -> NDArray[np.int64]:
    """Return the cores row by row, every other row backwards."""
    tiles = np.arange(chip.columns * chip.rows).reshape(chip.rows, chip.columns)
    # Backwards in every other row: groups in succession stay on neighbouring tiles where a row ends.
    tiles[1::2] = tiles[1::2, ::-1]
    return (tiles.reshape(-1, 1) * chip.cores_a_tile + np.arange(chip.cores_a_tile)).reshape(-1)


def _laid(sizes: NDArray[np.int64], chip: Capacities) -> NDArray[np.int64]:
    """Return for each group the first free core along the snake whose tile's buffer fits the group's messages."""
    snake = _snake(chip)
    tile, free = snake // chip.cores_a_tile, np.ones(len(snake), bool)
    space, core = np.full(chip.columns * chip.rows, chip.buffer), np.empty(len(sizes), np.int64)
    for group, size in enumerate(sizes.tolist()):
        fits = np.flatnonzero(free & (space[tile] >= size))
        if not len(fits):
            largest = int(space[tile[free]].max())
            notes = [
                f"a core is to hold {size} bytes of messages",
                f"tiles with a free core have room for {largest}",
            ]
            notes.append(f"messages take {sizes.sum()} bytes, a tile's buffer holds {chip.buffer}")
            raise error("T306", f"the network does not fit chip {chip.name!r}", notes=notes)
        core[group] = snake[fits[0]]
        free[fits[0]], space[tile[fits[0]]] = False, space[tile[fits[0]]] - size
    return core


def _shorten(mesh: MeshPlacement) -> None:
    """Move each group to the free core, or swap it with the group, that shortens the wires most, until none does."""
    for _ in range(SWEEPS):
        moved = False
        for group in range(len(mesh.core)):
            gain = np.where(mesh.fits(group), mesh.gains(group), 0.0)
            best = int(gain.argmax())
            if gain[best] > 1e-9:  # more than what rounding makes of a swap that changes nothing
                mesh.swap(int(mesh.core[group]), best)
                moved = True
        if not moved:
            break
