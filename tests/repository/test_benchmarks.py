"""The page of the benchmarks' results: what is met, missed and by how much, and what has no figure."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
SCRIPTS = [path for path in sorted(FOLDER.glob("*.py")) if '\nif __name__ == "__main__":' in path.read_text()]
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


@pytest.mark.parametrize("script", [path for path in SCRIPTS if path.stem != "run"], ids=lambda path: path.stem)
def test_every_benchmark_reports_and_can_be_quick(script: Path):
    """Rounds of ``timing`` are fewer with --quick; whoever counts otherwise looks for it."""
    tree = ast.parse(script.read_text())
    called = {call.func.id for call in ast.walk(tree) if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert "report" in called
    assert "--quick" in words or {"compare", "ROUNDS"} & names


IMPORTED = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
for name in sys.argv[2:]:
    sys.modules.pop(name, None)
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as missing:
        ours = str(missing.name).split(".")[0] in {"thermoc", "timing", "circuits", *sys.argv[2:]}
        if ours:
            raise
"""


@pytest.mark.slow
def test_every_benchmark_finds_what_is_ours():
    """The tools that it stands beside may be absent."""
    command = [sys.executable, "-c", IMPORTED, str(FOLDER), *(path.stem for path in SCRIPTS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
