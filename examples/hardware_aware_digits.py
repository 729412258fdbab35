"""Digits trained for the chip that they run on: thermo-1's crossbars, and spikes on Loihi.

    python examples/hardware_aware_digits.py [hardware_aware_digits.png [STEPS [SEEDS]]]

A network is trained in floats, by free energies of its layers and the task, and put on the chip: there it errs more.
Then it is trained on through what the chip does. On thermo-1 a deep network loses what its converters, whose ranges
cover all that can ever come, spend on what never comes, and training wins most of it back. On Loihi units fire, sixteen
ticks are few, and the noise of counts is what is lost, not the bits of weights: training through it lets units fire
nearly always or never. 1,198 digits train, 599 that were never seen test. About three minutes on one core.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import thermoc as tc
from thermoc.demo import Digits, digits

T_HIDDEN, T_OUT, T_FREE = 0.05, 0.5, 0.5
FREE_ENERGY = 1e-3
RATE, BATCH = 3e-3, 128
FARTHEST, NOISE = 0.5, 0.2
"""Images are moved by up to half a pixel while training in floats, and pixels are noisy."""
REFIT = 25
"""Steps after which the converters are fitted to the weights again."""


@dataclass(frozen=True, kw_only=True)
class Chip:
    """A network's hidden layers and the chip it runs on: how it is trained for it, and how it is compiled."""

    name: str
    hidden: tuple[int, ...]
    share: float
    """Of the steps of the training in floats, so many more for the chip."""
    training: dict[str, Any]
    compiling: dict[str, Any]
    ticks: int = 1
    draws: int = 1
    """Runs with other noise, whose accuracies are averaged."""
    reach: float = 0.0
    """Weight of ``run.reach`` in the loss."""
    spikes: bool = False
    """The loss is then of scores: a share of spikes is 0 where none came, and its logarithm has no slope there."""
    rate: float = RATE
    noise: float = NOISE
    """Of pixels, in the training for the chip."""
    average: float = 0.0
    """The share that a step keeps of an average of weights, which is what is returned; 0: the last weights are."""


def chips(images: NDArray) -> tuple[Chip, Chip]:
    """Return thermo-1, with converters that cover whatever images in [0, 1] can cause, and Loihi in sixteen ticks."""
    shown = {"coding": "thermal", "calibrate": {"pixels": images}}
    thermo = {"chip": "thermo-1", "input_range": (0.0, 1.0)}
    return (
        Chip(
            name="thermo-1",
            hidden=(64, 64, 64, 64),
            share=1.0,
            training={"target": "chip", **thermo},
            compiling={"target": "chip", "cells": "chip", **thermo},
            reach=0.1,
            average=0.997,
        ),
        Chip(
            name="Loihi, 16 ticks",
            hidden=(128,),
            share=1.0,
            training={"target": "lava", **shown},
            compiling={"target": "lava", "runtime": "reference", **shown},
            ticks=16,
            draws=8,
            spikes=True,
            rate=1e-2,
            noise=0.1,
        ),
    )


def network(hidden: tuple[int, ...], seed: int) -> tc.Network:
    """Return thermal-ReLU layers and ten Boltzmann units; z0, z1, ... are what reaches the layers."""
    rng = np.random.default_rng(seed)
    sizes = (64, *hidden)
    with tc.Network("digits") as net:
        h = tc.input("pixels", (64,))
        for i, (inputs, units) in enumerate(zip(sizes, hidden)):
            W = tc.parameter(f"W{i}", rng.normal(0, np.sqrt(2 / inputs), (units, inputs)))
            z = tc.affine(h, W, tc.parameter(f"b{i}", np.zeros(units)))
            tc.probe(f"z{i}", z)
            h = tc.thermal_relu(z, T=T_HIDDEN)
        V = tc.parameter("V", rng.normal(0, np.sqrt(1 / sizes[-1]), (10, sizes[-1])))
        scores = tc.affine(h, V, tc.parameter("c", np.zeros(10)))
        tc.probe("scores", scores)
        tc.output("probs", tc.boltzmann(-scores, T=T_OUT))
    return net


