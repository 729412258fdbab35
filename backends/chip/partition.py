"""Which tasks share a core: arrays, p-bits and buffers are filled in order, near what feeds them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.chip.capacities import Capacities
from thermoc.backends.chip.work_types import THERMAL, ChipTask, ChipWork, TaskKind
from thermoc.ir.graph import Graph
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Log
from thermoc.support.errors import ThermocError, error


@dataclass(frozen=True, kw_only=True)
class CoreGroups:
    """The group of each task; a group is what one core does. matrices, samplers, bytes: what each group needs."""

    group: NDArray[np.int64]
    matrices: NDArray[np.int64]
    samplers: NDArray[np.int64]
    bytes: NDArray[np.int64]

    @property
    def groups(self) -> int:
        """Number of groups."""
        return len(self.matrices)

    def __str__(self) -> str:
        lines = [f"{self.groups} groups of tasks, a core each"]
        for k in range(self.groups):
            needs = f"{self.matrices[k]} matrices, {self.samplers[k]} p-bits, {self.bytes[k]} bytes of messages"
            lines.append(f"  {k}: tasks {', '.join(map(str, np.flatnonzero(self.group == k)))}; {needs}")
        return "\n".join(lines) + "\n"


@dataclass(frozen=True, kw_only=True)
class PartitionWork(Pass):
    """Put tasks that fit a core together into groups; the graph stays. Errors: T306.

    apart: units share their core with no arrays, whose heat would be theirs.
    """

    name: ClassVar[str] = "partition"

    chip: Capacities = field(repr=False)
    apart: bool

    def run(self, graph: Graph, log: Log) -> Graph:
        log.keep(partition(log.needed(ChipWork), self.chip, apart=self.apart))
        return graph


def partition(work: ChipWork, chip: Capacities, *, apart: bool = False) -> CoreGroups:
    """Return groups that fit a core each. Errors: T306, how much was asked of how much, whose limit.

    P-bits of one op alone share a core, so that its heaters hold one temperature. apart: they share it with no arrays,
    whose heat would be theirs.
    """
    _check_chip(work, chip)
    filler = _Filler(work, chip, apart)
    for number, task in enumerate(work.tasks):
        filler.put(number, task)
    group = filler.settled()
    groups = CoreGroups(
        group=group,
        matrices=np.array([one.matrices for one in filler.groups], np.int64),
        samplers=np.array([one.samplers for one in filler.groups], np.int64),
        bytes=_message_bytes(work, group, len(filler.groups)),
    )
    _check_cores(groups, chip)
    return groups


@dataclass
class _Group:
    matrices: int = 0
    samplers: int = 0
    site: int = -1


class _Filler:
    def __init__(self, work: ChipWork, chip: Capacities, apart: bool):
        self.work, self.chip, self.apart = work, chip, apart
        self.groups: list[_Group] = []
        self.of: dict[int, int] = {}
        self.neighbours: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for sent in work.transfers:
            self.neighbours[sent.target].append((sent.traffic, sent.source))
            self.neighbours[sent.source].append((sent.traffic, sent.target))

    def put(self, number: int, task: ChipTask) -> None:
        """Choose the first group that fits: where most comes from or goes to, then any, then a new one."""
        if task.kind in (TaskKind.load, TaskKind.store) and not self.near(number):
            return  # later, beside what reads it
        likely = [g for g in self.near(number) if self.fits(self.groups[g], task)]
        scarce = task.kind in (TaskKind.product, *THERMAL)
        # Arrays and p-bits are what cores run out of: a group with some to spare comes before a new core.
        if not likely and scarce:
            likely = [g for g in range(len(self.groups))[::-1] if self.fits(self.groups[g], task)][:1]
        # Arithmetic fits everywhere: without a neighbour it goes where work was put last.
        if not likely and not scarce and self.groups:
            likely = [len(self.groups) - 1]
        if not likely:
            self.groups.append(_Group())
            likely = [len(self.groups) - 1]
        self.take(likely[0], number, task)

    def near(self, number: int) -> list[int]:
        """Return the groups that a task exchanges bytes with, most bytes first."""
        traffic: dict[int, int] = defaultdict(int)
        for size, neighbour in self.neighbours[number]:
            if neighbour in self.of:
                traffic[self.of[neighbour]] += size
        # Ties go to the older group, so that the same network gives the same groups.
        return sorted(traffic, key=lambda g: (-traffic[g], g))

    def fits(self, group: _Group, task: ChipTask) -> bool:
        """True where a group can take a task."""
        if task.kind is TaskKind.product:
            return group.matrices < self.chip.matrices and not (self.apart and group.site >= 0)
        if task.kind in THERMAL:
            alone = group.matrices == 0 or not self.apart
            return alone and group.site in (-1, task.op) and group.samplers + task.size <= self.chip.samplers
        return True

    def take(self, number: int, task_number: int, task: ChipTask) -> None:
        """Let a task be in a group."""
        group = self.groups[number]
        group.matrices += task.kind is TaskKind.product
        if task.kind in THERMAL:
            group.samplers, group.site = group.samplers + task.size, task.op
        self.of[task_number] = number

    def settled(self) -> NDArray[np.int64]:
        """Return each task's group, after what waited for its readers has been put too."""
        for number, task in enumerate(self.work.tasks):
            if number not in self.of:
                near = self.near(number)
                if not near and not self.groups:
                    self.groups.append(_Group())
                self.take(near[0] if near else 0, number, task)
        return np.array([self.of[number] for number in range(len(self.work.tasks))], np.int64)


