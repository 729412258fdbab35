"""Lattices of neuristors on a GPU (its simulator): the bits of the CPU."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

import thermoc as tc
from thermoc.simulator.devices import load
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


def test_a_processor_that_is_none_is_refused():
    with pytest.raises(tc.ThermocError, match="cpu or cuda") as caught:
        trace("tpu", (3,), False)
    assert caught.value.code == "T303"
