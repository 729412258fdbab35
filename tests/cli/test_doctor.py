"""``thermoc doctor``: what it says of Lava's own Python, and how it makes one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from thermoc.backends.lava import interpreter
from thermoc.cli.main import app
from thermoc.support.errors import ThermocError

HOW = "thermoc doctor --install lava"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("THERMOC_CACHE", str(tmp_path))
    monkeypatch.delenv("THERMOC_LAVA", raising=False)
    return tmp_path


def lava_row(*arguments: str) -> dict[str, str]:
    done = CliRunner().invoke(app, ["doctor", *arguments, "--json"])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)["packages"]
    return next(row for row in rows if row["package"] == "lava-nc")


def test_without_lava_it_says_how_to_get_it(cache: Path):
    row = lava_row()
    assert (row["installed"], row["install"]) == ("", HOW)
    said = CliRunner().invoke(app, ["doctor"]).stdout
    assert f"\n{HOW}\n" in said.split("to install what is missing:")[1]


def test_a_half_made_lava_is_not_installed(cache: Path):
    interpreter._python(interpreter.folder()).parent.mkdir(parents=True)
    interpreter._python(interpreter.folder()).write_text("")
    assert lava_row()["installed"] == ""


def test_a_named_lava_that_is_gone_is_not_installed(cache: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("THERMOC_LAVA", str(cache / "gone"))
    assert lava_row()["installed"] == ""


def test_install_makes_it_and_says_where_and_then_it_is_there(cache: Path, monkeypatch: pytest.MonkeyPatch):
    def run(command: list[str]) -> None:
        if command[1:3] == ["-m", "venv"]:
            python = interpreter._python(Path(command[3]))
            python.parent.mkdir(parents=True)
            python.write_text("")

    monkeypatch.setattr(interpreter, "_run", run)
    done = CliRunner().invoke(app, ["doctor", "--install", "lava"])
    assert done.exit_code == 0 and str(cache / "lava-0.10.0") in done.stderr
    row = lava_row("--install", "lava")
    assert (row["installed"], row["install"]) == ("0.10.0", "")


@pytest.mark.parametrize(("name", "code"), [("moon", "T404"), ("Lava", "T404")])
def test_an_unknown_runtime_is_refused_by_name(cache: Path, name: str, code: str):
    done = CliRunner().invoke(app, ["doctor", "--install", name])
    assert isinstance(done.exception, ThermocError) and done.exception.code == code
    assert f"there is no runtime '{name}' to install" in str(done.exception) and "there is lava" in str(done.exception)
    assert not list(cache.iterdir())
