"""A graph in outline, as JSON values: which op reads which, of what type each result is; no numbers of arrays."""

from __future__ import annotations

from typing import Any

from thermoc.ir.dialects.core import Input, Output, Stored
from thermoc.ir.graph import Graph
from thermoc.ir.ops import STATEFUL, STOCHASTIC, Op

MOST_OPS = 2000
"""A graph of more ops has no outline: nobody reads it, and files of runs carry it."""


def outline(graph: Graph) -> list[dict[str, Any]]:
    """Return what stands behind each op that is no constant, in order; an empty list for more than ``MOST_OPS``.

    id: the name of its first result, or ``output NAME``. inputs: ids of the ops that it reads within the tick. delayed:
    of those that it reads for the next. output: its name where it is one.
    """
    shown = [op for op in graph.ops if not isinstance(op, Stored)]
    if len(shown) > MOST_OPS:
        return []
    ids = {value.name: op_id(op) for op in shown for value in op.results}
    return [_entry(op, ids) for op in shown]


def op_id(op: Op) -> str:
    """Return what an op is known by: its first result's name, or ``output NAME``."""
    return op.results[0].name if op.results else f"output {getattr(op, 'name', '')}"


def _entry(op: Op, ids: dict[str, str]) -> dict[str, Any]:
    instant = {value.name for value in op.instant_inputs}
    reads = list(dict.fromkeys(value.name for value in op.inputs if value.name in ids))
    value = op.results[0] if op.results else op.inputs[0]
    return {
        "id": op_id(op),
        "op": op.opname,
        "type": str(value.type) if value.type else "",
        "inputs": [ids[name] for name in reads if name in instant],
        "delayed": [ids[name] for name in reads if name not in instant],
        "state": STATEFUL in op.traits,
        "noise": STOCHASTIC in op.traits,
        "end": isinstance(op, Input | Output),
        "output": op.name if isinstance(op, Output) else None,
        "where": str(op.location) if op.location else "",
    }
