"""Write networks of lava-dl's SLAYER as .net files, each with inputs and what SLAYER makes of them, as NAME.npz.

Runs in the environment of requirements.txt, never in thermoc's: python export_slayer.py FOLDER
"""

# ruff: noqa: E402
from __future__ import annotations

import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

for name in ("object_detection", "object_detection.boundingbox"):  # draws with OpenCV, which nothing here needs
    sys.modules[f"lava.lib.dl.slayer.{name}"] = types.ModuleType(name)

import h5py
import numpy as np
import torch
from lava.lib.dl import slayer

TICKS = 120
CUBA = {"threshold": 1.0, "current_decay": 0.3, "voltage_decay": 0.1}
PLAIN = CUBA | {"current_decay": 1.0, "voltage_decay": 0.03}
SDNN = {"threshold": 0.1, "activation": torch.nn.functional.relu}
block = slayer.block.cuba
sd = slayer.block.sigma_delta
NETS: dict[str, Callable[[], tuple[list[Any], torch.Tensor]]] = {}


def net(make: Callable[[], tuple[list[Any], torch.Tensor]]) -> Callable[[], tuple[list[Any], torch.Tensor]]:
    """Register a function that gives (the blocks, the inputs (1, ..., ticks))."""
    NETS[make.__name__] = make
    return make


def spikes(*shape: int, rate: float = 0.3) -> torch.Tensor:
    return (torch.rand(1, *shape, TICKS) < rate).float()


def excited(layer: Any, gain: float = 0.2) -> Any:
    """Let a layer's weights excite more than they inhibit."""
    synapse = getattr(layer, "synapse", None) or layer.input_synapse
    with torch.no_grad():
        weight = synapse.weight_v if hasattr(synapse, "weight_v") else synapse.weight
        weight.copy_(gain * (torch.rand_like(weight) - 0.4))
    return layer


@net
def dense():
    return [excited(block.Dense(CUBA, 20, 30)), excited(block.Dense(CUBA, 30, 10))], spikes(20)


@net
def dense_at_its_threshold():
    """Weights of 1/2 and no leak: membranes reach the threshold exactly, over and over."""
    layer = block.Dense(PLAIN | {"voltage_decay": 0.0}, 6, 8)
    with torch.no_grad():
        layer.synapse.weight.fill_(0.5)
    return [layer], spikes(6, rate=0.2)


@net
def dense_with_delays():
    layers = [excited(block.Dense(CUBA, 20, 30, delay=True)), excited(block.Dense(CUBA, 30, 10, delay=True))]
    return layers, spikes(20)


@net
def weight_norm():
    return [excited(block.Dense(CUBA, 20, 30, weight_norm=True)), excited(block.Dense(CUBA, 30, 10))], spikes(20)


@net
def mean_batch_norm():
    neuron = CUBA | {"norm": slayer.neuron.norm.MeanOnlyBatchNorm}
    return [excited(block.Dense(neuron, 20, 30)), excited(block.Dense(neuron, 30, 10))], spikes(20)


@net
def scale_batch_norm():
    neuron = CUBA | {"norm": slayer.neuron.norm.WgtScaleBatchNorm}
    return [excited(block.Dense(neuron, 20, 30), 2.0), excited(block.Dense(neuron, 30, 10), 2.0)], spikes(20)


@net
def recurrent():
    layer = excited(block.Recurrent(CUBA, 20, 30))
    with torch.no_grad():
        layer.recurrent_synapse.weight.copy_(0.5 * (torch.rand_like(layer.recurrent_synapse.weight) - 0.5))
    return [layer, excited(block.Dense(CUBA, 30, 10))], spikes(20)


@net
def convolution():
    layers = [
        excited(block.Conv(PLAIN, 2, 4, 3, stride=2, padding=1), 0.3),
        excited(block.Conv(PLAIN, 4, 6, 3, groups=2), 0.3),
        block.Flatten(),
        excited(block.Dense(PLAIN, 6 * 3 * 2, 10)),
    ]
    return layers, spikes(2, 9, 8)


@net
def convolution_with_delays():
    layers = [
        excited(block.Conv(PLAIN, 2, 4, 3, padding=1, delay=True), 0.2),
        excited(block.Conv(PLAIN, 4, 3, 3), 0.15),
    ]
    return layers, spikes(2, 6, 5)


@net
def pool():
    layers = [excited(block.Conv(PLAIN, 2, 4, 3), 0.2), block.Pool(PLAIN, 2, weight_scale=0.3)]
    return layers, spikes(2, 8, 8)


@net
def image_input():
    layers = [block.Input(CUBA, weight=1, bias=0), block.Flatten(), excited(block.Dense(CUBA, 18, 10))]
    return layers, torch.rand(1, 2, 3, 3, 1).mul(32).round().div(32).repeat(1, 1, 1, 1, TICKS)


@net
def affine():
    return [excited(block.Dense(CUBA, 20, 30)), excited(block.Affine(CUBA, 30, 10), 0.2)], spikes(20)


@net
def affine_without_dynamics():
    return [excited(block.Dense(CUBA, 20, 30)), excited(block.Affine(CUBA, 30, 10, dynamics=False), 0.2)], spikes(20)


@net
def sigma_delta():
    layers = [sd.Input(SDNN | {"threshold": 0.0}), excited(sd.Dense(SDNN, 12, 20), 0.5), sd.Output(SDNN, 20, 5)]
    excited(layers[-1], 0.5)
    x = torch.rand(1, 12, 4).mul(16).round().div(16)
    return layers, x.repeat_interleave(TICKS // 4, dim=-1)


def main(folder: Path) -> None:
    """Write every network."""
    for name, make in NETS.items():
        torch.manual_seed(sum(map(ord, name)))
        blocks, x = make()
        with torch.no_grad():
            for model in blocks:  # shapes, delays and norms find themselves in a first run
                model.train()
            value = x
            for model in blocks:
                value = model(value)
            for model in blocks:
                model.eval()
                delay = getattr(model, "delay", None)
                if delay is not None:
                    delay.delay.copy_(torch.randint(0, 9, delay.delay.shape).float())
            value = x
            for model in blocks:
                for part in (model, getattr(model, "neuron", None)):
                    for state in ("delay_buffer", "current_state", "voltage_state", "spike_state"):
                        if isinstance(getattr(part, state, None), torch.Tensor):
                            setattr(part, state, torch.zeros(1))
                        elif hasattr(part, state):
                            setattr(part, state, None)
                value = model(value)
            with h5py.File(folder / f"{name}.net", "w") as file:
                for index, model in enumerate(blocks):
                    model.export_hdf5(file.create_group(f"layer/{index}"))
        inputs, outputs = (np.moveaxis(array.numpy(), -1, 0)[:, 0] for array in (x, value))
        np.savez(folder / f"{name}.npz", x=inputs, y=outputs)
        print(f"{name}: {outputs.shape}, sum {outputs.sum():.6g}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
