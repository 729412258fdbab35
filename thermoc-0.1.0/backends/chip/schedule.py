"""The instructions of each core, in one order that all cores agree on, so that none waits for ever."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby

from thermoc.backends.chip.capacities import ChipShape
from thermoc.backends.chip.partition import Partition
from thermoc.backends.chip.placement import Placement
from thermoc.backends.chip.work import Edge, Kind, Part, Work
from thermoc.support.errors import error

MOST_STEPS = 2_000_000
Row = tuple[str, int, tuple[int, ...]]
"""A name of an instruction, the number of the op that it serves, its operands."""


@dataclass(kw_only=True)
class Streams:
    """Rows for each core: once at the start, and in every tick."""

    setup: dict[int, list[Row]] = field(default_factory=lambda: defaultdict(list))
    tick: dict[int, list[Row]] = field(default_factory=lambda: defaultdict(list))


def schedule(work: Work, partition: Partition, placement: Placement, chip: ChipShape) -> Streams:
    """Return the streams. Each message is sent as soon as it is made and received where it is needed.

    Errors: T306 for a tick of too many instructions (sweeps are written out).
    """
    return _Scheduler(work, partition, placement, chip).run()


class _Scheduler:
    def __init__(self, work: Work, partition: Partition, placement: Placement, chip: ChipShape):
        self.work, self.chip, self.streams = work, chip, Streams()
        self.core = placement.core[partition.group].tolist()
        self.into: dict[int, list[int]] = defaultdict(list)
        self.out: dict[int, list[int]] = defaultdict(list)
        for number, edge in enumerate(work.edges):
            self.into[edge.target].append(number)
            self.out[edge.source].append(number)
        self.count = 0

    def run(self) -> Streams:
        numbered = list(enumerate(self.work.parts))
        for number, part in numbered:
            if part.kind is Kind.product:
                self.program(number, part)
        for _, group in groupby(numbered, key=lambda pair: pair[1].op):
            parts = list(group)
            if any(part.rounds for _, part in parts):
                self.coupled(parts)
            else:
                for number, part in parts:
                    self.one(number, part)
        for number, part in numbered:
            self.ending(number, part)
        self.together()
        return self.streams

    def row(self, number: int, name: str, *operands: int) -> None:
        """Add an instruction for a part, on its core."""
        self.count += 1
        if self.count > MOST_STEPS:
            notes = [
                f"it comes to more than {MOST_STEPS} instructions",
                "sweeps and colours are written out one by one",
            ]
            raise error(
                "T306", "a tick is too long for a program", notes=notes, hint="fewer sweeps a tick, and more ticks"
            )
        self.streams.tick[self.core[number]].append((name, self.work.parts[number].op, operands))

    def program(self, number: int, part: Part) -> None:
        """Cells are written once."""
        core, arrays = self.core[number], self.chip.arrays
        self.streams.setup[core].append(("PROG", part.op, (arrays, part.rows, part.cells * arrays)))

    def together(self) -> None:
        """All begin their first tick at once, after every cell is written."""
        for core in {*self.streams.tick, *self.streams.setup}:
            self.streams.setup[core].append(("BARRIER", -1, (0,)))

    def receive(self, number: int, edges: list[int]) -> None:
        """Wait for messages from other cores."""
        for name in edges:
            edge = self.work.edges[name]
            if self.core[edge.source] != self.core[number]:
                self.row(number, "RECV", self.core[edge.source], name, max(1, edge.bytes))

    def send(self, number: int, edges: list[int]) -> None:
        """Hand on to other cores."""
        for name in edges:
            edge = self.work.edges[name]
            if self.core[edge.target] != self.core[number]:
                self.row(number, "SEND", self.core[edge.target], name, max(1, edge.bytes))

    def one(self, number: int, part: Part) -> None:
        """Receive, do, send."""
        self.receive(number, [e for e in self.into[number] if not self.work.edges[e].late])
        DO[part.kind](self, number, part)
        self.send(number, self.out[number])

    def coupled(self, parts: list[tuple[int, Part]]) -> None:
        """Rounds: the banks hand their states to the arrays, those their sums to the banks, which draw."""
        banks = [(n, p) for n, p in parts if p.kind is not Kind.product]
        arrays = [(n, p) for n, p in parts if p.kind is Kind.product]
        inner = {n for n, _ in parts}
        for number, _ in banks:
            outside = [e for e in self.into[number] if self.work.edges[e].source not in inner]
            self.receive(number, [e for e in outside if not self.work.edges[e].late])
        for turn in range(max(len(part.rounds) for _, part in banks)):
            for number, _ in banks:
                self.send(number, [e for e in self.out[number] if self.work.edges[e].target in inner])
            for number, part in arrays:
                self.receive(number, self.into[number])
                self.row(number, "SETIN", part.rows, self.chip.arrays)
                self.row(number, "MVM", self.chip.arrays, self.columns(number, part, turn), part.rows, 1)
                self.send(number, self.out[number])
            for number, part in banks:
                sums = [e for e in self.into[number] if self.work.edges[e].source in inner]
                self.receive(number, sums)
                self.row(number, "VOP", part.rounds[turn], max(1, len(sums)))
                self.row(
                    number, "ANNEAL" if part.heated else "SAMPLE", part.rounds[turn], part.low, 1, turn % part.colours
                )
        for number, _ in banks:
            self.send(number, [e for e in self.out[number] if self.work.edges[e].target not in inner])

    def columns(self, number: int, part: Part, turn: int) -> int:
        """Return the columns to convert: those of the units that are to be drawn, of the bank's share that is here."""
        bank = self.work.parts[self.work.edges[self.out[number][0]].target]
        return max(1, min(part.columns, -(-part.rounds[turn] * part.columns // bank.size)))

    def ending(self, number: int, part: Part) -> None:
        """What is for the next tick is received and stored last."""
        late = [e for e in self.into[number] if self.work.edges[e].late]
        self.receive(number, late)
        if part.kind is Kind.store or late:
            self.row(number, "ST", max(1, sum(self.work.edges[e].bytes for e in late)))

    # --------------------------------------------------------------------------------------------- what is done

    def size(self, part: Part) -> int:
        """Return the bytes of a part's elements."""
        return max(1, part.size * self.chip.value_bytes)

    def load(self, number: int, part: Part) -> None:
        """From outside, or from the buffer."""
        self.row(number, "LD", self.size(part))

    def give(self, number: int, part: Part) -> None:
        """To outside."""
        self.row(number, "ST", self.size(part))

    def multiply(self, number: int, part: Part) -> None:
        """Inputs to the registers, products one after another."""
        self.row(number, "SETIN", part.rows * part.times, self.chip.arrays)
        self.row(number, "MVM", self.chip.arrays, part.columns, part.rows, part.times)

    def vector(self, number: int, part: Part) -> None:
        """On the lanes."""
        self.row(number, "VOP", part.elements or part.size, part.passes)

    def draw(self, number: int, part: Part) -> None:
        """By p-bits; under heaters where the temperature follows a schedule."""
        self.row(number, "ANNEAL" if part.heated else "SAMPLE", part.size, part.low, part.updates)

    def step(self, number: int, part: Part) -> None:
        """By devices that follow their equation."""
        self.row(number, "STEP", part.size, part.low, part.updates)


DO: dict[Kind, Callable[[_Scheduler, int, Part], None]] = {
    Kind.load: _Scheduler.load,
    Kind.store: _Scheduler.load,
    Kind.give: _Scheduler.give,
    Kind.product: _Scheduler.multiply,
    Kind.gather: _Scheduler.vector,
    Kind.vector: _Scheduler.vector,
    Kind.sample: _Scheduler.draw,
    Kind.step: _Scheduler.step,
}


def messages(work: Work, partition: Partition) -> list[Edge]:
    """Return the edges that cross from core to core."""
    return [edge for edge in work.edges if partition.group[edge.source] != partition.group[edge.target]]
