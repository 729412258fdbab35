"""The page of the benchmarks' results: what is met, missed and by how much, and what has no figure."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
ROW = {"work": "a | b", "anchor": "tool", "ratio": 3.0, "goal": 4.0, "better": "higher"}


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    monkeypatch.syspath_prepend(FOLDER)
    names = ("timing", "results_page")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    timing, results_page = (importlib.import_module(name) for name in names)
    return timing, results_page


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "missed by a factor of 1.33"),
        ({"better": "lower"}, "met"),
        ({"better": "lower", "ratio": 8.0}, "missed by a factor of 2"),
        ({"ratio": 4.0}, "met"),
        ({"ratio": float("nan")}, "no figure"),
        ({"goal": float("nan")}, "no goal"),
    ],
)
def test_verdicts(modules: tuple[Any, Any], changes: dict[str, Any], verdict: str):
    assert modules[0].verdict({**ROW, **changes}) == verdict


def test_reported_rows_are_printed_and_kept(modules: tuple[Any, Any], monkeypatch, tmp_path: Path, capsys):
    monkeypatch.setenv("THERMOC_BENCH_JSON", str(tmp_path / "rows"))
    modules[0].report([ROW])
    modules[0].report([ROW])
    assert [json.loads(line) for line in (tmp_path / "rows").read_text().splitlines()] == [ROW, ROW]
    assert "at least 4" in capsys.readouterr().out


def test_the_page_says_what_is_missed_unexplained_or_not_run(modules: tuple[Any, Any], monkeypatch, tmp_path: Path):
    page = modules[1]
    absent = {**ROW, "work": "c", "ratio": None, "note": "tool is not installed"}
    results = {name: {"rows": [ROW, absent], "seconds": 60.0, "date": "2026-01-02"} for name in ("one", "two")}
    files = {
        "CPU": json.dumps({"machine": "M", "versions": "V", "results": results}),
        "NOTES": "## Notes\n\n### one\n\nwhy",
    }
    for name, text in files.items():
        monkeypatch.setattr(page, name, tmp_path / name)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(page, "GPU", tmp_path / "GPU")
    text = page.page()
    assert "| one | a \\| b | tool | 3 | at least 4 | missed by a factor of 1.33 |  |" in text
    assert "| two | a \\| b | tool | 3 | at least 4 | missed by a factor of 1.33; no note says why |  |" in text
    assert "no figure | tool is not installed" in text and "Not run on a GPU" in text and text.endswith("why")
    (tmp_path / "GPU").write_text(json.dumps({"device": "H", "rows": [ROW]}))
    assert "- device: H" in page.page() and "Not run on a GPU" not in page.page()
