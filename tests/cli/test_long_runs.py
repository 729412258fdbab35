"""Runs that are saved, resumed and foretold from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from cli.shell import filled, thermoc

from thermoc.cli.resume import resume
from thermoc.support.errors import ThermocError

RUN = ("run", "model.py:net", "-i", "x.npy", "--ticks", "500")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return filled(tmp_path)


@pytest.mark.slow
def test_a_run_is_saved_and_resumed(folder: Path):
    saved = ("--checkpoint", "run.ckpt", "--every", "100", "-o", "out.npz")
    assert thermoc(*RUN, *saved, cwd=folder).returncode == 0
    first = (folder / "out.npz").read_bytes()
    (folder / "out.npz").unlink()
    (folder / "elsewhere").mkdir()
    done = thermoc("resume", "../run.ckpt", "--json", cwd=folder / "elsewhere")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["path"] == str(folder / "out.npz")
    assert (folder / "out.npz").read_bytes() == first


@pytest.mark.slow
def test_a_missing_checkpoint_and_an_interval_without_one_are_refused(folder: Path):
    done = thermoc("resume", "none", cwd=folder)
    assert (done.returncode, done.stderr[:4]) == (1, "T501") and "started anew" in done.stderr
    done = thermoc(*RUN, "--every", "5", cwd=folder)
    assert (done.returncode, done.stderr[:4]) == (1, "T404")


def test_resume_takes_no_file_that_it_cannot_write(tmp_path: Path):
    with pytest.raises(ThermocError, match=r"written as .npz, not .csv"):
        resume(tmp_path / "run.ckpt", output=tmp_path / "out.csv")


@pytest.mark.slow
def test_a_dry_run_shows_memory_and_writes_nothing(folder: Path):
    before = set(folder.iterdir())
    done = thermoc(*RUN, "-o", "out.npz", "--checkpoint", "run.ckpt", "--dry-run", "--json", cwd=folder)
    shown = json.loads(done.stdout)
    assert shown["parts"]["recorded time"] == 8 * 500 * 2 * 3 and shown["total"] == sum(shown["parts"].values())
    done = thermoc(*RUN, "--dry-run", "--max-memory", "1kB", cwd=folder)
    assert (done.returncode, done.stderr.splitlines()[1][:4]) == (1, "T408") and "recorded time" in done.stdout
    assert {path for path in folder.iterdir() if path.name != "__pycache__"} == before


@pytest.mark.slow
def test_whatever_is_recorded_is_written(folder: Path):
    """A mean too: a file of outputs that were recorded whole would be empty."""
    done = thermoc(*RUN, "--record", "time=mean", "-o", "out.npz", cwd=folder)
    assert done.returncode == 0, done.stderr
    with np.load(folder / "out.npz") as stored:
        assert set(stored) == {"time.mean", "time.variance", "time.count"}
        assert int(stored["time.count"]) == 500
