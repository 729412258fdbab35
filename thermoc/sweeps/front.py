"""``tc.sweep``: the one call that runs a sweep, of a file or of a network."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thermoc.ir.graph import Graph
from thermoc.network import Network
from thermoc.recording.plan import planned, signals
from thermoc.support.errors import error
from thermoc.sweeps.asked import sweep_of
from thermoc.sweeps.axes import CODE, check_whole
from thermoc.sweeps.clusters import cores, pool
from thermoc.sweeps.config import read_sweep
from thermoc.sweeps.plan import Sweep
from thermoc.sweeps.result import SweepResult
from thermoc.sweeps.running import RETRIES, run_sweep
from thermoc.sweeps.store import DONE, SweepStore, held
from thermoc.sweeps.worker import Executables


@dataclass(frozen=True, kw_only=True)
class Where:
    """Where and how a sweep is run; none of it changes a bit of the results."""

    scheduler: str | None = None
    workers: int | None = None
    retries: int = RETRIES
    overwrite: bool = False
    progress: bool | None = None

    def __post_init__(self) -> None:
        check_whole(0, retries=self.retries, **({} if self.workers is None else {"workers": self.workers}))
        if self.scheduler is not None and self.workers is not None:
            raise error(CODE, "workers are those of the scheduler", hint="leave out scheduler, or workers")

    @property
    def processes(self) -> int:
        """How many processes run points here; 1 where a scheduler has its own."""
        return 1 if self.scheduler is not None else max(1, cores() if self.workers is None else self.workers)


def sweep(
    source: str | os.PathLike[str] | Network | Graph,
    to: str | os.PathLike[str] | None = None,
    *,
    scheduler: str | None = None,
    workers: int | None = None,
    retries: int = RETRIES,
    overwrite: bool = False,
    progress: bool | None = None,
    **about: Any,
) -> SweepResult:
    """Run a network at many points; return the store of the results, a row a point.

    source: a sweep file (docs/sweeps.md), or a network with ``to``, the store, and what a file says: ``parameters``,
    ``options`` (of the target), ``chip`` (numbers of its file), each {name: list, tc.sweeps.span or one value};
    ``seeds``; ``method`` ("grid", "random", "sobol", "latin_hypercube"), ``count``, ``points_seed``; ``target``,
    ``ticks``, ``batch``, ``seed``, ``record``, ``inputs``, ``parts``; ``objective``. A store of the same sweep is gone
    on with: points that are done are not run again. scheduler: of a Dask cluster, tcp://host:port; default: a cluster
    of ``workers`` processes here, one a core; workers=0: this process alone. retries: of a point that fails.
    Errors: T302, T303, T305, T401 to T404, T418, T419, T423 (points failed: which), T424 (a cluster), T505, T520 to
    T522.
    """
    chosen = {"scheduler": scheduler, "workers": workers, "retries": retries}
    where = Where(**chosen, overwrite=overwrite, progress=progress)
    if not isinstance(source, str | os.PathLike):
        if to is None:
            raise error(CODE, "a sweep needs a store for its results", hint='tc.sweep(net, "results.zarr", ...)')
        return carry_out(sweep_of(source, **about), Path(to), where)
    if about:
        what = f"{next(iter(about))} is said by the sweep file"
        raise error(CODE, what, hint="change the file, or give a network in its place")
    plan, path = read_sweep(Path(source))
    return carry_out(plan, path if to is None else Path(to), where)


def carry_out(made: Sweep, path: Path, where: Where) -> SweepResult:
    """Run a sweep into its store, or what is not in it yet. Errors: those of ``sweep``."""
    executables, _ = first_point(made)
    store = SweepStore.there(path, made.attrs, overwrite=where.overwrite)
    if store is not None and store.attrs["complete"] and (store.status == DONE).all():
        return SweepResult(store)
    workers = min(where.workers, made.size) if where.workers else where.workers
    # workers first: where none can be had, what is in the store stays
    with held(path), pool(executables, scheduler=where.scheduler, workers=workers) as places:
        store = SweepStore.begun(path, made.attrs, overwrite=where.overwrite)
        run_sweep(made, store, places, retries=where.retries, progress=where.progress)
    return SweepResult(store)


def first_point(made: Sweep) -> tuple[Executables, Mapping[str, int]]:
    """Compile the network as at the first point, so that what is wrong with all of them is told before anything runs.

    Its parameters are the network's own: a value that is wrong is that of a point, which then fails alone. Return what
    was compiled, and what its run would hold of memory, in bytes by what holds it. Errors: T2xx, T3xx, T401 to T404.
    """
    points = made.points or [tuple(axis.at(0.0) for axis in made.setup.axes)]
    setup = made.setup
    executables = Executables(setup)
    exe = executables.compiled(setup.by_kind(points[0]), {})
    memory = exe.memory(setup.inputs, ticks=setup.ticks, batch=setup.batch, record=setup.record)
    return executables, memory.parts


def stored_bytes(made: Sweep) -> int:
    """Return what a row of the store holds, before it is compressed."""
    setup = made.setup
    plan = planned(setup.network, setup.record)
    signal = signals(setup.network, setup.network, plan, ticks=setup.ticks, batch=setup.batch, begun=0)
    return sum(spec.recorder(signal[name]).nbytes for name, specs in plan.items() for spec in specs)
