"""Read a ``.net`` file as a graph of the ``loihi`` dialect."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.hdf5.file import read_hdf5
from thermoc.frontends.lavadl.fields import NetSource, repair, unused
from thermoc.frontends.lavadl.layers import MOST_ELEMENTS, NetLayer, layers
from thermoc.frontends.lavadl.neurons import Neuron
from thermoc.frontends.lavadl.synapses import (
    channel_delays,
    clipped_delays,
    connection_delays,
    fitted,
    unrolled,
)
from thermoc.ir.builder import Builder
from thermoc.ir.dialects import core, loihi
from thermoc.ir.graph import Graph
from thermoc.ir.handle import Handle
from thermoc.ir.types import DType, Role
from thermoc.support.errors import Finding, Location, ThermocError, error

STATE_EXP, BIAS_EXP = 6, 6
MEMBRANE_SCALE = 2.0**12
"""A membrane of SLAYER's 1 on the chip: weights of 1 are 2^6, and membranes have 6 more places."""


@dataclass(kw_only=True)
class _Site:
    source: NetSource
    builder: Builder
    spike_exp: int
    compare: str | None
    input_shape: tuple[int, ...] | None
    x: Handle | None = None
    membrane: Handle | None = None  # what a last layer gives that never spikes
    bits: int = 0  # of the messages that the last layer sends
    scale: float = 1.0
    lag: int = 0
    repairs: list[Finding] = field(default_factory=list)

    def add(self, layer: NetLayer, cls: Any, operands: dict[str, Any], attrs: dict[str, Any], name: str) -> Handle:
        """Append an op and return its first result."""
        return self.results(layer, cls, operands, attrs, name)[0]

    def results(
        self, layer: NetLayer, cls: Any, operands: dict[str, Any], attrs: dict[str, Any], name: str
    ) -> tuple[Handle, ...]:
        """Append an op; what it finds wrong names the layer."""
        try:
            return self.builder.add(cls, operands, attrs, name)
        except ThermocError as problem:
            notes = [note for finding in problem.findings for note in (finding.what, *finding.notes)]
            what = f"{self.source.path}: layer {layer.place} does not fit"
            raise error(problem.code, what, notes=notes, hint=problem.findings[0].hint) from None


def read_net(
    path: str | os.PathLike[str],
    *,
    spike_exp: int = 6,
    compare: str | None = None,
    input_shape: Sequence[int] | None = None,
    num_layers: int | None = None,
) -> tuple[Graph, tuple[Finding, ...]]:
    """Return the graph of a file, and each repair and assumption.

    Input ``input``: numbers, spikes 0 and 1 where no input layer takes them; output ``output``: numbers too, of a last
    layer that never spikes (SLAYER's Affine) its membranes in SLAYER's unit. Synapses have a latency of a tick, and a
    layer behind n of them stands still for n ticks: with or without a bias it then does what it would without latency,
    n ticks later. spike_exp: binary places of graded messages. compare: greater or greater_equal, for every unit that
    spikes; without it greater, as netx, Lava and SLAYER since July 2022 have it. input_shape: (channels, height, width)
    of the network's input, where no input layer states it. num_layers: read the first so many layers alone.
    Errors: T1xx, T303, T501, T502, T504, T506 to T508.
    """
    _check_options(spike_exp, compare, input_shape, num_layers)
    source, tree = NetSource(str(path)), read_hdf5(path)
    entries = layers(tree, source, num_layers)
    site = _Site(
        source=source,
        builder=Builder(Path(path).stem, 1.0),
        spike_exp=spike_exp,
        compare=compare,
        input_shape=None if input_shape is None else tuple(int(n) for n in input_shape),
    )
    averages = entries[-1].kind == "average"
    for layer in entries[:-1] if averages else entries:
        site.builder.place = Location.of_node(Path(path).name, f"layer {layer.place}")
        _MAKERS[layer.kind](site, layer)
    if site.x is None or not any(layer.kind in ("dense", "dense_rec", "conv", "pool") for layer in entries):
        raise source.bad("list", "no layer computes anything")
    result, scale = (site.x, site.scale) if site.membrane is None else (site.membrane, MEMBRANE_SCALE)
    decoded = site.builder.add(loihi.LoihiDecode, {"x": result}, {"scale": scale}, "decoded")[0]
    if averages:
        decoded = _averaged(site, entries[-1], decoded)
    site.builder.add(core.Output, {"x": decoded}, {"name": "output"})
    notes = [*site.repairs, *_assumed(entries, compare), *_unused(tree, entries)]
    return site.builder.graph(), tuple(notes)


