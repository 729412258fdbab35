"""Runs a graph tick by tick."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from thermoc.ir.clocked_session import ClockedSession
from thermoc.ir.dialects.core import Input, Output
from thermoc.ir.feed import Feed
from thermoc.ir.graph import Graph
from thermoc.ir.host_device import is_clocked
from thermoc.ir.ops import STATEFUL, Op
from thermoc.ir.reference.jitter import Jitter
from thermoc.ir.reference.meaning import MEANINGS, Context, Delayed, Pure, State, Stateful
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


class ReferenceSession:
    """A graph that runs on, tick by tick, from its initial state. The graph must be verified.

    first_sample and first_tick place it in the noise: a batch may be split, and each part draws what it would have
    drawn in the whole. jitter moves every number by some roundings.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        batch: int = 1,
        seed: int = 0,
        first_sample: int = 0,
        first_tick: int = 0,
        jitter: Jitter | None = None,
    ):
        self.tick = 0
        self._graph, self._first_tick, self._jitter = graph, first_tick, jitter
        fine = jitter is not None and jitter.fine
        self._ctx = Context(tick=first_tick, dt=graph.dt, seed=seed, batch=batch, first_sample=first_sample, fine=fine)
        self._states: dict[str, State] = {}

    def run(self, feed: Feed, probes: Iterable[str] = ()) -> ReferenceTrace:
        """Run ``feed.ticks`` ticks on. probes are names of values to record."""
        batch, order, states = feed.batch, self._graph.order, dict(self._states)
        outputs: dict[str, list[AnyArray]] = {name: [] for name in self._graph.outputs}
        probed: dict[str, list[AnyArray]] = {name: [] for name in probes}
        for tick in range(feed.ticks):
            inputs = {name: array[tick] for name, array in feed.arrays.items()}
            values = run_tick(order, self._at(self.tick + tick), inputs, states, self._jitter)
            for name, op in self._graph.outputs.items():
                outputs[name].append(_batched(values[op.x.name], batch))
            for name in probed:
                probed[name].append(_batched(values[name], batch))
        self._states, self.tick = states, self.tick + feed.ticks
        return ReferenceTrace(
            outputs={name: np.stack(ticks) for name, ticks in outputs.items()},
            probes={name: np.stack(ticks) for name, ticks in probed.items()},
            states=self.states,
        )

    def advance(self, feed: Feed, names: Collection[str] | None = None) -> dict[str, AnyArray]:
        """Run on; return the named outputs, None for all."""
        return {name: array for name, array in self.run(feed).outputs.items() if names is None or name in names}

    @property
    def states(self) -> dict[str, AnyArray]:
        """States (batch, *shape) as they are now, by ``result.state``."""
        return {name: _batched(array, self._ctx.batch) for name, array in self.snapshot().items()}

    def set_states(self, states: Mapping[str, AnyArray]) -> None:
        """Replace some states (batch, *shape). Those of uniform values are the same for every sample."""
        self._set({key: array[:1] if _owner(key) in self._graph.uniform else array for key, array in states.items()})

    def snapshot(self) -> dict[str, AnyArray]:
        """Return the states as the interpreter holds them: of one sample where every sample has the same."""
        return {f"{owner}.{name}": array for owner, state in self._begun().items() for name, array in state.items()}

    def restore(self, snapshot: Mapping[str, AnyArray], tick: int) -> None:
        """Go on from a snapshot that was taken at this tick."""
        self._set(snapshot)
        self.tick = tick

    def close(self) -> None:
        """There is nothing to give back."""

    def _at(self, tick: int) -> Context:
        return replace(self._ctx, tick=self._first_tick + tick)

    def _begun(self) -> dict[str, State]:
        return self._states if self.tick else _initial(self._graph, self._at(0)) | self._states

    def _set(self, arrays: Mapping[str, AnyArray]) -> None:
        states = {owner: dict(state) for owner, state in self._begun().items()}
        for key, array in arrays.items():
            states[_owner(key)][key.rpartition(".")[2]] = array
        self._states = states


class ClockedReferenceSession(ClockedSession):
    """A graph with Loihi inside: host and Loihi are sessions each by its own clock."""

    def __init__(self, graph: Graph, *, batch: int = 1, first_tick: int = 0, **where: Any):
        def start(part: Graph) -> ReferenceSession:
            return ReferenceSession(part, batch=batch, first_tick=first_tick, **where)

        super().__init__(graph, start, batch=batch, first_tick=first_tick)
        self._watched: dict[str, list[str]] = {}
        self._probed: dict[str, AnyArray] = {}

    def run(self, feed: Feed, probes: Iterable[str] = ()) -> ReferenceTrace:
        """Run ``feed.ticks`` ticks on. Probes of Loihi are recorded in its own ticks: ticks * every of them."""
        probes, parts = tuple(probes), self._split.parts
        # Host and Loihi know their own values alone; each gives what it has.
        self._watched = {
            subgraph: [name for name in probes if name in graph.producers] for subgraph, graph in parts.items()
        }
        self._probed = {}
        outputs = self.advance(feed)
        self._watched = {}
        return ReferenceTrace(outputs=outputs, probes=self._probed, states=self.states)

    def _run(self, name: str, feed: Feed, names: Collection[str] | None = None) -> Mapping[str, AnyArray]:
        runner = self._parts.get(name)
        if not isinstance(runner, ReferenceSession):
            return {}
        trace = runner.run(feed, self._watched.get(name, ()))
        # A part takes values of the part before it as inputs, by its own clock: they are as that one gave them.
        self._probed = trace.probes | self._probed
        return {key: array for key, array in trace.outputs.items() if names is None or key in names}


def start_session(graph: Graph, *, batch: int = 1, **where: Any) -> ReferenceSession | ClockedReferenceSession:
    """Return a session of any graph; ``where`` as ``ReferenceSession`` has it. Errors: T404 as ``ClockedSession``."""
    return (ClockedReferenceSession if is_clocked(graph) else ReferenceSession)(graph, batch=batch, **where)


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
    """Run ``feed.ticks`` ticks from the initial state: a session of one call (see ``ReferenceSession``)."""
    where = {"seed": seed, "first_sample": first_sample, "first_tick": first_tick}
    return start_session(graph, batch=feed.batch, jitter=jitter, **where).run(feed, probes)


def _owner(state: str) -> str:
    """Return the value whose op has a state, of the name ``result.state``."""
    return state.rpartition(".")[0]


def _initial(graph: Graph, ctx: Context) -> dict[str, State]:
    """Return the states before the first tick. Initial values are uniform, so they need neither inputs nor noise."""
    values: dict[str, AnyArray] = {}
    states: dict[str, State] = {}
    for op in graph.order:
        operands, meaning = _operands(op, values), MEANINGS.get(type(op))
        if isinstance(meaning, Stateful | Delayed):
            states[op.results[0].name] = meaning.start(op, ctx, *operands)
        if op.results and op.results[0].name in graph.uniform:
            _record(op, _results(op, ctx, operands, dict(states)), values)
    return states


def _batched(array: AnyArray, batch: int) -> AnyArray:
    return np.broadcast_to(array, (batch, *array.shape[1:]))


def run_tick(
    order: tuple[Op, ...],
    ctx: Context,
    inputs: Mapping[str, AnyArray],
    states: dict[str, State],
    jitter: Jitter | None = None,
) -> dict[str, AnyArray]:
    """Compute every value of a tick, then move the states that only feed the next one; ``states`` is changed."""
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
        meaning, key = ctx.meaning(op), op.results[0].name
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
    meaning = ctx.meaning(op)
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
