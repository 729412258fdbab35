"""A session runs on: pieces are the bits of the whole, wherever they are cut, restored, interrupted or probed."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cases import BATCH, CASES, SEED, inputs, network

import thermoc as tc
from thermoc.backends.base import BackendSession, NoisePosition
from thermoc.ir.feed import feed
from thermoc.ir.ops import STOCHASTIC
from thermoc.ir.reference import interpret

RNG = np.random.default_rng(0)
PLACE = {"seed": SEED, "first_sample": 5, "first_tick": 11}
REFUSALS = {"T205", "T206", "T209", "T301", "T305", "T306"}


def started(exe: tc.Executable, batch: int) -> BackendSession:
    return exe.backend.start(exe.artefact, batch=batch, position=NoisePosition(**PLACE))


def advanced(
    session: BackendSession, exe: tc.Executable, x: dict[str, Any], *ticks: int, names: Any = None
) -> dict[str, Any]:
    """Run pieces of these lengths on; return the outputs, joined."""
    pieces = []
    for n in ticks:
        now = session.tick
        piece = {name: array[now : now + n] for name, array in x.items()}
        place = PLACE | {"first_tick": PLACE["first_tick"] + now}
        pieces.append(session.advance(feed(exe.graph, piece, ticks=n, batch=session.batch, **place), names))
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape), name
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def goes_on(case: str) -> bool:
    """True for cases in which something is kept or drawn from tick to tick."""
    return any(op.states() or op.traits & {STOCHASTIC} for op in network(case, "all vary").graph.ops)


@pytest.mark.parametrize("case", [*filter(goes_on, CASES)])
def test_two_pieces_of_a_case_are_the_bits_of_the_whole(case: str):
    try:
        exe = tc.compile(net := network(case, "all vary"), "brian2", codegen="numpy")
        session = started(exe, BATCH)
    except tc.ThermocError as problem:
        assert problem.code in REFUSALS
        return
    start, x = session.snapshot(), inputs(net)
    whole, states = advanced(session, exe, x, 3), session.states
    assert states.keys() == exe.graph.states.keys()
    session.restore(start, 0)
    same(advanced(session, exe, x, *((1, 2) if len(case) % 2 else (2, 1))), whole)
    same(session.states, states)


def network_of_all() -> tc.Network:
    """Delays of spikes with and without synapses, refractory units, a carried trace, a memory, p-bits, a schedule."""
    rng = np.random.default_rng(0)
    W = rng.normal(size=(6, 6)) * (rng.random((6, 6)) < 0.5)
    W[:, 2] = 0  # a unit that no synapse leaves
    with tc.Network("all", dt=0.1) as net:
        x = tc.input("x", (4,))
        spikes = tc.placeholder((6,), role="spike")
        late = tc.slice(tc.delay(spikes, ticks=3), starts=(0,), stops=(5,), steps=(1,))
        g = tc.trace(tc.affine(late, W[:, :5]) + tc.affine(x, rng.normal(size=(6, 4))), 0.5)
        s, v = tc.lif(5 * g + tc.affine(tc.delay(spikes, ticks=2), W), 1.0, v_threshold=0.4, refractory=0.3)
        tc.connect(spikes, s)
        T = tc.schedule(kind="exponential", T0=1.0, parameter=5.0, T_min=0.1)
        m = tc.memory(tc.affine(v, W), T=0.3, gamma=2.0)
        tc.output("s", s)
        tc.output("p", tc.sample_binary(m, T=T))
        tc.output("old", tc.delay(v, ticks=4))
        tc.probe("energy", tc.reduce(tc.affine(s, W) * v, kind="sum"))
        tc.probe("fired", tc.threshold(m))
    return net


def network_of_each() -> tc.Network:
    """A state of each kind: a variable, a membrane at rest, spikes under way; p-bits and a probe. Few parts to compile."""
    rng = np.random.default_rng(0)
    W = rng.normal(size=(6, 6)) * (rng.random((6, 6)) < 0.5)
    W[:, 2] = 0  # a unit that no synapse leaves
    with tc.Network("each", dt=0.1) as net:
        spikes = tc.placeholder((6,), role="spike")
        m = tc.memory(tc.input("x", (6,)), T=0.3, gamma=2.0)
        s, v = tc.lif(5 * m + 2 + tc.affine(tc.delay(spikes, ticks=3), W), 1.0, v_threshold=0.4, refractory=0.3)
        tc.connect(spikes, s)
        tc.output("s", s)
        tc.output("p", tc.sample_binary(v, T=0.5))
        tc.output("v", v)
        tc.probe("fired", tc.threshold(m))
    return net


def splits(total: int, count: int) -> list[int]:
    cuts = np.sort(RNG.choice(np.arange(1, total), count - 1, replace=False))
    return np.diff([0, *cuts.tolist(), total]).tolist()


@pytest.mark.parametrize(
    ("write", "options", "pieces"),
    [
        (network_of_all, {"codegen": "numpy"}, 10),
        pytest.param(network_of_each, {"codegen": "cython"}, 5, marks=pytest.mark.slow),
        pytest.param(network_of_all, {"device": "cpp_standalone"}, 4, marks=pytest.mark.slow),
    ],
    ids=["numpy", "cython", "cpp_standalone"],
)
def test_any_split_is_the_bits_of_the_whole(write: Callable[[], tc.Network], options: dict[str, str], pieces: int):
    """So is one that goes on in another session, beside others; all follow the reference."""
    exe = tc.compile(write(), "brian2", **options)
    x = {"x": RNG.normal(size=(60, 2, *exe.graph.inputs["x"].shape))}
    whole, split, resumed = (started(exe, 2) for _ in range(3))
    every = [*exe.graph.outputs]
    expected = advanced(whole, exe, x, 60, names=every)
    assert 0.05 < expected["s"].mean() < 0.9 and expected["fired"].any()
    *first, last = splits(60, pieces)
    head = advanced(split, exe, x, *first, names=every)
    resumed.restore(split.snapshot(), split.tick)
    for session in (split, resumed):
        tail = advanced(session, exe, x, last, names=every)
        same({name: np.concatenate([head[name], tail[name]]) for name in head}, expected)
        same(session.states, whole.states)
    trace = interpret(exe.graph, feed(exe.graph, x, **PLACE), seed=SEED, first_sample=5, first_tick=11)
    assert whole.states.keys() == trace.states.keys()
    for name, state in whole.states.items():
        assert np.abs(state - trace.states[name]).max() < 1e-11, name
    for name, found in expected.items():
        scale = max(1.0, np.abs(trace.outputs[name]).max())
        assert np.abs(found - trace.outputs[name]).max() < 1e-12 * scale, name


def test_a_probe_changes_nothing_and_is_not_computed_unless_it_is_asked_for():
    exe = tc.compile(network_of_all(), "brian2", codegen="numpy")
    x = {"x": RNG.normal(size=(20, 2, 4))}
    plain, probed = started(exe, 2), started(exe, 2)
    outputs = advanced(plain, exe, x, 20, names=("s", "p", "old"))
    assert len(plain._sim.objects) < len(probed._build(["s", "energy"]).objects)  # type: ignore[attr-defined]
    head = advanced(probed, exe, x, 7, names=("s", "p", "old"))
    tail = advanced(probed, exe, x, 13, names=("s", "p", "old", "energy"))
    assert tail.pop("energy").shape == (13, 2)
    same({name: np.concatenate([head[name], tail[name]]) for name in head}, outputs)
    same(probed.states, plain.states)
    assert advanced(plain, exe, {"x": x["x"].repeat(2, axis=0)}, 5, names=("s",)).keys() == {"s"}


def test_states_that_are_set_are_gone_on_from():
    """Every state of a run elsewhere, one tick of it left: the same outputs as there."""
    exe = tc.compile(network_of_all(), "brian2", codegen="numpy")
    x = {"x": RNG.normal(size=(41, 2, 4))}
    there, here = started(exe, 2), started(exe, 2)
    advanced(there, exe, x, 40)
    here.restore(here.snapshot(), 40)
    here.set_states(there.states)
    for name, state in here.states.items():
        assert np.abs(state - there.states[name]).max() < 1e-12, name
    found, expected = advanced(here, exe, x, 1), advanced(there, exe, x, 1)
    for name, array in expected.items():
        assert np.abs(found[name] - array).max() < 1e-12, name


def test_what_brian2_holds_once_for_all_samples_cannot_differ_between_them():
    with tc.Network("count") as net:
        tc.output("y", tc.i(tc.cast(tc.tick(), dtype="f64"), 1.0) + tc.input("x", ()))
    exe = tc.compile(net, "brian2", codegen="numpy")
    with exe.start(batch=2) as session:
        (name,) = session.state
        session.state[name] = 3.0
        assert session.state[name].tolist() == [3.0, 3.0]
        with pytest.raises(tc.ThermocError, match="the same for every sample") as caught:
            session.state[name] = np.array([1.0, 2.0])
        assert caught.value.code == "T403"


@pytest.mark.parametrize("cut", [1, 5])
def test_an_interrupted_call_leaves_the_session_at_the_tick_before_it(cut: int):
    exe = tc.compile(network_of_all(), "brian2", codegen="numpy")
    x = {"x": RNG.normal(size=(30, 2, 4))}
    session = started(exe, 2)
    advanced(session, exe, x, 10)
    before, states = session.snapshot(), session.states
    sim: Any = session._sim  # type: ignore[attr-defined]
    left = iter(range(cut))

    def interrupt() -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt

    sim._updates.insert(len(sim._updates) // 2, interrupt)
    with pytest.raises(KeyboardInterrupt):
        advanced(session, exe, x, 20)
    sim._updates.remove(interrupt)
    assert session.tick == 10
    same(session.snapshot(), before)
    same(session.states, states)
    other = started(exe, 2)
    advanced(other, exe, x, 10)
    same(advanced(session, exe, x, 20), advanced(other, exe, x, 20))


def test_a_thousand_calls_keep_no_memory():
    with tc.Network("leak") as net:
        s, _ = tc.lif(tc.input("x", (50,)), 2.0, v_threshold=0.5)
        tc.output("s", tc.affine(tc.delay(s, ticks=2), np.eye(50)))
    exe = tc.compile(net, "brian2", codegen="numpy")
    fed = feed(exe.graph, {"x": np.ones((1, 50))})
    session = started(exe, 1)
    for _ in range(20):
        session.advance(fed)
    gc.collect()
    tracemalloc.start()
    for _ in range(1000):
        session.advance(fed)
    gc.collect()
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 50_000 and session.tick == 1020


def test_a_session_goes_on_with_other_arrays():
    def scaled(weight: float) -> tc.Executable:
        with tc.Network("scaled") as net:
            tc.output("y", tc.i(tc.affine(tc.input("x", (2,)), weight * np.array([[1.0, 2.0]])), 1.0))
        return tc.compile(net, "brian2", codegen="numpy")

    one, ten = scaled(1.0), scaled(10.0)
    session = started(one, 1)
    x = {"x": np.ones((3, 1, 2))}
    assert advanced(session, one, x, 2)["y"].ravel().tolist() == [3.0, 6.0]
    session.replace(ten.artefact)
    assert advanced(session, one, x, 1)["y"].ravel().tolist() == [36.0]
