"""Sessions on every target: ticks run in pieces, from states and from snapshots, give the bits of ticks run at once."""

from __future__ import annotations

import itertools
import os
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest
from cases import BATCH, CASES, SEED, network
from conformance.suite import OPTIONS
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import thermoc as tc
from thermoc import plugins
from thermoc.backends.base import Backend, NoisePosition
from thermoc.ir.clocked_session import PartSession
from thermoc.ir.feed import Feed, feed
from thermoc.ir.graph import Graph
from thermoc.ir.host_device import is_clocked
from thermoc.ir.reference import start_session

TICKS = 9
REFUSED = ("T205", "T206", "T209", "T301", "T305", "T306")
TARGETS = (
    "reference",
    "emulator",
    *(name for name in plugins.names() if type(plugins.backend(name)).start is not Backend.start),
)
"""``emulator``: what was brought to Loihi, in the simulator."""


class Start(Protocol):
    def __call__(self, seed: int = SEED, first_tick: int = 0) -> PartSession: ...


def started(net: tc.Network, target: str) -> tuple[Graph, Start]:
    """Return the graph that a target runs, and what starts sessions of it. Errors: as ``tc.compile``."""
    if target == "reference":
        where = {"batch": BATCH, "first_sample": 3}
        return net.graph, lambda seed=SEED, first_tick=0: start_session(
            net.graph, seed=seed, first_tick=first_tick, **where
        )
    if target == "emulator":
        exe = tc.compile(tc.compile(net, "lava").graph, "sim")
    else:
        options = OPTIONS.get(target, {}) | ({"precision": "float64"} if target == "onnx" else {})
        exe = tc.compile(net, target, **options)
    artefact = exe.artefact  # some refusals come here

    def start(seed: int = SEED, first_tick: int = 0) -> PartSession:
        where = NoisePosition(seed=seed, first_sample=3, first_tick=first_tick)
        return exe.backend.start(artefact, batch=BATCH, position=where)

    return exe.graph, start


def fed(graph: Graph) -> Feed:
    """Return other inputs in each tick; integers are small, for those of Loihi have 24 bits."""
    rng = np.random.default_rng(1)
    arrays = {name: 3 * rng.normal(size=(TICKS, BATCH, *op.shape)) for name, op in graph.inputs.items()}
    arrays = {name: array.astype(graph.inputs[name].dtype.numpy) for name, array in arrays.items()}
    return feed(graph, arrays, ticks=TICKS, batch=BATCH)


def part(whole: Feed, first: int, last: int) -> Feed:
    arrays = {name: array[first:last] for name, array in whole.arrays.items()}
    return Feed(arrays=arrays, ticks=last - first, batch=whole.batch)


def same(found: Mapping[str, NDArray], expected: Mapping[str, NDArray], what: str) -> None:
    assert found.keys() == expected.keys(), what
    for name, array in expected.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape), f"{what}: {name}"
        assert found[name].tobytes() == array.tobytes(), (
            f"{what}: {name} differs in {np.argwhere(found[name] != array)[:3]}"
        )


def tail(outputs: Mapping[str, NDArray], first: int, last: int | None = None) -> dict[str, NDArray]:
    return {name: array[first:last] for name, array in outputs.items()}


