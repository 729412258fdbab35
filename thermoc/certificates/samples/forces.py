"""The force on particles as a function of where they are: what stands before it in the graph, run by the reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.dialects import core
from thermoc.ir.feed import Feed
from thermoc.ir.graph import Graph
from thermoc.ir.ops import CLOCKED, STATEFUL, STOCHASTIC, Op
from thermoc.ir.reference import interpret
from thermoc.support.errors import error

_PLACE = "certificate.x"


def confined(graph: Graph, op: Any) -> bool:
    """Tell whether particles feel where they are: by a stiffness, or by a force that their positions act on."""
    stiff = getattr(op, "stiffness", None) is not None
    return stiff or op.results[0].name in {value.name for cause in _before(graph, op) for value in cause.inputs}


def force_of(graph: Graph, op: Any) -> Callable[[NDArray], NDArray]:
    """Return the force (samples, *shape) as a function of positions. Errors: T427 where it depends on more."""
    x = op.results[0]
    ops = _before(graph, op)
    for cause in ops:
        if isinstance(cause, core.Input) or cause.traits & {STATEFUL, STOCHASTIC, CLOCKED}:
            notes = [f"it depends on {cause.opname} {cause.results[0]}"]
            raise error(
                "T427", f"{op.opname} {x}: its force is not of its positions alone", where=op.location, notes=notes
            )
    position = core.Input(name=_PLACE, shape=x.shape, dtype=x.dtype, y=x)
    alone = graph.with_ops([position, *ops, core.Output(name="force", x=op.force)])

    def force(positions: NDArray) -> NDArray:
        feed = Feed(arrays={_PLACE: np.asarray(positions, float)[np.newaxis]}, ticks=1, batch=len(positions))
        found = np.asarray(interpret(alone, feed).outputs["force"], float)[0]
        return np.broadcast_to(found, positions.shape)

    return force


def _before(graph: Graph, op: Any) -> list[Op]:
    """Return the ops that make the force, up to the particles' own."""
    stack, reached, ops = [op.force], {op.force.name}, list[Op]()
    while stack:
        source = graph.producers[stack.pop().name]
        if source is op:
            continue
        ops.append(source)
        fresh = [value for value in source.inputs if value.name not in reached]
        reached.update(value.name for value in fresh)
        stack += fresh
    order = {id(item): index for index, item in enumerate(graph.ops)}
    return sorted(ops, key=lambda item: order[id(item)])
