"""Train the digits network that ``thermoc demo`` runs: 64 pixels, thermal-ReLU units, ten Boltzmann units.

    python examples/train_digits.py [digits.thermo [STEPS]]

Gradient descent (Adam) on the negative log-likelihood of the Boltzmann layer, in NumPy, from fixed seeds; the images
are shifted by up to one pixel while training. Two thirds of 1,797 handwritten digits train it, the rest, which it
never sees, tests it. Takes about a minute and a half on one core, and says how far it is; the same machine gives the
same file every time.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from numpy.typing import NDArray

import thermoc as tc
from thermoc.demo import digits

HIDDEN = 128
T_HIDDEN = 0.05
T_OUT = 0.5
STEPS = 12000
BATCH = 128
RATE = 3e-3
DECAY = 2e-4

Weights = dict[str, NDArray]


def network(weights: Weights) -> tc.Network:
    """Return the network; probs is the distribution over the ten digits."""
    with tc.Network("digits") as net:
        pixels = tc.input("pixels", (64,))
        hidden = tc.thermal_relu(tc.affine(pixels, weights["W1"], weights["b1"], name="hidden"), T=T_HIDDEN)
        energy = -tc.affine(hidden, weights["W2"], weights["b2"], name="score")
        tc.output("probs", tc.boltzmann(energy, T=T_OUT))
    return net


def train(images: NDArray, labels: NDArray, steps: int = STEPS) -> Weights:
    """Return trained weights; images (n, 64) in [0, 1], labels (n,). Prints the loss of a batch now and then."""
    rng = np.random.default_rng(2026)
    weights: Weights = {
        "W1": rng.normal(0, np.sqrt(2 / 64), (HIDDEN, 64)),
        "b1": np.zeros(HIDDEN),
        "W2": rng.normal(0, np.sqrt(1 / HIDDEN), (10, HIDDEN)),
        "b2": np.zeros(10),
    }
    first = {name: np.zeros_like(w) for name, w in weights.items()}
    second = {name: np.zeros_like(w) for name, w in weights.items()}
    start = time.perf_counter()
    for step in range(1, steps + 1):
        pick = rng.integers(0, len(images), BATCH)
        rate = RATE * 0.5 * (1 + np.cos(np.pi * step / steps))
        loss, slopes = loss_and_gradient(weights, shifted(images[pick], rng), labels[pick])
        if step % max(1, steps // 12) == 0:
            print(f"step {step} of {steps}: loss {loss:.4f}, {time.perf_counter() - start:.0f} s", flush=True)
        for name, slope in slopes.items():
            slope = slope + DECAY * weights[name] * name.startswith("W")
            first[name] += 0.1 * (slope - first[name])
            second[name] += 0.001 * (slope**2 - second[name])
            mean, spread = first[name] / (1 - 0.9**step), second[name] / (1 - 0.999**step)
            weights[name] -= rate * mean / (np.sqrt(spread) + 1e-8)
    return weights


def loss_and_gradient(weights: Weights, x: NDArray, labels: NDArray) -> tuple[float, Weights]:
    """Return the mean negative log-likelihood and its gradient."""
    z = x @ weights["W1"].T + weights["b1"]
    h = np.maximum(z - T_HIDDEN, 0)
    score = (h @ weights["W2"].T + weights["b2"]) / T_OUT
    p = np.exp(score - score.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    loss = float(-np.log(p[np.arange(len(p)), labels]).mean())
    p[np.arange(len(p)), labels] -= 1
    p /= len(p) * T_OUT
    dz = (p @ weights["W2"]) * (z > T_HIDDEN)
    return loss, {"W1": dz.T @ x, "b1": dz.sum(0), "W2": p.T @ h, "b2": p.sum(0)}


def shifted(images: NDArray, rng: np.random.Generator) -> NDArray:
    """Return the images moved by -1, 0 or 1 pixel each way, zeros coming in."""
    padded = np.pad(images.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
    dy, dx = rng.integers(0, 3, (2, len(images)))
    rows, columns = dy[:, None, None] + np.arange(8)[:, None], dx[:, None, None] + np.arange(8)
    return padded[np.arange(len(images))[:, None, None], rows, columns].reshape(-1, 64)


def main(path: str = "digits.thermo", steps: str = str(STEPS)) -> None:
    """Train, save, and print the accuracy on the digits it never saw."""
    data = digits()
    net = network(train(data.train_images, data.train_labels, int(steps)))
    net.save(path)
    probs = tc.compile(net, target="sim").run({"pixels": data.test_images})["probs"][0]
    print(f"{path}: accuracy {np.mean(probs.argmax(axis=1) == data.test_labels):.4f} on {len(probs)} unseen digits")


if __name__ == "__main__":
    main(*sys.argv[1:])
