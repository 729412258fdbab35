"""Associative memory: digits recalled from half an image, and how many patterns a Hopfield network holds.

    python examples/associative_memory.py [associative_memory.png [UNITS]]

Ten digits are stored in 64 spins by the pseudo-inverse and recalled from their upper halves; attention over all 1,198
images recalls each of them. Then random patterns are stored by Hebb's rule in 1,000 spins: recall breaks where the
mean-field theory says, 0.138 patterns a unit at T = 0 and fewer when it is warmer. Takes half a minute on one core.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from thermoc.apps.generation import picture
from thermoc.apps.memory import CapacityCurve, measured_capacity, recall, recall_by_attention
from thermoc.demo import digits
from thermoc.learning.hopfield import pseudo_inverse
from thermoc.physics.hopfield import hopfield_capacity

KNOWN = np.arange(64) < 32
"""The upper half of an image."""
LOADS = np.array([0.8, 1.0, 1.25])
"""In units of the theory's capacity."""


def spins() -> tuple[NDArray, NDArray]:
    """Return the digits as spins (1198, 64), and one of each label (10, 64)."""
    data = digits()
    x = 2.0 * (data.train_images >= 0.5) - 1
    return x, np.stack([x[data.train_labels == label][0] for label in range(10)])


def main(path: str = "associative_memory.png", units: str = "1000") -> None:
    """Recall, measure, draw."""
    images, ten = spins()
    cues = np.where(KNOWN, ten, np.random.default_rng(1).choice([-1.0, 1.0], ten.shape))
    recalled = recall(pseudo_inverse(ten), cues, known=KNOWN, cooled_from=0.3, sweeps=80, seed=1)
    exact = (recalled == ten).all(axis=1)
    print(f"Hopfield network: {exact.sum()} of 10 digits from their upper halves")
    assert exact.all()

    halves = np.where(KNOWN, images, 0.0)
    attended = recall_by_attention(images, halves, known=KNOWN, T=0.5)
    alone = np.array([((images @ np.where(KNOWN, image, 0.0)) == KNOWN.sum()).sum() == 1 for image in images])
    right = np.abs(attended - images).max(axis=1) < 0.5
    print(f"attention: {right[alone].mean():.3f} of the {alone.sum()} digits whose upper half is no other's")
    assert right[alone].mean() > 0.9

    curves = [measured_capacity(int(units), LOADS * hopfield_capacity(0.0), networks=2, most=32)]
    curves += [
        measured_capacity(int(units) // 2, LOADS * hopfield_capacity(T), T=T, networks=2, most=32) for T in (0.2, 0.4)
    ]
    for curve in curves:
        print(f"{curve.units} units, T = {curve.T}: recall breaks at {curve.capacity:.4f}, theory {curve.theory:.4f}")
    assert abs(curves[0].capacity / curves[0].theory - 1) < (0.1 if int(units) >= 1000 else 0.25)
    assert curves[0].capacity > curves[1].capacity > curves[2].capacity
    figure(path, np.concatenate([ten, np.where(KNOWN, ten, 0.0), cues, recalled]), curves)


def figure(path: str, rows: NDArray, curves: list[CapacityCurve]) -> None:
    """Draw digits, cues and what is recalled; shares of recalled patterns; capacity against temperature."""
    import matplotlib.pyplot as plt

    fig, (left, middle, right) = plt.subplots(1, 3, figsize=(14, 4), layout="constrained")
    picture(left, (rows + 1) / 2, shape=(8, 8), title="stored, known, cue, recalled")
    for curve in curves:
        label = f"T = {curve.T}, {curve.units} units"
        middle.errorbar(curve.loads / curve.theory, curve.recalled, curve.errors, marker="o", ms=3, label=label)
        right.plot(curve.T, curve.capacity, "o", color="#3b6ea8")
    middle.axvline(1.0, color="gray", lw=1)
    middle.set(xlabel="load / theory's capacity", ylabel="share of patterns recalled")
    middle.legend()
    T = np.linspace(0, 1, 41)
    right.plot(T, [hopfield_capacity(float(t)) for t in T], color="#12355b", label="mean field")
    right.set(xlabel="T", ylabel="capacity, patterns a unit")
    right.legend()
    fig.savefig(path, dpi=120)


if __name__ == "__main__":
    main(*sys.argv[1:])
