"""Pictures and traces of a run on a chip."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from machine.chips_by_hand import by_hand, printed

import thermoc as tc
from thermoc.reports import chip_picture, chip_trace
from thermoc.reports.chip_picture import floorplan, frames, thermal_map
from thermoc.reports.chip_trace import trace
from thermoc.simulator.machine import COMPONENTS
from thermoc.simulator.machine.account import beginning, event_joules
from thermoc.simulator.machine.tick import TickRecord


def ran(placement: str) -> Any:
    rng = np.random.default_rng(0)
    with tc.Network("pictured") as net:
        h = tc.tanh(tc.affine(tc.input("x", (300,)), rng.normal(size=(300, 300))))
        tc.output("s", tc.sample_binary(h, 1.0))
    exe = tc.compile(net, "chip", chip="thermo-1", temperature="die", placement=placement)
    return exe.run({"x": rng.normal(size=(2, 300))}, ticks=5).chip


@pytest.fixture(scope="module")
def report():
    return ran("thermal")


def test_a_trace_holds_every_event_and_the_counters(report, tmp_path: Path):
    count = trace(report, tmp_path / "t.json")
    document = json.loads((tmp_path / "t.json").read_text())
    events = document["traceEvents"]
    done = [event for event in events if event["ph"] == "X"]
    run = report.run
    program, chip = run.artefact.mapping.program, run.artefact.mapping.chip
    start = beginning(run.events, program)
    later = (run.events.start >= start) & (run.events.end > run.events.start)
    assert len(done) == count == later.sum()
    joules = event_joules(run.events, program, run.price, chip)[later].sum()
    assert sum(event["args"]["joules"] for event in done) == pytest.approx(joules, rel=1e-12)
    assert max(event["ts"] + event["dur"] for event in done) == pytest.approx(1e6 * report.seconds)
    assert min(event["ts"] for event in done) == 0
    counters = [event for event in events if event["ph"] == "C"]
    assert {event["name"] for event in counters} == {"temperature, K", "power, W", "power, mW"}
    hottest = [event["args"]["hottest"] for event in counters if event["pid"] == 0 and "hottest" in event["args"]]
    assert max(hottest) == pytest.approx(run.history.die[: len(hottest)].max())
    named = {(event["pid"], event["tid"]) for event in events if event.get("name") == "thread_name"}
    assert {(event["pid"], event["tid"]) for event in done} <= named


def test_a_trace_of_a_long_session_makes_no_more_events_than_it_writes(report, tmp_path: Path, monkeypatch):
    """All of 10^9 ticks would be more than memory holds."""
    made, repeated = [], TickRecord.repeated
    monkeypatch.setattr(TickRecord, "repeated", lambda tick, ticks: made.append(ticks) or repeated(tick, ticks))
    long = replace(report, run=replace(report.run, ticks=10**9))
    a_tick = trace(report, tmp_path / "t.json") // 5
    assert trace(long, tmp_path / "long.json", most=2 * a_tick) == 2 * a_tick
    assert made[-1] <= 3


def test_counters_are_each_tiles_kelvins_and_watts(report, tmp_path: Path):
    """Slot by slot: the hottest of a tile's four cores and their watts; the chip's add up to the run's joules."""
    trace(report, tmp_path / "t.json")
    history, seen = report.run.history, {}
    for event in json.loads((tmp_path / "t.json").read_text())["traceEvents"]:
        if event["ph"] == "C":
            for key, value in event["args"].items():
                seen[event["pid"], event["name"], key, int(np.abs(history.times - event["ts"] / 1e6).argmin())] = value
    slots, joules = len(history.watts), 0.0
    used = {pid for pid, *_ in seen} - {0}
    assert len(used) >= 2 and len(seen) == slots * (3 + 2 * len(used))
    for slot in range(slots):
        kelvin, watts = history.die[slot].tolist(), history.watts[slot].tolist()
        assert seen[0, "temperature, K", "hottest", slot] == max(kelvin)
        assert seen[0, "temperature, K", "mean", slot] == pytest.approx(sum(kelvin) / 256, rel=1e-12)
        joules += seen[0, "power, W", "chip", slot] * (history.times[slot + 1] - history.times[slot])
        for pid in used:
            mine = slice(4 * pid - 4, 4 * pid)
            assert seen[pid, "temperature, K", "hottest", slot] == max(kelvin[mine])
            assert seen[pid, "power, mW", "tile", slot] == pytest.approx(1e3 * sum(watts[mine]), rel=1e-12)
    assert joules == pytest.approx(report.joules, rel=1e-9)


