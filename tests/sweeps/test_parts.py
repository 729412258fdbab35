"""A batch, and a ladder's rungs, divided: bits and diagnostics are those of the undivided run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array
from sweeps.swept import content, network

import thermoc as tc
from thermoc.apps.optimisation.minimise import minimise
from thermoc.apps.optimisation.work import Work
from thermoc.physics.ising_model import IsingModel
from thermoc.support.errors import ThermocError
from thermoc.sweeps import tempering

EVERYTHING = {"s": ["every:2", "mean", "last", "extremes", "counts", "events"]}


@pytest.mark.parametrize("parts", [1, 3, 7])
def test_replicas_in_parts_are_the_whole_run(parts: int):
    net = network()
    whole = tc.compile(net).run(ticks=64, batch=7, seed=3, record=EVERYTHING)
    divided = tc.sweeps.replicas(net, ticks=64, batch=7, seed=3, record=EVERYTHING, parts=parts, workers=0)
    assert list(divided.arrays) == list(whole.arrays) and "s.events" in whole.arrays
    assert all(np.array_equal(divided.arrays[name], array) for name, array in whole.arrays.items())
    assert all(np.array_equal(divided.states[name], array) for name, array in whole.states.items())
    assert divided.diagnostics == whole.diagnostics and len(whole.diagnostics) == 1
    assert divided.provenance == whole.provenance


def test_r_hat_sees_chains_of_different_parts_disagree():
    """One part's chains alone look mixed; only all together tell that they are not."""
    with tc.Network("two wells") as net:
        start = tc.input("start", (1,))
        tc.output("x", tc.memory(start, T=0.01, gamma=0.2))
    wells = np.repeat([-1.0, 1.0], 8)[:, np.newaxis]
    whole = tc.compile(net).run({"start": wells}, ticks=400, seed=1)
    divided = tc.sweeps.replicas(net, ticks=400, batch=16, inputs={"start": wells}, parts=2, seed=1, workers=0)
    half = tc.compile(net).run({"start": wells[:8]}, ticks=400, seed=1)
    assert divided.diagnostics == whole.diagnostics
    assert divided.diagnostics["x"].r_hat > 1.5 > half.diagnostics["x"].r_hat


def test_a_sweep_in_parts_has_the_same_store(tmp_path: Path):
    pytest.importorskip("zarr")
    about = {"ticks": 32, "batch": 5, "record": {"s": ["all", "mean"]}, "parameters": {"T": [1.0, 2.0]}, "workers": 0}
    tc.sweep(network(), tmp_path / "whole.zarr", **about)
    tc.sweep(network(), tmp_path / "parts.zarr", parts=3, **about)
    assert content(tmp_path / "whole.zarr") == content(tmp_path / "parts.zarr")


def test_what_cannot_be_divided_is_refused():
    with pytest.raises(ThermocError) as caught:
        tc.sweeps.replicas(network(), ticks=1, batch=2, parts=3, workers=0)
    assert caught.value.code == "T520"
    with tc.Network("bits") as net:
        tc.output("s", tc.sample_binary(np.zeros(4), 1.0))
    with pytest.raises(ThermocError, match="warm the same die"):
        tc.sweeps.replicas(net, ticks=1, batch=4, parts=2, target="chip", workers=0)


def test_a_ladder_whose_rungs_are_swept_apart_is_the_ladder(monkeypatch: pytest.MonkeyPatch):
    J = np.triu(np.random.default_rng(0).choice([-1.0, 1.0], (40, 40)), 1)
    model = IsingModel(J=csr_array(J + J.T), h=np.zeros(40))
    whole = minimise(model, method="tempering", seed=5, sweeps=200, replicas=12, threads=1)
    brought: dict[str, Work] = {"key": tempering.made_work((model, 5))}
    monkeypatch.setattr("thermoc.sweeps.remote.shared", brought.__getitem__)

    def apart(work: Work, chains, rows, T, first) -> None:
        for block in np.array_split(np.arange(rows.size), 5):
            part = type(chains)(*(array[rows[block]] for array in chains))
            for array, new in zip(chains, tempering.swept("key", part, rows[block], T[block], first)):
                array[rows[block]] = new

    work = Work(model=model, seed=5, replicas=12, sweeps=200, threads=1, budget=tempering.Budget())
    spins = tempering.tempering.temper(work, apart)
    assert np.array_equal(np.sort(model.energy(spins)), whole.energies)
    alone = tc.sweeps.temper(model, seed=5, sweeps=200, replicas=12, workers=0)
    assert np.array_equal(alone.spins, whole.spins)
