"""Fewer points of what has too many: ranges of neighbours for lines, means of neighbours for rasters. All say so."""

from __future__ import annotations

from typing import Any

import numpy as np

from thermoc.support.array_types import AnyArray

POINTS = 1000
"""A line of more than twice as many points is drawn as so many ranges."""


def number(value: Any) -> float | None:
    """Return a number that JSON can hold; None for one that is not finite."""
    value = float(value)
    # Six digits are more than a screen can show, and half of what the page would else weigh.
    return float(f"{value:.6g}") if np.isfinite(value) else None


def numbers(array: Any) -> list[float | None]:
    """Return numbers that JSON can hold."""
    return [number(value) for value in np.asarray(array, float).ravel()]


def ranges(ticks: AnyArray, lines: AnyArray, points: int = POINTS) -> tuple[AnyArray, AnyArray, int]:
    """Return ticks and lines (points, n) with, of each ``step`` neighbours, the least and the greatest.

    They stand at the first and the last tick of these, so that no peak is lost; step is 1 where nothing was left out.
    """
    count = len(lines)
    step = -(-count // points) if count > 2 * points else 1
    if step == 1:
        return ticks, lines, 1
    cuts = np.arange(0, count, step)
    low, high = np.minimum.reduceat(lines, cuts), np.maximum.reduceat(lines, cuts)
    ends = np.minimum(cuts + step - 1, count - 1)
    # Which of the two comes first is taken from the ends, so that a slope stays a slope.
    rising = lines[ends] >= lines[cuts]
    first, second = np.where(rising, low, high), np.where(rising, high, low)
    interleaved = np.stack([first, second], axis=1).reshape(-1, *lines.shape[1:])
    return np.stack([ticks[cuts], ticks[ends]], axis=1).ravel(), interleaved, step


def blocks(lines: AnyArray, most: int) -> tuple[AnyArray, int]:
    """Return means over each ``step`` neighbours along the first axis, at most ``most`` of them."""
    step = max(1, -(-len(lines) // most))
    if step == 1:
        return np.asarray(lines, float), 1
    cuts = np.arange(0, len(lines), step)
    counts = np.diff(np.append(cuts, len(lines))).reshape(-1, *[1] * (lines.ndim - 1))
    return np.add.reduceat(np.asarray(lines, float), cuts) / counts, step
