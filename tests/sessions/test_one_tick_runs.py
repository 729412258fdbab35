"""A run of one tick that is called again is what the first such call gave, and what a longer look would refuse it too."""

from __future__ import annotations

import pickle
import threading
from typing import Any

import numpy as np
import pytest

import thermoc as tc
from thermoc.backends.sim.run import ProgramSession
from thermoc.support.errors import ThermocError

RNG = np.random.default_rng(0)
W, B = RNG.normal(size=(5, 8)), RNG.normal(size=5)


def network() -> tc.Network:
    """Noise, a state, a parameter and a probe."""
    with tc.Network("one tick") as net:
        x = tc.input("x", (8,))
        h = tc.affine(x, tc.parameter("W", W), B)
        s = tc.sample_binary(h + tc.delay(tc.tanh(h), np.full(5, 0.5)), T=0.7)
        tc.probe("h", h)
        tc.output("s", s)
        tc.output("p", tc.boltzmann(h, T=0.5))
    return net


def test_every_call_gives_the_bits_of_an_executable_that_never_ran():
    exe = tc.compile(network())
    exe.run({"x": RNG.random((3, 8))})
    places: list[tuple[int, dict[str, Any]]] = [(3, {}), (3, {"seed": 2**63}), (1, {"first_sample": 7}), (3, {})]
    for batch, where in [*places, (3, {"first_tick": 11})]:
        x = RNG.random((batch, 8))
        for _ in range(2):
            run, expected = exe.run({"x": x}, **where), tc.compile(network()).run({"x": x}, **where)
            assert {name: array.tolist() for name, array in run.outputs.items()} == {
                name: array.tolist() for name, array in expected.outputs.items()
            }
            assert [state.tolist() for state in run.states.values()] == [s.tolist() for s in expected.states.values()]
            assert dict(run.provenance) == dict(expected.provenance)
            assert (run.seed, run.ticks, list(run.recorded)) == (expected.seed, 1, ["s", "p"])


def test_what_a_call_gave_stays_as_it_is():
    exe = tc.compile(network())
    first = exe.run({"x": np.zeros((2, 8))})
    again = exe.run({"x": np.zeros((2, 8))})
    kept = first["p"].copy(), again["p"].copy()
    exe.run({"x": np.ones((2, 8))})
    assert np.array_equal(first["p"], kept[0]) and np.array_equal(again["p"], kept[1])


@pytest.mark.filterwarnings("ignore:overflow")
def test_numbers_of_another_format_are_those_of_the_network():
    exe, x = tc.compile(network(), precision="float32"), RNG.random((2, 8))
    for given in (x, x.astype(np.float32), x.astype(np.float16), x * 1e300):
        expected = tc.compile(network(), precision="float32").run({"x": given})
        for _ in range(2):
            run = exe.run({"x": given})
            np.testing.assert_array_equal(run["p"], expected["p"])
            assert run.call is not None and run.call.inputs["x"] is given


@pytest.mark.parametrize(
    ("code", "options"),
    [
        ("T401", {"inputs": {"y": np.zeros((2, 8))}}),
        ("T402", {"inputs": {"x": np.zeros((2, 7))}}),
        ("T402", {"batch": 3}),
        ("T403", {"inputs": {"x": np.full((2, 8), np.nan)}}),
        ("T404", {"ticks": True}),
        ("T404", {"seed": -1}),
        ("T404", {"seed": 2**64}),
        ("T404", {"first_tick": 2**32}),
        ("T404", {"first_sample": (2**32 - 5) // 5}),
        ("T404", {"first_sample": 1.0}),
    ],
)
def test_what_is_refused_the_first_time_is_refused_again(code: str, options: dict[str, Any]):
    exe = tc.compile(network())
    good: dict[str, Any] = {"inputs": {"x": np.zeros((2, 8))}}
    exe.run(**good)
    with pytest.raises(ThermocError) as caught:
        exe.run(**good | options)
    assert caught.value.code == code


def test_other_parameters_are_those_of_another_executable():
    exe, x = tc.compile(network()), RNG.random((1, 8))
    exe.run({"x": x})
    other = exe.with_parameters({"W": -W})
    expected = tc.compile(network().with_parameters({"W": -W})).run({"x": x})["p"]
    assert all(np.array_equal(other.run({"x": x})["p"], expected) for _ in range(2))
    assert np.array_equal(exe.run({"x": x}, parameters={"W": -W})["p"], expected)
    assert not np.array_equal(exe.run({"x": x})["p"], expected)


def test_a_session_whose_parameters_were_replaced_is_not_begun_again():
    exe, x = tc.compile(network()), RNG.random((1, 8))
    expected = exe.run({"x": x})["p"]
    with exe.start() as session:
        session.parameters["W"] = -W
        session.step({"x": x})
    assert np.array_equal(exe.run({"x": x})["p"], expected)


def test_threads_that_run_one_executable_do_not_meet():
    exe = tc.compile(network())
    inputs = [{"x": RNG.random((1, 8))} for _ in range(4)]
    expected = [exe.run(x)["p"] for x in inputs]
    wrong: list[int] = []

    def calls(number: int) -> None:
        for _ in range(100):
            if not np.array_equal(exe.run(inputs[number])["p"], expected[number]):
                wrong.append(number)

    threads = [threading.Thread(target=calls, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_an_error_leaves_the_next_run_as_ever(monkeypatch: pytest.MonkeyPatch):
    exe, x = tc.compile(network()), {"x": RNG.random((1, 8))}
    expected = [exe.run(x)["s"] for _ in range(2)]

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ProgramSession, "advance", stopped)
        with pytest.raises(KeyboardInterrupt):
            exe.run(x)
    assert np.array_equal(exe.run(x)["s"], expected[0])


def test_an_executable_that_ran_can_be_sent_to_another_process():
    exe, x = tc.compile(network()), {"x": RNG.random((1, 8))}
    expected = [exe.run(x)["p"] for _ in range(2)]
    assert np.array_equal(pickle.loads(pickle.dumps(exe)).run(x)["p"], expected[0])
