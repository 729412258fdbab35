"""A Brian2 network run by Brian2 and as a network of ours; what each recorded, side by side, or in distribution."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from brian2_models.draws import Draws, give, take_back
from numpy.typing import NDArray
from scipy.stats import ks_2samp

from thermoc.frontends.brian2 import objects
from thermoc.frontends.brian2.monitors import called
from thermoc.frontends.brian2.read import from_network
from thermoc.ir.feed import feed
from thermoc.ir.graph import Graph
from thermoc.ir.reference.interpreter import interpret

SEED = 3
Pair = tuple[str, NDArray, NDArray]
Streams = list[tuple[Any, int]]
"""The objects of a network, each with its first noise stream."""


def read_with_streams(network: Any, names: dict[str, Any], monkeypatch: Any) -> tuple[Graph, Streams]:
    """Return the graph of a network, and the first noise stream of each of its objects."""
    streams: Streams = []
    carry_out = objects.carry_out

    def noted(store: Any, part: Any, known: Any) -> None:
        streams.append((part.item, store.site.builder._streams))
        carry_out(store, part, known)

    monkeypatch.setattr(objects, "carry_out", noted)
    graph, _ = from_network(network, namespace=names)
    return graph, streams


def run_brian2(network: Any, names: dict[str, Any], streams: Streams, graph: Graph, ticks: int) -> None:
    """Run Brian2's NumPy code with our draws."""
    import brian2

    clock = next(item.clock for item, _ in streams if np.isclose(float(item.clock.dt_), graph.dt))
    draws = Draws(SEED, lambda: int(clock.variables["timestep"].get_value().item()))
    before, target = give(draws, streams), brian2.prefs.codegen.target
    brian2.prefs.codegen.target = "numpy"
    try:
        # Not network.run: one of all that a script made would look for its objects here.
        brian2.Network.run(network, ticks * graph.dt * brian2.second, namespace=names)
    finally:
        brian2.prefs.codegen.target = target
        take_back(before)


def run_brian2_alone(network: Any, names: dict[str, Any], graph: Graph, ticks: int, seed: int) -> None:
    """Run Brian2's NumPy code with draws of its own."""
    import brian2

    before, brian2.prefs.codegen.target = brian2.prefs.codegen.target, "numpy"
    try:
        brian2.seed(seed)
        brian2.Network.run(network, ticks * graph.dt * brian2.second, namespace=names)
    finally:
        brian2.prefs.codegen.target = before


def run_ours(graph: Graph, ticks: int) -> dict[str, NDArray]:
    """Run the reference of a graph."""
    return dict(interpret(graph, feed(graph, {}, ticks=ticks, batch=1), seed=SEED).outputs)


def recorded(streams: Streams, names: dict[str, Any], outputs: dict[str, NDArray], dt: float) -> Iterator[Pair]:
    """Yield what each monitor recorded: name, ours, Brian2's; spikes as 0 and 1 of each tick and unit."""
    known = {id(value): name for name, value in names.items()}
    for item, _ in streams:
        kind, name = type(item).__name__, called(item, known)
        if kind in ("SpikeMonitor", "EventMonitor"):
            ours = outputs[name][:, 0]
            theirs = np.zeros_like(ours)
            theirs[np.round(np.asarray(item.t_) / dt).astype(int), np.asarray(item.i)] = 1.0
            yield name, ours, theirs
        elif kind == "PopulationRateMonitor":
            yield f"{name}.rate", outputs[f"{name}.rate"][:, 0], np.asarray(item.rate_)
        elif kind == "StateMonitor":
            every = round(float(item.clock.dt_) / dt)
            for variable in item.record_variables:
                ours = outputs[f"{name}.{variable}"][::every, 0]
                yield f"{name}.{variable}", ours, np.asarray(getattr(item, f"{variable}_")).T.astype(float)


def samples(what: str, record: NDArray) -> Iterator[tuple[str, NDArray]]:
    """Yield samples, one number a unit, of a record (ticks, units): of spikes, or of a state.

    Spikes: how many, when the first, how long to the second. A state: its last value. Fewer than 20 units give all
    intervals between spikes, and nothing of a state.
    """
    if "." in what:
        yield from [(f"{what}, the last", record[-1])] * (record.shape[1] >= 20)
        return
    times = [np.flatnonzero(spikes) for spikes in record.T]
    if len(times) < 20:
        yield f"{what}: intervals", np.concatenate([np.diff(t) for t in times])
        return
    yield f"{what}: counts", np.array([len(t) for t in times])
    yield f"{what}: latencies", np.array([t[0] for t in times if len(t)])
    yield f"{what}: first intervals", np.array([t[1] - t[0] for t in times if len(t) > 1])


def alike(what: str, ours: NDArray, theirs: NDArray) -> Iterator[tuple[str, float]]:
    """Yield the p-values of Kolmogorov and Smirnov's two-sample test, by sample; ties make it more cautious."""
    for (name, mine), (_, other) in zip(samples(what, ours), samples(what, theirs), strict=True):
        if min(len(mine), len(other)) >= 20:
            yield name, _p_value(mine, other)


def _p_value(ours: NDArray, theirs: NDArray) -> float:
    result: Any = ks_2samp(ours, theirs)
    return float(result.pvalue)


def over_trials(
    network: Any, names: dict[str, Any], streams: Streams, graph: Graph, ticks: int, count: int
) -> dict[str, float]:
    """Return p-values of the two-sample test, by statistic, of so many trials of ours and of Brian2's own draws.

    A trial is one number whatever its units have in common: spikes and their mean tick, the mean of states at the end.
    """
    ours = interpret(graph, feed(graph, {}, ticks=ticks, batch=count), seed=SEED).outputs
    found: dict[str, list[tuple[float, float]]] = {}
    network.store()
    for trial in range(count):
        network.restore()
        run_brian2_alone(network, names, graph, ticks, seed=100 + trial)
        outputs = {name: array[:, trial : trial + 1] for name, array in ours.items()}
        for what, mine, theirs in recorded(streams, names, outputs, graph.dt):
            for name, number in _of_trial(what, mine).items():
                found.setdefault(name, []).append((number, _of_trial(what, theirs)[name]))
    return {name: _p_value(*np.array(pairs).T) for name, pairs in found.items()}


def _of_trial(what: str, record: NDArray) -> dict[str, float]:
    if "." in what:
        return {f"{what}, the last": float(record[-1].mean())}
    times = np.nonzero(record)[0]
    return {f"{what}: spikes": float(len(times)), f"{what}: mean tick": float(times.mean()) if len(times) else -1.0}
