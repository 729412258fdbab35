"""Workers of a cluster: killed, wrong, or not there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from sweeps.swept import MODEL, network

import thermoc as tc
from thermoc.support.errors import ThermocError
from thermoc.sweeps import clusters, pools
from thermoc.sweeps.worker import Done, Failed, versions

pytest.importorskip("distributed")
pytest.importorskip("zarr")
SCRIPT = (
    MODEL
    + """
result = tc.sweep(net, "out.zarr", parameters={"T": [1.0, 2.0, 3.0]}, ticks=4, workers=2, progress=False)
alone = tc.sweep(net, "alone.zarr", parameters={"T": [1.0, 2.0, 3.0]}, ticks=4, workers=0)
assert (result["s.mean"] == alone["s.mean"]).all() and result.complete
print("ran once")
"""
)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="it kills by a signal")
def test_forty_points_with_a_kill_are_the_same_bytes():
    command = [
        sys.executable,
        str(Path(__file__).parents[1] / "sweep_kills.py"),
        "--points",
        "40",
        "--workers",
        "2",
        "--kills",
        "1",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the same" in done.stdout


@pytest.mark.slow
def test_a_script_without_a_guard_runs_once_and_leaves_no_process(tmp_path: Path):
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ran once\n", "")


def _begun(store: Path) -> bool:
    with suppress(ThermocError):  # it is being created
        return bool((tc.sweeps.open(store).status == 1).any())
    return False


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a group of processes is interrupted")
def test_ctrl_c_in_a_terminal_is_one_line_and_no_traceback_of_a_worker(tmp_path: Path):
    (tmp_path / "model.py").write_text(MODEL)
    text = (
        '[model]\nfile = "model.py:net"\n[run]\nticks = 300_000\n[parameters]\nT = { from = 1, to = 3, steps = 999 }\n'
    )
    (tmp_path / "sweep.toml").write_text(text + '[output]\nstore = "out.zarr"\n')
    command = [sys.executable, "-m", "thermoc", "sweep", "sweep.toml", "--workers", "1"]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, start_new_session=True, **streams) as running:
        try:
            until = time.monotonic() + 200
            while not _begun(tmp_path / "out.zarr") and time.monotonic() < until:
                time.sleep(0.2)
            os.killpg(running.pid, signal.SIGINT)
            out, err = running.communicate(timeout=60)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
    said = "stopped; what is done is in out.zarr; to go on, give the same command\ninterrupted\n"
    assert (running.returncode, out, err) == (130, "", said)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nowhere", "tcp://"])
def test_a_scheduler_that_is_not_there_is_said(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(clusters, "CONNECT", 0.5)
    tc.sweep(network(), tmp_path / "a.zarr", parameters={"T": [1.0]}, workers=0)
    with pytest.raises(ThermocError) as caught:
        tc.sweep(network(), tmp_path / "a.zarr", parameters={"T": [1.0]}, scheduler=address, overwrite=True)
    assert caught.value.code == "T424" and f"no scheduler at {address}" in str(caught.value)
    assert tc.sweeps.open(tmp_path / "a.zarr").complete, "what was there is gone"


class Client:
    """Stands for a Dask client whose workers answer so."""

    def __init__(self, answer: object):
        self.answer = answer

    def run(self, *_: object, **__: object) -> dict[str, object]:
        return {"tcp://10.0.0.1:4000": self.answer}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (ModuleNotFoundError("No module named 'thermoc'"), "No module named 'thermoc'"),
        ({**versions(), "thermoc": "0.0.1"}, "thermoc 0.0.1"),
    ],
)
def test_a_worker_that_lacks_or_differs_is_named(answer: object, says: str):
    with pytest.raises(ThermocError) as caught:
        pools.check_workers(Client(answer), "sim")
    assert caught.value.code == "T424" and "tcp://10.0.0.1:4000" in str(caught.value) and says in str(caught.value)


def test_a_worker_without_an_extra_ends_the_sweep_with_its_address():
    failed = Failed(why="T302: target onnx needs onnxruntime, which is not installed", code="T302", lacks=True)
    with pytest.raises(ThermocError) as caught:
        pools._outcome(("tcp://10.0.0.1:4000", failed))
    assert caught.value.code == "T424" and "onnxruntime" in str(caught.value) and "10.0.0.1" in str(caught.value)
    assert pools._outcome(("tcp://10.0.0.1:4000", done := Done(fields={}))) is done
    assert isinstance(pools._outcome((OSError, OSError("gone"), None)), Failed)
    with pytest.raises(ThermocError, match="scheduler has gone"):
        pools._outcome(InterruptedError())


def test_without_dask_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ThermocError) as caught:
        tc.sweep(network(), tmp_path / "a.zarr", parameters={"T": [1.0]}, workers=1)
    assert caught.value.code == "T302" and "thermoc[sweep]" in str(caught.value)
