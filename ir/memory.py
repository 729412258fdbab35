"""What a run takes of memory: refused before it starts where there is not so much."""

from __future__ import annotations

import math

from thermoc.ir.graph import Graph
from thermoc.support import memory
from thermoc.support.errors import error

NUMBER = 8
"""Bytes of a number on its way through a target; narrower formats are made of it at the end."""


def check_memory(graph: Graph, *, ticks: int, batch: int, timed: int) -> None:
    """Refuse a run whose arrays do not fit. Errors: T408.

    timed: elements of a sample of the inputs that change over the ticks; they are packed for the whole run. Outputs are
    stored for every tick, states once; what a target needs beside them comes on top.
    """
    outputs = sum(op.x.size for op in graph.outputs.values())
    states = sum(math.prod(shape) for shape in graph.states.values())
    needs = {
        "outputs": NUMBER * ticks * batch * outputs,
        "packed inputs": NUMBER * ticks * batch * timed,
        "states": NUMBER * batch * states,
    }
    # Linux grants memory that it has not got and kills whoever touches it: no MemoryError would come.
    free = memory.available()
    if free is None or sum(needs.values()) <= free:
        return
    raise error(
        "T408",
        f"a run of {graph.name!r} does not fit in memory",
        notes=[
            f"{ticks} ticks of {batch} samples need {memory.readable(sum(needs.values()))}: "
            + ", ".join(f"{name} {memory.readable(size)}" for name, size in needs.items() if size),
            f"{memory.readable(free)} are available",
        ],
        hint="run fewer ticks or samples at a time: first_tick and first_sample go on in the noise",
    )
