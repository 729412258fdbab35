"""Exact samples of monotone networks by coupling from the past (Propp and Wilson 1996).

Chains that start in the highest and in the lowest state, some ticks before the present, are driven by the same noise.
Updates keep their order, so every other chain lies between them: where they meet before the present, all have met, and
their common state is a sample of the equilibrium, with no bias left. Where they do not, they start twice as early, in
the noise of the ticks that were there already: a word is a function of its tick, and the past is the last ticks of the
counter, which no run of an ordinary length reaches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from thermoc.compiled import Compiled
from thermoc.equilibrium.monotone import extremes
from thermoc.ir.dialects.sampling import Gibbs
from thermoc.ir.feed import COUNTER
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.session import Session
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import error

SWEEPS = 16
"""A tick of the past has so many times the sweeps of the network's own: what a tick takes beside them is saved."""
FIRST_LOOK = 8
"""Ticks before the present from which chains start first."""
MOST_TICKS = 2**18
"""Ticks before the present beyond which no chain starts."""


def exact_states(executable: Compiled, *, batch: int, seed: int = 0, first_sample: int = 0) -> dict[str, AnyArray]:
    """Return states drawn exactly from a monotone network's equilibrium: (batch, *shape), by the names of a session.

    Monotone are networks whose states are those of ``thermo.gibbs`` with couplings that are all >= 0, or become so when
    some units are turned over (ferromagnets, and what a gauge makes one), in any field and at any temperature that do
    not change. Errors: T404 (a network that is not monotone, and what breaks it; chains that do not meet).
    """
    ends = _by_state(executable.graph, extremes(executable.source))
    past = executable.recompiled(_in_long_ticks(executable.source))
    for ticks in _looks(past):
        low, high = (_at_present(past, end, ticks, batch=batch, seed=seed, first_sample=first_sample) for end in ends)
        if all(np.array_equal(low[name], high[name]) for name in low):
            return low
    notes = [f"the highest and the lowest chain do not meet within {MOST_TICKS * SWEEPS} ticks"]
    hint = "far below the temperature at which it orders, a network has chains that hardly mix"
    raise error("T404", "no exact sample was found", notes=notes, hint=hint)


def _by_state(graph: Graph, levels: Mapping[str, tuple[NDArray, NDArray]]) -> tuple[dict[str, NDArray], ...]:
    """Return the lowest and the highest state by the names that they have in a lowered graph."""
    names = {f"{unit}.{field}": unit for unit in levels for field in ("s", "buffer")}
    states = {name: shape for name, shape in graph.states.items() if name in names}
    if len(states) != len(levels):
        notes = [f"its states there are {list(graph.states)}"]
        raise error("T404", "this target keeps the units otherwise", notes=notes, hint="sim and onnx keep them")
    return tuple({name: levels[names[name]][end].reshape(shape) for name, shape in states.items()} for end in (0, 1))


def _in_long_ticks(graph: Graph) -> Graph:
    """Return a network that sweeps more often in a tick, but where each sweep has a temperature of its own."""

    def longer(op: Op) -> Op:
        if isinstance(op, Gibbs) and (op.sweeps == 1 or len(op.T.shape) < 2):
            return replace(op, sweeps=op.sweeps * SWEEPS)
        return op

    return graph.with_ops(longer(op) for op in graph.ops)


def _looks(executable: Compiled) -> Iterator[int]:
    ticks = FIRST_LOOK
    while ticks <= min(MOST_TICKS, _present(executable)):
        yield ticks
        ticks *= 2


def _present(executable: Compiled) -> int:
    """Return the tick that stands for the present: before it, every sweep of every tick has a number of its own."""
    return COUNTER // max(op.sweeps for op in executable.source.of(Gibbs))


def _at_present(
    executable: Compiled, states: Mapping[str, NDArray], ticks: int, *, batch: int, seed: int, first_sample: int
) -> dict[str, AnyArray]:
    """Return where chains are that started in some states so many ticks ago."""
    first_tick = _present(executable) - ticks
    with Session(executable, batch=batch, seed=seed, first_sample=first_sample, first_tick=first_tick) as session:
        session.state.update(states)
        session.run(ticks, record={})
        return dict(session.state)
