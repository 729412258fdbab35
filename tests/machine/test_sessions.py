"""Sessions on a chip: runs in pieces are whole runs, in numbers, kelvins, joules and cycles; probes are no work."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pytest
from cases import BATCH, CASES, SEED, inputs, network
from cases import TICKS as TABLE
from hypothesis import given, settings
from hypothesis import strategies as st
from machine.chips_by_hand import hot

import thermoc as tc
from thermoc.backends.chip import kelvins
from thermoc.backends.sim.run import ProgramSession
from thermoc.simulator.machine import heat_run

RNG = np.random.default_rng(0)
TICKS = 24


def annealed() -> tc.Network:
    """Every kind of heat: products on cells, sweeps under heaters, a device's step, a delayed state."""
    J = np.roll(np.eye(40), 1, axis=1) + np.roll(np.eye(40), -1, axis=1)
    with tc.Network("annealed") as net:
        T = tc.schedule(kind="exponential", T0=3.0, parameter=4.0, T_min=0.5)
        h = tc.tanh(tc.affine(tc.input("x", (30,)), RNG.normal(size=(40, 30))))
        tc.output("s", tc.sample_binary(h + tc.delay(h, ticks=3), 1.0))
        tc.output("g", tc.gibbs(T, J, sweeps=2))
        tc.output("m", tc.memory(h, 0.7, 0.2))
    return net


@pytest.fixture(scope="module")
def exe(tmp_path_factory: pytest.TempPathFactory) -> tc.Executable:
    """On a hot die, with slots that begin and end within ticks."""
    options = {"temperature": "die", "cells": "chip", "input_range": (-1.0, 1.0), "slot": 7e-6, "start": "ambient"}
    return tc.compile(annealed(), "chip", chip=hot(tmp_path_factory.mktemp("chip")), **options)


X = RNG.uniform(-1, 1, size=(TICKS, 2, 30))


@pytest.fixture(scope="module")
def whole(exe: tc.Executable) -> tc.Run:
    return exe.run({"x": X}, ticks=TICKS, seed=5)


def everything(run: tc.Run) -> dict[str, Any]:
    """Return all that a chip says of itself."""
    history, units = run.chip.run.history, run.chip.run.units
    courses = {name: getattr(history, name).tobytes() for name in ("edges", "die", "islands", "watts")}
    kelvins = {f"{name}.kelvin": kelvin.tobytes() for name, kelvin in units.kelvin.items()}
    targets = {f"{name}.target": target.tobytes() for name, target in units.targets.items()}
    return run.chip.to_json() | courses | kelvins | targets | {"ticks": units.ticks.tolist()}


def pieces(exe: tc.Executable, cuts: list[int]) -> list[tc.Run]:
    """Return the runs of a session that is cut at these ticks."""
    edges = [0, *cuts, TICKS]
    with exe.start(batch=2, seed=5) as session:
        return [session.run(b - a, {"x": X[a:b]}) for a, b in itertools.pairwise(edges)]


@settings(max_examples=4)
@given(cuts=st.lists(st.integers(1, TICKS - 1), max_size=6, unique=True).map(sorted))
def test_pieces_are_the_whole(exe: tc.Executable, whole: tc.Run, cuts: list[int]):
    runs = pieces(exe, cuts)
    for name, array in whole.outputs.items():
        assert np.array_equal(np.concatenate([run[name] for run in runs]), array), name
    for name, array in whole.states.items():
        assert np.array_equal(runs[-1].states[name], array), name
    assert everything(runs[-1]) == everything(whole)


def test_tick_by_tick_is_the_whole(exe: tc.Executable, whole: tc.Run):
    runs = pieces(exe, [*range(1, TICKS)])
    assert np.array_equal(np.concatenate([run["g"] for run in runs]), whole["g"])
    assert everything(runs[-1]) == everything(whole)
    assert whole.chip.lag_error > 0 and whole.chip.components["heater"] > 0


