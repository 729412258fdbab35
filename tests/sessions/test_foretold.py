"""What a run holds of memory is foretold: by kind of recording, shown, and near what a process takes."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from sessions.drifting import drift

import thermoc as tc
from thermoc.support.errors import ThermocError
from thermoc.support.memory import parsed

MIB = 2**20


def test_what_is_recorded_counts_by_how_it_is():
    exe = tc.compile(drift())
    sizes = {
        "all": 8 * 10**6 * 2 * 4,
        "every:100": 8 * 10**4 * 2 * 4,
        "mean": 2 * 8 * 2 * 4,
    }
    for text, size in sizes.items():
        assert exe.memory(ticks=10**6, batch=2, record={"x": text}).recorded == {"x": size}


def test_a_refusal_says_how_many_ticks_fit_and_they_do():
    exe = tc.compile(drift())
    with pytest.raises(ThermocError, match=r"(?s)T408.*or run (\d+) ticks at a time") as caught:
        exe.run(ticks=10**6, batch=4, max_memory="20MiB")
    ticks = int(str(caught.value).split("or run ")[1].split()[0])
    assert 10**4 < ticks < 10**6
    exe.run(ticks=ticks, batch=4, max_memory="20MiB")


def test_a_batch_that_does_not_fit_says_how_much_of_it_does():
    with pytest.raises(ThermocError, match=r"(?s)T408.*\d+ samples at a time"):
        tc.compile(drift()).run(ticks=1, batch=10**6, record={}, max_memory="10MB")


@pytest.mark.parametrize(("text", "size"), [("1kB", 1000), ("2 GiB", 2**31), ("1.5M", 3 * 2**19), (77, 77)])
def test_sizes(text: str | int, size: int):
    assert parsed(text, "max_memory") == size


@pytest.mark.parametrize("text", ["", "GB", "-1", "1 parsec", True, "1e9"])
def test_what_is_no_size_is_refused(text: object):
    with pytest.raises(ThermocError, match="T404"):
        tc.compile(drift()).run(ticks=1, max_memory=text)


def test_the_numbers_of_a_network_count_once_whatever_the_batch():
    with tc.Network("wide") as net:
        W = np.ones((300, 100))
        tc.output("y", tc.affine(tc.input("x", (100,)), W))
    exe, x = tc.compile(net, precision="float32"), np.zeros((1, 100))
    before = exe.memory({"x": x})
    held = W.nbytes + W.nbytes // 2  # as given, and in 32 bits
    assert before.held == held and before.parts["numbers of the network"] == held
    assert before.parts["numbers of the target"] == W.nbytes
    exe.artefact  # noqa: B018
    after = exe.memory({"x": np.zeros((50, 100))})
    assert after.parts["numbers of the target"] == W.nbytes // 2 and after.held == held + W.nbytes // 2
    with pytest.raises(ThermocError, match=r"(?s)T408.*a smaller network"):
        exe.run({"x": x}, max_memory=held)
    with pytest.raises(ThermocError, match=r"(?s)T408.*: (\d+) samples at a time fit") as caught:
        exe.run({"x": np.zeros((5000, 100))}, max_memory=after.total)
    fits = int(str(caught.value).split(" samples at a time fit")[0].split()[-1])
    assert 0 < fits < 100
    exe.run({"x": np.zeros((fits, 100))}, max_memory=after.total)


MEASURE = """
import thermoc as tc
from sessions.drifting import drift

def peak():
    # Of this process alone: what ``resource`` tells begins at the size of the one that started it.
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

exe = tc.compile(drift())
exe.run(ticks=2000, batch=BATCH, record={"x": "mean"})
before = peak()
exe.run(ticks=TICKS, batch=BATCH, record=RECORD)
print(peak() - before, exe.memory(ticks=TICKS, batch=BATCH, record=RECORD).total)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells the peak on Linux alone")
@pytest.mark.parametrize(("ticks", "batch", "record"), [(40_000, 100, {"x": "all"}), (2_000, 1000, {"late": "all"})])
def test_a_process_grows_by_what_was_foretold(ticks: int, batch: int, record: dict[str, str]):
    """Within a factor of three: a chunk is as long as time allows, and foretold at its longest."""
    script = MEASURE.replace("TICKS", str(ticks)).replace("BATCH", str(batch)).replace("RECORD", repr(record))
    folders = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, env=folders)
    grown, foretold = (int(number) for number in done.stdout.split())
    assert foretold / 3 < grown * 1024 < foretold + 16 * MIB
