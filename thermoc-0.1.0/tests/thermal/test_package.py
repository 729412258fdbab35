"""Spreader and sink: HotSpot's own nodes and numbers, the matrix exponential, books that close."""

from dataclasses import replace

import numpy as np
import pytest
from thermal.dense import dense
from thermal.dies import COLD, COPPER, TILES, hotspot_stack, packed, tiles, two_sheets

from thermoc.simulator.thermal import NOTHING, Die, Face, Plate, hotspot
from thermoc.simulator.thermal.rational import PHI1, PHI2, POLES, RESIDUES
from thermoc.support.errors import ThermocError

LAYERS = {"silicon": "", "interface": "iface_", "spreader": "hsp_", "sink": "hsink_"}
RIM = [f"{node} {side}" for node in ("spreader", "sink inner", "sink outer") for side in "WENS"]


@pytest.fixture
def data(shared):
    return shared / "device-reference/iv_thermal/hotspot"


@pytest.mark.parametrize(("file", "side"), [("steady_blocks_64.txt", 64), ("steady_block.txt", 4)])
def test_steady_rises_are_hotspots(data, file, side):
    """HotSpot's block model of sixteen tiles is its grid model with one cell a tile."""
    expected = {line.split()[0]: float(line.split()[1]) for line in (data / file).read_text().splitlines()}
    plan = hotspot.read_floorplan(data / "chip.flp")
    watts = hotspot.read_power(data / "chip_steady.ptrace").ordered(plan)[0]
    die, bins = Die(hotspot_stack(plan), (side, side)), plan.binned((side, side))
    state = die.steady(bins.power(watts))
    for layer, prefix in LAYERS.items():
        theirs = np.array([expected[prefix + name] for name in plan.names])
        assert np.abs(die.block_means(state, layer, bins) - theirs).max() < 0.01  # printed with two digits
    rim = die.rim(state)
    assert max(abs(rim[name] - expected[f"inode_{i}"]) for i, name in enumerate(RIM)) < 0.01


def test_transient_rises_are_hotspots(data):
    """Its Runge-Kutta traces; it is itself off by up to 0.02 K."""
    expected = np.loadtxt(data / "trans_grid64_blocks.txt", skiprows=1)
    plan = hotspot.read_floorplan(data / "chip.flp")
    watts = hotspot.read_power(data / "chip.ptrace").ordered(plan)
    die, bins = Die(hotspot_stack(plan), (64, 64)), plan.binned((64, 64))
    state = die.start()
    for row, power in zip(expected, watts):
        state, _ = die.step(state, bins.power(power), 1e-3)
        rise = die.block_means(state, "silicon", bins) - 300
        np.testing.assert_allclose(rise, row - 300, rtol=2e-3, atol=0.02)


@pytest.mark.parametrize("cells", [(5, 6), (4, 4), (1, 3), (2, 1), (1, 1)])
@pytest.mark.parametrize("dt", [1e-6, 1e-3, 0.1, 1000.0])
def test_any_step_is_the_matrix_exponential(cells, dt):
    stack = packed(top=Face(coefficient=2e3, temperature=305.0))
    die, whole = Die(stack, cells), dense(stack, cells)
    power = np.random.default_rng(7).random(cells)
    state, _ = die.step(die.start(), 3 * power, 0.02)  # a start in which the lumped nodes take part
    rise = whole.step(np.zeros(len(whole.C)), whole.power(3 * power, [0]), 0.02)
    expected = whole.step(rise, whole.power(power, [0]), dt)
    state, ledger = die.step(state, power, dt)
    assert np.abs(die.temperature(state).ravel() - 300 - expected[:-12]).max() < 1e-9 * np.abs(expected).max()
    sides = [f"{node} {side}" for side in "WESN" for node in ("spreader", "sink inner", "sink outer")]
    found = np.array([die.rim(state)[name] for name in sides]) - 300
    assert np.abs(found - expected[-12:]).max() < 1e-9 * np.abs(expected).max()
    assert abs(ledger.gap) < 1e-11 * (ledger.work + abs(ledger.heat_top))


def test_steady_is_where_long_steps_end_and_all_power_leaves():
    die = Die(packed(), (6, 8))
    power = np.random.default_rng(8).random((6, 8))
    state, _ = die.step(die.start(), power, 1e4)
    state, ledger = die.step(state, power, 1.0)
    np.testing.assert_allclose(die.temperature(state), die.temperature(die.steady(power)), rtol=1e-11)
    assert ledger.heat_bottom == pytest.approx(power.sum(), rel=1e-10)


def test_books_close_over_many_short_steps():
    """Heat held is a million times what a step brings: only changes are rounded, so nothing piles up."""
    die, books = Die(packed(), (4, 4)), NOTHING
    state = start = die.steady(np.full((4, 4), 5.0))
    rng = np.random.default_rng(9)
    for _ in range(1000):
        state, ledger = die.step(state, 5 + rng.random((4, 4)), 1e-6)
        books += ledger
    assert abs(books.gap) < 1e-11 * books.work
    assert die.energy(state) - die.energy(start) == pytest.approx(books.work - books.heat, abs=1e-10 * books.work)


def test_a_start_at_one_temperature_warms_the_lumped_nodes_too():
    die = Die(packed(), (4, 4))
    state, ledger = die.step(die.start(310.0), np.zeros((4, 4)), 1e-4)
    assert min(die.rim(state).values()) > 309.9
    assert ledger.heat_bottom == pytest.approx(-ledger.stored, rel=1e-10)


def test_all_matter_is_counted():
    """Lumped or not, the plates hold their whole volume's heat, and the convection's capacity once."""
    die, box = Die(packed(), (3, 5)), packed().package
    volume = 150e-6 * 1.63e6 + 20e-6 * 4.0e6, 1e-3 * 3.55e6, 6.9e-3 * 3.55e6
    area = 8e-3 * 6e-3, 0.03**2, 0.06**2
    assert die.energy(die.start(301.0)) == pytest.approx(np.dot(volume, area) + box.capacity, rel=1e-12)


def test_the_rational_function_is_the_exponential():
    z = -np.concatenate([np.logspace(-9, 9, 2000)])

    def at(weights):
        return 2 * (weights / (z[:, None] - POLES)).sum(axis=1).real

    assert np.abs(at(RESIDUES) - np.exp(z)).max() < 2e-13
    assert np.abs(at(PHI1) / (np.expm1(z) / z) - 1).max() < 4e-12
    assert np.abs(z * at(PHI2) - (at(PHI1) - 1)).max() < 1e-12


def test_packages_that_do_not_fit():
    small = replace(packed().package, spreader=Plate(side=7e-3, thickness=1e-3, material=COPPER))
    for wrong in (
        lambda: two_sheets(package=small),
        lambda: packed(bottom=COLD),
        lambda: replace(packed().package, spreader=Plate(side=0.07, thickness=1e-3, material=COPPER)),
    ):
        with pytest.raises(ThermocError, match="T405"):
            wrong()


def test_tiles_of_the_reference_are_hotspots(data):
    plan, ours = hotspot.read_floorplan(data / "chip.flp"), tiles()
    np.testing.assert_allclose(plan.binned((8, 8)).weights.toarray(), ours.binned((8, 8)).weights.toarray())
    watts = hotspot.read_power(data / "chip_steady.ptrace").ordered(ours)[0]
    np.testing.assert_allclose(watts, 20 * TILES.ravel())
