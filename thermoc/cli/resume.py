"""``thermoc resume``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from thermoc.cli.parameters import Json, MaxMemory
from thermoc.cli.results import Results
from thermoc.cli.stopping import finished
from thermoc.session import Session
from thermoc.support.errors import error


def resume(
    checkpoint: Annotated[Path, typer.Argument(metavar="PATH", help="What `thermoc run --checkpoint PATH` wrote.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write what is recorded as .npz.", show_default="where the run was to"),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option("--device", metavar="DEVICE", help="Go on on cpu, cuda or auto.", show_default="as before"),
    ] = None,
    max_memory: MaxMemory = None,
    as_json: Json = False,
) -> None:
    """Go on with a run that was stopped or killed: the same bytes at the end as without."""
    Results(output=output).check_output()  # before the network is compiled
    with Session.load(checkpoint, device=device) as session:
        if session.pending is None:
            notes = [f"it holds a session at tick {session.tick}"]
            hint = "in Python: tc.Session.load(path).run(ticks)"
            raise error("T404", f"{checkpoint} holds no run to resume", notes=notes, hint=hint)
        results = Results.noted(session.pending.note)
        if output is not None:
            results = replace(results, output=output)
        results = replace(results, as_json=as_json or results.as_json)
        results.can_write()
        shown = False if results.as_json else None
        finished(
            lambda: session.resume(checkpoint=checkpoint, progress=shown, max_memory=max_memory), results, checkpoint
        )
