"""Where on the mesh each group lies: short ways, and cool places for what samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.chip.capacities import ChipShape
from thermoc.backends.chip.partition import Partition
from thermoc.backends.chip.work import Work
from thermoc.support.errors import error

SWEEPS = 12
WIRE_SHARE = 0.1
"""All wires of the first placement count as much as an error of 0.1 K squared, so that temperature goes first."""
MARGIN = 2.0
"""Places are sought so many kelvins below the reference: mean powers are estimates."""
ROUNDS = 2
MOVES = 5_000


@dataclass(frozen=True, kw_only=True)
class Warmth:
    """What thermal placement goes by: temperatures are ambient + influence @ power.

    influence: (cores, cores) K/W of a place for power at a place. power: (groups,) W. sampling: (groups,) p-bits of
    each. reference: K that sampling is calibrated at; heaters hold places that are colder, nothing cools those hotter.
    """

    influence: NDArray[np.float64]
    ambient: float
    power: NDArray[np.float64]
    sampling: NDArray[np.int64]
    reference: float


@dataclass(frozen=True, kw_only=True)
class Placement:
    """The core of each group, and the sum over messages of bytes times hops a tick."""

    core: NDArray[np.int64]
    wire: int


def traffic(work: Work, partition: Partition) -> NDArray[np.float64]:
    """Return bytes a tick between groups, (groups, groups), symmetric."""
    found = np.zeros((partition.groups, partition.groups))
    for edge in work.edges:
        a, b = partition.group[edge.source], partition.group[edge.target]
        if a != b:
            found[a, b] += edge.traffic
            found[b, a] += edge.traffic
    return found


def place(work: Work, partition: Partition, chip: ChipShape, warmth: Warmth | None = None) -> Placement:
    """Return cores for the groups: wires first; with ``warmth``, least temperature error of the sampled units.

    Groups are laid along a snake through the tiles, then swapped while that shortens the wires. With warmth, those that
    sample go where it is cool, and swaps (of a fixed seed) follow that make it better still. No tile's buffer is to
    hold more than it can. Errors: T306 where there is no tile for a group's messages.
    """
    links, held = traffic(work, partition), partition.bytes
    core = _shortened(_laid(held, chip), links, held, chip)
    if warmth is not None and warmth.sampling.any():
        core = _cooled(core, links, held, chip, warmth)
    return Placement(core=core, wire=_wire(core, links, chip))


def _wire(core: NDArray[np.int64], links: NDArray[np.float64], chip: ChipShape) -> int:
    return int((links * chip.hops[np.ix_(core, core)]).sum() / 2)


def _snake(chip: ChipShape) -> NDArray[np.int64]:
    """Return the cores row by row, every other row backwards."""
    tiles = np.arange(chip.columns * chip.rows).reshape(chip.rows, chip.columns)
    tiles[1::2] = tiles[1::2, ::-1]
    return (tiles.reshape(-1, 1) * chip.cores_a_tile + np.arange(chip.cores_a_tile)).reshape(-1)


def _laid(held: NDArray[np.int64], chip: ChipShape) -> NDArray[np.int64]:
    """Return for each group the first free core along the snake whose tile has room for what the group holds."""
    snake = _snake(chip)
    tile, free = snake // chip.cores_a_tile, np.ones(len(snake), bool)
    room, core = np.full(chip.columns * chip.rows, chip.buffer), np.empty(len(held), np.int64)
    for group, size in enumerate(held.tolist()):
        fits = np.flatnonzero(free & (room[tile] >= size))
        if not len(fits):
            most = int(room[tile[free]].max())
            notes = [f"a core is to hold {size} bytes of messages", f"tiles with a free core have room for {most}"]
            notes.append(f"messages take {held.sum()} bytes, a tile's buffer holds {chip.buffer}")
            raise error("T306", f"the network does not fit chip {chip.name!r}", notes=notes)
        core[group] = snake[fits[0]]
        free[fits[0]], room[tile[fits[0]]] = False, room[tile[fits[0]]] - size
    return core


def _roomy(one: int, core: NDArray, at: NDArray, held: NDArray, chip: ChipShape) -> NDArray[np.bool_]:
    """Return with which cores a group can trade places so that what both tiles' buffers hold still fits, (cores,)."""
    tile = np.arange(chip.cores) // chip.cores_a_tile
    full = np.bincount(tile[core], held, minlength=chip.columns * chip.rows)
    here = int(tile[core[one]])
    gain = held[one] - np.where(at >= 0, held[at], 0)
    return (tile == here) | ((full[tile] + gain <= chip.buffer) & (full[here] - gain <= chip.buffer))


