"""Rule "gradient": Adam or descent on a task's loss, free energies of layers and temperatures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from thermoc.ir.types import Role
from thermoc.learning.data import shuffled
from thermoc.learning.losses import temperature_regulariser
from thermoc.learning.torch_module import NetworkModule, to_torch
from thermoc.learning.training.config import Config
from thermoc.learning.training.datasets import DataSet, LabelledSamples
from thermoc.learning.training.networks import gives_probabilities, name_of, network_of
from thermoc.learning.training.variation import Variation
from thermoc.network import Network
from thermoc.support import philox
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import error

Tensor = torch.Tensor
RATE = 1e-3
LEAST_T = 1e-3
"""Trained temperatures stay above it: at 0 there is no activation."""
LEAST_P = 1e-12
STEP_STREAM, VALIDATION_STREAM = 5, 6
"""Philox streams of the seeds of noise."""
OWN_KEYS = ("network", "precision", "target", "calibrate")
BLOCK = 1024
"""Samples of one forward pass of validation."""


class GradientTrainer:
    """Trains a network by gradients. Noise is that of a seed for each step: Philox at (sample, tick) within it."""

    def __init__(self, config: Config, data: DataSet):
        self.config, self.steps, self._table, self._loss = config, 0, config.training, config.loss
        network = network_of(config, data.train)
        self._input, self._output = (name_of(config, network, key) for key in ("input", "output"))
        self._shape = network.graph.inputs[self._input].shape
        self._vary = Variation(config, data.train.x.shape[1:])
        self.data = self._shaped(data.train)
        self._probabilities = self._loss.output == "probabilities" or (
            self._loss.output is None and gives_probabilities(network, self._output)
        )
        self._check(network, data)
        self.module = _module(config, network, self._input, self.data)
        self._temperatures = [
            value
            for name, value in self.module.named_values().items()
            if network.graph.parameters[name].role == Role.temperature and value.requires_grad
        ]
        self.optimiser = self._optimiser()

    def epoch(self, epoch: int, steps: int) -> dict[str, float]:
        """Take steps through the samples in the epoch's order. Errors: T422."""
        table = self._table
        order = shuffled(len(self.data), epoch=epoch, seed=table.seed)
        losses: list[float] = []
        for first in range(0, steps * table.batch, table.batch):
            samples = self.data.take(order[first : first + table.batch])
            losses.append(self._step(LabelledSamples(self._vary(samples.x, self.steps), samples.y)))
        self.module.calibrate()
        return {"train_loss": math.fsum(losses) / len(losses)}

    def validate(self, samples: LabelledSamples) -> dict[str, float]:
        """Return the loss, and for labels the accuracy, of samples."""
        samples = self._shaped(samples)
        total, right = 0.0, 0
        with torch.no_grad():
            for first in range(0, len(samples), BLOCK):
                block = samples.take(np.arange(first, min(first + BLOCK, len(samples))))
                run = self._run(block, _seed(self._table.seed, first, VALIDATION_STREAM))
                y = self._target(block)
                total += float(self._task(run[self._output][-1], y)) * len(block)
                if self._loss.task == "cross_entropy":
                    right += int((run[self._output][-1].argmax(dim=-1) == y).sum())
        metrics = {"loss": total / len(samples)}
        return metrics | ({"accuracy": right / len(samples)} if self._loss.task == "cross_entropy" else {})

    @property
    def state(self) -> dict[str, AnyArray]:
        """Weights and the optimiser's state as arrays."""
        arrays = {f"parameter.{name}": value for name, value in self.module.named_values().items()}
        for i, entries in self.optimiser.state_dict()["state"].items():
            arrays |= {f"optimiser.{i}.{key}": value for key, value in entries.items() if value is not None}
        return {name: value.detach().cpu().numpy().copy() for name, value in arrays.items()}

    def restore(self, state: Mapping[str, AnyArray], steps: int) -> None:
        """Go on from a state."""
        self.steps = steps
        with torch.no_grad():
            for name, value in self.module.named_values().items():
                value.copy_(torch.tensor(state[f"parameter.{name}"]))
        entries: dict[int, dict[str, Tensor]] = {}
        for name, array in state.items():
            kind, _, field = name.partition(".")
            if kind == "optimiser":
                number, _, key = field.partition(".")
                entries.setdefault(int(number), {})[key] = torch.tensor(array)
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": entries, "param_groups": groups})
        self.module.calibrate()

    def network(self) -> Network:
        """Return the network as it is now."""
        return self.module.to_network()

    def _step(self, samples: LabelledSamples) -> float:
        run = self._run(samples, _seed(self._table.seed, self.steps, STEP_STREAM))
        loss = self._loss.weight * self._task(run[self._output][-1], self._target(samples))
        for layer, weight in self._loss.free_energy.items():
            loss = loss + weight * run[f"{layer}.F"].mean()
        if self._loss.reach:
            loss = loss + self._loss.reach * run.reach
        if self._loss.temperature:
            values = self.module.named_values()
            for name, T in self._loss.temperature_targets.items():
                loss = loss + temperature_regulariser(values[name], T, self._loss.temperature)
        number = float(loss.detach())
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate
        self.optimiser.zero_grad()
        if math.isfinite(number):
            loss.backward()
            self.optimiser.step()
        if not math.isfinite(number) or not self._is_finite():
            notes = [f"step {self.steps}, learning rate {self._rate}", f"the loss is {number:.4g}"]
            raise error("T422", "training diverges", notes=notes, hint="take a smaller learning_rate")
        with torch.no_grad():
            for T in self._temperatures:
                T.clamp_(min=LEAST_T)
        self.steps += 1
        return number

    def _run(self, samples: LabelledSamples, seed: int) -> Any:
        return self.module({self._input: samples.x}, ticks=self._table.ticks, seed=seed)

    def _task(self, output: Tensor, y: Tensor) -> Tensor:
        if self._loss.task == "mse":
            return torch.nn.functional.mse_loss(output, y.to(output.dtype).reshape(output.shape))
        if self._probabilities:
            return torch.nn.functional.nll_loss(torch.log(output.clamp(min=LEAST_P)), y)
        return torch.nn.functional.cross_entropy(output, y)

    def _target(self, samples: LabelledSamples) -> Tensor:
        labels = self._loss.task == "cross_entropy"
        return torch.tensor(np.asarray(samples.y), dtype=torch.int64 if labels else None)

    def _is_finite(self) -> bool:
        return all(bool(torch.isfinite(value).all()) for value in self.module.parameters())

    @property
    def _rate(self) -> float:
        """The learning rate of the next step."""
        table = self._table
        rate = RATE if table.learning_rate is None else table.learning_rate
        if table.learning_rate_decay == "none":
            return rate
        total = table.steps or (table.epochs or 0) * -(-len(self.data) // table.batch)
        return rate * (1 + math.cos(math.pi * self.steps / total)) / 2

    def _optimiser(self) -> torch.optim.Optimizer:
        table, parameters = self._table, list(self.module.parameters())
        if table.optimiser == "adam":
            return torch.optim.Adam(parameters, lr=self._rate, weight_decay=table.weight_decay)
        return torch.optim.SGD(parameters, lr=self._rate, momentum=table.momentum, weight_decay=table.weight_decay)

    def _shaped(self, samples: LabelledSamples) -> LabelledSamples:
        """Return samples in the shape of the network's input. Errors: T402."""
        size = samples.x.shape[1:]
        if math.prod(size) != math.prod(self._shape):
            notes = [f"a sample has shape {list(size)}", f"input {self._input!r} takes {list(self._shape)}"]
            raise error("T402", "the samples do not fit the network", notes=notes)
        return LabelledSamples(samples.x.reshape(len(samples), *self._shape), samples.y)

    def _check(self, network: Network, data: DataSet) -> None:
        """Refuse labels and losses that the network has no place for. Errors: T402, T403, T519."""
        graph, loss, wrong = network.graph, self._loss, self.config.source.wrong
        for layer in loss.free_energy:
            if f"{layer}.F" not in graph.outputs:
                notes = [f"there is no output '{layer}.F'", f"outputs are {', '.join(graph.outputs)}"]
                hint = "tc.layers with probes=True gives it"
                raise wrong("loss", "free_energy", f"no free energy of {layer!r}", notes=notes, hint=hint)
        for name in loss.temperature_targets:
            if name not in graph.parameters or not graph.parameters[name].trainable:
                notes = [f"trainable are {', '.join(k for k, p in graph.parameters.items() if p.trainable)}"]
                hint = "train_temperatures = true in [network]"
                raise wrong("loss", "temperature_targets", f"{name!r} is not trained", notes=notes, hint=hint)
        shape = graph.outputs[self._output].x.shape
        for samples in (data.train, data.validation, data.test):
            _check_targets(samples, loss.task, self._output, tuple(shape))


def _check_targets(samples: LabelledSamples, task: str, output: str, shape: tuple[int, ...]) -> None:
    y, n = np.asarray(samples.y), len(samples)
    if task == "mse":
        if n and y.size != n * math.prod(shape):
            notes = [f"y has shape {list(y.shape)}", f"output {output!r} has {list(shape)} a sample"]
            raise error("T402", "targets do not fit the output", notes=notes)
        return
    if y.ndim != 1 or len(shape) != 1:
        notes = [f"y has shape {list(y.shape)}", f"output {output!r} has {list(shape)} a sample"]
        raise error("T402", "labels are (samples,), and the output one number a class", notes=notes)
    bad = np.flatnonzero((y < 0) | (y >= shape[0]) | (y != np.floor(y)))
    if len(bad):
        notes = [f"y[{bad[0]}] = {y[bad[0]]}", f"output {output!r} has {shape[0]} units"]
        raise error("T403", f"labels are whole numbers from 0 to {shape[0] - 1}", notes=notes)


def _module(config: Config, network: Network, name: str, samples: LabelledSamples) -> NetworkModule:
    table = config.training
    if table.target is None and (table.target_options or table.calibrate is not None):
        key = "calibrate" if table.calibrate is not None else "target_options"
        raise config.source.wrong("training", key, f"{key} is for a target", hint='target = "chip" or "lava"')
    for key in OWN_KEYS:
        if key in table.target_options:
            raise config.source.wrong("training", "target_options", f"{key} stands in [training] itself")
    options: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in table.target_options.items()}
    if table.calibrate is not None:
        options["calibrate"] = {name: samples.x[: table.calibrate]}
    return to_torch(network, precision=table.precision, target=table.target, **options)


def _seed(seed: int, number: int, stream: int) -> int:
    """Return the seed of a step's noise, a function of the run's seed and the step."""
    w0, w1, _, _ = philox.words(np.array([0]), tick=number, draw=0, stream=stream, seed=seed)
    return int(w0[0]) << 32 | int(w1[0])
