"""Certificates of runs that went on in a session, recorded less than all, or streamed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from recording.recorded_networks import spin_glass

import thermoc as tc

CALL = {"ticks": 400}


def seed_law(certificate: tc.Certificate) -> float:
    return next(law.measured for law in certificate.laws if law.law == "seed")


def test_a_run_of_a_session_is_repeated_from_where_it_began():
    with spin_glass().start(batch=2, seed=3) as session:
        session.run(37)
        run = session.run(400)
    found = tc.certify(run)
    assert found.verdict != "fails"
    assert seed_law(found) == 0.0
    assert found.document["first_tick"] == 37
    assert found.document["replay"] is None


def test_a_state_that_was_set_is_where_it_begins():
    with spin_glass().start(batch=2, seed=3) as session:
        name = next(iter(session.state))
        session.state[name] = -session.state[name]
        run = session.run(400)
    assert seed_law(tc.certify(run)) == 0.0
    assert not np.array_equal(run["s"][0], spin_glass().run(ticks=1, batch=2, seed=3)["s"][0])


@pytest.mark.parametrize("record", [{"s": ["mean", "counts"], "E": "every:7"}, {"field": "all"}, {}])
def test_what_was_recorded_is_what_is_compared(record: dict):
    run = spin_glass().run(**CALL, seed=3, record=record)
    found = tc.certify(run)
    assert found.verdict != "fails"
    assert seed_law(found) == 0.0
    assert found.document["result_sha256"] == tc.certify(spin_glass().run(**CALL, seed=3)).document["result_sha256"]


def test_a_wrong_recording_does_not_hold():
    run = spin_glass().run(**CALL, seed=3, record={"s": "mean"})
    run.recorded["s"].fields["mean"][0, 0] += 0.5  # type: ignore[index]
    assert seed_law(tc.certify(run)) == 0.5


def test_a_streamed_run_is_certified_and_a_file_is_not(tmp_path: Path):
    run = spin_glass().run(**CALL, seed=3, to=tmp_path / "run.zarr")
    assert tc.certify(run).verdict != "fails"
    with pytest.raises(tc.ThermocError, match="T404"):
        tc.certify(tc.open_run(tmp_path / "run.zarr"))
