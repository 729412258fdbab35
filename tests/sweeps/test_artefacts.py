"""Artefacts that workers share: each compiled once, by whichever process comes first, killed or not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from sweeps.swept import content, network

import thermoc as tc
from thermoc.sweeps.artefacts import SharedArtefacts
from thermoc.sweeps.asked import sweep_of
from thermoc.sweeps.worker import Executables, carried_out

VARIED = {"options": {"precision": ["float64", "float32"]}, "parameters": {"T": [0.7, 1.0, 3.0]}, "seeds": 2}
ABOUT = {"ticks": 4, "batch": 2, "progress": False}
HOLDER = """
import sys, time
from thermoc.sweeps.artefacts import SharedArtefacts
shared = SharedArtefacts("held")
with shared.alone("key"):
    print("holds", shared.usable, flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of caches of the test's own, with the kernels that there are."""
    from thermoc.simulator import cache

    kernels, mine = cache.folder(), tmp_path / "caches"
    mine.mkdir(mode=0o700)
    if kernels is not None:
        (mine / "kernels").symlink_to(kernels)
    monkeypatch.setenv("THERMOC_CACHE", str(mine))
    return mine


def folders(caches: Path) -> list[str]:
    return sorted(path.name for path in (caches / "artefacts").glob("*"))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="it has no such locks")
def test_three_workers_compile_each_artefact_once_and_leave_no_file(tmp_path: Path, caches: Path):
    pytest.importorskip("distributed")
    pytest.importorskip("zarr")
    from thermoc.sweeps.clusters import client
    from thermoc.sweeps.pools import OnDask
    from thermoc.sweeps.running import run_sweep
    from thermoc.sweeps.store import SweepStore

    made = sweep_of(network(), **VARIED, ticks=4, batch=2)
    with client(workers=3) as connected:
        pool = OnDask(connected, Executables(made.setup))  # nothing is compiled before they begin
        assert folders(caches) == [pool.name]
        run_sweep(made, SweepStore.begun(tmp_path / "shared.zarr", made.attrs), pool, retries=0, progress=False)
        counts = connected.run(compilations, pool.name)
        pool.close()
        assert folders(caches) == []
    assert sum(counts.values()) == 2, counts  # one for each precision
    tc.sweep(network(), tmp_path / "alone.zarr", **VARIED, **ABOUT, workers=0)
    assert content(tmp_path / "shared.zarr") == content(tmp_path / "alone.zarr")


def compilations(name: str) -> int:
    from thermoc.sweeps.remote import shared

    return shared(name).compilations


@pytest.mark.parametrize("target", ["sim", "onnx", pytest.param("brian2", marks=pytest.mark.brian2), "lava", "chip"])
def test_an_artefact_of_another_process_gives_the_same_bytes(target: str):
    if target in ("onnx", "brian2"):
        pytest.importorskip({"onnx": "onnxruntime", "brian2": "brian2"}[target])
    options = {"lava": {"runtime": "reference"}, "brian2": {"codegen": "numpy"}}.get(target, {})
    with tc.Network("layer") as net:
        W = np.random.default_rng(0).normal(size=(3, 4))
        tc.output("y", tc.fermi_dirac(tc.affine(tc.input("x", (4,)), W, np.zeros(3)), mu=0.0, T=0.5))
    inputs = {"x": np.linspace(-1, 1, 8).reshape(2, 4)}
    setup = sweep_of(net, target=target, options=options, inputs=inputs, batch=2).setup
    shared, again = SharedArtefacts("one"), SharedArtefacts("one")
    first, second = Executables(setup, shared), Executables(setup, again)
    a, b = carried_out(first, (), 0, 2), carried_out(second, (), 0, 2)
    assert (first.compilations, second.compilations) == (1, 0)
    assert a.fields["y"]["last"].tobytes() == b.fields["y"]["last"].tobytes()
    first.close()
    assert shared._folder.exists(), "another still uses it"
    second.close()
    assert not shared._folder.exists()


def test_a_damaged_artefact_is_compiled_anew():
    setup = sweep_of(network()).setup
    shared = SharedArtefacts("one")
    Executables(setup, shared).at(())
    (stored,) = (path for path in shared._folder.iterdir() if len(path.name) == 64)
    stored.write_bytes(stored.read_bytes()[:-1] + b"?")
    second = Executables(setup, shared)
    second.at(())
    assert second.compilations == 1
    third = Executables(setup, shared)
    third.at(())
    assert third.compilations == 0, "it was not written again"
    shared.close()


def test_a_folder_that_others_may_write_is_not_used(caches: Path):
    (caches / "artefacts" / "open").mkdir(parents=True)
    (caches / "artefacts" / "open").chmod(0o777)
    shared = SharedArtefacts("open")
    assert not shared.usable
    executables = Executables(sweep_of(network()).setup, shared)
    executables.at(())
    assert executables.compilations == 1 and shared.get("key") is None


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="it has no such locks")
def test_what_a_killed_process_held_is_free_and_removed(caches: Path):
    holder = subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None and holder.stdout.readline() == "holds True\n"
    other = SharedArtefacts("another")
    assert folders(caches) == ["another", "held"], "one that is in use was removed"
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    shared = SharedArtefacts("held")
    begun = time.monotonic()
    with shared.alone("key"):
        assert time.monotonic() - begun < 30
    other.close()
    assert folders(caches) == ["held"]
    shared._held.close()  # as if this one were killed too
    SharedArtefacts("next").close()
    assert folders(caches) == []
