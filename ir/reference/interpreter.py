"""Runs a graph tick by tick."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from thermoc.ir.dialects.core import Input, Output
from thermoc.ir.feed import Feed
from thermoc.ir.graph import Graph
from thermoc.ir.host_device import is_clocked, run_split
from thermoc.ir.ops import STATEFUL, Op
from thermoc.ir.reference.jitter import Jitter
from thermoc.ir.reference.meaning import MEANINGS, Context, Delayed, Pure, State
from thermoc.ir.values import Value
from thermoc.support.array_types import AnyArray
from thermoc.support.tables import array_rows, html_table, table


@dataclass(frozen=True, kw_only=True, repr=False)
class ReferenceTrace:
    """Outputs and probed values by name, each (ticks, batch, *shape), and the states after the last tick; it prints."""

    outputs: dict[str, AnyArray]
    probes: dict[str, AnyArray]
    states: dict[str, AnyArray]

    def rows(self) -> list[dict[str, object]]:
        """Return a row for each array: what it is, shape, dtype, mean and ends."""
        kinds = {"output": self.outputs, "probe": self.probes, "state": self.states}
        return [{"kind": kind, **row} for kind, arrays in kinds.items() for row in array_rows(arrays, "name")]

    def __repr__(self) -> str:
        return f"ReferenceTrace(outputs {list(self.outputs)}, probes {list(self.probes)}, states {list(self.states)})"

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
) -> ReferenceTrace:
    """Run ``feed.ticks`` ticks from the initial state. The graph must be verified.

    probes are names of values to record. first_sample and first_tick place the run in the noise: a batch may be
    split, and each part draws what it would have drawn in the whole. jitter moves every number by some roundings.
    """
    if is_clocked(graph):
        return _in_parts(graph, feed, seed, first_sample, first_tick, tuple(probes), jitter)
    order, fine = graph.order, jitter is not None and jitter.fine
    states: dict[str, State] = {}
    outputs: dict[str, list[AnyArray]] = {name: [] for name in graph.outputs}
    probed: dict[str, list[AnyArray]] = {name: [] for name in probes}
    for tick in range(feed.ticks):
        ctx = Context(
            tick=first_tick + tick,
            dt=graph.dt,
            seed=seed,
            batch=feed.batch,
            first_sample=first_sample,
            fine=fine,
        )
        values = _tick(order, ctx, {name: array[tick] for name, array in feed.arrays.items()}, states, jitter)
        for name, op in graph.outputs.items():
            outputs[name].append(_batched(values[op.x.name], feed.batch))
        for name in probed:
            probed[name].append(_batched(values[name], feed.batch))
    return ReferenceTrace(
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
) -> ReferenceTrace:
    """Run host and Loihi each by its own clock. What is probed on Loihi is returned in its first ticks."""
    probed: dict[str, AnyArray] = {}

    def run(part: Graph, part_inputs: Feed, first: int) -> tuple[dict[str, AnyArray], dict[str, AnyArray]]:
        trace = interpret(
            part,
            part_inputs,
            # Host and Loihi know their own values alone; each gives what it has.
            probes=[name for name in probes if name in part.producers],
            seed=seed,
            first_sample=first_sample,
            first_tick=first,
            jitter=jitter,
        )
        probed.update({name: array[: feed.ticks] for name, array in trace.probes.items()})
        return trace.outputs, trace.states

    outputs, states = run_split(graph, feed, run, first_tick=first_tick)
    return ReferenceTrace(outputs=outputs, probes=probed, states=states)


def _batched(array: AnyArray, batch: int) -> AnyArray:
    return np.broadcast_to(array, (batch, *array.shape[1:]))


def _tick(
    order: tuple[Op, ...],
    ctx: Context,
    inputs: Mapping[str, AnyArray],
    states: dict[str, State],
    jitter: Jitter | None,
) -> dict[str, AnyArray]:
    """Compute every value of a tick, then move the states that only feed the next one."""
    values: dict[str, AnyArray] = {}
    for op in order:
        if isinstance(op, Output):
            continue
        operands = _read(op, values, jitter)
        results = inputs[op.name] if isinstance(op, Input) else _results(op, ctx, operands, states)
        _record(op, results if jitter is None else jitter.gave(op, operands, results), values)
    for op in order:
        if STATEFUL not in op.traits:
            continue
        meaning, key = MEANINGS[type(op)], op.results[0].name
        # Its operands may come after it in the order, in a cycle even from itself: only now all are there.
        if isinstance(meaning, Delayed):
            states[key] = meaning.advance(op, ctx, states[key], *_read(op, values, jitter))
        if jitter is not None:
            states[key] = jitter.kept(op, states[key])
    return values


def _read(op: Op, values: dict[str, AnyArray], jitter: Jitter | None) -> list[Any]:
    operands = _operands(op, values)
    return operands if jitter is None else jitter.read(op, operands)


def _results(op: Op, ctx: Context, operands: list[Any], states: dict[str, State]) -> Any:
    meaning = MEANINGS[type(op)]
    if isinstance(meaning, Pure):
        return meaning.step(op, ctx, *operands)
    key = op.results[0].name
    # A state starts when its initial value is known, which is in the first tick.
    if key not in states:
        states[key] = meaning.start(op, ctx, *operands)
    if isinstance(meaning, Delayed):
        return meaning.read(op, states[key])
    results, states[key] = meaning.step(op, ctx, states[key], *operands)
    return results


def _operands(op: Op, values: Mapping[str, AnyArray]) -> list[Any]:
    """Return operands in their declared order; None where absent or, for a state's start, not computed yet."""
    arrays: list[Any] = []
    for name, spec in op.operand_specs.items():
        value: Any = getattr(op, name)
        if spec.variadic:
            arrays += [values.get(item.name) for item in value]
        else:
            arrays.append(None if value is None else values.get(value.name))
    return arrays


def _record(op: Op, results: Any, values: dict[str, AnyArray]) -> None:
    arrays = cast("tuple[AnyArray, ...]", results if isinstance(results, tuple) else (results,))
    for value, array in zip(op.results, arrays, strict=True):
        values[value.name] = array


def evaluate(op: Op, operands: Mapping[Value, AnyArray]) -> tuple[AnyArray, ...]:
    """Return the results of one pure op for operands without a batch axis, as constant folding needs them."""
    values = {value.name: array[np.newaxis] for value, array in operands.items()}
    # A pure op depends on none of this.
    ctx = Context(tick=0, dt=1.0, seed=0, batch=1)
    _record(op, _results(op, ctx, _operands(op, values), {}), values)
    return tuple(np.asarray(values[value.name][0]) for value in op.results)
