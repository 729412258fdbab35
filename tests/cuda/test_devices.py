"""Devices and lattices of neuristors on a GPU (its simulator): the bits of the CPU."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

import thermoc as tc
from thermoc.simulator.devices import load, simulate
from thermoc.simulator.devices.lattice import LatticeTrace, lattice


def trace(processor: str, shape: tuple[int, ...], noise: bool, **options: Any) -> LatticeTrace:
    n = int(np.prod(shape))
    # about the transition: nodes turn between their branches
    given = {"T": 330 + np.random.default_rng(0).random((2, n)) * 20, "drive": 9.96} | options
    t = [0, 1e-7, 2e-7]
    where = {"shape": shape, "coupling": 0.02, "dt": 1e-8, "samples": 2, "noise": noise, "seed": 3}
    return lattice(load("vo2"), given.pop("drive"), t, processor=processor, **where, **given)


@pytest.mark.parametrize("noise", [False, True])
@pytest.mark.parametrize("shape", [(3, 4), (4, 1), (3,)], ids=str)
def test_every_node_has_the_bits_of_the_cpu(shape: tuple[int, ...], noise: bool):
    cpu, gpu = trace("cpu", shape, noise), trace("cuda", shape, noise)
    for field in fields(cpu):
        assert np.array_equal(getattr(cpu, field.name), getattr(gpu, field.name)), field.name


def test_a_node_that_runs_away_is_the_one_of_the_cpu():
    said = []
    for processor in ("cpu", "cuda"):
        with pytest.raises(tc.ThermocError) as caught:
            trace(processor, (3,), False, drive=[1.0, 1e6, 2e6])
        assert caught.value.code == "T410"
        said.append(str(caught.value))
    assert said[0] == said[1]


@pytest.mark.parametrize(
    "how",
    [{"method": "sdirk"}, {"method": "midpoint", "dt": 1e-8, "noise": True}, {"method": "euler", "dt": 1e-9}],
    ids=lambda how: how["method"],
)
def test_every_device_has_the_bits_of_the_cpu(how: dict[str, Any]):
    given = {"drive": np.array([12.0, 11.0, 9.0]), "t": np.linspace(0, 1e-6, 5), "n": 3} | how
    cpu, gpu = (simulate(load("vo2"), processor=processor, **given) for processor in ("cpu", "cuda"))
    for field in fields(cpu):
        assert np.array_equal(getattr(cpu, field.name), getattr(gpu, field.name)), field.name


def test_a_device_that_runs_away_is_the_one_of_the_cpu():
    said = []
    for processor in ("cpu", "cuda"):
        with pytest.raises(tc.ThermocError) as caught:
            simulate(load("vo2"), np.array([1.0, 1e6, 2e6]), [0, 1e-5], n=3, processor=processor)
        assert caught.value.code == "T410"
        said.append(str(caught.value))
    assert said[0] == said[1]


@pytest.mark.parametrize(
    "run", [lambda: trace("tpu", (3,), False), lambda: simulate(load("vo2"), 1.0, [0, 1e-9], processor="tpu")]
)
def test_a_processor_that_is_none_is_refused(run: Any):
    with pytest.raises(tc.ThermocError, match="cpu or cuda") as caught:
        run()
    assert caught.value.code == "T303"