def _shortened(
    core: NDArray[np.int64], links: NDArray[np.float64], held: NDArray[np.int64], chip: ChipShape
) -> NDArray[np.int64]:
    """Move each group to the free core, or swap it with the group, that shortens the wires most, until none does."""
    at = np.full(chip.cores, -1)
    at[core] = np.arange(len(core))
    for _ in range(SWEEPS):
        moved = False
        for one in range(len(core)):
            gain = np.where(_roomy(one, core, at, held, chip), _gains(one, core, at, links, chip), 0.0)
            best = int(gain.argmax())
            if gain[best] > 1e-9:
                _swap(core, at, int(core[one]), best)
                moved = True
        if not moved:
            break
    return core


def _gains(one: int, core: NDArray, at: NDArray, links: NDArray, chip: ChipShape) -> NDArray[np.float64]:
    """Return by how much the wires shorten where a group trades places with each core."""
    hops, here = chip.hops[:, core].astype(float), int(core[one])
    mine = links[one] @ hops.T  # cost of the group at each core
    before = float(mine[here])
    gain = before - mine
    held = np.flatnonzero(at >= 0)
    others = at[held]
    theirs_now = (links[others] * hops[held]).sum(axis=1)
    theirs_then = links[others] @ hops[here]
    gain[held] += theirs_now - theirs_then - 2 * links[others, one] * chip.hops[here, held]
    gain[here] = 0.0
    return gain


def _swap(core: NDArray, at: NDArray, here: int, there: int) -> None:
    one, other = at[here], at[there]
    at[here], at[there] = other, one
    if one >= 0:
        core[one] = there
    if other >= 0:
        core[other] = here


def _cooled(core: NDArray, links: NDArray, held: NDArray, chip: ChipShape, warmth: Warmth) -> NDArray[np.int64]:
    """Move what samples wherever that is better, then swap at random what is better swapped.

    Better is a lower mean square of sampled units' kelvins above the reference, wires being the smaller part.
    """
    rng = np.random.default_rng(0)
    state = _Cooling(core.copy(), links, held, chip, warmth, WIRE_SHARE / max(1, _wire(core, links, chip)))
    for _ in range(ROUNDS):
        for one in np.flatnonzero(warmth.sampling):
            for there in range(chip.cores):
                state.attempt(int(one), there)
    for _ in range(MOVES):
        state.attempt(int(rng.integers(len(core))), int(rng.integers(chip.cores)))
    return state.core


class _Cooling:
    """A placement that is being changed, its temperatures and its cost."""

    def __init__(self, core: NDArray, links: NDArray, held: NDArray, chip: ChipShape, warmth: Warmth, scale: float):
        self.core, self.links, self.held, self.chip, self.warmth, self.scale = core, links, held, chip, warmth, scale
        self.at = np.full(chip.cores, -1)
        self.at[core] = np.arange(len(core))
        self.T = warmth.ambient + warmth.influence[:, core] @ warmth.power
        self.wire = float(_wire(core, links, chip))
        self.cost = self.total(self.T, self.wire)

    def total(self, T: NDArray, wire: float) -> float:
        """Mean square error in K^2, and the wires."""
        above = np.maximum(0.0, T[self.core] - self.warmth.reference + MARGIN)
        weight = self.warmth.sampling / self.warmth.sampling.sum()
        return float((weight * above**2).sum() + self.scale * wire)

    def attempt(self, one: int, there: int) -> None:
        """Trade a group's place with a core where that is better."""
        here = int(self.core[one])
        if here == there or not _roomy(one, self.core, self.at, self.held, self.chip)[there]:
            return
        gain = float(_gains(one, self.core, self.at, self.links, self.chip)[there])
        other = self.at[there]
        power = self.warmth.power
        shift = power[one] - (power[other] if other >= 0 else 0.0)
        T = self.T + (self.warmth.influence[:, there] - self.warmth.influence[:, here]) * shift
        _swap(self.core, self.at, here, there)
        cost = self.total(T, self.wire - gain)
        if cost < self.cost:
            self.T, self.wire, self.cost = T, self.wire - gain, cost
        else:
            _swap(self.core, self.at, there, here)
