"""How these tests lower a network and run it, by the reference and by the emulator; networks and chips of theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import thermoc as tc
from thermoc import plugins
from thermoc.backends.base import BackendSession, NoisePosition
from thermoc.backends.lava.lower import lower
from thermoc.ir.clocked_session import ClockedSession
from thermoc.ir.dialects import loihi
from thermoc.ir.feed import feed
from thermoc.ir.graph import Graph
from thermoc.ir.reference import interpret
from thermoc.ir.target import Limit
from thermoc.passes.change_log import Change, Lowered
from thermoc.passes.loihi.limits import LoihiLimits, loihi2
from thermoc.passes.pipeline import run_passes
from thermoc.physics import all_states


def lowered(net: tc.Network, **options: Any) -> Lowered:
    """Return a network brought to Loihi."""
    return run_passes(net.graph, lower(dt=net.graph.dt, **options))


def changes(result: Lowered) -> list[Change]:
    """Return all that the passes tell."""
    return [change for record in result.records for change in record.changes]


def bound(result: Lowered, name: str = "y") -> float:
    """Return what was recorded as the most an output is off."""
    return sum(change.offset for change in changes(result) if change.what == f"output {name!r}")


def reference(graph: Graph, inputs: Mapping[str, ArrayLike], *, seed: int = 0, **size: int) -> dict[str, NDArray]:
    """Return the outputs of a graph by the reference interpreter."""
    return interpret(graph, feed(graph, inputs, **size), seed=seed).outputs


def emulated(graph: Graph, inputs: Mapping[str, ArrayLike], *, seed: int = 0, **size: int) -> dict[str, NDArray]:
    """Return the outputs of a lowered graph by the simulator: host and chip each by its own clock."""
    backend, fed = plugins.backend("sim"), feed(graph, inputs, **size)

    def start(part: Graph) -> BackendSession:
        return backend.start(tc.compile(part, "sim").artefact, batch=fed.batch, position=NoisePosition(seed=seed))

    return ClockedSession(graph, start, batch=fed.batch).advance(fed)


def spikes(shape: tuple[int, ...], p: float = 0.4, seed: int = 0) -> NDArray:
    """Return random spikes."""
    return (np.random.default_rng(seed).random(shape) < p).astype(float)


def boltzmann_machine(n: int, levels: str, sweeps: int = 1) -> tc.Network:
    rng = np.random.default_rng(7)
    J = np.triu(rng.normal(size=(n, n)), 1) * 0.6
    with tc.Network("machine") as net:
        tc.output("s", tc.gibbs(T=1.0, J=J + J.T, h=0.3 * rng.normal(size=n), levels=levels, sweeps=sweeps))
    return net


def law(graph, levels: str):
    """Return exp(-E / T) of the integers in a lowered machine."""
    (unit,), (synapse,) = graph.of(loihi.LoihiFermiDirac), graph.of(loihi.LoihiDense)
    held = {name: graph.producers[getattr(unit, name).name].value.numpy for name in ("T", "bias")}
    W = graph.producers[synapse.weight.name].value.numpy * 2.0**synapse.weight_exp
    T = float(held["T"].flat[0]) / 256
    factor = 2.0 if levels == "spin" else 1.0
    states = all_states(10, levels)
    E = -((states @ W / 2 + held["bias"]) * states).sum(axis=1) / factor / T
    weight = np.exp(-(E - E.min()))
    return weight / weight.sum()


def small(**changes: int) -> LoihiLimits:
    """Loihi 2's limits with some made smaller."""
    limits = loihi2()
    new = {name.replace("__", "."): value for name, value in changes.items()}
    entries = {
        name: Limit(value=new.get(name, limit.value), unit=limit.unit, source=limit.source)
        for name, limit in limits.entries.items()
    }
    return LoihiLimits(entries=entries, boards=limits.boards)
