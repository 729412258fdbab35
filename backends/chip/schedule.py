"""The instructions of each core, in one order that all cores agree on, so that none waits for ever."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.chip.capacities import Capacities
from thermoc.backends.chip.partition import CoreGroups
from thermoc.backends.chip.placement import CorePlacement
from thermoc.backends.chip.work_types import ChipTask, ChipWork, TaskKind
from thermoc.ir.graph import Graph
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Log
from thermoc.simulator.machine import ChipOp, ChipProgram, assemble
from thermoc.support.errors import error

MOST_STEPS = 2_000_000
Row = tuple[ChipOp, int, tuple[int, ...]]
"""An instruction, the number of the op that it serves, its operands."""
NumberedTask = tuple[int, ChipTask]


@dataclass(frozen=True, kw_only=True)
class ScheduleInstructions(Pass):
    """Write the machine's program, a stream of instructions for each core; the graph stays. Errors: T306."""

    name: ClassVar[str] = "schedule"

    chip: Capacities = field(repr=False)

    def run(self, graph: Graph, log: Log) -> Graph:
        core = log.needed(CorePlacement).core[log.needed(CoreGroups).group]
        log.keep(schedule(graph.name, log.needed(ChipWork), core, self.chip))
        return graph


def schedule(name: str, work: ChipWork, core: NDArray[np.int64], chip: Capacities) -> ChipProgram:
    """Return the machine's program. Each message is sent as soon as it is made and received where it is needed.

    core: that of each task. Errors: T306 for a tick of too many instructions (sweeps are written out).
    """
    writer = _Scheduler(work, core.tolist(), chip)
    writer.write()
    last = max([*writer.setup, *writer.tick], default=-1)
    streams = [(_rows(writer.setup.get(k, ())), _rows(writer.tick.get(k, ()))) for k in range(last + 1)]
    return assemble(name, chip.name, streams, work.ops)


def _rows(stream: Sequence[Row]) -> list[tuple[int, ...]]:
    return [(op, served, *operands) for op, served, operands in stream]


