"""Low energies of an Ising model, by networks that fluctuate: the front door of the samplers."""

from __future__ import annotations

import importlib
import math
import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.apps.optimisation.budget import Budget, Progress, ended_by_interrupt
from thermoc.apps.optimisation.samples import Samples, SamplingInterrupted
from thermoc.physics.ising_model import IsingModel
from thermoc.support.errors import error
from thermoc.support.suggestions import near

METHODS: dict[str, tuple[str, str]] = {
    "annealing": ("thermoc.apps.optimisation.annealing", "anneal"),
    "tempering": ("thermoc.apps.optimisation.tempering", "temper"),
    "population": ("thermoc.apps.optimisation.population", "anneal_population"),
    "bifurcation": ("thermoc.apps.optimisation.bifurcation", "bifurcation"),
    "cycling": ("thermoc.apps.optimisation.cycling", "cycle"),
}
"""Where each method's function is: it takes a ``Work`` and returns spins."""

ENUMERATION = ("thermoc.apps.optimisation.enumeration", "enumerate_parts")
"""No sampler: it looks at all states, where there are few enough."""
DEVICES = ("cpu", "cuda", "auto")
GPU_REPLICAS = 256
TEMPERED = 500
"""Up to so many spins "auto" is parallel tempering, above it is thermal cycling; tiny models are enumerated."""

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

    method: "annealing" (long single chains), "cycling" (thermal cycling, clusters judged one by one: the choice for
    large models), "tempering" (parallel tempering with cluster moves: up to some thousands of spins), "population"
    (population annealing), "bifurcation" (simulated bifurcation), "enumeration" (all states of a model whose connected
    parts have at most 24 spins: proven, and each state once), or "auto". replicas: how many states are returned.
    sweeps: updates of each spin of each replica; steps of bifurcation. seconds: go on until so much time has passed;
    how far that comes depends on the machine, where all else depends on the seed alone, for any number of threads
    (default: one a core). A run ends early once an energy is as low as ``target_energy``. device: "cpu"; "cuda" or
    "auto", a GPU, which anneals the network of ``on_targets`` for so many sweeps in so many replicas (default: 256)
    and returns the states that it ends in. Ctrl-C raises ``SamplingInterrupted``, which has the lowest states until
    then.
    Errors: T404 (an option), T403 (a number of the model that is not finite), T421 (no GPU).
    """
    # what compiles kernels is loaded with the first call, not with thermoc
    from thermoc.apps.optimisation.work import Work

    _check_model(model, method, device)
    _check_numbers({"replicas": replicas, "sweeps": sweeps, "threads": threads}, seed, seconds, target_energy)
    if _on_gpu(device):
        explicit = {"method": None if method == "auto" else method, "seconds": seconds}
        _refuse(explicit | {"target_energy": target_energy, "threads": threads})
        from thermoc.apps.optimisation.on_targets import anneal_on

        stated = {name: value for name, value in {"replicas": replicas, "sweeps": sweeps}.items() if value is not None}
        return anneal_on("sim", model, seed=seed, device="cuda", **{"replicas": GPU_REPLICAS, **stated})
    budget = Budget(seconds=seconds, target_energy=target_energy, on_progress=on_progress)
    threads = threads or os.cpu_count() or 1
    work = Work(model=model, seed=seed, replicas=replicas, sweeps=sweeps, threads=threads, budget=budget)
    chosen = choice(model) if method == "auto" else method
    module, name = ENUMERATION if chosen == "enumeration" else METHODS[chosen]
    sampler = getattr(importlib.import_module(module), name)
    with ended_by_interrupt(budget):
        samples = _samples(work, chosen, sampler(work))
    if budget.stopped:
        raise SamplingInterrupted(samples)
    return samples


def choice(model: IsingModel) -> str:
    """Return the method of "auto": what was soonest at good energies on graphs of this size, sparse and dense."""
    from thermoc.apps.optimisation.enumeration import enumerable

    if enumerable(model):
        return "enumeration"
    return "tempering" if model.size <= TEMPERED else "cycling"


def _samples(work: Any, method: str, spins: NDArray[np.int8]) -> Samples:
    energies = np.asarray(work.model.energy(spins))
    order = np.argsort(energies, kind="stable")
    return Samples(
        spins=spins[order],
        energies=energies[order],
        method=method,
        seed=work.seed,
        sweeps=work.budget.sweeps,
        seconds=work.budget.elapsed(),
        proven=method == "enumeration" and not work.budget.stopped,
    )


def _check_model(model: IsingModel, method: str, device: str) -> None:
    names = [*METHODS, "enumeration", "auto"]
    if method not in names:
        raise error(
            "T404", f"there is no method {method!r}", notes=["there are " + ", ".join(names)], hint=near(method, names)
        )
    if device not in DEVICES:
        raise error(
            "T404",
            f"there is no device {device!r}",
            notes=["there are " + ", ".join(DEVICES)],
            hint=near(device, DEVICES),
        )
    if not model.size:
        raise error("T404", "a model without spins has no state to look for")
    if not (np.isfinite(model.J.data).all() and np.isfinite(model.h).all() and math.isfinite(model.offset)):
        raise error("T403", "a coupling, a field or the offset of the model is not finite")


def _on_gpu(device: str) -> bool:
    from thermoc.simulator.processors import best_device

    return device == "cuda" or (device == "auto" and best_device() == "cuda")


def _refuse(own: Mapping[str, object]) -> None:
    """Refuse what only the samplers of the processor have. Errors: T404."""
    stated = [name for name, value in own.items() if value is not None]
    if stated:
        notes = ["a GPU anneals a network of all spins, with replicas, sweeps and a seed"]
        raise error("T404", f"{stated[0]} is an option of device cpu alone", notes=notes, hint='device="cpu"')


def _check_numbers(
    counts: Mapping[str, int | None], seed: int, seconds: float | None, target_energy: float | None
) -> None:
    for name, count in counts.items():
        if count is not None and (type(count) is not int or count < 1):
            raise error("T404", f"{name} is a whole number of at least 1", notes=[f"{name} = {count!r}"])
    if type(seed) is not int or not 0 <= seed < 2**64:
        raise error("T404", "seed is a whole number of at least 0 and below 2^64", notes=[f"seed = {seed!r}"])
    if seconds is not None and not 0 < seconds < math.inf:
        raise error("T404", "seconds is a time above 0", notes=[f"seconds = {seconds!r}"])
    if target_energy is not None and math.isnan(target_energy):
        raise error("T404", "target_energy is not a number")
