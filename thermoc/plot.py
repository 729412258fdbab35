"""Figures of a run: ``tc.plot.raster(run)``, ``trace``, ``energy``, ``histogram``, and others; each returns a figure.

They are matplotlib's own, made without pyplot: ``figure.savefig("run.png")`` writes one, a notebook shows it.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from thermoc.ir.types import Role
from thermoc.mixing import FEWEST_TICKS, looked_at
from thermoc.mixing import autocorrelation as correlated
from thermoc.physics import UnitTemperatures
from thermoc.recording.conversions import events_of
from thermoc.recording.layout import TRACE
from thermoc.recording.meanings import UNITS
from thermoc.recording.recorded import Recorded
from thermoc.run import Run, recorded_of, run_of
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import error
from thermoc.support.extras import need
from thermoc.support.files import picture_format, write_atomic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from thermoc.equilibrium import EquilibriumDistance

COLOURS = ("#4269d0", "#efb118", "#ff725c", "#3ca951", "#a463f2", "#97bbf5", "#9c6b4e", "#6cc5b0")
FEW, MOST_POINTS = 8, 4000
"""Lines that can be told apart, and points of one beyond which neighbours are drawn as the range that they cover."""
FORMATS = ("png", "svg", "pdf")


def raster(run: Run, name: str | None = None, *, sample: int = 0) -> Figure:
    """Draw when each unit of a sample spikes. name: default the first output of spikes. Errors: T302, T401, T419."""
    item = _item(run, name, lambda item: "events" in item or _role(run, item) == "spike", "spikes")
    _check_sample(run, sample)
    rows = events_of(item, run.frame.meanings[item.name])
    rows = rows[rows[:, 1] == sample]
    units = int(np.prod(item.fields[TRACE].shape[2:])) if TRACE in item else int(rows[:, 2].max(initial=0)) + 1
    figure, axes = _figure(run, 7.5, min(1.8 + 0.12 * units, 7.0))
    height = float(np.clip(250 / max(units, 1), 0.8, 9.0))
    axes.scatter(rows[:, 0] * run.dt, rows[:, 2], marker="|", s=height**2, linewidths=0.9, color=COLOURS[0])
    axes.set(ylim=(-0.5, max(units, 1) - 0.5), ylabel=f"unit of {item.name}", xlim=_span(run), xlabel=_time(run))
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.set_title(f"{run.title}: {item.name}, sample {sample}", fontsize=10, loc="left")
    return figure


def trace(run: Run, *names: str, sample: int = 0) -> Figure:
    """Draw outputs over time, a panel each; of many units the first eight. Errors: T302, T401, T419."""
    items = [_item(run, name, _has_trace, "a trace") for name in names] or _all(run, _has_trace, "a trace")
    figure = plain_figure(7.5, 1.0 + 1.7 * len(items))
    panels = np.atleast_1d(figure.subplots(len(items), 1, sharex=True))
    for panel, item in zip(panels, items):
        values = _sample(run, item, sample)
        for unit, colour in zip(range(min(values.shape[1], FEW)), COLOURS):
            _line(panel, item.ticks * run.dt, values[:, unit], colour, f"{unit}")
        panel.set_ylabel(_named(run, item))
        if values.shape[1] > 1:
            title = "unit" if values.shape[1] <= FEW else f"unit\n(of {values.shape[1]})"
            panel.legend(title=title, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8)
    panels[-1].set(xlabel=_time(run), xlim=_span(run))
    panels[0].set_title(f"{run.title}, sample {sample}", fontsize=10, loc="left")
    return figure


def energy(run: Run, name: str | None = None) -> Figure:
    """Draw energies of the samples over time, and how often each was there. Errors: T302, T401, T419."""
    item = _item(run, name, lambda item: _has_trace(item) and _role(run, item) == "energy", "an energy")
    values = item.values.reshape(*item.values.shape[:2], -1)[..., 0].astype(float)
    figure = plain_figure(8.0, 3.4)
    over_time, density = figure.subplots(1, 2, sharey=True, width_ratios=(4, 1))
    for sample, colour in zip(range(min(values.shape[1], FEW)), COLOURS):
        _line(over_time, item.ticks * run.dt, values[:, sample], colour, f"sample {sample}")
    if values.shape[1] > 1:  # above the lines, which fill all of the axes
        legend: Any = {"loc": "lower right", "bbox_to_anchor": (1.0, 1.0), "borderaxespad": 0.2}
        over_time.legend(frameon=False, fontsize=8, ncols=4, columnspacing=1.2, handlelength=1.2, **legend)
    over_time.set(xlabel=_time(run), ylabel=_named(run, item), xlim=_span(run))
    some = f", {FEW} of {values.shape[1]} samples" if values.shape[1] > FEW else ""
    over_time.set_title(f"{run.title}: energy{some}", fontsize=10, loc="left", pad=20 if values.shape[1] > 1 else None)
    density.hist(values.ravel(), bins=_bins(values), orientation="horizontal", density=True, color=COLOURS[0])
    density.set_xlabel("density")
    density.spines[["top", "right"]].set_visible(False)
    return figure


def histogram(run: Run, name: str | None = None) -> Figure:
    """Draw how often an output had which value, over ticks and samples; of few units each its own.

    Of counted configurations it is how often each was there. Errors: T302, T401, T419.
    """
    item = _item(run, name, lambda item: _has_trace(item) or "counts" in item, "a trace or counts")
    figure, axes = _figure(run, 7.0, 3.6)
    if "counts" in item:
        _configurations(axes, item)
    else:
        values = item.values.reshape(-1, max(1, int(np.prod(item.values.shape[2:])))).astype(float)
        separate = values.shape[1] <= FEW
        columns = [values[:, unit] for unit in range(values.shape[1])] if separate else [values.ravel()]
        style: Any = {"histtype": "step" if len(columns) > 1 else "stepfilled", "linewidth": 1.4}
        for unit, column in enumerate(columns):
            axes.hist(column, bins=_bins(values), density=True, color=COLOURS[unit], label=str(unit), **style)
        if len(columns) > 1:
            axes.legend(title="unit", frameon=False, fontsize=8)
        axes.set(xlabel=_named(run, item), ylabel="density")
    axes.set_title(f"{run.title}: {item.name}", fontsize=10, loc="left")
    return figure


def phases(run: Run, name: str | None = None, *, units: tuple[int, int] = (0, 1), sample: int = 0) -> Figure:
    """Draw one unit of an output against another: the course in their plane. Errors: T302, T401, T419."""
    item = _item(run, name, lambda item: _has_trace(item) and np.prod(item.fields[TRACE].shape[2:]) > 1, "two units")
    values = _sample(run, item, sample)
    if not all(0 <= unit < values.shape[1] for unit in units):
        raise error("T404", f"{item.name!r} has no such units", notes=[f"{units} of {values.shape[1]} units"])
    x, y = values[:, units[0]], values[:, units[1]]
    figure, axes = _figure(run, 5.6, 4.8)
    axes.plot(x, y, color="#c8ccd4", linewidth=0.7, zorder=1)
    points = axes.scatter(x, y, c=item.ticks * run.dt, s=7, cmap="viridis", zorder=2)
    figure.colorbar(points, label=_time(run))
    axes.locator_params(nbins=5)
    axes.set(xlabel=f"{item.name}, unit {units[0]}", ylabel=f"{item.name}, unit {units[1]}")
    axes.set_title(f"{run.title}, sample {sample}", fontsize=10, loc="left")
    return figure


def autocorrelation(run: Run, *names: str) -> Figure:
    """Draw how long outputs remember: rho against lag, the mean over units, dotted the slowest.

    names: default the outputs that sample an equilibrium, else all traces. Chains are of 8 recorded ticks or more.
    Errors: T302, T401, T419.
    """
    what = f"a trace of {FEWEST_TICKS} ticks"
    items = [_item(run, name, _has_chain, what) for name in names or run.diagnostics] or _all(run, _has_chain, what)
    figure, axes = _figure(run, 6.4, 3.6)
    for item, colour in zip(items, COLOURS):
        series = item.values.reshape(*item.values.shape[:2], -1).astype(float)
        correlations = correlated(series[..., looked_at(series.shape[2])])
        axes.plot(correlations.lags * item.k, correlations.mean, color=colour, label=item.name)
        axes.plot(correlations.lags * item.k, correlations.slowest, ":", color=colour, linewidth=1.0)
    axes.axhline(0.0, color="#c8ccd4", linewidth=0.8, zorder=0)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set(xlabel="lag in ticks", ylabel="autocorrelation")
    axes.legend(frameon=False, fontsize=8)
    axes.set_title(f"{run.title}: dotted, the slowest unit", fontsize=10, loc="left")
    return figure


def equilibrium(distance: EquilibriumDistance) -> Figure:
    """Draw the bound of the distance to equilibrium against the tick, and its upper limit. Errors: T302."""
    figure = plain_figure(6.0, 3.5)
    axes, ticks = figure.subplots(), np.arange(len(distance.upper))
    axes.fill_between(ticks, distance.estimate, distance.upper, color=COLOURS[0], alpha=0.25, linewidth=0)
    axes.plot(ticks, distance.estimate, color=COLOURS[0], label="estimate of the bound")
    axes.plot(ticks, distance.upper, color=COLOURS[0], linestyle="--", label=f"upper limit, {distance.confidence:.4g}")
    axes.set_yscale("log")
    axes.set_xlabel("tick")
    axes.set_ylabel(f"{distance.kind} to equilibrium")
    axes.legend(frameon=False)
    return figure


def temperatures(found: UnitTemperatures) -> Figure:
    """Draw the temperature that each unit shows over the one asked for, as a map, and all of them with their intervals.

    found: of ``tc.effective_temperatures(run)`` or ``certificate.unit_temperatures``. Units whose interval does not
    hold what was predicted (else asked for) have a frame; grey ones cannot be told. Errors: T302.
    """
    figure = plain_figure(9.0, 3.8)
    above, line = figure.subplots(1, 2, width_ratios=(1, 1.4))
    ratio = np.where(np.isfinite(found.T), found.T / found.stated, np.nan)
    rows, columns = plane(found)
    grid = np.full(rows * columns, np.nan)
    grid[: len(ratio)] = ratio
    span = max(float(np.nanmax(np.abs(ratio - 1), initial=0.0)), 1e-3)
    colours = above.imshow(grid.reshape(rows, columns), cmap="coolwarm", vmin=1 - span, vmax=1 + span)
    above.set_facecolor("#c8ccd4")
    for unit in found.outside().tolist():
        corner = (unit % columns - 0.5, unit // columns - 0.5)
        above.add_patch(_frame(corner))
    figure.colorbar(colours, ax=above, label="temperature shown / asked for")
    above.set_title(f"{found.title}: effective temperature", fontsize=10, loc="left")
    finite = np.flatnonzero(np.isfinite(found.T))
    low, high = (np.where(np.isfinite(end), end, found.T)[finite] for end in (found.low, found.high))
    bars = np.abs(np.stack([found.T[finite] - low, high - found.T[finite]]))
    line.errorbar(
        finite, found.T[finite], bars, fmt="o", markersize=2.5, linewidth=0.8, color=COLOURS[0], label="shown"
    )
    line.plot(found.stated, color="#c8ccd4", linewidth=1.2, label="asked for", drawstyle="steps-mid")
    if found.predicted is not None:
        line.plot(found.predicted, "_", color=COLOURS[2], markersize=6, label="the heat model's")
    line.set(xlabel="unit", ylabel="T")
    line.spines[["top", "right"]].set_visible(False)
    line.legend(frameon=False, fontsize=8)
    return figure


def plane(found: UnitTemperatures) -> tuple[int, int]:
    """Return rows and columns of a map: the units' own two axes, or else a square."""
    if len(found.shape) == 2:
        return found.shape[0], found.shape[1]
    columns = int(np.ceil(np.sqrt(len(found.T))))
    return -(-len(found.T) // columns), columns


def _frame(corner: tuple[float, float]) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle(corner, 1, 1, fill=False, edgecolor="black", linewidth=1.2)


def overview(run: Run) -> Figure:
    """Draw the spikes of a run that has some, else its energy, else its traces. Errors: T302, T419."""
    for item in run.recorded.values():
        if "events" in item or (_has_trace(item) and item.k == 1 and _role(run, item) == "spike"):
            return raster(run, item.name)
    if any(_has_trace(item) and _role(run, item) == "energy" for item in run.recorded.values()):
        return energy(run)
    return trace(run)


def save(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure, whole or not at all. Errors: T404 for another suffix than .png, .svg and .pdf, T505."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=format_of(path))
    write_atomic(path, buffer.getvalue())


def format_of(path: str | os.PathLike[str]) -> str:
    """Return png, svg or pdf, as the suffix says. Errors: T404."""
    return picture_format(path, FORMATS)


def plain_figure(wide: float, high: float) -> Any:
    """Return an empty figure of so many inches. Errors: T302 without matplotlib."""
    need("matplotlib", "viz", "pictures")
    # Not pyplot, which keeps every figure and may look for a display.
    from matplotlib.figure import Figure

    return Figure(figsize=(wide, high), layout="constrained", dpi=140)


def _figure(run: Run, wide: float, high: float) -> tuple[Any, Any]:
    figure = plain_figure(wide, high)
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _line(axes: Any, times: AnyArray, values: AnyArray, colour: str, label: str) -> None:
    """Draw a line; one of very many points as the range that it covers."""
    axes.spines[["top", "right"]].set_visible(False)
    step = -(-len(values) // MOST_POINTS)
    if step == 1:
        axes.plot(times, values, color=colour, linewidth=1.0, label=label)
        return
    cut = len(values) // step * step
    blocks = values[:cut].reshape(-1, step)
    axes.fill_between(times[:cut:step], blocks.min(1), blocks.max(1), color=colour, alpha=0.35, linewidth=0)
    axes.plot(times[:cut:step], blocks.mean(1), color=colour, linewidth=0.9, label=label)


def _configurations(axes: Any, item: Recorded) -> None:
    counts, bits = item.counts, int(np.log2(len(item.counts)))
    axes.bar(np.arange(len(counts)), counts / max(1, counts.sum()), width=0.9, color=COLOURS[0])
    axes.set(xlabel=f"configuration of {item.name}", ylabel="share of ticks and samples")
    if bits <= 5:
        labels = [f"{number:0{bits}b}" for number in range(len(counts))]
        axes.set_xticks(np.arange(len(counts)), labels, rotation=90 if bits > 3 else 0, fontsize=8)


def _bins(values: AnyArray) -> Any:
    """Return bins in which numbers of few values stand alone, others as Freedman and Diaconis cut them."""
    levels = np.unique(values[: 10**5])
    if 1 < len(levels) <= 30:
        half = np.diff(levels).min() / 2
        return np.unique(np.concatenate([levels - half, levels + half]))
    return min(80, max(10, len(np.histogram_bin_edges(values, "fd")) - 1)) if np.ptp(values) else 10


def _sample(run: Run, item: Recorded, sample: int) -> AnyArray:
    """Return the trace of a sample, (ticks, units)."""
    _check_sample(run, sample)
    array = item.fields[TRACE]
    return np.asarray(array[:, sample]).reshape(array.shape[0], -1).astype(float)


def _check_sample(run: Run, sample: int) -> None:
    if not 0 <= sample < run.frame.batch:
        raise error("T404", f"there is no sample {sample}", notes=[f"the run has {run.frame.batch}"])


def _has_trace(item: Recorded) -> bool:
    """Whether there is a trace, with something in it: fewer than k ticks leave none of every k-th."""
    return TRACE in item and 0 not in item.fields[TRACE].shape


def _has_chain(item: Recorded) -> bool:
    return _has_trace(item) and item.fields[TRACE].shape[0] >= FEWEST_TICKS


def _role(run: Run, item: Recorded) -> str:
    return run.frame.meanings[item.name].role


def _named(run: Run, item: Recorded) -> str:
    unit = UNITS.get(Role(_role(run, item)), "1")
    return item.name if unit == "1" else f"{item.name} ({unit})"


def _time(run: Run) -> str:
    """Name the axis of time: nobody but whoever wrote the network knows in which unit dt is, but dt tells the scale."""
    return f"time (dt = {run.dt:g})"


def _span(run: Run) -> tuple[float, float]:
    begun = run.frame.begun
    return begun * run.dt, (begun + max(run.ticks, 2) - 1) * run.dt


def _all(run: Run, fits: Any, what: str) -> Sequence[Recorded]:
    items = [item for item in run_of(run).recorded.values() if fits(item)]
    if not items:
        notes = [f"recorded are {', '.join(_kinds(item) for item in run.recorded.values())}"]
        raise error("T419", f"nothing recorded is {what}", notes=notes, hint=_as_trace(*run.recorded.values()))
    return items


def _item(run: Run, name: str | None, fits: Any, what: str) -> Recorded:
    if name is None:
        return _all(run, fits, what)[0]
    item = recorded_of(run_of(run), name)
    if not fits(item):
        notes = [f"its role is {_role(run, item)}", f"recorded is {_kinds(item)}"]
        others = [other.name for other in run.recorded.values() if fits(other)]
        hint = f"draw {others[0]!r}" if others else _as_trace(item)
        raise error("T419", f"{name!r} is not {what}", notes=notes, hint=hint)
    return item


def _kinds(item: Recorded) -> str:
    return f"{item.name}={'+'.join(map(str, item.specs))}"


def _as_trace(*items: Recorded) -> str:
    """Say how the first of those without a trace is recorded with one; nothing where all have theirs."""
    name = next((item.name for item in items if TRACE not in item), None)
    return "" if name is None else f'record={{"{name}": "all"}}, in the shell --record {name}=all'
