"""Lava's own Dense, Sparse, Conv and LIF alone."""

from __future__ import annotations

import numpy as np
import pytest

import thermoc as tc
from tests.loihi_lowering.lowering import lowered, reference
from thermoc import demo
from thermoc.ir.dialects import loihi
from thermoc.support.errors import ThermocError

STOCK = (loihi.Encode, loihi.Decode, loihi.Dense, loihi.Sparse, loihi.Conv, loihi.Dendrite, loihi.Lif)


def is_stock(graph) -> bool:
    return all(isinstance(op, STOCK) for op in graph.ops if op.opname.startswith("loihi."))


def test_p_bits_take_their_noise_from_the_host():
    """P(up) = 1 / (1 + exp(-drive / T)) within 4 standard errors, on LIF units."""
    drive = np.array([-1.0, -0.3, 0.0, 0.4, 1.5])
    with tc.Network("net") as net:
        tc.output("y", tc.sample_binary(tc.affine(tc.input("x", (5,)), np.eye(5)), T=0.5))
    result = lowered(net, stock_only=True)
    assert is_stock(result.graph)
    y = reference(result.graph, {"x": np.broadcast_to(drive, (64, 5))}, ticks=500, seed=4)["y"]
    p = 1 / (1 + np.exp(-drive / 0.5))
    assert (np.abs(y.mean(axis=(0, 1)) - p) < 4 * np.sqrt(p * (1 - p) / 32_000)).all()


def test_digits_in_spikes_of_stock_units():
    """Means over 64 ticks of thermal coding: within 3 points of the float network (599 images, sd 0.6 points)."""
    net, data = demo.network(), demo.digits()
    result = lowered(net, input_range=(0.0, 1.0), coding="thermal", stock_only=True)
    assert is_stock(result.graph)
    x = {"pixels": data.test_images}
    exact = reference(net.graph, x)["probs"][0]
    found = reference(result.graph, x, ticks=64, seed=1)["probs"][-1]
    right = [float(np.mean(p.argmax(axis=1) == data.test_labels)) for p in (exact, found)]
    assert right[1] > right[0] - 0.03


def test_other_units_are_refused():
    with tc.Network("net") as net:
        tc.output("y", tc.thermal_relu(tc.affine(tc.input("x", (5,)), np.eye(5)), T=0.1))
    with pytest.raises(ThermocError, match=r"T205.*thermal_relu"):
        lowered(net, stock_only=True)
