"""Annealing as a network of coupled units under a schedule, for whichever target can hold it."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from thermoc import api, network
from thermoc.apps.optimisation.samples import Samples, SamplingInterrupted
from thermoc.apps.optimisation.temperatures import span
from thermoc.ir.functions import FUNCTIONS
from thermoc.physics.ising_model import IsingModel
from thermoc.run import Interrupted, Run

SWEEPS, REPLICAS = 1_000, 8


def annealing_network(model: IsingModel, sweeps: int, name: str = "annealing") -> network.Network:
    """Return one sweep a tick over the model's spins, cooled exponentially (P23): its output ``s`` settles low.

    The temperature is in units of the energy; the tick of length 1 is a sweep.
    """
    hot, cold = span(model)
    tau = max(sweeps - 1, 1) / math.log(hot / cold)
    with network.Network(name) as net:
        T = FUNCTIONS["thermo.schedule"](kind="exponential", T0=hot, parameter=tau, T_min=cold)
        network.output("s", FUNCTIONS["thermo.gibbs"](T, model.J, model.h))
    return net


def anneal_on(
    target: str, model: IsingModel, *, sweeps: int = SWEEPS, replicas: int = REPLICAS, seed: int = 0, **options: Any
) -> Samples:
    """Return what a target comes to, with energies of the model itself. options: of the target.

    Errors: T3xx where the target cannot hold the network, T2xx where it does not fit, those of a run; Ctrl-C raises
    ``SamplingInterrupted`` with the states at that tick.
    """
    start = time.perf_counter()
    exe = api.compile(annealing_network(model, sweeps), target, **options)

    def samples(run: Run) -> Samples:
        spins = np.where(np.asarray(run["s"]) > 0, 1, -1).astype(np.int8)
        energies = np.asarray(model.energy(spins))
        order = np.argsort(energies, kind="stable")
        return Samples(
            spins=spins[order],
            energies=energies[order],
            method="network",
            seed=seed,
            sweeps=run.ticks,
            seconds=time.perf_counter() - start,
            device=str(options.get("device", "cpu")),
        )

    try:
        return samples(exe.run(ticks=sweeps, batch=replicas, seed=seed, record={"s": "last"}))
    except Interrupted as stop:
        raise SamplingInterrupted(samples(stop.run)) from None
