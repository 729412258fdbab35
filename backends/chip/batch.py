"""What a batch asks of a chip before its first tick: room for states of all samples, and for the events of a tick."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.chip.layout import ChipLayout
from thermoc.backends.chip.work_types import TaskKind
from thermoc.ir.types import Role
from thermoc.simulator.machine import ChipOp
from thermoc.simulator.machine.heat_run import MOST_CELLS
from thermoc.simulator.machine.instructions import PICO
from thermoc.support.errors import error

MOST_EVENTS = 60_000_000
HOLDERS = (TaskKind.store, TaskKind.sample, TaskKind.step, TaskKind.vector)
"""Tasks that hold what their op keeps from tick to tick."""


def check_events(layout: ChipLayout, batch: int) -> None:
    """Refuse a batch of which one tick would make more events than memory holds. Errors: T404."""
    program, chip = layout.program, layout.chip
    columns, per = chip.whole("mesh.columns"), chip.whole("mesh.cores")
    sends = program.code[:, 0] == ChipOp.SEND
    source, target = program.cores[sends] // per, program.code[sends, 2] // per
    hops = np.abs(source % columns - target % columns) + np.abs(source // columns - target // columns) + 1
    rows = len(program.code) + int(hops.sum())
    if rows * batch > MOST_EVENTS:
        notes = [f"{rows} events of a sample in a tick, {batch} samples", f"the limit is {MOST_EVENTS}"]
        raise error("T404", "a batch on a chip has too many events", notes=notes, hint="fewer samples a run")


def check_slots(length: int, size: int, cores: int) -> None:
    """Refuse a tick of ``length`` ps in more slots of ``size`` ps than are held at once. Errors: T404."""
    slots, limit = -(-length // size), MOST_CELLS // cores
    if slots > limit:
        notes = [f"it takes {slots} slots of {size / PICO:g} s", f"the limit for {cores} cores is {limit}"]
        hint = f"a slot of at least {length / limit / PICO:.2g} s, or fewer samples"
        raise error("T404", "a tick on a chip takes too many thermal slots", notes=notes, hint=hint)


def check_states(layout: ChipLayout, batch: int) -> None:
    """Refuse a batch whose states no tile can keep while others have their turn. Errors: T306."""
    chip, capacity = layout.chip, layout.shape.buffer
    per = chip.whole("mesh.cores")
    messages = np.bincount(layout.placement.core // per, layout.partition.bytes, minlength=chip.tiles)
    states = state_bytes(layout).reshape(-1, per).sum(axis=1)
    needed = messages + batch * states
    tile = int(needed.argmax())
    if states.any() and needed[tile] > capacity:
        notes = [
            f"tile {tile} is to hold {states[tile]} bytes of states of each of {batch} samples",
            f"and {messages[tile]:.0f} bytes of messages; its buffer holds {capacity}",
            *layout.shape.source("buffer"),
        ]
        hint = "a smaller batch, or more runs"
        raise error("T306", f"the states of a batch do not fit chip {chip.name!r}", notes=notes, hint=hint)


def state_bytes(layout: ChipLayout) -> NDArray[np.int64]:
    """Return the bytes of what one sample keeps from tick to tick, (cores,): a bit for a spike, else a value."""
    work, core, size = layout.work, layout.task_core, np.zeros(layout.chip.cores, np.int64)
    holders: dict[int, list[int]] = {}
    for number, task in enumerate(work.tasks):
        if task.kind in HOLDERS:
            holders.setdefault(task.op, []).append(number)
    for served, numbers in holders.items():
        op = work.graph.producers.get(work.ops[served])
        count = sum(int(np.prod(shape)) for shape in op.states().values()) if op is not None else 0
        if op is None or not count:
            continue
        total = sum(work.tasks[number].size for number in numbers)
        bits = 1 if op.results[0].role is Role.spike else 8 * layout.shape.value_bytes
        for number in numbers:
            size[core[number]] += -(-count * work.tasks[number].size * bits // (8 * total))
    return size
