"""Runs a package in Lava's own Python: a process group of its own, a limit for each phase, and nothing left behind."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.base import NoisePosition, Outcome
from thermoc.backends.lava.artefact import LavaArtefact, unpack
from thermoc.backends.lava.interpreter import interpreter, missing
from thermoc.ir.clocked_session import ClockedSession
from thermoc.ir.dialects.loihi import LIMIT
from thermoc.ir.feed import Feed
from thermoc.ir.graph import Graph
from thermoc.ir.reference import ReferenceSession
from thermoc.ir.values import Value
from thermoc.support.errors import error

SHORT = 40
"""Characters of the temporary folder's path, so that a socket's stays below the 107 that Unix allows."""
PHASES = ("building", "running", "stopping", "done")
GRACE = 2.0
"""How long, in seconds, others may still say why they broke once one process has."""


def run(artefact: LavaArtefact, feed: Feed, position: NoisePosition) -> Outcome:
    """Return outputs and states of a run from the initial state: the host's ops by the reference, Loihi's in Lava.

    Errors: T302 where Lava is missing, T403 for a message of more than 24 bits, T409 where a process
    fails or a phase takes longer than its limit.
    """

    def start(part: Graph) -> _Replayed | ReferenceSession:
        if part == artefact.loihi:
            return _Replayed(artefact, position)
        where = {"seed": position.seed, "first_sample": position.first_sample, "first_tick": position.first_tick}
        return ReferenceSession(part, batch=feed.batch, **where)

    if artefact.loihi == artefact.graph:
        session = _Replayed(artefact, position)
    else:
        session = ClockedSession(artefact.graph, start, batch=feed.batch, first_tick=position.first_tick)
    outputs = session.advance(feed)
    return Outcome(outputs=outputs, states=session.states)


class _Replayed:
    """Loihi's ops in Lava, run from the start for each piece."""

    def __init__(self, artefact: LavaArtefact, position: NoisePosition):
        self.tick = 0
        self._artefact, self._fed, self._states = artefact, dict[str, NDArray](), dict[str, NDArray]()
        self._where = vars(position)

    def advance(self, feed: Feed, names: Collection[str] | None = None) -> dict[str, NDArray]:
        fed = {
            name: np.concatenate([self._fed[name][: self.tick], array]) if self.tick else array
            for name, array in feed.arrays.items()
        }
        whole = Feed(arrays=fed, ticks=self.tick + feed.ticks, batch=feed.batch)
        outputs, self._states = in_lava(self._artefact, whole, self._where)
        begun, self._fed, self.tick = self.tick, fed, whole.ticks
        return {name: array[begun:] for name, array in outputs.items()}

    @property
    def states(self) -> dict[str, NDArray]:
        return self._states

    def set_states(self, states: Mapping[str, NDArray]) -> None:
        raise NotImplementedError

    def snapshot(self) -> dict[str, NDArray]:
        return self._states

    def restore(self, snapshot: Mapping[str, NDArray], tick: int) -> None:
        self._states, self.tick = dict(snapshot), tick

    def close(self) -> None:
        pass


def in_lava(
    artefact: LavaArtefact, feed: Feed, where: Mapping[str, int]
) -> tuple[dict[str, NDArray], dict[str, NDArray]]:
    """Return outputs (ticks, batch, *shape) and states of Loihi's ops."""
    python = interpreter()
    with tempfile.TemporaryDirectory(prefix="thermoc-lava-") as name:
        folder = Path(name)
        unpack(artefact.files, folder / "package")
        job = _job(artefact.loihi, folder, feed) | dict(where)
        execute(python, folder, job, artefact.options)
        outputs = {name: _read(job, name, op.x, feed) for name, op in artefact.loihi.outputs.items()}
        return outputs, _states(json.loads(artefact.files["manifest.json"]), folder, feed.batch)


def _job(graph: Graph, folder: Path, feed: Feed) -> dict[str, Any]:
    """Write the files that sources read and sinks fill; return what the package's run.py is told. Errors: T403."""
    files: dict[str, str] = {}
    for name, array in feed.arrays.items():
        files[f"in.{name}"] = str(folder / f"in.{name}.npy")
        # A constant input was broadcast over ticks: one row is enough to send it.
        rows = array[:1] if array.strides[0] == 0 else array
        _bounded(name, rows)
        np.save(files[f"in.{name}"], rows.reshape(len(rows), -1).astype(np.int32))
    for name, op in graph.outputs.items():
        files[f"out.{name}"] = str(folder / f"out.{name}.npy")
        shape = (feed.ticks, feed.batch * op.x.size)
        np.lib.format.open_memmap(files[f"out.{name}"], mode="w+", dtype=np.int32, shape=shape).flush()
    about = {"batch": feed.batch, "ticks": feed.ticks, "precision": "fixed", "folder": str(folder)}
    return about | {"files": files, "shared_memory": f"/th{secrets.token_hex(4)}_"}


def _bounded(name: str, rows: NDArray) -> None:
    """Raise T403 where a message has more than Loihi's 24 bits: the package was chosen for those."""
    largest = int(np.abs(rows.astype(np.int64)).max(initial=0))
    if largest > LIMIT:
        notes = [f"its largest magnitude is {largest}", f"a message of Loihi is at most {LIMIT}: 24 bits"]
        raise error("T403", f"input {name!r} is too large to be sent", notes=notes)


def _read(job: Mapping[str, Any], name: str, value: Value, feed: Feed) -> NDArray:
    rows = np.load(job["files"][f"out.{name}"])
    return rows.reshape(feed.ticks, feed.batch, *value.shape).astype(value.dtype.numpy)


