"""Help with examples that are commands, completion, projects that run, terminals that are narrow or without colour."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cli.shell import app, thermoc
from rich.console import Console
from typer.testing import CliRunner

from thermoc.cli import commands
from thermoc.cli.examples import EXAMPLES
from thermoc.cli.parameters import options_by_target
from thermoc.progress import Display, _bar
from thermoc.support.errors import ThermocError
from thermoc.support.tables import table

COMMANDS = {name: commands.command(name) for name in commands.COMMANDS}


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_in_examples_or_a_file_to_begin_with(name: str):
    done = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "40"})
    assert done.exit_code == 0
    for line in EXAMPLES.get(name, ()):
        assert f"    {line}\n" in done.stdout  # whole: it can be pasted
    assert name in EXAMPLES or "A file to begin with" in done.stdout


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name in COMMANDS])
def test_examples_have_options_that_there_are(name: str):
    for line in EXAMPLES[name]:
        for command in (part.split() for part in line.split("&&")):
            if command[0] == "thermoc":
                words = command[2 : command.index(">")] if ">" in command else command[2:]
                known = {option for one in COMMANDS[command[1]].params for option in one.opts}
                assert {word for word in words if word.startswith("-")} <= known, line


def test_the_help_says_of_each_command_what_it_says_of_itself():
    for name, text in commands.COMMANDS.items():
        assert COMMANDS[name].help.splitlines()[0] == text
    words = " ".join(CliRunner().invoke(app, ["--help"]).stdout.split())
    assert all(f" {name} {text}" in words for name, text in commands.COMMANDS.items())


@pytest.mark.slow
@pytest.mark.parametrize("line", [["--version"], ["--help"]])
def test_what_compiles_nothing_loads_neither_numba_nor_onnx(line: list[str]):
    code = (
        "import sys\nsys.argv = ['thermoc', *sys.argv[1:]]\nfrom thermoc.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(sorted({'numba', 'onnx', 'scipy', 'networkx', 'thermoc.ir', 'thermoc.simulator'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, *line], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stdout.startswith(("thermoc 0", "Usage: thermoc")), done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.slow
def test_a_run_loads_neither_certificates_nor_pictures_that_nobody_asked_for(tmp_path: Path):
    code = (
        "import sys\nimport thermoc.cli.run\n"
        "print(sorted({'thermoc.certificates', 'thermoc.reports.chip_picture', 'scipy.stats'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout == "[]\n", done.stderr


def test_a_shell_completes_commands_targets_and_chips(tmp_path: Path):
    def offered(line: str) -> set[str]:
        env = {"_THERMOC_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
        code = "import sys; sys.argv = ['thermoc']; from thermoc.cli.main import main; main()"
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=tmp_path, env=os.environ | env, capture_output=True, text=True, timeout=120)
        return set(done.stdout.split())

    assert {"compile", "cost"} <= offered("thermoc co")
    assert offered("thermoc run a.py:net --target o") == {"onnx"}
    assert offered("thermoc run a.py:net --chip th") == {"thermo-1"}


def test_a_new_project_runs_and_its_test_passes(tmp_path: Path):
    assert thermoc("new", "mine", cwd=tmp_path).returncode == 0
    folder = tmp_path / "mine"
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md",
        "network.py",
        "test_network.py",
        "thermoc.toml",
    ]
    done = thermoc("run", "network.py:net", "--ticks", "20", cwd=folder)
    assert done.returncode == 0, done.stderr
    tested = subprocess.run([sys.executable, "-m", "pytest", "-q"], cwd=folder, capture_output=True, text=True)
    assert tested.returncode == 0, tested.stdout
    said = (folder / "README.md").read_text()
    known = set(re.findall(r"^thermoc (\w+)", said, re.M))
    assert known <= COMMANDS.keys()


@pytest.mark.parametrize(("name", "code"), [("1st", "T404"), ("a b", "T404"), ("there", "T505"), ("file/in", "T505")])
def test_a_project_that_cannot_be_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, code: str):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine.py").write_text("x = 1\n")
    (tmp_path / "file").write_text("")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["new", name])
    assert getattr(done.exception, "code", None) == code
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["mine.py"]


def test_doctor_ends_in_lines_that_can_be_pasted():
    said = CliRunner().invoke(app, ["doctor"]).stdout
    if "to install what is missing:" in said:
        lines = said.split("to install what is missing:\n")[1].splitlines()
        assert lines and all(line.startswith(("pip install ", "thermoc doctor --install ")) for line in lines)


def test_forty_columns_hold_every_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "40")
    rows = [{"what": "a name that is quite long", "joules an inference": 1.23456e-7, "seconds an inference": 2.5e-6}]
    text = table("a title", rows)
    assert max(map(len, text.splitlines())) <= 40 and "1.235e-07" in text


def test_no_colour_is_written_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch):
    """NO_COLOR (no-color.org) of a bar on a terminal: no escape sets a colour."""
    coloured = {name: _escapes(name, monkeypatch) for name in ("", "1")}
    assert coloured[""] and not coloured["1"]


def _escapes(no_color: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", "xterm-256color")
    bar = _bar("net", 10, "ticks")
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=80)
    bar.live.console = console
    bar.update(bar.task_ids[0], completed=5)
    console.print(bar.get_renderable())
    return re.findall(r"\x1b\[[\d;]*(?:3[0-7]|38;|9[0-7])[\d;]*m", written.getvalue())


def test_no_bar_is_drawn_off_a_terminal(capsys: pytest.CaptureFixture[str]):
    from thermoc.progress import on_terminal

    assert not on_terminal(None)  # pytest's streams are none
    assert capsys.readouterr().err == "" and Display is not None


def test_options_of_a_machine_are_told_by_the_last_dot():
    pairs = ["mine.toml.placement=thermal", "sim.threads=2", "sim:cuda.precision=1.5"]
    asked = {"mine.toml": {"placement": "thermal"}, "sim": {"threads": 2}, "sim:cuda": {"precision": 1.5}}
    assert options_by_target(pairs) == asked
    with pytest.raises(ThermocError):
        options_by_target(["precision=1.5"])
