"""Small figures as SVG text: lines over an axis, and arrays as grids of colours.

They stand inside the page, so that text has the page's colour in light and dark; one takes a millisecond, where
matplotlib takes a tenth of a second.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

COLOURS = ("#4269d0", "#d97706", "#e0506b", "#3ca951", "#a463f2", "#6b7280")
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 440, 200, 52, 40, 10, 128


@dataclass(frozen=True, kw_only=True)
class Line:
    """A course of y over x, drawn through its points, as steps that hold from one to the next, or as points."""

    x: NDArray
    y: NDArray
    label: str = ""
    style: Literal["line", "steps", "points"] = "line"


def chart(lines: Sequence[Line], *, x: str, y: str) -> str:
    """Return a chart of lines with a frame, round numbers on both axes, and a legend where lines have labels."""
    low, high = _limits(line.x for line in lines)
    bottom, top = _limits((line.y for line in lines), margin=0.06)
    across = _scale(low, high, LEFT, WIDTH - RIGHT)
    up = _scale(bottom, top, HEIGHT - BOTTOM, TOP)
    parts = [_frame()]
    for value in ticks(low, high):
        parts.append(_text(across(value), HEIGHT - BOTTOM + 14, _number(value), anchor="middle"))
        parts.append(_rule(across(value), TOP, across(value), HEIGHT - BOTTOM))
    for value in ticks(bottom, top):
        parts.append(_text(LEFT - 6, up(value) + 3.5, _number(value), anchor="end"))
        parts.append(_rule(LEFT, up(value), WIDTH - RIGHT, up(value)))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, x, anchor="middle"))
    parts.append(
        f'<g transform="translate(12,{(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)">{_text(0, 0, y, "middle")}</g>'
    )
    for number, line in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        parts.append(_drawn(line, colour, across, up))
        if line.label:
            height = TOP + 12 + 16 * number
            parts.append(f'<circle cx="{WIDTH - RIGHT + 14}" cy="{height - 4}" r="4" fill="{colour}"/>')
            parts.append(_text(WIDTH - RIGHT + 24, height, line.label))
    return _svg(parts, WIDTH, HEIGHT, f"{y} against {x}")


def grids(arrays: Sequence[tuple[str, ArrayLike]]) -> str:
    """Return arrays side by side, each a grid of squares with its numbers; blue is above 0, orange below."""
    parts: list[str] = []
    left, height = 6.0, 0.0
    for title, given in arrays:
        array = np.atleast_2d(np.asarray(given, float))
        array = array.reshape(-1, array.shape[-1])
        side = 30.0 if array.shape[1] <= 6 else 22.0
        largest = float(np.max(np.abs(array), initial=1e-12))
        for (row, column), value in np.ndenumerate(array):
            parts.append(_square(left + side * column, 22 + side * row, side, value, largest))
        parts.append(_text(left, 14, title))
        left += max(side * array.shape[1], 7.0 * len(title)) + 26
        height = max(height, 22 + side * array.shape[0])
    return _svg(parts, left - 16, height + 8, ", ".join(title for title, _ in arrays))


def ticks(low: float, high: float, about: int = 5) -> NDArray:
    """Return round numbers from low to high: 1, 2 or 5 times a power of ten apart."""
    rough = (high - low) / about
    power = 10.0 ** np.floor(np.log10(rough))
    step = power * min((1, 2, 5, 10), key=lambda factor: abs(factor * power - rough))
    values = np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step
    return np.where(np.abs(values) < step / 2, 0.0, values)


def _limits(arrays: Iterable[NDArray], margin: float = 0.0) -> tuple[float, float]:
    values = np.concatenate([np.ravel(array).astype(float) for array in arrays])
    values = values[np.isfinite(values)]
    low, high = float(values.min()), float(values.max())
    if high - low < 1e-9 * max(1.0, abs(high)):
        low, high = low - 0.5, high + 0.5
    return low - margin * (high - low), high + margin * (high - low)


def _scale(low: float, high: float, first: float, last: float):
    return lambda value: first + (float(value) - low) / (high - low) * (last - first)


def _drawn(line: Line, colour: str, across, up) -> str:
    points = [(across(x), up(y)) for x, y in zip(line.x, line.y) if np.isfinite(y)]
    if line.style == "points":
        return "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="1.8" fill="{colour}"/>' for x, y in points)
    if line.style == "steps":
        nexts = [x for x, _ in points[1:]] + [points[-1][0]]
        points = [corner for (x, y), after in zip(points, nexts) for corner in ((x, y), (after, y))]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.8" stroke-linejoin="round"/>'


def _square(x: float, y: float, side: float, value: float, largest: float) -> str:
    colour = COLOURS[0] if value >= 0 else COLOURS[1]
    style = f'fill="{colour}" fill-opacity="{0.08 + 0.72 * abs(value) / largest:.2f}" stroke="currentColor"'
    square = f'<rect x="{x:.0f}" y="{y:.0f}" width="{side:.0f}" height="{side:.0f}" {style} stroke-opacity=".25"/>'
    return square + _text(x + side / 2, y + side / 2 + 3.5, _number(value, 2), anchor="middle", size=9)


def _number(value: float, digits: int = 3) -> str:
    return f"{value:.{digits}g}".replace("-", "\N{MINUS SIGN}")


def _frame() -> str:
    size = f'width="{WIDTH - LEFT - RIGHT}" height="{HEIGHT - TOP - BOTTOM}"'
    return f'<rect x="{LEFT}" y="{TOP}" {size} fill="none" stroke="currentColor" stroke-opacity=".45"/>'


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="currentColor" stroke-opacity=".12"/>'


def _text(x: float, y: float, text: str, anchor: str = "start", size: int = 11) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
    return f'<text {place} fill="currentColor">{html.escape(text)}</text>'


def _svg(parts: Iterable[str], width: float, height: float, says: str) -> str:
    size = f'viewBox="0 0 {width:.0f} {height:.0f}" style="max-width:{width:.0f}px"'
    return f'<svg class="figure" role="img" aria-label="{html.escape(says)}" {size}>{"".join(parts)}</svg>'
