"""What pictures of a chip have in common: numbers of tiles and cores, the scale in mm, and marks for p-bits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from thermoc.support.plurals import counted

if TYPE_CHECKING:
    from thermoc.backends.chip.report import ChipReport

INK = "#222222"
MARKS = "osD^vPX*"
"""A shape for the p-bits of each op, from the first on."""
FEWEST_POINTS = 9.0
"""Cores are numbered where they are so many points wide, and tiles where they are."""
POINTS_AN_INCH = 72
MOST_TICKS = 9


def aspect(report: ChipReport) -> float:
    """Return how high a core is for its width."""
    chip = report.run.artefact.mapping.chip
    wide, high = chip.grid()
    return chip["mesh.tile_height"] / high / (chip["mesh.tile_width"] / wide)


def label(report: ChipReport, name: str) -> str:
    """Return an op by all that it holds: the names of the network's ops that were fused into it."""
    return " + ".join(report.run.artefact.fused.get(name, (name,)))


def tiles(axes: Any, report: ChipReport) -> None:
    """Outline tiles and set the frame: rows run down, and the scale is in mm."""
    chip = report.run.artefact.mapping.chip
    rows, columns = report.run.heat.shape
    wide, high = chip.grid()
    for x in range(0, columns + 1, wide):
        axes.plot([x, x], [0, rows], color=INK, linewidth=0.5, alpha=0.5)
    for y in range(0, rows + 1, high):
        axes.plot([0, columns], [y, y], color=INK, linewidth=0.5, alpha=0.5)
    axes.set(xlim=(0, columns), ylim=(rows, 0), aspect=aspect(report), xlabel="mm", ylabel="mm")
    _ticks(axes.set_xticks, columns, 1e3 * chip["mesh.tile_width"] / wide)
    _ticks(axes.set_yticks, rows, 1e3 * chip["mesh.tile_height"] / high)
    axes.tick_params(labelsize=7, length=2)


def _ticks(setter: Any, cores: int, millimetres: float) -> None:
    """Set marks at round numbers of mm along an axis of so many cores."""
    length = cores * millimetres
    power = 10.0 ** math.floor(math.log10(length / MOST_TICKS))
    step = next(power * k for k in (1, 2, 5, 10) if length / (power * k) <= MOST_TICKS)
    marks = np.arange(0, length * (1 + 1e-9), step)
    setter(marks / millimetres, [f"{mark:g}" for mark in np.round(marks, 9)])


def numbers(axes: Any, report: ChipReport, inches: float, *, colour: str = INK) -> None:
    """Number tiles at their corners and cores in their middles, where there is space; ``inches``: the die's width."""
    chip = report.run.artefact.mapping.chip
    wide, _ = chip.grid()
    points = POINTS_AN_INCH * inches / report.run.heat.shape[1]
    size = max(3.0, min(7.0, 0.3 * points))
    style = {"color": colour, "clip_on": True, "zorder": 6}
    if points * wide >= FEWEST_POINTS:
        for tile in range(chip.tiles):
            x, y = chip.position(tile * chip.whole("mesh.cores"))
            axes.text(x + 0.06, y + 0.06, f"{tile}", fontsize=size, fontweight="bold", ha="left", va="top", **style)
    if points >= FEWEST_POINTS:
        for core in range(chip.cores):
            x, y = chip.position(core)
            axes.text(x + 0.94, y + 0.94, f"{core}", fontsize=0.85 * size, ha="right", va="bottom", **style)


def samplers(axes: Any, report: ChipReport, **style: Any) -> None:
    """Mark the cores of each op that samples with a shape of its own, which the legend explains."""
    layout = report.run.artefact.mapping
    for number, (name, cores) in enumerate(layout.sites.items()):
        used = np.unique(cores)
        spots = np.array([layout.chip.position(int(core)) for core in used]).reshape(-1, 2) + 0.5
        count = f"{len(cores)} on {counted(len(used), 'core')}"
        what = f"p-bits of {label(report, name)}, {count}"
        axes.plot(*spots.T, MARKS[number % len(MARKS)], linestyle="", label=what, **style)
