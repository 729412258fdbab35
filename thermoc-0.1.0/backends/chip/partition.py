"""Which parts share a core: arrays, p-bits and buffers are filled in order, near what feeds them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.chip.capacities import ChipShape
from thermoc.backends.chip.work import Kind, Part, Work
from thermoc.support.errors import error


@dataclass(frozen=True, kw_only=True)
class Partition:
    """The group of each part; a group is what one core does. matrices, samplers, bytes: what each group needs."""

    group: NDArray[np.int64]
    matrices: NDArray[np.int64]
    samplers: NDArray[np.int64]
    bytes: NDArray[np.int64]

    @property
    def groups(self) -> int:
        """Number of groups."""
        return len(self.matrices)


def partition(work: Work, chip: ChipShape, *, apart: bool = False) -> Partition:
    """Return groups that fit a core each. Errors: T306, how much was asked of how much, whose limit.

    P-bits of one op alone share a core, so that its heaters hold one temperature. apart: they share it with no arrays,
    whose heat would be theirs.
    """
    _whole(work, chip)
    filler = _Filler(work, chip, apart)
    for number, part in enumerate(work.parts):
        filler.put(number, part)
    group = filler.settled()
    found = Partition(
        group=group,
        matrices=np.array([one.matrices for one in filler.groups], np.int64),
        samplers=np.array([one.samplers for one in filler.groups], np.int64),
        bytes=_bytes(work, group, len(filler.groups)),
    )
    _check(found, chip)
    return found


@dataclass
class _Group:
    matrices: int = 0
    samplers: int = 0
    site: int = -1


class _Filler:
    def __init__(self, work: Work, chip: ChipShape, apart: bool):
        self.work, self.chip, self.apart = work, chip, apart
        self.groups: list[_Group] = []
        self.of: dict[int, int] = {}
        self.into: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self.out: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for edge in work.edges:
            self.into[edge.target].append((edge.traffic, edge.source))
            self.out[edge.source].append((edge.traffic, edge.target))

    def put(self, number: int, part: Part) -> None:
        """Choose the first group with room: where most comes from or goes to, then any, then a new one."""
        if part.kind in (Kind.load, Kind.store) and not self.near(number):
            return  # later, beside what reads it
        likely = [g for g in self.near(number) if self.room(self.groups[g], part)]
        needs = part.kind in (Kind.product, Kind.sample, Kind.step)
        if not likely and needs:
            likely = [g for g in range(len(self.groups))[::-1] if self.room(self.groups[g], part)][:1]
        if not likely and not needs and self.groups:
            likely = [len(self.groups) - 1]
        if not likely:
            self.groups.append(_Group())
            likely = [len(self.groups) - 1]
        self.take(likely[0], number, part)

    def near(self, number: int) -> list[int]:
        """Return the groups that a part talks to, the most talked to first."""
        talk: dict[int, int] = defaultdict(int)
        for size, other in (*self.into[number], *self.out[number]):
            if other in self.of:
                talk[self.of[other]] += size
        return sorted(talk, key=lambda g: (-talk[g], g))

    def room(self, group: _Group, part: Part) -> bool:
        """True where a group can take a part."""
        if part.kind is Kind.product:
            return group.matrices < self.chip.matrices and not (self.apart and group.site >= 0)
        if part.kind in (Kind.sample, Kind.step):
            alone = group.matrices == 0 or not self.apart
            return alone and group.site in (-1, part.op) and group.samplers + part.size <= self.chip.samplers
        return True

    def take(self, group: int, number: int, part: Part) -> None:
        """Let a part be in a group."""
        held = self.groups[group]
        held.matrices += part.kind is Kind.product
        if part.kind in (Kind.sample, Kind.step):
            held.samplers, held.site = held.samplers + part.size, part.op
        self.of[number] = group

    def settled(self) -> NDArray[np.int64]:
        """Return each part's group, after what waited for its readers has been put too."""
        for number, part in enumerate(self.work.parts):
            if number not in self.of:
                near = self.near(number)
                if not near and not self.groups:
                    self.groups.append(_Group())
                self.take(near[0] if near else 0, number, part)
        return np.array([self.of[number] for number in range(len(self.work.parts))], np.int64)


def _bytes(work: Work, group: NDArray[np.int64], groups: int) -> NDArray[np.int64]:
    """Return what may lie in a tile's buffer at once for each group: two of every message that comes."""
    held = np.zeros(groups, np.int64)
    for edge in work.edges:
        if group[edge.source] != group[edge.target]:
            held[group[edge.target]] += 2 * max(1, edge.bytes)
    return held


def needs(work: Work, chip: ChipShape) -> dict[str, tuple[int, int]]:
    """Return what a network needs of the chip as (used, limit)."""
    products = sum(part.kind is Kind.product for part in work.parts)
    units = sum(part.size for part in work.parts if part.kind in (Kind.sample, Kind.step))
    return {
        "arrays": (products * chip.arrays, chip.cores * chip.matrices * chip.arrays),
        "p-bits": (units, chip.cores * chip.samplers),
    }


def _whole(work: Work, chip: ChipShape) -> None:
    for what, (used, limit) in needs(work, chip).items():
        if used > limit:
            raise _beyond(work, chip, what, used, limit)


def _check(found: Partition, chip: ChipShape) -> None:
    if found.groups > chip.cores:
        notes = [f"it takes {found.groups} cores", f"{chip.name} has {chip.cores}", *_limits(chip, "cores")]
        hint = "arrays and p-bits are not shared between parts that do not fit together"
        raise error("T306", f"the network does not fit chip {chip.name!r}", notes=notes, hint=hint)
    full = int(found.bytes.argmax()) if found.groups else 0
    if found.groups and found.bytes[full] > chip.buffer:
        notes = [f"a core is to hold {found.bytes[full]} bytes of messages", f"its tile's buffer holds {chip.buffer}"]
        raise error("T306", f"the network does not fit chip {chip.name!r}", notes=[*notes, *_limits(chip, "buffer")])


def _beyond(work: Work, chip: ChipShape, what: str, used: int, limit: int):
    kinds = (Kind.product,) if what == "arrays" else (Kind.sample, Kind.step)
    count: dict[int, int] = defaultdict(int)
    for part in work.parts:
        if part.kind in kinds:
            count[part.op] += chip.arrays if what == "arrays" else part.size
    worst = max(count, key=lambda op: count[op])
    notes = [f"it takes {used} {what}", f"{chip.name} has {limit}", *_limits(chip, what)]
    notes.append(f"the most, {count[worst]}, are for {work.ops[worst]!r}")
    return error(
        "T306",
        f"the network does not fit chip {chip.name!r}",
        notes=notes,
        hint="a chip file of your own can be larger",
    )


def _limits(chip: ChipShape, what: str) -> list[str]:
    return [f"the limit is from: {chip.sources[what]}"] if what in chip.sources else []
