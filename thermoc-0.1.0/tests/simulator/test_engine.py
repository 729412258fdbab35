"""The engine by itself: noise, threads, processes, wrong inputs."""

from __future__ import annotations

import multiprocessing

import numpy as np
import pytest

import thermoc as tc
from thermoc import simulator
from thermoc.simulator.kernels.thermal import philox
from thermoc.support.philox import words


def layer() -> simulator.Program:
    with tc.Network("layer") as net:
        tc.output("y", tc.tanh(tc.affine(tc.input("x", (64,)), np.eye(64))))
    return tc.compile(net, "sim").artefact.program


def held(x: np.ndarray, ticks: int) -> dict[str, np.ndarray]:
    return {"x": np.broadcast_to(x, (ticks, *x.shape))}


def test_words_are_those_of_the_reference():
    counters = np.random.default_rng(0).integers(0, 2**32, size=(50, 5), dtype=np.uint64)
    for element, tick, draw, stream, seed in counters.tolist():
        expected = words(element, tick=tick, draw=draw, stream=stream, seed=seed << 31)
        key = (seed << 31 & 0xFFFFFFFF, seed << 31 >> 32)
        assert philox(*map(np.uint64, (element, tick, draw, stream, *key))) == tuple(map(int, expected))


@pytest.mark.parametrize(("shape", "code"), [((1, 2, 63), "T402"), ((2, 1, 64), "T402"), (None, "T401")])
def test_a_wrong_input_is_refused(shape: tuple[int, ...] | None, code: str):
    with pytest.raises(tc.ThermocError) as caught:
        simulator.run(layer(), {} if shape is None else {"x": np.zeros(shape)}, ticks=1, batch=2)
    assert caught.value.code == code


def child(program: simulator.Program, inputs: dict[str, np.ndarray], queue) -> None:
    queue.put(simulator.run(program, inputs, ticks=40, batch=200, threads=2).outputs["y"])


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_runs_on_its_own_threads():
    program, inputs = layer(), held(np.random.default_rng(0).normal(size=(200, 64)), 40)
    expected = simulator.run(program, inputs, ticks=40, batch=200, threads=2).outputs["y"]
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=child, args=(program, inputs, queue), daemon=True)
    process.start()
    assert np.array_equal(queue.get(timeout=60), expected)
    process.join()
