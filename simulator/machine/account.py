"""Who spent what: joules of events by component, by IR op, by core, and over time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from thermoc.simulator.cache import keep
from thermoc.simulator.chips import Chip
from thermoc.simulator.machine import event_kernel as kernel
from thermoc.simulator.machine.costs import COMPONENTS, Costs
from thermoc.simulator.machine.events import Events
from thermoc.simulator.machine.instructions import PICO, THERMAL
from thermoc.simulator.machine.program import ChipProgram

_bin = keep(njit(kernel.bin_joules, nogil=True))
NETWORK, SAMPLER = COMPONENTS.index("network"), COMPONENTS.index("sampler")


@dataclass(frozen=True, kw_only=True)
class Account:
    """joules: (served ops + 1, components), the last row what serves none; by_core: (served ops + 1, cores).

    Setup is kept apart: ``setup_joules`` (components,). Seconds: ``setup_seconds``, then ``seconds`` of all ticks.
    ``spans``: (turns, 2) ps, from the first start to the last end of each tick.
    """

    joules: NDArray[np.float64]
    by_core: NDArray[np.float64]
    setup_joules: NDArray[np.float64]
    setup_seconds: float
    seconds: float
    spans: NDArray[np.int64]

    def repeated(self, ticks: int, period: int) -> Account:
        """Return that of so many ticks like this one, of a batch, one every ``period`` ps.

        ``spans`` are then of samples, from the first start of each in its first tick to the last end in its last.
        """
        shift = (ticks - 1) * period
        return replace(
            self,
            joules=self.joules * ticks,
            by_core=self.by_core * ticks,
            seconds=self.seconds + shift / PICO,
            spans=self.spans + np.array([0, shift]),
        )


def event_joules(events: Events, program: ChipProgram, price: Costs, chip: Chip) -> NDArray[np.float64]:
    """Return joules of each event, (n,): the network's are spent on the links, all else where the instruction runs."""
    joules = price.total[events.row] - price.joules[events.row, NETWORK]
    link = events.place - chip.cores
    hop = np.where(link % 4 < 2, chip["network.hop_energy_x"], chip["network.hop_energy_y"])
    # exits to the cores are no hops: SEND pays for links between tiles alone
    hop = np.where(link < 4 * chip.tiles, hop, 0.0)
    return np.where(link < 0, joules, hop * price.flits[events.row])


def beginning(events: Events, program: ChipProgram) -> int:
    """Return when the first tick starts, in ps: what comes before is setup."""
    ticks = ~in_setup(program)[events.row]
    return int(events.start[ticks].min()) if ticks.any() else 0


def awake(program: ChipProgram, chip: Chip) -> NDArray[np.bool_]:
    """Return whose tile runs any instruction, (cores,)."""
    used = np.zeros(chip.cores, bool)
    used[program.cores] = True
    return np.repeat(used.reshape(chip.tiles, -1).any(axis=1), chip.whole("mesh.cores"))


def in_setup(program: ChipProgram) -> NDArray[np.bool_]:
    """Return which rows run once, (n,)."""
    first = program.starts[program.cores]
    return np.arange(len(program.code)) < first + program.setup[program.cores]


