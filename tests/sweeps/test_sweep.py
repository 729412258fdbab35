"""A sweep in this process: rows are the runs themselves, a stopped sweep goes on, points that fail are named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sweeps.swept import content, network

import thermoc as tc
from thermoc.support.errors import ThermocError
from thermoc.sweeps import running, worker

pytest.importorskip("zarr")
ABOUT = {"ticks": 30, "batch": 3, "record": {"s": ["all", "mean", "counts"]}, "workers": 0, "progress": False}


def test_rows_are_the_runs_of_their_points(tmp_path: Path):
    net = network()
    result = tc.sweep(
        net, tmp_path / "a.zarr", parameters={"T": [0.7, 2.0], "J": tc.sweeps.times([1, 0.5])}, seeds=2, **ABOUT
    )
    assert result.complete and result.store.count == 8 and "s.r_hat" in result.names
    exe = tc.compile(net)
    for index in (0, 3, 6):
        at = result.labels(index)
        scaled = at["J"] * net.parameters["J"]
        run = exe.run(
            ticks=30, batch=3, seed=at["seed"], parameters={"T": at["T"], "J": scaled}, record=ABOUT["record"]
        )
        assert np.array_equal(result["s"][index], run["s"])
        assert np.array_equal(result["s.mean"][index], run.recorded["s"].mean)
        assert np.array_equal(result["s.counts"][index], run.recorded["s"].counts)
        assert result["s.r_hat"][index] == run.diagnostics["s"].r_hat
    data = result.to_xarray(grid=True)
    assert data["s.mean"].dims == ("T", "J", "seed", "sample", "s_unit")
    assert np.array_equal(data["s.mean"].sel(T=2.0, J=0.5, seed=1), result["s.mean"][7])
    assert "8 of 8 points" in str(tc.sweeps.open(tmp_path / "a.zarr"))


def test_options_and_arrays_are_varied_too(tmp_path: Path):
    net, both = network(), [np.zeros((3, 3)).tolist(), network().parameters["J"].tolist()]
    about = {**ABOUT, "record": {"s": "mean"}}
    result = tc.sweep(
        net, tmp_path / "a.zarr", options={"precision": ["float64", "float32"]}, parameters={"J": both}, **about
    )
    data = result.to_xarray()
    assert data["precision"].values.tolist() == ["float64", "float64", "float32", "float32"]
    assert result.labels(1)["J"] == both[1] and data["J"].values.tolist() == [0, 1, 0, 1]


def test_a_network_is_compiled_once_for_each_of_its_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    compiled: list[dict] = []

    def counts(*network: object, **options: object) -> object:
        compiled.append(options)
        return tc.compile(*network, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(worker, "compile", counts)
    varied = {"options": {"precision": ["float64", "float32"]}, "parameters": {"T": [1.0, 2.0, 3.0]}, "seeds": 2}
    tc.sweep(network(), tmp_path / "a.zarr", **varied, ticks=2, workers=0)
    # once to see whether it compiles at all, then for each precision
    assert [options["precision"] for options in compiled] == ["float64", "float32"]
    assert all(options["threads"] == 1 for options in compiled)


def test_numbers_of_the_chip_are_varied(tmp_path: Path):
    about = {"ticks": 2, "workers": 0, "progress": False, "target": "chip"}
    with tc.Network("bits") as net:
        tc.output("s", tc.sample_binary(np.zeros(4), 1.0))
    result = tc.sweep(net, tmp_path / "a.zarr", chip={"leakage.tile_power": [5, 50]}, **about)
    assert result["chip.joules"][1] > result["chip.joules"][0] > 0
    with pytest.raises(ThermocError, match=r"did you mean 'sampler.bias'\?") as caught:
        tc.sweep(net, tmp_path / "b.zarr", chip={"sampler.bais": [1.0]}, **about)
    assert caught.value.code == "T520"


def test_a_stopped_sweep_goes_on_to_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    axes = {"parameters": {"T": tc.sweeps.span(0.5, 3.0, 7)}, "seeds": 3}
    tc.sweep(network(), tmp_path / "whole.zarr", **axes, **ABOUT)
    ran: list[object] = []

    def stops(executables: object, point: object, *others: int) -> object:
        ran.append(point)
        if len(ran) == 9:
            raise KeyboardInterrupt
        return worker.carried_out(executables, point, *others)  # type: ignore[arg-type]

    monkeypatch.setattr("thermoc.sweeps.pools.carried_out", stops)
    monkeypatch.setattr(running, "PATIENCE", 0.0)
    with pytest.raises(KeyboardInterrupt):
        tc.sweep(network(), tmp_path / "stopped.zarr", **axes, **ABOUT)
    assert int((tc.sweeps.open(tmp_path / "stopped.zarr").status == 1).sum()) == 8
    tc.sweep(network(), tmp_path / "stopped.zarr", **axes, **ABOUT)
    assert len(ran) == 9 + 21 - 8, "points that were done ran again"
    assert content(tmp_path / "stopped.zarr") == content(tmp_path / "whole.zarr")
    tc.sweep(network(), tmp_path / "stopped.zarr", **axes, **ABOUT)
    assert len(ran) == 22


def test_points_that_fail_are_tried_again_then_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    axes = {"parameters": {"T": [1.0, 3.0, 2.0]}}
    tried: list[float] = []

    def full(executables: object, point: tuple[float, ...], *others: object) -> object:
        tried.append(point[0])
        if point[0] == 3.0:
            return worker.Failed(why="OSError: the disk of this worker is full")
        return worker.carried_out(executables, point, *others)  # type: ignore[arg-type]

    monkeypatch.setattr("thermoc.sweeps.pools.carried_out", full)
    with pytest.raises(ThermocError) as caught:
        tc.sweep(network(), tmp_path / "a.zarr", **axes, **ABOUT)
    text = str(caught.value)
    assert caught.value.code == "T423" and "point 1 failed, tried 3 times" in text and tried.count(3.0) == 3
    assert "T = 3.0" in text and "the disk of this worker is full" in text
    result = tc.sweeps.open(tmp_path / "a.zarr")
    assert result.status.tolist() == [1, 2, 1] and list(result.failures) == [1] and not result.complete
    assert np.isnan(result["s.mean"][1]).all() and not np.isnan(result["s.mean"][2]).any()
    with pytest.raises(ThermocError, match="point 1"):
        tc.sweep(network(), tmp_path / "a.zarr", **axes, **ABOUT)


def test_a_point_that_can_only_fail_is_run_once(tmp_path: Path):
    """Points that are drawn are not known before; one whose numbers the network refuses is not tried again."""
    about = {"parameters": {"T": tc.sweeps.span(-1.0, 1.0)}, "method": "random", "count": 4, "points_seed": 1}
    with pytest.raises(ThermocError) as caught:
        tc.sweep(network(), tmp_path / "a.zarr", **about, **ABOUT)
    result = tc.sweeps.open(tmp_path / "a.zarr")
    failed = [f"point {number} failed" for number, T in enumerate(result.axes["T"]) if T <= 0]
    assert [item.what for item in caught.value.findings] == failed and 0 < len(failed) < 4


def test_a_point_that_fails_once_is_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tries: list[int] = []

    def flaky(executables: object, *others: object) -> object:
        tries.append(1)
        if len(tries) in (1, 3):
            return worker.Failed(why="OSError: the disk of this worker is full")
        return worker.carried_out(executables, *others)  # type: ignore[arg-type]

    monkeypatch.setattr("thermoc.sweeps.pools.carried_out", flaky)
    assert tc.sweep(network(), tmp_path / "a.zarr", parameters={"T": [1.0, 2.0]}, **ABOUT).complete
    assert len(tries) == 4


def test_another_sweep_keeps_its_store(tmp_path: Path):
    tc.sweep(network(), tmp_path / "a.zarr", parameters={"T": [1.0]}, **ABOUT)
    for other in ({"parameters": {"T": [2.0]}}, {"parameters": {"T": [1.0]}, "seed": 1}):
        with pytest.raises(ThermocError) as caught:
            tc.sweep(network(), tmp_path / "a.zarr", **other, **ABOUT)
        assert caught.value.code == "T521"
    assert tc.sweep(network(), tmp_path / "a.zarr", parameters={"T": [2.0]}, overwrite=True, **ABOUT).labels(0) == {
        "T": 2.0
    }
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine.txt").write_text("mine")
    for name, code in (("folder", "T502"), ("folder/mine.txt", "T505")):
        with pytest.raises(ThermocError) as caught:
            tc.sweep(network(), tmp_path / name, parameters={"T": [2.0]}, overwrite=True, **ABOUT)
        assert caught.value.code == code and (tmp_path / "folder" / "mine.txt").exists()


@pytest.mark.parametrize(
    ("about", "code", "says"),
    [
        ({"parameters": {"t": [1.0]}}, "T418", "no parameter 't'"),
        ({"options": {"precison": ["float32"]}}, "T303", "did you mean 'precision'?"),
        ({"record": {"x": "mean"}}, "T419", "no output 'x'"),
        ({"record": {"s": "events"}}, "T419", "events"),
        ({"method": "soboll"}, "T520", "did you mean 'sobol'?"),
        ({"chip": {"adc.bits": [8]}}, "T520", "target chip"),
        ({"parts": 4}, "T520", "no more parts"),
        ({"seeds": [-1]}, "T520", "seeds"),
        ({"ticks": 0}, "T520", "ticks"),
        ({"parameters": {"T": [1.0]}, "workers": -1}, "T520", "workers"),
        ({"target": "sin"}, "T302", "did you mean 'sim'?"),
    ],
)
def test_mistakes_are_told_before_anything_is_written(tmp_path: Path, about: dict, code: str, says: str):
    with pytest.raises(ThermocError) as caught:
        tc.sweep(network(), tmp_path / "a.zarr", **{**ABOUT, "parameters": {}, **about})
    assert caught.value.code == code and says in str(caught.value)
    assert not (tmp_path / "a.zarr").exists()


def test_damaged_stores_are_refused(tmp_path: Path):
    path = tmp_path / "a.zarr"
    tc.sweep(network(), path, parameters={"T": [1.0, 2.0]}, **ABOUT)
    header = (path / "zarr.json").read_text()
    for old, new, code in (
        ('"thermoc sweep"', '"thermoc swept"', "T506"),
        ('"version": 1', '"version": 2', "T503"),
        ('"points"', '"paints"', "T502"),
        ('"axes"', '"axles"', "T502"),
        ("{", "(", "T502"),
    ):
        (path / "zarr.json").write_text(header.replace(old, new))
        with pytest.raises(ThermocError) as caught:
            tc.sweeps.open(path)
        assert caught.value.code == code, new
    (path / "zarr.json").write_text(header)
    (path / "s.mean" / "c" / "0" / "0" / "0").write_bytes(b"no chunk")
    with pytest.raises(ThermocError) as caught:
        tc.sweeps.open(path)["s.mean"]
    assert caught.value.code == "T502"
    with pytest.raises(ThermocError) as caught:
        tc.sweeps.open(tmp_path / "b.zarr")
    assert caught.value.code == "T501"
