"""``thermoc targets``."""

from __future__ import annotations

from thermoc.cli.output import print_json, say
from thermoc.cli.parameters import Json
from thermoc.reports.support import support_rows, support_table


def targets(as_json: Json = False) -> None:
    """Show which op each target holds: itself, by expansion into others, or not."""
    if as_json:
        print_json(support_rows())
    else:
        say(support_table())
