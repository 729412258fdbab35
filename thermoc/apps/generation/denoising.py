"""A denoising thermodynamic model: Boltzmann machines in a chain, each of which undoes a little noise.

Forward, every pixel is flipped with probability ``flip``, step after step, until nothing of the image is left.
Backward, step t draws the less noisy image x from

    p(x | y) = sum_h exp(x.W.h + b.x + c.h + ln((1 - flip) / flip) x.(2 y - 1)) / Z(y)

beside the noisier image y. The last term is what the flips say, exactly: ln p(y | x) up to a constant; the machine has
to add ln p(x) of the images that far down the chain. Each of the layers is easy to sample where few pixels flip, which
one machine for all of it is not. Sohl-Dickstein et al., ICML 2015; Jelincic et al., arXiv 2510.23972 (2025).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from thermoc import network
from thermoc.api import compile as compile_network
from thermoc.apps.generation.training import Progress, Training, images_of, restricted, untrained
from thermoc.ir.functions import FUNCTIONS
from thermoc.ir.handle import Handle
from thermoc.learning.deep_training import DeepTraining
from thermoc.learning.machines import DeepBoltzmannMachine, RestrictedBoltzmannMachine
from thermoc.network import Network
from thermoc.support.array_types import FloatArray
from thermoc.support.errors import error


@dataclass(frozen=True, kw_only=True)
class DenoisingChain:
    """Machines, the last of which is drawn first: machine t goes from step t + 1 of the noise to step t.

    flip: probability that a pixel flips in a step. sweeps: updates of each machine when it is drawn from.
    Errors: T404, T405.
    """

    machines: tuple[RestrictedBoltzmannMachine, ...]
    flip: float
    sweeps: int = 10

    def __post_init__(self):
        if not 0 < self.flip < 0.5 or self.sweeps < 1 or not self.machines:
            notes = [f"flip = {self.flip:g}", f"sweeps = {self.sweeps}", f"{len(self.machines)} machines"]
            raise error("T404", "flips have a probability between 0 and 1/2, sweeps and machines are some", notes=notes)
        if len({machine.visible for machine in self.machines}) > 1:
            sizes = [machine.visible for machine in self.machines]
            raise error("T405", "machines of a chain have the same visible units", notes=[f"they have {sizes}"])

    @property
    def field(self) -> float:
        """ln((1 - flip) / flip): the field of a noisier pixel on its less noisy one."""
        return float(np.log((1 - self.flip) / self.flip))

    def network(self, name: str = "denoising-chain") -> Network:
        """Return the network that draws an image in one tick: from random bits through all machines.

        Parameters W0, b0, c0, ...; output x (visible,); probes x1, x2, ..., the images at each step of the noise. A
        machine's chain of ``sweeps`` updates begins at the noisier image.
        """
        with Network(name) as net:
            x = FUNCTIONS["thermo.sample_binary"](network.constant(np.zeros(self.machines[0].visible)), 1.0)
            for t in reversed(range(len(self.machines))):
                network.probe(f"x{t + 1}", x)
                x = self._denoised(t, x)
            network.output("x", x)
        return net

    def samples(self, count: int, *, seed: int = 0) -> tuple[FloatArray, ...]:
        """Return images (count, visible) of 0 and 1 at every step, pure noise first, the result last. Errors: T404."""
        if count < 1:
            raise error("T404", "count must be at least 1", notes=[f"it is {count}"])
        names = [*(f"x{t + 1}" for t in reversed(range(len(self.machines)))), "x"]
        run = compile_network(self.network(), "sim").run(batch=count, seed=seed, record=dict.fromkeys(names, "all"))
        return tuple(run[title][0] for title in names)

    def _denoised(self, t: int, y: Handle) -> Handle:
        machine, op = self.machines[t], FUNCTIONS
        W, b, c = (network.parameter(f"{key}{t}", getattr(machine, key)) for key in "Wbc")
        up = op["core.transpose"](W, axes=(1, 0))
        # the field is that of the probabilities: it does not grow with the temperature of the machine's energy
        strength = self.field * machine.T
        field, x = b + (y * (2 * strength) - strength), y
        for _ in range(self.sweeps):
            h = op["thermo.sample_binary"](op["core.affine"](x, up, c), machine.T)
            x = op["thermo.sample_binary"](op["core.affine"](h, W) + field, machine.T)
        return x


def denoising_chain(
    data: ArrayLike,
    *,
    steps: int = 6,
    hidden: int = 64,
    flip: float = 0.12,
    sweeps: int = 10,
    training: Training | None = None,
    progress: Progress | None = None,
) -> DenoisingChain:
    """Return a chain of machines of so many hidden units trained on images (n, m) of 0 and 1.

    Machine t is trained on pairs (x_t, x_{t+1}) of the noise, drawn anew every epoch, by contrastive divergence whose
    chains start at x_t beside x_{t+1}. After all steps a pixel is right with probability (1 + (1 - 2 flip)^steps) / 2,
    which should be near 1/2. Errors: T402, T403, T404, T422.
    """
    options, x = training or Training(sweeps=5), images_of(data)
    machines = [
        untrained([x.shape[1], hidden], _noised(x, t, flip, _noise(options, t)), options.seed + t) for t in range(steps)
    ]
    # what is wrong with the numbers is told before any is trained
    chain = DenoisingChain(machines=tuple(map(restricted, machines)), flip=flip, sweeps=sweeps)
    for t in range(steps):
        machines[t] = _trained(machines[t], x, t, chain, options)
        if progress is not None:
            progress(t + 1, steps)
    return DenoisingChain(machines=tuple(map(restricted, machines)), flip=flip, sweeps=sweeps)


def _trained(
    machine: DeepBoltzmannMachine, data: FloatArray, t: int, chain: DenoisingChain, options: Training
) -> DeepBoltzmannMachine:
    """Return machine t after training on pairs of images at steps t and t + 1 of the noise."""
    rng = _noise(options, t)
    # a chain begins at each sample of a batch
    layer_options = replace(options.options, chains=options.batch)
    training = DeepTraining(machine, layer_options, seed=options.seed + t, field=True)
    batches = -(-len(data) // options.batch)
    for epoch in range(options.epochs):
        x = np.resize(data[rng.permutation(len(data))], (batches * options.batch, data.shape[1]))
        x = _noised(x, t, chain.flip, rng)
        field = chain.field * (2 * _noised(x, 1, chain.flip, rng) - 1)
        for rows in np.split(np.arange(len(x)), batches):
            training.step_beside(x[rows], field[rows], rate=options.rate_of(epoch))
    return training.machine


def _noised(x: FloatArray, steps: int, flip: float, rng: np.random.Generator) -> FloatArray:
    """Return x after so many steps of noise: flips add up to one flip of probability (1 - (1 - 2 flip)^steps) / 2."""
    return np.abs(x - (rng.random(x.shape) < (1 - (1 - 2 * flip) ** steps) / 2))


def _noise(options: Training, t: int) -> np.random.Generator:
    return np.random.default_rng([options.seed, t])
