"""Run a program."""

from __future__ import annotations

from thermoc.backends.base import NoisePosition, Outcome
from thermoc.ir.feed import Feed
from thermoc.simulator import Program


def run(program: Program, feed: Feed, position: NoisePosition, threads: int | None) -> Outcome:
    """Return outputs and states of a run. Errors: none of its own; ``feed`` has been checked."""
    from thermoc import simulator

    result = simulator.run(
        program,
        feed.arrays,
        ticks=feed.ticks,
        batch=feed.batch,
        seed=position.seed,
        first_sample=position.first_sample,
        first_tick=position.first_tick,
        threads=threads,
    )
    return Outcome(outputs=result.outputs, states=result.states)