def _states(manifest: Mapping[str, Any], folder: Path, batch: int) -> dict[str, NDArray]:
    """Return the states that the processes wrote when they stopped, (batch, *shape)."""
    states: dict[str, NDArray] = {}
    for entry in manifest["states"]:
        with np.load(folder / f"state.{entry['process']}.npz") as stored:
            states[entry["state"]] = _state(dict(stored), entry, batch)
    return states


def _state(stored: Mapping[str, NDArray], entry: Mapping[str, Any], batch: int) -> NDArray:
    shape = tuple(entry["shape"])
    if entry["variable"] != "buffer":
        return stored[entry["variable"]].reshape(batch, *shape).astype(np.int32)
    if "buffer" in stored:  # ours: (ticks, batch units)
        rows = stored["buffer"]
        buffer = rows.reshape(len(rows), batch, -1).swapaxes(0, 1)
    elif "a_buf" in stored:  # Conv: (height, width, batch channels)
        buffer = stored["a_buf"].transpose(2, 0, 1)
    else:  # Dense and Sparse: (batch units), or (batch units, ticks) where they delay
        rows = stored["a_buff"].reshape(batch, -1, stored["a_buff"].shape[1] if stored["a_buff"].ndim > 1 else 1)
        buffer = rows.swapaxes(1, 2)
    return buffer.reshape(batch, *shape).astype(np.int32)


def execute(python: Path, folder: Path, job: Mapping[str, Any], options: Any) -> None:
    """Run a job to its end. Errors: T409."""
    (folder / "job.json").write_text(json.dumps(job))
    sockets = _sockets(str(job["shared_memory"]))
    environment = {key: item for key, item in os.environ.items() if key != "PYTHONPATH"}
    # One thread each: Lava runs many processes, whose threads would crowd each other out.
    environment |= {"TMPDIR": str(sockets), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    # Unbuffered: the phases are read from what it prints.
    command = [str(python), "-u", str(folder / "package/run.py"), "--job", str(folder / "job.json")]
    with (folder / "said").open("wb") as stdout, (folder / "complaints").open("wb") as stderr:
        # A session of its own, so that all of Lava's processes can be ended as one group.
        process = subprocess.Popen(
            command, stdout=stdout, stderr=stderr, stdin=subprocess.DEVNULL, env=environment, start_new_session=True
        )
    try:
        _await(process, folder, {"building": options.build_limit, "running": options.run_limit})
    finally:
        _clear(process, str(job["shared_memory"]))
        shutil.rmtree(sockets, ignore_errors=True)


def _sockets(name: str) -> Path:
    """Make a folder for Lava's sockets, whose paths must stay below some hundred characters."""
    usual = tempfile.gettempdir()
    folder = Path(usual if len(usual) <= SHORT else "/tmp") / name.strip("/")
    folder.mkdir()
    return folder


def _await(process: subprocess.Popen, folder: Path, limits: Mapping[str, float]) -> None:
    """Wait until the job is done. Errors: T409 where a process breaks, the job ends early or a phase takes too long."""
    phase, since, pause = "building", time.monotonic(), 0.005
    while True:
        ended = process.poll() is not None  # before what it said is read: whatever it said last is then there
        if (reached := _phase(folder / "said")) != phase:
            phase, since = reached, time.monotonic()
        if phase == "done" and ended:
            return
        broken = sorted(folder.glob("broken.*.txt"))
        if broken:
            # Processes break because another did: the oldest of all reports names the cause.
            time.sleep(GRACE / 10)
            _broken(sorted(folder.glob("broken.*.txt")), phase)
        if ended:
            _ended(process.returncode, folder, phase)
        limit = limits.get(phase, limits["building"])
        if time.monotonic() - since > limit:
            option = "run_limit" if phase == "running" else "build_limit"
            notes = [f"{phase} took longer than {limit:g} s", f"its limit is {option}"]
            raise error(
                "T409", "Lava does not answer", notes=notes, hint="give it more time, or look for a process that waits"
            )
        time.sleep(pause)
        # A short run is noticed at once, a long one costs few looks.
        pause = min(pause * 1.2, 0.05)


def _phase(said: Path) -> str:
    """Return the last phase that was announced: phases only go forward, and what models print is no phase."""
    lines = said.read_bytes().split(b"\n")
    return next((phase for phase in reversed(PHASES) if phase.encode() in lines), PHASES[0])


def _broken(reports: list[Path], phase: str) -> NoReturn:
    first = min(reports, key=lambda path: path.stat().st_mtime)
    name, lines = first.name.split(".", 1)[1].removesuffix(".txt"), first.read_text().strip().splitlines()
    notes = [lines[-1], *(line.strip() for line in lines[-4:-1] if line.strip().startswith("File"))]
    raise error("T409", f"process {name!r} failed in Lava while {phase}", notes=notes)


def _ended(code: int, folder: Path, phase: str) -> NoReturn:
    lines = (folder / "complaints").read_text(errors="replace").strip().splitlines()
    if lines and "this network runs in Lava" in lines[-1]:
        raise missing(lines[-1].split(":")[0])
    raise error("T409", f"Lava ended while {phase}, with code {code}", notes=lines[-6:])


def _clear(process: subprocess.Popen, shared: str) -> None:
    """Kill the whole group, wait until it is gone, and remove the shared memory of this run."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + GRACE
    while _alive(process.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    for path in Path("/dev/shm").glob(f"{shared[1:]}*"):
        path.unlink(missing_ok=True)


def _alive(group: int) -> bool:
    """Return whether a process of a group runs; one that only waits to be reaped, as in containers, does not."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, process_group = path.read_text().rsplit(")", 1)[1].split()[:3]
            if int(process_group) == group and state not in "ZX":
                return True
    return False
