"""Low energies of an Ising model, by networks that fluctuate: the front door of the samplers."""

from __future__ import annotations

import importlib
import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.apps.optimisation.budget import Budget, Progress
from thermoc.apps.optimisation.samples import Samples
from thermoc.physics.ising_model import IsingModel
from thermoc.support.errors import error

METHODS: dict[str, tuple[str, str]] = {
    "annealing": ("thermoc.apps.optimisation.annealing", "anneal"),
}
"""Where each method's function is: it takes a ``Work`` and returns spins."""

__all__ = ["Progress", "minimise"]


def minimise(
    model: IsingModel,
    *,
    method: str = "auto",
    seed: int = 0,
    replicas: int | None = None,
    sweeps: int | None = None,
    seconds: float | None = None,
    target_energy: float | None = None,
    device: str = "cpu",
    threads: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Samples:
    """Return states of low energy, the lowest first; each energy is that of its spins, computed from the model.

    sweeps: updates of each spin of each replica. seconds: go on until so much time has passed; how far a run comes
    then depends on the machine, where all else depends on the seed alone, for any number of threads (default: one a
    core). It ends early once an energy is as low as ``target_energy``. Errors: T404, T403 (numbers that are not finite).
    """
    # the packages that compile kernels are loaded with the first call, not with thermoc
    from thermoc.apps.optimisation.work import Work

    _check(model, method, device)
    counts = {"replicas": replicas, "sweeps": sweeps, "threads": threads}
    for name, count in counts.items():
        if count is not None and (type(count) is not int or count < 1):
            raise error("T404", f"{name} is a whole number of at least 1", notes=[f"{name} = {count!r}"])
    if seconds is not None and not seconds > 0:
        raise error("T404", "seconds is a time above 0", notes=[f"seconds = {seconds!r}"])
    if type(seed) is not int or not 0 <= seed < 2**64:
        raise error("T404", "seed is a whole number below 2^64", notes=[f"seed = {seed!r}"])
    budget = Budget(seconds=seconds, target_energy=target_energy, on_progress=on_progress)
    work = Work(
        model=model, seed=seed, replicas=replicas, sweeps=sweeps, threads=threads or os.cpu_count() or 1, budget=budget
    )
    if method == "auto":
        method = _choice(work)
    return _samples(work, method, _function(method)(work))


def _choice(work: Any) -> str:
    return "annealing"


def _function(method: str) -> Callable[[Any], NDArray[np.int8]]:
    module, name = METHODS[method]
    return getattr(importlib.import_module(module), name)


def _samples(work: Any, method: str, spins: NDArray[np.int8]) -> Samples:
    energies = np.asarray(work.model.energy(spins))
    order = np.argsort(energies, kind="stable")
    budget = work.budget
    return Samples(
        spins=spins[order],
        energies=energies[order],
        method=method,
        seed=work.seed,
        sweeps=budget.sweeps,
        seconds=budget.elapsed(),
    )


def _check(model: IsingModel, method: str, device: str) -> None:
    if method not in METHODS and method != "auto":
        raise error("T404", f"there is no method {method!r}", notes=["there are " + ", ".join([*METHODS, "auto"])])
    if device != "cpu":
        raise error("T404", f"samplers of this kind run on the processor, not on {device!r}", hint='device="cpu"')
    if not model.size:
        raise error("T404", "a model without spins has no state to find")
    if not (np.isfinite(model.J.data).all() and np.isfinite(model.h).all() and math.isfinite(model.offset)):
        raise error("T403", "a coupling or a field of the model is not finite")