class _Scheduler:
    """Streams that are being written: rows of each core once at the start, and in every tick."""

    def __init__(self, work: ChipWork, core: list[int], chip: Capacities):
        self.work, self.core, self.chip = work, core, chip
        self.setup: dict[int, list[Row]] = defaultdict(list)
        self.tick: dict[int, list[Row]] = defaultdict(list)
        self.into: dict[int, list[int]] = defaultdict(list)
        self.out: dict[int, list[int]] = defaultdict(list)
        for number, sent in enumerate(work.transfers):
            self.into[sent.target].append(number)
            self.out[sent.source].append(number)
        self.count = 0

    def write(self) -> None:
        """Write all streams: cells, then op after op what its tasks do, then what is for the next tick."""
        numbered = list(enumerate(self.work.tasks))
        for number, task in numbered:
            if task.kind is TaskKind.product:
                self.program(number, task)
        # groupby joins neighbours only: the tasks of an op are written one after another.
        for _, group in groupby(numbered, key=lambda pair: pair[1].op):
            tasks = list(group)
            if any(task.rounds for _, task in tasks):
                self.coupled(tasks)
            else:
                for number, task in tasks:
                    self.alone(number, task)
        # After all ops, for what the next tick needs may come from any task of this one.
        for number, task in numbered:
            self.ending(number, task)
        self.together()

    def row(self, number: int, op: ChipOp, *operands: int) -> None:
        """Add an instruction for a task, on its core."""
        self.count += 1
        if self.count > MOST_STEPS:
            notes = [f"it comes to more than {MOST_STEPS} instructions"]
            notes += ["sweeps and colours are written out one by one"]
            hint = "fewer sweeps a tick, and more ticks"
            raise error("T306", "a tick is too long for a program", notes=notes, hint=hint)
        self.tick[self.core[number]].append((op, self.work.tasks[number].op, operands))

    def program(self, number: int, task: ChipTask) -> None:
        """Cells are written once."""
        operands = (self.chip.arrays, task.rows, task.cells * self.chip.arrays)
        self.setup[self.core[number]].append((ChipOp.PROG, task.op, operands))

    def together(self) -> None:
        """All begin their first tick at once, after every cell is written."""
        for core in {*self.tick, *self.setup}:
            self.setup[core].append((ChipOp.BARRIER, -1, (0,)))

    def receive(self, number: int, transfers: list[int]) -> None:
        """Wait for messages from other cores."""
        for tag in transfers:
            sent = self.work.transfers[tag]
            # Within a core nothing is sent: the value is where it was made.
            if self.core[sent.source] != self.core[number]:
                self.row(number, ChipOp.RECV, self.core[sent.source], tag, max(1, sent.bytes))

    def send(self, number: int, transfers: list[int]) -> None:
        """Send messages to other cores."""
        for tag in transfers:
            sent = self.work.transfers[tag]
            if self.core[sent.target] != self.core[number]:
                self.row(number, ChipOp.SEND, self.core[sent.target], tag, max(1, sent.bytes))

    def alone(self, number: int, task: ChipTask) -> None:
        """Receive, do, send."""
        self.receive(number, [tag for tag in self.into[number] if not self.work.transfers[tag].late])
        DO[task.kind](self, number, task)
        self.send(number, self.out[number])

    def coupled(self, tasks: list[NumberedTask]) -> None:
        """Write rounds: the banks send their states to the arrays, those their sums to the banks, which draw."""
        transfers, inner = self.work.transfers, {number for number, _ in tasks}
        banks = [(number, task) for number, task in tasks if task.kind is not TaskKind.product]
        arrays = [(number, task) for number, task in tasks if task.kind is TaskKind.product]
        for number, _ in banks:
            outside = [tag for tag in self.into[number] if transfers[tag].source not in inner]
            self.receive(number, [tag for tag in outside if not transfers[tag].late])
        for turn in range(max(len(task.rounds) for _, task in banks)):
            self.round(turn, banks, arrays, inner)
        # Only after the last round: states in between are no result of the tick.
        for number, _ in banks:
            self.send(number, [tag for tag in self.out[number] if transfers[tag].target not in inner])

    def round(self, turn: int, banks: list[NumberedTask], arrays: list[NumberedTask], inner: set[int]) -> None:
        """Write one round: the units of one colour are drawn."""
        transfers = self.work.transfers
        for number, _ in banks:
            self.send(number, [tag for tag in self.out[number] if transfers[tag].target in inner])
        for number, task in arrays:
            self.receive(number, self.into[number])
            self.row(number, ChipOp.SETIN, task.rows, self.chip.arrays)
            self.row(number, ChipOp.MVM, self.chip.arrays, self.columns(number, task, turn), task.rows, 1)
            self.send(number, self.out[number])
        for number, task in banks:
            sums, units = [tag for tag in self.into[number] if transfers[tag].source in inner], task.rounds[turn]
            self.receive(number, sums)
            self.row(number, ChipOp.VOP, units, max(1, len(sums)))
            self.row(number, _drawing(task), units, task.low, 1, turn % task.colours)

    def columns(self, number: int, task: ChipTask, turn: int) -> int:
        """Return the columns to convert: those of the units that are to be drawn, of the bank's share that is here."""
        bank = self.work.tasks[self.work.transfers[self.out[number][0]].target]
        return max(1, min(task.columns, -(-task.rounds[turn] * task.columns // bank.size)))

    def ending(self, number: int, task: ChipTask) -> None:
        """What is for the next tick is received and stored last."""
        late = [tag for tag in self.into[number] if self.work.transfers[tag].late]
        self.receive(number, late)
        if task.kind is TaskKind.store or late:
            self.row(number, ChipOp.ST, max(1, sum(self.work.transfers[tag].bytes for tag in late)))

    # --------------------------------------------------------------------------------------------- what is done

    def task_bytes(self, task: ChipTask) -> int:
        """Return the bytes of a task's elements."""
        return max(1, task.size * self.chip.value_bytes)

    def load(self, number: int, task: ChipTask) -> None:
        """From outside, or from the buffer."""
        self.row(number, ChipOp.LD, self.task_bytes(task))

    def output(self, number: int, task: ChipTask) -> None:
        """To outside."""
        self.row(number, ChipOp.ST, self.task_bytes(task))

    def multiply(self, number: int, task: ChipTask) -> None:
        """Inputs to the registers, products one after another."""
        self.row(number, ChipOp.SETIN, task.rows * task.times, self.chip.arrays)
        self.row(number, ChipOp.MVM, self.chip.arrays, task.columns, task.rows, task.times)

    def vector(self, number: int, task: ChipTask) -> None:
        """On the lanes."""
        self.row(number, ChipOp.VOP, task.elements or task.size, task.passes)

    def draw(self, number: int, task: ChipTask) -> None:
        """By p-bits; under heaters where the temperature follows a schedule."""
        self.row(number, _drawing(task), task.size, task.low, task.updates)

    def step(self, number: int, task: ChipTask) -> None:
        """By devices that follow their equation."""
        self.row(number, ChipOp.STEP, task.size, task.low, task.updates)


def _drawing(task: ChipTask) -> ChipOp:
    """Return how units draw: where their temperature follows a schedule, heaters carry it out."""
    return ChipOp.ANNEAL if task.heated else ChipOp.SAMPLE


DO: dict[TaskKind, Callable[[_Scheduler, int, ChipTask], None]] = {
    TaskKind.load: _Scheduler.load,
    TaskKind.store: _Scheduler.load,
    TaskKind.output: _Scheduler.output,
    TaskKind.product: _Scheduler.multiply,
    TaskKind.gather: _Scheduler.vector,
    TaskKind.vector: _Scheduler.vector,
    TaskKind.sample: _Scheduler.draw,
    TaskKind.step: _Scheduler.step,
}
