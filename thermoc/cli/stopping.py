"""A run that Ctrl-C or an error stops: what it has recorded is written, and how to go on is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import typer

from thermoc.cli.exit_codes import INTERRUPTED
from thermoc.cli.output import say
from thermoc.cli.results import Results
from thermoc.run import Interrupted, Run, Stopped


def finished(run: Callable[[], Run], wanted: Results, checkpoint: Path | None) -> None:
    """Run, then write what is wanted of it; where it is stopped, write what there is. Errors: those of the run."""
    try:
        result = run()
    except Interrupted as stop:
        _say_where(stop.run, stop.ticks, checkpoint)
        wanted.write(stop.run, ticks=stop.ticks)
        raise typer.Exit(INTERRUPTED) from None
    except Stopped as problem:
        if problem.run is not None:
            _say_where(problem.run, problem.ticks, checkpoint)
            wanted.write(problem.run, ticks=problem.ticks)
        raise
    wanted.finish(result)


def _say_where(run: Run, ticks: int, checkpoint: Path | None) -> None:
    resumed = (
        "with --checkpoint PATH a run can go on" if checkpoint is None else f"to go on: thermoc resume {checkpoint}"
    )
    say(f"stopped at tick {run.ticks} of {ticks}; {resumed}", err=True)
