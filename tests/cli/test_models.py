"""What a command takes as its model: readers' options, a user's own exceptions, places in files, inputs."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from cli.shell import app, filled
from typer.testing import CliRunner

import thermoc as tc
from thermoc.frontends.formats import FORMATS, options_of
from thermoc.support.errors import ThermocError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return filled(tmp_path)


@pytest.fixture
def spiking(folder: Path) -> str:
    with tc.Network("units", dt=1e-4) as net:
        tc.output("y", tc.lif(tc.input("x", (2,)), 1e-3, method="euler")[0])
    net.save("units.nir")
    return "units.nir"


def said(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0, done.exception or done.output
    return done.output


def problem(*arguments: str) -> ThermocError:
    done = CliRunner().invoke(app, list(arguments))
    assert isinstance(done.exception, ThermocError), done.exception
    return done.exception


@pytest.mark.parametrize("command", ["run", "compile", "verify", "show"])
def test_every_option_of_every_reader_is_in_the_help(command: str):
    text = said(command, "--help")
    assert "--reader" in text
    for format in (format for format in FORMATS.values() if format.reader):
        module, _, function = str(format.reader).partition(":")
        for name, one in inspect.signature(getattr(import_module(module), function)).parameters.items():
            assert one.kind is not one.KEYWORD_ONLY or f"--{name.replace('_', '-')} " in text


def test_what_an_option_does_comes_from_the_reader():
    assert options_of(FORMATS["nir"])["dt"].startswith("the time of a tick in s")
    assert all(all(options_of(format).values()) for format in FORMATS.values())


@pytest.mark.parametrize("options", [("--dt", "1e-3"), ("-R", "dt=1e-3"), ("--reader", "dt=0.001", "--dt", "1e-3")])
def test_an_option_reaches_the_reader(spiking: str, options: tuple[str, ...]):
    assert 'network "units" dt=0.001' in said("show", spiking, *options)


@pytest.mark.parametrize(
    ("arguments", "code", "fact"),
    [
        (["--spike-exp", "3"], "T111", "its options are dt"),
        (["-R", "nonsense=1"], "T111", "'nonsense'"),
        (["-R", "dt"], "T303", "NAME=VALUE"),
        (["--dt", "soon"], "T303", "dt is a time"),
        (["--dt", "1", "-R", "dt=2"], "T303", "given twice"),
    ],
)
def test_a_wrong_option_of_a_reader_is_told(spiking: str, arguments: list[str], code: str, fact: str):
    found = problem("show", spiking, *arguments)
    assert found.code == code and fact in str(found)


def test_a_network_in_python_has_no_reader(folder: Path):
    assert problem("show", "model.py:net", "--dt", "1").code == "T111"


def test_a_mistake_about_a_file_points_at_its_node(spiking: str):
    text = str(problem("run", spiking))
    assert "at units.nir: node 'x'" in text and "typer" not in text and ".py" not in text
    assert "'x'" in text and "[batch, 2]" in text and "np.savez('x.npz', x=np.zeros((1, 2)))" in text
    places = [op.location for op in tc.load(spiking).graph.ops]
    assert all(place is not None and str(place).startswith("units.nir: node '") for place in places)


@pytest.mark.parametrize(
    ("name", "what", "line"),
    [
        ("fails", "KeyError: 'nothing'", 'return {}["nothing"]'),
        ("leaves", "sys.exit(0)", "sys.exit(0)"),
        ("asks", "missing a required argument: 'n'", ""),
        ("gone", "its networks are net, two", ""),
        ("branches", "tc.select", "x if x > 0 else -x"),
    ],
)
def test_what_a_model_raises_is_told_with_its_line(folder: Path, name: str, what: str, line: str):
    found = problem("run", f"model.py:{name}")
    assert found.code == ("T111" if name == "branches" else "T506")
    assert what in str(found) and line in str(found) and "model.py" in str(found)


@pytest.mark.parametrize(("text", "line"), [("x = (", 1), ("import numpy\n\nimport nothing_there", 3), ("\n1 / 0", 2)])
def test_a_file_that_does_not_run_is_told_with_its_line(folder: Path, text: str, line: int):
    (folder / "broken.py").write_text(text)
    assert f"at broken.py:{line}" in str(problem("show", "broken.py:net"))


def test_a_fault_of_ours_inside_a_model_stays_ours(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """A model calls us, and a part of ours is broken: the exception leaves the command as it is, for exit code 2."""
    monkeypatch.setattr("thermoc.ir.builder.infer", None)
    done = CliRunner().invoke(app, ["run", "model.py:net"])
    assert isinstance(done.exception, TypeError)


def test_the_only_input_takes_an_array_without_a_name(folder: Path):
    np.savez("x.npz", np.ones((2, 3)))
    for file in ("x.npy", "x.npz"):
        assert "3x2x3" in said("run", "model.py:net", "-i", file, "--ticks", "3")
    found = problem("run", "model.py:two", "-i", "x.npy")
    assert found.code == "T401" and "its inputs are a, b" in str(found)


def test_a_run_without_inputs_says_which_and_how(folder: Path):
    found = problem("run", "model.py:two")
    assert [one.code for one in found.findings] == ["T401", "T401"]
    assert "a=np.zeros((1, 2)), b=np.zeros((1, 2))" in str(found)


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "model.py:net", "-i", "x.npy", "-o", "nowhere/y.npz"],
        ["run", "model.py:net", "-i", "x.npy", "-o", "y.csv"],
        ["verify", "model.py:net", "--plot", "nowhere/p.svg"],
        ["verify", "model.py:net", "--reduce", "nowhere/r"],
        ["run", "model.py:net", "-i", "x.npy", "--record", "time=mean", "--plot", "p.png"],
        ["compile", "model.py:net", "-o", "nowhere/x.onnx"],
        ["compile", "model.py:net", "-t", "sim", "-o", "x.onnx"],
        ["show", "model.py:net", "--svg", "g.png"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_written_or_drawn_is_told_before_anything_runs(
    folder: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("thermoc.compiled.run_passes", lambda *_, **__: pytest.fail("it was compiled first"))
    assert problem(*arguments).code in ("T404", "T419", "T505", "T506")
