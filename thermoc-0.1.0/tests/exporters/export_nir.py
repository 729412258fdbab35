"""Write networks of snnTorch, Norse, sinabs and SpikingJelly as NIR files, each with inputs and the spikes of its run.

Runs in the environment of requirements.txt, never in thermoc's: python export_nir.py FOLDER
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nir
import numpy as np
import torch
from torch import nn

TICKS = 150
NETS: dict[str, Callable[[], tuple[Any, Callable[[torch.Tensor], torch.Tensor], torch.Tensor]]] = {}


def net(make: Callable[[], Any]) -> Callable[[], Any]:
    """Register a function that gives (the NIR graph, what runs a tick, the inputs)."""
    NETS[make.__name__] = make
    return make


def inputs(*shape: int, scale: float = 1.0) -> torch.Tensor:
    return scale * torch.rand(TICKS, 1, *shape)


def linear(n: int, m: int, gain: float = 1.0) -> nn.Linear:
    """Weights that excite more than they inhibit."""
    layer = nn.Linear(n, m)
    layer.weight.data = gain * (1.5 * torch.rand(m, n) - 0.5) * 2 / n
    return layer


def conv(*sizes: int, **options: Any) -> nn.Conv2d:
    layer = nn.Conv2d(*sizes, **options)
    layer.weight.data = 0.5 * torch.rand(layer.weight.shape) - 0.1
    return layer


# ------------------------------------------------------------------------------------------------------------ snnTorch


def snntorch(*layers: nn.Module, shape: tuple[int, ...] = (6,)) -> Any:
    from snntorch import utils
    from snntorch.export_nir import export_to_nir

    model, x = nn.Sequential(*layers), inputs(*shape)
    graph = export_to_nir(model, x[0], ignore_dims=[0])
    utils.reset(model)
    return graph, model, x


def levels(n: int) -> dict[str, Any]:
    return {"threshold": 0.5 + torch.rand(n), "init_hidden": True}


def leaky(n: int, **options: Any) -> nn.Module:
    from snntorch import Leaky

    return Leaky(beta=0.5 + 0.45 * torch.rand(n), **levels(n), **options)


def synaptic(n: int, **options: Any) -> nn.Module:
    from snntorch import Synaptic

    return Synaptic(alpha=0.8 * torch.rand(n), beta=0.5 + 0.4 * torch.rand(n), **levels(n), **options)


def rleaky(n: int, **options: Any) -> nn.Module:
    from snntorch import RLeaky

    return RLeaky(beta=0.5 + 0.4 * torch.rand(n), linear_features=n, **levels(n), **options)


UNITS = {"leaky": (leaky, 0.5, 8.0), "synaptic": (synaptic, 0.3, 1.0), "rleaky": (rleaky, 0.5, 2.0)}
"""How a unit is made, and how strongly the inputs drive the first layer, and it the second.

