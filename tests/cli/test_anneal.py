"""``thermoc anneal`` and ``thermoc check``: answers, their file, what is right and what is wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cli.shell import thermoc

from thermoc.cli.main import app

GRAPH = "5 5\n1 2 1\n2 3 1\n3 4 1\n4 5 1\n5 1 1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ring.rud").write_text(GRAPH)
    return tmp_path


def test_answers_are_written_and_checked(folder: Path):
    done = thermoc("anneal", "ring.rud", "--sweeps", "50", "--replicas", "8", "-o", "a.json", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    best = document["answers"][0]
    assert (best["objective"], best["energy"], best["feasible"], best["seed"]) == (4, -4, True, 0)
    assert sum(answer["count"] for answer in document["answers"]) == 8
    content = (folder / "a.json").read_bytes()
    again = thermoc("anneal", "ring.rud", "--sweeps", "50", "--replicas", "8", "-o", "a.json", cwd=folder)
    assert (folder / "a.json").read_bytes() == content, "the same seed gives the same bytes"
    assert "wrote a.json" in again.stdout and best["bits"] in again.stdout
    right = thermoc("check", "ring.rud", "a.json", cwd=folder)
    assert right.returncode == 0 and "wrong" not in right.stdout
    written = json.loads(content)
    written["answers"][0]["objective"] = 5
    (folder / "b.json").write_text(json.dumps(written))
    wrong = thermoc("check", "ring.rud", "b.json", "--json", cwd=folder)
    assert wrong.returncode == 1
    verdicts = json.loads(wrong.stdout)["answers"]
    assert [verdict["right"] for verdict in verdicts] == [False, *[True] * (len(verdicts) - 1)]
    assert (verdicts[0]["objective"], verdicts[0]["stated_objective"]) == (4, 5)


@pytest.mark.parametrize(
    "arguments, code, fact",
    [
        (("anneal", "ring.rud", "--target", "onnx", "--seconds", "1"), "T404", "--sweeps"),
        (("anneal", "ring.rud", "-O", "precision=float32"), "T404", "precision"),
        (("anneal", "ring.rud", "--method", "luck"), "T404", "annealing"),
        (("anneal", "ring.rud", "--device", "abacus"), "T404", "cuda"),
        (("anneal", "ring.rud", "--device", "cuda", "--seconds", "1"), "T404", "seconds"),
        (("anneal", "ring.rud", "--device", "cuda", "--method", "cycling"), "T404", "method"),
        (("anneal", "ring.rud", "-o", "no/a.json"), "T505", "a.json"),
        (("anneal", "none.rud"), "T501", "none.rud"),
        (("check", "ring.rud", "ring.rud"), "T502", "JSON"),
        (("check", "ring.rud", "other.json"), "T518", "answers"),
        (("check", "ring.rud", "long.json"), "T518", "6 letters"),
        (("check", "ring.rud", "newer.json"), "T503", "version"),
    ],
)
def test_mistakes_are_coded(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments, code: str, fact: str
):
    monkeypatch.chdir(folder)
    row = {"bits": "010101", "energy": 0, "objective": 0, "feasible": True}
    good = {"format": "thermoc answers", "version": 1, "answers": [row]}
    contents = {"other": {"answers": []}, "long": good, "newer": {**good, "version": 2}}
    for name, content in contents.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    from thermoc.support.errors import ThermocError

    with pytest.raises(ThermocError) as problem:
        app(arguments, standalone_mode=False)
    assert problem.value.code == code
    assert fact in str(problem.value)


def test_other_targets_anneal_the_network(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    pytest.importorskip("onnxruntime")
    monkeypatch.chdir(folder)
    app(("anneal", "ring.rud", "--target", "onnx", "--sweeps", "60", "--json"), standalone_mode=False)
    document = json.loads(capsys.readouterr().out)
    assert document["answers"][0]["objective"] == 4
    assert (document["target"], document["method"], document["sweeps"]) == ("onnx", "network", 60)


def test_a_gpu_anneals_the_network(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """numba-cuda's simulator; the bits are those of target sim's network on the processor."""
    from thermoc.apps.optimisation.on_targets import anneal_on
    from thermoc.frontends.problems import read

    monkeypatch.chdir(folder)
    how = ("--sweeps", "12", "--replicas", "6")
    app(("anneal", "ring.rud", "--device", "cuda", *how, "--json"), standalone_mode=False)
    document = json.loads(capsys.readouterr().out)
    assert (document["device"], document["method"], document["sweeps"]) == ("cuda", "network", 12)
    assert sum(answer["count"] for answer in document["answers"]) == 6
    there = anneal_on("sim", read("ring.rud").model, sweeps=12, replicas=6)
    assert document["answers"][0]["energy"] == there.energies[0]
    app(("anneal", "ring.rud", "--device", "cuda", *how), standalone_mode=False)
    assert "network on cuda" in " ".join(capsys.readouterr().out.split())


def test_without_a_gpu_annealing_on_one_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NUMBA_ENABLE_CUDASIM", "0")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    done = thermoc("anneal", "ring.rud", "--device", "cuda", cwd=folder)
    assert done.returncode == 1 and done.stderr.startswith("T421")


@pytest.mark.slow
def test_ctrl_c_keeps_the_best_answers_so_far(folder: Path):
    """As a person does it, on a terminal, once the line with the best so far is there."""
    mine, theirs = os.openpty()
    command = [sys.executable, "-m", "thermoc", "anneal", "ring.rud", "-m", "tempering", "--seconds", "600"]
    started = subprocess.Popen([*command, "-o", "a.json"], cwd=folder, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    seen = _read_until(mine, b" sweeps  best ")
    started.send_signal(signal.SIGINT)
    out, _ = started.communicate(timeout=60)
    seen = _read_until(mine, b"interrupted")
    assert started.returncode == 130
    assert b"wrote a.json" in out and b"the best answers until then" in seen
    content = json.loads((folder / "a.json").read_text())
    assert content["stopped"] is True and content["sweeps"] > 0
    assert content["answers"][0]["objective"] == 4
    assert thermoc("check", "ring.rud", "a.json", cwd=folder).returncode == 0


def _read_until(terminal: int, words: bytes) -> bytes:
    seen = b""
    while words not in seen:
        seen += os.read(terminal, 4096)
    return seen