def test_tiles_that_messages_only_pass_have_names_too(report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(chip_trace, "_used", lambda report: [])
    trace(report, tmp_path / "t.json")
    events = json.loads((tmp_path / "t.json").read_text())["traceEvents"]
    named = {event["pid"] for event in events if event["name"] == "process_name"}
    assert {event["pid"] for event in events} == named != {0}


def test_a_trace_can_be_cut(report, tmp_path: Path):
    assert trace(report, tmp_path / "t.json", most=10) == 10


def test_no_two_events_of_a_core_or_link_overlap(report, tmp_path: Path):
    trace(report, tmp_path / "t.json")
    lanes: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for event in json.loads((tmp_path / "t.json").read_text())["traceEvents"]:
        if event["ph"] == "X":
            lanes.setdefault((event["pid"], event["tid"]), []).append((event["ts"], event["ts"] + event["dur"]))
    for spans in lanes.values():
        spans.sort()
        assert all(a[1] <= b[0] + 1e-6 for a, b in pairwise(spans))


def drawn(monkeypatch: pytest.MonkeyPatch, draw: Callable[..., object], report: Any) -> Any:
    """Return the figure that would be written."""
    pytest.importorskip("matplotlib")
    kept: list[Any] = []
    monkeypatch.setattr(chip_picture, "_write", lambda figure, path: kept.append(figure))
    draw(report, "picture.png")
    return kept[0]


def spot(core: int) -> tuple[int, int]:
    """Column and row of a core among thermo-1's 16 x 16: tiles of 2 x 2, eight a row."""
    return core // 4 % 8 * 2 + core % 2, core // 32 * 2 + core % 4 // 2


@pytest.mark.parametrize("placement", ["thermal", "wire"])
def test_a_core_has_the_colour_of_what_runs_there(placement: str, report, monkeypatch: pytest.MonkeyPatch):
    """Even where messages for others that pass its tile take more: those are made to be dear, and so are heaters.

    By wires p-bits are on cores that multiply, which take more than their heaters do unless these are dear.
    """
    pytest.importorskip("matplotlib")
    from matplotlib.colors import to_hex
    from matplotlib.patches import Rectangle

    report = report if placement == "thermal" else ran(placement)
    joules = report.run.ended.joules.copy()
    joules[0] = 1.0
    run = replace(report.run, ended=replace(report.run.ended, joules=joules))
    layout, flits = run.artefact.mapping, run.price.joules.copy()
    flits[:, COMPONENTS.index("network")] *= 1e9
    dear = replace(run, tick=replace(run.tick, price=replace(run.price, joules=flits)))
    figure = drawn(monkeypatch, floorplan, replace(report, run=dear))
    shown = {text.get_text().split("\n")[0]: to_hex(patch.get_facecolor()) for text, patch in keys(figure)}
    cells = {
        (int(cell.get_x()), int(cell.get_y())): to_hex(cell.get_facecolor())
        for cell in figure.axes[0].patches
        if isinstance(cell, Rectangle)
    }
    spent: dict[int, dict[str, float]] = {core: {} for core in range(256)}
    for core, once, name, fields, op in printed(layout.program):
        for component, joules in by_hand(core, name, fields, layout.chip).items():
            if not once and component != "network":
                spent[core][op] = spent[core].get(op, 0.0) + 10 * joules
    for op, cores in layout.sites.items():
        for core in set(cores.tolist()):
            spent[core][op] = spent[core].get(op, 0.0) + run.ended.joules[0, core]
    expected = {core: max(here, key=lambda op, here=here: here[op]) if here else "idle" for core, here in spent.items()}
    assert {"affine", "sample_binary", "idle"} <= set(expected.values())
    assert cells == {spot(core): shown[op] for core, op in expected.items()}


def keys(figure: Any) -> Iterator[tuple[Any, Any]]:
    (legend,) = figure.legends
    yield from (
        (text, patch)
        for text, patch in zip(legend.get_texts(), legend.legend_handles)
        if hasattr(patch, "get_facecolor")
    )


def test_a_map_shows_each_cores_temperature_at_its_place(report, monkeypatch: pytest.MonkeyPatch):
    """Rows run down; the cross is at the hottest core, rings are where p-bits are."""
    axes = drawn(monkeypatch, thermal_map, report).axes[0]
    (image,) = axes.images
    history = report.run.history
    shown, T = image.get_array(), history.die[history.die.max(axis=1).argmax()]
    assert image.get_extent() == [0, 16, 16, 0] and image.origin == "upper" and axes.get_ylim() == (16, 0)
    for core in range(256):
        column, row = spot(core)
        assert shown[row, column] == T[core]
    marks = {
        line.get_label().split(",")[0]: line.get_xydata().tolist() for line in axes.lines if line.get_label()[0] != "_"
    }
    assert marks["hottest"] == [[c + 0.5 for c in spot(report.peak_core)]] and T.max() == report.peak_kelvin
    sampling = {core for core, _, name, *_ in printed(report.run.artefact.mapping.program) if name == "SAMPLE"}
    assert sorted(marks["p-bits of sample_binary"]) == sorted([x + 0.5, y + 0.5] for x, y in map(spot, sampling))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["plan.png", "plan.svg"])
def test_pictures_are_written(report, tmp_path: Path, name: str):
    pytest.importorskip("matplotlib")
    floorplan(report, tmp_path / name)
    thermal_map(report, tmp_path / f"heat-{name}")
    for path in (tmp_path / name, tmp_path / f"heat-{name}"):
        start = path.read_bytes()[:5]
        assert start.startswith(b"\x89PNG" if name.endswith("png") else b"<?xml")


@pytest.mark.slow
def test_frames_are_of_one_scale_and_in_order(report, tmp_path: Path):
    pytest.importorskip("matplotlib")
    paths = frames(report, tmp_path / "frames", count=3)
    assert [path.name for path in paths] == ["frame-000.png", "frame-001.png", "frame-002.png"]
    assert all(path.stat().st_size > 5000 for path in paths)


def test_a_format_that_is_not_there_is_refused(report, tmp_path: Path):
    with pytest.raises(tc.ThermocError) as caught:
        floorplan(report, tmp_path / "plan.gif")
    assert caught.value.code == "T404" and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "draw",
    [
        lambda report, folder: frames(report, folder / "frames", count=0),
        lambda report, folder: thermal_map(report, folder / "map.png", time=float("nan")),
        lambda report, folder: trace(report, folder / "t.json", most=-1),
    ],
)
def test_numbers_that_make_no_picture_are_refused(report, tmp_path: Path, draw: Callable[[Any, Path], object]):
    with pytest.raises(tc.ThermocError) as caught:
        draw(report, tmp_path)
    assert caught.value.code == "T404" and not list(tmp_path.iterdir())
