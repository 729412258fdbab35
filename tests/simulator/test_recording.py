"""What the engine records is what the recorders make of every value: the same bits, wherever the run is cut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thermoc as tc
from thermoc import simulator
from thermoc.backends.base import NoisePosition
from thermoc.backends.sim import recording
from thermoc.backends.sim.run import ProgramSession
from thermoc.ir.feed import Feed, feed
from thermoc.ir.recording import Counts, EventList, Every, Extremes, Last, Moments, Recorder, Signal, Sums
from thermoc.simulator import engine, load
from thermoc.simulator.instructions.registry import BY_NAME
from thermoc.simulator.session import Session
from thermoc.simulator.wanted_outputs import Wanted, effort, with_outputs

TICKS, BATCH, UNITS = 57, 3, 120
X = np.random.default_rng(0).normal(size=(TICKS, BATCH, UNITS))
POSITION = NoisePosition(seed=3)


def network() -> tc.Network:
    with tc.Network("units") as net:
        m = tc.memory(tc.input("x", (UNITS,)), T=0.2)
        up, spin = tc.sample_binary(m, T=1.0), tc.sample_binary(-m, T=1.0, levels="spin")
        for name, value in {"m": m, "up": up, "spin": spin, "truth": m > 0.1}.items():
            tc.output(name, value)
        tc.output("few", tc.slice(up, starts=(0,), stops=(5,), steps=(1,)))
        tc.probe("E", -tc.reduce(m * up * spin, kind="sum", axes=(0,)))
    return net


def started(exe: tc.Executable) -> ProgramSession:
    return exe.backend.start(exe.artefact, batch=BATCH, position=POSITION)


def fed(exe: tc.Executable, first: int = 0, stop: int = TICKS) -> Feed:
    return feed(exe.graph, {"x": X[first:stop]}, ticks=stop - first, batch=BATCH)


def recorders(outputs: dict[str, Any]) -> dict[str, list[Recorder]]:
    levels = {"up": (0, 1), "spin": (-1, 1), "few": (0, 1)}
    signals = {
        name: Signal(ticks=TICKS, batch=BATCH, dtype=a.dtype, shape=a.shape[2:], levels=levels.get(name))
        for name, a in outputs.items()
    }
    m, up, E = signals["m"], signals["up"], signals["E"]
    return {
        "m": [Moments(m), Last(m), Every(m)],
        "up": [Sums(up), Every(up, 10), Extremes(up), EventList(up)],
        "spin": [Sums(signals["spin"]), Moments(signals["spin"])],
        "truth": [Sums(signals["truth"])],
        "few": [Counts(signals["few"])],
        "E": [Every(E, 7), Every(E, 11), Moments(E), Moments(E)],
    }


def same(expected: dict[str, list[Recorder]], found: dict[str, list[Recorder]]) -> None:
    for name, several in expected.items():
        for one, other in zip(several, found[name]):
            assert one.seen == other.seen
            for field, array in one.fields.items():
                np.testing.assert_array_equal(array, other.fields[field], err_msg=f"{name}, {type(one).__name__}")


def chosen(of: dict[str, list[Recorder]], kinds: tuple[type, ...]) -> dict[str, list[Recorder]]:
    kept = {name: [one for one in several if isinstance(one, kinds)] for name, several in of.items()}
    return {name: several for name, several in kept.items() if several}


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("switch", [0, 2**40], ids=["rare ticks apart", "all ticks alike"])
@pytest.mark.parametrize("chunk", [2**22, 1], ids=["at once", "tick by tick"])
def test_the_engine_records_what_recorders_take(precision: str, switch: int, chunk: int, monkeypatch):
    monkeypatch.setattr(recording, "SWITCH", switch)
    monkeypatch.setattr(recording, "CHUNK_BYTES", chunk)
    exe = tc.compile(network(), precision=precision)
    whole = started(exe)
    outputs = whole.advance(fed(exe))
    for kinds in ((Recorder,), (Sums, Moments), (Every, Last), (Every, Sums)):
        expected = chosen(recorders(outputs), kinds)
        for name, several in expected.items():
            for recorder in several:
                recorder.take(outputs[name])
        for ends in ([TICKS], [1, 5, 30, 31, TICKS]):
            session, found = started(exe), chosen(recorders(outputs), kinds)
            for first, stop in zip([0, *ends], ends):
                session.record(fed(exe, first, stop), found)
            same(expected, found)
            assert session.tick == TICKS
            for name, array in whole.states.items():
                np.testing.assert_array_equal(array, session.states[name])


def test_a_stopped_recording_leaves_recorders_and_session_as_they_were(monkeypatch: pytest.MonkeyPatch):
    exe = tc.compile(network())
    whole, session = started(exe), started(exe)
    outputs = whole.advance(fed(exe))
    expected, found, before = recorders(outputs), recorders(outputs), recorders(outputs)
    whole, twin = started(exe), started(exe)
    whole.record(fed(exe), expected)
    twin.record(fed(exe, 0, 20), before)
    session.record(fed(exe, 0, 20), found)
    fill, calls = engine.Engine.fill, list[int]()

    def stopped(self: Any, *arguments: Any) -> None:
        fill(self, *arguments)
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(engine.Engine, "fill", stopped)
        patch.setattr(recording, "SWITCH", 0)
        with pytest.raises(KeyboardInterrupt):
            session.record(fed(exe, 20), found)
    assert session.tick == 20
    same(before, found)
    session.record(fed(exe, 20), found)
    same(expected, found)


def test_what_nobody_wants_is_not_computed():
    program = tc.compile(network()).artefact.program
    lean = with_outputs(program, Wanted(frozenset({"m"})))
    assert effort(lean) < effort(program) / 2
    assert BY_NAME["P_BITS"].opcode in program.code[:, 0] and BY_NAME["P_BITS"].opcode not in lean.code[:, 0]
    assert [port.name for port in lean.outputs] == ["m"]
    assert lean.states == program.states and lean.inputs == program.inputs


def test_a_file_holds_no_probe(tmp_path: Path):
    exe = tc.compile(network())
    exe.save(tmp_path / "units.program")
    program = load(tmp_path / "units.program")
    assert {port.name for port in program.outputs} == exe.graph.outputs.keys() - {"E"}
    found = simulator.run(program, {"x": X}, ticks=TICKS, batch=BATCH, seed=3)
    expected = started(exe).advance(fed(exe))
    for name, array in found.outputs.items():
        np.testing.assert_array_equal(array, expected[name])


def test_a_product_that_runs_for_many_ticks_at_once_still_does():
    """Its mean is taken from values, a piece at a time."""
    with tc.Network("wide") as net:
        tc.output("y", tc.affine(tc.memory(tc.input("x", (UNITS,)), T=1.0), np.ones((UNITS, UNITS))))
    exe = tc.compile(net)
    signal = Signal(ticks=TICKS, batch=BATCH, dtype=np.dtype(float), shape=(UNITS,))
    session, recorder, expected = started(exe), Moments(signal), Moments(signal)
    expected.take(started(exe).advance(fed(exe))["y"])
    schedule = recording.schedule_of(exe.artefact.program, [("y", recorder)], TICKS)
    assert schedule.dense and not schedule.moments
    session.record(fed(exe), {"y": [recorder]})
    same({"y": [expected]}, {"y": [recorder]})


def test_a_replaced_program_goes_on_with_its_numbers():
    """Constants may change under a session: it holds no address of those that were."""

    def scaled(factor: float) -> tc.Executable:
        with tc.Network("scaled") as net:
            tc.output("y", tc.affine(tc.memory(tc.input("x", (UNITS,)), T=1.0), factor * np.eye(UNITS)))
        return tc.compile(net)

    one, other = scaled(1.0), scaled(2.0)
    session: Session = started(one)._session
    first = session.run({"x": X[:5]}, ticks=5)["y"]
    session.program = other.artefact.program
    second = session.run({"x": X[5:]}, ticks=TICKS - 5)["y"]
    whole = started(one).advance(fed(one))["y"]
    np.testing.assert_array_equal(np.concatenate([first, second / 2]), whole)
