"""What each command prints with --json is what its schema says: other programs read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cli.shell import app
from typer.testing import CliRunner

from thermoc.cli import schema as schemas
from thermoc.cli.commands import COMMANDS
from thermoc.cli.output import tell
from thermoc.support import notices
from thermoc.support.errors import error

GRAPH = "3 3\n1 2 1\n2 3 1\n1 3 -1\n"
TRAIN = """
[data]
file = "points.npz"
[network]
feed_forward = [4, 2]
activations = ["thermal_relu", "boltzmann"]
T = [0.05, 0.5]
[training]
rule = "gradient"
epochs = 1
[output]
folder = "trained"
"""
SWEEP = """
[model]
file = "mine/network.py:net"
[run]
ticks = 10
[points]
seeds = 2
[output]
store = "sweep.zarr"
"""
LINES = {
    "compile": "compile mine/network.py:net -t sim -o m.program",
    "compile on a chip": "compile mine/network.py:net --chip thermo-1 -o m.chip",
    "run": "run mine/network.py:net --ticks 12 -o y.npz --to run.zarr --certify",
    "run on a chip": "run mine/network.py:net --chip thermo-1 --ticks 2",
    "run that is saved": "run mine/network.py:net --ticks 12 --checkpoint run.ckpt --every 5 -o z.npz",
    "resume": "resume run.ckpt",
    "run without running": "run mine/network.py:net --dry-run",
    "certify": "certify mine.certificate.json",
    "certify samples": "certify samples.npz --model mine/network.py:net",
    "verify": "verify mine/network.py:net -t sim --ticks 4",
    "report": "report run.zarr -o page.html",
    "sweep": "sweep sweep.toml --workers 0",
    "sweep without running": "sweep sweep.toml --dry-run",
    "anneal": "anneal graph.txt --kind maxcut --sweeps 20 -o a.json",
    "check": "check graph.txt a.json --kind maxcut",
    "cost": "cost mine/network.py:net --on thermo-1,isaac,loihi,sim --ticks 10",
    "guard": "guard mine/network.py:net --ticks 2",
    "show": "show mine/network.py:net",
    "targets": "targets",
    "formats": "formats",
    "passes": "passes",
    "doctor": "doctor",
    "schema": "schema",
    "new": "new another",
}
ELSEWHERE = {"demo": "tests/cli/test_demo.py", "errors": "below", "train": "below"}


def held(name: str, document: Any) -> None:
    jsonschema.Draft202012Validator(schemas.read(name)).validate(document)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import numpy as np

    folder = tmp_path_factory.mktemp("schemas")
    (folder / "graph.txt").write_text(GRAPH)
    (folder / "train.toml").write_text(TRAIN)
    (folder / "sweep.toml").write_text(SWEEP)
    x = np.random.default_rng(0).normal(size=(40, 2))
    np.savez(folder / "samples.npz", samples=np.random.default_rng(0).choice([-1.0, 1.0], (300, 2, 4)))
    np.savez(folder / "points.npz", x=x, y=(x[:, 0] > 0).astype(int))
    return folder


def printed(folder: Path, line: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(folder)
    # what is compiled is told on pytest's own terminal (conftest.py), which would close the runner's streams
    monkeypatch.setattr(notices, "notify", lambda text: None)
    if not (folder / "mine").exists():
        assert CliRunner().invoke(app, ["new", "mine"]).exit_code == 0
    done = CliRunner().invoke(app, [*line.split(), "--json"])
    assert done.exit_code in (0, 1) and done.stdout, done.output + str(done.exception)
    return json.loads(done.stdout)


@pytest.mark.parametrize("case", LINES)
def test_output_is_what_the_schema_says(folder: Path, case: str, monkeypatch: pytest.MonkeyPatch):
    held(case.split()[0], printed(folder, LINES[case], monkeypatch))


def test_training_is_what_the_schema_says(folder: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("torch")
    held("train", printed(folder, "train train.toml", monkeypatch))


def test_errors_are_what_the_schema_says(capsys: pytest.CaptureFixture[str]):
    tell(error("T404", "it is wrong", notes=["a"], hint="b"), as_json=True)
    held("errors", json.loads(capsys.readouterr().out))


def test_every_command_has_a_schema_that_is_one_and_is_held_to_it():
    commands = set(COMMANDS)
    assert {*schemas.names()} == commands | {"errors"}
    assert {case.split()[0] for case in LINES} | ELSEWHERE.keys() == commands | {"errors"}
    for name in schemas.names():
        jsonschema.Draft202012Validator.check_schema(schemas.read(name))


def test_a_document_that_differs_is_refused():
    with pytest.raises(jsonschema.ValidationError):
        held("new", {"folder": "a", "files": ["b"], "more": 1})
    with pytest.raises(jsonschema.ValidationError):
        held("cost", {"network": "a"})


def test_an_unknown_schema_is_refused_by_name():
    done = CliRunner().invoke(app, ["schema", "rum"])
    assert "did you mean 'run'?" in str(done.exception)
