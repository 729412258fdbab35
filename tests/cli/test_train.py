"""``thermoc train``: the command line, what it prints, and how it goes on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from cli.shell import thermoc

from thermoc.cli.main import app
from thermoc.cli.train import EXAMPLE
from thermoc.learning.training import read_config
from thermoc.support.errors import ThermocError

CONFIG = """
[data]
file = "x.npz"
[network]
hidden = 4
[training]
rule = "contrastive_divergence"
epochs = 2
[output]
folder = "out"
tensorboard = false
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    np.savez(tmp_path / "x.npz", x=np.random.default_rng(0).random((60, 6)) < 0.5)
    (tmp_path / "rbm.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_tells_what_it_did(folder: Path, capsys: pytest.CaptureFixture[str]):
    app(("train", "rbm.toml", "--json"), standalone_mode=False)
    document = json.loads(capsys.readouterr().out)
    assert (document["rule"], document["epochs"], document["model"]) == (
        "contrastive_divergence",
        2,
        "out/model.thermo",
    )
    assert set(document["test"]) == {"reconstruction", "free_energy_gap"}
    (folder / "rbm.toml").write_text(CONFIG.replace("epochs = 2", "epochs = 3"))
    app(("train", "rbm.toml", "--resume"), standalone_mode=False)
    text = capsys.readouterr().out
    assert "3 epochs" in text and "wrote out/model.thermo" in text
    with pytest.raises(ThermocError, match="--overwrite"):
        app(("train", "rbm.toml"), standalone_mode=False)


def test_ctrl_c_says_how_to_go_on(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    from thermoc.cli import train as command

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command._Shown, "__call__", interrupt)
    assert app(("train", "rbm.toml"), standalone_mode=False) == 130
    assert "thermoc train rbm.toml --resume" in capsys.readouterr().err


def test_the_example_of_the_help_is_a_file_that_is_read(folder: Path):
    (folder / "example.toml").write_text(EXAMPLE.replace("\b", "").partition("\n")[2])
    assert read_config(folder / "example.toml").training.epochs == 20


@pytest.mark.slow
def test_a_mistake_names_its_line(folder: Path):
    (folder / "rbm.toml").write_text(CONFIG.replace("hidden", "hiden"))
    done = thermoc("train", "rbm.toml", "--json", cwd=folder)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    row = json.loads(done.stdout)["errors"][0]
    assert (row["code"], row["where"], row["hint"]) == ("T519", "rbm.toml:5", "did you mean 'hidden'?")
