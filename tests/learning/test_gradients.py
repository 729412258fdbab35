"""Gradients of every op against central differences of the reference interpreter, or the reason why it has none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from cases import BATCH, CASES, SEED, TICKS, inputs, network

import thermoc as tc
from thermoc.ir.dialects.core import Constant, Parameter
from thermoc.ir.feed import feed
from thermoc.ir.graph import Graph
from thermoc.ir.ops import REGISTRY
from thermoc.ir.parameters import with_parameters
from thermoc.ir.reference import interpret
from thermoc.learning.gradient_table import GRADIENTS
from thermoc.learning.torch_module import to_torch

STEP = 1e-5
NO_SLOPE = {
    "core.cast, of truth": "nothing in it has a slope",
    "core.cast, to truth": "nothing in it has a slope",
    "core.cast": "it makes an integer",
    "core.delay, of truth": "nothing in it has a slope",
    "core.reduce, argmax": "it makes an integer",
    "core.reduce, argmin": "it makes an integer",
    "core.output": "it is an end of the graph",
    "core.probe": "it is an end of the graph",
}
AT_AN_EDGE = {"thermo.langevin, no friction": "friction"}
"""By case, the operand whose value lies where its law ends, so that no difference can be taken."""
OURS = [cls for cls in REGISTRY.values() if cls.__module__.startswith("thermoc.")]


def exact_cases() -> Iterator[Any]:
    """Yield the cases of ops whose gradient is that of their formula, without surrogates and ends of the graph."""
    for case in CASES:
        cls = REGISTRY[case.split(",")[0]]
        kinds = {GRADIENTS[type(op)].kind for op in network(case, "all vary").graph.ops if type(op) in GRADIENTS}
        if cls in GRADIENTS and kinds == {"exact"} and case not in NO_SLOPE:
            yield case


def opened(graph: Graph, case: str) -> Graph:
    """Return the graph with parameters in the place of its float constants, as far as gradients go through them."""
    readers = graph.consumers

    def free(op: Constant) -> bool:
        uses = [
            (reader, name) for reader in readers[op.y.name] for name, value in reader.operand_values if value == op.y
        ]
        structure = any(reader.operand_specs[name.partition("[")[0]].constant for reader, name in uses)
        through = all(
            type(reader) in GRADIENTS and name not in GRADIENTS[type(reader)].without for reader, name in uses
        )
        edge = any(name == AT_AN_EDGE.get(case) for _, name in uses)
        return op.value.numpy.dtype.kind == "f" and through and not structure and not edge

    return graph.with_ops(
        Parameter(name=op.y.name, value=op.value, role=op.role, y=op.y) if isinstance(op, Constant) and free(op) else op
        for op in graph.ops
    )


class Objective:
    """A weighted sum of the float outputs of a run, as a function of inputs and parameters."""

    def __init__(self, case: str):
        net = network(case, "all vary")
        self.graph = opened(net.graph, case)
        self.inputs = inputs(net)
        self.parameters = {name: op.value.numpy for name, op in self.graph.parameters.items()}
        self.rng = np.random.default_rng(3)
        self.weights = {
            name: self.rng.normal(size=(TICKS, BATCH, *op.x.shape))
            for name, op in self.graph.outputs.items()
            if op.x.dtype.is_float and op.x.role != "spike"
        }

    def of_reference(self, arrays: dict[str, Any], parameters: dict[str, Any]) -> float:
        graph = with_parameters(self.graph, parameters)
        outputs = interpret(graph, feed(graph, arrays, ticks=TICKS, batch=BATCH), seed=SEED).outputs
        return float(sum((outputs[name] * weight).sum() for name, weight in self.weights.items()))

    def gradient(self) -> dict[str, Any]:
        module = to_torch(self.graph, precision="float64")
        arrays = {name: torch.tensor(array) for name, array in self.inputs.items()}
        leaves = {n: array.requires_grad_() for n, array in arrays.items() if array.is_floating_point()}
        leaves |= module.named_values()
        run = module(arrays, ticks=TICKS, batch=BATCH, seed=SEED)
        total = sum((run[name] * torch.tensor(weight)).sum() for name, weight in self.weights.items())
        slopes = torch.autograd.grad(total, list(leaves.values()), allow_unused=True, materialize_grads=True)  # type: ignore[arg-type]
        return {name: slope.numpy() for name, slope in zip(leaves, slopes)}


@pytest.mark.parametrize("case", list(exact_cases()))
def test_gradients_are_those_of_the_reference(case: str):
    objective = Objective(case)
    if not objective.weights or not (objective.inputs or objective.parameters):
        pytest.skip("no operand of it is a float that varies")
    slopes = objective.gradient()
    for _ in range(3):
        moves = {name: objective.rng.normal(size=slope.shape) for name, slope in slopes.items()}
        expected = sum((slopes[name] * move).sum() for name, move in moves.items())

        def moved(sign: int, moves: dict[str, Any] = moves) -> float:
            shifted = [
                {name: a + sign * STEP * moves[name] if name in moves else a for name, a in arrays.items()}
                for arrays in (objective.inputs, objective.parameters)
            ]
            return objective.of_reference(*shifted)

        difference = (moved(1) - moved(-1)) / (2 * STEP)
        scale = max(1.0, abs(difference), sum(np.abs(slopes[name] * move).sum() for name, move in moves.items()))
        assert abs(difference - expected) < 1e-6 * scale


def test_every_op_has_a_gradient_or_a_reason():
    assert not GRADIENTS.missing(OURS)
    assert all(GRADIENTS[cls].kind in ("exact", "surrogate", "estimator", "straight-through") for cls in GRADIENTS)


@pytest.mark.parametrize("noise", [False, True])
def test_devices_have_the_gradient_of_eulers_step(noise: bool):
    """Joined by heat: what a voltage does shows in its own current and, by temperature, in the other's."""
    first = np.array([3.0, 6.0])

    def devices(voltages: np.ndarray) -> tc.Network:
        with tc.Network("devices", dt=1.0) as net:
            voltage, heat = tc.parameter("voltage", voltages), 1e-4 * np.array([[0.0, 1.0], [1.0, 0.0]])
            how = {"method": "euler", "steps": 4, "seconds": 1e-9, "noise": noise}
            tc.output("current", tc.device("vo2", voltage, conductance=heat, T=[330.0, 334.0], **how)["current"])
        return net

    def currents(voltages: np.ndarray) -> np.ndarray:
        graph = devices(voltages).graph
        return np.asarray(interpret(graph, feed(graph, {}, ticks=10, batch=1), seed=3).outputs["current"])[-1, 0]

    module = to_torch(devices(first), precision="float64")
    run = module(ticks=10, batch=1, seed=3)["current"][-1, 0]
    np.testing.assert_allclose(run.detach().numpy(), currents(first), rtol=1e-12)
    for unit in range(2):
        (slope,) = torch.autograd.grad(run[unit], module.voltage, retain_graph=True)
        steps = 1e-3 * np.eye(2)
        differences = [(currents(first + step)[unit] - currents(first - step)[unit]) / 2e-3 for step in steps]
        np.testing.assert_allclose(slope.numpy(), differences, rtol=1e-6, atol=1e-6 * np.abs(differences).max())


def test_devices_without_a_form_in_core_ops_say_why_they_have_no_gradient():
    with tc.Network("device", dt=1.0) as net:
        tc.output("T", tc.device("nbo2", tc.parameter("voltage", [1.0]), seconds=1e-9)["T"])
    with pytest.raises(tc.ThermocError, match=r"(?s)T221.*voltage.*Euler's, without circuit_inner"):
        to_torch(net)
