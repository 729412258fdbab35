"""Runs in stores and files: streamed, broken off and gone on with, read back, refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recording.recorded_networks import DRIVE, spiking, spin_glass

import thermoc as tc
from thermoc.recording import store as stores
from thermoc.recording.plan import planned, signals
from thermoc.recording.recording import Recording
from thermoc.recording.store import RunStore

RECORD = {"s": ["all", "mean", "counts", "events"], "E": ["every:7", "extremes"], "field": "last"}
CALL: dict[str, Any] = {"ticks": 60, "batch": 2, "seed": 3}


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch):
    """Chunks of four ticks of the spins, and of 16 events."""
    monkeypatch.setattr(stores, "CHUNK_BYTES", 24)
    monkeypatch.setattr(stores, "EVENTS", 16)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("suffix", [".zarr", ".nc", ".npz"])
def test_what_is_read_back_is_what_was_recorded(suffix: str, tmp_path: Path):
    path = tmp_path / f"run{suffix}"
    run = spin_glass().run(**CALL, record=RECORD)
    written = spin_glass().run(**CALL, record=RECORD, to=path)
    read = tc.open_run(path)
    for other in (written, read):
        for name, item in run.recorded.items():
            assert list(other.recorded[name]) == list(item)
            for field in item:
                assert np.array_equal(other.recorded[name][field], item[field]), (name, field)
        assert other.to_xarray().identical(run.to_xarray())
    assert (read.network, read.target, read.seed, read.dt, read.ticks) == ("spins", "sim", 3, 0.5, 60)
    run.save(path, overwrite=True)
    assert tc.open_run(path).to_xarray().identical(run.to_xarray())


@pytest.mark.usefixtures("small_chunks")
def test_every_chunk_is_written_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import zarr.storage

    written: list[str] = []
    put = zarr.storage.LocalStore.set

    async def noted(self: Any, key: str, *rest: Any) -> None:
        written.append(key)
        await put(self, key, *rest)

    monkeypatch.setattr(zarr.storage.LocalStore, "set", noted)
    spin_glass().run(**CALL, record=RECORD, to=tmp_path / "run.zarr")
    chunks = [key for key in written if "/c/" in key]
    assert len([key for key in chunks if key.startswith("s/c")]) == 15
    assert len(set(chunks)) == len(chunks)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("killed", [0, 3, 30, 57])
def test_a_run_that_is_killed_goes_on_to_the_same_bytes(killed: int, tmp_path: Path):
    """The snapshot is of tick 20; what came after it until the end is written again."""
    exe, whole = spin_glass(), tmp_path / "whole.zarr"
    run = exe.run(**CALL, record={**RECORD, "field": "all"}, to=whole)
    assert run.call is not None
    outputs = exe.run(**CALL, record={"s": "all", "E": "all", "field": "all"})
    plan = planned(exe.source, {**RECORD, "field": "all"})
    signal = signals(exe.source, exe.graph, plan, levelled=True, ticks=60, batch=2, begun=0)

    def recording(store: RunStore) -> Recording:
        return Recording(plan, signal, begun=0, store=store, frame=run.call.frame)  # type: ignore[union-attr]

    def taken(target: Recording, first: int, last: int) -> None:
        for tick in range(first, last):
            for name, recorders in target.recorders.items():
                for recorder in recorders:
                    recorder.take(outputs[name][tick : tick + 1])

    path = tmp_path / "part.zarr"
    first = recording(RunStore.create(path, run.call.provenance))
    taken(first, 0, min(killed, 20))
    snapshot = first.snapshot()
    taken(first, min(killed, 20), killed)
    broken = tc.open_run(path)
    assert not broken.provenance["complete"]
    assert len(broken["s"]) == killed // 4 * 4
    assert np.array_equal(broken["s"], outputs["s"][: killed // 4 * 4])
    again = recording(RunStore.reopen(path))
    again.restore(snapshot)
    taken(again, min(killed, 20), 60)
    again.close()
    assert content(path) == content(whole)


def test_a_run_that_ends_early_is_kept_as_far_as_it_came(tmp_path: Path):
    exe = spin_glass()
    plan = planned(exe.source, {"s": "all"})
    signal = signals(exe.source, exe.graph, plan, levelled=True, ticks=60, batch=2, begun=0)
    whole = exe.run(**CALL)
    assert whole.call is not None
    store = RunStore.create(tmp_path / "run.zarr", whole.call.provenance)
    recording = Recording(plan, signal, begun=0, store=store, frame=whole.call.frame)
    recording.recorders["s"][0].take(whole["s"][:13])
    recording.close()
    read = tc.open_run(tmp_path / "run.zarr")
    assert np.array_equal(read["s"], whole["s"][:13])
    assert (read.ticks, read.provenance["complete"]) == (13, 0)


@pytest.mark.parametrize("suffix", [".zarr", ".nc", ".npz"])
def test_what_is_there_already_is_refused_before_anything_runs(suffix: str, tmp_path: Path):
    path = tmp_path / f"run{suffix}"
    spin_glass().run(ticks=3, to=path)
    before = content(tmp_path)
    with spin_glass().start() as session:
        with pytest.raises(tc.ThermocError, match="T505") as caught:
            session.run(3, to=path)
        assert session.tick == 0
    assert "overwrite=True" in str(caught.value)
    assert content(tmp_path) == before
    spin_glass().run(ticks=4, to=path, overwrite=True)
    assert tc.open_run(path).ticks == 4


def test_a_folder_of_something_else_is_never_written_over(tmp_path: Path):
    (tmp_path / "mine.zarr").mkdir()
    (tmp_path / "mine.zarr" / "letter.txt").write_text("dear")
    with pytest.raises(tc.ThermocError, match="holds no run"):
        spin_glass().run(ticks=3, to=tmp_path / "mine.zarr", overwrite=True)
    assert (tmp_path / "mine.zarr" / "letter.txt").exists()


@pytest.mark.usefixtures("small_chunks")
def test_a_disk_that_fills_is_said_and_what_is_there_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import zarr.storage

    put = zarr.storage.LocalStore.set

    async def full(self: Any, key: str, *rest: Any) -> None:
        if key == "s/c/5/0/0":
            raise OSError(28, "No space left on device")
        await put(self, key, *rest)

    monkeypatch.setattr(zarr.storage.LocalStore, "set", full)
    with pytest.raises(tc.ThermocError, match="T505") as caught:
        spin_glass().run(**CALL, to=tmp_path / "run.zarr")
    assert "No space left on device" in str(caught.value)
    assert "ticks before 20 of 60 are in it" in str(caught.value)
    read = tc.open_run(tmp_path / "run.zarr")
    assert np.array_equal(read["s"], spin_glass().run(**CALL)["s"][:20])
    assert not read.complete


@pytest.mark.parametrize(
    ("name", "code"), [("run.csv", "T506"), ("no.zarr", "T501"), ("no.nc", "T501"), ("no.npz", "T501")]
)
def test_what_cannot_be_read_is_refused(name: str, code: str, tmp_path: Path):
    with pytest.raises(tc.ThermocError, match=code):
        tc.open_run(tmp_path / name)


def test_files_of_something_else_are_refused(tmp_path: Path):
    import xarray

    np.savez(tmp_path / "other.npz", a=np.zeros(2))
    xarray.Dataset({"a": ("x", np.zeros(2))}).to_zarr(tmp_path / "other.zarr", consolidated=False)
    xarray.Dataset({"a": ("x", np.zeros(2))}).to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    (tmp_path / "text.nc").write_text("no netCDF")
    for name, code in {"other.npz": "T506", "other.zarr": "T506", "other.nc": "T506", "text.nc": "T502"}.items():
        with pytest.raises(tc.ThermocError, match=code):
            tc.open_run(tmp_path / name)


def test_spikes_take_a_bit_or_less(tmp_path: Path):
    with tc.Network("many") as net:
        tc.output("s", tc.sample_binary(tc.input("x", (1000,)), 1.0))
    tc.compile(net).run({"x": np.full((1, 1000), -3.0)}, ticks=2000, to=tmp_path / "run.zarr")
    stored = sum(len(data) for name, data in content(tmp_path / "run.zarr").items() if name.startswith("s/c"))
    assert stored < 2000 * 1000 / 8
    assert tc.open_run(tmp_path / "run.zarr")["s"].dtype == bool


def test_diagnostics_of_a_store_are_those_of_the_run(tmp_path: Path):
    run = spin_glass().run(**CALL)
    run.save(tmp_path / "run.zarr")
    read = tc.open_run(tmp_path / "run.zarr")
    assert read.diagnostics == run.diagnostics
    assert list(read.diagnostics) == ["s", "E"]
    assert spiking().run({"x": DRIVE}).diagnostics == {}


def test_a_run_is_not_written_over_the_store_that_holds_its_traces(tmp_path: Path):
    run = spin_glass().run(**CALL, to=tmp_path / "run.zarr")
    for reader in (run, tc.open_run(tmp_path / "run.zarr")):
        with pytest.raises(tc.ThermocError, match="T505"):
            reader.save(tmp_path / "run.zarr", overwrite=True)
    assert np.array_equal(tc.open_run(tmp_path / "run.zarr")["s"], spin_glass().run(**CALL)["s"])
    run.save(tmp_path / "other.zarr")
    assert np.array_equal(tc.open_run(tmp_path / "other.zarr")["s"], run["s"])


@pytest.mark.parametrize(
    "header", [b"", b"[1]", b'{"format": "thermoc run"}', b'{"format": "thermoc run", "record": "1"}']
)
def test_damaged_runs_are_refused(header: bytes, tmp_path: Path):
    import zarr

    np.savez(tmp_path / "run.npz", **{"run.json": np.frombuffer(header, np.uint8)})
    zarr.create_group(str(tmp_path / "run.zarr"), attributes={"format": "thermoc run", "version": header.decode()})
    for name in ("run.npz", "run.zarr"):
        with pytest.raises(tc.ThermocError, match="T502"):
            tc.open_run(tmp_path / name)


def test_a_chunk_that_is_damaged_is_said(tmp_path: Path):
    spin_glass().run(**CALL, to=tmp_path / "run.zarr")
    read = tc.open_run(tmp_path / "run.zarr")
    (tmp_path / "run.zarr" / "s" / "c" / "0" / "0" / "0").write_bytes(b"")
    with pytest.raises(tc.ThermocError, match="'s' is damaged") as caught:
        _ = read["s"]
    assert caught.value.code == "T502"


def test_a_file_that_is_no_run_is_not_said_to_be_written(tmp_path: Path):
    with pytest.raises(tc.ThermocError, match=r"cannot be read from 'run.csv'"):
        tc.open_run(tmp_path / "run.csv")


@pytest.mark.parametrize("left", [(), ("zarr.0f.partial",)], ids=["empty", "a header half-written"])
def test_a_run_killed_before_its_store_had_a_header_is_run_again(tmp_path: Path, left: tuple[str, ...]):
    folder = tmp_path / "run.zarr"
    folder.mkdir()
    for name in left:
        (folder / name).write_bytes(b"{")
    stores.make_way(folder, overwrite=False)
    assert not folder.exists()
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(tc.ThermocError, match="T505"):
        stores.make_way(folder, overwrite=True)
    assert (folder / "notes.txt").exists()


def test_chunks_of_zeros_are_written_where_a_run_goes_on(tmp_path: Path):
    form = {"name": "x", "dims": ("row",)}
    RunStore.create(tmp_path / "a.zarr", {}).array(shape=(4,), dtype=np.dtype(np.int64), chunks=(2,), **form)
    again = RunStore.reopen(tmp_path / "a.zarr").array(**form)
    again[0:2] = 0
    assert again.nchunks_initialized == 1