def _check_options(spike_exp: Any, compare: Any, input_shape: Any, num_layers: Any) -> None:
    shape_fits = input_shape is None or (
        isinstance(input_shape, Sequence)
        and not isinstance(input_shape, str)
        and 0 < len(input_shape) <= 3
        and all(isinstance(n, int | np.integer) and n > 0 for n in input_shape)
    )
    checks = {
        f"spike_exp = {spike_exp!r}, 0 to 7": type(spike_exp) is int and 0 <= spike_exp <= 7,
        f"compare = {compare!r}, greater or greater_equal": compare in (None, "greater", "greater_equal"),
        f"input_shape = {input_shape!r}, (channels, height, width) > 0": shape_fits,
        f"num_layers = {num_layers!r}, at least 1": num_layers is None or (type(num_layers) is int and num_layers > 0),
    }
    wrong = [note for note, fits in checks.items() if not fits]
    if wrong:
        raise error("T303", "an option of .net files is wrong", notes=wrong)


def _assumed(entries: list[NetLayer], compare: str | None) -> list[Finding]:
    """Say by which rule units of type CUBA spike, which no file states."""
    places = [
        layer.place
        for layer in entries
        if layer.neuron is not None and layer.neuron.kind == "cuba" and not (layer.neuron.loihi or layer.neuron.silent)
    ]
    if compare is not None or not places:
        return []
    what = f"CUBA units (layer {', '.join(places)}) are taken to spike above their threshold"
    older = 'files of lava-dl before 0.3.0 (July 2022) spike at it: tc.load(path, compare="greater_equal")'
    return [repair(what, "so do netx, Lava, and SLAYER since it adds an epsilon", older)]


def _unused(tree: Any, entries: list[NetLayer]) -> list[Finding]:
    kinds = {layer.place: layer.kind for layer in entries}
    neurons = {
        layer.place: layer.neuron.kind
        for layer in entries
        if layer.neuron is not None and "neuron" in tree["layer"][layer.place]
    }
    return list(unused(tree, kinds, neurons))


def _input(site: _Site, layer: NetLayer, shape: tuple[int, ...]) -> Handle:
    if site.input_shape not in (None, shape):
        fact = f"its input has the shape {list(shape)}, and input_shape is {list(site.input_shape or ())}"
        raise site.source.bad(layer.place, fact, "leave input_shape out where an input layer states it")
    attrs = {"name": "input", "shape": shape, "dtype": DType.f64, "role": Role.signal}
    return site.builder.add(core.Input, {}, attrs, "input")[0]


def _source(site: _Site, layer: NetLayer) -> None:
    """An input layer: numbers times its weight plus its bias drive its units."""
    if site.x is not None:
        raise site.source.bad(layer.place, "it is an input behind another layer")
    x = _input(site, layer, layer.shape)
    if layer.neuron is None:
        site.x = site.add(layer, loihi.LoihiEncode, {"x": x}, {}, "encoded")
        return
    weight = float(layer.weight.reshape(-1)[0]) if layer.weight is not None and layer.weight.size else 64.0
    bias = float(layer.bias.reshape(-1)[0]) if layer.bias is not None and layer.bias.size else 0.0
    scaled = site.add(layer, core.Mul, {"a": x, "b": weight}, {}, "scaled")
    shifted = site.add(layer, core.Add, {"a": scaled, "b": bias}, {}, "shifted")
    a = site.add(layer, loihi.LoihiEncode, {"x": _delayed_input(site, layer, shifted)}, {}, "encoded")
    name = f"layer{layer.place}"
    site.bits = layer.neuron.message_bits
    if layer.neuron.kind == "cuba":
        if layer.neuron.i_decay != 4096:
            note = "netx gives inputs to the membrane itself and has no current there"
            site.repairs.append(repair(f"layer {layer.place}: inputs pass its current, iDecay, as SLAYER has it", note))
        site.x = site.add(layer, loihi.LoihiLif, {"a": a}, _lif(site, layer.neuron), name)
        return
    attrs = {"vth": layer.neuron.v_th, "spike_exp": site.spike_exp, "state_exp": STATE_EXP}
    site.x = site.add(layer, loihi.LoihiDelta, {"x": a}, attrs, name)
    site.scale = float(2**site.spike_exp)


