"""The die under a chip's cores against finite volumes and a closed form: where cores lie, what layers conduct, leakage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.machine.finite_volumes import FiniteVolumes
from tests.machine.test_heat import ONE, chip, load, stacked
from thermoc.simulator.machine.electrothermal import ElectroThermal

OBLONG = {
    "mesh__columns": "3",
    "mesh__rows": "2",
    "mesh__cores": "6",
    "mesh__tile_height": "1.5",
    "adc__cores_a_bank": "2",
}


@pytest.fixture
def both(tmp_path: Path) -> tuple[ElectroThermal, FiniteVolumes]:
    """3 x 2 tiles of 3 x 2 cores, 1 mm x 1.5 mm each: no two directions are alike."""
    oblong = chip(tmp_path, **OBLONG)
    return ElectroThermal(oblong), FiniteVolumes(oblong, 3, 2)


def test_steady_temperatures_are_those_of_finite_volumes(both):
    heat, volumes = both
    watts = np.random.default_rng(0).uniform(0, 0.05, 36)
    assert heat.steady(watts) == pytest.approx(300 + volumes.rise(watts), abs=1e-8)
    for core in (0, 1, 3, 6, 35):
        assert heat.influence()[:, core] == pytest.approx(volumes.rise(np.eye(36)[core]), rel=1e-9)


def test_the_die_follows_its_power_as_finite_volumes_do(both, tmp_path: Path):
    """Piecewise constant power from cold: both are exact in time."""
    _, volumes = both
    heat = ElectroThermal(chip(tmp_path, **OBLONG, leakage__tile_power="0"))
    watts = np.random.default_rng(1).uniform(0, 0.5, (40, 36))
    found = heat.run(load(heat.chip, 40, slot=2e-5, power=watts), start="ambient")
    assert found.die.max() > 310
    assert found.die == pytest.approx(300 + volumes.courses(watts, 2e-5), abs=1e-8)


def test_tiles_leak_what_the_chip_says(both):
    """5 mW a tile of which instructions run and a twentieth of any other, times exp((T - 300 K) / 60 K): by iteration."""
    heat, volumes = both
    awake = np.repeat([True, False, True, True, False, False], 6)
    watts = np.random.default_rng(2).uniform(0, 0.05, 36)
    T, leak = np.full(36, 300.0), np.zeros(36)
    for _ in range(100):
        leak = 5e-3 / 6 * np.where(awake, 1.0, 0.05) * np.exp((T - 300) / 60)
        T = 300 + volumes.rise(watts + leak)
    found = heat.run(load(heat.chip, 4, power=watts, awake=awake))
    assert found.die == pytest.approx(np.tile(T, (5, 1)), abs=1e-6)
    assert found.leakage == pytest.approx(leak * 4e-6, rel=1e-7)


def test_one_core_is_a_stack_of_resistances(tmp_path: Path):
    heat = ElectroThermal(chip(tmp_path, **ONE))
    assert heat.steady(np.array([0.01]))[0] - 300 == pytest.approx(0.01 * stacked(heat.chip), rel=1e-9)
    assert stacked(heat.chip) == pytest.approx(504, rel=1e-3)
