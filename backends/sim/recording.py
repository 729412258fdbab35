"""What is recorded of a program's run: reduced while it runs, and only computed in the ticks that are looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.recording import Every, Last, Moments, Recorder, Sums
from thermoc.simulator.buffers import RunningMoments
from thermoc.simulator.feed_forward_split import halves
from thermoc.simulator.wanted_outputs import Wanted, effort, with_outputs

if TYPE_CHECKING:
    from thermoc.simulator import Program
    from thermoc.simulator.session import Session

Recorders = Mapping[str, Sequence[Recorder]]
Pairs = list[tuple[str, Any]]
CHUNK_BYTES = 2**22
"""Values that are reduced outside the program are taken from it this many at a time."""
SWITCH = 2**13
"""A processor goes through so many elements while one program takes over from another."""
MOST_TICKS = 2**24
"""Totals are whole numbers among the program's floats: of so many ticks they are exact even in float32."""


def record(session: Session, inputs: Mapping[str, NDArray], ticks: int, recorders: Recorders) -> None:
    """Run some ticks on, whose values the recorders take. Where it raises, all is as it was. Errors: T405."""
    pairs = [(name, recorder) for name, several in recorders.items() for recorder in several]
    mark, before = session.mark(ticks), [_content(recorder) for _, recorder in pairs]
    try:
        schedule = schedule_of(session.program, pairs, ticks)
        for first, stop, due in schedule.pieces(ticks):
            some = {name: array[first:stop] for name, array in inputs.items()}
            _run_piece(session, some, stop - first, schedule, due)
    except BaseException:
        session.go_back(mark)
        for (_, recorder), content in zip(pairs, before):
            vars(recorder).clear()
            vars(recorder).update(content)
        raise


@dataclass(frozen=True, kw_only=True)
class RecordingSchedule:
    """Outputs with their recorders: reduced within the program, looked at in some ticks alone, or in every tick.

    Sparse are ``Last`` and whatever takes every k-th tick and says so by its ``k``, into memory or a store.
    longest: ticks whose values are taken at once.
    """

    totals: Pairs
    moments: Pairs
    sparse: Pairs
    dense: Pairs
    longest: int

    def pieces(self, ticks: int) -> Iterator[tuple[int, int, Pairs]]:
        """Yield (first, stop, the sparse recorders that take these values); a tick that some take is alone."""
        first = 0
        while first < ticks:
            waits = [_wait(recorder, ticks - first) for _, recorder in self.sparse]
            free = min([*waits, self.longest, ticks - first])
            if free:
                yield first, first + free, []
            else:
                free = 1
                yield first, first + 1, [pair for pair, wait in zip(self.sparse, waits) if wait == 0]
            first += free

    def wanted(self, due: Pairs) -> Wanted:
        """Return what the program must compute in a piece."""
        return Wanted(*map(_names, ([*self.dense, *due], self.totals, self.moments)))


def schedule_of(program: Program, pairs: Pairs, ticks: int) -> RecordingSchedule:
    """Return how to record with the least work."""
    sparse = [pair for pair in pairs if isinstance(pair[1], Last) or getattr(pair[1], "k", 1) > 1]
    others = [pair for pair in pairs if pair not in sparse]
    kinds = _by_kind(program, others)
    if sparse and _saved(program, kinds, sparse, ticks) < SWITCH:
        kinds, sparse = (kinds[0] + sparse, *kinds[1:]), []
    dense, totals, moments = kinds
    bytes_a_tick = sum(recorder.signal.dtype.itemsize * int(np.prod(recorder.signal.row)) for _, recorder in dense)
    complete = all(isinstance(recorder, Every) and recorder.k == 1 for _, recorder in dense)
    longest = MOST_TICKS if complete else min(MOST_TICKS, max(1, CHUNK_BYTES // max(1, bytes_a_tick)))
    return RecordingSchedule(totals=totals, moments=moments, sparse=sparse, dense=dense, longest=longest)


def _saved(program: Program, kinds: Sequence[Pairs], sparse: Pairs, ticks: int) -> int:
    """Return the elements that are not touched where what sparse recorders look at waits for their ticks."""
    lean, full = Wanted(*map(_names, kinds)), Wanted(_names([*kinds[0], *sparse]), *map(_names, kinds[1:]))
    a_tick = effort(with_outputs(program, full)) - effort(with_outputs(program, lean))
    return a_tick * (min(getattr(recorder, "k", ticks) for _, recorder in sparse) - 1)


def _by_kind(program: Program, pairs: Pairs) -> tuple[Pairs, Pairs, Pairs]:
    """Return those that take every tick's values, those of totals, and those of moments."""
    if halves(with_outputs(program, Wanted(_names(pairs)))) is not None:
        return pairs, [], []  # what runs for many ticks at once is faster than a sum within the program
    floats = {port.name for port in program.outputs if port.dtype == "float64"}
    totals = [pair for pair in pairs if isinstance(pair[1], Sums)]
    moments = list(
        {
            name: (name, recorder) for name, recorder in pairs if isinstance(recorder, Moments) and name in floats
        }.values()
    )
    return [pair for pair in pairs if pair not in totals and pair not in moments], totals, moments


def _names(pairs: Pairs) -> frozenset[str]:
    return frozenset(name for name, _ in pairs)


def _wait(recorder: Any, ticks: int) -> int:
    """Return how many ticks pass before the one whose value a sparse recorder takes, of as many as are left."""
    return ticks - 1 if isinstance(recorder, Last) else recorder.k - 1 - recorder.seen % recorder.k


def _run_piece(
    session: Session, inputs: Mapping[str, NDArray], ticks: int, schedule: RecordingSchedule, due: Pairs
) -> None:
    if schedule.totals or schedule.moments:
        start = {name: RunningMoments(r.mean, r.m2, np.array(r.seen)) for name, r in schedule.moments}
        buffers = session.reduce(inputs, ticks=ticks, wanted=schedule.wanted(due), moments=start)
        outputs = buffers.unpacked()
        for name, recorder in schedule.totals:
            _add_total(recorder, buffers.totals[name].astype(np.int64), ticks)
        for name, recorder in schedule.moments:
            recorder.mean, recorder.m2 = (array.copy() for array in buffers.moments[name][:2])
            recorder.seen += ticks
    else:
        outputs = session.run(inputs, ticks=ticks, names=schedule.wanted(due).outputs)
    for name, recorder in [*schedule.dense, *due]:
        recorder.take(outputs[name])
    for pair in schedule.sparse:
        if pair not in due:
            pair[1].seen += ticks


def _add_total(recorder: Sums, total: NDArray[np.int64], ticks: int) -> None:
    """Add the total of some ticks, and of the squares, which follows from it where there are two levels."""
    low, high = recorder.signal.levels or (0, 1)
    ups = (total - ticks * low) // (high - low)
    recorder.total += total
    recorder.squares += low * low * (ticks - ups) + high * high * ups
    recorder.seen += ticks


def _content(recorder: Recorder) -> dict[str, Any]:
    """Return what undoes the taking of further values: ``Every`` never changes those that it has."""
    shared = isinstance(recorder, Every)
    return {
        name: value.copy() if isinstance(value, np.ndarray | list) and not shared else value
        for name, value in vars(recorder).items()
    }