def _delayed_input(site: _Site, layer: NetLayer, x: Handle) -> Handle:
    """Return an input layer's drive, each channel later by its delay: units that start from nothing follow."""
    delay, notes = clipped_delays(layer)
    site.repairs += notes
    if delay is None:
        return x
    if delay.size not in (1, layer.shape[0], int(np.prod(layer.shape))):
        fact = f"delays of shape {list(delay.shape)} for an input of {list(layer.shape)}"
        raise site.source.bad(layer.place, fact)
    delay = delay.reshape(layer.shape if delay.size > layer.shape[0] else (-1, *(1,) * (len(layer.shape) - 1)))
    lengths = np.unique(delay).tolist()
    # Each different delay costs a mask over all inputs.
    if len(lengths) * delay.size > MOST_ELEMENTS:
        what = f"{site.source.path}: layer {layer.place} is too large"
        notes = [f"{delay.size} inputs have {len(lengths)} delays", f"the limit of the product is {MOST_ELEMENTS}"]
        raise error("T504", what, notes=notes, hint="give every channel one delay")

    def delayed(ticks: int) -> Handle:
        return site.add(layer, core.Delay, {"x": x}, {"ticks": ticks}, f"late{ticks}") if ticks else x

    def chosen(ticks: int) -> Handle:
        operands = {"a": delayed(ticks), "b": (delay == ticks).astype(float)}
        return site.add(layer, core.Mul, operands, {}, f"delayed{ticks}")

    if len(lengths) == 1:
        return delayed(lengths[0])
    total = chosen(lengths[0])
    for ticks in lengths[1:]:
        total = site.add(layer, core.Add, {"a": total, "b": chosen(ticks)}, {}, f"with{ticks}")
    return total


def _flatten(site: _Site, layer: NetLayer) -> None:
    if site.x is not None:
        site.x = site.add(layer, core.Flatten, {"x": site.x}, {}, f"layer{layer.place}")


def _dense(site: _Site, layer: NetLayer) -> None:
    forward = cast("NDArray", layer.weight)  # a dense layer without one is refused where layers are read
    x = _fed(site, layer, (forward.shape[1],))
    # Fitted together: both sums meet in one dendrite, and so need one exponent.
    weights = [forward] if layer.recurrent is None else [forward, layer.recurrent]
    weight, attrs = _synapse(site, layer, np.concatenate(weights, axis=1))
    name, width = f"layer{layer.place}", forward.shape[1]
    delay, hold = _delays(site, layer)
    delays = None if delay is None else connection_delays(site.source, layer, delay, forward.shape)
    longest = 0 if delays is None else int(delays.max())
    operands = {"weight": weight[:, :width], "delays": delays}
    bits = {"message_bits": site.bits}
    a = site.add(layer, loihi.LoihiDense, {"x": x} | operands, attrs | bits | {"longest": longest}, f"{name}.a")
    if layer.recurrent is None:
        _units(site, layer, a, hold)
        return
    if layer.neuron is None:
        raise site.source.bad(layer.place, "a recurrent layer needs a neuron")
    if delays is not None and (delays != delays[0, 0]).any():
        fact = "its units have different delays: SLAYER delays what leaves the layer, not what goes round in it"
        raise site.source.bad(layer.place, fact, "train recurrent layers without delays")
    back = site.builder.placeholder(layer.shape, DType.i32, Role.spike if layer.neuron.kind == "cuba" else Role.signal)
    around = attrs | {"message_bits": layer.neuron.message_bits}
    b = site.add(layer, loihi.LoihiDense, {"x": back, "weight": weight[:, width:]}, around, f"{name}.back")
    _units(site, layer, site.add(layer, loihi.LoihiDendrite, {"x": (a, b)}, {}, f"{name}.sum"), hold)
    site.builder.connect(back, cast("Handle", site.x))


