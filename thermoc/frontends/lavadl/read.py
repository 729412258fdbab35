"""Read a ``.net`` file as a graph of the ``loihi`` dialect."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.hdf5.file import read_hdf5
from thermoc.frontends.lavadl.layers import Layer, Neuron, Source, layers, repair
from thermoc.ir.builder import Builder, Handle
from thermoc.ir.dialects import core, loihi
from thermoc.ir.graph import Graph
from thermoc.ir.types import DType, Role
from thermoc.support.errors import Finding, Location, ThermocError, error

STATE_EXP, BIAS_EXP, LONGEST = 6, 6, 62


@dataclass(kw_only=True)
class _Site:
    source: Source
    builder: Builder
    spike_exp: int
    compare: str | None
    x: Handle | None = None
    bits: int = 0  # of the messages that the last layer sends
    scale: float = 1.0
    lag: int = 0
    repairs: list[Finding] = field(default_factory=list)

    def add(self, layer: Layer, cls: Any, operands: dict[str, Any], attrs: dict[str, Any], name: str) -> Handle:
        """Append an op; what it finds wrong names the layer."""
        try:
            return self.builder.add(cls, operands, attrs, name)[0]
        except ThermocError as problem:
            notes = [note for finding in problem.findings for note in (finding.what, *finding.notes)]
            what = f"{self.source.path}: layer {layer.place} does not fit"
            raise error(problem.code, what, notes=notes, hint=problem.findings[0].hint) from None


def read_net(
    path: str | os.PathLike[str], *, spike_exp: int = 6, compare: str | None = None
) -> tuple[Graph, tuple[Finding, ...]]:
    """Return the graph of a file, and each repair and assumption.

    Input ``input``: numbers, spikes 0 and 1 where no input layer takes them; output ``output``: numbers too. Synapses
    have a latency of a tick, and a layer behind n of them stands still for n ticks: with or without a bias it then does
    what it would without latency, n ticks later. spike_exp: binary places of graded messages. compare: greater or
    greater_equal, for every unit; without it what SLAYER trained them with (``Neuron.strict``; Lava itself runs all as
    greater). Errors: T1xx, T303, T501, T502, T504, T506 to T508.
    """
    if type(spike_exp) is not int or not 0 <= spike_exp <= 7 or compare not in (None, "greater", "greater_equal"):
        notes = [f"spike_exp = {spike_exp!r}, 0 to 7", f"compare = {compare!r}, greater or greater_equal"]
        raise error("T303", "an option of .net files is wrong", notes=notes)
    source = Source(str(path))
    found = layers(read_hdf5(path), source)
    site = _Site(source=source, builder=Builder(Path(path).stem, 1.0), spike_exp=spike_exp, compare=compare)
    for layer in found:
        site.builder.place = Location.of_node(path, f"layer {layer.place}")
        MAKERS[layer.kind](site, layer)
    if site.x is None or not any(layer.kind in ("dense", "dense_rec", "conv") for layer in found):
        raise source.bad("list", "no layer computes anything")
    decoded = site.builder.add(loihi.Decode, {"x": site.x}, {"scale": site.scale}, "decoded")[0]
    site.builder.add(core.Output, {"x": decoded}, {"name": "output"})
    return site.builder.graph(), tuple(site.repairs)


def _input(site: _Site, shape: tuple[int, ...]) -> Handle:
    attrs = {"name": "input", "shape": shape, "dtype": DType.f64, "role": Role.signal}
    return site.builder.add(core.Input, {}, attrs, "input")[0]


def _source(site: _Site, layer: Layer) -> None:
    """An input layer: numbers times its weight plus its bias are the bias of its units, as netx's transform has it."""
    if site.x is not None:
        raise site.source.bad(layer.place, "it is an input behind another layer")
    x = _input(site, layer.shape)
    if layer.neuron is None:
        site.x = site.add(layer, loihi.Encode, {"x": x}, {}, "encoded")
        return
    weight = float(layer.weight.reshape(-1)[0]) if layer.weight is not None and layer.weight.size else 64.0
    bias = float(layer.bias.reshape(-1)[0]) if layer.bias is not None and layer.bias.size else 0.0
    scaled = site.add(layer, core.Mul, {"a": x, "b": weight}, {}, "scaled")
    shifted = site.add(layer, core.Add, {"a": scaled, "b": bias}, {}, "shifted")
    a = site.add(layer, loihi.Encode, {"x": shifted}, {}, "encoded")
    site.bits = layer.neuron.message_bits
    if layer.neuron.kind == "cuba":
        name = f"layer{layer.place}"
        site.x = site.add(layer, loihi.Lif, {"a": a}, _lif(site, layer.neuron) | {"du": 4095}, name)
        return
    attrs = {"vth": layer.neuron.v_th, "spike_exp": site.spike_exp, "state_exp": STATE_EXP}
    site.x = site.add(layer, loihi.Delta, {"x": a}, attrs, f"layer{layer.place}")
    site.scale = float(2**site.spike_exp)


