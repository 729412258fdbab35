"""Ordinary layers and thermodynamic ones in one network, on every target that can hold it (P43).

    python examples/hybrid.py [FIGURE]      default hybrid.png

An affine layer with ReLU feeds p-bits, whose means over time are a memory's; an affine layer reads it out, and Boltzmann's
law makes probabilities of it. One seed gives one trajectory: the simulator, ONNX and Brian2 agree to rounding, p-bits
bit for bit. The chip holds it too, within what its conductances and converters allow. Loihi has no plain maximum: its
refusal says so.
"""

from __future__ import annotations

import sys

import numpy as np

import thermoc as tc

TARGETS = ("sim", "onnx", "brian2")
TICKS, SEED = 40, 7


def network() -> tc.Network:
    """Return the network; its weights are random, as nothing is trained here."""
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=shape) / np.sqrt(shape[1]) for shape in ((12, 8), (10, 12), (4, 10))]
    with tc.Network("hybrid", dt=0.1) as net:
        x = tc.input("x", (8,))
        ordinary = tc.maximum(tc.affine(x, weights[0]), 0.0)
        spins = tc.sample_binary(tc.affine(ordinary, weights[1]), 0.3)
        mean = tc.trace(spins, 1.0)
        tc.output("ordinary", ordinary)
        tc.output("p-bits", spins)
        tc.output("probabilities", tc.boltzmann(-tc.affine(mean, 0.3 * weights[2]), 0.5))
    return net


def main() -> None:
    """Run it on each target, hold them against each other, and write a figure."""
    path = sys.argv[1] if len(sys.argv) > 1 else "hybrid.png"
    net, x = network(), {"x": np.random.default_rng(1).normal(size=(2, 8))}
    report = tc.verify(net, targets=list(TARGETS), inputs=x, ticks=TICKS, seed=SEED)
    print(report)