def trained(
    net: tc.Network, data: Digits, steps: int, *, seed: int, scores: bool, chip: Chip | None = None
) -> tc.Network:
    """Return a network after steps of Adam on task and free energy, through what a chip does if one is given.

    scores: whether the task's loss is of scores, else of probabilities.
    """
    rng = np.random.default_rng(seed)
    module = tc.learning.to_torch(net, **(chip.training if chip else {}))
    optimiser = torch.optim.Adam(module.parameters(), lr=chip.rate if chip else RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    means = [weights.detach().clone() for weights in module.parameters()]
    for step in range(steps):
        if step % REFIT == 0:
            module.calibrate()
        pick = rng.integers(0, len(data.train_images), BATCH)
        images = varied(data.train_images[pick], rng, chip.noise if chip else NOISE).astype(np.float32)
        run = module({"pixels": images}, ticks=chip.ticks if chip else 1, seed=int(rng.integers(2**31)))
        labels = torch.tensor(data.train_labels[pick])
        if scores:
            loss = torch.nn.functional.cross_entropy(run["scores"][-1] / T_OUT, labels)
        else:
            loss = torch.nn.functional.nll_loss(torch.log(run["probs"][-1].clamp(min=1e-6)), labels)
        layers = [run[name][-1] for name in run if name.startswith("z")]
        loss = loss + FREE_ENERGY * sum(tc.learning.free_energy(z, T_FREE) for z in layers)
        loss = loss + (chip.reach if chip else 0.0) * run.reach
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        for mean, weights in zip(means, module.parameters()):
            mean.lerp_(weights.detach(), 1 - (chip.average if chip else 0.0))
    with torch.no_grad():
        for mean, weights in zip(means, module.parameters()):
            weights.copy_(mean)
    return module.to_network()


def varied(images: NDArray, rng: np.random.Generator, noise: float) -> NDArray:
    """Return the images moved by a part of a pixel each way, with noise. images: (n, 64)."""
    padded = np.pad(images.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
    for axis, d in zip((1, 2), rng.uniform(-FARTHEST, FARTHEST, (2, len(images), 1, 1))):
        neighbour = np.where(d > 0, np.roll(padded, 1, axis), np.roll(padded, -1, axis))
        padded = (1 - np.abs(d)) * padded + np.abs(d) * neighbour
    return padded[:, 1:-1, 1:-1].reshape(len(images), 64) + rng.normal(0, noise, (len(images), 64))


def accuracy(net: tc.Network, data: Digits, *, ticks: int = 1, draws: int = 1, **options: Any) -> float:
    """Return the share of unseen digits that a compiled network names, a mean over draws of its noise."""
    exe, inputs = tc.compile(net, **options), {"pixels": data.test_images}
    runs = (exe.run(inputs, ticks=ticks, seed=1 + draw)["probs"][-1] for draw in range(draws))
    return float(np.mean([probs.argmax(axis=1) == data.test_labels for probs in runs]))


def measured(chip: Chip, data: Digits, steps: int, seed: int) -> tuple[float, float, float]:
    """Return the accuracies in float, of the same network on the chip, and of the one trained on for it."""
    plain = trained(network(chip.hidden, seed), data, steps, seed=seed, scores=chip.spikes)
    more = max(1, round(chip.share * steps))
    aware = trained(plain, data, more, seed=seed + 1000, scores=chip.spikes, chip=chip)
    on_chip = [accuracy(net, data, ticks=chip.ticks, draws=chip.draws, **chip.compiling) for net in (plain, aware)]
    return accuracy(plain, data, target="sim"), on_chip[0], on_chip[1]


def main(path: str = "hardware_aware_digits.png", steps: str = "2000", seeds: str = "1") -> None:
    """Train, measure, draw; with a full training, hold the accuracies to what they are to be."""
    data = digits()
    results: dict[str, NDArray] = {}
    for chip in chips(data.train_images):
        rows: list[tuple[float, float, float]] = []
        for seed in range(int(seeds)):
            rows.append(measured(chip, data, int(steps), seed))
            as_float, plain, aware = rows[-1]
            print(
                f"{chip.name}, seed {seed}: float {as_float:.4f}, on the chip {plain:.4f}, trained for it {aware:.4f}"
            )
        results[chip.name] = np.array(rows)
        as_float, plain, aware = results[chip.name].T
        print(
            f"{chip.name}: plain {difference(plain - as_float)} points of float, trained {difference(aware - as_float)}"
        )
        if int(steps) >= 2000:
            assert as_float.mean() > 0.975
            assert (aware - as_float).mean() > -0.005 and aware.mean() > plain.mean()
            # what spikes lose differs by half a point from seed to seed
            assert chip.spikes or (plain - as_float).mean() < -0.005
    figure(path, results)


def difference(share: NDArray) -> str:
    """Return a mean in points, with its standard error where there are several."""
    spread = f" +- {100 * share.std(ddof=1) / np.sqrt(len(share)):.2f}" if len(share) > 1 else ""
    return f"{100 * share.mean():+.2f}{spread}"


def figure(path: str, results: dict[str, NDArray]) -> None:
    """Draw the errors of each chip's networks, a dot a seed."""
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, len(results), figsize=(9, 4), layout="constrained")
    for axis, (name, shares) in zip(axes, results.items()):
        errors = 100 * (1 - shares)
        axis.bar(range(3), errors.mean(axis=0), color=["#9db4c8", "#c86b4a", "#3b6ea8"])
        axis.plot(range(3), errors.T, "o-", color="#12355b", ms=4, lw=0.6)
        axis.set_xticks(range(3), ["in float", "the same\non the chip", "trained\nfor the chip"])
        axis.set(title=name, ylabel="wrong digits, %")
    fig.savefig(path, dpi=120)


if __name__ == "__main__":
    main(*sys.argv[1:])
