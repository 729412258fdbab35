"""The electro-thermal loop against closed forms, its books, and what it refuses."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from scipy.special import lambertw

import thermoc as tc
from thermoc.simulator.chips import Chip, load_chip
from thermoc.simulator.machine.heat import ElectroThermal, History, Load

TEXT = files("thermoc.simulator.chips").joinpath("thermo-1.toml").read_text()


def chip(folder: Path, **changes: str) -> Chip:
    """Return thermo-1 with some values replaced, by section__name="value"."""
    text = TEXT
    for name, value in changes.items():
        section, key = name.split("__")
        head, rest = text.split(f"[{section}]\n", 1)
        line = next(line for line in rest.splitlines() if line.startswith(f"{key} ="))
        text = f"{head}[{section}]\n" + rest.replace(
            line, f"{key} = {{ value = {value}, unit{line.split('unit', 1)[1]}", 1
        )
    path = folder / "changed.toml"
    path.write_text(text)
    return load_chip(path)


def load(chip: Chip, slots: int, slot: float = 1e-6, **given: float | np.ndarray) -> Load:
    """Return a load of noughts but for what is given."""
    shape = (slots, chip.cores)
    full = {"power": 0.0, "busy": 0.0, "target": 0.0} | given
    whole = {name: np.broadcast_to(full[name], shape).astype(float) for name in ("power", "busy", "target")}
    units = np.broadcast_to(full.get("units", 0.0), chip.cores).astype(float)
    return Load(slot=slot, units=units, awake=np.broadcast_to(full.get("awake", True), chip.cores), **whole)


def one_bit(folder: Path, **changes: str) -> ElectroThermal:
    one = {"mesh__columns": "1", "mesh__rows": "1", "mesh__cores": "1", "adc__cores_a_bank": "1"}
    cold = {"leakage__tile_power": "0", "heater__power": "0"}
    return ElectroThermal(chip(folder, **one, **cold, **changes))


@pytest.mark.parametrize("power", ["2", "20"])
def test_a_self_heating_p_bit_comes_to_its_fixed_point(tmp_path: Path, power: str):
    """T = Ta + R P0 exp((T - T0) / f), R of island and die: T = Ta - f W(-(R P0 / f) exp((Ta - T0) / f))."""
    heat = one_bit(tmp_path, sampler__power=power)
    c = heat.chip
    Ta, T0, f = c["package.ambient"], c["sampler.reference"], c["sampler.fold"]
    island = c["sampler.resistance"] * (1 + 4 * c["sampler.crosstalk"])
    R = island + float(heat.steady(np.array([1.0]))[0] - Ta)
    exact = Ta - f * float(lambertw(-(R * c["sampler.power"] / f) * np.exp((Ta - T0) / f)).real)
    assert exact > Ta + 1
    settled = heat.run(load(c, 20, busy=1.0, units=1.0))
    assert abs(settled.bits[-1, 0] - exact) < 1e-6 * (exact - Ta)
    warmed = heat.run(load(c, 60, slot=0.1, busy=1.0, units=1.0), start="ambient")
    assert warmed.bits[0, 0] == Ta and abs(warmed.bits[-1, 0] - exact) < 1e-6 * (exact - Ta)


def test_leakage_comes_to_its_fixed_point(tmp_path: Path):
    """The same with the die's own feedback: P0 exp((T - T0) / fold) through the package."""
    one = {"mesh__columns": "1", "mesh__rows": "1", "mesh__cores": "1", "adc__cores_a_bank": "1"}
    c = chip(tmp_path, **one, leakage__tile_power="15", package__resistance="100", leakage__fold="30")
    heat = ElectroThermal(c)
    Ta, T0, f = c["package.ambient"], c["leakage.reference"], c["leakage.fold"]
    R = float(heat.steady(np.array([1.0]))[0] - Ta)
    exact = Ta - f * float(lambertw(-(R * c["leakage.tile_power"] / f) * np.exp((Ta - T0) / f)).real)
    assert np.isfinite(exact) and exact > Ta + 5
    assert abs(heat.run(load(c, 5)).die[-1, 0] - exact) < 1e-6 * (exact - Ta)


def test_an_island_relaxes_with_its_own_time(tmp_path: Path):
    """R C = 0.1 us: after a slot of 0.1 us, 1 - 1/e of the way."""
    heat = one_bit(tmp_path, sampler__fold="1e12")
    busy = np.zeros((20, 1))
    busy[10:] = 1
    found = heat.run(load(heat.chip, 20, slot=1e-7, busy=busy, units=1.0), start="ambient")
    rise = found.bits[:, 0] - found.die[:, 0]
    full = heat.rise * heat.chip["sampler.power"]
    assert np.allclose(rise[10:], full * (1 - np.exp(-np.arange(11))), rtol=1e-4, atol=1e-7)


def test_heaters_hold_their_target_and_cannot_cool(tmp_path: Path):
    heat = one_bit(tmp_path)
    hot = ElectroThermal(
        chip(
            tmp_path, mesh__columns="1", mesh__rows="1", mesh__cores="1", adc__cores_a_bank="1", leakage__tile_power="0"
        )
    )
    assert heat.run(load(heat.chip, 3, units=1.0, target=350.0)).bits[-1, 0] == pytest.approx(
        300, abs=1e-6
    )  # no heater
    assert hot.run(load(hot.chip, 3, units=1.0, target=350.0)).bits[-1, 0] == pytest.approx(350, abs=1e-9)
    warm = hot.run(load(hot.chip, 3, units=1.0, target=301.0, power=0.01))
    assert warm.bits[-1, 0] == pytest.approx(warm.die[-1, 0]) and warm.die[-1, 0] > 302
    most = hot.chip["heater.power"] * hot.rise
    beyond = hot.run(load(hot.chip, 3, units=1.0, target=1000.0))
    assert beyond.bits[-1, 0] == pytest.approx(beyond.die[-1, 0] + most)


def busy_chip() -> tuple[ElectroThermal, Load]:
    heat = ElectroThermal(load_chip("thermo-1"))
    rng = np.random.default_rng(0)
    power = rng.uniform(0, 0.02, (200, 256)) * (rng.uniform(size=(200, 1)) > 0.3)
    return heat, load(heat.chip, 200, power=power, busy=20.0, units=256.0, target=330.0)


@pytest.fixture(scope="module")
def busy() -> tuple[ElectroThermal, Load, History]:
    heat, given = busy_chip()
    return heat, given, heat.run(given, start="ambient")


def test_the_books_close(busy):
    """First law (P45): what went in is what came out and what is stored, and each joule in has its name."""
    _, given, found = busy
    ledger = found.ledger
    assert ledger is not None and abs(ledger.gap) < 1e-10 * ledger.work
    named = given.power.sum() * given.slot + (found.heater + found.leakage + found.sampler).sum()
    assert ledger.work == pytest.approx(named, rel=1e-12)


def test_the_lag_is_of_first_order(busy):
    """Half the slot, half the error: what halving moves falls by about two."""
    heat, given, found = busy
    once = heat.lag(given, found, start="ambient")
    half = given.halved
    twice = heat.lag(half, heat.run(half, start="ambient"), start="ambient")
    assert once > 1e-7 and 1.5 < once / twice < 3


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
