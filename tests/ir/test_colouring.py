"""Colours of coupled units: those of one unit after the other, from the highest degree down, however they are found."""

from __future__ import annotations

import time

import numpy as np
import pytest

from thermoc.ir import colouring as colours


def neighbours_of(n: int, pairs: np.ndarray) -> list[set[int]]:
    near: list[set[int]] = [set() for _ in range(n)]
    for i, j in pairs:
        if i != j:
            near[i].add(int(j))
            near[j].add(int(i))
    return near


def greedy(n: int, pairs: np.ndarray) -> list[int]:
    """Return the least free colour of each unit, in the order that Jones and Plassmann's rounds stand for."""
    degree = np.bincount(
        np.concatenate([pairs, pairs[:, ::-1]])[:, 0][np.tile(pairs[:, 0] != pairs[:, 1], 2)], minlength=n
    )
    order = np.lexsort((np.random.default_rng(0).permutation(n), degree))[::-1]
    color, near = [-1] * n, neighbours_of(n, pairs)
    for i in order:
        taken = {color[j] for j in near[i]}
        color[i] = next(k for k in range(n) if k not in taken)
    return color


@pytest.mark.parametrize("n, edges", [(60, 900), (300, 3000), (1000, 4000), (3000, 6000)])
def test_rounds_and_single_units_give_the_same_colours(n: int, edges: int, monkeypatch: pytest.MonkeyPatch):
    pairs = np.random.default_rng(n).integers(0, n, (edges, 2))
    expected = greedy(n, pairs)
    for few in (0, colours.FEW, n + 1):
        monkeypatch.setattr(colours, "FEW", few)
        assert colours._independent_sets(n, pairs[:, 0], pairs[:, 1]).tolist() == expected


def test_a_complete_graph_has_as_many_colours_as_units():
    n = 1000
    unit, other = np.divmod(np.arange(n * n), n)
    away = unit != other
    begun = time.process_time()
    color = colours.colouring(np.arange(n + 1) * (n - 1), other[away])
    # 0.2 s; a round for each colour took 30 s
    assert time.process_time() - begun < 5
    assert sorted(color) == list(range(n))
