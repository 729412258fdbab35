"""Runs that are killed at random instants and resumed: a process that has everything loaded forks those that are killed.

``python tests/kills.py --kills 1000`` (``make test-kill``) does so many; ``--of training`` kills ``thermoc train``.
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

import numpy as np

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
TRAINING = """
[data]
file = "data.npz"
[network]
feed_forward = [6, 3]
activations = ["binary", "boltzmann"]
[training]
batch = 16
epochs = 60
patience = 20
learning_rate = 0.02
checkpoint_every = 2
seed = 3
[output]
folder = "trained"
tensorboard = false
"""
"""Noise in the forward pass, momenta in the optimiser, the best epoch's weights: all that a checkpoint must hold."""
ERRORS = "errors.txt"
"""What the last command said."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A command that is killed, the one that goes on, and what they write: the checkpoint, and files by their ends."""

    run: tuple[str, ...]
    resume: tuple[str, ...]
    checkpoint: str
    written: tuple[str, ...]
    given: tuple[str, ...]

    def prepare(self, folder: Path) -> None:
        """Write what the command reads; load what is to be in memory when it is forked."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class RunJob(Job):
    """``thermoc run``, recorded to a store and a file."""

    def prepare(self, folder: Path) -> None:
        """Compile the network."""
        (folder / "model.py").write_text(MODEL)
        names: dict[str, Any] = {}
        exec(MODEL, names)
        tc.compile(names["net"]).run(ticks=1, batch=3)


@dataclass(frozen=True, kw_only=True)
class TrainJob(Job):
    """``thermoc train``, to an early end."""

    def prepare(self, folder: Path) -> None:
        """Write samples of three classes; load torch."""
        import torch

        from thermoc.learning.training import read_config, train

        torch.set_num_threads(1)  # threads do not live on in a fork
        rng = np.random.default_rng(0)
        y = rng.integers(0, 3, 120)
        x = (rng.random((120, 8)) < 0.3 + 0.4 * (np.arange(8) % 3 == y[:, None])).astype(float)
        np.savez(folder / "data.npz", x=x, y=y)
        (folder / "train.toml").write_text(TRAINING)
        train(read_config(folder / "train.toml"))  # what is loaded by the first is no part of those that are killed
        shutil.rmtree(folder / "trained")


def job(of: str, ticks: int, every: int) -> Job:
    """Return what is killed: a "run" of so many ticks, or a "training"."""
    if of == "training":
        begin = ("train", "train.toml")
        files = ("model.thermo", "metrics.csv", "training.ckpt")
        given = ("data.npz", "train.toml")
        return TrainJob(
            run=begin, resume=(*begin, "--resume"), checkpoint="trained/training.ckpt", written=files, given=given
        )
    length = ("--ticks", str(ticks), "--every", str(every))
    return RunJob(
        run=("run", "model.py:net", *SIZE, *FILES, *length),
        resume=("resume", "run.ckpt"),
        checkpoint="run.ckpt",
        written=("out.npz", "run.zarr"),
        given=("model.py",),
    )


@dataclass
class Kills:
    """What was killed: how many, of these before the first checkpoint, while resuming, and behind the end."""

    job: Job
    folder: Path
    random: random.Random
    killed: int = 0
    before: int = 0
    again: int = 0
    late: int = 0
    wrong: list[str] = field(default_factory=list)

    def prepare(self) -> None:
        """Run once as a whole: everything is compiled, how long it takes and what comes out is known."""
        self.job.prepare(self.folder)
        self.command(self.job.run)
        self.remove()
        begun = time.perf_counter()
        self.command(self.job.run)
        self.seconds, self.whole = time.perf_counter() - begun, self.outputs()
        self.remove()

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
        return self.folder / self.job.checkpoint

    def once(self) -> None:
        """Kill a run, and perhaps what resumes it, then resume to the end and compare."""
        self.remove()
        arguments = self.job.run
        while True:
            # on a machine whose load changes, runs would be killed before their first checkpoint, or not at all
            after, saved = self.random.uniform(0, 1.1 * self.seconds), self.random.random() < 0.5
            code = self.command(arguments, after, saved)
            self.killed += code is None
            self.late += code is not None
            self.again += arguments == self.job.resume
            arguments = self.job.resume if self.checkpoint.exists() else self.job.run
            self.before += arguments != self.job.resume
            if self.random.random() < 0.7:
                break
        code = self.command(arguments)
        left = [path.name for path in self.folder.rglob(".thermoc.*")]
        if code != 0 or self.outputs() != self.whole or left:
            said = (self.folder / ERRORS).read_text()
            self.wrong.append(f"{arguments[0]}: exit code {code}, left behind {left}, said {said!r}")

    def outputs(self) -> dict[str, str]:
        """Return the hash of each output."""
        files = [path for path in sorted(self.folder.rglob("*")) if path.is_file() and self._is_output(path)]
        return {str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def remove(self) -> None:
        """Remove everything but what was given."""
        for path in self.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name not in self.job.given:
                path.unlink()

    def _is_output(self, path: Path) -> bool:
        return any(part in self.job.written for part in path.relative_to(self.folder).parts)


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


def kills(folder: Path, *, count: int, seed: int, job: Job) -> Kills:
    """Return what came of at least so many kills."""
    made = Kills(job=job, folder=folder, random=random.Random(seed))
    made.prepare()
    while made.killed < count:
        made.once()
    return made


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ticks", type=int, default=6000, help="of a run")
    parser.add_argument("--of", choices=("run", "training"), default="run")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = kills(Path(folder), count=asked.kills, seed=asked.seed, job=job(asked.of, asked.ticks, 300))
    print(
        f"{made.killed} kills of a {asked.of} of {made.seconds:.2f} s: {made.before} before its first checkpoint, {made.again} "
        f"of what resumed it; {made.late} came too late; {len(made.wrong)} ended otherwise"
    )
    for line in made.wrong:
        print(line)
    sys.exit(bool(made.wrong))


if __name__ == "__main__":
    _main()
