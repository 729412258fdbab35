"""Files that older versions wrote are read as they were meant; a newer version's are refused by name."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from formats.store_samples import CERTIFICATE, MAKERS, SAMPLES, SEED, TICKS, inputs, network

import thermoc as tc
from thermoc.apps.optimisation.answers import check_answers, read_answers
from thermoc.certificates import recheck
from thermoc.frontends.problems import read
from thermoc.learning.training import read_config, train
from thermoc.simulator.machine.program import ChipProgram
from thermoc.simulator.program_file import load
from thermoc.simulator.session import Session

STORED = sorted(path.name for path in SAMPLES.iterdir())


def of(kind: str) -> list[str]:
    return [name for name in STORED if name.startswith(f"{kind}-v")]


def test_every_version_of_every_format_has_a_sample():
    """A format whose version rises needs a sample of the new one; those of the older ones stay."""
    for name in MAKERS:
        kind, _, version = name.rpartition("-v")
        assert [f"{kind}-v{number}" for number in range(1, int(version) + 1)] == of(kind), name


@pytest.mark.parametrize("name", of("program"))
def test_programs_of_every_version_give_their_outputs(name: str):
    program, stored = load(SAMPLES / name / "sample.program"), np.load(SAMPLES / name / "sample.npz")
    x = np.broadcast_to(stored["x"], (TICKS, *stored["x"].shape))
    outputs = Session(program, batch=2, seed=SEED).run({"x": x}, ticks=TICKS)
    np.testing.assert_array_equal(outputs["s"], stored["s"])
    np.testing.assert_allclose(outputs["p"], stored["p"], rtol=1e-14)


@pytest.mark.parametrize("name", of("chip"))
def test_programs_of_chips_are_those_that_are_compiled(name: str, tmp_path: Path):
    program = ChipProgram.load(SAMPLES / name / "sample.chip")
    assert len(program.code) > 0 and "sample_binary" in " ".join(program.ops)


@pytest.mark.parametrize("name", of("certificate"))
def test_certificates_are_checked_again(name: str):
    document = json.loads((SAMPLES / name / "sample.certificate.json").read_text())
    again = recheck(SAMPLES / name / "sample.certificate.json")
    assert again.document["result_sha256"] == document["result_sha256"]
    # An older version's laws are judged by today's.
    assert _alike(again.document["laws"], document["laws"]) is (document["version"] == CERTIFICATE)
    assert {law.statement for law in again.laws} >= {law["statement"] for law in document["laws"][:2]}


def _alike(laws: list[dict], others: list[dict]) -> bool:
    """Tell whether laws are the same but for rounding, which is another where exp is another library's."""
    if [law.keys() for law in laws] != [law.keys() for law in others]:
        return False
    pairs = [(law[name], other[name]) for law, other in zip(laws, others) for name in law if name != "details"]
    return all(a == (pytest.approx(b, rel=1e-9, abs=1e-12) if isinstance(b, float) else b) for a, b in pairs)


@pytest.mark.parametrize("name", of("checkpoint"))
def test_checkpoints_go_on(name: str):
    """Five ticks, of which three are the checkpoint's, are the bits of five at once."""
    from formats.store_samples import inputs, network

    exe = tc.compile(network(), "sim")
    with exe.load_session(SAMPLES / name / "sample.ckpt") as session:
        late = session.run(2, inputs())["s"]
    np.testing.assert_array_equal(late, exe.run(inputs(), ticks=TICKS + 2, seed=SEED)["s"][TICKS:])


@pytest.mark.parametrize("name", of("run"))
def test_runs_are_read(name: str):
    made, stored = tc.open_run(SAMPLES / name / "sample.zarr"), np.load(SAMPLES / name / "sample.npz")
    assert made.complete and made.seed == SEED
    np.testing.assert_array_equal(made["s"], stored["s"])
    np.testing.assert_array_equal(made["p"], stored["p"])


@pytest.mark.parametrize("name", of("run"))
def test_a_newer_run_is_refused(name: str, tmp_path: Path):
    shutil.copytree(SAMPLES / name / "sample.zarr", tmp_path / "new.zarr")
    for path in (tmp_path / "new.zarr").rglob("zarr.json"):
        path.write_text(re.sub(r'("version": )1\b', r"\g<1>99", path.read_text()))
    with pytest.raises(tc.ThermocError) as caught:
        tc.open_run(tmp_path / "new.zarr")
    assert caught.value.code == "T503"


@pytest.mark.parametrize("name", of("training"))
def test_trainings_go_on(name: str, tmp_path: Path):
    folder = tmp_path / "sample"
    shutil.copytree(SAMPLES / name, folder)
    (first,) = list(csv.DictReader((folder / "out" / "metrics.csv").open()))
    config = folder / "train.toml"
    config.write_text(config.read_text().replace("epochs = 1", "epochs = 2"))
    assert train(read_config(config), resume=True).epochs == 2
    rows = list(csv.DictReader((folder / "out" / "metrics.csv").open()))
    assert len(rows) == 2 and rows[0] == first
    config.write_text(config.read_text().replace("hidden = 4", "hidden = 5"))
    with pytest.raises(tc.ThermocError) as caught:
        train(read_config(config), resume=True)
    assert caught.value.code == "T420"


@pytest.mark.parametrize("name", of("answers"))
def test_answers_are_checked_again(name: str):
    verdicts = check_answers(
        read(SAMPLES / name / "graph.txt", "maxcut"), read_answers(SAMPLES / name / "answers.json")
    )
    assert verdicts and all(verdict.right for verdict in verdicts)


@pytest.mark.parametrize("name", of("sweep"))
def test_sweeps_are_read(name: str):
    result = tc.sweeps.open(SAMPLES / name / "sample.zarr")
    assert result.complete and result.store.count == 4
    assert [result.labels(index) for index in (0, 3)] == [
        {"precision": "float64", "seed": 0},
        {"precision": "float32", "seed": 1},
    ]
    made = tc.compile(network()).run(inputs(), ticks=TICKS, seed=1)
    np.testing.assert_array_equal(result["s.mean"][1], made["s"].mean(axis=0))
