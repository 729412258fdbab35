"""Interval analysis: no value leaves its range, and crossbar chips use it (that every op has a rule: test_op_tables)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from strategies import given_inputs, networks

import thermoc as tc
from thermoc.ir.dialects import core
from thermoc.ir.feed import feed
from thermoc.ir.reference import interpret
from thermoc.ir.types import DType
from thermoc.passes import stages
from thermoc.passes.analysis.intervals import intervals, ranges
from thermoc.passes.infer_shapes import InferShapes
from thermoc.passes.pipeline import run_passes

CHIP = {"chip": "thermo-1", "cells": "chip"}


@pytest.mark.slow
@settings(max_examples=120, deadline=None, derandomize=True, database=None)
@given(networks())
def test_no_value_leaves_its_range(net):
    """Random networks, continuous and in steps; inputs of ``given_inputs`` lie within +-6."""
    arrays = given_inputs(net)
    top = max((float(np.abs(a).max(initial=0)) for a in arrays.values()), default=1.0)
    typed = run_passes(net.graph, [InferShapes()]).graph
    steps = run_passes(net.graph, stages.discrete(dt=net.graph.dt, dtype=DType.f64)).graph
    for graph in (typed, steps):
        held = intervals(graph, (-top, top))
        names = [v.name for op in graph.ops for v in op.results]
        probes = interpret(graph, feed(graph, arrays), seed=3, probes=names).probes
        for name in names:
            values, low, high = probes[name].astype(float), held[name].low, held[name].high
            slack = 1e-9 * (1 + np.abs(values))
            inside = ((values >= low - slack) & (values <= high + slack)) | np.isnan(values)
            assert inside.all(), (graph.producers[name].opname, name, low, high, values[~inside])


def one(call, *, shape=(3,), inputs=(-2.0, 3.0)):
    """The range of what a call makes of an input."""
    with tc.Network("one") as net:
        tc.output("y", call(tc.input("x", shape)))
    graph = run_passes(net.graph, [InferShapes()]).graph
    (out,) = graph.of(core.Output)
    held = intervals(graph, inputs)[out.x.name]
    return float(held.low.min()), float(held.high.max())


@pytest.mark.parametrize(
    ("call", "low", "high"),
    [
        (lambda x: tc.abs(x), 0, 3),
        (lambda x: tc.sin(x), -1, 1),
        (lambda x: tc.sin(0.1 * x), np.sin(-0.2), np.sin(0.3)),
        (lambda x: tc.cos(0.1 * x), np.cos(0.3), 1),
        (lambda x: tc.expm1(x), np.expm1(-2), np.expm1(3)),
        (lambda x: tc.sqrt(tc.abs(x)), 0, np.sqrt(3)),
        (lambda x: tc.log(tc.abs(x) + 1.0), 0, np.log(4)),
        (lambda x: x / (tc.abs(x) + 1.0), -2, 3),
        (lambda x: x / x, -np.inf, np.inf),
        (lambda x: x * x, 0, 9),
        (lambda x: tc.pow(x, 2.0), 0, 9),
        (lambda x: tc.pow(x, 3.0), -8, 27),
        (lambda x: tc.select(x > 5.0, x, 1.0 + 0.0 * x), 1, 1),
        (lambda x: tc.select(x > 0.0, x, 5.0 + 0.0 * x), -2, 5),
        (lambda x: tc.reduce(x, kind="sum"), -6, 9),
        (lambda x: tc.cast(tc.reduce(x, kind="argmax", axes=0), dtype="f64"), 0, 2),
        (lambda x: tc.cast(tc.cast(0.3 * x, dtype="i32"), dtype="f64"), 0, 0),
        (lambda x: tc.threshold(x, 0.5), 0, 1),
        (lambda x: tc.sample_binary(x, 1.0, levels="spin"), -1, 1),
        (lambda x: tc.sample_categorical(x, 1.0), 0, 1),
        (lambda x: tc.gibbs(1.0, np.ones((3, 3)) - np.eye(3), x), -1, 1),
        (lambda x: tc.lif(x, 5.0)[0], 0, 1),
        (lambda x: tc.delay(x, 7.0), -2, 7),
        (lambda x: tc.decode(x), -2, 3),
        (lambda x: tc.matmul(tc.reshape(x, shape=(1, 3)), np.ones((3, 1))), -6, 9),
        (lambda x: tc.i(x), -np.inf, np.inf),
    ],
)
def test_an_op_has_the_range_that_it_should(call, low, high):
    found = one(call)
    np.testing.assert_allclose(found, (low, high), rtol=1e-12, atol=1e-12)


def test_a_cycle_of_spikes_is_bounded_whatever_its_weights():
    with tc.Network("ring") as net:
        back = tc.placeholder((4,), role="spike")
        s = tc.sample_binary(tc.affine(tc.delay(back), 3.0 * np.ones((4, 4))), 1.0)
        tc.connect(back, s)
        tc.output("y", tc.affine(s, np.ones((2, 4))))
    graph = run_passes(net.graph, [InferShapes()]).graph
    held = ranges(graph, (-1.0, 1.0))
    assert all(name in held for op in graph.of(core.Affine) for name in [v.name for v in op.results])
    tc.compile(net, "chip", input_range=(-1.0, 1.0), **CHIP)


CHAINS = {
    "p-bits": lambda x: tc.sample_binary(x, 1.0),
    "spikes": lambda x: tc.lif(x, 5.0)[0],
    "membranes": lambda x: tc.lif(x, 5.0)[1],
    "traces": lambda x: tc.trace(tc.threshold(x), 5.0),
    "thresholds": lambda x: tc.threshold(x),
    "sine": tc.sin,
    "cosine": tc.cos,
    "magnitude": tc.abs,
    "expm1": tc.expm1,
    "root": lambda x: tc.sqrt(tc.abs(x)),
    "logarithm": lambda x: tc.log(tc.abs(x) + 1.0),
    "quotient": lambda x: x / (tc.abs(x) + 1.0),
    "choice": lambda x: tc.select(x > 0.0, x, -x),
    "reduction": lambda x: x - tc.reduce(x, kind="mean"),
    "whole numbers": lambda x: tc.cast(tc.cast(x, dtype="i32"), dtype="f64"),
    "delay": lambda x: tc.delay(x),
    "noise": lambda x: x + tc.normal(shape=(6,)),
}


@pytest.mark.parametrize("name", CHAINS)
def test_a_product_behind_any_of_these_needs_the_inputs_range_alone(name):
    rng = np.random.default_rng(0)
    with tc.Network("n") as net:
        b = CHAINS[name](tc.affine(tc.input("x", (8,)), rng.normal(size=(6, 8))))
        tc.output("y", tc.affine(b, rng.normal(size=(4, 6))))
    tc.compile(net, "chip", input_range=(-1.0, 1.0), **CHIP)


def test_what_has_no_bound_is_named_and_calibration_is_the_cure():
    with tc.Network("n") as net:
        b = tc.i(tc.affine(tc.input("x", (8,)), np.ones((6, 8))))
        tc.output("y", tc.affine(b, np.ones((4, 6))))
    with pytest.raises(tc.ThermocError) as caught:
        tc.compile(net, "chip", input_range=(-1.0, 1.0), **CHIP)
    text = str(caught.value)
    assert caught.value.code == "T208" and "has no bound" in text and "inputs lie between -1 and 1" in text
    assert "calibrate" in text and "give input_range" not in text
    tc.compile(net, "chip", calibrate={"x": np.zeros((2, 1, 8))}, **CHIP)
