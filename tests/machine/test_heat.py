"""The electro-thermal loop against closed forms, its books, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from machine.chips_by_hand import ONE, chip, conduct, load, one_unit, stacked
from scipy.special import lambertw

import thermoc as tc
from thermoc.simulator.chips import load_chip
from thermoc.simulator.machine.electrothermal import ElectroThermal, moved
from thermoc.simulator.machine.heat_state import History, Load


@pytest.mark.slow
@pytest.mark.parametrize("v, T", [(0.3, 320.0), (0.5, 350.0)])
def test_a_self_heating_unit_comes_to_its_fixed_point(tmp_path: Path, v: float, T: float):
    """Chosen T and v give i, hence the bias v + 500 i and the air's temperature that it rests in, in closed form."""
    i = conduct(v, T)
    u = v + 500 * i
    island = 1e6 * (1 + 4 * 0.02)
    air = T - 1.4e6 * v * i - (island + stacked(load_chip("thermo-1"))) * u * i
    assert T - air > 2
    heat = one_unit(tmp_path, sampler__bias=repr(float(u)), package__ambient=repr(float(air)))
    for given in (
        heat.run(load(heat.chip, 20, slot=1e-3, units=1, each=20)),
        heat.run(load(heat.chip, 60, slot=0.1, units=1, each=60), start="ambient"),
    ):
        shown = given.islands[-1, 0] + 1.4e6 * v * i
        assert abs(shown - T) < 1e-6 * (T - air)
        assert given.sampler[0] == pytest.approx(u * i * given.times[-1], rel=1e-4)


def test_leakage_comes_to_its_fixed_point(tmp_path: Path):
    """The same with the die's own feedback: P0 exp((T - T0) / fold) through the package."""
    c = chip(tmp_path, **ONE, leakage__tile_power="15", package__resistance="100", leakage__fold="30")
    heat = ElectroThermal(c)
    Ta, T0, f = c["package.ambient"], c["leakage.reference"], c["leakage.fold"]
    R = stacked(c)
    exact = Ta - f * float(lambertw(-(R * c["leakage.tile_power"] / f) * np.exp((Ta - T0) / f)).real)
    assert np.isfinite(exact) and exact > Ta + 5
    assert abs(heat.run(load(c, 5)).die[-1, 0] - exact) < 1e-6 * (exact - Ta)


def test_an_island_relaxes_with_its_own_time(tmp_path: Path):
    """R C = 0.1 us under a heater: after a slot of 0.1 us, 1 - 1/e of the way to where the heater holds it."""
    heat = one_unit(tmp_path, heater="400")
    given = load(heat.chip, 10, slot=1e-7, target=310.0, units=1, duty=1e-4)
    found, aim = heat.run(given, start="ambient"), heat.hold(given).aim[0]
    assert 309.9 < aim < 310
    assert np.allclose(found.islands[:, 0] - 300, (aim - 300) * (1 - np.exp(-np.arange(11))), rtol=1e-3)


def test_heaters_hold_their_target_and_cannot_cool(tmp_path: Path):
    cold, hot = one_unit(tmp_path), one_unit(tmp_path, heater="400")
    seldom = {"units": 1, "duty": 1e-2}
    assert cold.run(load(cold.chip, 3, target=350.0, **seldom)).islands[-1, 0] == pytest.approx(300, abs=0.05)
    held = hot.run(load(hot.chip, 30, target=350.0, **seldom))
    assert held.kelvin[5:] == pytest.approx(350, abs=2e-3)
    assert held.islands[-1, 0] < 349.9  # below by what a pulse adds
    warm = hot.run(load(hot.chip, 3, target=301.0, power=0.01, **seldom))
    assert warm.islands[-1, 0] == pytest.approx(warm.die[-1, 0], abs=0.05) and warm.die[-1, 0] > 302
    assert warm.heater[0] == 0
    beyond = hot.run(load(hot.chip, 3, target=1000.0, **seldom))
    assert hot.units is not None
    most = hot.chip["heater.power"] * hot.units.rise
    assert beyond.islands[-1, 0] == pytest.approx(beyond.die[-1, 0] + most, abs=1.0)


def busy_chip() -> tuple[ElectroThermal, Load]:
    heat = ElectroThermal(load_chip("thermo-1"))
    rng = np.random.default_rng(0)
    power = rng.uniform(0, 0.02, (60, 256)) * (rng.uniform(size=(60, 1)) > 0.3)
    return heat, load(heat.chip, 60, slot=2e-5, power=power, units=256, duty=5e-4, target=330.0)


@pytest.fixture(scope="module")
def busy() -> tuple[ElectroThermal, Load, History]:
    heat, given = busy_chip()
    return heat, given, heat.run(given, start="ambient")


@pytest.mark.slow
def test_the_books_close(busy):
    """First law (P45): what went in is what came out and what is stored, and each joule in has its name."""
    _, given, found = busy
    ledger = found.ledger
    assert ledger is not None and abs(ledger.gap) < 1e-10 * ledger.work
    named = (given.seconds @ given.power).sum() + (found.heater + found.leakage + found.sampler).sum()
    assert ledger.work == pytest.approx(named, rel=1e-12)


def halved(given: Load) -> Load:
    """The same power in slots of half the length."""
    edges = np.sort(np.concatenate([given.edges, (given.edges[1:] + given.edges[:-1]) // 2]))
    return replace(given, edges=edges, power=np.repeat(given.power, 2, axis=0))


@pytest.mark.slow
def test_the_lag_is_of_first_order(busy):
    """Half the slot, half the error: what halving moves falls by about two."""
    heat, given, found = busy
    half = halved(given)
    fine, finest = (heat.run(one, start="ambient") for one in (half, halved(half)))
    over = given.pulses.end <= given.edges[-1]
    once, twice = moved(found, fine, over), moved(fine, finest, over)
    assert once > 1e-7 and 1.5 < once / twice < 3


@pytest.mark.slow
def test_a_run_ends_where_its_last_slot_is_cut(busy):
    """Half of the last slot alone: what leaks and holds units is not counted beyond the end."""
    heat, given, found = busy
    edges = given.edges.copy()
    edges[-1] -= (edges[-1] - edges[-2]) // 2
    cut = heat.run(replace(given, edges=edges), start="ambient")
    assert cut.leakage.sum() / found.leakage.sum() == pytest.approx(cut.times[-1] / found.times[-1], rel=1e-3)
    assert np.array_equal(cut.die[:-1], found.die[:-1])


def test_power_warms_its_own_place_most():
    A = ElectroThermal(load_chip("thermo-1")).influence()
    assert np.array_equal(A.argmax(axis=0), np.arange(256))
    assert np.allclose(A, A.T, rtol=1e-9)


def test_a_chip_that_runs_away_is_told_with_time_and_place(tmp_path: Path):
    heat = ElectroThermal(chip(tmp_path, package__resistance="40"))
    power = np.zeros((5, 256))
    power[:, 37] = 3.0
    for start, fact in (("steady", "core 37 (tile 9)"), ("ambient", "after")):
        with pytest.raises(tc.ThermocError) as caught:
            heat.run(load(heat.chip, 5, slot=1e-2, power=power), start=start)
        assert caught.value.code == "T415" and fact in str(caught.value) and "3 W" in str(caught.value)
