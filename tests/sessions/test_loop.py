"""A run is cut into chunks; nothing shows where, and Ctrl-C ends it at a tick with what it has."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import numpy as np
import pytest
from sessions.drifting import drift

import thermoc as tc
from thermoc import run_loop
from thermoc.run_loop import Loop


@pytest.mark.parametrize("longest", [1, 7, 64, 10_000])
def test_the_cut_does_not_show(longest: int, monkeypatch: pytest.MonkeyPatch):
    exe = tc.compile(drift())
    record = {"x": [tc.every(3), tc.mean(), tc.last()], "energy": tc.extremes()}
    whole = exe.run(ticks=200, batch=2, seed=4, record=record)
    monkeypatch.setattr(run_loop, "FIRST", longest)
    monkeypatch.setattr(Loop, "longest", property(lambda self: longest, lambda self, value: None), raising=False)
    cut = exe.run(ticks=200, batch=2, seed=4, record=record, progress=True)
    for name, recorded in whole.recorded.items():
        for field in recorded:
            np.testing.assert_array_equal(cut.recorded[name][field], recorded[field])


def test_inputs_that_change_are_cut_with_the_run(monkeypatch: pytest.MonkeyPatch):
    with tc.Network("fed") as net:
        tc.output("y", tc.delay(tc.input("a", (2,)) + tc.input("b", (2,)), ticks=3))
    inputs = {"a": np.random.default_rng(0).normal(size=(100, 3, 2)), "b": np.ones((3, 2))}
    whole = tc.compile(net).run(inputs)["y"]
    monkeypatch.setattr(run_loop, "FIRST", 9)
    np.testing.assert_array_equal(tc.compile(net).run(inputs)["y"], whole)


def test_chunks_grow_while_they_are_quick_and_shrink_where_they_are_slow():
    assert run_loop._next_length(64, 64, 0.01) == 128
    assert run_loop._next_length(64, 64, 0.2) == 64
    assert run_loop._next_length(64, 64, 2.0) == 6
    assert run_loop._next_length(64, 10, 0.2) == 10  # a chunk that a checkpoint cut short
    assert run_loop._next_length(1, 1, 100.0) == 1


class Wrapping:
    """A handler that a library puts in the place of Python's and that calls it, as Brian2 does when it is imported."""

    def __init__(self, previous: Any):
        self.previous, self.called = previous, 0

    def __call__(self, number: int, frame: Any) -> None:
        self.called += 1
        self.previous(number, frame)


@pytest.mark.parametrize("wrapped", [False, True])
def test_ctrl_c_keeps_what_is_recorded_and_the_session_goes_on(wrapped: bool):
    before = signal.getsignal(signal.SIGINT)
    handler: Any = Wrapping(signal.default_int_handler) if wrapped else signal.default_int_handler
    signal.signal(signal.SIGINT, handler)
    try:
        _interrupted()
        assert signal.getsignal(signal.SIGINT) is handler
        assert not wrapped or handler.called == 1
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupted() -> None:
    exe = tc.compile(drift())
    exe.run(ticks=200)
    session = exe.start(seed=6)
    timer = threading.Timer(0.7, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(tc.Interrupted) as caught:
        session.run(10**8, record={"x": [tc.mean(), tc.last()]})
    run = caught.value.run
    assert 0 < run.ticks == session.tick < 10**8 and not run.complete
    after = session.run(5)["x"]
    whole = exe.run(ticks=run.ticks + 5, seed=6, record={"x": [tc.last(), tc.mean()]})
    np.testing.assert_array_equal(after[-1], whole["x"])
    np.testing.assert_array_equal(
        run.recorded["x"].mean, exe.run(ticks=run.ticks, seed=6, record={"x": tc.mean()})["x"]
    )
