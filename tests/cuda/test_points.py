"""Programs on a GPU (numba-cuda's simulator) have the bits of the CPU, instruction by instruction and case by case."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import BATCH, CASES, SEED, TICKS, inputs, network
from instruction_samples import SAMPLES
from scipy.sparse import csr_array

import thermoc as tc
from thermoc import physics
from thermoc.simulator.cuda.device import SimulatedDevice
from thermoc.simulator.cuda.gpu import device
from thermoc.simulator.cuda.memory import bytes_taken
from thermoc.simulator.instructions.registry import BY_NAME
from thermoc.simulator.program import Program
from thermoc.simulator.session import Session

WHERE: dict[str, Any] = {"seed": SEED, "first_sample": 5, "first_tick": 3}


def program(net: tc.Network, precision: str = "float64") -> Program:
    return tc.compile(net, "sim", precision=precision).artefact.program


def held(made: Program, given: dict[str, np.ndarray], batch: int = BATCH, ticks: int = TICKS, cut: int = 1) -> None:
    """Run on both, on the GPU in two pieces; every output and state is the same."""
    arrays = {port.name: given[port.name][:ticks, :batch].astype(port.dtype) for port in made.inputs}
    cpu, gpu = (Session(made, batch=batch, device=name, **WHERE) for name in ("cpu", "cuda"))
    expected = cpu.run(arrays, ticks=ticks)
    pieces = [
        gpu.run({name: array[first:stop] for name, array in arrays.items()}, ticks=stop - first)
        for first, stop in ((0, cut), (cut, ticks))
    ]
    for name, values in expected.items():
        np.testing.assert_array_equal(np.concatenate([piece[name] for piece in pieces]), values, err_msg=name)
    states = gpu.states
    for name, values in cpu.states.items():
        np.testing.assert_array_equal(states[name], values, err_msg=name)


def network_of(*outputs: Any) -> tc.Network:
    with tc.Network("points", dt=0.5) as net:
        for number, make in enumerate(outputs):
            tc.output(f"y{number}", make())
    return net


@pytest.mark.parametrize("case", CASES)
def test_every_case(case: str):
    net = network(case, "all vary")
    held(program(net), inputs(net))


@pytest.mark.parametrize("name", BY_NAME)
def test_every_instruction_in_float32(name: str):
    """By the network that the size checks are tested on; what it records is held too."""
    sample = SAMPLES[name]
    net = network(sample.network, "all vary") if isinstance(sample.network, str) else sample.network()
    made, given = program(net, "float32"), inputs(net)
    if sample.wanted is None:
        held(made, given)
        return
    found = []
    for processor in ("cpu", "cuda"):
        session = Session(made, batch=BATCH, device=processor, **WHERE)
        moments: Any = {}
        for first, stop in ((0, 1), (1, TICKS)):
            arrays = {port.name: given[port.name][first:stop].astype(port.dtype) for port in made.inputs}
            if first == 0:
                start = {port.name: (0, 0, 0) for port in made.outputs if port.name in sample.wanted.moments}
                moments = moments or start
            kept = session.reduce(arrays, ticks=stop - first, wanted=sample.wanted, moments=moments)
            moments = kept.moments
        found.append((kept.totals, kept.moments))
    np.testing.assert_equal(found[1], found[0])


LARGE: dict[str, tc.Network] = {
    "spikes of several words, equal weights": network_of(
        lambda: tc.sparse_affine(
            tc.lif_step(5 * tc.input("x", (4200,)), 0.9, held=2)[0],
            np.full(4200, 0.3),
            np.arange(4200) * 7 % 60,
            np.arange(0, 4201, 70),
        )
    ),
    "a layer between its levels": network_of(
        lambda: tc.gibbs(1.3, np.kron([[0, 1], [1, 0]], np.full((40, 40), 0.1)), initial=np.linspace(-1, 1, 80))
    ),
    "a lattice": network_of(lambda: tc.gibbs(2.1, physics.square_lattice(128, 0.8), 0.1, draws="word", sweeps=2)),
    "particles in cells": network_of(
        lambda: tc.pair_force(
            np.random.default_rng(0).random((200, 3)) * 6 + 0.01 * tc.tanh(tc.input("x", (200, 3))),
            cutoff=1.2,
            box=(6.0,) * 3,
            kind="coulomb",
            softening=0.1,
        )[0]
    ),
}


@pytest.mark.parametrize("name", LARGE)
def test_what_small_cases_do_not_reach(name: str):
    net = LARGE[name]
    held(program(net), inputs(net), ticks=2)


def test_blocks_of_samples(monkeypatch: pytest.MonkeyPatch):
    """Samples shared out to three blocks of threads."""
    monkeypatch.setattr(SimulatedDevice, "processors", 3)
    net = network_of(lambda: tc.boltzmann(tc.input("x", (4,)) + tc.memory(tc.normal(shape=(4,)), T=0.3), T=0.5))
    x = np.random.default_rng(0).normal(size=(TICKS, 7, 4))
    held(program(net), {"x": x}, batch=7)


def test_a_part_of_the_batch_is_that_of_the_whole():
    net = network_of(
        lambda: tc.gibbs(1.0, csr_array(np.roll(np.eye(6), 1, 0) + np.roll(np.eye(6), -1, 0)), draws="replica")
    )
    made = program(net)
    whole = Session(made, batch=3, device="cuda", **WHERE).run({}, ticks=2)["y0"]
    part = Session(made, batch=2, device="cuda", **WHERE | {"first_sample": 6}).run({}, ticks=2)["y0"]
    np.testing.assert_array_equal(part, whole[:, 1:])


def test_the_memory_that_a_run_takes_is_foretold(monkeypatch: pytest.MonkeyPatch):
    """With the tables by which each unit finds what it receives: as many places as there are synapses, and more."""
    weights, targets = np.linspace(1, 2, 60), np.arange(60) * 7 % 20
    net = network_of(
        lambda: tc.sparse_affine(tc.lif_step(tc.input("x", (20,)), 0.9)[0], weights, targets, np.arange(0, 61, 3))
    )
    made, taken = program(net), list[int]()
    empty, copy = SimulatedDevice.empty, SimulatedDevice.copy
    monkeypatch.setattr(SimulatedDevice, "empty", lambda *of: taken.append((one := empty(*of)).nbytes) or one)
    monkeypatch.setattr(SimulatedDevice, "copy", lambda *of: taken.append((one := copy(*of)).nbytes) or one)
    Session(made, batch=2, device="cuda").run({"x": np.random.default_rng(0).random((3, 2, 20))}, ticks=3)
    foretold = sum(bytes_taken(made, batch=2, ticks=3, timed=True))
    # and the numbers of a launch
    assert foretold <= sum(taken) < foretold + 200


def test_particles_that_collide_are_reported_as_on_the_cpu():
    net = network_of(lambda: tc.pair_force(tc.input("x", (3, 1)), kind="lennard_jones")[1])
    x = np.random.default_rng(0).normal(size=(5, 4, 3, 1))
    x[2, 2, 2], x[3, 1, 1] = x[2, 2, 0], x[3, 1, 0]
    made, said = program(net), []
    for processor in ("cpu", "cuda"):
        session = Session(made, batch=4, device=processor, **WHERE)
        with pytest.raises(tc.ThermocError, match=r"(?s)T405.*particles 0 and 2 of sample 7, at tick 5") as caught:
            session.run({"x": x}, ticks=5)
        said.append(str(caught.value))
        assert session.tick == 0
    assert said[0] == said[1]


def test_the_simulator_is_what_runs_here():
    assert isinstance(device(), SimulatedDevice)
