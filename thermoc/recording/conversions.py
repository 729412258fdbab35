"""What was recorded in the forms of other tools: spikes as times and ids, Neo, dimod."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from thermoc.ir.recording import EventList, Signal
from thermoc.recording.layout import TRACE, Frame
from thermoc.recording.meanings import Meaning
from thermoc.recording.recorded import Recorded
from thermoc.support.array_types import AnyArray, FloatArray, IntArray
from thermoc.support.errors import error
from thermoc.support.extras import need

BLOCK_BYTES = 2**24
"""A trace of a store is read so much at a time."""

Spikes = list[tuple[FloatArray, IntArray]]
"""Of each sample: times, in order, and the units that spiked at them."""


def blocks(trace: Any) -> Iterator[AnyArray]:
    """Yield a trace some ticks at a time; one in memory as a whole."""
    if isinstance(trace, np.ndarray) or not trace.shape:
        yield np.asarray(trace)
        return
    row = max(1, int(np.prod(trace.shape[1:])) * trace.dtype.itemsize)
    # Whole chunks of a store, for each is unpacked as a whole.
    step = max(1, BLOCK_BYTES // row) * getattr(trace, "chunks", (1,))[0]
    for first in range(0, trace.shape[0], step):
        yield np.asarray(trace[first : first + step])


def array_row(head: Mapping[str, object], array: Any) -> dict[str, object]:
    """Return a row of a table: shape, dtype, mean, least and largest element."""
    size, total, low, high = 0, 0.0, math.inf, -math.inf
    for block in blocks(array):
        if block.size:
            size, total = size + block.size, total + float(block.sum(dtype=float))
            low, high = min(low, float(block.min())), max(high, float(block.max()))
    nonempty = size > 0
    ends = {
        "mean": total / size if nonempty else None,
        "min": low if nonempty else None,
        "max": high if nonempty else None,
    }
    return {**head, "shape": list(array.shape), "dtype": str(array.dtype), **ends}


def events_of(item: Recorded, meaning: Meaning) -> IntArray:
    """Return rows (tick, sample, unit) of an output of spikes: as recorded, or found in its trace. Errors: T419."""
    if "events" in item:
        return item.events
    if TRACE not in item or item.k > 1 or (meaning.levels is None and meaning.role != "spike"):
        notes = [f"it is {meaning.role}, recorded: {', '.join(map(str, item.specs))}"]
        hint = f'record={{"{item.name}": "events"}} or "all", of spikes'
        raise error("T419", f"{item.name!r} has no spikes here", notes=notes, hint=hint)
    trace = item.fields[TRACE]
    shape = {"ticks": trace.shape[0], "batch": trace.shape[1], "shape": tuple(trace.shape[2:])}
    events = EventList(Signal(dtype=trace.dtype, levels=meaning.levels, begun=item.begun, **shape))
    for block in blocks(trace):
        events.take(block)
    return events.events


def spikes(item: Recorded, meaning: Meaning, frame: Frame) -> Spikes:
    """Return times and ids of the spikes of each sample. Errors: T419."""
    rows = events_of(item, meaning)
    order = np.argsort(rows[:, 1], kind="stable")
    cuts = np.searchsorted(rows[order, 1], np.arange(1, frame.batch))
    return [(np.asarray(sample[:, 0] * frame.dt, float), sample[:, 2]) for sample in np.split(rows[order], cuts)]


def neo_block(title: str, frame: Frame, recorded: Mapping[str, Recorded], *, ticks: int, time_unit: str) -> Any:
    """Return a neo.Block: a segment a sample, a spike train a unit, an analog signal a trace. Errors: T302."""
    neo = need("neo", "neo", "Neo blocks")
    block = neo.Block(name=title)
    block.segments = [neo.Segment(name=f"sample {frame.first_sample + sample}") for sample in range(frame.batch)]
    span = {"t_start": frame.begun * frame.dt, "t_stop": (frame.begun + ticks) * frame.dt, "units": time_unit}
    for name, item in recorded.items():
        meaning = frame.meanings[name]
        if "events" in item or (meaning.role == "spike" and TRACE in item and item.k == 1):
            _trains(neo, block, item, spikes(item, meaning, frame), span)
        elif TRACE in item:
            _signals(neo, block, item, frame, time_unit)
    return block


def _trains(neo: Any, block: Any, item: Recorded, found: Spikes, span: Mapping[str, Any]) -> None:
    units = int(np.prod(item.fields[TRACE].shape[2:])) if TRACE in item else 0
    for segment, (times, ids) in zip(block.segments, found):
        order = np.argsort(ids, kind="stable")
        count = max(units, int(ids.max(initial=-1)) + 1)
        cuts = np.searchsorted(ids[order], np.arange(1, count))
        for unit, train in enumerate(np.split(times[order], cuts) if count else []):
            segment.spiketrains.append(neo.SpikeTrain(train, name=f"{item.name} {unit}", **span))


def _signals(neo: Any, block: Any, item: Recorded, frame: Frame, time_unit: str) -> None:
    import quantities

    unit = quantities.Quantity(1.0, time_unit)
    grid = {"sampling_period": item.k * frame.dt * unit, "t_start": (frame.begun + item.k - 1) * frame.dt * unit}
    values = item.values.reshape(*item.values.shape[:2], -1)
    for sample, segment in enumerate(block.segments):
        signal = neo.AnalogSignal(values[:, sample].astype(float), units="dimensionless", name=item.name, **grid)
        segment.analogsignals.append(signal)


def dimod_samples(item: Recorded, meaning: Meaning, energy: Any) -> Any:
    """Return a dimod.SampleSet of all ticks and samples, equal ones counted.

    energy: of each, (ticks, batch). Errors: T302, T419 for units that have other than two levels, or no trace.
    """
    dimod = need("dimod", "dimod", "sample sets")
    if meaning.levels is None:
        notes = [f"it is {meaning.role}", "a sample set is of units of two levels"]
        raise error("T419", f"{item.name!r} is no sample set", notes=notes)
    values = item.values
    samples = values.reshape(values.shape[0] * values.shape[1], -1).astype(np.int8)
    energies = np.asarray(energy, float).reshape(-1)
    if len(energies) != len(samples):
        notes = [f"there are {len(energies)}", f"there are {len(samples)} samples, of {item.name!r}"]
        raise error("T419", "there must be an energy for each sample", notes=notes, hint="(ticks, batch) numbers")
    kind = dimod.BINARY if meaning.levels == (0, 1) else dimod.SPIN
    return dimod.SampleSet.from_samples(samples, vartype=kind, energy=energies, aggregate_samples=True)
