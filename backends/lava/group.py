"""Lava's processes as one process group: started on a package, run some ticks at a time, ended with all they hold."""

from __future__ import annotations

import json
import os
import secrets
import select
import shutil
import signal
import subprocess
import tempfile
import time
import weakref
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.base import NoisePosition
from thermoc.backends.lava import layout
from thermoc.backends.lava.artefact import LavaArtefact, unpack
from thermoc.backends.lava.interpreter import interpreter, missing
from thermoc.support.errors import error

SHORT = 40
"""Characters of the temporary folder's path, so that a socket's stays below the 107 that Unix allows."""
GRACE = 2.0
"""How long, in seconds, others may still say why they broke once one process has."""
RING = 2**22
"""Elements of the largest file of rows; longer runs go through it in turns."""
MOST_ROWS = 4096


@dataclass(frozen=True, kw_only=True)
class Place:
    """Folders and shared memory that are a group's own."""

    folder: Path
    sockets: Path
    shared_memory: str


class ProcessGroup:
    """The processes of a package for ``batch`` samples, paused between calls; some of its outputs have sinks.

    Inputs, outputs and states pass through files that both sides map into memory. ``close`` ends it; so do the
    collection of the object and the end of this Python.
    """

    def __init__(self, artefact: LavaArtefact, outputs: Iterable[str], *, batch: int, position: NoisePosition):
        """Start and build. Errors: T302, T409 where a process breaks, or building takes longer than build_limit."""
        self._options, self.outputs, graph = artefact.options, tuple(outputs), artefact.loihi
        python, self._manifest = interpreter(), json.loads(artefact.files["manifest.json"])
        self._place = folder = _place()
        sizes = {f"in.{name}": batch * op.y.size for name, op in graph.inputs.items()}
        sizes |= {f"out.{name}": batch * graph.outputs[name].x.size for name in self.outputs}
        self.rows = min(MOST_ROWS, max(1, RING // max(sizes.values(), default=1)))
        self._process: subprocess.Popen[bytes] | None = None
        self.close = weakref.finalize(self, _end, folder, holder := [], os.getpid())
        try:
            unpack(artefact.files, folder.folder / "package")
            files = {name: folder.folder / f"{number}.npy" for number, name in enumerate(sizes)}
            self._rows = {name: _mapped(files[name], (self.rows, size)) for name, size in sizes.items()}
            self._control = _mapped(folder.folder / "control.npy", (4,), np.int64)
            job = self._job(batch, position) | {"files": {name: str(file) for name, file in files.items()}}
            self._process = _started(python, folder, job)
            holder.append(self._process)
            self._await(b"ready", "building", time.monotonic() + self._options.build_limit)
            self._states = layout.stored(self._manifest["states"], folder.folder, batch)
        except OSError as reason:
            self.close()
            raise error("T409", "Lava's files cannot be written", notes=[str(reason)]) from None
        except BaseException:
            self.close()
            raise

    def _job(self, batch: int, position: NoisePosition) -> dict[str, Any]:
        states: dict[str, list[str]] = {}
        for entry in self._manifest["states"]:
            states.setdefault(entry["process"], []).append(entry["variable"])
        return {
            "batch": batch,
            "precision": "fixed",
            "seed": position.seed,
            "first_sample": position.first_sample,
            "first_tick": position.first_tick,
            "states": states,
            "folder": str(self._place.folder),
            "sockets": str(self._place.sockets),
            "shared_memory": self._place.shared_memory,
        }

    def run(self, inputs: Mapping[str, NDArray], ticks: range, end: int, deadline: float) -> NDArray:
        """Run on for at most ``rows`` ticks; return where ``read`` finds the rows. Errors: T409.

        inputs: (ticks, batch size) by name. end: the tick before which the states are kept. deadline: when, by
        ``time.monotonic``, it must be over.
        """
        where = np.array(ticks) % self.rows
        for name, array in inputs.items():
            self._rows[f"in.{name}"][where] = array
        self._control[:3] = self._control[0] + 1, ticks.start, end
        assert self._process is not None and self._process.stdin is not None
        with suppress(BrokenPipeError):  # that it has ended is found below, with its reason
            self._process.stdin.write(b"%d\n" % len(ticks))
        self._await(b"done", "running", deadline)
        return where

    def read(self, output: str, where: NDArray) -> NDArray:
        """Return rows (ticks, batch size) of an output."""
        return self._rows[f"out.{output}"][where]

    @property
    def states(self) -> dict[str, NDArray]:
        """States (batch, *shape) that were kept last."""
        return {name: stored.read() for name, stored in self._states.items()}

    def set_states(self, states: Mapping[str, NDArray]) -> None:
        """Go on from the states that were kept last, some of them replaced."""
        for name, array in states.items():
            self._states[name].write(array)
        self._control[3] += 1

    def _await(self, word: bytes, phase: str, deadline: float) -> None:
        """Wait for a reply. Errors: T409 where a process breaks, all end or it takes too long."""
        process, output = self._process, b""
        assert process is not None and process.stdout is not None
        while word not in output.split(b"\n"):
            # Who broke says so in a file, so a quiet pipe is left now and then; a short run is noticed at once.
            ready, _, _ = select.select([process.stdout], [], [], min(0.05, max(0.0, deadline - time.monotonic())))
            read = os.read(process.stdout.fileno(), 4096) if ready else b""
            output += read
            if not read:
                self.check(phase)
                self._in_time(phase, deadline)

    def check(self, phase: str) -> None:
        """Raise T409 where a process is broken, or all have ended."""
        assert self._process is not None
        folder, code = self._place.folder, self._process.poll()
        if list(folder.glob("broken.*.txt")):
            # Processes break because another did: the oldest of all reports names the cause.
            time.sleep(GRACE / 10)
            _broken(sorted(folder.glob("broken.*.txt")), phase)
        if code is not None:
            _ended(code, folder, phase)

    def _in_time(self, phase: str, deadline: float) -> None:
        if time.monotonic() > deadline:
            option = "run_limit" if phase == "running" else "build_limit"
            notes = [f"{phase} took longer than {getattr(self._options, option):g} s", f"its limit is {option}"]
            hint = "give it more time, or look for a process that waits"
            raise error("T409", "Lava does not answer", notes=notes, hint=hint)


def _place() -> Place:
    """Make the folders; that of Lava's sockets has a short path, which must stay below some hundred characters."""
    name, usual = f"th{secrets.token_hex(4)}", tempfile.gettempdir()
    sockets = Path(usual if len(usual) <= SHORT else "/tmp") / f"{name}_"
    sockets.mkdir()
    return Place(folder=Path(tempfile.mkdtemp(prefix="thermoc-lava-")), sockets=sockets, shared_memory=f"/{name}_")


def _mapped(file: Path, shape: tuple[int, ...], dtype: type[np.signedinteger] = np.int32) -> NDArray:
    """Return an array of zeros whose file others may map too."""
    # Written, and not left a hole: a disk that is full says so now, and not by a signal while something runs.
    np.save(file, np.zeros(shape, dtype))
    return np.load(file, mmap_mode="r+")


def _started(python: Path, place: Place, job: Mapping[str, Any]) -> subprocess.Popen[bytes]:
    """Start a package's run.py as the first process of a group."""
    (place.folder / "job.json").write_text(json.dumps(job))
    environment = {key: item for key, item in os.environ.items() if key != "PYTHONPATH"}
    # One thread each: Lava runs many processes, whose threads would crowd each other out.
    environment |= {"TMPDIR": str(place.sockets), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [str(python), str(place.folder / "package/run.py"), "--serve", str(place.folder / "job.json")]
    pipe = subprocess.PIPE
    with (place.folder / "complaints").open("wb") as stderr:
        # A session of its own, so that all of Lava's processes can be ended as one group, and Ctrl-C reaches none.
        return subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=stderr, bufsize=0, env=environment, start_new_session=True
        )


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


def _end(place: Place, processes: list[subprocess.Popen[bytes]], owner: int) -> None:
    """Kill the whole group, wait until it is gone, and remove its folders and shared memory."""
    if os.getpid() != owner:  # a copy, made by fork
        return
    for process in processes:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        with process:  # closes its pipes, and waits
            pass
        deadline = time.monotonic() + GRACE
        while _alive(process.pid) and time.monotonic() < deadline:
            time.sleep(0.005)
    for path in Path("/dev/shm").glob(f"{place.shared_memory[1:]}*"):
        path.unlink(missing_ok=True)
    for folder in (place.folder, place.sockets):
        shutil.rmtree(folder, ignore_errors=True)


def _alive(group: int) -> bool:
    """Return whether a process of a group runs; one that only waits to be reaped, as in containers, does not."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, process_group = path.read_text().rsplit(")", 1)[1].split()[:3]
            if int(process_group) == group and state not in "ZX":
                return True
    return False