def _conv(site: _Site, layer: NetLayer) -> None:
    if site.x is None and site.input_shape is None:
        hint = "tc.load(path, input_shape=(channels, height, width)) says it"
        fact = "the first layer is a convolution: the shape of its input is not stated"
        raise site.source.bad(layer.place, fact, hint)
    x = _fed(site, layer, site.input_shape or ())
    weight, attrs = _synapse(site, layer, cast("NDArray", layer.weight))
    attrs |= {"message_bits": site.bits}
    delay, hold = _delays(site, layer)
    name = f"layer{layer.place}"
    if delay is None:
        padding = tuple((n, n) for n in layer.padding)
        window = {"stride": layer.stride, "padding": padding, "dilation": layer.dilation, "groups": layer.groups}
        a = site.add(layer, loihi.LoihiConv, {"x": x, "weight": weight}, attrs | window, f"{name}.a")
        _units(site, layer, a, hold)
        return
    flat = site.add(layer, core.Flatten, {"x": x}, {}, f"{name}.flat")
    if len(x.shape) != 3 or x.shape[0] != weight.shape[1] * layer.groups or weight.shape[0] % layer.groups:
        fact = f"its input has the shape {list(x.shape)}, its weight {list(weight.shape)} in {layer.groups} groups"
        raise site.source.bad(layer.place, fact)
    rows = unrolled(site.source, layer, weight, x.shape)
    delays = channel_delays(site.source, layer, delay, rows)
    operands = {"x": flat, "values": rows.values, "columns": rows.columns, "offsets": rows.offsets, "delays": delays}
    a = site.add(layer, loihi.LoihiSparse, operands, attrs | {"longest": int(delays.max())}, f"{name}.rows")
    if a.shape != (int(np.prod(layer.shape)),):
        fact = f"its shape is stated as {list(layer.shape)}, its synapse gives {a.shape[0]} units"
        raise site.source.bad(layer.place, fact)
    _units(site, layer, site.add(layer, core.Reshape, {"x": a}, {"shape": layer.shape}, f"{name}.a"), hold)


