"""Ctrl-C is heard while the simulator runs, and a run that was stopped leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import thermoc as tc


def drift() -> tc.Network:
    with tc.Network("drift", dt=0.1) as net:
        tc.output("x", tc.ou_network(np.eye(4), 1.0))
    return net


def glass(draws: str) -> tc.Network:
    J = np.triu(np.random.default_rng(0).choice([-1.0, 1.0], (96, 96)), 1)
    with tc.Network("glass") as net:
        tc.output("s", tc.gibbs(T=1.0, J=J + J.T, sweeps=2**22, draws=draws))
    return net


CASES = {
    "many ticks": (drift, 2**24),
    "many sweeps": (lambda: glass("unit"), 1),
    "many sweeps in words": (lambda: glass("replica"), 1),
}


@pytest.mark.parametrize("case", CASES)
def test_a_run_stops_and_the_next_one_is_as_ever(case: str):
    make, ticks = CASES[case]
    exe = tc.compile(make())
    short = {"ticks": min(ticks, 64), "seed": 3}
    before = tc.compile(drift()).run(**short)["x"]
    sent = list[float]()

    def interrupt() -> None:
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(1.0, interrupt)
    with pytest.raises(KeyboardInterrupt):
        timer.start()
        exe.run(ticks=ticks)
    assert time.perf_counter() - sent[0] < 2  # 0.1 s on a machine that does nothing else
    np.testing.assert_array_equal(tc.compile(drift()).run(**short)["x"], before)


MODEL = """
import numpy as np
import thermoc as tc

with tc.Network("drift", dt=0.1) as net:
    tc.output("x", tc.ou_network(np.eye(4), 1.0))
tc.compile(net).run(ticks=16)
open("loaded", "w").close()
"""


@pytest.mark.slow
def test_the_command_exits_with_130_and_writes_what_it_has(tmp_path: Path):
    (tmp_path / "model.py").write_text(MODEL)
    saved = ["--checkpoint", "run.ckpt", "--every", "1h"]
    command = [sys.executable, "-m", "thermoc", "run", "model.py:net", "--ticks", str(2**25), "-o", "out.npz", *saved]
    started = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "run.ckpt").exists() and started.poll() is None:
        time.sleep(0.05)
    time.sleep(0.5)
    started.send_signal(signal.SIGINT)
    _, err = started.communicate(timeout=60)
    assert started.returncode == 130
    with np.load(tmp_path / "out.npz") as written:
        done = len(written["x"])
    assert f"stopped at tick {done} of {2**25}; to go on: thermoc resume run.ckpt" in err
    assert err.splitlines()[-1] == "interrupted"
    assert {path.name for path in tmp_path.iterdir()} - {"__pycache__"} == {"model.py", "loaded", "out.npz", "run.ckpt"}
