"""Units that step inside their pulses: against an independent solver, their energy, their memory, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from machine.chips_by_hand import ONE, behind, chip, load, one_unit, worked
from scipy.integrate import solve_ivp

import thermoc as tc
from thermoc.backends.chip.temperatures import unit_kelvins
from thermoc.simulator.chips import load_chip
from thermoc.simulator.machine import ChipOp, run_events
from thermoc.simulator.machine.electrothermal import ElectroThermal
from thermoc.simulator.machine.pulses import pulses
from thermoc.simulator.machine.unit_state import NONE, Hold
from thermoc.simulator.machine.units import ThermalUnits

BIAS = 0.5


def units_of(heat: ElectroThermal) -> ThermalUnits:
    """Return the chip's units."""
    assert heat.units is not None
    return heat.units


def exact(T: float, heater: float, spans: list[tuple[float, float]], first: float) -> tuple[list[float], float, float]:
    """Return the mean temperature in each pulse, the joules and the island at the end, by Radau on the two nodes."""
    R, C, rise, capacity = 1.4e6, 1e-16, 1e6 * 1.08, 1e-13 / 1.08  # the island's R C is that of its own resistance

    def rates(u: float):
        def f(t, y):
            v, i = behind(u, y[0]) if u else (0.0, 0.0)
            flow = (y[0] - y[1]) / R
            loads = (u - v) * i
            return [(v * i - flow) / C, (flow + loads + heater - (y[1] - T) / rise) / capacity, u * i, y[0]]

        return f

    y, t, means = np.array([first, first, 0.0, 0.0]), 0.0, []
    for begin, end in spans:
        for u, until in ((0.0, begin), (BIAS, end)):
            if until > t:
                y[3] = 0.0
                y = solve_ivp(rates(u), (t, until), y, method="Radau", rtol=1e-9, atol=1e-14).y[:, -1].copy()
            t = until
        means.append(y[3] / (end - begin))
    return means, float(y[2]), float(y[1])


def test_pulses_against_an_independent_solver(tmp_path: Path):
    """Memristor and island as two nodes, two pulses and the gap between them: to 3e-4 of the memristor's rise."""
    heat = one_unit(tmp_path, sampler__bias=str(BIAS))
    spans = [(20e-9, 60e-9), (75e-9, 180e-9)]
    two = worked(heat.chip, 2, 1e-7, 1, 0.4)
    two.begin[:], two.end[:] = np.rint(np.array(spans).T * 1e12).astype(np.int64)
    T, heater, first = np.array([310.0]), 5e-6, 305.0
    means, joules, island = exact(310.0, heater, spans, first)
    units, kelvin = units_of(heat).resting(np.array([first])), np.zeros(2)
    hold = Hold(aim=310.0 + units_of(heat).rise * np.full(2, heater), own=np.zeros(2), most=1.0)
    spent = units_of(heat).advance(units, two, T, hold, (0, 180_000), kelvin)
    assert kelvin / np.diff(np.array(spans), axis=1)[:, 0] == pytest.approx(means, abs=3e-4 * (means[1] - 310))
    assert spent[0, 0] == pytest.approx(joules, rel=3e-4)
    assert spent[1, 0] == pytest.approx(heater * 180e-9, rel=1e-9)
    assert units.island[0] - 310 == pytest.approx(island - 310, rel=1e-3)


def test_slots_do_not_change_what_pulses_do(tmp_path: Path):
    """A pulse that is cut by the ends of slots goes on where it was."""
    heat = one_unit(tmp_path, sampler__bias=str(BIAS))
    one = worked(heat.chip, 1, 1e-7, 1, 0.9)
    T, whole, cut = np.array([320.0]), np.zeros(1), np.zeros(1)
    at_once = units_of(heat).resting(T)
    joules = units_of(heat).advance(at_once, one, T, NONE, (0, 100_000), whole)[0]
    stepwise, spent = units_of(heat).resting(T), 0.0
    for k in range(10):
        spent += units_of(heat).advance(stepwise, one, T, NONE, (k * 10_000, (k + 1) * 10_000), cut)[0, 0]
    assert cut[0] / 9e-8 - 320 == pytest.approx(whole[0] / 9e-8 - 320, rel=1e-3)
    assert spent == pytest.approx(joules[0], rel=1e-3)
    assert stepwise.island[0] == pytest.approx(at_once.island[0], abs=1e-2)


def test_a_shorter_run_is_as_busy(tmp_path: Path):
    """Pulses beyond its end, or across it, are not counted."""
    whole = load(one_unit(tmp_path).chip, 20, units=1, duty=0.25)
    assert whole.busy[0] == pytest.approx(0.25, rel=1e-12)
    assert whole.until(5_000_000).busy[0] == pytest.approx(0.25, rel=1e-12)
    assert whole.pulses.busy(1_100_000)[0] == pytest.approx(0.35 / 1.1, rel=1e-12)
    assert whole.pulses.mean[0] == 250_000 / 1e12


def test_the_response_is_what_a_pulse_does(tmp_path: Path):
    """At any temperature between its points, to 1e-6 of the rise."""
    heat = one_unit(tmp_path)
    response = units_of(heat).response(1e-8)
    one = worked(heat.chip, 1, 1e-8, 1, 1.0)
    for T in (302.2, 377.7, 611.1):
        kelvin, at = np.zeros(1), np.array([T])
        joules = units_of(heat).advance(units_of(heat).resting(at), one, at, NONE, (0, 10_000), kelvin)
        assert response.watts(at)[0] == pytest.approx(joules[0, 0] / 1e-8, rel=1e-5)
        assert response.beneath(kelvin / 1e-8)[0] == pytest.approx(T, abs=1e-5 * (kelvin[0] / 1e-8 - T) + 1e-5)


