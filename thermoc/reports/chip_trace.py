"""A run on a chip as a Chrome trace, which Perfetto (ui.perfetto.dev) opens: events, temperatures, power."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from thermoc.reports.chip_marks import label
from thermoc.simulator.machine import ChipOp, Events
from thermoc.simulator.machine.account import event_joules
from thermoc.simulator.machine.instructions import PICO
from thermoc.support.errors import error
from thermoc.support.files import write_atomic

if TYPE_CHECKING:
    from thermoc.backends.chip.report import ChipReport

MOST = 200_000
WAYS = ("east", "west", "down", "up")
MICRO = 1e6


def trace(report: ChipReport, path: str | os.PathLike[str], *, most: int = MOST) -> int:
    """Write the first ``most`` events of the ticks and what the die did meanwhile; return the number of events.

    A tile is a process, its cores and links are threads; the chip's process has the counters. Times start with the
    first tick. Errors: T404 for a negative number, T505.
    """
    if most < 0:
        raise error("T404", "a trace cannot have fewer than no events", notes=[f"most = {most!r}"])
    events = [*_instructions(report, most)]
    until = max((event["ts"] + event["dur"] for event in events), default=0.0)
    entries = [*_names(report, {event["pid"] - 1 for event in events}), *events, *_counters(report, until)]
    document = {
        "traceEvents": entries,
        "displayTimeUnit": "ns",
        "otherData": {"network": report.network, "chip": report.chip},
    }
    write_atomic(path, json.dumps(document, allow_nan=False, separators=(",", ":")).encode())
    return len(events)


def _instructions(report: ChipReport, most: int) -> Iterator[dict[str, Any]]:
    run = report.run
    program, chip = run.artefact.mapping.program, run.artefact.mapping.chip
    start, tick = run.tick.start, _timed(run.tick.events, run.tick.start)
    # no more ticks than are written: a long session has more events than memory holds
    events = run.tick.repeated(max(1, min(run.ticks, most // max(1, len(tick)) + 1)))
    later = _timed(events, start)
    # Stable, so that events that begin together stay in the order in which they were recorded.
    chosen = later[np.argsort(events.start[later], kind="stable")][:most]
    joules = event_joules(events, program, run.price, chip)
    cores, per, ops = chip.cores, chip.whole("mesh.cores"), program.ops
    for index in chosen.tolist():
        row, location, turn = (int(getattr(events, name)[index]) for name in ("row", "place", "turn"))
        begin, end = int(events.start[index]) - start, int(events.end[index]) - start
        served = int(program.code[row, 1])
        tile, thread = _place(location, cores, per, chip.tiles)
        op = ops[served] if served >= 0 else ""
        yield {
            "ph": "X",
            "name": ChipOp(program.code[row, 0]).name if location < cores else op or "message",
            "cat": "core" if location < cores else "link",
            # The trace event format counts time in microseconds.
            "ts": begin / PICO * MICRO,
            "dur": (end - begin) / PICO * MICRO,
            "pid": tile + 1,
            "tid": thread,
            "args": {
                "op": op,
                "holds": label(report, op) if op else "",
                "instruction": program.text(row),
                "joules": float(joules[index]),
                "tick": turn,
            },
        }


def _timed(events: Events, start: int) -> NDArray[np.int64]:
    """Return the numbers of events from ``start`` (ps) on that take time."""
    return np.flatnonzero((events.start >= start) & (events.end > events.start))


def _place(place: int, cores: int, per: int, tiles: int) -> tuple[int, int]:
    """Return the tile and thread of a place: cores first, then the four links, then the exits."""
    if place < cores:
        return place // per, place % per
    link = place - cores
    if link < 4 * tiles:
        return link // 4, per + link % 4
    exit_of = link - 4 * tiles
    return exit_of // per, per + 4 + exit_of % per


def _names(report: ChipReport, seen: set[int]) -> Iterator[dict[str, Any]]:
    chip = report.run.artefact.mapping.chip
    per, used = chip.whole("mesh.cores"), sorted(seen.union(_used(report)))  # messages pass through tiles at rest
    yield {"ph": "M", "name": "process_name", "pid": 0, "args": {"name": f"chip {chip.name}"}}
    for tile in used:
        yield {"ph": "M", "name": "process_name", "pid": tile + 1, "args": {"name": f"tile {tile}"}}
        threads = [f"core {tile * per + k}" for k in range(per)]
        threads += [f"link {direction}" for direction in WAYS] + [f"exit to core {tile * per + k}" for k in range(per)]
        for thread, name in enumerate(threads):
            yield {"ph": "M", "name": "thread_name", "pid": tile + 1, "tid": thread, "args": {"name": name}}


def _used(report: ChipReport) -> list[int]:
    """Return the tiles whose cores have instructions."""
    layout = report.run.artefact.mapping
    return np.unique(layout.program.cores // layout.chip.whole("mesh.cores")).tolist()


def _counters(report: ChipReport, until: float) -> Iterator[dict[str, Any]]:
    """Yield the hottest and mean kelvins and watts of the chip, and those of each tile in use, slot by slot."""
    history, chip = report.run.history, report.run.artefact.mapping.chip
    per, used = chip.whole("mesh.cores"), _used(report)
    last = min(len(history.watts), int(np.searchsorted(history.times, until / MICRO)) + 1)
    for slot in range(last):
        ts, die, watts = history.times[slot] * MICRO, history.die[slot], history.watts[slot]
        yield _counter("temperature, K", 0, ts, {"hottest": die.max(), "mean": die.mean()})
        yield _counter("power, W", 0, ts, {"chip": watts.sum()})
        for tile in used:
            cores = slice(tile * per, (tile + 1) * per)
            yield _counter("temperature, K", tile + 1, ts, {"hottest": die[cores].max()})
            yield _counter("power, mW", tile + 1, ts, {"tile": 1e3 * watts[cores].sum()})


def _counter(name: str, pid: int, ts: float, values: dict[str, Any]) -> dict[str, Any]:
    return {"ph": "C", "name": name, "pid": pid, "ts": ts, "args": {key: float(value) for key, value in values.items()}}
