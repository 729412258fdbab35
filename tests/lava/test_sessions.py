"""Sessions on Lava: pieces are the bits of the whole, states are read and set, and nothing is left behind."""

from __future__ import annotations

import _thread
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from lava.shared import left_behind
from loihi_networks import TICKS, beside, network

import thermoc as tc
from thermoc.backends.base import NoisePosition
from thermoc.backends.lava import group
from thermoc.ir.feed import Feed, feed
from thermoc.ir.host_device import split_graph
from thermoc.ir.reference import interpret

SEEDS = (111, 55, 79, 52, 20)
KINDS = {"dense", "sparse", "conv", "delays", "dendrite", "recurrent", "lag", "lif", "graded", "lut", "sigma", "delta"}
KINDS |= {"sigma_delta", "fermi_dirac", "categorical", "boltzmann", "memory", "relaxation", "heat", "heat_node"}


def piece(given: Feed, begin: int, end: int) -> Feed:
    arrays = {name: array[begin:end] for name, array in given.arrays.items()}
    return Feed(arrays=arrays, ticks=end - begin, batch=given.batch)


def alike(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)
        assert found[name].dtype == array.dtype


def test_the_random_networks_have_every_process_model():
    assert set().union(*(network(seed).flags for seed in SEEDS)) >= KINDS


@pytest.mark.parametrize(("seeds", "batch"), [(SEEDS, 1), (SEEDS[:2], 2)])
def test_pieces_of_random_networks_are_the_bits_of_the_whole(seeds: tuple[int, ...], batch: int, monkeypatch):
    """Random splits, in files of four ticks; a step back by a snapshot; another session takes over in the middle."""
    monkeypatch.setattr(group, "MOST_ROWS", 4)
    samples = [network(seed, batch=batch) for seed in seeds]
    graph, inputs = beside(samples)
    exe, rng = tc.compile(graph, target="lava"), np.random.default_rng(batch)
    given, place = feed(exe.graph, inputs, ticks=TICKS), NoisePosition(seed=7, first_sample=5, first_tick=3)
    expected = interpret(exe.graph, given, **vars(place))
    cuts = [0, *sorted(rng.choice(np.arange(1, TICKS), 4, replace=False)), TICKS]
    session, found = exe.backend.start(exe.artefact, batch=batch, position=place), []
    try:
        for number, (begin, end) in enumerate(pairwise(cuts)):
            if number == 2:  # what is done now is undone
                snapshot = session.snapshot()
                session.advance(piece(given, 0, 3))
                session.restore(snapshot, int(begin))
            if number == 3:
                snapshot, states = session.snapshot(), session.states
                session.close()
                session = exe.backend.start(exe.artefact, batch=batch, position=place)
                session.restore(snapshot, int(begin))
                alike(session.states, states)
            found.append(session.advance(piece(given, begin, end)))
            alike(session.states, interpret(exe.graph, piece(given, 0, end), **vars(place)).states)
        assert session.tick == TICKS
        alike({name: np.concatenate([part[name] for part in found]) for name in found[0]}, expected.outputs)
    finally:
        session.close()


def numbers(turns: bool) -> tc.Network:
    """Host, Loihi and host; a population that is probed. turns: p-bits that take turns, or units that remember."""
    rng = np.random.default_rng(0)
    with tc.Network("numbers") as net:
        x = tc.input("x", (6,))
        h = tc.thermal_relu(tc.affine(x, rng.normal(size=(8, 6))), T=0.1)
        tc.probe("h", h)
        if turns:
            spins = np.triu(np.sign(rng.normal(size=(6, 6))), 1)
            T = tc.schedule(kind="linear", T0=1.5, parameter=40.0, T_min=0.3)
            tc.output("s", tc.gibbs(T, spins + spins.T))
        else:
            tc.output("s", tc.lif(tc.affine(h, rng.normal(size=(6, 8))), 3.0, v_threshold=1.5)[0])
        tc.output("y", tc.sample_binary(tc.affine(h, rng.normal(size=(4, 8))), T=0.5))
    return net


