"""Networks of snnTorch and Norse read by tc.from_torch in the frameworks' own Python: spikes against their own runs.

Runs in thermoc's Python, with the packages of requirements.txt at the end of its path: python from_torch.py SITE
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

sys.path.append(sys.argv[1])
import torch
from torch import nn

import thermoc as tc

TICKS, BATCH = 200, 3
NETS: dict[str, Callable[[], tuple[nn.Module, tuple[int, ...]]]] = {}


def net(make: Callable[[], Any]) -> Callable[[], Any]:
    NETS[make.__name__] = make
    return make


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


def leaky(*shape: int, **options: Any) -> nn.Module:
    from snntorch import Leaky

    beta, threshold = 0.5 + 0.45 * torch.rand(shape), 0.5 + torch.rand(shape)
    return Leaky(beta=beta, threshold=threshold, init_hidden=True, **options)


@net
def snntorch_leaky():
    """The default: the threshold is subtracted a tick late."""
    return nn.Sequential(linear(6, 12), leaky(12), linear(12, 5, 8.0), leaky(5)), (6,)


@net
def snntorch_leaky_zero():
    return nn.Sequential(linear(6, 12), leaky(12, reset_mechanism="zero"), linear(12, 5, 8.0), leaky(5)), (6,)


@net
def snntorch_leaky_at_once():
    """Driven so strongly that membranes stay above their thresholds."""
    once = {"reset_delay": False}
    return nn.Sequential(linear(6, 12, 4.0), leaky(12, **once), linear(12, 5, 8.0), leaky(5, **once)), (6,)


@net
def snntorch_leaky_without_reset():
    return nn.Sequential(linear(6, 12), leaky(12, reset_mechanism="none"), linear(12, 5, 8.0), leaky(5)), (6,)


@net
def snntorch_synaptic():
    from snntorch import Synaptic

    def unit(n: int, **options: Any) -> nn.Module:
        alpha, beta = 0.8 * torch.rand(n), 0.5 + 0.4 * torch.rand(n)
        return Synaptic(alpha=alpha, beta=beta, threshold=0.5 + torch.rand(n), init_hidden=True, **options)

    return nn.Sequential(linear(6, 12, 0.3), unit(12), linear(12, 5), unit(5, reset_mechanism="zero")), (6,)


@net
def snntorch_rleaky():
    from snntorch import RLeaky

    def unit(n: int, **options: Any) -> nn.Module:
        return RLeaky(beta=0.5 + 0.4 * torch.rand(n), linear_features=n, init_hidden=True, **options)

    return nn.Sequential(linear(6, 12, 0.7), unit(12), linear(12, 5, 4.0), unit(5, reset_mechanism="zero")), (6,)


@net
def snntorch_rleaky_one_to_one():
    from snntorch import RLeaky

    unit = RLeaky(beta=0.8, all_to_all=False, V=torch.randn(12), init_hidden=True, reset_delay=False)
    return nn.Sequential(linear(6, 12), unit), (6,)


@net
def snntorch_rsynaptic():
    from snntorch import RSynaptic

    unit = RSynaptic(alpha=0.6, beta=0.8, linear_features=12, init_hidden=True, reset_mechanism="zero")
    return nn.Sequential(linear(6, 12, 0.5), unit, linear(12, 4, 4.0), leaky(4)), (6,)


@net
def snntorch_conv():
    """Convolutions, both pools and a batch norm, as networks for images have them."""
    norm = nn.BatchNorm2d(2)
    norm.running_mean.copy_(0.2 * torch.rand(2))
    norm.running_var.copy_(0.5 + torch.rand(2))
    layers = [conv(1, 2, 3, padding=1), norm, leaky(2, 8, 8), nn.MaxPool2d(2), conv(2, 3, 3), leaky(3, 2, 2)]
    return nn.Sequential(*layers, nn.AvgPool2d(2), nn.Flatten(), linear(3, 5, 4.0), leaky(5)), (1, 8, 8)


@net
def snntorch_own_class():
    """A module that keeps its states itself, with graded spikes, its output not its last unit's alone."""
    from snntorch import Leaky

    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.unit = linear(6, 12), Leaky(beta=0.9, init_hidden=True, graded_spikes_factor=0.7)
            self.second, self.last = linear(12, 5, 8.0), Leaky(beta=1.0, init_hidden=True, output=True)

        def forward(self, x: torch.Tensor) -> Any:
            spikes, membrane = self.last(self.second(self.unit(self.first(x))))
            return spikes, membrane

    return Own(), (6,)


# --------------------------------------------------------------------------------------------------------------- Norse


