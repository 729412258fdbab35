"""What a run recorded, as a report draws it: traces, rasters, values of a single tick, means, counts; thinned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from thermoc.recording.conversions import array_row, blocks, events_of
from thermoc.recording.layout import TRACE
from thermoc.recording.recorded import Recorded
from thermoc.run import Run
from thermoc.support.array_types import AnyArray
from thermoc.support.thinning import blocks as means
from thermoc.support.thinning import numbers, ranges

UNITS, SAMPLES = 12, 4
"""Lines of an output that a report holds: of so many units, in so many samples."""
RASTER_UNITS, RASTER_TICKS = 96, 500
MATRIX = 100
"""Rows of a picture of values by sample and unit."""
FEWEST_TICKS = 4
"""Fewer ticks make no line: their last is shown by sample and unit."""
BINS = 60
"""Bars of a histogram."""
CELLS = 100_000
"""Numbers of all traces, rasters and matrices of a page, which stays below a megabyte of them."""


def signals(run: Run, producers: Mapping[str, str], *, runs: int = 1) -> list[dict[str, Any]]:
    """Return what is drawn of each output.

    producers: the id of the op behind each, where the graph is known. runs: how many there are on the page.
    """
    budget = CELLS // max(1, len(run.recorded)) // runs
    return [_signal(run, item, producers.get(name), budget) for name, item in run.recorded.items()]


def _signal(run: Run, item: Recorded, op: str | None, cells: int) -> dict[str, Any]:
    meaning = run.frame.meanings[item.name]
    entry: dict[str, Any] = {
        "name": item.name,
        "op": op,
        "role": meaning.role,
        "recorded": [str(spec) for spec in item.specs],
        "fields": [array_row({"field": of}, item.fields[of]) for of in item if of != "count"],
        "notes": [],
    }
    if TRACE in item and 0 not in item.fields[TRACE].shape:
        _traced(entry, item, cells, spikes=meaning.role == "spike" or meaning.levels is not None)
    elif "events" in item:
        _evented(entry, events_of(item, meaning), run, cells)
    for of in ("mean", "last", "minimum", "maximum"):
        if of in item:
            entry.setdefault("profiles", {})[of] = numbers(_by_unit(item[of])[: 10 * MATRIX])
    if "counts" in item:
        entry["counts"] = [int(count) for count in item.counts[: 2**10]]
    return entry


def _by_unit(array: AnyArray) -> AnyArray:
    """Return the mean over the samples of each unit."""
    return array.reshape(len(array), -1).mean(axis=0)


def _traced(entry: dict[str, Any], item: Recorded, cells: int, *, spikes: bool) -> None:
    trace = item.fields[TRACE]
    ticks, batch, units = trace.shape[0], trace.shape[1], int(np.prod(trace.shape[2:]))
    entry |= {"ticks": ticks, "samples": batch, "units": units, "shape": list(trace.shape[2:])}
    if ticks < FEWEST_TICKS:
        entry["matrix"] = _matrix(entry, np.asarray(trace[ticks - 1 : ticks])[0], int(item.ticks[-1]), cells)
        return
    if entry["role"] == "energy":
        entry["histogram"] = _histogram(trace)
    entry["trace"] = _trace(entry, item, cells // (2 if spikes and units > 1 else 1))
    if spikes and units > 1:
        entry["raster"] = _raster(entry, item, cells // 2)


def _histogram(trace: Any) -> dict[str, Any]:
    """Return how often each value came in all ticks, samples and units, none left out; a store is read in parts."""
    ends = [(block.min(), block.max()) for block in (_finite(block) for block in blocks(trace)) if block.size]
    low, high = (min(low for low, _ in ends), max(high for _, high in ends)) if ends else (0.0, 0.0)
    edges = np.histogram_bin_edges(np.array([low, high], float), BINS)
    counts = np.sum([np.histogram(_finite(block), edges)[0] for block in blocks(trace)], axis=0)
    return {"edges": numbers(edges), "counts": counts.tolist()}


def _finite(part: AnyArray) -> AnyArray:
    return part[np.isfinite(part)]


def picked(trace: Any, samples: int, units: Sequence[int] | AnyArray) -> AnyArray:
    """Return the first samples and these units (flat) of a trace, (ticks, samples, units); a store is read in parts."""
    parts = [
        block[:, :samples].reshape(len(block), min(samples, block.shape[1]), -1)[..., units] for block in blocks(trace)
    ]
    return np.concatenate(parts).astype(float)


def _trace(entry: dict[str, Any], item: Recorded, cells: int) -> dict[str, Any]:
    samples, units = min(entry["samples"], SAMPLES), np.arange(min(entry["units"], UNITS))
    lines = picked(item.fields[TRACE], samples, units)
    points = max(20, cells // (2 * samples * len(units)))
    ticks, thin, step = ranges(item.ticks, lines, min(points, 1000))
    _say(entry, step, "tick", f"{entry['ticks']} ticks are drawn as ranges of {step}: their least and greatest value")
    _say(entry, entry["units"] // len(units), "unit", f"lines: the first {len(units)} of {entry['units']} units")
    _say(entry, entry["samples"] // samples, "sample", f"lines: the first {samples} of {entry['samples']} samples")
    drawn = [[numbers(thin[:, sample, unit]) for unit in range(len(units))] for sample in range(samples)]
    return {"ticks": [int(tick) for tick in ticks], "step": step, "lines": drawn}


def _raster(entry: dict[str, Any], item: Recorded, cells: int) -> dict[str, Any]:
    stride = max(1, -(-entry["units"] // RASTER_UNITS))
    units = np.arange(0, entry["units"], stride)
    samples = max(1, min(entry["samples"], SAMPLES, cells // (len(units) * 100)))
    lines = picked(item.fields[TRACE], samples, units)
    limit = max(20, min(RASTER_TICKS, cells // (len(units) * samples)))
    thin, step = means(lines, limit)
    _say(entry, step, "tick", f"raster: each mark is the mean of {step} ticks")
    _say(entry, stride, "unit", f"raster: every {stride}th of {entry['units']} units")
    rows = [[numbers(thin[:, sample, unit]) for unit in range(len(units))] for sample in range(samples)]
    first = item.ticks[::step][: len(thin)]
    return {"ticks": [int(tick) for tick in first], "step": step, "units": units.tolist(), "rows": rows}


def _evented(entry: dict[str, Any], rows: AnyArray, run: Run, cells: int) -> None:
    """Count the spikes of bins of ticks and units; there is no trace to take them from."""
    units, samples = int(rows[:, 2].max(initial=0)) + 1, min(run.frame.batch, SAMPLES)
    entry |= {"ticks": run.ticks, "samples": run.frame.batch, "units": units, "shape": [units]}
    stride = max(1, -(-units // RASTER_UNITS))
    step = max(1, -(-run.ticks // max(20, min(RASTER_TICKS, cells * stride // (units * samples)))))
    counts = np.zeros((samples, -(-units // stride), -(-run.ticks // step)))
    mine = rows[rows[:, 1] < samples]
    np.add.at(counts, (mine[:, 1], mine[:, 2] // stride, (mine[:, 0] - run.frame.begun) // step), 1.0)
    _say(entry, step * stride, "bin", f"raster: each mark counts the spikes of {step} ticks and {stride} units")
    ticks = run.frame.begun + step * np.arange(counts.shape[2])
    drawn = [[numbers(line) for line in sample] for sample in counts]
    entry["raster"] = {
        "ticks": ticks.tolist(),
        "step": step,
        "units": list(range(0, units, stride)),
        "rows": drawn,
    }


def _matrix(entry: dict[str, Any], values: AnyArray, tick: int, cells: int) -> dict[str, Any]:
    flat = values.reshape(len(values), -1)
    stride = max(1, -(-flat.shape[1] // MATRIX))
    limit = min(MATRIX, max(1, cells // -(-flat.shape[1] // stride)))
    _say(entry, -(-len(flat) // limit), "sample", f"the first {limit} of {len(flat)} samples are drawn")
    _say(entry, stride, "unit", f"every {stride}th of {flat.shape[1]} units is drawn")
    rows = [numbers(row) for row in flat[:limit, ::stride]]
    return {"tick": tick, "rows": rows, "units": list(range(0, flat.shape[1], stride))}


def _say(entry: dict[str, Any], factor: int, what: str, text: str) -> None:
    """Note that points were left out, where they were; ``what`` is thinned by ``factor``."""
    if factor > 1:
        entry["notes"].append(text)
        entry.setdefault("thinned", {})[what] = factor
