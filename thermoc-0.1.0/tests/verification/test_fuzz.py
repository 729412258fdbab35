"""``make fuzz`` finds a fault, shrinks it and keeps it."""

from __future__ import annotations

import sys
from pathlib import Path

import fuzz as fuzzing
import pytest
from doubles import DOUBLES

import thermoc as tc
from thermoc import plugins
from thermoc.ir.dialects.core import Constant, Input, Output


def fuzz(monkeypatch: pytest.MonkeyPatch, target: str, folder: Path) -> int:
    monkeypatch.setitem(plugins.OURS, target, DOUBLES[target])
    arguments = ["fuzz", "--time", "0.1", "--targets", target, "--found", str(folder), "--seed", "1"]
    monkeypatch.setattr(sys, "argv", arguments)
    monkeypatch.setattr(fuzzing, "A_ROUND", 20)
    return fuzzing.main()


def test_what_breaks_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    assert fuzz(monkeypatch, "wrong-sign", tmp_path / "found") == 1
    names = {path.name for path in (tmp_path / "found").iterdir()}
    assert names == {"fault-1.txt", "fault-1.thermo", "fault-1.npz", "fault-1.small.thermo", "fault-1.small.npz"}
    shrunk, small = (tc.load(tmp_path / "found" / f"fault-1{kind}.thermo").graph for kind in ("", ".small"))
    assert len(shrunk.ops) < 30
    assert [op.opname for op in small.ops if not isinstance(op, Input | Output | Constant)] == ["core.sub"]
    report = (tmp_path / "found" / "fault-1.txt").read_text()
    assert "emission error of" in report and "begins at core.sub" in report


def test_a_target_without_fault_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    assert fuzz(monkeypatch, "right", tmp_path / "found") == 0
    assert not (tmp_path / "found").exists()
