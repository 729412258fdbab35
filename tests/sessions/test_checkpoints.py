"""A checkpoint holds all that a session needs; what is not one, or of something else, is refused with a code."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from sessions.drifting import drift

import thermoc as tc
from thermoc.support.errors import Finding, ThermocError


def saved(folder: Path) -> Path:
    """Write a checkpoint of a session at tick 70."""
    session = tc.compile(drift()).start(batch=3, seed=5)
    session.run(70)
    session.save(folder / "session.ckpt")
    return folder / "session.ckpt"


def code_of(call) -> str:
    with pytest.raises(ThermocError) as caught:
        call()
    return caught.value.code


def test_a_loaded_session_goes_on_to_the_same_bits(tmp_path: Path):
    exe = tc.compile(drift())
    whole = exe.run(ticks=200, batch=3, seed=5)
    path = saved(tmp_path)
    for session in (tc.Session.load(path), exe.load_session(path)):
        assert (session.tick, session.batch, session.seed) == (70, 3, 5)
        rest = session.run(130)
        for name in ("x", "late"):
            np.testing.assert_array_equal(rest[name], whole[name][70:])


def test_options_and_passes_are_kept(tmp_path: Path):
    exe = tc.compile(drift(), precision="float32", threads=1)
    session = exe.start(seed=2)
    session.run(10)
    session.save(tmp_path / "a")
    again = tc.Session.load(tmp_path / "a")
    np.testing.assert_array_equal(again.run(30)["x"], exe.run(ticks=40, seed=2)["x"][10:])


@pytest.mark.parametrize("other", ["network", "options"])
def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path, other: str):
    exe = tc.compile(drift(k=2.0)) if other == "network" else tc.compile(drift(), precision="float32")
    path = saved(tmp_path)
    assert code_of(lambda: exe.load_session(path)) == "T420"


def test_another_version_is_refused_with_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = saved(tmp_path)
    monkeypatch.setattr(tc, "__version__", "99.1")
    with pytest.raises(ThermocError, match=r"(?s)T420.*'0\.1\.0' in the file, '99\.1' here"):
        tc.Session.load(path)


def test_what_is_cut_or_flipped_is_refused(tmp_path: Path):
    data, path, some = saved(tmp_path).read_bytes(), tmp_path / "damaged", random.Random(1)
    for length in [0, 1, 7, 8, *(some.randrange(len(data)) for _ in range(150))]:
        path.write_bytes(data[:length])
        assert code_of(lambda: tc.Session.load(path)).startswith("T50"), length
    # Bytes of the header that no hash covers are blanks behind it and the order of JSON alone.
    for place in (some.randrange(len(data)) for _ in range(300)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1 << some.randrange(8)]) + data[place + 1 :])
        try:
            session = tc.Session.load(path)
        except ThermocError as problem:
            assert problem.code.startswith("T50"), place
        else:
            np.testing.assert_array_equal(session.state["x"], tc.Session.load(tmp_path / "session.ckpt").state["x"])


def test_a_missing_one_says_that_a_run_can_begin_anew(tmp_path: Path):
    with pytest.raises(ThermocError, match=r"(?s)T501.*started anew"):
        tc.resume(tmp_path / "none")


def test_a_run_is_saved_and_resumed_with_what_it_recorded(tmp_path: Path):
    exe, path = tc.compile(drift()), tmp_path / "run.ckpt"
    record = {"late": [tc.every(7), tc.mean()], "x": "all"}
    whole = exe.run(ticks=1000, batch=3, seed=5, record=record)
    copies: list[bytes] = []
    session = exe.start(batch=3, seed=5)
    save = session._save

    def copying(to, pending):
        size = save(to, pending)
        copies.append(path.read_bytes())
        return size

    session._save = copying  # type: ignore[method-assign]
    session.run(1000, record=record, checkpoint=path, every=300)
    assert len(copies) == 5  # at 0, 300, 600, 900 and 1000
    for copy in copies:
        path.write_bytes(copy)
        run = tc.resume(path)
        assert list(run.recorded) == ["late", "x"]
        np.testing.assert_array_equal(run["x"], whole["x"])
        for field in ("values", "mean", "variance"):
            np.testing.assert_array_equal(run.recorded["late"][field], whole.recorded["late"][field])
        for name, state in run.states.items():
            np.testing.assert_array_equal(state, whole.states[name])


def test_a_run_that_is_not_over_is_not_written_over(tmp_path: Path):
    exe, path = tc.compile(drift()), tmp_path / "run.ckpt"
    session, saves = exe.start(), []
    save = session._save

    def interrupted(to, pending):
        saves.append(to)
        if len(saves) == 2:
            raise KeyboardInterrupt
        return save(to, pending)

    session._save = interrupted  # type: ignore[method-assign]
    with pytest.raises(tc.Interrupted) as caught:
        session.run(100, checkpoint=path, every=40)
    assert (caught.value.run.ticks, caught.value.ticks, caught.value.run["x"].shape) == (40, 100, (40, 1, 4))
    assert code_of(lambda: exe.run(ticks=100, checkpoint=path)) == "T420"
    tc.resume(path)
    exe.run(ticks=100, checkpoint=path)  # it is over now
    (tmp_path / "model.thermo").write_bytes(b"something else")
    assert code_of(lambda: exe.run(ticks=100, checkpoint=tmp_path / "model.thermo")) == "T502"


@pytest.mark.parametrize("every", [0, -1, "", "5 days", "1e3", True, 2.5])
def test_a_wrong_interval_is_refused(tmp_path: Path, every: object):
    exe = tc.compile(drift())
    assert code_of(lambda: exe.run(ticks=2, checkpoint=tmp_path / "a", every=every)) == "T404"


def test_a_full_disk_keeps_the_checkpoint_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    exe, path = tc.compile(drift()), tmp_path / "run.ckpt"
    whole = exe.run(ticks=1000, seed=3)
    session, saves = exe.start(seed=3), []
    save = session._save

    def full(to, pending):
        saves.append(to)
        return save(to if len(saves) < 3 else "/dev/full", pending)

    session._save = full  # type: ignore[method-assign]
    with pytest.raises(ThermocError, match="T505") as caught:
        session.run(1000, checkpoint=path, every=200)
    partial = caught.value.run  # type: ignore[attr-defined]
    np.testing.assert_array_equal(partial["x"], whole["x"][:400])
    assert [one.name for one in tmp_path.iterdir()] == ["run.ckpt"]
    np.testing.assert_array_equal(tc.resume(path)["x"], whole["x"])


def stopped_at_40(path: Path) -> None:
    """Leave the checkpoint of a run of 100 ticks that was stopped at its 40th."""
    session = tc.compile(drift()).start(seed=3)
    save = session._save

    def stop(to, pending):
        size = save(to, pending)
        if session.tick == 40:
            raise KeyboardInterrupt
        return size

    session._save = stop  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        session.run(100, checkpoint=path, every=40)


def test_a_run_is_not_resumed_from_another_tick(tmp_path: Path):
    """What was recorded until the checkpoint lacks what the session did since: the rest would be shifted."""
    stopped_at_40(tmp_path / "run.ckpt")
    with tc.Session.load(tmp_path / "run.ckpt") as session:
        session.step()
        assert session.pending is None
        assert code_of(session.resume) == "T404"
    whole = tc.compile(drift()).run(ticks=100, seed=3)
    np.testing.assert_array_equal(tc.resume(tmp_path / "run.ckpt")["x"], whole["x"])


def test_numbers_of_numpy_are_numbers(tmp_path: Path):
    exe, path = tc.compile(drift()), tmp_path / "run.ckpt"
    size = {"ticks": np.int64(20), "batch": np.int64(2), "seed": np.uint64(3)}
    run = exe.run(**size, checkpoint=path, every=np.int64(10), to=tmp_path / "run.npz")
    np.testing.assert_array_equal(tc.resume(path)["x"], run["x"])
    np.testing.assert_array_equal(tc.open_run(tmp_path / "run.npz")["x"], run["x"])


@pytest.mark.parametrize("number", [{"batch": 0}, {"batch": 2.5}, {"seed": -1}, {"first_tick": "a"}])
def test_a_session_starts_with_sound_numbers(number: dict):
    assert code_of(lambda: tc.compile(drift()).start(**number)) == "T404"


def test_a_checkpoint_that_cannot_be_written_costs_no_store(tmp_path: Path):
    exe, store = tc.compile(drift()), tmp_path / "run.zarr"
    run = exe.run(ticks=5, to=store)
    again = lambda: exe.run(ticks=9, to=store, overwrite=True, checkpoint=tmp_path / "nowhere" / "run.ckpt")  # noqa: E731
    assert code_of(again) == "T505"
    np.testing.assert_array_equal(tc.open_run(store)["x"], run["x"])


def test_a_store_without_its_checkpoint_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def killed(*_: object) -> int:
        raise SystemExit

    exe, store = tc.compile(drift()), tmp_path / "run.zarr"
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr("thermoc.session.save_checkpoint", killed)
        exe.run(ticks=5, to=store, checkpoint=tmp_path / "run.ckpt")
    with pytest.raises(ThermocError, match=r"broken off\n.*thermoc resume.*--overwrite"):
        exe.run(ticks=5, to=store, checkpoint=tmp_path / "run.ckpt")


def test_a_full_disk_at_the_end_leaves_the_run_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object, **__: object) -> None:
        raise ThermocError([Finding(code="T505", what="the disk is full")])

    exe = tc.compile(drift())
    with monkeypatch.context() as patch, pytest.raises(ThermocError, match="T505") as caught:
        patch.setattr("thermoc.run.save", full)
        exe.run(ticks=90, seed=3, to=tmp_path / "run.npz")
    np.testing.assert_array_equal(caught.value.run["x"], exe.run(ticks=90, seed=3)["x"])  # type: ignore[attr-defined]


def into_a_store(path: Path) -> None:
    """Leave a run that was killed at its 40th tick of 100, and its store."""
    session = tc.compile(drift()).start(seed=3)
    save = session._save

    def killed(to, pending):
        size = save(to, pending)
        if session.tick == 40:
            raise SystemExit
        return size

    session._save = killed  # type: ignore[method-assign]
    with pytest.raises(SystemExit):
        session.run(100, checkpoint=path / "run.ckpt", every=40, to=path / "run.zarr")


def test_a_store_that_is_gone_says_how_to_begin_anew(tmp_path: Path):
    into_a_store(tmp_path)
    shutil.rmtree(tmp_path / "run.zarr")
    with pytest.raises(ThermocError, match=r"T501(.|\n)*remove the checkpoint"):
        tc.resume(tmp_path / "run.ckpt")


def test_a_store_of_another_run_is_left_alone(tmp_path: Path):
    into_a_store(tmp_path)
    shutil.rmtree(tmp_path / "run.zarr")
    run = tc.compile(drift()).run(ticks=20, seed=4, to=tmp_path / "run.zarr")
    with pytest.raises(ThermocError, match="seed: 4 in it, 3 of the run"):
        tc.resume(tmp_path / "run.ckpt")
    np.testing.assert_array_equal(tc.open_run(tmp_path / "run.zarr")["x"], run["x"])


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[1]"])
def test_a_damaged_store_is_not_gone_on_with(content: bytes, tmp_path: Path):
    into_a_store(tmp_path)
    (tmp_path / "run.zarr" / "x" / "zarr.json").write_bytes(content)
    assert code_of(lambda: tc.resume(tmp_path / "run.ckpt")) == "T502"


def test_a_name_that_no_parameter_has_is_said():
    with tc.Network("one") as net:
        tc.output("y", tc.affine(tc.input("x", (2,)), tc.parameter("W", np.eye(2))))
    with tc.compile(net).start() as session:
        assert "W" in session.parameters and "V" not in session.parameters
        assert code_of(lambda: session.parameters["V"]) == "T418"
