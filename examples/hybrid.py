"""Ordinary layers and thermodynamic ones in one network, on every target that can hold it (P43).

    python examples/hybrid.py [FIGURE]      default hybrid.png

An affine layer with ReLU drives p-bits, whose firing a trace sums up; an affine layer reads it out, and Boltzmann's law
makes probabilities of that. One seed gives one trajectory: the p-bits of the simulator, of ONNX, of Brian2 and of the
chip's simulator are the same, floats agree to rounding. Lava, which takes the network as well, brings it to integers:
what that costs is for ``tc.verify(net, ["lava"])`` to say.
"""

from __future__ import annotations

import sys

import numpy as np

import thermoc as tc

TARGETS = ("sim", "onnx", "brian2", "chip")
TICKS, SEED = 60, 7


def network() -> tc.Network:
    """Return the network; its weights are random, as nothing is trained here."""
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=shape) / np.sqrt(shape[1]) for shape in ((12, 8), (10, 12), (4, 10))]
    with tc.Network("hybrid", dt=0.1) as net:
        x = tc.input("x", (8,))
        ordinary = tc.maximum(tc.affine(x, weights[0]), 0.0)
        spins = tc.sample_binary(tc.affine(ordinary, weights[1]), 0.3)
        firing = tc.trace(spins, 1.0)
        tc.output("ordinary", ordinary)
        tc.output("p-bits", spins)
        tc.output("probabilities", tc.boltzmann(-tc.affine(firing, 0.3 * weights[2]), 0.5))
    return net


def draw(net: tc.Network, x: dict[str, np.ndarray], path: str) -> None:
    """Write a figure: the p-bits, and the probabilities in the simulator (lines) and in ONNX (points)."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    runs = {name: tc.compile(net, name).run(x, ticks=TICKS, seed=SEED) for name in ("sim", "onnx")}
    figure, (top, bottom) = plt.subplots(2, 1, sharex=True, figsize=(8, 5), layout="constrained")
    top.imshow(runs["sim"]["p-bits"][:, 0].T, aspect="auto", cmap="Greys", interpolation="nearest")
    top.set(ylabel="p-bit", title="p-bits that ordinary units drive")
    for k in range(4):
        bottom.plot(runs["sim"]["probabilities"][:, 0, k], color=f"C{k}")
        bottom.plot(runs["onnx"]["probabilities"][:, 0, k], ".", ms=4, color=f"C{k}")
    bottom.set(xlabel="tick", ylabel="probability", title="read out: simulator (lines), ONNX (points)")
    figure.savefig(path, dpi=150)


def main() -> None:
    """Hold the targets against each other and against the reference, and write a figure."""
    path = sys.argv[1] if len(sys.argv) > 1 else "hybrid.png"
    net, x = network(), {"x": np.random.default_rng(1).normal(size=(2, 8))}
    report = tc.verify(net, targets=TARGETS, inputs=x, ticks=TICKS, seed=SEED)
    print(report)
    assert report.ok
    draw(net, x, path)
    print(f"figure: {path}")


if __name__ == "__main__":
    main()