def _message_bytes(work: ChipWork, group: NDArray[np.int64], groups: int) -> NDArray[np.int64]:
    """Return what may lie in a tile's buffer at once for each group: two of every message that comes.

    Two, because a channel lets one message come while the one before it is read.
    """
    size = np.zeros(groups, np.int64)
    for sent in work.transfers:
        if group[sent.source] != group[sent.target]:
            size[group[sent.target]] += 2 * max(1, sent.bytes)
    return size


def needs(work: ChipWork, chip: Capacities) -> dict[str, tuple[int, int]]:
    """Return what a network needs of the chip as (used, limit)."""
    products = sum(task.kind is TaskKind.product for task in work.tasks)
    units = sum(task.size for task in work.tasks if task.kind in THERMAL)
    return {
        "arrays": (products * chip.arrays, chip.cores * chip.matrices * chip.arrays),
        "p-bits": (units, chip.cores * chip.samplers),
    }


def _check_chip(work: ChipWork, chip: Capacities) -> None:
    """Refuse a network that needs more than the cores of the chip hold in all. Errors: T306."""
    for what, (used, limit) in needs(work, chip).items():
        if used > limit:
            raise _too_many(work, chip, what, used, limit)


def _too_many(work: ChipWork, chip: Capacities, what: str, used: int, limit: int) -> ThermocError:
    kinds = (TaskKind.product,) if what == "arrays" else THERMAL
    count: dict[int, int] = defaultdict(int)
    for task in work.tasks:
        if task.kind in kinds:
            count[task.op] += chip.arrays if what == "arrays" else task.size
    worst = max(count, key=lambda op: count[op])
    notes = [f"it takes {used} {what}", f"{chip.name} has {limit}", *chip.source(what)]
    notes.append(f"the most, {count[worst]}, are for {work.ops[worst]!r}")
    hint = "a chip file of your own can be larger"
    return error("T306", f"the network does not fit chip {chip.name!r}", notes=notes, hint=hint)


def _check_cores(groups: CoreGroups, chip: Capacities) -> None:
    """Refuse more groups than cores, and a group whose messages no tile's buffer holds. Errors: T306."""
    if groups.groups > chip.cores:
        notes = [f"it takes {groups.groups} cores", f"{chip.name} has {chip.cores}", *chip.source("cores")]
        hint = "arrays and p-bits are not shared between parts that do not fit together"
        raise error("T306", f"the network does not fit chip {chip.name!r}", notes=notes, hint=hint)
    full = int(groups.bytes.argmax()) if groups.groups else 0
    if groups.groups and groups.bytes[full] > chip.buffer:
        notes = [f"a core is to hold {groups.bytes[full]} bytes of messages", f"its tile's buffer holds {chip.buffer}"]
        notes += chip.source("buffer")
        raise error("T306", f"the network does not fit chip {chip.name!r}", notes=notes)
