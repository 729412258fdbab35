"""A table of costs as a figure: a panel for joules, seconds, kelvins and error, a bar a machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from thermoc.costs.row import Cost
from thermoc.plot import COLOURS, plain_figure
from thermoc.support.tables import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PANELS = {"joules": "J an inference", "seconds": "s an inference", "kelvin": "K at most", "error": "rms error"}
LOGARITHMIC = ("joules", "seconds")


def figure(rows: Sequence[Cost], title: str) -> Figure:
    """Return the figure. Errors: T302 without matplotlib."""
    drawn = plain_figure(9.5, 1.5 + 0.42 * max(len(rows), 3))
    panels = drawn.subplots(1, len(PANELS), sharey=True)
    for panel, (name, label) in zip(panels, PANELS.items()):
        _panel(panel, rows, name, label)
    panels[0].set_yticks(range(len(rows)), [plain(row.on) for row in rows])
    panels[0].invert_yaxis()
    missing = [f"{row.on} cannot hold it" for row in rows if row.reason]
    drawn.suptitle(title + ("" if not missing else f"; {', '.join(missing)}"), fontsize=10, x=0.01, ha="left")
    return drawn


def _panel(panel: Any, rows: Sequence[Cost], name: str, label: str) -> None:
    values = [getattr(row, name) for row in rows]
    positive = [value for value in values if value]
    base = _base(name, positive)
    if name in LOGARITHMIC and positive:
        panel.set_xscale("log")
        panel.set_xlim(base, max(positive) * 300)
    elif positive:
        panel.set_xlim(base, base + (max(positive) - base) * 1.9 or base + 1)
    for y, (row, value) in enumerate(zip(rows, values)):
        if value is None:
            text = "no" if row.reason else "unknown"
            panel.text(0.02, y, text, va="center", fontsize=8, color="#777777", transform=_rows_of(panel))
            continue
        start = base if name == "kelvin" else 0.0
        panel.barh(y, value - start, left=start, height=0.6, color=COLOURS[0])
        mark = row.marks.get(name, "")
        panel.text(
            max(value, base),
            y,
            f" {value:.{5 if name == 'kelvin' else 3}g} {mark}".rstrip(),
            va="center",
            fontsize=8,
        )
    panel.set_xlabel(label, fontsize=9)
    if name not in LOGARITHMIC:
        panel.locator_params(axis="x", nbins=3)
    panel.tick_params(labelsize=8)
    panel.spines[["top", "right"]].set_visible(False)


def _rows_of(panel: Any) -> Any:
    return panel.get_yaxis_transform()


def _base(name: str, known: list[float]) -> float:
    """Return where bars start: temperatures are no amounts, and start below the coldest."""
    if name == "kelvin" and known:
        return min(known) - max(1.0, 0.5 * (max(known) - min(known)))
    return min(known) / 10 if name in LOGARITHMIC and known else 0.0
