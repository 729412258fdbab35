"""Where Lava's Python comes from: made once, anew where it is half-made, and a coded error where it cannot be."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import thermoc as tc
from thermoc.backends.lava import interpreter
from thermoc.ir.feed import feed
from thermoc.ir.reference import interpret
from thermoc.support.errors import ThermocError

OWN_RUN = interpreter._run


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test's own; no Lava is named from outside."""
    monkeypatch.setenv("THERMOC_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("THERMOC_LAVA", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def commands(cache: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What install() would run; the first command makes the folder, with what Lava says in it."""
    said: list[list[str]] = []

    def record(command: list[str]) -> None:
        said.append(command)
        if command[1:3] == ["-m", "venv"]:
            for name, (old, _) in interpreter.EDITS.items():
                path = Path(command[3], "lib/python3.11/site-packages", name)
                path.parent.mkdir(parents=True)
                path.write_text(f"{old} twice {old}")

    monkeypatch.setattr(interpreter, "_run", record)
    return said


def edited() -> list[bool]:
    """Return, for each edit, whether Lava says what it must say."""
    root = interpreter.folder() / "lib/python3.11/site-packages"
    return [(root / name).read_text() == f"{new} twice {new}" for name, (_, new) in interpreter.EDITS.items()]


def stub(path: Path, script: str) -> str:
    """Write a program that stands in for a Python."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_what_is_ready_is_left_as_it_is(commands: list[list[str]]):
    interpreter.folder().mkdir(parents=True)
    (interpreter.folder() / "ready").write_text("")
    (interpreter.folder() / "mine").write_text("keep")
    assert interpreter.install() == interpreter.folder() / "bin/python" == interpreter.find()
    assert commands == [] and (interpreter.folder() / "mine").exists()


def test_a_folder_without_the_mark_is_made_anew(commands: list[list[str]]):
    interpreter.folder().mkdir(parents=True)
    (interpreter.folder() / "half").write_text("left behind by a killed pip")
    assert interpreter.find() is None
    made = interpreter.install()
    assert not (interpreter.folder() / "half").exists() and interpreter.find() == made
    count = len(commands)
    assert count >= 3 and interpreter.install() == made and len(commands) == count


def test_what_does_not_import_gets_no_mark_and_is_tried_again(commands: list[list[str]], monkeypatch):
    record = interpreter._run

    def broken(command: list[str]) -> None:
        record(command)
        if command[1] == "-c":
            OWN_RUN([sys.executable, "-c", "import lava_that_is_not_there"])

    monkeypatch.setattr(interpreter, "_run", broken)
    with pytest.raises(ThermocError, match="lava_that_is_not_there") as caught:
        interpreter.install()
    assert caught.value.code == "T302" and interpreter.find() is None
    monkeypatch.setattr(interpreter, "_run", record)
    assert interpreter.install() == interpreter.find()


def test_with_python_3_10_pip_follows_lavas_own_list(commands: list[list[str]], tmp_path: Path):
    old = stub(tmp_path / "python3.10", "echo 3 10")
    interpreter.install(base=old)
    assert commands[0] == [old, "-m", "venv", str(interpreter.folder())]
    assert commands[1][-2:] == list(interpreter.WITH_310) and "--no-deps" not in commands[1]
    assert not any(edited()), "Python 3.10 takes Lava as it is"


def test_without_python_3_10_the_running_one_gets_lava_without_its_list(commands: list[list[str]], monkeypatch):
    monkeypatch.setattr(interpreter, "python310", lambda: None)
    interpreter.install()
    assert commands[0][0] == sys.executable
    assert commands[1][-len(interpreter.WITHOUT_DEPENDENCIES) :] == list(interpreter.WITHOUT_DEPENDENCIES)
    assert commands[2][-3:] == ["--no-deps", "--ignore-requires-python", interpreter.LAVA]
    assert all(edited())


def test_a_lava_that_the_edits_were_not_made_for_is_refused(commands: list[list[str]], monkeypatch):
    monkeypatch.setattr(interpreter, "python310", lambda: None)
    name = "lava/magma/core/process/ports/ports.py"
    monkeypatch.setitem(interpreter.EDITS, name, ("what it said", "what it must say"))
    record = interpreter._run

    def other(command: list[str]) -> None:
        record(command)
        if interpreter.LAVA in command:
            next(interpreter.folder().glob(f"lib/*/site-packages/{name}")).write_text("a later Lava")

    monkeypatch.setattr(interpreter, "_run", other)
    with pytest.raises(ThermocError, match="does not hold 'what it said'") as caught:
        interpreter.install()
    assert caught.value.code == "T302" and interpreter.find() is None


def test_python310_skips_what_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shims, roots = tmp_path / "shims", tmp_path / "pyenv"
    stub(shims / "python3.10", "echo 'pyenv: python3.10: command not found' >&2; exit 127")
    stub(shims / "python3", "echo 3 12")
    stub(shims / "python", "echo not a version")
    monkeypatch.setenv("PATH", str(shims))
    monkeypatch.setenv("PYENV_ROOT", str(roots))
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "uv"))
    assert interpreter.python310() is None
    newest = stub(roots / "versions/3.10.13/bin/python3.10", "echo 3 10")
    assert interpreter.python310() == newest
    stub(roots / "versions/3.10.14/bin/python3.10", "exit 1")
    assert interpreter.python310() == newest


def test_a_named_python_goes_before_the_cache(cache: Path, monkeypatch: pytest.MonkeyPatch):
    interpreter.folder().mkdir(parents=True)
    (interpreter.folder() / "ready").write_text("")
    monkeypatch.setenv("THERMOC_LAVA", sys.executable)
    assert interpreter.interpreter() == interpreter.find() == Path(sys.executable)
    monkeypatch.setenv("THERMOC_LAVA", str(cache / "gone"))
    with pytest.raises(ThermocError, match="gone is not there") as caught:
        interpreter.interpreter()
    assert caught.value.code == "T302"


def test_where_there_is_none_the_error_says_how_to_get_one(cache: Path):
    with pytest.raises(ThermocError) as caught:
        interpreter.interpreter()
    assert caught.value.code == "T302"
    assert f"none is in {cache / 'lava-0.10.0'}" in str(caught.value)
    assert "hint: thermoc doctor --install lava" in str(caught.value)


def test_a_pip_that_fails_says_its_last_lines(cache: Path):
    code = "import sys; [print(f'line {i}', file=sys.stderr) for i in range(9)]; sys.exit(1)"
    with pytest.raises(ThermocError) as caught:
        interpreter._run([sys.executable, "-c", code])
    text = str(caught.value)
    assert caught.value.code == "T302" and "package index" in text
    assert "note: line 8" in text and "note: line 4" in text and "note: line 3" not in text


def test_a_python_that_cannot_be_started_is_no_traceback(cache: Path, tmp_path: Path):
    with pytest.raises(ThermocError) as caught:
        interpreter.install(base=str(tmp_path / "nowhere/python"))
    assert caught.value.code == "T302" and interpreter.find() is None


def test_a_cache_that_cannot_be_written_is_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("THERMOC_CACHE", str(tmp_path / "file"))
    with pytest.raises(ThermocError) as caught:
        interpreter.install()
    assert caught.value.code == "T302" and str(tmp_path / "file") in str(caught.value)


def test_a_lock_file_that_nobody_holds_stops_nobody(commands: list[list[str]]):
    lock = interpreter.folder().with_suffix(".lock")
    lock.parent.mkdir(parents=True)
    lock.write_text("")
    interpreter.install()
    assert commands


def test_pip_is_not_told_of_thermocs_own_packages(cache: Path, monkeypatch: pytest.MonkeyPatch):
    seen: dict[str, str] = {}

    def record(command: list[str], **given: object) -> subprocess.CompletedProcess[str]:
        seen.update(given["env"])  # type: ignore[call-overload]
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setattr(subprocess, "run", record)
    OWN_RUN(["pip"])
    assert seen and not {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE"} & seen.keys()


def window() -> tc.Network:
    """A convolution, whose ports Lava reshapes, a synapse, a p-bit and a unit."""
    rng = np.random.default_rng(1)
    with tc.Network("window") as net:
        x = tc.input("x", (2, 4, 4), dtype="i32")
        seen = tc.loihi.conv(x, 2 * rng.integers(-9, 9, (3, 2, 3, 3)), message_bits=8)
        flat = tc.flatten(tc.loihi.graded(seen, shift=3))
        y = tc.loihi.dense(flat, 2 * rng.integers(-9, 9, (4, flat.shape[0])), message_bits=12)
        tc.output("p", tc.loihi.fermi_dirac(y, T=50_000))
        tc.output("s", tc.loihi.lif(y, du=400, dv=300, vth=60)[0])
    return net


def test_without_python_3_10_lava_says_what_the_reference_says(cache: Path, monkeypatch: pytest.MonkeyPatch):
    """For real: the running Python, the newest NumPy, some 20 s."""
    monkeypatch.setattr(interpreter, "python310", lambda: None)
    python = interpreter.install()
    assert interpreter._version(str(python)) == sys.version_info[:2]
    assert all(new in path.read_text() for path, (_, new) in zip(lava_files(), interpreter.EDITS.values()))
    given = {"x": np.random.default_rng(2).integers(-60, 60, (12, 3, 2, 4, 4), dtype=np.int32)}
    exe = tc.compile(window(), target="lava")
    found = exe.run(given, ticks=12, seed=5)
    expected = interpret(exe.graph, feed(exe.graph, given, ticks=12), seed=5)
    for name, array in {**expected.outputs, **expected.states}.items():
        np.testing.assert_array_equal({**found.outputs, **found.states}[name], array, err_msg=name)
    assert 0 < found["p"].mean() < 1 and found["s"].any()


def lava_files() -> list[Path]:
    return [next(interpreter.folder().glob(f"lib/python*/site-packages/{name}")) for name in interpreter.EDITS]