def test_a_block_of_ticks_is_no_cut(exe: tc.Executable, whole: tc.Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("thermoc.backends.chip.run.BLOCK", 2)
    assert everything(exe.run({"x": X}, ticks=TICKS, seed=5)) == everything(whole)


def test_the_future_warms_nothing(exe: tc.Executable, whole: tc.Run):
    """Temperatures at which units draw in the first ticks are those of a run that ends with them."""
    short = exe.run({"x": X[:9]}, ticks=9, seed=5)
    for name, kelvin in short.chip.run.kelvin.items():
        assert np.array_equal(kelvin, whole.chip.run.kelvin[name][: 9 * 2]), name
    begun = short.chip.run.history.die[:-1]  # the last slot is cut
    assert np.array_equal(begun, whole.chip.run.history.die[: len(begun)])


def test_another_session_goes_on_from_a_snapshot(exe: tc.Executable, whole: tc.Run):
    """States, die, units, sums: all are arrays, and what follows is what would have followed."""
    from thermoc.backends.base import NoisePosition
    from thermoc.ir.feed import feed

    backend, artefact = exe.backend, exe.artefact
    first, second = (backend.start(artefact, batch=2, position=NoisePosition(seed=5)) for _ in range(2))

    def part(a: int, b: int) -> Any:
        return feed(exe.graph, {"x": X[a:b]}, ticks=b - a, batch=2)

    first.advance(part(0, 11))
    kept = {name: array.copy() for name, array in first.snapshot().items()}
    first.advance(part(11, TICKS))
    second.restore(kept, 11)
    outputs = second.advance(part(11, TICKS))
    assert np.array_equal(outputs["g"], whole["g"][11:]) and second.tick == TICKS
    assert second.chip.to_json() == first.chip.to_json() == whole.chip.to_json()


@pytest.mark.parametrize("numbers", [False, True])
def test_what_fails_changes_nothing(exe: tc.Executable, whole: tc.Run, monkeypatch: pytest.MonkeyPatch, numbers: bool):
    """A run that is stopped before or after its numbers are there leaves clock, die and states as they were."""
    advance = ProgramSession.advance
    with exe.start(batch=2, seed=5) as session:
        before = session.run(8, {"x": X[:8]}).states

        def stopped(*given: Any, **named: Any) -> None:
            if numbers:
                advance(*given, **named)
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(ProgramSession, "advance", stopped)
            with pytest.raises(KeyboardInterrupt):
                session.run(9, {"x": X[8:17]})
        assert session.tick == 8 and all(np.array_equal(session.state[name], array) for name, array in before.items())
        assert everything(session.run(TICKS - 8, {"x": X[8:]})) == everything(whole)


def test_a_state_that_is_set_is_gone_on_from(exe: tc.Executable):
    with exe.start(batch=2, seed=5) as session:
        session.run(3, {"x": X[:3]})
        name = next(name for name in session.state if name.endswith("memory.m") or "memory" in name)
        session.state[name] = 5.0
        assert (session.run(1, {"x": X[3:4]})["m"] > 2).all()


def test_no_parameters_are_nothing_to_replace(exe: tc.Executable):
    assert exe.with_parameters({}) is exe
    with exe.start(batch=2, parameters={}) as session:
        session.parameters.update({})


def test_a_closed_loop_feels_the_die(tmp_path):
    """A thermostat: drives follow from the spikes of the tick before, at temperatures that follow from the work."""
    with tc.Network("loop") as net:
        tc.output("s", tc.sample_binary(tc.input("x", (64,)), 1.0))
    runs = {}
    for temperature in ("die", "model"):
        loop = tc.compile(net, "chip", chip=hot(tmp_path), temperature=temperature).start(batch=3, seed=1)
        drive, spikes = np.full((3, 64), 1.0), []
        for _ in range(60):
            s = loop.step({"x": drive})["s"]
            drive += 0.2 * (0.6 - s.mean(axis=1, keepdims=True))
            spikes.append(s)
        runs[temperature] = np.array(spikes), drive.mean()
    assert abs(runs["die"][0][30:].mean() - 0.6) < 0.05
    # at 360 K instead of 300 K it takes a drive that is larger by a fifth: log(0.6 / 0.4) T
    assert runs["die"][1] == pytest.approx(1.2 * np.log(1.5), abs=0.15) and not np.array_equal(
        runs["die"][0], runs["model"][0]
    )


def test_books_of_a_session_close(exe: tc.Executable):
    """First law (P45) over all of its calls, and the joules of components are those that came in."""
    report = pieces(exe, [5, 6, 13])[-1].chip
    assert abs(report.heat_gap) < 1e-10 * report.heat_in
    assert report.heat_in == pytest.approx(sum(report.components.values()), rel=1e-9)
    assert report.heat_in == pytest.approx(report.mean_watts * report.seconds, rel=1e-12)
    assert sum(op.joules for op in report.ops) == pytest.approx(report.joules, rel=1e-9)


def test_a_thinned_course_keeps_its_joules(exe: tc.Executable, whole: tc.Run, monkeypatch: pytest.MonkeyPatch):
    """Pictures of long sessions have fewer edges; what is summed stays."""
    monkeypatch.setattr(heat_run, "MOST_CELLS", 256 * 8)
    thin = pieces(exe, [5, 6, 13])[-1].chip
    history, full = thin.run.history, whole.chip.run.history
    assert len(history.watts) < len(full.watts) / 2 and history.edges[-1] == full.edges[-1]
    joules, wanted = ((np.diff(one.times) @ one.watts).sum() for one in (history, full))
    assert joules == pytest.approx(wanted, rel=1e-12)
    assert set(history.edges) <= set(full.edges)
    assert thin.to_json() == whole.chip.to_json()
    assert json.dumps(thin.to_json())


@pytest.mark.parametrize("most", [1, 3, 9, 23])
def test_what_is_thinned_does_not_follow_from_the_cuts(exe: tc.Executable, most: int, monkeypatch: pytest.MonkeyPatch):
    """What is left begins at the start, and is no more than it may be."""
    monkeypatch.setattr(heat_run, "MOST_CELLS", most * 256)
    monkeypatch.setattr(kelvins, "MOST_KELVINS", most * 2 * 3 * 40)
    run = exe.run({"x": X}, ticks=TICKS, seed=5)
    for cuts in ([1], [1, 2, 9, 10, 11], [*range(1, TICKS)]):
        assert everything(pieces(exe, cuts)[-1]) == everything(run)
    every, ticks = run.chip.run.now.drawn.every, run.chip.run.units.ticks.tolist()
    assert ticks == [*range(0, TICKS, every)] and len(ticks) <= most
    assert f"units every {every} ticks" in str(run.chip) and run.chip.run.now.record.every > 1


def test_kelvins_do_not_follow_from_how_a_run_is_cut(exe: tc.Executable, whole: tc.Run, monkeypatch):
    """What a run cuts itself into follows from how fast it is."""
    monkeypatch.setattr("thermoc.run_loop.FIRST", 5)
    assert everything(exe.run({"x": X}, ticks=TICKS, seed=5)) == everything(whole)


def test_probes_are_no_work():
    """With probes, and draws that they alone need, the chip does what it does without."""

    def net(probed: bool) -> tc.Network:
        with tc.Network("watched") as built:
            h = tc.affine(tc.input("x", (30,)), np.ones((20, 30)))
            if probed:
                tc.probe("h", h)
            tc.output("s", tc.tanh(h))
            if probed:
                tc.probe("p", tc.sample_binary(tc.tanh(tc.affine(h, np.ones((50, 20)))), 1.0))
        return built

    exes = [tc.compile(net(probed), "chip", chip="thermo-1", temperature="die") for probed in (False, True)]
    assert str(exes[0].artefact) == str(exes[1].artefact)
    plain, probed = (exe.run({"x": np.ones((2, 30))}, ticks=3) for exe in exes)
    assert plain.chip.to_json() == probed.chip.to_json() and np.array_equal(plain["s"], probed["s"])


def test_a_batch_whose_states_no_buffer_holds_is_refused():
    """30 bytes of a delay of 3 ticks are 90; a tile keeps 65,536 bytes, messages among them."""
    with tc.Network("kept") as net:
        tc.output("y", tc.delay(tc.input("x", (30,)), ticks=3))
    exe = tc.compile(net, "chip", chip="thermo-1")
    exe.start(batch=600).close()
    with pytest.raises(tc.ThermocError) as caught:
        exe.start(batch=800)
    assert caught.value.code == "T306" and "90 bytes of states of each of 800 samples" in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("case", sorted(CASES)[::6])
def test_every_sixth_case_in_pieces(case: str):
    """Of the conformance table; which are tried follows from the names."""
    net = network(case, "all vary")
    try:
        exe = tc.compile(net, "chip", chip="thermo-1", temperature="die")
        fed = inputs(net)
        whole = exe.run(fed, ticks=TABLE, batch=BATCH, seed=SEED)
    except tc.ThermocError as problem:
        assert problem.code in ("T301", "T303", "T305", "T306"), problem
        return
    with exe.start(batch=BATCH, seed=SEED) as session:
        for ticks in (1, 2):
            first = session.tick
            run = session.run(ticks, {name: array[first : first + ticks] for name, array in fed.items()})
            for name, array in run.outputs.items():
                assert np.array_equal(array, whole[name][first : first + ticks], equal_nan=True), name
    for name, array in whole.states.items():
        assert np.array_equal(run.states[name], array, equal_nan=True), name
    assert run.chip.to_json() == whole.chip.to_json()
