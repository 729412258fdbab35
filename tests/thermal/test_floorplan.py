"""Floorplans: shares of area are exact, nothing is lost, and blocks that overlap are named."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from thermal.dies import TILES, tiles

from thermoc.simulator.thermal import Floorplan, FloorplanBlock, Rectangle, block
from thermoc.support.errors import ThermocError

sizes = st.floats(0.05, 1.0)


@st.composite
def slices(draw):
    """A die cut into columns, each cut into rows, some of them left out."""
    widths, blocks, x = draw(st.lists(sizes, min_size=1, max_size=4)), [], 0.0
    height = draw(sizes)
    for w in widths:
        cuts = sorted(draw(st.lists(st.floats(0.1, 0.9), max_size=3, unique_by=lambda v: round(v, 2))))
        edges = [0.0, *(height * c for c in cuts), height]
        for low, high in pairwise(edges):
            if draw(st.booleans()) or not blocks:
                blocks.append(block(f"b{len(blocks)}", x, low, w, high - low))
        x += w
    return Floorplan(width=x, height=height, blocks=tuple(blocks))


@given(slices(), st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_no_watt_is_lost_and_means_stay_within(plan, shape):
    bins, rng = plan.binned(shape), np.random.default_rng(0)
    watts, field = rng.random(len(plan.blocks)), rng.random(shape)
    assert bins.power(watts).sum() == pytest.approx(watts.sum(), rel=1e-12)
    means = bins.means(field)
    assert (means >= field.min() - 1e-12).all() and (means <= field.max() + 1e-12).all()
    np.testing.assert_allclose(bins.means(np.full(shape, 7.0)), 7.0)
    assert watts @ means == pytest.approx((bins.power(watts) * field).sum(), rel=1e-12)  # one matrix, either way


@given(slices(), st.integers(1, 6))
def test_shares_are_areas(plan, n):
    """A grid twice as fine, summed by fours, is the coarse one."""
    coarse, fine = plan.binned((n, n)).weights.toarray(), plan.binned((2 * n, 2 * n)).weights.toarray()
    np.testing.assert_allclose(fine.reshape(-1, n, 2, n, 2).sum(axis=(2, 4)).reshape(coarse.shape), coarse, atol=1e-12)


def test_a_block_across_cells_by_hand():
    plan = Floorplan(width=4.0, height=2.0, blocks=(block("b", 0.5, 0.25, 2.0, 1.0),))
    expected = np.array([[0.5 * 0.75, 1 * 0.75, 0.5 * 0.75, 0], [0.5 * 0.25, 1 * 0.25, 0.5 * 0.25, 0]]) / 2
    np.testing.assert_allclose(plan.binned((2, 4)).weights.toarray().reshape(2, 4), expected, rtol=1e-14)


def test_rows_run_upwards_and_columns_to_the_right():
    bins = tiles().binned((4, 4))
    np.testing.assert_allclose(bins.power(TILES.ravel()), TILES)


def test_a_block_of_two_rectangles_shares_its_power_by_area():
    two = FloorplanBlock(name="L", rectangles=(Rectangle(0, 0, 1, 1), Rectangle(1, 0, 1, 2)))
    np.testing.assert_allclose(
        Floorplan(width=2, height=2, blocks=(two,)).binned((2, 2)).power([3.0]), [[1, 1], [0, 1]]
    )


@pytest.mark.parametrize(
    ("blocks", "says"),
    [
        ((block("a", 0, 0, 2, 2), block("b", 1, 1, 2, 1)), ["'a'", "'b'", "overlap", "1 x 1 m"]),
        ((block("b", 2, 0, 2, 2), block("a", 0, 0, 2.5, 2)), ["'a'", "'b'", "0.5 x 2 m, 1 m^2"]),
        ((block("a", 0, 0, 4, 1), block("b", 1, 1, 1, 1), block("c", 3, 0.5, 1, 1)), ["'a'", "'c'", "1 x 0.5 m"]),
        ((block("a", 0, 0, 5, 1),), ["'a'", "outside", "4 x 2"]),
        ((block("a", -1, 0, 2, 1),), ["'a'", "outside"]),
        ((block("a", 0, 0, 1, 1), block("a", 1, 0, 1, 1)), ["'a'", "two blocks"]),
        (
            (FloorplanBlock(name="a", rectangles=(Rectangle(0, 0, 2, 1), Rectangle(1, 0, 2, 1))),),
            ["'a' and 'a' overlap"],
        ),
    ],
)
def test_what_is_wrong_is_named(blocks, says):
    with pytest.raises(ThermocError) as caught:
        Floorplan(width=4, height=2, blocks=blocks)
    assert caught.value.code == "T514"
    assert all(part in str(caught.value) for part in says)


def test_all_findings_at_once():
    with pytest.raises(ThermocError) as caught:
        Floorplan(width=4, height=2, blocks=(block("a", 0, 0, 2, 2), block("b", 1, 0, 2, 2), block("c", 3.5, 0, 2, 2)))
    assert len(caught.value.findings) == 2


def test_slivers_of_rounding_pass():
    Floorplan(width=4, height=2, blocks=(block("a", 0, 0, 2 + 1e-7, 2), block("b", 2, -1e-7, 2 + 1e-7, 2)))


@pytest.mark.parametrize("size", [0.0, -1.0, float("nan"), float("inf")])
def test_a_block_needs_an_area(size):
    with pytest.raises(ThermocError, match="T514"):
        block("a", 0, 0, size, 1)


def test_power_of_the_wrong_length():
    with pytest.raises(ThermocError, match="T402"):
        tiles().binned((4, 4)).power([1.0])
