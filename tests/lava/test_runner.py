"""A run that breaks, or hangs, ends within its limit, says who did it, and leaves nothing behind."""

import dataclasses
import os
import secrets
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from lava.shared import left_behind

import thermoc as tc
from thermoc.backends.base import NoisePosition
from thermoc.backends.lava import group
from thermoc.ir.feed import feed

CHATTER = "import time; [(print(f'word{i}', flush=True), time.sleep(0.5)) for i in range(200)]"


def chain() -> tc.Network:
    with tc.Network("chain") as net:
        x = tc.input("x", (4,), dtype="i32")
        y = tc.loihi.graded(tc.loihi.dense(x, 2 * np.eye(4, dtype=int), message_bits=8), name="middle")
        tc.output("y", tc.loihi.lut(tc.loihi.dense(y, 2 * np.eye(4, dtype=int), message_bits=8), np.arange(64)))
    return net


def injected(line: str, **options: float):
    """Return an executable whose graded units run a line in their third step, and its artefact."""
    exe = tc.compile(chain(), target="lava", **options)
    name = "procs/graded/process.py"
    old = "        z = self.activation(self.a_in.recv())\n"
    text = exe.artefact.files[name].decode()
    assert old in text
    text = text.replace(old, f"{old}        if self.time_step == 3:\n            {line}\n")
    files = exe.artefact.files | {name: text.encode()}
    return exe, dataclasses.replace(exe.artefact, files=files)


def given(exe, ticks: int):
    return feed(exe.graph, {"x": np.ones((1, 4), int)}, ticks=ticks)


@pytest.mark.parametrize(
    ("line", "limit", "code", "said"),
    [
        ("raise ValueError('broken on purpose')", 60.0, "T409", ["process 'middle' failed", "broken on purpose"]),
        ("import time; time.sleep(1000)", 3.0, "T409", ["Lava does not answer", "running took longer than 3 s"]),
        ("import os; os.kill(os.getpid(), 9)", 60.0, "T409", ["process 'middle' failed", "ended with code -9"]),
        (CHATTER, 3.0, "T409", ["running took longer than 3 s", "run_limit"]),
    ],
    ids=["crash", "hang", "kill", "chatter"],
)
def test_a_run_that_fails_ends_in_time_and_leaves_nothing(
    line: str, limit: float, code: str, said: list[str], tmp_path: Path, monkeypatch
):
    mark, since = f"x{os.getpid()}{code}{limit:g}", time.monotonic()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(secrets, "token_hex", lambda _: mark)
    exe, artefact = injected(line, run_limit=limit)
    session = exe.backend.start(artefact, batch=1, position=NoisePosition())
    session.advance(given(exe, 2))
    before = session.states
    with pytest.raises(tc.ThermocError) as caught:
        session.advance(given(exe, 6))
    assert caught.value.code == code
    assert all(text in str(caught.value) for text in said), str(caught.value)
    assert time.monotonic() - since < limit + 60, "building may take a while on a loaded machine, no more"
    assert left_behind(tmp_path, mark) == []
    with pytest.raises(tc.ThermocError, match=said[0]) as caught:
        session.advance(given(exe, 1))
    assert caught.value.code == "T417"
    assert session.tick == 2
    for name, array in session.states.items():
        np.testing.assert_array_equal(array, before[name])


def test_a_package_that_cannot_be_built_says_why():
    exe = tc.compile(chain(), target="lava")
    files = exe.artefact.files | {"build.py": b"raise RuntimeError('no such network')\n"}
    with pytest.raises(tc.ThermocError, match="no such network") as caught:
        exe.backend.run(dataclasses.replace(exe.artefact, files=files), given(exe, 6), NoisePosition())
    assert caught.value.code == "T409"


def test_what_waits_to_be_reaped_does_not_hold_a_run_up():
    """A zombie is in its group until its parent asks for it; here that is this test."""
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        assert group._alive(process.pid)
        process.kill()
        deadline = time.monotonic() + 10
        while group._alive(process.pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        os.killpg(process.pid, 0)  # the zombie is still there
        assert not group._alive(process.pid)


def test_limits_must_be_positive():
    with pytest.raises(tc.ThermocError, match="run_limit must be > 0"):
        tc.compile(chain(), target="lava", run_limit=0)
