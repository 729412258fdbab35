"""Colours of the graph of couplings: no two coupled units share one, so a colour is updated at once (a proven order).

Two colours where they suffice (every lattice of even sides: the checkerboard; every restricted machine: its two
layers), found in linear time by breadth-first search. Else networkx's DSATUR for small graphs, and for large ones
rounds of independent sets, linear in the number of couplings.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false
# (SciPy and networkx state no types of what is called here)

from __future__ import annotations

import numpy as np

from thermoc.support.array_types import AnyArray, IntArray

SMALL = 2000
"""Up to so many couplings networkx looks for few colours; it takes a second and more for a million."""

FEW = 64
"""Units of a round of independent sets below which a unit at a time is faster."""


def colouring(offsets: AnyArray, columns: AnyArray) -> IntArray:
    """Return a colour for each unit; couplings are rows (offsets, columns), in one direction or both."""
    n = len(offsets) - 1
    unit = np.repeat(np.arange(n), np.diff(offsets))
    if not len(columns):
        return np.zeros(n, np.int64)
    two = _two_colours(n, unit, columns)
    if clash(offsets, columns, two) is None:
        return two
    return _few_colours(n, unit, columns) if len(columns) <= SMALL else _independent_sets(n, unit, columns)


def clash(offsets: AnyArray, columns: AnyArray, colors: AnyArray) -> tuple[int, int] | None:
    """Return the first pair of coupled units of one colour, or None: the proof of a colouring."""
    unit = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    bad = (colors[unit] == colors[columns]) & (unit != columns)
    if not bad.any():
        return None
    at = int(np.argmax(bad))
    return int(unit[at]), int(columns[at])


def _two_colours(n: int, unit: AnyArray, other: AnyArray) -> IntArray:
    """Return the parity of the distance from each component's first unit: a colouring where two colours suffice."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import breadth_first_order, connected_components

    graph = coo_array((np.ones(len(unit), np.int8), (unit, other)), shape=(n, n)).tocsr()
    count, label = connected_components(graph, directed=False)
    first = np.unique(label, return_index=True)[1]
    roots = np.full(count, n)  # one more unit, coupled to the first of each component, reaches them all
    joined = coo_array(
        (
            np.ones(len(unit) + count, np.int8),
            (np.concatenate([unit, roots]), np.concatenate([other, first])),
        ),
        shape=(n + 1, n + 1),
    ).tocsr()
    _, parent = breadth_first_order(joined, n, directed=False)
    # SciPy marks what has no predecessor by -9999.
    parent = np.where(parent < 0, n, parent).astype(np.int64)
    parity = np.ones(n + 1, np.int8)
    parity[n] = 0
    while (parent != n).any():  # distances double, so rounds are logarithmic
        parity ^= parity[parent]
        parent = parent[parent]
    return (parity[:n] ^ 1).astype(np.int64)


def _few_colours(n: int, unit: AnyArray, other: AnyArray) -> IntArray:
    import networkx

    graph: networkx.Graph[int] = networkx.Graph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from(zip(unit.tolist(), other.tolist()))
    graph.remove_edges_from(list(networkx.selfloop_edges(graph)))
    colors: dict[int, int] = networkx.greedy_color(graph, strategy="DSATUR")
    return np.array([colors[i] for i in range(n)])


def _independent_sets(n: int, unit: AnyArray, other: AnyArray) -> IntArray:
    """Return colours by Jones and Plassmann: rounds in which units above all uncoloured neighbours take the least free.

    Priorities are degree first, then a fixed permutation, so the result is a function of the graph. Where rounds have
    few units each, as in dense graphs, the rest is coloured unit by unit from the highest down: the same colours.
    """
    away = unit != other
    unit, neighbour = np.concatenate([unit[away], other[away]]), np.concatenate([other[away], unit[away]])
    degree = np.bincount(unit, minlength=n)
    rank = np.empty(n, np.int64)
    rank[np.lexsort((np.random.default_rng(0).permutation(n), degree))] = np.arange(n)
    colors = np.full(n, -1)
    while (colors < 0).any():
        highest = np.full(n, -1)
        np.maximum.at(highest, unit, np.where(colors[neighbour] < 0, rank[neighbour], -1))
        ready = (colors < 0) & (rank > highest)
        if np.count_nonzero(ready) < FEW:
            _one_by_one(colors, rank, unit, neighbour)
            break
        occupied = ready[unit] & (colors[neighbour] >= 0)
        colors[ready] = _least_free(n, unit[occupied], colors[neighbour[occupied]])[ready]
        # Two units with colours decide nothing more, so rounds get cheaper.
        open_ = (colors[unit] < 0) | (colors[neighbour] < 0)
        unit, neighbour = unit[open_], neighbour[open_]
    return colors


def _one_by_one(colors: IntArray, rank: IntArray, unit: AnyArray, neighbour: AnyArray) -> None:
    """Give each uncoloured unit, from the highest rank down, the least colour that no neighbour has."""
    order = np.argsort(unit, kind="stable")
    unit, neighbour = unit[order], neighbour[order]
    left = np.flatnonzero(colors < 0)
    left = left[np.argsort(-rank[left])]
    begins, ends = np.searchsorted(unit, left), np.searchsorted(unit, left, side="right")
    # of each unit the colours that neighbours have; the last column stays free
    taken = np.zeros((len(colors), max(int(colors.max(initial=0)) + 2, 16)), np.bool_)
    known = colors[neighbour] >= 0
    taken[unit[known], colors[neighbour[known]]] = True
    for i, begin, end in zip(left.tolist(), begins.tolist(), ends.tolist()):
        color = taken[i].argmin()
        colors[i] = color
        if color == taken.shape[1] - 1:
            taken = np.concatenate([taken, np.zeros_like(taken)], axis=1)
        taken[neighbour[begin:end], color] = True


def _least_free(n: int, unit: AnyArray, color: AnyArray) -> IntArray:
    """Return for each unit the least colour that none of its pairs (unit, color) names."""
    free = np.zeros(n, np.int64)
    if not len(unit):
        return free
    order = np.lexsort((color, unit))
    unit, color = unit[order], color[order]
    fresh = np.append(True, (unit[1:] != unit[:-1]) | (color[1:] != color[:-1]))
    unit, color = unit[fresh], color[fresh]
    start = np.searchsorted(unit, unit)
    dense = color == np.arange(len(unit)) - start  # sorted colours of a unit count 0, 1, 2, ... until a gap
    np.add.at(free, unit[dense], 1)
    return free
