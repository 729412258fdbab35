"""The replicas of one network, spread over workers: the run that one machine would have given, bit for bit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc.api import Executable, compile
from thermoc.ir.feed import feed
from thermoc.ir.graph import Graph
from thermoc.network import Network, graph_of
from thermoc.recording.plan import planned
from thermoc.recording.recorded import Recorded
from thermoc.run import Call, Run
from thermoc.support.errors import Finding, ThermocError, error
from thermoc.support.plurals import counted
from thermoc.sweeps.asked import check_parts
from thermoc.sweeps.clusters import cores, pool
from thermoc.sweeps.merge import merged
from thermoc.sweeps.pools import Job, dispatched
from thermoc.sweeps.running import RETRIES
from thermoc.sweeps.setup import Setup, setup_of
from thermoc.sweeps.worker import Done, Executables, Failed


def replicas(
    network: Network | Graph,
    *,
    batch: int,
    ticks: int = 1,
    parts: int | None = None,
    seed: int = 0,
    target: str = "sim",
    inputs: Mapping[str, ArrayLike] | None = None,
    record: Mapping[str, Any] | None = None,
    scheduler: str | None = None,
    workers: int | None = None,
    retries: int = RETRIES,
    **options: Any,
) -> Run:
    """Return the run of a batch that is divided among workers: bits and diagnostics are those of ``exe.run``.

    Noise is a function of seed, sample and tick, so each part draws what the whole would (``first_sample``); R-hat and
    effective sample sizes are worked out over all chains, wherever they ran. parts: into how many runs the batch is
    divided, default two a worker. scheduler, workers: as of ``tc.sweep``. options: of the target.
    Errors: those of ``exe.run``, T423 (a part that fails), T424, T520 (a batch that cannot be divided).
    """
    graph = graph_of(network)
    exe, arrays = compile(graph, target, **options), {name: np.asarray(array) for name, array in (inputs or {}).items()}
    if parts is None:
        parts = min(batch, 2 * max(1, cores() if workers is None else workers))
    check_parts(target, parts, batch)
    call = _call(exe, arrays, ticks=ticks, batch=batch, seed=seed, record=record)
    setup = setup_of(
        graph,
        target=target,
        options=options,
        ticks=call.ticks,
        batch=batch,
        seed=seed,
        record={name: [str(spec) for spec in specs] for name, specs in call.plan.items()},
        inputs=arrays,
        parts=parts,
        states=True,
    )
    with pool(Executables(setup), scheduler=scheduler, workers=workers) as places:
        jobs = (Job(0, (), first, count) for first, count in setup.split())
        whole = _whole(setup, dict(dispatched(places, jobs, retries)))
    return Run(
        network=graph.name,
        target=exe.backend.name,
        seed=seed,
        dt=exe.graph.dt,
        recorded={name: Recorded(name, whole.fields[name], specs) for name, specs in call.plan.items()},
        states=whole.states,
        call=call,
    )


def _whole(setup: Setup, outcomes: Mapping[Job, Done | Failed]) -> Done:
    """Return all parts as one. Errors: T423."""
    failed = {job: outcome for job, outcome in outcomes.items() if isinstance(outcome, Failed)}
    if failed:
        raise ThermocError(
            [
                Finding(
                    code="T423",
                    what=f"samples {job.first_sample} to {job.first_sample + job.batch - 1} failed",
                    notes=tuple(outcome.why.splitlines()[:4]),
                )
                for job, outcome in failed.items()
            ]
        )
    finished = {job.first_sample: what for job, what in outcomes.items() if isinstance(what, Done)}
    return merged(sorted(finished.items()))


def _call(exe: Executable, inputs: Mapping[str, Any], *, ticks: int, batch: int, seed: int, record: Any) -> Call:
    position = {"seed": seed, "first_sample": 0, "first_tick": 0}
    fed = feed(exe.graph, inputs, ticks=ticks, batch=batch, kept=False, **position)
    if fed.batch != batch:
        raise error("T402", "inputs have another batch", notes=[f"{counted(fed.batch, 'sample')}, and batch = {batch}"])
    return Call(
        executable=exe,
        inputs=inputs,
        ticks=fed.ticks,
        batch=batch,
        begun=0,
        position=position,
        timed=frozenset(name for name, array in fed.arrays.items() if array.strides[0] != 0),
        plan=planned(exe.source, record),
    )
