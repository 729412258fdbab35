"""Runs a chip program event by event, in whole picoseconds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from thermoc.simulator.cache import keep
from thermoc.simulator.chips import Chip
from thermoc.simulator.machine import event_kernel as kernel
from thermoc.simulator.machine.costs import Costs, costs
from thermoc.simulator.machine.instructions import PICO, Op
from thermoc.simulator.machine.program import ChipProgram
from thermoc.support.errors import error

CHUNK = 2**20
"""Events handed out at a time."""
_run = keep(njit(kernel.run_events, nogil=True, error_model="numpy"))


@dataclass(frozen=True, kw_only=True)
class Events:
    """What happened: arrays (n,). ``row`` of the program from ``start`` to ``end`` (ps) at ``place`` in tick ``turn``.

    A place below the number of cores is a core; above, cores + link: links are four a tile (east, west, down, up), then
    the exit to each core.
    """

    row: NDArray[np.int32]
    place: NDArray[np.int32]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    turn: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.row)


def run_events(program: ChipProgram, chip: Chip, *, rounds: int = 1, price: Costs | None = None) -> Events:
    """Return all events of ``rounds`` ticks. Errors: T305, T306, T414 (nothing can go on)."""
    parts = list(stream(program, chip, rounds=rounds, price=price))
    whole: dict[str, Any] = {n: np.concatenate([getattr(p, n) for p in parts]) for n in Events.__dataclass_fields__}
    return Events(**whole)


def stream(
    program: ChipProgram, chip: Chip, *, rounds: int = 1, price: Costs | None = None, chunk: int = CHUNK
) -> Iterator[Events]:
    """Yield the events of ``rounds`` ticks, ``chunk`` at a time, in the order in which they were decided.

    Errors: T305, T306, T414.
    """
    price = costs(program, chip) if price is None else price
    _countable(program, chip, price, rounds)
    state = _State(program, chip, price, max(chunk, 2 * chip.cores + 4))
    while True:
        made, ended = _run(*state.arrays(rounds))
        found: dict[str, Any] = {name: array[:made].copy() for name, array in state.out.items()}
        yield Events(**found)
        if ended == kernel.FINISHED:
            return
        if ended == kernel.STUCK:
            raise _deadlock(program, state.core)
        state.grow(made)


class _State:
    """The arrays that the loop works on; it can be stopped and gone on with."""

    def __init__(self, program: ChipProgram, chip: Chip, price: Costs, chunk: int):
        cores, code, core = len(program.starts) - 1, program.code, program.cores
        whole = max(cores, chip.cores)
        self.program, self.price = program, price
        self.shape = np.array(
            [
                *(chip.whole(f"mesh.{name}") for name in ("cores", "columns", "rows")),
                chip.whole("buffer.size"),
                whole,
            ],
            np.int64,
        )
        times = ("network.hop_time_x", "network.hop_time_y", "network.flit_time")
        self.hops = np.array([round(chip[name] * PICO) for name in times], np.int64)
        self.counts = np.zeros(2, np.int64)
        self.core = np.zeros((whole, 5), np.int64)
        self.core[:, 0] = kernel.DONE
        busy = np.flatnonzero(np.diff(program.starts) > 0)
        self.core[busy, 0], self.core[busy, 2] = kernel.READY, program.starts[busy]
        self.message = np.zeros((256, 4), np.int64)
        self.spare = np.arange(256)[::-1].copy()
        self.counts[1] = 256
        self.heap = [np.zeros(whole + 256 + 1, np.int64) for _ in range(3)]
        for one in busy:
            times, ties, whats = self.heap
            kernel.push(0, whole + one, one, times, ties, whats, self.counts)
        self.ways = [np.zeros(whole, np.int64), np.zeros(whole, np.int64), *np.zeros((2, price.channels), np.int64)]
        self.listeners = np.full(price.channels, -1, np.int64)
        self.free = np.zeros(price.resources, np.int64)
        self.links = np.zeros(4 * chip.tiles + whole, np.int64)
        rows = np.flatnonzero(code[:, 0] == Op.BARRIER)
        count = int(code[rows, 2].max(initial=-1)) + 1
        self.groups = np.zeros((count, 3 + whole), np.int64)
        for group in range(count):
            self.groups[group, 0] = len(np.unique(core[rows[code[rows, 2] == group]]))
        kinds = {"row": np.int32, "place": np.int32, "start": np.int64, "end": np.int64, "turn": np.int32}
        self.out = {name: np.zeros(chunk, kind) for name, kind in kinds.items()}

    def arrays(self, rounds: int) -> tuple:
        """Return the loop's arguments."""
        p, c = self.program, self.price
        return (
            *(p.code, p.starts, p.setup, c.duration, c.held, c.resource, c.flits, c.channel),
            *(self.shape, self.hops, rounds),
            *(*self.heap, self.counts),
            *(self.core, *self.ways, self.listeners, self.free, self.links, self.groups),
            *(self.message, self.spare),
            *self.out.values(),
        )

    def grow(self, made: int) -> None:
        """Make room for more messages where that is what was short."""
        if self.counts[1] > 0:
            return
        size = len(self.message)
        self.message = np.concatenate([self.message, np.zeros_like(self.message)])
        self.spare = np.concatenate([np.arange(size, 2 * size)[::-1], np.zeros(size, np.int64)])
        self.counts[1] = size
        self.heap = [np.concatenate([part, np.zeros(size, np.int64)]) for part in self.heap]


def _countable(program: ChipProgram, chip: Chip, price: Costs, rounds: int) -> None:
    """Refuse runs whose picoseconds might not be numbers of 64 bits: all instructions and links, one after another."""
    longest = price.duration.sum(dtype=float) * rounds * (chip["mesh.columns"] + chip["mesh.rows"] + 1)
    if longest > 2**62:
        notes = [f"{rounds} ticks of up to {longest / rounds / PICO:.3g} s", f"the machine counts {2**62 / PICO:.3g} s"]
        raise error("T306", f"program {program.name!r} runs too long", notes=notes, hint="fewer ticks")


def _deadlock(program: ChipProgram, core: NDArray[np.int64]):
    """Say which cores wait for what."""
    reasons = {
        kernel.FOR_MESSAGE: "waits for a message that is never sent",
        kernel.FOR_ROOM: "waits for room in the other's buffer",
        kernel.FOR_OTHERS: "waits at a barrier",
    }
    stuck = [(k, *core[k, [0, 2, 1]].tolist()) for k in range(len(core)) if core[k, 0] in reasons]
    notes = [f"core {k}, tick {turn}: {program.text(row)}: {reasons[why]}" for k, why, row, turn in stuck[:8]]
    more = [f"and {len(stuck) - 8} more cores"] if len(stuck) > 8 else []
    hint = "every RECV needs a SEND of the same core and tag, in an order that the buffers can hold"
    return error("T414", f"chip program {program.name!r} cannot go on", notes=notes + more, hint=hint)
