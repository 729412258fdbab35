"""Pictures and traces of a run on a chip."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thermoc as tc
from thermoc.reports import chip_trace
from thermoc.reports.chip_picture import floorplan, frames, thermal_map
from thermoc.reports.chip_trace import trace
from thermoc.simulator.machine.account import beginning, event_joules


@pytest.fixture(scope="module")
def report():
    rng = np.random.default_rng(0)
    with tc.Network("pictured") as net:
        h = tc.tanh(tc.affine(tc.input("x", (300,)), rng.normal(size=(300, 300))))
        tc.output("s", tc.sample_binary(h, 1.0))
    exe = tc.compile(net, "sim", chip="thermo-1", temperature="die")
    return exe.run({"x": rng.normal(size=(2, 300))}, ticks=5).chip


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


@pytest.mark.parametrize("name", ["plan.png", "plan.svg"])
def test_pictures_are_written(report, tmp_path: Path, name: str):
    pytest.importorskip("matplotlib")
    floorplan(report, tmp_path / name)
    thermal_map(report, tmp_path / f"heat-{name}")
    for path in (tmp_path / name, tmp_path / f"heat-{name}"):
        start = path.read_bytes()[:5]
        assert start.startswith(b"\x89PNG" if name.endswith("png") else b"<?xml")


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