So weakly that no membrane stands above its threshold when that was taken from it: there snnTorch's ``reset_delay=False``
takes it again before the next comparison, not after it.
"""
RESETS = {
    "zero": {"reset_mechanism": "zero"},
    "zero_at_once": {"reset_mechanism": "zero", "reset_delay": False},
    "subtract": {"reset_mechanism": "subtract"},
    "subtract_at_once": {"reset_mechanism": "subtract", "reset_delay": False},
}
for _unit in UNITS:
    for _reset in RESETS:
        NETS[f"snntorch_{_unit}_{_reset}"] = lambda unit=UNITS[_unit], options=RESETS[_reset]: snntorch(
            linear(6, 12, unit[1]), unit[0](12, **options), linear(12, 5, unit[2]), unit[0](5, **options)
        )


@net
def snntorch_rleaky_one_to_one() -> Any:
    from snntorch import RLeaky

    unit = RLeaky(
        beta=0.8, all_to_all=False, V=torch.randn(12), reset_mechanism="zero", reset_delay=False, **levels(12)
    )
    return snntorch(linear(6, 12), unit)


@net
def snntorch_rsynaptic() -> Any:
    from snntorch import RSynaptic

    options = {"reset_mechanism": "zero", **levels(12)}
    return snntorch(linear(6, 12), RSynaptic(alpha=0.6, beta=0.8, linear_features=12, **options))


@net
def snntorch_endless() -> Any:
    """beta = 1, whose tau and r are infinite, in all units and in some."""
    from snntorch import Leaky

    first = Leaky(beta=torch.ones(12), reset_mechanism="zero", **levels(12))
    second = Leaky(beta=torch.tensor([1.0, 0.5, 1.0, 0.9, 1.0]), reset_mechanism="zero", **levels(5))
    return snntorch(linear(6, 12), first, linear(12, 5), second)


@net
def snntorch_conv() -> Any:
    from snntorch import Leaky

    unit = Leaky(beta=0.3 + 0.6 * torch.rand(2, 6, 6), threshold=0.3 + torch.rand(2, 6, 6), init_hidden=True, reset_mechanism="zero")  # fmt: skip
    layers = [conv(1, 2, 3), unit, nn.AvgPool2d(2), nn.Flatten(), linear(18, 5, 4.0), leaky(5, reset_mechanism="zero")]  # fmt: skip
    return snntorch(*layers, shape=(1, 8, 8))


# --------------------------------------------------------------------------------------------------------------- Norse


def norse(*layers: nn.Module, scale: float = 1.0) -> Any:
    from norse.torch import SequentialState
    from norse.torch.utils.export_nir import to_nir

    model, x, state = SequentialState(*layers), inputs(6, scale=scale), None

    def tick(frame: torch.Tensor) -> torch.Tensor:
        nonlocal state
        y, state = model(frame, state)
        return y

    return to_nir(model, x[0]), tick, x


@net
def norse_lif_box() -> Any:
    from norse.torch import LIFBoxCell

    return norse(linear(6, 12, 6.0), LIFBoxCell(), linear(12, 5, 30.0), LIFBoxCell())


@net
def norse_iaf() -> Any:
    from norse.torch import IAFCell

    return norse(linear(6, 12), IAFCell(), linear(12, 5), IAFCell())


@net
def norse_lif() -> Any:
    from norse.torch import LIFCell

    return norse(linear(6, 12, 4.0), LIFCell())


# -------------------------------------------------------------------------------------------------------------- sinabs


def sinabs(*layers: nn.Module, shape: tuple[int, ...] = (6,)) -> Any:
    """Layers with batch and time in one axis (``Squeeze``), for others write the time of the example as an axis."""
    from sinabs import reset_states
    from sinabs.nir import to_nir

    model, x = nn.Sequential(*layers), inputs(*shape)
    model(x[0])
    graph = to_nir(model, x[0])
    if any(isinstance(layer, nn.Conv2d) for layer in layers):
        graph.infer_types()  # without it their input_shape is None, which nir.write cannot write
    reset_states(model)
    return graph, model, x


def fires(reset: str) -> dict[str, Any]:
    from sinabs.activation import MembraneReset, MembraneSubtract, SingleSpike

    return {
        "batch_size": 1,
        "spike_fn": SingleSpike,
        "reset_fn": {"zero": MembraneReset, "subtract": MembraneSubtract}[reset](),
    }


@net
def sinabs_iaf_zero() -> Any:
    from sinabs.layers import IAFSqueeze

    return sinabs(linear(6, 12), IAFSqueeze(**fires("zero")), linear(12, 5), IAFSqueeze(**fires("zero")))


@net
def sinabs_iaf_subtract() -> Any:
    from sinabs.layers import IAFSqueeze

    return sinabs(linear(6, 12), IAFSqueeze(**fires("subtract")), linear(12, 5), IAFSqueeze(**fires("subtract")))


@net
def sinabs_lif_zero() -> Any:
    from sinabs.layers import LIFSqueeze

    return sinabs(linear(6, 12, 6.0), LIFSqueeze(tau_mem=8.0, **fires("zero")), linear(12, 5, 20.0), LIFSqueeze(tau_mem=5.0, **fires("zero")))  # fmt: skip


@net
def sinabs_lif_subtract() -> Any:
    from sinabs.layers import IAFSqueeze, LIFSqueeze

    return sinabs(
        linear(6, 12),
        IAFSqueeze(**fires("subtract")),
        linear(12, 5, 12.0),
        LIFSqueeze(tau_mem=5.0, **fires("subtract")),
    )


@net
def sinabs_conv() -> Any:
    from sinabs.layers import IAFSqueeze, SumPool2d

    layers = [conv(1, 2, 3), IAFSqueeze(**fires("zero")), SumPool2d(2), nn.Flatten(), linear(18, 5, 0.5), IAFSqueeze(**fires("zero"))]  # fmt: skip
    return sinabs(*layers, shape=(1, 8, 8))


# -------------------------------------------------------------------------------------------------------- SpikingJelly


def spikingjelly(*layers: nn.Module, shape: tuple[int, ...] = (6,), dt: float = 1e-4) -> Any:
    from spikingjelly.activation_based import functional
    from spikingjelly.activation_based.nir_exchange import export_to_nir

    model, x = nn.Sequential(*layers), inputs(*shape)
    graph = export_to_nir(model, x[0], dt=dt)
    functional.reset_net(model)
    return graph, model, x


@net
def spikingjelly_if() -> Any:
    from spikingjelly.activation_based.neuron import IFNode

    return spikingjelly(linear(6, 12), IFNode(v_threshold=1.3), linear(12, 5, 2.0), IFNode())


@net
def spikingjelly_if_of_a_millisecond() -> Any:
    from spikingjelly.activation_based.neuron import IFNode, LIFNode

    return spikingjelly(linear(6, 12), IFNode(), linear(12, 12, 20.0), LIFNode(tau=3.0), linear(12, 5, 3.0), IFNode(), dt=1e-3)  # fmt: skip


@net
def spikingjelly_lif() -> Any:
    from spikingjelly.activation_based.neuron import LIFNode, ParametricLIFNode

    layers = [linear(6, 12, 6.0), LIFNode(tau=2.5), linear(12, 8), LIFNode(tau=4.0, decay_input=False), linear(8, 5, 9.0), ParametricLIFNode(init_tau=2.2)]  # fmt: skip
    return spikingjelly(*layers)


@net
def spikingjelly_cuba() -> Any:
    from spikingjelly.activation_based.neuron import CUBALIFNode

    return spikingjelly(linear(6, 12, 0.5), CUBALIFNode(c_decay=0.4, v_decay=0.8), linear(12, 5, 0.5), CUBALIFNode(c_decay=0.7, v_decay=0.6), dt=1e-3)  # fmt: skip


@net
def spikingjelly_conv() -> Any:
    from spikingjelly.activation_based.neuron import IFNode

    layers = [conv(1, 2, 3, padding="same"), IFNode(), nn.AvgPool2d(2), nn.Flatten(), linear(32, 5, 3.0), IFNode()]
    return spikingjelly(*layers, shape=(1, 8, 8))


def main(folder: Path) -> None:
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    for name, make in NETS.items():
        torch.manual_seed(7)
        with torch.no_grad():
            graph, tick, x = make()
            spikes = torch.stack([tick(frame) for frame in x])
        nir.write(folder / f"{name}.nir", graph, compression=None)
        np.savez(folder / f"{name}.npz", x=x.numpy(), spikes=spikes.numpy())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
