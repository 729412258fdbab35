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

import thermoc as tc
from thermoc.backends.base import NoisePosition
from thermoc.backends.lava import run as lava_run
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


def run(exe, artefact):
    given = feed(exe.graph, {"x": np.ones((1, 4), int)}, ticks=6)
    return exe.backend.run(artefact, given, NoisePosition())


def left_behind(folder: Path, mark: str) -> list[str]:
    """Return processes, shared memory and sockets of a run in this folder, with this mark, that are there now."""
    found = [f"shared memory {path.name}" for path in Path("/dev/shm").glob(f"*{mark}*")]
    found += [f"file {path}" for path in [*folder.rglob("*"), *Path("/tmp").glob(f"*{mark}*")]]
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += [f"process {path.parent.name}"] * (bytes(folder) in path.read_bytes())
        except OSError:
            continue
    return found


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
    with pytest.raises(tc.ThermocError) as caught:
        run(exe, artefact)
    assert caught.value.code == code
    assert all(text in str(caught.value) for text in said), str(caught.value)
    assert time.monotonic() - since < limit + 60, "building may take a while on a loaded machine, no more"
    assert left_behind(tmp_path, mark) == []


def test_a_package_that_cannot_be_built_says_why():
    exe = tc.compile(chain(), target="lava")
    files = exe.artefact.files | {"build.py": b"raise RuntimeError('no such network')\n"}
    with pytest.raises(tc.ThermocError, match="no such network") as caught:
        run(exe, dataclasses.replace(exe.artefact, files=files))
    assert caught.value.code == "T409"


def test_a_process_that_ends_while_it_is_looked_at_is_no_failure(tmp_path: Path):
    """It says done, and ends between two looks."""

    class Ending:
        returncode = 0
        looks = 0

        def poll(self) -> int | None:
            self.looks += 1
            return None if self.looks == 1 else 0

    (tmp_path / "said").write_text("building\nrunning\nstopping\ndone\n")
    lava_run._await(Ending(), tmp_path, {"building": 60.0, "running": 60.0})  # type: ignore[arg-type]


def test_what_waits_to_be_reaped_does_not_hold_a_run_up():
    """A zombie is in its group until its parent asks for it; here that is this test."""
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        assert lava_run._alive(process.pid)
        process.kill()
        deadline = time.monotonic() + 10
        while lava_run._alive(process.pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        os.killpg(process.pid, 0)  # the zombie is still there
        assert not lava_run._alive(process.pid)


def test_limits_must_be_positive():
    with pytest.raises(tc.ThermocError, match="run_limit must be > 0"):
        tc.compile(chain(), target="lava", run_limit=0)
