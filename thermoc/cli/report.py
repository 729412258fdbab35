"""``thermoc report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thermoc.cli.output import print_json, say
from thermoc.cli.parameters import Json
from thermoc.reports.html import check_page
from thermoc.reports.html import report as make_report
from thermoc.run import open_run
from thermoc.support.files import can_write


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="What --to wrote: a .zarr, .nc or .npz.")],
    other: Annotated[
        Path | None, typer.Argument(metavar="OTHER", help="Another run of the same network, to compare with.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="PAGE.html", help="The page.")] = Path(
        "report.html"
    ),
    as_json: Json = False,
) -> None:
    """Write one page that shows a run, or two side by side; it opens in any browser and needs no network."""
    check_page(output)
    can_write(output)
    runs = [open_run(path) for path in (run, other) if path is not None]
    page = make_report(*runs)
    size = page.html(output)
    if as_json:
        print_json({"path": str(output), "bytes": size, "verdict": page.document["verdict"]})
        return
    say(str(page))
    say(f"wrote {output}")
