"""The writer of nodes: hoisting, merging, dropping."""

from __future__ import annotations

import numpy as np

from thermoc.backends.onnx.writer import NamedTensor, NodeWriter
from thermoc.ir.graph import NameSource

FLOAT = np.dtype(np.float32)


def scalar(name: str) -> NamedTensor:
    return NamedTensor(name=name, dtype=FLOAT, dims=())


def test_equal_nodes_and_equal_constants_are_one():
    w = NodeWriter(NameSource(["x"]))
    assert w("Add", "x", w.constant(1.0, FLOAT)) == w("Add", "x", w.constant(1.0, FLOAT))
    assert len(w.nodes) == len(w.constants) == 1
    assert w.constant(1.0, FLOAT) != w.constant(1.0, np.float64)


def test_only_what_reads_the_loop_goes_into_it():
    w = NodeWriter(NameSource(["x", "state"]))
    w.enter([scalar("state")])
    outside = w("Exp", "x")
    inside = w("Add", w("Mul", "state", outside), outside)
    body = w.leave([scalar("state")], [scalar(inside)])
    assert [node.kind for node in w.nodes] == ["Exp"]
    assert [node.kind for node in body.nodes] == ["Mul", "Add"]


def test_a_body_hands_out_tensors_of_its_own():
    """One tensor for two outputs, its own input, and a tensor from outside: each but the first needs a copy."""
    w = NodeWriter(NameSource(["x", "state"]))
    w.enter([scalar("state")])
    made = w("Exp", "state")
    body = w.leave([scalar("state")], [scalar(name) for name in (made, made, "state", "x")])
    names = [tensor.name for tensor in body.outputs]
    assert names[0] == made
    assert len(set(names)) == 4
    assert [node.kind for node in body.nodes] == ["Exp", "Identity", "Identity", "Identity"]


def test_dead_nodes_and_constants_are_dropped_but_not_what_a_loop_reads():
    w = NodeWriter(NameSource(["x", "state", "ticks"]))
    w("Sin", w("Add", "x", w.constant(5.0)))
    needed = w("Exp", "x")
    w.enter([scalar("state")])
    w("Cos", "state")
    body = w.leave([scalar("state")], [scalar("state"), scalar(w("Mul", "state", needed))])
    (final,) = w.loop("ticks", ["x"], body)
    w.finish({"y": final})
    assert [node.kind for node in w.nodes] == ["Exp", "Loop"]
    assert [node.kind for node in body.nodes] == ["Mul", "Identity"]
    assert w.nodes[-1].outputs == ("y",)
    assert [bool(array) for array in w.constants.values()] == [True]
