"""Runs a chip program event by event, in whole picoseconds."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from thermoc.simulator.cache import keep
from thermoc.simulator.chips import Chip
from thermoc.simulator.machine import event_kernel as kernel
from thermoc.simulator.machine.costs import Costs, costs
from thermoc.simulator.machine.event_state import (
    Channels,
    CoreStates,
    EventMesh,
    EventState,
    EventTrace,
    MessagesInFlight,
    ProgramRows,
    Queue,
    Shared,
)
from thermoc.simulator.machine.events import Events
from thermoc.simulator.machine.instructions import PICO, ChipOp
from thermoc.simulator.machine.program import ChipProgram
from thermoc.support.errors import ThermocError, error

CHUNK = 2**20
"""Events returned at a time."""
SHOWN = 8
"""Cores that an error of a program that cannot go on names."""
FIELDS = tuple(Events.__dataclass_fields__)
MESSAGES = 256
"""Slots for messages under way at first; there are twice as many whenever none is left."""
_run = keep(njit(kernel.run_events, nogil=True, error_model="numpy"))


def run_events(program: ChipProgram, chip: Chip, *, rounds: int = 1, price: Costs | None = None) -> Events:
    """Return all events of ``rounds`` ticks. Errors: T305, T306, T414 (nothing can go on)."""
    chunks = list(stream(program, chip, rounds=rounds, price=price))
    arrays: dict[str, Any] = {name: np.concatenate([getattr(chunk, name) for chunk in chunks]) for name in FIELDS}
    return Events(**arrays)


def stream(
    program: ChipProgram, chip: Chip, *, rounds: int = 1, price: Costs | None = None, chunk: int = CHUNK
) -> Iterator[Events]:
    """Yield the events of ``rounds`` ticks, ``chunk`` at a time, in the order in which they were decided.

    Errors: T305, T306, T414.
    """
    price = costs(program, chip) if price is None else price
    _countable(program, chip, price, rounds)
    rows, mesh = _rows(program, price), _mesh(program, chip)
    state = _beginning(program, chip, price, mesh)
    # a barrier of all cores writes that many events at once: a smaller trace could never take them
    trace = _trace(max(chunk, 2 * chip.cores + 4))
    while True:
        count, end = _run(rows, mesh, rounds, state, trace)
        # copies: the kernel writes the next chunk into the same arrays
        yield Events(**{name: getattr(trace, name)[:count].copy() for name in FIELDS})
        if end == kernel.FINISHED:
            return
        if end == kernel.STUCK:
            raise _deadlock(program, state.cores)
        # it is full where events or messages ran out of space; only the latter need a larger state
        state = _with_more_messages(state)


def _rows(program: ChipProgram, price: Costs) -> ProgramRows:
    return ProgramRows(
        code=program.code,
        starts=program.starts,
        setup=program.setup,
        duration=price.duration,
        held=price.held,
        resource=price.resource,
        flits=price.flits,
        channel=price.channel,
    )


def _mesh(program: ChipProgram, chip: Chip) -> EventMesh:
    x_hop, y_hop, flit = (round(chip[f"network.{name}"] * PICO) for name in ("hop_time_x", "hop_time_y", "flit_time"))
    return EventMesh(
        cores_a_tile=chip.whole("mesh.cores"),
        columns=chip.whole("mesh.columns"),
        rows=chip.whole("mesh.rows"),
        buffer=chip.whole("buffer.size"),
        # a program may name more cores than the chip has, or leave the last ones out
        cores=max(len(program.starts) - 1, chip.cores),
        x_hop=x_hop,
        y_hop=y_hop,
        flit_time=flit,
    )


def _beginning(program: ChipProgram, chip: Chip, price: Costs, mesh: EventMesh) -> EventState:
    """Return the state in which every core that has rows is about to issue its first."""
    count, zeros = mesh.cores, partial(np.zeros, MESSAGES, np.int64)
    busy = np.flatnonzero(np.diff(program.starts) > 0)
    status, row = np.full(count, kernel.DONE), np.zeros(count, np.int64)
    status[busy], row[busy] = kernel.READY, program.starts[busy]
    # every core and every message is on the heap once at most
    heap = np.zeros((3, count + MESSAGES + 1), np.int64)
    queue = Queue(heap[0], heap[1], heap[2], np.array([0, MESSAGES]))
    # cores' ties lie above all messages', which are the numbers of their sources
    for core in busy:
        kernel.push(0, count + core, core, *queue)
    tick, frees, frees_channel, inbox, waiting = (np.zeros(count, np.int64) for _ in range(5))
    arrived, unread = (np.zeros(price.channels, np.int64) for _ in range(2))
    return EventState(
        queue=queue,
        cores=CoreStates(status, tick, row, frees, frees_channel, inbox, waiting),
        channels=Channels(arrived, unread, np.full(price.channels, -1)),
        shared=Shared(
            np.zeros(price.resources, np.int64), np.zeros(4 * chip.tiles + count, np.int64), _barriers(program, count)
        ),
        messages=MessagesInFlight(zeros(), zeros(), zeros(), zeros(), spare=np.arange(MESSAGES)[::-1].copy()),
    )


def _barriers(program: ChipProgram, cores: int) -> NDArray[np.int64]:
    """Return the barriers' rows: how many cores have one of this group in their stream; none has come."""
    rows = np.flatnonzero(program.code[:, 0] == ChipOp.BARRIER)
    group, core = program.code[rows, 2], program.cores[rows]
    barriers = np.zeros((int(group.max(initial=-1)) + 1, kernel.SINCE + cores), np.int64)
    for number in range(len(barriers)):
        barriers[number, kernel.EXPECTED] = len(np.unique(core[group == number]))
    return barriers


