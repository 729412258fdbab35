"""What an op was seen to do: the graph with its values as outputs, run again from the same seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.dialects import core, langevin
from thermoc.ir.graph import Graph, exposed
from thermoc.ir.ops import CLOCKED, Op
from thermoc.ir.values import Value

PREFIX = "certificate."
"""What stands before the name of a value that is observed; see ``prefix_of``."""
CHUNK = 2**16
"""Numbers that are worked on together."""
LEAST_TICKS = 16
"""Ticks without change from which on averages are taken."""


@dataclass(frozen=True, kw_only=True)
class Observed:
    """The values of one op over a run: ``self["T"]`` is (ticks, batch, *shape), float64.

    since: the tick of the run from which nothing that acts on the op changes but states and noise; ``moving`` names
    what changed until then. warmup: ticks before averages begin. single: the run's floats were float32. free: nothing
    holds it, so that it diffuses for ever. begun: ticks of its session before it.
    """

    op: Op
    label: str
    arrays: Mapping[str, NDArray]
    constants: Mapping[str, NDArray]
    dt: float
    first_tick: int
    warmup: int
    since: int
    moving: str
    single: bool
    free: bool = False
    begun: int = 0
    off: Mapping[str, float] = field(default_factory=dict[str, float])
    """How far each value may be off by what the target's passes declare."""

    def __getitem__(self, name: str) -> NDArray:
        return self.arrays[name]

    def __contains__(self, name: str) -> bool:
        return name in self.arrays

    def like(self, name: str, other: str) -> NDArray:
        """Return an operand broadcast to the shape of a result."""
        return np.broadcast_to(self.aligned(name, other), self.arrays[other].shape)

    def aligned(self, name: str, other: str) -> NDArray:
        """Return an operand that broadcasts to a result; of a constant there is one tick, and one sample."""
        array, rank = self.arrays[name], self.arrays[other].ndim
        return array.reshape(*array.shape[:2], *(1,) * (rank - array.ndim), *array.shape[2:])

    @property
    def ticks(self) -> int:
        """Number of ticks seen."""
        return max(len(array) for array in self.arrays.values())

    @property
    def settled(self) -> Observed | None:
        """What was seen from ``since`` on, or None where that is too short to average; a quarter of it is warm-up."""
        remaining = self.ticks - self.since
        if self.since == 0:
            return self
        if remaining < LEAST_TICKS:
            return None
        # Constants have a single tick, which stands for all.
        arrays = {name: array[self.since :] if len(array) > 1 else array for name, array in self.arrays.items()}
        warmup = max(self.warmup - self.since, remaining // 4)
        return replace(self, arrays=arrays, since=0, warmup=warmup, first_tick=self.first_tick + self.since)

    def first(self, ticks: int) -> Observed:
        """Return the first ticks of what was seen; a quarter of them is warm-up."""
        arrays = {name: array[:ticks] for name, array in self.arrays.items()}
        return replace(self, arrays=arrays, since=min(self.since, ticks), warmup=min(self.warmup, ticks // 4))

    @property
    def tolerance(self) -> float:
        """Relative room for sums that should be equal: 1e-10, or what float32 leaves."""
        return 1e-4 if self.single else 1e-10

    def room(self, size: float, **moved: float) -> float:
        """Return the relative room of a sum beside ``size``: rounding, and what its target declares of its values.

        moved: how far the sum moves for each value that is off by 1, by name.
        """
        declared = sum(by * self.off.get(name, 0.0) for name, by in moved.items() if by)
        return max(self.tolerance, declared / size)


def at(array: NDArray, which: Any) -> NDArray:
    """Return an array (ticks, ...) at some ticks; one that has a single tick is the same at all."""
    return array if len(array) == 1 else array[which]


def chunks(ticks: int, numbers: int, most: int) -> Iterator[Any]:
    """Yield ticks to work on together, so many that they stay in a cache. numbers: those of a tick.

    Of more than ``most`` numbers in all, every second tick is taken, every third, or fewer.
    """
    size = max(1, CHUNK // max(numbers, 1))
    step = -(-ticks // max(2, most // max(numbers, 1)))
    yield from (slice(start, min(start + size * step, ticks), step) for start in range(0, ticks, size * step))


def prefix_of(graph: Graph) -> str:
    """Return what stands before the names of values that are observed: no output of the network begins with it."""
    prefix = PREFIX
    while any(name.startswith(prefix) for name in graph.outputs):
        prefix = f"_{prefix}"
    return prefix


def instrumented(graph: Graph, ops: tuple[Op, ...]) -> Graph:
    """Return the graph with every operand and result of these ops that is not a constant as outputs too, and clocks.

    What is an output of the network already is not returned twice; ``seen_of`` finds both.
    """
    clocks = tuple(op for op in graph.ops if CLOCKED in op.traits)
    values = (value.name for op in (*ops, *clocks) for value in (*op.inputs, *op.results))
    names = [name for name in values if not isinstance(graph.producers[name], core.Stored)]
    names += [value.name for op in ops for value in potentials(graph, op)]
    own = _own_outputs(graph)
    return exposed(graph, [name for name in names if name not in own], prefix_of(graph))


def seen_of(graph: Graph, outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a run of the instrumented graph gave, by the names of the graph's values."""
    prefix, own = prefix_of(graph), _own_outputs(graph)
    seen = {name[len(prefix) :]: array for name, array in outputs.items() if name.startswith(prefix)}
    return {**seen, **{value: outputs[name] for value, name in own.items() if name in outputs}}


def _own_outputs(graph: Graph) -> dict[str, str]:
    """Return the names of the network's outputs by those of their values."""
    return {op.x.name: name for name, op in graph.outputs.items() if name not in graph.probes}


def observe(
    graph: Graph,
    op: Op,
    seen: Mapping[str, NDArray],
    timed: frozenset[str],
    position: Mapping[str, int],
    warmup: int,
    begun: int = 0,
    off: Mapping[str, float] | None = None,
) -> Observed:
    """Collect the values of one op from what was seen, by value.

    timed: names of inputs that change over the ticks. off: how far values may be from the network's, by value.
    """
    values = {**dict(op.operand_values), **{name: getattr(op, name) for name in op.result_specs}}
    constants = {
        name: graph.producers[value.name].value.numpy  # type: ignore[attr-defined]
        for name, value in values.items()
        if isinstance(graph.producers[value.name], core.Stored)
    }
    arrays = {name: seen[value.name] for name, value in values.items() if name not in constants}
    # Noted before all becomes float64: how exact sums can be is up to the format they were made in.
    single = any(array.dtype == np.float32 for array in arrays.values())
    arrays = {name: array.astype(float, copy=False) for name, array in arrays.items()}
    arrays |= {name: np.asarray(array, float)[np.newaxis, np.newaxis] for name, array in constants.items()}
    energies = [seen[value.name] for value in potentials(graph, op)]
    if energies:
        arrays["potential"] = np.sum(energies, axis=0, dtype=float)
    since, moving = _unmoved(graph, op, seen, timed)
    return Observed(
        op=op,
        label=f"{op.opname} {op.results[0]}",
        arrays=arrays,
        constants=constants,
        dt=graph.dt,
        first_tick=position["first_tick"],
        warmup=warmup,
        since=since,
        moving=moving,
        single=single,
        free=_free(graph, op),
        begun=begun,
        off={name: (off or {}).get(value.name, 0.0) for name, value in values.items()},
    )


def potentials(graph: Graph, op: Op) -> list[Value]:
    """Return the energies that a particle's force is the slope of, where all of it is of pairs and bonds; else none."""
    if not isinstance(op, langevin.Langevin):
        return []
    terms, stack = list[Value](), [op.force]
    while stack:
        source = graph.producers[stack.pop().name]
        if isinstance(source, core.Add):
            stack += source.inputs
        elif isinstance(source, langevin.PairForce | langevin.BondForce) and source.x.name == op.x.name:
            terms.append(source.U)
        else:
            return []
    return terms


def _free(graph: Graph, op: Op) -> bool:
    """Tell whether the force on a particle does not hold it: it does not depend on where it is, or only on where others
    are from it.
    """
    force, x = getattr(op, "force", None), getattr(op, "x", None)
    if force is None or x is None or getattr(op, "stiffness", None) is not None:
        return False
    visited, stack = {force.name}, [force.name]
    while stack:
        source = graph.producers[stack.pop()]
        if any(result.name == x.name for result in source.results):
            return False
        # What only pairs and bonds exert is the same wherever all of them are.
        for operand in () if isinstance(source, langevin.PairForce | langevin.BondForce) else source.inputs:
            if operand.name not in visited:
                visited.add(operand.name)
                stack.append(operand.name)
    return True


def _unmoved(graph: Graph, op: Op, seen: Mapping[str, NDArray], timed: frozenset[str]) -> tuple[int, str]:
    """Return the tick from which nothing that acts on the op changes but states and noise, and what changed before.

    An operand is left alone from where it was seen to stay, or from where all clocks and inputs behind it stay.
    """
    ticks = max(len(array) for array in seen.values())
    # A ripple never rests, so there is no steady state to average in.
    if getattr(op, "frequency", 0.0):
        return ticks, "its frequency"
    latest, moving = 0, ""
    for name, value in op.operand_values:
        if isinstance(graph.producers[value.name], core.Stored):
            continue
        clock_start, cause = _clocks(graph, value, op, seen, timed, ticks)
        since = min(_held_from(seen[value.name]), clock_start)
        if since > latest:
            latest, moving = since, f"{name} ({cause})"
    return latest, moving


def _clocks(
    graph: Graph, value: Value, op: Op, seen: Mapping[str, NDArray], timed: frozenset[str], ticks: int
) -> tuple[int, str]:
    """Return the tick from which no clock, schedule or changing input acts on a value, and which was the last."""
    latest, cause = 0, ""
    visited, stack = {value.name, op.results[0].name}, [graph.producers[value.name]]
    while stack:
        source = stack.pop()
        since = 0
        if CLOCKED in source.traits:
            since = max(_held_from(seen[result.name]) for result in source.results)
        elif getattr(source, "frequency", 0.0) or (isinstance(source, core.Input) and source.name in timed):
            since = ticks
        if since > latest:
            latest, cause = since, source.opname
        for operand in source.inputs:
            if operand.name not in visited:
                visited.add(operand.name)
                stack.append(graph.producers[operand.name])
    return latest, cause


def _held_from(array: NDArray) -> int:
    """Return the first tick from which an array (ticks, ...) stays what it is at the last."""
    if len(array) > 1 and (array[-2] != array[-1]).any():
        return len(array) - 1
    changed = np.flatnonzero((array != array[-1:]).reshape(len(array), -1).any(axis=1))
    return int(changed[-1]) + 1 if len(changed) else 0
