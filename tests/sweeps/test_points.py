"""Which points a sweep has."""

from __future__ import annotations

import numpy as np
import pytest

import thermoc as tc
from thermoc.support.errors import ThermocError
from thermoc.sweeps.axes import Axis, Span, axis
from thermoc.sweeps.points import points_of, unit_cube


def test_a_grid_has_every_combination_and_the_last_axis_is_fastest():
    axes = [axis("parameter", "a", [1, 2]), axis("seed", "seed", range(3))]
    assert points_of(axes, "grid", None, 0) == [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)]


def test_spans_hit_both_ends():
    assert Span(low=1, high=100, steps=3, scale="log").grid() == (1.0, pytest.approx(10.0), 100.0)
    assert Span(low=0.1, high=0.3, steps=2).grid() == (0.1, 0.3)
    assert Span(low=1, high=4, steps=9, whole=True).grid() == (1, 2, 3, 4)
    assert Span(low=2, high=5, steps=1).grid() == (2.0,)


@pytest.mark.parametrize("method", ["random", "sobol", "latin_hypercube"])
def test_drawn_points_fill_the_span_and_follow_from_the_seed(method: str):
    axes = [
        axis("parameter", "a", tc.sweeps.span(1.0, 3.0)),
        axis("option", "o", ["x", "y"]),
        axis("seed", "seed", [7, 8]),
    ]
    points = points_of(axes, method, 32, seed=4)
    assert points == points_of(axes, method, 32, seed=4) != points_of(axes, method, 32, seed=5)
    assert len(points) == 64 and [p[2] for p in points[:4]] == [7, 8, 7, 8] and points[0][:2] == points[1][:2]
    values = np.array([p[0] for p in points[::2]])
    # none of 32 independent numbers lies in an outer quarter with probability 2 * 0.75^32 = 2e-4; the others fill each
    assert values.min() < 1.5 < 2.5 < values.max() and {p[1] for p in points} == {"x", "y"}


def test_a_latin_hypercube_has_one_point_in_each_row_and_sobol_two_in_each_half():
    cube = unit_cube("latin_hypercube", 3, 10, seed=0)
    assert all(sorted((10 * column).astype(int)) == list(range(10)) for column in cube.T)
    sobol = unit_cube("sobol", 3, 16, seed=0)
    assert all(sorted((16 * column).astype(int)) == list(range(16)) for column in sobol.T)


@pytest.mark.parametrize(
    "make",
    [
        lambda: tc.sweeps.span(3, 1),
        lambda: tc.sweeps.span(0, 1, scale="log"),
        lambda: tc.sweeps.span(0, float("nan")),
        lambda: tc.sweeps.span(0, 1, 0),
        lambda: tc.sweeps.span(0, 1, scale="square"),
        lambda: axis("parameter", "a", []),
        lambda: axis("parameter", "a", "text"),
        lambda: axis("option", "a", tc.sweeps.times([1, 2])),
        lambda: axis("parameter", "a", tc.sweeps.times(["x"])),
        lambda: points_of([axis("parameter", "a", tc.sweeps.span(0, 1))], "grid", None, 0),
        lambda: points_of([axis("parameter", "a", [1])], "grid", 5, 0),
        lambda: points_of([axis("parameter", "a", [1])], "sobol", None, 0),
        lambda: points_of([axis("seed", "seed", [1])], "sobol", 4, 0),
        lambda: points_of([axis("seed", "s", range(4000)), axis("option", "o", range(4000))], "grid", None, 0),
    ],
)
def test_what_makes_no_points_is_refused(make):
    with pytest.raises(ThermocError) as caught:
        make()
    assert caught.value.code == "T520"


def test_a_share_of_listed_values_is_one_of_them():
    listed = Axis(kind="option", key="o", values=("a", "b", "c"))
    assert [listed.at(share) for share in (0.0, 0.34, 0.99, 1.0)] == ["a", "b", "c", "c"]
