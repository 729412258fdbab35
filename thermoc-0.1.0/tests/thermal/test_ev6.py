"""HotSpot's example chip, the Alpha EV6: the same cells, HotSpot's way of reading them, and what its block model leaves out."""

from pathlib import Path

import numpy as np
import pytest
from thermal.block_model import cut, rectangles, steady

from thermoc.simulator.thermal import Die, block, hotspot
from thermoc.simulator.thermal.floorplan import Floorplan
from thermoc.simulator.thermal.mapping import MODES, read_blocks, touched
from thermoc.support.errors import ThermocError

PRINTED = 0.005
"""HotSpot prints two digits of a kelvin."""
STOPPED = 0.0015
"""Its Gauss-Seidel rounds stop when none moves a cell by 1e-6 K: 1.4e-3 K from the solution at 64 x 64."""
RIM = [f"{node} {side}" for node in ("spreader", "sink inner", "sink outer") for side in "WENS"]


class Example:
    """The chip, its mean power in W a block, and HotSpot's numbers."""

    def __init__(self, folder):
        self.plan, trace = hotspot.read_floorplan(folder / "ev6.flp"), hotspot.read_power(folder / "gcc.ptrace")
        self.stack = hotspot.stack(self.plan, hotspot.read_config(folder / "example.config"))
        self.watts = trace.ordered(self.plan).mean(axis=0)
        lines = Path(__file__).with_name("ev6_hotspot.txt").read_text().splitlines()
        head, *rows = [line.split() for line in lines if not line.startswith("#")]
        self.hotspot = {name: dict(zip(head[1:], map(float, row))) for name, *row in rows}

    def theirs(self, column):
        """Return the rises that HotSpot prints (blocks,)."""
        return np.array([self.hotspot[name][column] for name in self.plan.names]) - self.stack.ambient

    def settled(self, side):
        die, bins = Die(self.stack, (side, side)), self.plan.binned((side, side))
        state = die.steady(bins.power(self.watts))
        return die, state, die.temperature(state, "silicon") - self.stack.ambient

    def means(self, side):
        return self.plan.binned((side, side)).means(self.settled(side)[2])

    def pieces(self, size):
        """Return the block model's means over blocks that are cut into pieces."""
        boxes, own = cut(self.plan, size)
        area = boxes[:, 2] * boxes[:, 3]
        share = area / np.bincount(own, area)[own]
        return np.bincount(own, share * steady(self.stack, boxes, self.watts[own] * share)[0])


@pytest.fixture(scope="module")
def ev6(shared):
    return Example(shared / "hotspot/examples/example1")


@pytest.mark.parametrize("mode", MODES)
def test_grid_rises_are_hotspots(ev6, mode):
    """All thirty blocks to HotSpot's last digit, which is 0.12% of the coolest block's rise; the lumped nodes too."""
    die, state, field = ev6.settled(64)
    assert np.abs(read_blocks(ev6.plan, field, mode) - ev6.theirs(mode)).max() < PRINTED + STOPPED
    rim = die.rim(state)
    assert max(abs(rim[name] - ev6.hotspot[f"inode_{i}"][mode]) for i, name in enumerate(RIM)) < PRINTED + STOPPED


def test_the_reading_is_all_that_differs(ev6):
    """Means by area lie within 1.3% of a grid of 256 x 256; HotSpot's of touched cells are 1.02 K off in IntQ."""
    area, fine = ev6.means(64), ev6.means(256)
    assert np.abs(area / fine - 1).max() < 0.013
    worst = np.abs(ev6.theirs("avg") - fine).argmax()
    assert ev6.plan.names[worst] == "IntQ"
    assert (ev6.theirs("avg") - fine)[worst] == pytest.approx(1.02, abs=0.01)


def test_block_rises_are_hotspots(ev6):
    found = steady(ev6.stack, rectangles(ev6.plan), ev6.watts)[0]
    assert np.abs(found - ev6.theirs("block")).max() < PRINTED + 1e-6


def test_the_block_model_cut_into_pieces_settles_to_the_grid(ev6):
    """One node a block is 3.6 K off, 17%; pieces of half and quarter millimetres 0.8 K and 0.3 K, 1.4%."""
    fine = ev6.means(256)
    whole, half, quarter = (np.abs(t - fine) for t in (ev6.theirs("block"), ev6.pieces(5e-4), ev6.pieces(2.5e-4)))
    assert whole.max() == pytest.approx(3.61, abs=0.02) and half.max() < 0.83 and quarter.max() < 0.32
    assert (quarter / fine).max() < 0.015


def test_touched_cells():
    """Borders on lines of the grid take no further cell; slivers take the whole of one."""
    plan = Floorplan(width=8.0, height=4.0, blocks=(block("on", 2, 1, 4, 2), block("sliver", 1.9, 3.5, 4.2, 0.2)))
    field = np.arange(32.0).reshape(4, 8)
    on, sliver = plan.blocks
    assert touched(plan, on, (4, 8)) == (slice(1, 3), slice(2, 6))
    assert touched(plan, sliver, (4, 8)) == (slice(3, 4), slice(1, 7))
    assert read_blocks(plan, field).tolist() == [field[1:3, 2:6].mean(), field[3, 1:7].mean()]
    assert read_blocks(plan, field, "center").tolist() == [field[1:3, 3:5].mean(), field[3, 3:5].mean()]
    assert read_blocks(plan, field[:3], "center")[0] == field[0:3, 3:5].mean(axis=1)[1]
    assert read_blocks(plan, field, "max").tolist() == [field[2, 5], field[3, 6]]


def test_borders_that_rounding_moves_stay_on_their_lines():
    """0.3 / 0.1 falls short of 3 in floats, and (0.1 + 0.2) / 0.1 exceeds it."""
    plan = Floorplan(width=1.0, height=1.0, blocks=(block("low", 0.1, 0, 0.2, 1), block("high", 0.3, 0, 0.7, 1)))
    assert 0.3 / 0.1 < 3 < (0.1 + 0.2) / 0.1
    low, high = (touched(plan, b, (1, 10))[1] for b in plan.blocks)
    assert (low, high) == (slice(1, 3), slice(3, 10))


@pytest.mark.parametrize(
    ("code", "call"),
    [
        ("T405", lambda plan: read_blocks(plan, np.zeros((4, 4)), "mean")),
        ("T402", lambda plan: read_blocks(plan, np.zeros((2, 4, 4)))),
        ("T405", lambda plan: read_blocks(_doubled(plan), np.zeros((4, 4)))),
    ],
)
def test_bad_calls_are_coded(code, call):
    with pytest.raises(ThermocError) as caught:
        call(Floorplan(width=1.0, height=1.0, blocks=(block("a", 0, 0, 0.5, 1),)))
    assert caught.value.code == code


def _doubled(plan):
    from dataclasses import replace

    (only,) = plan.blocks
    other = block("b", 0.5, 0, 0.5, 1).rectangles
    return replace(plan, blocks=(replace(only, rectangles=only.rectangles + other),))
