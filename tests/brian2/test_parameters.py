"""Parameters of a script: arrays of its data file by name, which may be exchanged."""

from __future__ import annotations

import gc
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import BATCH, SEED, TICKS, inputs
from cases import network as case_network

import thermoc as tc
from thermoc.ir.dialects.core import Constant, Parameter
from thermoc.ir.parameters import frozen
from thermoc.support.errors import ThermocError

RNG = np.random.default_rng(8)
CASES = [
    "core.affine",
    "core.conv",
    "core.sparse_affine, of spikes",
    "thermo.memory",
    "spiking.lif, refractory",
    "spiking.cuba_lif",
    "spiking.lif_step, of many, each its own",
    "spiking.trace",
]


@pytest.mark.parametrize("case", CASES)
def test_numbers_of_constants(case: str):
    """Every constant of floats as a parameter, as it is and multiplied by 9/8."""
    graph = case_network(case, "all vary").graph
    net = tc.Network.of(
        graph.with_ops(
            Parameter(name=op.y.name, value=op.value, role=op.role, y=op.y)
            if isinstance(op, Constant) and op.y.dtype.is_float
            else op
            for op in graph.ops
        )
    )
    given: dict[str, Any] = {"inputs": inputs(net), "ticks": TICKS, "batch": BATCH, "seed": SEED}
    exe = tc.compile(net, "brian2", codegen="numpy")
    changed = {name: array * 1.125 for name, array in exe.parameters.items() if name not in exe.frozen_parameters}
    assert changed
    for values in ({}, changed):
        constants = frozen(net.with_parameters(values).graph)
        expected = tc.compile(constants, "brian2", codegen="numpy").run(**given)
        found = exe.with_parameters(values).run(**given)
        for name, array in expected.outputs.items():
            np.testing.assert_allclose(found[name], array, rtol=1e-10, atol=1e-10)


def layer() -> tc.Network:
    """The sign of the energies goes into weights, so that the script computes something of parameters."""
    with tc.Network("layer") as net:
        x = tc.input("x", (3,))
        tc.output(
            "p", tc.boltzmann(-tc.affine(x, tc.parameter("W", np.eye(2, 3)), tc.parameter("b", np.zeros(2))), 0.5)
        )
    return net


def test_a_script_alone_takes_exchanged_arrays(tmp_path: Path):
    new = {"W": RNG.normal(size=(2, 3)), "b": RNG.normal(size=2)}
    exe = tc.compile(layer(), "brian2", codegen="numpy")
    exe.save(tmp_path / "layer.py")
    with np.load(tmp_path / "layer.npz") as data:
        arrays = dict(data)
    assert {"W", "b"} <= arrays.keys()
    np.savez(tmp_path / "layer.npz", **arrays | new)
    x = RNG.normal(size=(4, 3))
    np.savez(tmp_path / "inputs.npz", x=x)
    command = [sys.executable, "layer.py", "--inputs", "inputs.npz", "--out", "run.npz", "--codegen", "numpy"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    with np.load(tmp_path / "run.npz") as run:
        np.testing.assert_allclose(run["p"], exe.with_parameters(new).run({"x": x})["p"], rtol=1e-12)


def test_what_a_script_cannot_compute_is_frozen():
    with tc.Network("softmax") as net:
        weights = tc.boltzmann(tc.parameter("E", np.zeros(3)), 1.0)
        tc.output("y", tc.input("x", (3,)) * weights + tc.parameter("b", np.zeros(3)))
    exe = tc.compile(net, "brian2", codegen="numpy")
    x = np.ones((1, 3))
    np.testing.assert_allclose(exe.run({"x": x}, parameters={"b": np.ones(3)})["y"], 4 / 3)
    with pytest.raises(ThermocError, match="'E' is a constant") as caught:
        exe.with_parameters({"E": np.ones(3)})
    assert caught.value.code == "T418"


def test_arrays_that_were_exchanged_are_let_go():
    with tc.Network("wide") as net:
        tc.output("y", tc.affine(tc.input("x", (40_000,)), tc.parameter("W", np.zeros((2, 40_000)))))
    exe, x = tc.compile(net, "brian2", codegen="numpy"), np.ones((1, 40_000))

    def run(value: float) -> None:
        y = exe.run({"x": x}, parameters={"W": np.full((2, 40_000), value)})["y"]
        np.testing.assert_allclose(y, 40_000 * value)

    run(1.0)
    gc.collect()
    tracemalloc.start()
    for value in range(2, 8):
        run(float(value))
    gc.collect()
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 2 * 40_000 * 8
