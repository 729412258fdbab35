"""Run a program."""

from __future__ import annotations

from thermoc.backends.base import Outcome, Place
from thermoc.ir.feed import Feed
from thermoc.simulator import Program


def run(program: Program, feed: Feed, place: Place, threads: int | None) -> Outcome:
    """Return outputs and states of a run. Errors: none of its own; ``feed`` has been checked."""
    from thermoc import simulator

    result = simulator.run(
        program,
        feed.arrays,
        ticks=feed.ticks,
        batch=feed.batch,
        seed=place.seed,
        first_sample=place.first_sample,
        first_tick=place.first_tick,
        threads=threads,
    )
    return Outcome(outputs=result.outputs, states=result.states)
