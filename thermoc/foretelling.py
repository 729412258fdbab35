"""What a run will hold of memory, before it starts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from thermoc.compiled import Compiled
from thermoc.ir.feed import Feed
from thermoc.ir.memory import NUMBER, MemoryEstimate, foretold
from thermoc.ir.recording import Signal
from thermoc.recording.files import suffix_of
from thermoc.recording.plan import TRACES, Plan, signals
from thermoc.recording.store import CHUNK_BYTES
from thermoc.support import memory

NUMBERS, COPY, VALUES = "numbers of the network", "numbers of the target", "values of a tick, of one sample"


def memory_of(
    compiled: Compiled,
    fed: Feed,
    plan: Plan,
    *,
    to: str | os.PathLike[str] | None = None,
    saved: bool = False,
    limit: int | str | None = None,
) -> MemoryEstimate:
    """Return what a run will hold that records a plan.

    to: where it is written. saved: whether checkpoints are. limit: a size, by default what is free. Errors: T404, T506.
    """
    suffix = None if to is None else suffix_of(to)
    signal = signals(compiled.source, compiled.graph, plan, ticks=fed.ticks, batch=fed.batch, begun=0)
    recorded = _sizes(plan, signal, streamed=suffix == ".zarr")
    compiled_already = "artefact" in vars(compiled)
    numbers, copy = compiled.sizes.numbers, compiled.sizes.lowered
    estimate = foretold(
        compiled.graph,
        ticks=fed.ticks,
        batch=fed.batch,
        timed=fed.timed,
        recorded=recorded,
        limit=None if limit is None else memory.parsed(limit, "max_memory"),
        saved=saved,
        packed=suffix in (".nc", ".npz"),
        # what a target makes of the numbers takes room for as much again while it is made
        network={
            NUMBERS: numbers,
            COPY: copy if compiled_already else 2 * copy,
            VALUES: NUMBER * compiled.sizes.values,
        },
        held=numbers + copy if compiled_already else numbers,
    )
    if getattr(compiled.options, "device", "cpu") == "cpu":
        return estimate
    where = {"batch": fed.batch, "ticks": estimate.chunk, "timed": fed.timed > 0}
    return replace(estimate, device=compiled.backend.device_memory(compiled.artefact, **where))


def _sizes(plan: Plan, signal: Mapping[str, Signal], *, streamed: bool) -> dict[str, int]:
    """Return the bytes that are kept of each output; of a trace that is streamed, a chunk."""
    sizes: dict[str, int] = {}
    for name, specs in plan.items():
        recorded = {spec: spec.recorder(signal[name]).nbytes for spec in specs}
        waiting = {spec: min(size, CHUNK_BYTES) for spec, size in recorded.items() if streamed and spec.kind in TRACES}
        sizes[name] = sum((recorded | waiting).values())
    return sizes