def _averaged(site: _Site, layer: NetLayer, x: Handle) -> Handle:
    """Return the mean of each of a last layer's equal groups of units, as SLAYER's Average gives it."""
    groups, units = int(np.prod(layer.shape)), int(np.prod(x.shape))
    if units % groups:
        fact = f"{units} units do not make {groups} equal groups"
        raise site.source.bad(layer.place, fact, "tc.load(path, num_layers=...) reads the layers before it")
    split = site.add(layer, core.Reshape, {"x": x}, {"shape": (groups, units // groups)}, "groups")
    return site.add(layer, core.Reduce, {"x": split}, {"kind": "mean", "axes": (1,)}, f"layer{layer.place}")


def _misplaced(site: _Site, layer: NetLayer) -> None:
    hint = f"tc.load(path, num_layers={int(layer.place)}) reads the layers before it"
    raise site.source.bad(layer.place, "an average that is not the last layer", hint)


def _fed(site: _Site, layer: NetLayer, shape: tuple[int, ...]) -> Handle:
    """Return what a layer reads; the first reads the network's input."""
    if site.x is not None:
        return site.x
    stated = site.input_shape
    if stated is None or len(stated) == len(shape):
        return site.add(layer, loihi.LoihiEncode, {"x": _input(site, layer, shape)}, {}, "encoded")
    encoded = site.add(layer, loihi.LoihiEncode, {"x": _input(site, layer, stated)}, {}, "encoded")
    return site.add(layer, core.Flatten, {"x": encoded}, {}, "flat")


def _synapse(site: _Site, layer: NetLayer, weight: NDArray) -> tuple[NDArray, dict[str, Any]]:
    weight, attrs, notes = fitted(site.source, layer, weight)
    site.repairs += notes
    neuron = layer.neuron
    if neuron is not None and neuron.kind == "sdnn" and neuron.norm_exp > 0:
        note = "sums are shifted and rounded down in each tick; SLAYER divides what was added up"
        site.repairs.append(repair(f"layer {layer.place}: its batch norm divides by 2^{neuron.norm_exp}", note))
    return weight, attrs


def _delays(site: _Site, layer: NetLayer) -> tuple[NDArray | None, int]:
    """Return delays of what comes in, and for how many more ticks the units stand still.

    SLAYER delays what a unit sends. A unit that starts from nothing does the same with its inputs delayed, but for a
    bias: where all have one delay, they stand still that much longer; else the bias acts too early, and it is said.
    """
    delay, notes = clipped_delays(layer)
    site.repairs += notes
    if delay is None or layer.bias is None or not layer.bias.any():
        return delay, 0
    if (delay == delay.reshape(-1)[0]).all() and layer.neuron is not None and layer.neuron.kind == "cuba":
        return delay, int(delay.reshape(-1)[0])
    note = f"up to {delay.max()} ticks: delays act before the units, as netx has them, and a bias does not wait"
    site.repairs.append(repair(f"layer {layer.place}: its bias acts earlier than in SLAYER", note))
    return delay, 0


def _lif(site: _Site, neuron: Neuron, hold: int = 0) -> dict[str, Any]:
    """Return the attributes of CUBA units. Behind a batch norm they are kept 2^norm_exp times finer, threshold too."""
    v_th = neuron.v_th << max(neuron.norm_exp, 0)
    # Loihi's unit keeps 4095 - du parts of 4096 of a current, SLAYER's 4096 - iDecay.
    attrs = {"du": neuron.i_decay - 1, "dv": neuron.v_decay, "vth": v_th, "bias_exp": BIAS_EXP}
    return attrs | {"compare": site.compare or "greater", "lag": site.lag + hold}


def _units(site: _Site, layer: NetLayer, a: Handle, hold: int) -> None:
    """Append the units of a layer, and note what they send."""
    neuron, name = layer.neuron, f"layer{layer.place}"
    if neuron is None:
        raise site.source.bad(layer.place, "it has no neuron")
    if a.shape != layer.shape:
        raise site.source.bad(
            layer.place, f"its shape is stated as {list(layer.shape)}, its synapse gives {list(a.shape)}"
        )
    # A synapse takes a tick on Loihi, so the layers behind start one tick later.
    site.lag += 1
    site.bits = neuron.message_bits
    site.membrane = None
    if neuron.kind == "cuba":
        attrs, bias = _lif(site, neuron, hold), _bias(layer, site) << max(-neuron.norm_exp, 0)
        site.x, membrane, _ = site.results(layer, loihi.LoihiLif, {"a": a, "bias_mant": bias}, attrs, name)
        site.scale = 1.0
        if neuron.silent:
            site.membrane = membrane
    elif neuron.output:
        site.x = site.add(layer, loihi.LoihiSigma, {"a": a}, {}, name)
    else:
        attrs = {"vth": neuron.v_th, "spike_exp": site.spike_exp, "state_exp": STATE_EXP}
        attrs |= {"activation": neuron.activation}
        bias = np.rint(_bias(layer, site) * 2.0**-neuron.norm_exp).astype(np.int64)
        site.x = site.add(layer, loihi.LoihiSigmaDelta, {"a": a, "bias": bias}, attrs, name)
        site.scale = float(2**site.spike_exp)


def _bias(layer: NetLayer, site: _Site) -> NDArray:
    """Return a layer's bias so that it spreads over (channel, height, width)."""
    if layer.bias is None:
        return np.zeros((), np.int64)
    if layer.bias.shape == layer.shape or layer.bias.size == 1:
        return layer.bias.reshape(layer.shape if layer.bias.shape == layer.shape else ())
    if layer.bias.size == layer.shape[0]:
        return layer.bias.reshape(-1, *(1,) * (len(layer.shape) - 1))
    raise site.source.bad(layer.place, f"a bias of shape {list(layer.bias.shape)} for units of {list(layer.shape)}")


_MAKERS = {
    "input": _source,
    "flatten": _flatten,
    "dense": _dense,
    "dense_rec": _dense,
    "conv": _conv,
    "pool": _conv,
    "average": _misplaced,
}
