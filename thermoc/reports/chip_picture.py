"""Pictures of a run on a chip: who works where, how hot it is, and how that moves in time."""

from __future__ import annotations

import io
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.chip.picture import joules_by_core
from thermoc.reports.chip_marks import INK, aspect, label, numbers, samplers, tiles
from thermoc.support.errors import error
from thermoc.support.files import picture_format, write_atomic

if TYPE_CHECKING:
    from thermoc.backends.chip.report import ChipReport

FORMATS = ("png", "svg")
COLOURS = ("#4269d0", "#efb118", "#3ca951", "#ff725c", "#a463f2", "#97bbf5", "#9c6b4e", "#6cc5b0")
IDLE, OTHER = "#f3f3f1", "#9498a0"
WIDE = {"floorplan": 5.0, "map": 5.0}
"""About so many inches of a picture are the die."""
TALLEST = 20.0


def floorplan(report: ChipReport, path: str | os.PathLike[str]) -> None:
    """Draw what each core works for most, whose p-bits are where, and what the links carry; tiles and cores numbered.

    Errors: T302 without matplotlib, T404 for another suffix than .png and .svg, T505.
    """
    figure = _figure(path, 9.6, report)
    axes = figure.subplots()
    chip = report.run.artefact.mapping.chip
    cells, names = _owners(report)
    for core in range(chip.cores):
        column, row = chip.position(core)
        axes.add_patch(_box(column, row, 1, 1, facecolor=_colour(cells[core], names), edgecolor="white", linewidth=0.8))
    samplers(axes, report, color="white", markeredgecolor=INK, markersize=5, markeredgewidth=0.8, zorder=5)
    numbers(axes, report, WIDE["floorplan"])
    tiles(axes, report)
    _links(axes, report)
    _keys(axes, report, names)
    axes.set_title(
        f"{report.network} on {chip.name}: what each core works for (placed by {report.placed})", fontsize=10
    )
    _write(figure, path)


def thermal_map(report: ChipReport, path: str | os.PathLike[str], *, time: float | None = None) -> None:
    """Draw the die's temperature at a time in s; by default when it was hottest. Errors: as ``floorplan``.

    Of the times that are kept: a session that is long, or goes on from a snapshot, may have been hotter at another.
    """
    history = report.run.history
    if time is not None and not math.isfinite(time):
        raise error("T404", "the time of a map must be finite", notes=[f"time = {time!r}"])
    slot = int(history.die.max(axis=1).argmax() if time is None else np.abs(history.times - time).argmin())
    T = history.die[slot]
    figure = _figure(path, 7.0, report)
    _map(figure, report, T, history.times[slot], None)
    _write(figure, path)


def frames(report: ChipReport, folder: str | os.PathLike[str], *, count: int = 24) -> list[Path]:
    """Draw ``count`` maps spread over the run, in one scale, as frame-000.png and on; return their paths.

    Errors: T404 for a count below 1, T302, T505.
    """
    if count < 1:
        raise error("T404", "there must be at least one frame", notes=[f"count = {count!r}"])
    history, where = report.run.history, Path(folder)
    try:
        where.mkdir(parents=True, exist_ok=True)
    except OSError as reason:
        raise error("T505", f"{where} cannot be made", notes=[str(reason.strerror or reason)]) from None
    # A short run has fewer slots than there are frames: none is drawn twice.
    slots = np.unique(np.linspace(0, len(history.die) - 1, count).round().astype(int))
    span = float(history.die[slots].min()), float(history.die[slots].max())
    paths = []
    for number, slot in enumerate(slots):
        path = where / f"frame-{number:03d}.png"
        figure = _figure(path, 7.0, report)
        _map(figure, report, history.die[slot], float(history.times[slot]), span)
        _write(figure, path)
        paths.append(path)
    return paths


def format_of(path: str | os.PathLike[str]) -> str:
    """Return png or svg, as the suffix says. Errors: T404."""
    return picture_format(path, FORMATS)


def _figure(path: str | os.PathLike[str], wide: float, report: ChipReport) -> Any:
    format_of(path)
    try:
        # Not pyplot, which keeps every figure and may look for a display.
        from matplotlib.figure import Figure
    except ImportError:
        hint = 'pip install "thermoc[viz]"'
        raise error("T302", "pictures need matplotlib, which is not installed", hint=hint) from None
    rows, columns = report.run.heat.shape
    high = min(TALLEST, 5.6 * rows / columns * aspect(report) + 1.0)
    return Figure(figsize=(wide, high), layout="constrained", dpi=120)