def in_pieces(session: PartSession, whole: Feed, cuts: list[int]) -> dict[str, NDArray]:
    ends = [0, *cuts, whole.ticks]
    pieces = [session.advance(part(whole, first, last)) for first, last in itertools.pairwise(ends) if last > first]
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def compiled(case: str, target: str) -> tuple[Graph, Start] | None:
    """Return a case brought to a target, None where that refuses it for the reason that its support page states."""
    try:
        return started(network(case, "all vary"), target)
    except tc.ThermocError as problem:
        if problem.code in REFUSED:
            return None
        if problem.code == "T302" and not os.environ.get("CI"):
            pytest.skip(str(problem))
        raise


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("case", CASES)
def test_op(target: str, case: str):
    """Each op, cut at random: pieces, states between them, another session from a snapshot, and one from states."""
    ready = compiled(case, target)
    if ready is None:
        return
    graph, start = ready
    whole, cut = fed(graph), 1 + zlib.crc32(f"{target} {case}".encode()) % (TICKS - 1)
    session = start()
    first_states = session.states
    outputs = session.advance(whole)
    same(start().states, first_states, "before the first tick")
    assert {name: array.shape for name, array in first_states.items()} == {
        name: (BATCH, *shape) for name, shape in graph.states.items()
    }
    pieces = start()
    same(pieces.advance(part(whole, 0, cut)), tail(outputs, 0, cut), "the first piece")
    at_once = start()
    at_once.advance(part(whole, 0, cut))
    same(pieces.states, at_once.states, "states between")
    snapshot, states = pieces.snapshot(), pieces.states
    same(pieces.advance(part(whole, cut, TICKS)), tail(outputs, cut), "the second piece")
    same(pieces.states, session.states, "the last states")
    resumed = start()
    resumed.restore(snapshot, cut)
    assert resumed.tick == cut
    same(resumed.advance(part(whole, cut, TICKS)), tail(outputs, cut), "from a snapshot")
    same(resumed.states, session.states, "the last states, from a snapshot")
    if not is_clocked(graph):  # messages under way are no states
        elsewhere = start()
        elsewhere.advance(part(whole, TICKS - cut, TICKS))
        elsewhere.set_states(states)
        same(elsewhere.states, states, "states that were set")
        same(elsewhere.advance(part(whole, cut, TICKS)), tail(outputs, cut), "from states that were set")
    for opened in (session, pieces, at_once, resumed):
        opened.close()


def restless() -> tc.Network:
    """Noise, schedules, a recurrent delay, an adaptive temperature, a Gibbs sampler and heat, over inputs."""
    with tc.Network("restless", dt=0.1) as net:
        x = tc.input("x", (3,))
        T = tc.schedule(kind="power", T0=1.0, parameter=0.5, T_min=0.1)
        m = tc.memory(x, T=T, gamma=2.0)
        hole = tc.placeholder((3,), role="spike")
        s, _ = tc.lif(tc.delay(hole, ticks=4) + m, 0.3, v_threshold=0.2)
        tc.connect(hole, s)
        p = tc.sample_binary(m, T=tc.adaptive_schedule(1.0, T0=2.0, T_min=0.1))
        J = np.array([[0, 1.0, -0.5], [1.0, 0, 0.3], [-0.5, 0.3, 0]])
        tc.output("m", m)
        tc.output("s", s)
        tc.output("p", tc.delay(p, ticks=3))
        tc.output("g", tc.gibbs(T=T, J=J, h=m))
    return net


def spiking() -> tc.Network:
    """What Loihi holds, by a clock of its own: layers behind each other, p-bits and a recurrent delay."""
    rng = np.random.default_rng(5)
    with tc.Network("spiking") as net:
        x, back = tc.input("x", (3,)), tc.placeholder((4,))
        drive = tc.affine(x, rng.normal(size=(4, 3))) + tc.affine(tc.delay(back, ticks=3), rng.normal(size=(4, 4)))
        s, _ = tc.lif(3 * drive, tau=5.0, v_threshold=0.4)
        tc.connect(back, s)
        tc.output("p", tc.sample_binary(tc.affine(s, rng.normal(size=(2, 4))), T=0.5))
        tc.output("h", tc.thermal_relu(tc.affine(s, rng.normal(size=(2, 4))), T=0.1))
    return net


NETWORKS: dict[str, Callable[[], tc.Network]] = {"emulator": spiking, "lava": spiking}
SESSIONS: dict[str, tuple[Graph, Start, dict[str, NDArray]]] = {}