def _flatten(site: _Site, layer: Layer) -> None:
    if site.x is not None:
        site.x = site.add(layer, core.Flatten, {"x": site.x}, {}, f"layer{layer.place}")


def _dense(site: _Site, layer: Layer) -> None:
    assert layer.weight is not None
    x = _fed(site, layer, (layer.weight.shape[1],))
    weights = [layer.weight] if layer.recurrent is None else [layer.weight, layer.recurrent]
    fitted, attrs = _synapse(site, layer, np.concatenate(weights, axis=1))
    name, width = f"layer{layer.place}", layer.weight.shape[1]
    delays = None if layer.delay is None else _delays(site, layer, layer.weight.shape)
    longest = 0 if delays is None else int(delays.max())
    operands = {"weight": fitted[:, :width], "delays": delays}
    a = site.add(layer, loihi.Dense, {"x": x} | operands, attrs | {"longest": longest}, f"{name}.a")
    if layer.recurrent is None:
        _units(site, layer, a)
        return
    if layer.neuron is None or delays is not None:
        raise site.source.bad(layer.place, "a recurrent layer needs a neuron, and takes no delays")
    back = site.builder.placeholder(layer.shape, DType.i32, Role.spike if layer.neuron.kind == "cuba" else Role.signal)
    own = attrs | {"message_bits": layer.neuron.message_bits}
    b = site.add(layer, loihi.Dense, {"x": back, "weight": fitted[:, width:]}, own, f"{name}.back")
    _units(site, layer, site.add(layer, loihi.Dendrite, {"x": (a, b)}, {}, f"{name}.sum"))
    assert site.x is not None
    site.builder.connect(back, site.x)


def _conv(site: _Site, layer: Layer) -> None:
    assert layer.weight is not None
    if site.x is None:
        raise site.source.bad(layer.place, "the first layer is a convolution: the shape of its input is not stated")
    fitted, attrs = _synapse(site, layer, layer.weight)
    padding = tuple((n, n) for n in layer.padding)
    window = {"stride": layer.stride, "padding": padding, "dilation": layer.dilation, "groups": layer.groups}
    a = site.add(layer, loihi.Conv, {"x": site.x, "weight": fitted}, attrs | window, f"layer{layer.place}.a")
    _units(site, layer, a)


def _fed(site: _Site, layer: Layer, shape: tuple[int, ...]) -> Handle:
    """Return what a layer reads; the first reads the network's input."""
    if site.x is None:
        return site.add(layer, loihi.Encode, {"x": _input(site, shape)}, {}, "encoded")
    return site.x


