"""What stands in the place of a wrong name is asked for in the same words everywhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import thermoc as tc
from thermoc.apps.optimisation.minimise import minimise
from thermoc.physics.ising_model import IsingModel
from thermoc.support.suggestions import near


def test_the_nearest_name_is_asked_for_whatever_its_case():
    assert near("GRID", ["grid", "sobol"]) == "did you mean 'grid'?"
    assert near(None, ["grid"]) == "" and near("xyz", ["grid"], "see there") == "see there"


def _net() -> tc.Network:
    with tc.Network("one") as net:
        tc.output("y", tc.input("x", (1,)))
    return net


@pytest.mark.parametrize(
    ("call", "meant"),
    [
        (lambda: minimise(IsingModel(J=np.zeros((2, 2)), h=np.zeros(2)), method="anealing"), "annealing"),
        (lambda: minimise(IsingModel(J=np.zeros((2, 2)), h=np.zeros(2)), device="cdua"), "cuda"),
        (lambda: tc.compile(_net(), "sim", precision="float23"), "float32"),
        (lambda: tc.compile(_net(), "onnx", precision="flaot32"), "float32"),
        (lambda: tc.compile(_net(), "lava", coding="thermla"), "thermal"),
        (lambda: tc.compile(_net(), "chip", placement="thermla"), "thermal"),
        (lambda: tc.compile(_net(), "sim").run({"x": [[1.0]]}, record={"y": "evry:4"}), "every:4"),
        (lambda: tc.compile(_net(), "sim").run({"x": [[1.0]]}, record={"y": "maen"}), "mean"),
        (lambda: tc.load("net.bin", format="nri"), "nir"),
    ],
)
def test_a_wrong_name_is_answered_by_the_one_that_is_meant(call: Callable[[], object], meant: str):
    with pytest.raises(tc.ThermocError) as caught:
        call()
    assert caught.value.findings[-1].hint == f"did you mean {meant!r}?"