def account(events: Events, program: ChipProgram, price: Costs, chip: Chip) -> Account:
    """Return the sums over all events of a run."""
    cores = chip.cores
    runs = events.place < cores
    row, count = events.row[runs], len(program.code)
    setup = in_setup(program)
    times = np.bincount(row, minlength=count).astype(float)
    served = np.where(program.code[:, 1] < 0, len(program.ops), program.code[:, 1])
    joules, by_core = np.zeros((len(program.ops) + 1, len(COMPONENTS))), np.zeros((len(program.ops) + 1, cores))
    # by component from how often a row ran, which is exact; by place from the events
    spent = price.joules * times[:, None]
    np.add.at(joules, served[~setup], spent[~setup])
    event_energy = event_joules(events, program, price, chip)
    ticks = ~setup[events.row]
    spent_at = places(events.place, chip)
    # exits carry no joules, and their number names no tile
    local = ticks & (events.place < cores + 4 * chip.tiles)
    for core, weight in spent_at:
        np.add.at(by_core, (served[events.row[local]], core[local]), event_energy[local] * weight[local])
    spans = np.zeros((int(events.turn.max(initial=-1)) + 1, 2), np.int64)
    spans[:, 0] = np.iinfo(np.int64).max
    np.minimum.at(spans[:, 0], events.turn[ticks], events.start[ticks])
    np.maximum.at(spans[:, 1], events.turn[ticks], events.end[ticks])
    start = beginning(events, program)
    return Account(
        joules=joules,
        by_core=by_core,
        setup_joules=spent[setup].sum(axis=0),
        setup_seconds=start / PICO,
        seconds=(int(events.end[ticks].max(initial=start)) - start) / PICO,
        spans=spans,
    )


def places(place: NDArray[np.int32], chip: Chip) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Return the cores that an event's joules are spent at, with shares: a link's are spread over its tile's cores."""
    per, link = chip.whole("mesh.cores"), place - chip.cores
    tile = np.clip(link // 4, 0, chip.tiles - 1)
    on_link = link >= 0
    return [
        (np.where(on_link, tile * per + k, place).astype(np.int64), np.where(on_link, 1 / per, float(k == 0)))
        for k in range(per)
    ]


@dataclass(frozen=True, kw_only=True)
class Spending:
    """Joules and the cores where they are spent, evenly from ``begin`` to ``end`` ps: arrays (parts of events,)."""

    core: NDArray[np.int64]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    joules: NDArray[np.float64]

    def add(self, bins: NDArray[np.float64], slot: int, shifts: NDArray[np.int64]) -> None:
        """Add it to bins (slots, cores) of ``slot`` ps, so many ps later each time; the last bin takes all beyond."""
        # time after time, so that sums of ticks do not depend on how many are added at once
        _bin(self.core, self.begin, self.end, self.joules, slot, shifts, bins)

    def by_core(self, cores: int) -> NDArray[np.float64]:
        """Return the sums, (cores,)."""
        return np.bincount(self.core, self.joules, cores).astype(np.float64)


def spending(events: Events, program: ChipProgram, price: Costs, chip: Chip, *, start: int) -> Spending:
    """Return where and when joules are spent from ``start`` (ps) on, but for those of units."""
    cores = chip.cores
    later = (events.start >= start) & (events.place < cores + 4 * chip.tiles)
    row, location = events.row[later], events.place[later]
    event_energy = event_joules(events, program, price, chip)[later]
    # what units spend depends on their temperature: the electro-thermal loop computes it
    thermal = np.isin(program.code[row, 0], [int(op) for op in THERMAL]) & (location < cores)
    joules = np.where(thermal, event_energy - price.joules[row, SAMPLER], event_energy)
    at, shares = (np.array(component) for component in zip(*places(location, chip)))
    spent = joules * shares
    component, event = np.nonzero(spent)
    return Spending(
        core=at[component, event],
        begin=events.start[later][event] - start,
        end=events.end[later][event] - start,
        joules=spent[component, event],
    )


def power(
    events: Events, program: ChipProgram, price: Costs, chip: Chip, *, edges: NDArray[np.int64], start: int
) -> NDArray[np.float64]:
    """Return watts in each slot and core, (slots, cores), but for those of units.

    edges: (slots + 1,) ps from ``start``, all slots but the last of one length; events before the start are left out.
    """
    bins = np.zeros((len(edges) - 1, chip.cores))
    spent = spending(events, program, price, chip, start=start)
    spent.add(bins, int(edges[1] - edges[0]), np.zeros(1, np.int64))
    return bins / (np.diff(edges) / PICO)[:, None]
