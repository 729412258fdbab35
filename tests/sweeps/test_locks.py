"""Two sweeps into one store at once: the second is refused, and a killed one holds nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sweeps.swept import MODEL, content, network

import thermoc as tc
from thermoc.support.errors import ThermocError
from thermoc.sweeps import running
from thermoc.sweeps.store import held

pytest.importorskip("zarr")
ABOUT = {"parameters": {"T": [1.0, 2.0]}, "ticks": 3, "workers": 0, "progress": False}
SLOW = (
    MODEL
    + """
import time
from thermoc.sweeps import running

def slow(*_):
    print("runs", flush=True)
    time.sleep(60)

running.Runner._take = slow
tc.sweep(net, "out.zarr", parameters={"T": [1.0, 2.0]}, ticks=3, workers=0, progress=False)
"""
)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="it has no such locks")
def test_a_store_takes_one_sweep_at_a_time_and_a_killed_one_lets_go(tmp_path: Path):
    first = subprocess.Popen([sys.executable, "-c", SLOW], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    try:
        assert first.stdout is not None and first.stdout.readline() == "runs\n"
        before = content(tmp_path / "out.zarr")
        for overwrite in (False, True):
            with pytest.raises(ThermocError, match="another sweep runs into") as caught:
                tc.sweep(network(), tmp_path / "out.zarr", **ABOUT, overwrite=overwrite)
            assert caught.value.code == "T522" and content(tmp_path / "out.zarr") == before
    finally:
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    assert tc.sweep(network(), tmp_path / "out.zarr", **ABOUT).complete
    tc.sweep(network(), tmp_path / "alone.zarr", **ABOUT)
    assert content(tmp_path / "out.zarr") == content(tmp_path / "alone.zarr")


def test_a_sweep_that_ends_lets_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(running.Runner, "run", stopped)
        tc.sweep(network(), tmp_path / "a.zarr", **ABOUT)
    with held(tmp_path / "a.zarr"):
        pass
    assert tc.sweep(network(), tmp_path / "a.zarr", **ABOUT, overwrite=True).complete


def test_a_folder_in_which_nothing_came_to_stand_is_not_left(tmp_path: Path):
    with held(tmp_path / "a.zarr"):
        assert (tmp_path / "a.zarr").is_dir()
    assert not (tmp_path / "a.zarr").exists()
