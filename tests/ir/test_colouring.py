"""Colours of coupled units: those of one unit after the other, from the highest degree down, however they are found."""

from __future__ import annotations

import time

import numpy as np
import pytest

from thermoc.ir import colouring as colours
from thermoc.support.array_types import IntArray


def greedy(n: int, unit: IntArray, other: IntArray) -> list[int]:
    """Return the least free colour of each unit, those of the highest degree first."""
    away = unit != other
    ends = np.concatenate([unit[away], other[away]]), np.concatenate([other[away], unit[away]])
    near: list[set[int]] = [set() for _ in range(n)]
    first: list[int] = ends[0].tolist()
    second: list[int] = ends[1].tolist()
    for i, j in zip(first, second):
        near[i].add(j)
    rank = np.lexsort((np.random.default_rng(0).permutation(n), np.bincount(ends[0], minlength=n)))
    order: list[int] = rank[::-1].tolist()
    color = [-1] * n
    for i in order:
        taken = {color[j] for j in near[i]}
        color[i] = next(k for k in range(n) if k not in taken)
    return color


@pytest.mark.parametrize("n, edges", [(60, 900), (300, 3000), (1000, 4000), (3000, 6000)])
def test_bits_and_rows_give_the_same_colours(n: int, edges: int, monkeypatch: pytest.MonkeyPatch):
    pairs = np.random.default_rng(n).integers(0, n, (edges, 2))
    unit, other = pairs[np.argsort(pairs[:, 0], kind="stable")].T
    offsets = np.searchsorted(unit, np.arange(n + 1))
    expected = greedy(n, unit, other)
    monkeypatch.setattr(colours, "SMALL", 0)
    for dense in (0, n):
        monkeypatch.setattr(colours, "DENSE", dense)
        assert colours.colouring(offsets, other).tolist() == expected


def test_a_complete_graph_has_as_many_colours_as_units():
    n = 1000
    unit, other = np.divmod(np.arange(n * n), n)
    away = unit != other
    begun = time.process_time()
    color = colours.colouring(np.arange(n + 1) * (n - 1), other[away])
    # 0.1 s; a round for each colour took 30 s
    assert time.process_time() - begun < 5
    assert sorted(color) == list(range(n))
