"""``thermoc demo``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from numpy.typing import NDArray

from thermoc.api import compile
from thermoc.cli.output import print_json, say
from thermoc.cli.parameters import Json
from thermoc.reports.html import check_page
from thermoc.support.errors import ThermocError
from thermoc.support.files import can_write
from thermoc.support.tables import table

MISSING = ("T302", "T510")
"""Codes of what is not installed here."""
Page = Annotated[
    Path | None, typer.Option("--report", metavar="PAGE.html", help="Write a page of it, verified on every target.")
]


def demo(report: Page = None, as_json: Json = False) -> None:
    """Compile a trained network for every target, run it on digits it never saw, compare with the reference."""
    from thermoc.demo import demo as rows_of

    if report is not None:
        check_page(report)
        can_write(report)

    rows = [row.to_json() for row in rows_of()]
    if report is not None:
        _report(report)
    if as_json:
        print_json(rows)
        return
    shown = [{name: value for name, value in row.items() if name != "needs"} for row in rows if row["needs"] is None]
    say(table("599 handwritten digits the network never saw", shown))
    missing = [row for row in rows if row["needs"] is not None]
    for row in missing:
        say(f"not run: {row['target']}. It needs: {row['needs']}")
    if report is not None:
        say(f"wrote {report}")


def _report(path: Path) -> None:
    """Verify the digits on each target that can run here, and write the page."""
    from thermoc.demo import CHIP, TARGETS, calibrated, digits, network
    from thermoc.verification import verify

    data, net = digits(), network()
    # At the die's own heat the chip's numbers differ on purpose: there is no reference to hold them against.
    chip = {"chip": CHIP, **calibrated(data), "temperature": "model"}
    options = {**TARGETS, "lava": {"input_range": (0.0, 1.0)}, "chip": chip}
    inputs = {"pixels": data.test_images}
    able = [name for name, chosen in options.items() if _runs(net, name, chosen, inputs["pixels"][:1])]
    chosen = {name: options[name] for name in able}
    verified = verify(net, able, inputs=inputs, ticks=1, options=chosen)
    verified.report({"probs": data.test_labels}).html(path)


def _runs(net: Any, target: str, options: Mapping[str, Any], pixels: NDArray) -> bool:
    """Tell whether what a target runs on is installed."""
    try:
        compile(net, target, **options).run({"pixels": pixels})
    except ThermocError as problem:
        if problem.code not in MISSING:
            raise
        return False
    return True
