"""A sweep on a scheduler and four workers, some of them killed at random instants and one started again.

``python tests/sweep_kills.py --points 2000`` (``make test-sweep``): every point is once in the store, and its bytes are
those of the sweep without kills. It also says what a point costs besides its run, in processor time and by the clock,
and then holds replicas and a ladder that the workers share against those of one process.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from scipy.sparse import csr_array

import thermoc as tc
from thermoc.apps.optimisation.minimise import minimise
from thermoc.physics.ising_model import IsingModel
from thermoc.sweeps.setup import Setup
from thermoc.sweeps.worker import Executables, carried_out

COMMON = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--death-timeout", "60", "--local-directory")


def network() -> tc.Network:
    J = np.triu(np.random.default_rng(1).normal(size=(16, 16)), 1)
    with tc.Network("swept") as net:
        tc.output("s", tc.gibbs(T=tc.parameter("T", 1.0, role="temperature"), J=J + J.T))
    return net


@dataclass
class Cluster:
    """A scheduler and workers, each a process of its own."""

    folder: Path
    workers: int
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __enter__(self) -> Cluster:
        options = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(self.file))
        self.scheduler = self.start("scheduler", *options)
        while not (self.file.exists() and self.file.read_text().endswith("}")):
            assert self.scheduler.poll() is None, "the scheduler does not start"
            time.sleep(0.05)
        self.address = json.loads(self.file.read_text())["address"]
        for _ in range(self.workers):
            self.worker()
        return self

    def __exit__(self, *_: object) -> None:
        for process in (*self.processes, self.scheduler):
            process.kill()
            process.wait()

    @property
    def file(self) -> Path:
        return self.folder / "scheduler.json"

    def start(self, kind: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", kind, *options]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def worker(self) -> None:
        self.processes.append(self.start("worker", self.address, *COMMON, str(self.folder)))

    def seconds(self) -> float:
        """Processor time of all that run."""
        times = [psutil.Process(p.pid).cpu_times() for p in (*self.processes, self.scheduler) if p.poll() is None]
        return sum(t.user + t.system for t in times)


@dataclass(eq=False)
class Killer(threading.Thread):
    """Kills workers at these instants, in seconds from its start; starts one anew after the first."""

    cluster: Cluster
    instants: list[float]
    killed: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def run(self) -> None:
        begun = time.perf_counter()
        for number, instant in enumerate(self.instants):
            time.sleep(max(0.0, instant - (time.perf_counter() - begun)))
            self.cluster.processes[number].kill()
            self.killed.append(time.perf_counter() - begun)
            if number == 0:
                self.cluster.worker()


def swept(folder: Path, cluster: Cluster, points: int) -> float:
    """Run the sweep into a store; return how long it took by the clock."""
    begun = time.perf_counter()
    result = tc.sweep(
        network(),
        folder,
        parameters={"T": tc.sweeps.span(0.5, 3.0)},
        method="sobol",
        count=points,
        ticks=20,
        batch=4,
        record={"s": ["mean", "last"]},
        scheduler=cluster.address,
        progress=False,
    )
    assert result.complete and (result.status == 1).all(), "points are missing"
    return time.perf_counter() - begun


def content(folder: Path) -> dict[str, str]:
    """Return the hash of every file of a store."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def alone(points: int) -> float:
    """Return the processor time that so many points take in one process, without store and cluster."""
    sweep = tc.sweeps.asked.sweep_of(
        network(), parameters={"T": tc.sweeps.span(0.5, 3.0)}, method="sobol", count=points, ticks=20, batch=4
    )
    setup: Setup = sweep.setup
    executables = Executables(setup)
    carried_out(executables, sweep.points[0], 0, 4)
    begun = time.process_time()
    for point in sweep.points:
        carried_out(executables, point, 0, 4)
    return time.process_time() - begun


def shared(cluster: Cluster) -> None:
    """Hold what workers share against the same of one process. Raises AssertionError where a bit differs."""
    net, about = network(), {"ticks": 40, "batch": 6, "seed": 2}
    run, whole = tc.sweeps.replicas(net, parts=3, scheduler=cluster.address, **about), tc.compile(net).run(**about)
    assert np.array_equal(run["s"], whole["s"]) and run.diagnostics == whole.diagnostics
    J = np.triu(np.random.default_rng(0).choice([-1.0, 1.0], (40, 40)), 1)
    model = IsingModel(J=csr_array(J + J.T), h=np.zeros(40))
    ladder = tc.sweeps.temper(model, seed=5, sweeps=60, replicas=12, scheduler=cluster.address)
    alone = minimise(model, method="tempering", seed=5, sweeps=60, replicas=12, threads=1)
    assert np.array_equal(ladder.spins, alone.spins) and np.array_equal(ladder.energies, alone.energies)


def kills(folder: Path, *, points: int, workers: int, count: int, seed: int) -> str:
    """Return what came of a sweep with so many kills, in words. Raises AssertionError where it is not the same bytes."""
    with Cluster(folder, workers) as cluster:
        swept(folder / "warm.zarr", cluster, 2 * workers)  # kernels are loaded, so that instants lie within the sweep
        before, mine = cluster.seconds(), time.process_time()
        seconds = swept(folder / "whole.zarr", cluster, points)
        work = cluster.seconds() - before + time.process_time() - mine
        chance = random.Random(seed)
        killer = Killer(cluster, sorted(chance.uniform(0.0, 0.8 * seconds) for _ in range(count)))
        killer.start()
        with_kills = swept(folder / "killed.zarr", cluster, points)
        late = count - len(killer.killed)
        killer.join()
        shared(cluster)
    whole, killed = content(folder / "whole.zarr"), content(folder / "killed.zarr")
    assert whole == killed, f"other bytes: {sorted(n for n in {*whole, *killed} if whole.get(n) != killed.get(n))[:9]}"
    extra = 1000 * (work - alone(points)) / points
    instants = ", ".join(f"{instant:.2f}" for instant in killer.killed)
    return (
        f"{points} points, {workers} workers: {seconds:.2f} s without kills, {with_kills:.2f} s with {count} at "
        f"{instants} s ({late} too late); the same {len(whole)} files, replicas and ladder of one process; a point takes {1000 * seconds / points:.2f} ms by "
        f"the clock, and {extra:.2f} ms of processor time besides its run"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(kills(Path(folder), points=asked.points, workers=asked.workers, count=asked.kills, seed=asked.seed))


if __name__ == "__main__":
    main()
