"""Runs that are killed at random instants and resumed: a process that has everything loaded forks those that are killed.

``python tests/kills.py --kills 1000`` (``make test-kill``) does so many.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import thermoc as tc
from thermoc.cli.main import main

MODEL = """
import numpy as np
import thermoc as tc

J = np.triu(np.random.default_rng(1).normal(size=(24, 24)), 1)
with tc.Network("killed", dt=0.1) as net:
    s = tc.gibbs(T=1.5, J=J + J.T)
    tc.output("s", tc.delay(s, ticks=3))
    tc.output("x", tc.ou_network(np.eye(4), 1.0))
"""
SIZE = ("--batch", "3", "--seed", "5", "--record", "s=all,x=all,x=mean")
FILES = ("-o", "out.npz", "--to", "run.zarr", "--overwrite", "--checkpoint", "run.ckpt")
RUN = ("run", "model.py:net", *SIZE, *FILES)
RESUME = ("resume", "run.ckpt")
ERRORS = "errors.txt"
"""What the last command said."""


@dataclass
class Kills:
    """What was killed: how many, of these before the first checkpoint, while resuming, and behind the end."""

    ticks: int
    every: int
    folder: Path
    random: random.Random
    killed: int = 0
    before: int = 0
    again: int = 0
    late: int = 0
    wrong: list[str] = field(default_factory=list)

    def prepare(self) -> None:
        """Run once as a whole: everything is compiled, how long it takes and what comes out is known."""
        (self.folder / "model.py").write_text(MODEL)
        names: dict[str, Any] = {}
        exec(MODEL, names)
        # Here, so that what is forked has it in memory.
        tc.compile(names["net"]).run(ticks=self.ticks, batch=3)
        self.command(self.run_arguments)
        self.remove()
        begun = time.perf_counter()
        self.command(self.run_arguments)
        self.seconds, self.whole = time.perf_counter() - begun, self.outputs()
        self.remove()

    @property
    def run_arguments(self) -> tuple[str, ...]:
        """The command that runs from the start."""
        return (*RUN, "--ticks", str(self.ticks), "--every", str(self.every))

    def command(self, arguments: Sequence[str], kill_after: float | None = None, saved: bool = False) -> int | None:
        """Run a command line in a fork; return its exit code, None where it was killed.

        kill_after: seconds from the start, or from when there is a checkpoint (``saved``) if that comes in time.
        """
        child = os.fork()
        if child == 0:
            _become(arguments, self.folder)
        if kill_after is not None:
            latest = time.perf_counter() + self.seconds
            while saved and not self.checkpoint.exists() and time.perf_counter() < latest:
                time.sleep(0.001)
            time.sleep(kill_after)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        return None if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status)

    @property
    def checkpoint(self) -> Path:
        """Where a run goes on from."""
        return self.folder / "run.ckpt"

    def once(self) -> None:
        """Kill a run, and perhaps what resumes it, then resume to the end and compare."""
        self.remove()
        arguments = self.run_arguments
        while True:
            # on a machine whose load changes, runs would be killed before their first checkpoint, or not at all
            after, saved = self.random.uniform(0, 1.1 * self.seconds), self.random.random() < 0.5
            code = self.command(arguments, after, saved)
            self.killed += code is None
            self.late += code is not None
            self.again += arguments == RESUME
            arguments = RESUME if self.checkpoint.exists() else self.run_arguments
            self.before += arguments != RESUME
            if self.random.random() < 0.7:
                break
        code = self.command(arguments)
        left = [path.name for path in self.folder.glob(".thermoc.*")]
        if code != 0 or self.outputs() != self.whole or left:
            said = (self.folder / ERRORS).read_text()
            self.wrong.append(f"{arguments[0]}: exit code {code}, left behind {left}, said {said!r}")

    def outputs(self) -> dict[str, str]:
        """Return the hash of each output."""
        files = [path for path in sorted(self.folder.rglob("*")) if path.is_file() and _is_output(path)]
        return {str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def remove(self) -> None:
        """Remove everything but the model."""
        shutil.rmtree(self.folder / "run.zarr", ignore_errors=True)
        for path in self.folder.iterdir():
            if path.name != "model.py" and path.is_file():
                path.unlink()


def _is_output(path: Path) -> bool:
    return path.name == "out.npz" or ".zarr" in str(path)


def _become(arguments: Sequence[str], folder: Path) -> None:
    """Be a process that runs a command line; never returns."""
    os.chdir(folder)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(os.open(ERRORS, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    sys.argv = ["thermoc", *arguments]
    code = 70
    try:
        main()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 71
    finally:
        os._exit(code)


def kills(folder: Path, *, count: int, seed: int, ticks: int, every: int = 300) -> Kills:
    """Return what came of at least so many kills."""
    made = Kills(ticks=ticks, every=every, folder=folder, random=random.Random(seed))
    made.prepare()
    while made.killed < count:
        made.once()
    return made


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ticks", type=int, default=6000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = kills(Path(folder), count=asked.kills, seed=asked.seed, ticks=asked.ticks)
    print(
        f"{made.killed} kills of a run of {made.seconds:.2f} s: {made.before} before its first checkpoint, {made.again} "
        f"of what resumed it; {made.late} came too late; {len(made.wrong)} ended otherwise"
    )
    for line in made.wrong:
        print(line)
    sys.exit(bool(made.wrong))


if __name__ == "__main__":
    _main()
