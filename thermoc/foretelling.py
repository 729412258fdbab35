"""What a run will record, and what it will hold of memory, before it starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from thermoc.compiled import Compiled
from thermoc.ir.feed import Feed
from thermoc.ir.memory import Memory, foretold
from thermoc.recording.plan import planned, signals
from thermoc.recording.recording import Recording
from thermoc.support import memory


def recording_of(compiled: Compiled, record: Mapping[str, Any] | None, fed: Feed, *, begun: int = 0) -> Recording:
    """Return the recorders of a run that begins at the session's tick ``begun``. Errors: T419."""
    plan = planned(compiled.source, record)
    size = {"ticks": fed.ticks, "batch": fed.batch, "begun": begun}
    return Recording(plan, signals(compiled.source, compiled.graph, plan, **size))


def memory_of(
    compiled: Compiled, fed: Feed, recording: Recording, *, saved: bool = False, limit: int | str | None = None
) -> Memory:
    """Return what a run will hold; ``limit``: a size, by default what is free. Errors: T404."""
    return foretold(
        compiled.graph,
        ticks=fed.ticks,
        batch=fed.batch,
        timed=fed.timed,
        recorded=recording.sizes,
        limit=None if limit is None else memory.parsed(limit, "max_memory"),
        saved=saved,
    )