def sequential(*layers: nn.Module) -> nn.Module:
    from norse.torch import SequentialState

    return SequentialState(*layers)


@net
def norse_lif_box():
    from norse.torch import LIFBoxCell

    return sequential(linear(6, 12, 6.0), LIFBoxCell(), linear(12, 5, 30.0), LIFBoxCell()), (6,)


@net
def norse_lif_box_parameters():
    """Times, thresholds, leak and reset a unit each."""
    from norse.torch import LIFBoxCell, LIFBoxParameters

    p = LIFBoxParameters(
        tau_mem_inv=100 + 200 * torch.rand(12), v_leak=0.3 * torch.rand(12), v_th=0.5 + torch.rand(12),
        v_reset=-0.2 * torch.rand(12),
    )  # fmt: skip
    return sequential(linear(6, 12, 6.0), LIFBoxCell(p), linear(12, 5, 30.0), LIFBoxCell()), (6,)


@net
def norse_lif_box_subtract():
    from norse.torch import LIFBoxCell, LIFBoxParameters
    from norse.torch.functional.reset import reset_subtract

    p = LIFBoxParameters(reset_method=reset_subtract)
    return sequential(linear(6, 12, 6.0), LIFBoxCell(p), linear(12, 5, 30.0), LIFBoxCell(p)), (6,)


@net
def norse_lif():
    from norse.torch import LIFCell

    return sequential(linear(6, 12, 2.0), LIFCell(), linear(12, 5, 6.0), LIFCell()), (6,)


@net
def norse_lif_of_half_a_millisecond():
    from norse.torch import LIFCell

    return sequential(linear(6, 12, 4.0), LIFCell(dt=5e-4)), (6,)


@net
def norse_lif_recurrent():
    from norse.torch import LIFRecurrentCell

    return sequential(LIFRecurrentCell(6, 12), linear(12, 5, 6.0), LIFRecurrentCell(5, 5)), (6,)


@net
def norse_iaf():
    from norse.torch import IAFCell

    return sequential(linear(6, 12), IAFCell(), linear(12, 5), IAFCell()), (6,)


@net
def norse_li():
    """Membranes of leaky integrators drive units that spike."""
    from norse.torch import LIBoxCell, LICell, LIFBoxCell

    return sequential(linear(6, 12), LICell(), linear(12, 5, 6.0), LIBoxCell(), LIFBoxCell()), (6,)


@net
def norse_conv():
    from norse.torch import LIFBoxCell, LIFCell

    layers = [conv(1, 2, 3), LIFBoxCell(), nn.AvgPool2d(2), conv(2, 3, 2), LIFCell(), nn.MaxPool2d(2), nn.Flatten()]
    layers[0].weight.data *= 5
    layers[3].weight.data *= 5
    return sequential(*layers, linear(3, 5, 6.0), LIFCell()), (1, 8, 8)


@net
def norse_sequences():
    """Modules that take all ticks at once."""
    from norse.torch import LIF, LIFRecurrent

    return sequential(linear(6, 12, 2.0), LIF(), LIFRecurrent(12, 5)), (6,)


def own_run(module: nn.Module, x: torch.Tensor, timed: bool) -> torch.Tensor:
    """Return the framework's spikes: (ticks, batch, ...)."""
    if timed:
        return module(x)[0]
    norse, state, spikes = type(module).__name__ == "SequentialState", None, []
    for frame in x:
        y = module(frame, state) if norse else module(frame)
        if norse:
            y, state = y
        spikes.append(y[0] if isinstance(y, tuple) else y)
    return torch.stack(spikes)


def held(name: str) -> dict[str, Any]:
    torch.manual_seed(sum(map(ord, name)))
    module, shape = NETS[name]()
    module.eval()
    x, timed = torch.rand(TICKS, BATCH, *shape), name == "norse_sequences"
    network = tc.from_torch(module, x if timed else x[0])
    with torch.no_grad():
        expected = own_run(module, x, timed).numpy()
    (key,) = network.graph.inputs
    found = tc.compile(network, "sim").run({key: x.numpy()}, ticks=TICKS, batch=BATCH)
    spikes = next(iter(found.outputs.values()))
    return {"rate": float(np.mean(expected != 0)), "differing": int((~np.isclose(spikes, expected, atol=1e-5)).sum())}


def main() -> None:
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    found: dict[str, Any] = {}
    for name in sys.argv[2:] or NETS:
        try:
            found[name] = held(name)
        except Exception as reason:  # told by name, so that one network does not hide the others
            found[name] = {"error": f"{type(reason).__name__}: {reason}"}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