def _write(figure: Any, path: str | os.PathLike[str]) -> None:
    # In memory first, so that the picture is written whole or not at all.
    buffer = io.BytesIO()
    figure.savefig(buffer, format=format_of(path))
    write_atomic(path, buffer.getvalue())


def _box(x: float, y: float, wide: float, high: float, **style: Any) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), wide, high, **style)


def _owners(report: ChipReport) -> tuple[list[str | None], list[str]]:
    """Return the op that each core spends most on, None where it does nothing; and ops to name, the dearest first."""
    spent, ops = joules_by_core(report), report.run.artefact.mapping.work.ops
    cells = [ops[int(core.argmax())] if core.any() else None for core in spent.T]
    owners = {cell for cell in cells if cell is not None}
    return cells, [op.op for op in report.ops if op.op in owners][: len(COLOURS)]


def _colour(name: str | None, names: list[str]) -> str:
    return IDLE if name is None else COLOURS[names.index(name)] if name in names else OTHER


def _links(axes: Any, report: ChipReport) -> None:
    """Draw each link's bytes as a line between the middles of tiles, thicker for more."""
    layout = report.run.artefact.mapping
    load, chip = layout.routes.load, layout.chip
    if not load.any():
        return
    (wide, high), columns = chip.grid(), chip.whole("mesh.columns")
    for tile, direction in zip(*np.nonzero(load)):
        x, y = (tile % columns + 0.5) * wide, (tile // columns + 0.5) * high
        dx, dy = ((wide, 0), (-wide, 0), (0, high), (0, -high))[direction]
        # The two directions of a link lie side by side and not on one another.
        shift = 0.12 if direction % 2 else -0.12
        ends = [x + shift * bool(dy), x + dx + shift * bool(dy)], [y + shift * bool(dx), y + dy + shift * bool(dx)]
        axes.plot(
            *ends, color=INK, linewidth=0.5 + 3 * load[tile, direction] / load.max(), alpha=0.55, solid_capstyle="round"
        )


def _keys(axes: Any, report: ChipReport, names: list[str]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    cost = {op.op: op for op in report.ops}
    keys: list[Any] = [
        Patch(
            color=_colour(name, names),
            label=f"{label(report, name)}\n{cost[name].joules:.3g} J, +{cost[name].kelvin:.2g} K",
        )
        for name in names
    ]
    keys.append(Patch(facecolor=IDLE, edgecolor="#cccccc", label="idle"))
    if len({cell for cell in _owners(report)[0] if cell is not None}) > len(names):
        keys.append(Patch(color=OTHER, label="others"))
    layout = report.run.artefact.mapping
    if layout.routes.load.any():
        busiest = f"link, thickest\n{layout.routes.busiest[2]} bytes a tick"
        keys.append(Line2D([], [], color=INK, linewidth=3.5, alpha=0.55, label=busiest))
    keys += [line for line in axes.get_lines() if str(line.get_label()).startswith("p-bits of")]
    axes.figure.legend(handles=keys, loc="outside right upper", fontsize=8, frameon=False, labelspacing=0.9)


def _map(
    figure: Any, report: ChipReport, T: NDArray[np.float64], time: float, span: tuple[float, float] | None
) -> None:
    """Draw temperatures of cores, p-bits by the op they are of, the hottest place as a cross."""
    from matplotlib.patheffects import withStroke

    run, rim = report.run, [withStroke(linewidth=3, foreground=INK)]  # seen on dark places and on bright ones
    chip, axes = run.artefact.mapping.chip, figure.subplots()
    rows, columns = run.heat.shape
    low, high = (float(T.min()), float(T.max())) if span is None else span
    # A die of one temperature would otherwise have a scale of no width.
    image = axes.imshow(
        run.heat.grid(T), cmap="inferno", vmin=low, vmax=max(high, low + 0.1), extent=(0, columns, rows, 0)
    )
    tiles(axes, report)
    samplers(axes, report, markerfacecolor="none", markeredgecolor="white", markersize=7, path_effects=rim)
    numbers(axes, report, WIDE["map"], colour="#cfd8dc")
    x, y = chip.position(int(T.argmax()))
    axes.plot(
        x + 0.5,
        y + 0.5,
        "x",
        color="#00d0ff",
        markersize=8,
        markeredgewidth=1.6,
        label=f"hottest, {T.max():.2f} K",
        path_effects=rim,
    )
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.11),
        ncols=1,
        fontsize=8,
        frameon=True,
        facecolor="#777777",
        labelcolor="white",
    )
    figure.colorbar(image, ax=axes, label="die temperature, K", shrink=0.85)
    axes.set_title(f"{report.network} on {chip.name}, placed by {report.placed}: {1e6 * time:.4g} us", fontsize=10)
