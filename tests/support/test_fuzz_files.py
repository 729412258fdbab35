"""The fuzzer of files finds nothing in a short run, and finds a reader that is broken on purpose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from filefuzz import formats, worker

import thermoc as tc

FILES = 400
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.slow
def test_a_short_run_finds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    left_out = {"certificate signed", "thermo compiled"}  # they run networks, which takes longer
    for index in range(FILES):
        name, rng = formats.chosen(7, index)
        if name in left_out:
            continue
        path = tmp_path / f"file{formats.FORMATS[name].suffix}"
        path.write_bytes(formats.damaged(name, *formats.drawn(name, rng)))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(worker.signal, "setitimer", no_timer)
            assert worker.verdict(name, path) is None, (name, index)


def no_timer(*_: float) -> None:
    """In place of the timer, which would end the test."""


def broken(path: Path) -> None:
    if b"[" in path.read_bytes():
        raise KeyError("broken on purpose")


def test_a_broken_reader_is_found_and_its_file_made_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    settings = formats.FORMATS["chip file"]
    monkeypatch.setitem(formats.FORMATS, "chip file", replace(settings, read=broken))
    index = next(index for index in range(1000) if formats.chosen(0, index)[0] == "chip file")
    path = tmp_path / "file.toml"
    path.write_bytes(formats.damaged("chip file", *formats.drawn("chip file", formats.chosen(0, index)[1])))
    fault = worker.verdict("chip file", path)
    assert fault is not None and fault.kind == "uncoded"
    assert worker.smallest("chip file", index, 0, fault, path) == b"["


@pytest.mark.parametrize("name", formats.FORMATS)
def test_sound_files_are_read(tmp_path: Path, name: str):
    """Damage starts from files that are right, so that it comes far into the reader."""
    path = tmp_path / f"sound{formats.FORMATS[name].suffix}"
    for start in formats.sound(name)[:6]:
        path.write_bytes(formats.FORMATS[name].written(start))
        try:
            formats.FORMATS[name].read(path)
        except tc.ThermocError as problem:  # a graph of chip ops is not for every target
            assert name == "thermo compiled", str(problem)
