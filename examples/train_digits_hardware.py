"""Train a digits network for the chip that it will run on: free energy and task loss, then through the chip itself.

    python examples/train_digits_hardware.py [STEPS]

64 pixels, two layers of 128 thermal-ReLU units, ten Boltzmann units. It is trained in floats by the likelihood of the
labels and the free energy of its hidden layers (P35). On thermo-1, whose converters cover the largest current that can
flow, each of its products is rounded to 8 bits eight times over: it loses more than half a point of accuracy. A few
hundred more steps, with the forward pass through cells and converters, bring it back. Needs thermoc[learn].
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
import torch

import thermoc as tc
from thermoc.demo import digits
from thermoc.learning import NetworkModule, free_energy, to_torch

HIDDEN = (128, 128)
STEPS, TUNING, BATCH = 1500, 200, 256
FREE_ENERGY = 0.01
ON_CHIP: dict[str, Any] = {"chip": "thermo-1", "input_range": (0.0, 1.0)}
DATA = digits()
IMAGES, LABELS = torch.tensor(DATA.train_images, dtype=torch.float32), torch.tensor(DATA.train_labels)


def network() -> tc.Network:
    """Return the network with its first weights; energy is that of each of the ten digits."""
    rng, inputs = np.random.default_rng(0), 64
    with tc.Network("digits") as net:
        h = tc.input("pixels", (64,))
        for number, units in enumerate(HIDDEN):
            W = tc.parameter(f"layer{number}.W", rng.normal(0, np.sqrt(2 / inputs), (units, inputs)))
            z = tc.affine(h, W, tc.parameter(f"layer{number}.b", np.zeros(units)))
            tc.probe(f"z{number}", z)
            h, inputs = tc.thermal_relu(z, T=0.05), units
        W = tc.parameter("out.W", rng.normal(0, np.sqrt(1 / inputs), (10, inputs)))
        energy = -tc.affine(h, W, tc.parameter("out.b", np.zeros(10)))
        tc.output("energy", energy)
        tc.output("probs", tc.boltzmann(energy, T=0.5))
    return net


def trained(module: NetworkModule, steps: int, rate: float) -> tc.Network:
    """Return the network after Adam on the negative log-likelihood of the labels and the layers' free energy."""
    random = torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam(module.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for step in range(steps):
        # What a target's converters must cover changes with the weights.
        if step % 50 == 0:
            module.calibrate()
        pick = torch.randint(0, len(IMAGES), (BATCH,), generator=random)
        run = module({"pixels": shifted(IMAGES[pick], random)})
        task = torch.nn.functional.cross_entropy(-run["energy"][0] / 0.5, LABELS[pick])
        layers = sum(free_energy(run[f"z{number}"][0], 1.0) for number in range(len(HIDDEN)))
        optimiser.zero_grad()
        (task + FREE_ENERGY * layers).backward()
        optimiser.step()
        schedule.step()
    return module.to_network()


def shifted(images: torch.Tensor, random: torch.Generator) -> torch.Tensor:
    """Return the images moved by -1, 0 or 1 pixel each way, zeros coming in."""
    padded = torch.nn.functional.pad(images.reshape(-1, 8, 8), (1, 1, 1, 1))
    dy, dx = torch.randint(0, 3, (2, len(images)), generator=random)
    rows, columns = dy[:, None, None] + torch.arange(8)[:, None], dx[:, None, None] + torch.arange(8)
    return padded[torch.arange(len(images))[:, None, None], rows, columns].reshape(-1, 64)


def accuracy(net: tc.Network, target: str = "sim", **options: Any) -> float:
    """Return the share of unseen digits that a target reads right, in percent."""
    energy = tc.compile(net, target, **options).run({"pixels": DATA.test_images})["energy"][0]
    return 100 * float(np.mean(energy.argmin(axis=1) == DATA.test_labels))


def main(steps: str = str(STEPS)) -> None:
    """Train in floats, then for the chip, and hold the accuracies against each other."""
    start = time.perf_counter()
    plain = trained(to_torch(network()), int(steps), rate=5e-3)
    in_floats, on_chip = accuracy(plain), accuracy(plain, "chip", cells="chip", **ON_CHIP)
    print(f"floats {in_floats:.2f} %, its weights on thermo-1 {on_chip:.2f} %, {time.perf_counter() - start:.0f} s")
    tuned = trained(to_torch(plain, target="chip", **ON_CHIP), TUNING, rate=1e-3)
    aware = accuracy(tuned, "chip", cells="chip", **ON_CHIP)
    print(f"trained for thermo-1 {aware:.2f} %, {time.perf_counter() - start:.0f} s")
    assert in_floats >= 97.5, "the network in floats"
    assert in_floats - on_chip > 0.5, "the chip costs a network that does not know of it more than half a point"
    assert in_floats - aware <= 0.5, "trained for it, the network loses half a point at most"


if __name__ == "__main__":
    main(*sys.argv[1:])
