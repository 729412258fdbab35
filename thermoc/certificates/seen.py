"""What an op was seen to do: the graph with its values handed out, run again from the same seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.dialects import core, thermo
from thermoc.ir.graph import Graph, exposed
from thermoc.ir.ops import Op

PREFIX = "certificate."


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The values of one op over a run: ``self["T"]`` is (ticks, batch, *shape), float64.

    steady: nothing that acts on the op changes in time but states and noise. warmup: ticks before averages begin.
    single: the run's floats were float32.
    """

    op: Op
    label: str
    arrays: Mapping[str, NDArray]
    constants: Mapping[str, NDArray]
    dt: float
    first_tick: int
    warmup: int
    steady: bool
    single: bool

    def __getitem__(self, name: str) -> NDArray:
        return self.arrays[name]

    def __contains__(self, name: str) -> bool:
        return name in self.arrays

    def like(self, name: str, other: str) -> NDArray:
        """Return an operand broadcast to the shape of a result."""
        array, whole = self.arrays[name], self.arrays[other].shape
        lead, shape = array.shape[:2], array.shape[2:]
        return np.broadcast_to(array.reshape(*lead, *(1,) * (len(whole) - len(lead) - len(shape)), *shape), whole)

    @property
    def tolerance(self) -> float:
        """Relative room for sums that should be equal: 1e-10, or what float32 leaves."""
        return 1e-4 if self.single else 1e-10


def instrumented(graph: Graph, ops: tuple[Op, ...]) -> Graph:
    """Return the graph with every operand and result of these ops that is not a constant handed out too."""
    values = (value.name for op in ops for value in (*op.inputs, *op.results))
    return exposed(graph, (name for name in values if not isinstance(graph.producers[name], core.Constant)), PREFIX)


def seen(
    graph: Graph, op: Op, outputs: Mapping[str, NDArray], timed: frozenset[str], place: Mapping[str, int], warmup: int
) -> Seen:
    """Collect the values of one op. timed: names of inputs that change over the ticks."""
    held = {**dict(op.operand_values), **{name: getattr(op, name) for name in op.result_specs}}
    constants = {
        name: graph.producers[value.name].value.numpy  # type: ignore[attr-defined]
        for name, value in held.items()
        if isinstance(graph.producers[value.name], core.Constant)
    }
    arrays = {name: outputs[PREFIX + value.name] for name, value in held.items() if name not in constants}
    single = any(array.dtype == np.float32 for array in arrays.values())
    arrays = {name: array.astype(float) for name, array in arrays.items()}
    arrays |= {name: np.asarray(array, float)[np.newaxis, np.newaxis] for name, array in constants.items()}
    return Seen(
        op=op,
        label=f"{op.opname} {op.results[0]}",
        arrays=arrays,
        constants=constants,
        dt=graph.dt,
        first_tick=place["first_tick"],
        warmup=warmup,
        steady=_steady(graph, op, timed),
        single=single,
    )


def _steady(graph: Graph, op: Op, timed: frozenset[str]) -> bool:
    """Tell whether no clock, schedule or changing input acts on the op."""
    clocks: tuple[Any, ...] = (core.Tick, thermo.Schedule, thermo.AdaptiveSchedule)
    known, stack = {op.results[0].name}, [op]
    while stack:
        reader = stack.pop()
        if isinstance(reader, clocks) or (isinstance(reader, core.Input) and reader.name in timed):
            return False
        if getattr(reader, "frequency", 0.0):
            return False
        for value in reader.inputs:
            if value.name not in known:
                known.add(value.name)
                stack.append(graph.producers[value.name])
    return True