def _synapse(site: _Site, layer: Layer, weight: NDArray) -> tuple[NDArray, dict[str, Any]]:
    """Return weights of 8 bits and the synapse's attributes: odd ones of mixed signs are doubled, and shifted back."""
    attrs = {"message_bits": site.bits, "weight_exp": 0}
    if (weight >= 0).all() and weight.max() <= 255:
        return weight, attrs | {"sign_mode": "excitatory"}
    if (weight <= 0).all() and weight.min() >= -255:
        return weight, attrs | {"sign_mode": "inhibitory"}
    if weight.max() > 254 or weight.min() < -256:
        note = f"they run from {weight.min()} to {weight.max()}"
        site.repairs.append(repair(f"layer {layer.place}: weights are clipped to -256 to 254", note))
        weight = np.clip(weight, -256, 254)
    if not (weight % 2).any():
        return weight, attrs
    if weight.min() < -128 or weight.max() > 127:
        fact = f"odd weights of both signs, from {weight.min()} to {weight.max()}: 8 bits hold even ones"
        raise site.source.bad(layer.place, fact, "train with quantized weights")
    return 2 * weight, attrs | {"weight_exp": -1}


def _delays(site: _Site, layer: Layer, shape: tuple[int, ...]) -> NDArray:
    """Return a delay a connection: of each unit, of each input, or one for all."""
    assert layer.delay is not None
    delay = layer.delay
    if delay.max(initial=0) > LONGEST:
        note = f"the longest is {delay.max()}"
        site.repairs.append(repair(f"layer {layer.place}: delays are clipped to {LONGEST} ticks", note))
        delay = np.minimum(delay, LONGEST)
    if delay.shape == shape or delay.size == 1:
        return np.array(np.broadcast_to(delay.reshape(delay.shape if delay.shape == shape else ()), shape))
    if delay.ndim == 1 and delay.size in shape:
        axis = 0 if delay.size == shape[0] else 1
        return np.array(np.broadcast_to(np.expand_dims(delay, 1 - axis), shape))
    raise site.source.bad(layer.place, f"delays of shape {list(delay.shape)} for weights of {list(shape)}")


def _lif(site: _Site, neuron: Neuron) -> dict[str, Any]:
    attrs = {"du": neuron.i_decay - 1, "dv": neuron.v_decay, "vth": neuron.v_th, "bias_exp": BIAS_EXP}
    return attrs | {"compare": site.compare or ("greater" if neuron.strict else "greater_equal"), "lag": site.lag}


def _units(site: _Site, layer: Layer, a: Handle) -> None:
    """Append the units of a layer, and note what they send."""
    neuron, name = layer.neuron, f"layer{layer.place}"
    if neuron is None:
        raise site.source.bad(layer.place, "it has no neuron")
    if a.shape != layer.shape:
        raise site.source.bad(
            layer.place, f"its shape is stated as {list(layer.shape)}, its synapse gives {list(a.shape)}"
        )
    site.lag += 1
    site.bits = neuron.message_bits
    if neuron.kind == "cuba":
        attrs, bias = _lif(site, neuron), _bias(site, layer)
        site.x = site.add(layer, loihi.Lif, {"a": a, "bias_mant": bias}, attrs, name)
        site.scale = 1.0
    elif neuron.output:
        site.x = site.add(layer, loihi.Sigma, {"a": a}, {}, name)
    else:
        attrs = {"vth": neuron.v_th, "spike_exp": site.spike_exp, "state_exp": STATE_EXP}
        site.x = site.add(layer, loihi.SigmaDelta, {"a": a, "bias": _bias(site, layer)}, attrs, name)
        site.scale = float(2**site.spike_exp)


def _bias(site: _Site, layer: Layer) -> NDArray:
    """Return a layer's bias so that it spreads over (channel, height, width)."""
    if layer.bias is None:
        return np.zeros((), np.int64)
    if layer.bias.shape == layer.shape or layer.bias.size == 1:
        return layer.bias.reshape(layer.shape if layer.bias.shape == layer.shape else ())
    if layer.bias.size == layer.shape[0]:
        return layer.bias.reshape(-1, *(1,) * (len(layer.shape) - 1))
    raise site.source.bad(layer.place, f"a bias of shape {list(layer.bias.shape)} for units of {list(layer.shape)}")


MAKERS = {"input": _source, "flatten": _flatten, "dense": _dense, "dense_rec": _dense, "conv": _conv}
