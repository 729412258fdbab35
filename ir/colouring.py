"""Colours of the graph of couplings: no two coupled units share one, so a colour is updated at once (a proven order).

Two colours where they suffice (every lattice of even sides: the checkerboard; every restricted machine: its two
layers), found in linear time by breadth-first search. Else networkx's DSATUR for small graphs, and for large ones
unit by unit, those of many couplings first.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false
# (SciPy and networkx state no types of what is called here)

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from thermoc.support.array_types import AnyArray, IntArray

OneByOne = Callable[[IntArray, IntArray, IntArray], IntArray]
"""(order, offsets, columns), couplings in both directions -> the least free colour of each unit in that order."""

SMALL = 2000
"""Up to so many couplings networkx looks for few colours; it takes a second and more for a million."""

DENSE = 64
"""Couplings a unit from which on arrays are faster than numbers one by one."""


def colouring(offsets: AnyArray, columns: AnyArray, one_by_one: OneByOne | None = None) -> IntArray:
    """Return a colour for each unit; couplings are rows (offsets, columns), in one direction or both.

    one_by_one: gives greedy colours in place of Python's own loop, compiled where the simulator is at hand.
    """
    n = len(offsets) - 1
    columns = np.ascontiguousarray(columns)  # SciPy takes no others
    if not len(columns):
        return np.zeros(n, np.int64)
    two = _two_colours(offsets, columns)
    if clash(offsets, columns, two) is None:
        return two
    return _few_colours(offsets, columns) if len(columns) <= SMALL else _from_the_highest(offsets, columns, one_by_one)


def clash(offsets: AnyArray, columns: AnyArray, colors: AnyArray) -> tuple[int, int] | None:
    """Return the first pair of coupled units of one colour, or None: the proof of a colouring."""
    unit = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    bad = (colors[unit] == colors[columns]) & (unit != columns)
    if not bad.any():
        return None
    at = int(np.argmax(bad))
    return int(unit[at]), int(columns[at])


def _two_colours(offsets: AnyArray, columns: AnyArray) -> IntArray:
    """Return the parity of the distance from each component's first unit: a colouring where two colours suffice."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order, connected_components

    n = len(offsets) - 1
    graph = csr_array((np.ones(len(columns)), columns, offsets), shape=(n, n))
    count, label = connected_components(graph, directed=False)
    # one more unit, coupled to the first of each component, reaches them all
    first = np.unique(label, return_index=True)[1]
    columns, offsets = np.concatenate([columns, first]), np.append(offsets, len(columns) + count)
    joined = csr_array((np.ones(len(columns)), columns, offsets), shape=(n + 1, n + 1))
    _, parent = breadth_first_order(joined, n, directed=False)
    # SciPy marks what has no predecessor by -9999.
    parent = np.where(parent < 0, n, parent).astype(np.int64)
    parity = np.ones(n + 1, np.int8)
    parity[n] = 0
    while (parent != n).any():  # distances double, so rounds are logarithmic
        parity ^= parity[parent]
        parent = parent[parent]
    return (parity[:n] ^ 1).astype(np.int64)


def _few_colours(offsets: AnyArray, columns: AnyArray) -> IntArray:
    import networkx

    n = len(offsets) - 1
    unit = np.repeat(np.arange(n), np.diff(offsets))
    graph: networkx.Graph[int] = networkx.Graph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from(zip(unit.tolist(), columns.tolist()))
    graph.remove_edges_from(list(networkx.selfloop_edges(graph)))
    colors: dict[int, int] = networkx.greedy_color(graph, strategy="DSATUR")
    return np.array([colors[i] for i in range(n)])


def _from_the_highest(offsets: AnyArray, columns: AnyArray, one_by_one: OneByOne | None) -> IntArray:
    """Return colours that are given unit by unit, each the least that no neighbour has (greedy colouring).

    The order is degree first, then a fixed permutation, so the result is a function of the graph.
    """
    from scipy.sparse import csr_array

    n = len(offsets) - 1
    unit = np.repeat(np.arange(n), np.diff(offsets))
    away = unit != columns
    ends = np.concatenate([[0], np.cumsum(np.bincount(unit[away], minlength=n))])
    one_way = csr_array((np.ones(ends[-1], np.bool_), columns[away], ends), shape=(n, n))
    degree = np.diff(ends) + np.bincount(columns[away], minlength=n)
    order = np.lexsort((np.random.default_rng(0).permutation(n), degree))[::-1]
    symmetric = one_way + one_way.T.tocsr()
    give = one_by_one or (_by_rows if symmetric.nnz > DENSE * n else _by_bits)
    return give(order, symmetric.indptr, symmetric.indices)


def _by_bits(order: IntArray, offsets: IntArray, columns: IntArray) -> IntArray:
    """Return colours of units in an order: those that a unit's neighbours have are the bits of a number."""
    used, colors = [0] * len(order), np.empty(len(order), np.int64)
    ends, neighbours = offsets.tolist(), columns.tolist()
    for i in order.tolist():
        bit = ~used[i] & (used[i] + 1)
        colors[i] = bit.bit_length() - 1
        for j in neighbours[ends[i] : ends[i + 1]]:
            used[j] |= bit
    return colors


def _by_rows(order: IntArray, offsets: IntArray, columns: IntArray) -> IntArray:
    """Return the same colours, those of the neighbours as rows of flags: faster where neighbours are many."""
    used, colors = np.zeros((len(order), 16), np.bool_), np.empty(len(order), np.int64)
    for i in order.tolist():
        colors[i] = color = int(used[i].argmin())
        if color == used.shape[1] - 1:  # the last column stays free
            used = np.concatenate([used, np.zeros_like(used)], axis=1)
        used[columns[offsets[i] : offsets[i + 1]], color] = True
    return colors
