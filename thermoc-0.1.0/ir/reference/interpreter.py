"""Runs a graph tick by tick."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.dialects.core import Input, Output
from thermoc.ir.feed import Feed
from thermoc.ir.graph import Graph
from thermoc.ir.host_device import is_clocked, run_in_parts
from thermoc.ir.ops import STATEFUL, Op
from thermoc.ir.reference.jitter import Jitter
from thermoc.ir.reference.meaning import MEANINGS, Context, State
from thermoc.ir.values import Value
from thermoc.support.tables import array_rows, html_table, table


@dataclass(frozen=True, kw_only=True, repr=False)
class Trace:
    """Outputs and probed values by name, each (ticks, batch, *shape), and the states after the last tick; it prints."""

    outputs: dict[str, NDArray]
    probes: dict[str, NDArray]
    states: dict[str, NDArray]

    def rows(self) -> list[dict[str, object]]:
        """Return a row for each array: what it is, shape, dtype, mean and ends."""
        kinds = {"output": self.outputs, "probe": self.probes, "state": self.states}
        return [{"kind": kind, **row} for kind, arrays in kinds.items() for row in array_rows(arrays, "name")]

    def __repr__(self) -> str:
        return f"Trace(outputs {list(self.outputs)}, probes {list(self.probes)}, states {list(self.states)})"

    def __str__(self) -> str:
        return table("trace of the reference", self.rows())

    def _repr_html_(self) -> str:
        return html_table("trace of the reference", self.rows())


def interpret(
    graph: Graph,
    feed: Feed,
    *,
    seed: int = 0,
    first_sample: int = 0,
    first_tick: int = 0,
    probes: Iterable[str] = (),
    jitter: Jitter | None = None,
) -> Trace:
    """Run ``feed.ticks`` ticks from the initial state. The graph must be verified.

    probes are names of values to record. first_sample and first_tick place the run in the noise: a batch may be
    split, and each part draws what it would have drawn in the whole. jitter moves every number by some roundings.
    """
    if is_clocked(graph):
        return _in_parts(graph, feed, seed, first_sample, first_tick, tuple(probes), jitter)
    order, fine = graph.order, jitter is not None and jitter.fine
    place = {"dt": graph.dt, "seed": seed, "batch": feed.batch, "first_sample": first_sample, "fine": fine}
    states: dict[str, State] = {}
    outputs: dict[str, list[NDArray]] = {name: [] for name in graph.outputs}
    probed: dict[str, list[NDArray]] = {name: [] for name in probes}
    for tick in range(feed.ticks):
        ctx = Context(tick=first_tick + tick, **place)
        values = _tick(order, ctx, {name: array[tick] for name, array in feed.arrays.items()}, states, jitter)
        for name, op in graph.outputs.items():
            outputs[name].append(_batched(values[op.x.name], feed.batch))
        for name in probed:
            probed[name].append(_batched(values[name], feed.batch))
    return Trace(
        outputs={name: np.stack(ticks) for name, ticks in outputs.items()},
        probes={name: np.stack(ticks) for name, ticks in probed.items()},
        states={
            f"{result}.{name}": _batched(array, feed.batch)
            for result, state in states.items()
            for name, array in state.items()
        },
    )


def _in_parts(
    graph: Graph,
    feed: Feed,
    seed: int,
    first_sample: int,
    first_tick: int,
    probes: tuple[str, ...],
    jitter: Jitter | None,
) -> Trace:
    """Run host and chip each by its own clock. What is probed on the chip is given in the chip's first ticks."""
    probed: dict[str, NDArray] = {}

    def run(part: Graph, given: Feed, first: int) -> tuple[dict[str, NDArray], dict[str, NDArray]]:
        here = [name for name in probes if name in part.producers]
        place = {"seed": seed, "first_sample": first_sample, "first_tick": first, "jitter": jitter}
        trace = interpret(part, given, probes=here, **place)
        probed.update({name: array[: feed.ticks] for name, array in trace.probes.items()})
        return trace.outputs, trace.states

    outputs, states = run_in_parts(graph, feed, run, first_tick=first_tick)
    return Trace(outputs=outputs, probes=probed, states=states)


def _batched(array: NDArray, batch: int) -> NDArray:
    return np.broadcast_to(array, (batch, *array.shape[1:]))


def _tick(
    order: tuple[Op, ...],
    ctx: Context,
    inputs: Mapping[str, NDArray],
    states: dict[str, State],
    jitter: Jitter | None,
) -> dict[str, NDArray]:
    """Compute every value of a tick, then move the states that only feed the next one."""
    values: dict[str, NDArray] = {}
    for op in order:
        if isinstance(op, Output):
            continue
        operands = _read(op, values, jitter)
        results = inputs[op.name] if isinstance(op, Input) else _results(op, ctx, operands, states)
        _record(op, results if jitter is None else jitter.gave(op, operands, results), values)
    for op in order:
        advance = MEANINGS[type(op)].advance if STATEFUL in op.traits else None
        if advance is not None:
            key = op.results[0].name
            states[key] = advance(op, ctx, states[key], *_read(op, values, jitter))
        if jitter is not None and STATEFUL in op.traits:
            key = op.results[0].name
            states[key] = jitter.kept(op, states[key])
    return values


def _read(op: Op, values: dict[str, NDArray], jitter: Jitter | None) -> list[Any]:
    operands = _operands(op, values)
    return operands if jitter is None else jitter.read(op, operands)


def _results(op: Op, ctx: Context, operands: list[Any], states: dict[str, State]) -> Any:
    meaning = MEANINGS[type(op)]
    if STATEFUL not in op.traits:
        assert meaning.step is not None
        return meaning.step(op, ctx, *operands)
    key = op.results[0].name
    if key not in states:
        assert meaning.start is not None
        states[key] = meaning.start(op, ctx, *operands)
    if meaning.read is not None:
        return meaning.read(op, states[key])
    assert meaning.step is not None
    results, states[key] = meaning.step(op, ctx, states[key], *operands)
    return results


def _operands(op: Op, values: Mapping[str, NDArray]) -> list[Any]:
    """Return operands in their declared order; None where absent or, for a state's start, not computed yet."""
    held: list[Any] = []
    for name, spec in op.operand_specs.items():
        value: Any = getattr(op, name)
        if spec.variadic:
            held += [values.get(item.name) for item in value]
        else:
            held.append(None if value is None else values.get(value.name))
    return held


def _record(op: Op, results: Any, values: dict[str, NDArray]) -> None:
    for value, array in zip(op.results, results if isinstance(results, tuple) else (results,), strict=True):
        values[value.name] = array


def evaluate(op: Op, operands: Mapping[Value, NDArray]) -> tuple[NDArray, ...]:
    """Return the results of one pure op for operands without a batch axis, as constant folding needs them."""
    values = {value.name: array[np.newaxis] for value, array in operands.items()}
    ctx = Context(tick=0, dt=1.0, seed=0, batch=1)
    _record(op, _results(op, ctx, _operands(op, values), {}), values)
    return tuple(np.asarray(values[value.name][0]) for value in op.results)
