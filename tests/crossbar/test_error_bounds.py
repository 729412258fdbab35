"""Errors through single ops: never larger than the bound, and as large as it where the op is steepest."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest

import thermoc as tc
from thermoc.ir.dialects import core
from thermoc.ir.feed import feed
from thermoc.ir.handle import Handle
from thermoc.ir.reference import interpret
from thermoc.passes.analysis.error_bounds import ERRORS, carried

E = np.array([1e-4, 2e-4, 3e-4])
W = np.array([[1.0, -2.0, 0.5], [0.0, 1.0, 1.0]])
ZERO, STEEP = np.zeros(3), np.array([np.sqrt(2.0), 0.0, 0.0])
CASES: dict[str, tuple[Callable[[Handle], Handle], np.ndarray, float]] = {
    "affine": (lambda x: tc.affine(x, W, np.ones(2)), ZERO, 1.0),
    "conv": (lambda x: tc.conv(tc.reshape(x, shape=(1, 3)), W[:, np.newaxis, :2], padding=1), ZERO, 1.0),
    "sparse": (lambda x: tc.sparse_affine(x, np.array([2.0, -1.0]), np.array([0, 2]), np.array([0, 1, 2])), ZERO, 1.0),
    "matmul, left": (lambda x: tc.matmul(W, tc.reshape(x, shape=(3, 1))), ZERO, 1.0),
    "matmul, right": (lambda x: tc.matmul(tc.reshape(x, shape=(1, 3)), W.T), ZERO, 1.0),
    "neg": (lambda x: -x, ZERO, 1.0),
    "add": (lambda x: x + x, ZERO, 0.5),  # each operand counts on its own
    "sub": (lambda x: 1.0 - x, ZERO, 1.0),
    "mul": (lambda x: x * np.array([3.0, -1.0, 2.0]), ZERO, 1.0),
    "div": (lambda x: x / np.array([3.0, -1.0, 2.0]), ZERO, 1.0),
    "scale": (lambda x: tc.scale(x, np.array([3.0, -1.0, 2.0])), ZERO, 1.0),
    "reduce": (lambda x: tc.reduce(x, kind="sum", axes=(0,)), ZERO, 1.0),
    "least": (lambda x: tc.reduce(x, kind="min", axes=(0,)), np.array([5.0, 5.0, 0.0]), 1.0),
    "pool": (lambda x: tc.pool(tc.reshape(x, shape=(1, 3)), kind="max", window=(2,), stride=(1,), padding=((0, 0),)), ZERO, 0.5),
    "maximum": (lambda x: tc.maximum(x, -1.0), ZERO, 1.0),
    "minimum": (lambda x: tc.minimum(x, 1.0), ZERO, 1.0),
    "select": (lambda x: tc.select(tc.constant(np.array([True, False, True])), x, 2.0), ZERO, 1.0),
    "slice": (lambda x: tc.slice(x, starts=(1,), stops=(3,), steps=(1,)), ZERO, 1.0),
    "abs": (tc.abs, ZERO, 1.0),
    "tanh": (tc.tanh, ZERO, 0.99),
    "sin": (tc.sin, ZERO, 0.99),
    "cos": (tc.cos, np.full(3, np.pi / 2), 0.99),
    "relu": (lambda x: tc.thermal_relu(x, T=0.2), np.ones(3), 1.0),
    "fermi": (lambda x: tc.fermi_dirac(x, T=0.2), ZERO, 0.99),
    "boltzmann": (lambda x: tc.boltzmann(tc.slice(x, starts=(0,), stops=(2,), steps=(1,)), T=0.2), ZERO, 0.7),
    "maxwell": (lambda x: tc.maxwell_boltzmann(x, T=1.0), np.full(3, 0.66), 0.85),
    "concat": (lambda x: tc.concat((x, np.ones(1))), ZERO, 1.0),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_bound_holds_and_is_no_larger_than_it_must_be(case: str):
    """Every choice of signs; the bound is met to the share that stands in the table."""
    make, point, share = CASES[case]
    with tc.Network("n") as net:
        tc.output("y", make(tc.input("x", (3,))))
    graph = net.graph
    constants = {op.y.name: op.value.numpy for op in graph.of(core.Constant)}
    errors: dict[str, np.ndarray | None] = {"x": E}
    for op in graph.order:
        if not isinstance(op, core.Input | core.Output | core.Constant):
            errors[op.results[0].name] = carried(op, errors, constants)
    bound = errors[graph.outputs["y"].x.name]
    assert bound is not None
    runs = [point, *(point + E * np.array(signs) for signs in product((-1, 0, 1), repeat=3))]
    y = interpret(graph, feed(graph, {"x": np.array(runs)[np.newaxis]})).outputs["y"][0]
    off = np.abs(y[1:] - y[0]).max(axis=0)
    assert (off <= bound * (1 + 1e-3)).all()
    assert (off.max() >= share * bound.max() * (1 - 1e-3)) and bound.max() > 0


def test_every_rule_has_a_case():
    seen = set()
    for make, _, _ in CASES.values():
        with tc.Network("n") as net:
            tc.output("y", make(tc.input("x", (3,))))
        seen |= {type(op) for op in net.graph.ops}
    moves = {core.Flatten, core.Transpose, core.Broadcast}
    assert {cls for cls, rule in ERRORS.items() if rule.carry is not None} - seen <= moves


def test_what_has_no_slope_has_no_bound_but_its_own_width():
    with tc.Network("n") as net:
        x = tc.input("x", (3,))
        for number, made in enumerate(
            (tc.floor(x), tc.exp(x), x * x, tc.delay(x), tc.sign(x), tc.tanh(tc.exp(x)), tc.boltzmann(x * x, T=1.0))
        ):
            tc.output(f"y{number}", made)
    errors: dict[str, np.ndarray | None] = {"x": E}
    for op in net.graph.order:
        if not isinstance(op, core.Input | core.Output | core.Constant):
            errors[op.results[0].name] = carried(op, errors, {})
    found = [errors[op.x.name] for op in net.graph.outputs.values()]
    assert all(item is None for item in found[:4])
    assert [item.max() for item in found[4:] if item is not None] == [2.0, 2.0, 1.0]
