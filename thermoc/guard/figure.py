"""A guard band as a figure: how far draws are from their law, against the rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from thermoc.plot import COLOURS, plain_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEAST = 1e-2
"""A distance below this part of epsilon is drawn there: heaters hold units to rounding."""


def figure(points: Sequence[Any], epsilon: float, title: str) -> Figure:
    """Return the figure: a line for each placement and reference. Errors: T302 without matplotlib."""
    drawn = plain_figure(6.5, 4.0)
    axes = drawn.subplots()
    curves: dict[tuple[str, float], list[Any]] = {}
    for point in points:
        if not point.reason:
            curves.setdefault((point.placement, point.reference), []).append(point)
    for k, ((placement, reference), measured) in enumerate(curves.items()):
        measured.sort(key=lambda point: point.rate)
        axes.plot(
            [point.rate for point in measured],
            [max(point.distance, LEAST * epsilon) for point in measured],
            color=COLOURS[k % len(COLOURS)],
            marker="o",
            markersize=3,
            label=f"placement {placement!r}, drives calibrated at {reference:.4g} K",
        )
    axes.axhline(epsilon, color="#777777", linestyle="--", linewidth=1, label=f"epsilon = {epsilon:g}")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("sweeps a second")
    axes.set_ylabel("total variation of a draw from its law, at worst")
    axes.set_title(title, fontsize=10)
    axes.legend(frameon=False, fontsize=8)
    return drawn
