"""``thermoc demo``."""

from __future__ import annotations

from thermoc.cli.output import print_json, say
from thermoc.cli.parameters import Json
from thermoc.support.tables import table


def demo(as_json: Json = False) -> None:
    """Compile a trained network for every target, run it on digits it never saw, compare with the reference."""
    from thermoc.demo import demo as rows_of

    rows = [row.to_json() for row in rows_of()]
    if as_json:
        print_json(rows)
        return
    shown = [{name: value for name, value in row.items() if name != "needs"} for row in rows if row["needs"] is None]
    say(table("599 handwritten digits the network never saw", shown))
    missing = [row for row in rows if row["needs"] is not None]
    for row in missing:
        say(f"not run: {row['target']}. It needs: {row['needs']}")