def other(folder: Path, device: str, bias: str, **changes: str) -> ElectroThermal:
    """Return one unit of another device."""
    heat = chip(folder, **ONE, sampler__bias=bias, **changes)
    path = folder / "changed.toml"
    path.write_text(path.read_text().replace('device = "nbo2"', f'device = "{device}"'))
    assert heat.name == "changed"
    return ElectroThermal(load_chip(path))


def test_a_filament_drifts_from_pulse_to_pulse(tmp_path: Path):
    """The gap of a filamentary cell closes under bias and stays between: each pulse finds more current than the last."""
    heat = other(tmp_path, "stanford", "2")
    T, spaced, gap = np.array([305.0]), worked(heat.chip, 30, 1e-6, 1, 0.1), []
    units, kelvin = units_of(heat).resting(T), np.zeros(30)
    for slot in range(30):
        units_of(heat).advance(units, spaced, T, NONE, (slot * 1_000_000, slot * 1_000_000 + 100_000), kelvin)
        gap.append(units.memristor[0, 1])
        units_of(heat).advance(units, spaced, T, NONE, (slot * 1_000_000 + 100_000, (slot + 1) * 1_000_000), kelvin)
        assert units.memristor[0, 1] == pytest.approx(gap[-1], rel=1e-3)
    assert (np.diff(gap) < 0).all() and gap[-1] < 0.98 * 1.7e-9
    assert (np.diff(kelvin) > 0).all() and kelvin[-1] > kelvin[0] + 1e-7


def test_a_resistor_takes_what_its_bias_gives(tmp_path: Path):
    heat = other(tmp_path, "rc", "0.02")
    found = heat.run(load(heat.chip, 10, units=1, duty=0.25))
    assert found.sampler[0] == pytest.approx(1e-3 * 0.02**2 * 10 * 0.25e-6, rel=1e-9)


def test_a_unit_that_runs_away_is_told_with_time_place_and_current(tmp_path: Path):
    heat = one_unit(tmp_path, sampler__bias="3")
    with pytest.raises(tc.ThermocError) as caught:
        heat.run(load(heat.chip, 3, units=1, duty=0.5), start="ambient")
    text = str(caught.value)
    assert caught.value.code == "T410" and "nbo2" in text and "core 0 (tile 0)" in text and "current" in text


def test_a_device_larger_than_its_island_is_refused(tmp_path: Path):
    with pytest.raises(tc.ThermocError, match="vo2 is too large for its island") as caught:
        other(tmp_path, "vo2", "12")
    assert caught.value.code == "T515" and "it has 4.96e-11 J/K" in str(caught.value)


def test_a_device_with_memory_and_a_capacitor_is_stepped_through_its_gaps(tmp_path: Path):
    """VO2 on an island large enough: its capacitor empties through it when the pulse is over, then it cools."""
    heat = other(tmp_path, "vo2", "12", sampler__capacity="1e-9", sampler__resistance="2e4")
    pulse = worked(heat.chip, 4, 1e-6, 1, 0.25, each=4)
    units, kelvin, T, shown = units_of(heat).resting(np.array([325.0])), np.zeros(1), np.array([325.0]), []
    for slot in range(4):
        units_of(heat).advance(units, pulse, T, NONE, (slot * 1_000_000, (slot + 1) * 1_000_000), kelvin)
        shown.append(units.memristor[0, 0])
    assert 325.3 < kelvin[0] / 1e-6 < 326 and shown[0] < shown[1] > shown[2] > shown[3] > 325


def test_an_unknown_device_is_refused(tmp_path: Path):
    with pytest.raises(tc.ThermocError, match="nbo2"):
        other(tmp_path, "nbo3", "0.3")


def test_each_colour_has_its_own_pulses_and_temperature():
    """Two sweeps of a ring of two colours: four pulses a tick and core, half the units each, every unit in one class."""
    n = 40
    J = np.roll(np.eye(n), 1, axis=1) + np.roll(np.eye(n), -1, axis=1)
    with tc.Network("ring") as net:
        tc.output("s", tc.gibbs(1.0, J, sweeps=2))
    run = tc.compile(net, "chip", chip="thermo-1", temperature="die").run(ticks=5, batch=2, seed=0)
    layout, tick = run.chip.run.artefact.mapping, run.chip.run.tick
    found = tick.pulses_of(0, 5)
    rows = layout.program.code[layout.program.code[:, 0] == ChipOp.SAMPLE]
    assert rows[:, 5].tolist() == [0, 1, 0, 1] and found.units.tolist() == [20, 20]
    assert np.diff(found.first).tolist() == [20, 20]  # 2 sweeps, 5 ticks, 2 samples
    again = pulses(run_events(layout.program, layout.chip, rounds=10), layout.program, 0)
    assert np.array_equal(again.end - again.begin, found.end - found.begin)
    assert np.array_equal(np.sort(found.begin), np.unique(found.begin)) and found.end.max() <= tick.end(5)
    shown = np.arange(40.0)
    (kelvin,) = unit_kelvins(layout, found, shown, 10).values()
    colour = layout.work.colours["gibbs"]
    for c in (0, 1):
        mean = shown.reshape(2, 10, 2)[c].mean(axis=1)
        assert np.array_equal(kelvin[:, colour == c], np.repeat(mean[:, None], 20, axis=1))
