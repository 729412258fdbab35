"""``thermoc passes``."""

from __future__ import annotations

from thermoc.cli.output import print_json, say
from thermoc.cli.parameters import Json
from thermoc.reports.pass_table import pass_rows, pass_table


def passes(as_json: Json = False) -> None:
    """List the passes that --passes can name, each with its options, their types and defaults."""
    if as_json:
        print_json(pass_rows())
    else:
        say(pass_table())
