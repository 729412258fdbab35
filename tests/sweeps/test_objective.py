"""Points that are searched for: proposals follow from the seed and what was found, so that a search goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sweeps.swept import content, network

import thermoc as tc
from thermoc.support.errors import ThermocError
from thermoc.sweeps import Objective, worker

pytest.importorskip("optuna")
pytest.importorskip("zarr")


def hill() -> tc.Network:
    with tc.Network("hill") as net:
        a, b = tc.parameter("a", np.zeros(1)), tc.parameter("b", np.zeros(1))
        tc.output("y", (a - 0.3) * (a - 0.3) + (b + 0.2) * (b + 0.2))
    return net


ABOUT = {
    "parameters": {"a": tc.sweeps.span(-1, 1), "b": tc.sweeps.span(-1, 1)},
    "objective": Objective(result="y.last", trials=48, generation=8, seed=2),
    "workers": 0,
}


def test_a_search_comes_near_the_best_and_goes_on_to_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    result = tc.sweep(hill(), tmp_path / "whole.zarr", **ABOUT)
    best = result.best
    assert best["y.last"] < 0.05 and abs(best["a"] - 0.3) < 0.25 and best["y.last"] == result["y.last"].min()
    ran: list[object] = []

    def stops(executables: object, point: object, *others: int) -> object:
        ran.append(point)
        if len(ran) == 21:
            raise KeyboardInterrupt
        return worker.carried_out(executables, point, *others)  # type: ignore[arg-type]

    monkeypatch.setattr("thermoc.sweeps.pools.carried_out", stops)
    with pytest.raises(KeyboardInterrupt):
        tc.sweep(hill(), tmp_path / "stopped.zarr", **ABOUT)
    tc.sweep(hill(), tmp_path / "stopped.zarr", **ABOUT)
    assert len(ran) < 21 + 48, "what was found was searched for again"
    assert content(tmp_path / "stopped.zarr") == content(tmp_path / "whole.zarr")


def test_a_search_that_cannot_be_is_refused(tmp_path: Path):
    about = {**ABOUT, "ticks": 2}
    for wrong in ({"seeds": 3}, {"parameters": {}}):
        with pytest.raises(ThermocError) as caught:
            tc.sweep(hill(), tmp_path / "a.zarr", **{**about, **wrong})
        assert caught.value.code == "T520"
    with pytest.raises(ThermocError, match=r"no result 'y\.last'") as caught:
        tc.sweep(hill(), tmp_path / "a.zarr", **about)
    assert caught.value.code == "T520"
    for wrong in ({"sampler": "tpee"}, {"over": "sum"}, {"direction": "up"}, {"trials": 0}):
        with pytest.raises(ThermocError) as caught:
            Objective(result="y.mean", **wrong)
        assert caught.value.code == "T520"


def test_points_that_fail_are_no_answer(tmp_path: Path):
    goal = Objective(result="s.mean", trials=8, generation=4, over="max")
    with pytest.raises(ThermocError) as caught:
        spans = {"T": tc.sweeps.span(-1.0, 1.0)}
        tc.sweep(network(), tmp_path / "a.zarr", parameters=spans, objective=goal, ticks=4, workers=0)
    assert caught.value.code == "T423"
    result = tc.sweeps.open(tmp_path / "a.zarr")
    assert result.best["T"] > 0 and {1, 2} == set(result.status.tolist())