def whole_run(target: str) -> tuple[Graph, Start, dict[str, NDArray]]:
    if target not in SESSIONS:
        graph, start = started(NETWORKS.get(target, restless)(), target)
        SESSIONS[target] = graph, start, start().advance(fed(graph))
    return SESSIONS[target]


@pytest.mark.parametrize("target", [name for name in TARGETS if name in ("reference", "emulator", "sim", "onnx")])
@given(cuts=st.lists(st.integers(0, TICKS), max_size=6).map(sorted))
def test_any_split_is_the_whole(target: str, cuts: list[int]):
    graph, start, outputs = whole_run(target)
    same(in_pieces(start(), fed(graph), cuts), outputs, f"cut at {cuts}")


@pytest.mark.parametrize("target", [name for name in TARGETS if name in ("reference", "sim", "onnx")])
def test_the_noise_of_a_session_goes_on_from_its_first_tick(target: str):
    graph, start, _ = whole_run(target)
    at_once = start(first_tick=7).advance(fed(graph))
    same(in_pieces(start(first_tick=7), fed(graph), [2, 5]), at_once, "from tick 7 on")


@pytest.mark.parametrize("target", TARGETS)
def test_several_sessions_at_once_know_nothing_of_each_other(target: str):
    ready = compiled("thermo.memory", target)
    if ready is None:
        return
    graph, start = ready
    whole, (one, other) = fed(graph), (start(seed=1), start(seed=2))
    expected = start(seed=1).advance(whole)
    found: list[Any] = []
    for tick in range(TICKS):
        found.append(one.advance(part(whole, tick, tick + 1)))
        other.advance(part(whole, tick, tick + 1))
    same({name: np.concatenate([piece[name] for piece in found]) for name in expected}, expected, "one of two")


@pytest.mark.parametrize("target", TARGETS)
def test_only_the_outputs_that_are_named_are_returned(target: str):
    with tc.Network("two") as net:
        x = tc.input("x", (3,))
        tc.output("a", tc.memory(x, T=0.5, gamma=1.0))
        tc.output("b", 2 * x)
        tc.probe("p", 3 * x)
    try:
        graph, start = started(net, target)
    except tc.ThermocError as problem:
        assert problem.code in REFUSED
        return
    whole, everything = fed(graph), start().advance(fed(graph))
    assert everything.keys() == {"a", "b", "p"}
    for names in ({"a"}, {"p"}, {"b", "p"}, set[str]()):
        session = start()
        same(session.advance(whole, names), {name: everything[name] for name in names}, f"of {names}")
        assert session.tick == TICKS


@pytest.mark.parametrize("target", [name for name in TARGETS if name not in ("reference", "emulator")])
def test_a_session_that_was_closed_says_so(target: str):
    with tc.Network("closed") as net:
        tc.output("y", tc.memory(tc.affine(tc.input("x", (3,)), tc.parameter("W", np.eye(3))), T=0.5, gamma=1.0))
    try:
        exe = tc.compile(net, target, **OPTIONS.get(target, {}))
        session = exe.start(batch=2)
    except tc.ThermocError as problem:
        if problem.code != "T302" or os.environ.get("CI"):
            raise
        pytest.skip(str(problem))
    inputs, (name, *_) = {"x": np.zeros((2, 3))}, exe.graph.states
    session.run(3, inputs)
    for _ in range(2):
        session.close()
    calls: list[Callable[[], object]] = [
        lambda: session.run(1, inputs),
        lambda: session.step(inputs),
        lambda: session.state[name],
        lambda: session.state.update({name: 1}),
        lambda: session.save("closed.thermo-checkpoint"),
    ]
    if "W" not in exe.frozen_parameters:
        calls.append(lambda: session.parameters.update({"W": np.ones((3, 3))}))
    for call in calls:
        with pytest.raises(tc.ThermocError, match="it was closed") as caught:
            call()
        assert caught.value.code == "T417"
    assert session.tick == 3 and not Path("closed.thermo-checkpoint").exists()