@pytest.mark.parametrize("turns", [True, False], ids=["slower host", "late results"])
def test_host_and_loihi_go_on_and_a_probe_has_a_sink_once_it_is_asked_for(turns: bool, monkeypatch):
    monkeypatch.setattr(group, "MOST_ROWS", 3)
    exe = tc.compile(numbers(turns), target="lava", input_range=(-3.0, 3.0))
    split = split_graph(exe.graph)
    assert split.every > 1 if turns else split.ahead > 1
    x = np.random.default_rng(1).normal(size=(14, 2, 6))
    given = feed(exe.graph, {"x": x}, ticks=14)
    expected = interpret(exe.graph, given, seed=3)
    assert 0 < expected.outputs["y"].mean() < 1 and np.unique(expected.outputs["s"]).size == 2
    with exe.start(batch=2, seed=3) as session:
        steps = [session.step({"x": x[tick]}) for tick in range(4)]
        loihi = session._session._parts["loihi"]
        sinks = loihi._outputs
        assert 0 < len(sinks) < len(loihi._artefact.loihi.outputs)
        run = session.run(5, {"x": x[4:9]})
        assert loihi._outputs == sinks
        last = session._session.advance(piece(given, 9, 14), ["h", "s"])
        assert loihi._outputs > sinks
        alike(session._session.states, expected.states)
    for name in ("s", "y"):
        np.testing.assert_array_equal(np.stack([step[name] for step in steps]), expected.outputs[name][:4])
        np.testing.assert_array_equal(run[name], expected.outputs[name][4:9])
    alike(last, {name: expected.outputs[name][9:] for name in ("h", "s")})


def apart() -> tc.Network:
    """Two parts that share nothing; one is seen by a probe alone."""
    with tc.Network("apart") as net:
        for name in ("a", "b"):
            m = tc.loihi.memory(tc.input(name, (3,), dtype="i32"), np.full(3, 900), dm=400)
            (tc.output if name == "a" else tc.probe)(f"m_{name}", m)
    return net


def test_two_sessions_states_that_are_set_and_a_part_that_nobody_looks_at():
    exe, inputs = tc.compile(apart(), target="lava"), {name: np.full((1, 3), 40) for name in ("a", "b")}
    given = feed(exe.graph, inputs, ticks=5)
    whole = interpret(exe.graph, feed(exe.graph, inputs, ticks=10), seed=4)
    with exe.start(seed=4) as one, exe.start(seed=9) as other:
        assert dict(one.state).keys() == exe.graph.states.keys()
        for session in (one, other):
            session.run(5, inputs)
        # Asked for only now; what is behind it has run all the time.
        alike(one._session.advance(given, ["m_b"]), {"m_b": whole.outputs["m_b"][5:]})
        alike(one._session.states, whole.states)
        other.state["memory.m"] = [[5, 6, 7]]
        np.testing.assert_array_equal(other.state["memory.m"], [[5, 6, 7]])
        np.testing.assert_array_equal(other.step(inputs)["m_a"], [[5, 6, 7]])


def test_an_interruption_leaves_no_process_and_the_session_as_it_was(tmp_path: Path, monkeypatch):
    mark = f"i{os.getpid()}"
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(secrets, "token_hex", lambda _: mark)
    exe, inputs = tc.compile(apart(), target="lava"), {name: np.full((1, 3), 40) for name in ("a", "b")}
    session = exe.start(seed=4)
    session.run(5, inputs)
    threading.Timer(0.5, _thread.interrupt_main).start()
    # A run would end at a tick and keep its processes; a call of the target itself is undone.
    with pytest.raises(KeyboardInterrupt):
        session._session.advance(feed(exe.graph, inputs, ticks=10**6))
    assert session.tick == 5 and left_behind(tmp_path, mark) == []
    session.run(5, inputs)
    alike(session._session.states, interpret(exe.graph, feed(exe.graph, inputs, ticks=10), seed=4).states)
    process = session._session._group._process
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for _ in range(2):
        with pytest.raises(tc.ThermocError, match="Lava ended while waiting, with code -9") as caught:
            session.step(inputs)
        assert caught.value.code == "T417" and session.tick == 10
    assert left_behind(tmp_path, mark) == []


FORGETFUL = """
import os, signal, sys, tempfile
import numpy as np
import thermoc as tc
tempfile.tempdir = sys.argv[1]
with tc.Network("one") as net:
    tc.output("y", tc.loihi.sigma(tc.input("x", (3,), dtype="i32")))
session = tc.compile(net, target="lava").start()
session.step({"x": np.ones((1, 3), int)})
print(session._session._group._process.pid, flush=True)
if sys.argv[2] == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("end", ["exit", "kill"])
def test_a_forgotten_session_ends_with_its_python(tmp_path: Path, end: str):
    done = subprocess.run([sys.executable, "-c", FORGETFUL, str(tmp_path), end], capture_output=True, text=True)
    assert done.returncode == (-9 if end == "kill" else 0), done.stderr
    until = time.monotonic() + 20
    while (left := left_behind(tmp_path, "nothing else")) or group._alive(int(done.stdout)):
        assert time.monotonic() < until, left
        time.sleep(0.05)
