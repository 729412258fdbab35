"""Networks whose updates keep the order of states, and their highest and lowest state."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.dialects.core import Input, Stored
from thermoc.ir.dialects.sampling import Gibbs
from thermoc.ir.graph import Graph
from thermoc.ir.ops import CLOCKED, STATEFUL, STOCHASTIC, Op
from thermoc.support.errors import ThermocError, error

MIXED_SIGNS = "a loop of couplings whose product is negative"


def extremes(graph: Graph) -> dict[str, tuple[NDArray, NDArray]]:
    """Return the lowest and the highest state (n,) of each ``thermo.gibbs`` of a monotone network, by its result.

    Units are ordered by their levels, those that a gauge turns over by the opposite. Errors: T404 (what breaks it).
    """
    for op in graph.ops:
        if STATEFUL in op.traits and not isinstance(op, Gibbs):
            raise _not_monotone(op, "its state is not that of coupled binary units")
    if not graph.of(Gibbs):
        raise error("T404", f"{graph.name!r} has no units whose equilibrium could be drawn")
    return {op.s.name: _levels(graph, op) for op in graph.of(Gibbs)}


def _levels(graph: Graph, op: Gibbs) -> tuple[NDArray, NDArray]:
    """Return the lowest and the highest state of coupled units (n,)."""
    for name in ("T", "h"):
        _constant(graph, getattr(op, name).name, op)
    sign = _gauge(op, _couplings(graph, op))
    if op.levels == "spin":
        return -sign, sign
    return (1 - sign) / 2, (1 + sign) / 2


def _constant(graph: Graph, name: str, of: Op) -> None:
    """Refuse what changes from tick to tick, and so has no equilibrium."""
    op = graph.producers[name]
    if isinstance(op, Input):
        raise _not_monotone(of, f"its temperature or field follows the input {op.name!r}; a parameter can be set too")
    if op.traits & {STATEFUL, STOCHASTIC, CLOCKED}:
        raise _not_monotone(of, f"its temperature or field follows {op.opname} {op.results[0]}, which changes")
    for _, value in op.operand_values:
        _constant(graph, value.name, of)


def _couplings(graph: Graph, op: Gibbs) -> Any:
    from scipy.sparse import csr_array

    def numbers(name: str) -> NDArray:
        stored = graph.producers[getattr(op, name).name]
        assert isinstance(stored, Stored)  # the op's own declaration asks for it
        return stored.value.numpy

    if op.J is not None:
        return csr_array(numbers("J").astype(float))
    n = op.s.shape[0]
    return csr_array(tuple(numbers(name) for name in ("values", "columns", "offsets")), shape=(n, n))


def _gauge(op: Op, J: Any) -> NDArray:
    """Return a sign for each unit (n,) with sign_i J_ij sign_j >= 0 for all couplings (Harary 1953)."""
    from scipy.sparse.csgraph import breadth_first_order, connected_components

    n = J.shape[0]
    joined = abs(J) + abs(J).T
    sign = np.ones(n)
    _, labels = connected_components(joined, directed=False)
    for start in np.unique(labels, return_index=True)[1]:
        order, before = breadth_first_order(joined, start, directed=False)
        for unit in order[1:]:
            either = J[unit, before[unit]] or J[before[unit], unit]
            sign[unit] = sign[before[unit]] * np.sign(either)
    entries = J.tocoo()
    wrong = np.flatnonzero(sign[entries.row] * entries.data * sign[entries.col] < 0)
    if wrong.size:
        i, j = entries.row[wrong[0]], entries.col[wrong[0]]
        raise _not_monotone(op, f"{MIXED_SIGNS}, through units {i} and {j}, where J = {entries.data[wrong[0]]:.6g}")
    return sign


def _not_monotone(op: Op, reason: str) -> ThermocError:
    notes = [f"{op.opname} {op.results[0]}: {reason}"]
    hint = "ferromagnets, attractive fields and what a gauge makes such can be drawn exactly; others by long chains"
    return error("T404", "the network is not monotone: its equilibrium cannot be drawn", notes=notes, hint=hint)
