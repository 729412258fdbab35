"""Units of snnTorch as nodes of NIR: Leaky, Synaptic, RLeaky, RSynaptic, with the reset that each really has.

beta and alpha are what a tick leaves of membrane and current: tau = dt / (1 - beta), r = tau / dt, so that dt cancels.

| reset_mechanism | reset_delay | unit | reset |
|---|---|---|---|
| subtract | True | all | subtract_delayed: v_threshold is taken in the next tick, after the decay |
| subtract | False | all | subtract_again: what stays above its threshold is compared without another |
| zero | True | Leaky | zero: the membrane is 0 before the next tick's input comes |
| zero | True | others | zero_delayed: the next tick's input is lost |
| zero | False | all | zero |
| none | | all | none: the membrane integrates on, and spikes while it is above |
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from thermoc.frontends.nir.nodes import NirNode
from thermoc.frontends.torch.layers import Made, Shape, array, plain, recurrent

DT = 1e-4
"""The time of a tick in snnTorch's own export, in s."""
UNITS = ("Leaky", "Synaptic", "RLeaky", "RSynaptic")


def forget(module: Any) -> None:
    """Let units start from nothing, as after ``snntorch.utils.reset``."""
    for child in module.modules():
        if type(child).__module__.startswith("snntorch") and hasattr(child, "reset_mem"):
            child.reset_mem()


def node(module: Any, dt: float, shape: Shape) -> Made | str | None:
    """Return what a unit becomes, or why it is refused."""
    kind = type(module).__name__
    if kind not in UNITS:
        return None
    if module.inhibition:
        return "inhibition lets one unit of a layer spike alone, which no node says"
    if module.state_quant:
        return "its state is quantised, which no node says"
    unit, followers = _unit(module, kind, dt, shape)
    if not kind.startswith("R"):
        chain = ["", *followers]
        return Made(nodes={"": unit, **followers}, edges=tuple(pairwise(chain)), last=chain[-1])
    weight = _back(module, shape)
    return weight if isinstance(weight, str) else recurrent(unit, weight, dt, shape, followers)


def _unit(module: Any, kind: str, dt: float, shape: Shape) -> tuple[NirNode, dict[str, NirNode]]:
    """Return the unit, and what stands behind it: a threshold where it is not reset, the size of graded spikes."""
    threshold = _full(module.threshold, shape)
    fields = _times(module.beta, dt, shape, "tau", "r")
    if kind.endswith("Synaptic"):
        fields = _times(module.beta, dt, shape, "tau_mem", "r") | _times(module.alpha, dt, shape, "tau_syn", "w_in")
    fields["v_leak"] = np.zeros(shape)
    reset = _reset(module, kind)
    spiking = "CubaLIF" if kind.endswith("Synaptic") else "LIF"
    followers: dict[str, NirNode] = {}
    if reset == "none":
        unit = NirNode(kind=spiking.replace("LIF", "LI"), fields=fields)
        followers[".spike"] = NirNode(kind="Threshold", fields={"threshold": threshold})
    else:
        fields |= {"v_threshold": threshold, "v_reset": np.zeros(shape)}
        unit = NirNode(kind=spiking, fields=fields, metadata={"reset": reset})
    if np.any(array(module.graded_spikes_factor) != 1):
        followers[".graded"] = NirNode(kind="Scale", fields={"scale": _full(module.graded_spikes_factor, shape)})
    return unit, followers


def _full(tensor: Any, shape: Shape) -> Any:
    return np.array(np.broadcast_to(array(tensor), shape))


@np.errstate(divide="ignore")
def _times(kept: Any, dt: float, shape: Shape, time: str, gain: str) -> dict[str, Any]:
    """Return a time and its gain by what a tick leaves; what leaves all has no time: both are infinite."""
    ratio = 1 / (1 - np.clip(_full(kept, shape), 0, 1))
    return {time: dt * ratio, gain: ratio}


def _reset(module: Any, kind: str) -> str:
    mechanism = module.reset_mechanism
    if mechanism == "none":
        return "none"
    if mechanism == "subtract":
        return "subtract_delayed" if module.reset_delay else "subtract_again"
    return "zero" if kind == "Leaky" or not module.reset_delay else "zero_delayed"


def _back(module: Any, shape: Shape) -> NirNode | str:
    """Return the weights over which spikes come back."""
    if not module.all_to_all:
        return NirNode(kind="Scale", fields={"scale": _full(module.recurrent.V, shape)})
    made = plain(module.recurrent, shape)
    return (
        made.nodes[""] if isinstance(made, Made) else "its recurrent connections are neither linear nor a convolution"
    )
