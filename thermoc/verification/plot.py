"""Error against tick, one panel for each target and error: what was found, and its tolerance dashed."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from thermoc.support.errors import error
from thermoc.support.files import picture_format, write_atomic
from thermoc.verification.comparison import EMISSION, LOWERING, Comparison

FORMATS = ("png", "svg")
LEAST = 1e-17
"""Where an error of zero is drawn on the logarithmic axis."""


def plot(rows: Sequence[Comparison], targets: Sequence[str], path: str | os.PathLike[str], *, title: str) -> None:
    """Write the picture. Errors: T404 for another suffix than .png and .svg, T302 without matplotlib, T505."""
    kind = format_of(path)
    try:
        from matplotlib.figure import Figure
    except ImportError:
        hint = 'pip install "thermoc[viz]"'
        raise error("T302", "pictures need matplotlib, which is not installed", hint=hint) from None
    # A figure of its own, without pyplot: no window, no global state, no backend to choose.
    figure = Figure(figsize=(10, 2.6 * len(targets) + 0.6), layout="constrained")
    panels = figure.subplots(len(targets), 2, sharex=True, sharey=True, squeeze=False)
    for line, target in zip(panels, targets):
        for panel, kind_of in zip(line, (LOWERING, EMISSION)):
            drawn = [row for row in rows if (row.target, row.error) == (target, kind_of)]
            _panel(panel, f"{target}: {kind_of} error", drawn)
    for panel in panels[-1]:
        panel.set_xlabel("tick")
    figure.suptitle(f"{title}: largest difference at each tick; dashed: its tolerance")
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind)
    write_atomic(path, buffer.getvalue())


def format_of(path: str | os.PathLike[str]) -> str:
    """Return png or svg, as the suffix says. Errors: T404."""
    return picture_format(path, FORMATS)


def _panel(panel: Any, title: str, rows: list[Comparison]) -> None:
    for row in rows:
        size, tolerance = row.course
        ticks = np.arange(len(size))
        (line,) = panel.plot(ticks, _drawn(size), label=row.value + ("" if row.ok else " (breach)"))
        panel.plot(ticks, _drawn(tolerance), "--", color=line.get_color(), linewidth=0.8)
        if row.first is not None:
            panel.axvline(row.first, color=line.get_color(), linewidth=0.6, linestyle=":")
    panel.set_yscale("log")
    panel.set_title(title, fontsize=9)
    panel.legend(fontsize=7)


def _drawn(sizes: Any) -> Any:
    return np.where(np.isfinite(sizes), np.maximum(sizes, LEAST), np.nan)