def _trace(size: int) -> EventTrace:
    return EventTrace(
        row=np.zeros(size, np.int32),
        place=np.zeros(size, np.int32),
        start=np.zeros(size, np.int64),
        end=np.zeros(size, np.int64),
        turn=np.zeros(size, np.int32),
    )


def _with_more_messages(state: EventState) -> EventState:
    """Return a state with twice the slots for messages where there is none left, else the same."""
    queue, messages, size = state.queue, state.messages, len(state.messages.row)
    if queue.counts[1] > 0:
        return state

    def longer(array: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.concatenate([array, np.zeros(size, np.int64)])

    # counts and spare are lengthened with the others and dropped: both are made anew
    times, ties, whats, _ = map(longer, queue)
    row, tile, tick, source, _ = map(longer, messages)
    # slots in use keep their numbers, which entries of the heap hold: only the new half is free
    spare = longer(np.arange(size, 2 * size)[::-1])
    return state._replace(
        queue=Queue(times, ties, whats, np.array([queue.counts[0], size])),
        messages=MessagesInFlight(row, tile, tick, source, spare),
    )


def _countable(program: ChipProgram, chip: Chip, price: Costs, rounds: int) -> None:
    """Refuse runs whose picoseconds might not be numbers of 64 bits: all instructions and links, one after another."""
    # in floats: the product itself may exceed 64 bits
    longest = price.duration.sum(dtype=float) * rounds * (chip["mesh.columns"] + chip["mesh.rows"] + 1)
    if longest > 2**62:
        notes = [f"{rounds} ticks of up to {longest / rounds / PICO:.3g} s", f"the machine counts {2**62 / PICO:.3g} s"]
        raise error("T306", f"program {program.name!r} runs too long", notes=notes, hint="fewer ticks")


def _deadlock(program: ChipProgram, cores: CoreStates) -> ThermocError:
    """Say which cores wait for what."""
    reasons = {
        kernel.FOR_MESSAGE: "waits for a message that is never sent",
        kernel.FOR_ROOM: "waits for room in the other's buffer",
        kernel.FOR_OTHERS: "waits at a barrier",
    }
    stuck = [core for core in range(len(cores.status)) if cores.status[core] in reasons]
    notes = [
        f"core {core}, tick {cores.tick[core]}: {program.text(int(cores.row[core]))}: {reasons[cores.status[core]]}"
        for core in stuck[:SHOWN]
    ]
    if len(stuck) > SHOWN:
        notes.append(f"and {len(stuck) - SHOWN} more cores")
    hint = "every RECV needs a SEND of the same core and tag, in an order that the buffers can hold"
    return error("T414", f"chip program {program.name!r} cannot go on", notes=notes, hint=hint)
