"""A run in pieces is the run: whatever is cut, moved to another session, left out or stopped."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from cases import BATCH, CASES, SEED, network
from hypothesis import given, settings
from hypothesis import strategies as st

import thermoc as tc
from thermoc.backends.base import NoisePosition
from thermoc.backends.sim import ProgramArtefact
from thermoc.backends.sim.run import ProgramSession
from thermoc.ir.feed import Feed, feed
from thermoc.simulator import Program, engine, undo
from thermoc.simulator.bounds import check
from thermoc.simulator.wanted_outputs import Wanted, with_outputs

TICKS = 9
POSITION = NoisePosition(seed=SEED, first_tick=5)


def started(exe: tc.Executable) -> ProgramSession:
    return exe.backend.start(exe.artefact, batch=BATCH, position=POSITION)


def fed(exe: tc.Executable, first: int = 0, stop: int = TICKS) -> Feed:
    rng, arrays = np.random.default_rng(1), {}
    for name, op in exe.source.inputs.items():
        values = rng.normal(size=(TICKS, BATCH, *op.shape)) * (3 if op.dtype.numpy.kind == "i" else 1)
        arrays[name] = np.abs(values).astype(op.dtype.numpy)[first:stop]
    return feed(exe.graph, arrays, ticks=stop - first, batch=BATCH)


def same(expected: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    assert expected.keys() == found.keys()
    for name, array in expected.items():
        assert (array.shape, array.dtype) == (found[name].shape, found[name].dtype), name
        np.testing.assert_array_equal(array, found[name], err_msg=name)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("case", CASES)
@settings(max_examples=3, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_pieces_give_the_bits_of_the_whole(case: str, data: st.DataObject):
    exe = compiled(case)
    if not isinstance(exe.artefact, ProgramArtefact):
        return  # Loihi with ticks of its own is no single program
    check(reduced(exe.artefact.program))
    whole, session = started(exe), started(exe)
    expected = whole.advance(fed(exe))
    shapes = {name: (BATCH, *shape) for name, shape in exe.graph.states.items()}
    assert {name: array.shape for name, array in session.states.items()} == shapes
    ends = sorted({*data.draw(st.lists(st.integers(1, TICKS - 1), max_size=4)), TICKS})
    for first, stop in zip([0, *ends], ends):
        if data.draw(st.booleans(), "in another session"):
            other = started(exe)
            other.restore(session.snapshot(), session.tick)
            session = other
        chosen = data.draw(st.sampled_from([None, *exe.graph.outputs]), "output")
        found = session.advance(fed(exe, first, stop), None if chosen is None else [chosen])
        same({n: a[first:stop] for n, a in expected.items() if chosen in (None, n)}, found)
    assert session.tick == whole.tick == TICKS
    same(whole.states, session.states)


def reduced(program: Program) -> Program:
    """The program of totals and moments of all outputs, and of none of them itself."""
    names = [port.name for port in program.outputs], [port.name for port in program.outputs if not port.integer]
    return with_outputs(program, Wanted(frozenset(), *map(frozenset, names)))


_COMPILED: dict[str, tc.Executable] = {}


def compiled(case: str) -> tc.Executable:
    if case not in _COMPILED:
        _COMPILED[case] = tc.compile(network(case, "all vary"), "sim")
    return _COMPILED[case]


def chain() -> tc.Network:
    """A state in place, a ring, noise, and an output that costs a product."""
    with tc.Network("chain", dt=0.5) as net:
        m = tc.memory(tc.input("x", (40,)), T=0.2)
        tc.output("late", tc.delay(m, ticks=4))
        tc.output("far", tc.tanh(tc.affine(m, np.random.default_rng(0).normal(size=(60, 40)))))
        tc.output("up", m > 0)
    return net


def test_states_that_are_set_are_those_that_are_read():
    exe = tc.compile(chain())
    session, rng = started(exe), np.random.default_rng(0)
    session.advance(fed(exe, 0, 3))
    states = {name: rng.normal(size=array.shape) for name, array in session.states.items()}
    session.set_states(states)
    same(states, session.states)
    late = session.advance(fed(exe, 3, 7))["late"]
    np.testing.assert_array_equal(late.swapaxes(0, 1), states["delay.buffer"])  # oldest first


def test_ctrl_c_on_the_way_back_leaves_tick_and_states_of_one_time(monkeypatch: pytest.MonkeyPatch):
    exe = tc.compile(chain())
    whole, session = started(exe), started(exe)
    whole.advance(fed(exe, 0, 3))
    inner = session._session.run

    def interrupted(*args: Any, **options: Any) -> None:
        inner(*args, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(session._session, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        session.advance(fed(exe, 0, 3))
    assert session.tick == 3
    same(whole.states, session.states)


def test_outputs_that_nobody_holds_are_given_back():
    exe = tc.compile(chain())
    session = started(exe)
    array = session.advance(fed(exe), ["late"])["late"]
    while array.base is not None:
        array = array.base
    memory = weakref.ref(array)
    del array
    assert memory() is None


@pytest.mark.parametrize("whole", [2**17, 0], ids=["all states copied", "what is overwritten copied"])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_call_that_was_stopped_leaves_all_as_it_was(threads: int, whole: int, monkeypatch: pytest.MonkeyPatch):
    exe = tc.compile(chain(), threads=threads)
    monkeypatch.setattr(undo, "WHOLE", whole)
    monkeypatch.setattr(engine, "LEAST_WORK", 1)
    monkeypatch.setattr(engine, "DIRECT", 1)
    expected = started(exe).advance(fed(exe))
    session = started(exe)
    session.advance(fed(exe, 0, 4))
    before = session.states
    fill = engine.Engine.fill

    def stopped(self: Any, *arguments: Any) -> None:
        fill(self, *arguments)
        raise KeyboardInterrupt

    names, x = frozenset(expected), np.ones((BATCH, 40))
    with monkeypatch.context() as patch:
        patch.setattr(engine.Engine, "fill", stopped)
        for call in (
            lambda: session.advance(fed(exe, 4, 9)),
            lambda: session.advance(fed(exe, 4, 6)),
            lambda: session.step({"x": x}, names),
        ):
            with pytest.raises(KeyboardInterrupt):
                call()
            assert session.tick == 4
            same(before, session.states)
    same({name: array[4:] for name, array in expected.items()}, session.advance(fed(exe, 4)))


def test_steps_are_ticks():
    exe = tc.compile(chain())
    x = fed(exe).arrays["x"]
    whole = exe.run({"x": x}, seed=SEED)
    with exe.start(batch=BATCH, seed=SEED) as session:
        kept = [session.step({"x": x[tick]}) for tick in range(TICKS)]
        for name, array in whole.outputs.items():
            np.testing.assert_array_equal(np.stack([outputs[name] for outputs in kept]), array)
        assert session.tick == TICKS
        same(whole.states, dict(session.state))


WRONG = {
    "name": ({"y": np.ones((2, 40))}, "T401"),
    "shape": ({"x": np.ones((2, 41))}, "T402"),
    "batch": ({"x": np.ones((3, 40))}, "T402"),
    "number": ({"x": np.full((2, 40), np.inf)}, "T403"),
    "not a number": ({"x": np.full((2, 40), np.nan)}, "T403"),
    "dtype": ({"x": np.ones((2, 40), complex)}, "T403"),
    "nothing": (None, "T401"),
    "no mapping": ([1.0], "T401"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_step_with_a_wrong_input_is_refused_and_takes_none(case: str):
    inputs, code = WRONG[case]
    session = tc.compile(chain()).start(batch=2)
    session.step({"x": np.ones((2, 40))})
    with pytest.raises(tc.ThermocError) as caught:
        session.step(inputs)
    assert caught.value.code == code and session.tick == 1


def test_a_step_takes_what_a_run_takes():
    """Integers, float32, lists, large numbers: whatever the quick look does not pass is looked at closely."""
    exe = tc.compile(chain())
    quick, slow = exe.start(batch=2), exe.start(batch=2)
    for x in (np.ones((2, 40), int), np.ones((2, 40), np.float32), np.ones((2, 40)).tolist(), np.full((2, 40), 1e200)):
        found, expected = quick.step({"x": x}), slow.run(1, {"x": x})
        same({name: array[0] for name, array in expected.outputs.items()}, found)


def test_a_temperature_that_is_none_is_refused_by_a_step():
    with tc.Network("hot") as net:
        tc.output("s", tc.sample_binary(tc.constant(np.zeros(3)), T=tc.input("T", (), role="temperature")))
    session = tc.compile(net).start()
    session.step({"T": np.ones(1)})
    with pytest.raises(tc.ThermocError) as caught:
        session.step({"T": np.zeros(1)})
    assert caught.value.code == "T403"


def test_steps_leave_nothing_behind():
    exe, x = tc.compile(chain()), {"x": np.ones((1, 40))}
    with exe.start() as session:

        def held() -> tuple[int, int]:
            gc.collect()
            return len(gc.get_objects()), tracemalloc.get_traced_memory()[0]

        for _ in range(100):
            session.step(x)
        tracemalloc.start()
        session.step(x)
        objects, memory = held()
        for _ in range(5000):
            session.step(x)
        more_objects, more_memory = held()
        tracemalloc.stop()
    assert more_objects - objects < 50 and more_memory - memory < 20_000
