"""Thermal slots: a run's joules and kelvins do not follow from them, and the report says what halving them moves."""

from __future__ import annotations

import numpy as np
import pytest

import thermoc as tc


def layer(n: int = 256) -> tc.Network:
    with tc.Network("layer") as net:
        tc.output("y", tc.affine(tc.input("x", (n,)), np.random.default_rng(0).normal(size=(n, n))))
    return net


def fast() -> tc.Network:
    """A schedule of ticks far shorter than a slot."""
    with tc.Network("fast") as net:
        T = tc.schedule(kind="linear", T0=2.0, parameter=400.0, T_min=0.3)
        tc.output("s", tc.sample_binary(tc.input("x", (16,)), T))
    return net


def test_joules_and_kelvins_of_a_run_do_not_follow_from_the_slot():
    """Leakage and heaters run as long as the run, not to the end of the last slot: 4.08 us are no 5 us."""
    x = np.ones((1, 256))
    coarse, fine = (tc.compile(layer(), "chip", chip="thermo-1", slot=s).run({"x": x}).chip for s in (1e-6, 1e-8))
    assert coarse.joules == pytest.approx(fine.joules, rel=0.001)
    assert coarse.mean_watts == pytest.approx(coarse.joules / coarse.seconds, rel=1e-9)
    assert abs(coarse.peak_kelvin - fine.peak_kelvin) < max(0.02, 4 * coarse.lag_error)


def test_the_lag_is_what_halving_the_slot_moves():
    """Power is binned anew, and every temperature that units draw at is compared."""
    runs = [
        tc.compile(fast(), "chip", chip="thermo-1", temperature="die", slot=slot).run(
            {"x": np.zeros((1, 16))}, ticks=300
        )
        for slot in (1e-6, 5e-7)
    ]
    coarse, fine = (next(iter(run.chip.run.kelvin.values())) for run in runs)
    assert 0 < np.abs(coarse - fine).max() <= runs[0].chip.lag_error * (1 + 1e-9)


def test_a_schedule_goes_on_in_a_later_run():
    """Ticks 20 to 29 alone: heaters are where they are in a run of all thirty."""
    exe, x = tc.compile(fast(), "chip", chip="thermo-1", temperature="die"), np.zeros((1, 16))
    whole = next(iter(exe.run({"x": x}, ticks=30).chip.run.targets.values()))
    later = next(iter(exe.run({"x": x}, ticks=10, first_tick=20).chip.run.targets.values()))
    assert np.array_equal(later, whole[20:]) and whole[20] < 605


def test_the_limit_of_events_counts_events():
    """Bytes times hops are no events: a tick has some thousands of events here, and 700 samples are few."""
    from thermoc.backends.chip.batch import MOST_EVENTS, check_events

    rng = np.random.default_rng(0)
    with tc.Network("wide") as net:
        h = tc.input("x", (1024,))
        for _ in range(3):
            h = tc.tanh(tc.affine(h, rng.normal(size=(1024, 1024)) / 32))
        tc.output("y", h)
    exe = tc.compile(net, "chip", chip="thermo-1")
    run = exe.run({"x": np.zeros((1, 1024))})
    check_events(exe.artefact.mapping, MOST_EVENTS // len(run.chip.run.events))
    with pytest.raises(tc.ThermocError, match="too many events"):
        check_events(exe.artefact.mapping, 2 * MOST_EVENTS // len(run.chip.run.events))
