"""The layers of a ``.net`` file as a neutral structure: shapes (channel, height, width), integers, neurons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.hdf5.file import Tree, one_text
from thermoc.frontends.lavadl.fields import NetSource, integers, sizes
from thermoc.frontends.lavadl.neurons import INTEGRATOR, Neuron, neuron
from thermoc.support.errors import error

MOST_ELEMENTS = 2**24
LAYERS = ("input", "dense", "dense_rec", "conv", "pool", "flatten", "average")
REFUSED = {
    "convT": "a transposed convolution",
    "unpool": "a transposed convolution",
    "concat": "a junction of layers",
    "dense_comp": "a layer of complex weights",
}
NUMBERS = (
    *("shape", "weight", "weight_rec", "bias", "stride", "padding", "dilation", "groups"),
    *("inFeatures", "outFeatures", "inChannels", "outChannels", "kernelSize"),
)


@dataclass(frozen=True, kw_only=True)
class NetLayer:
    """A layer; arrays are integers. weight: (out, in), or (out, in / groups, height, width) as a cross-correlation.

    delay: ticks, one for all, of each unit or channel, of each input, or of each connection.
    """

    place: str
    kind: str
    shape: tuple[int, ...] = ()
    neuron: Neuron | None = None
    weight: NDArray | None = None
    recurrent: NDArray | None = None
    delay: NDArray | None = None
    bias: NDArray | None = None
    stride: tuple[int, ...] = (1, 1)
    padding: tuple[int, ...] = (0, 0)
    dilation: tuple[int, ...] = (1, 1)
    groups: int = 1


def layers(tree: Tree, source: NetSource, num_layers: int | None = None) -> list[NetLayer]:
    """Return the layers in order, all or the first ``num_layers``. Errors: T506 (no such file), T504, T508."""
    entries = tree.get("layer")
    if not isinstance(entries, dict) or not entries:
        hint = "SLAYER's export_hdf5 writes one"
        raise error("T506", f"{source.path} holds no lava-dl network", notes=["there is no group 'layer'"], hint=hint)
    names = [str(number) for number in range(len(entries))]
    # HDF5 sorts names as texts, '10' before '2': the order of layers is that of their numbers.
    if set(entries) != set(names):
        raise source.bad("list", f"its layers are {sorted(entries)[:8]}, not 0 to {len(entries) - 1}")
    return [_layer(source, name, entries[name]) for name in names[:num_layers]]


def _layer(source: NetSource, place: str, entry: Any) -> NetLayer:
    if not isinstance(entry, dict):
        raise source.bad(place, "it is no group")
    kind = one_text(entry.get("type"))
    if kind in REFUSED:
        fact = f"its type is {kind!r}, {REFUSED[kind]}, which netx cannot run either"
        raise source.bad(place, fact, "tc.load(path, num_layers=...) reads the layers before it")
    if kind not in LAYERS:
        raise source.bad(place, f"its type is {str(kind)[:40]!r}", f"read are {', '.join(LAYERS)}")
    if kind == "flatten":
        return NetLayer(place=place, kind=kind)
    numbers = integers(source, place, entry, NUMBERS)
    shape = sizes(source, place, numbers, "shape")
    # In float64, for a product of int64 would wrap and look small.
    if not shape or min(shape) < 1 or np.prod(shape, dtype=np.float64) > MOST_ELEMENTS:
        raise source.bad(place, f"its shape is {list(shape)}, of 1 to {MOST_ELEMENTS} elements")
    fields: dict[str, Any] = {"bias": numbers.get("bias"), "delay": _delay(source, place, entry)}
    if "neuron" in entry:
        fields["neuron"] = neuron(source, place, entry["neuron"])
    elif kind == "dense":
        fields["neuron"] = INTEGRATOR
    if kind in ("conv", "pool"):
        fields |= _window(source, place, numbers, shape, pool=kind == "pool")
    elif kind == "input":
        fields["weight"] = numbers.get("weight")
    elif kind in ("dense", "dense_rec"):
        fields |= _matrices(source, place, numbers, int(np.prod(shape)), recurrent=kind == "dense_rec")
        shape = (int(np.prod(shape)),)
    return NetLayer(place=place, kind=kind, shape=shape, **fields)


def _matrices(
    source: NetSource, place: str, numbers: Mapping[str, NDArray], units: int, *, recurrent: bool
) -> dict[str, Any]:
    weights: dict[str, Any] = {}
    for field, key in (("weight", "weight"), ("recurrent", "weight_rec"))[: 1 + recurrent]:
        weight = numbers.get(key)
        if weight is None or weight.size == 0 or weight.size % units or weight.ndim > 5:
            raise source.bad(place, f"{key} has no row for each of {units} units")
        weights[field] = weight.reshape(units, -1)
        if weight.ndim > 1 and weight.shape[0] != units:
            raise source.bad(place, f"{key} has shape {list(weight.shape)}, the layer {units} units")
    if recurrent and weights["recurrent"].shape != (units, units):
        raise source.bad(place, f"weight_rec has shape {list(weights['recurrent'].shape)}, not {[units, units]}")
    _same(source, place, numbers, {"inFeatures": weights["weight"].shape[1], "outFeatures": units})
    return weights


def _same(source: NetSource, place: str, numbers: Mapping[str, NDArray], stated: Mapping[str, Any]) -> None:
    """Refuse a layer that states its size twice and differently."""
    for key, size in stated.items():
        if key in numbers and (numbers[key].reshape(-1) != np.reshape(size, -1)).any():
            stated_size = numbers[key].reshape(-1)[:8].tolist()
            fact = f"{key} is {stated_size[0] if numbers[key].size == 1 else stated_size}, and its weight has {size}"
            raise source.bad(place, fact)


def _window(
    source: NetSource, place: str, numbers: Mapping[str, NDArray], shape: tuple[int, ...], *, pool: bool
) -> dict[str, Any]:
    """Return a convolution's parameters. SLAYER's kernel is that of a cross-correlation, with a last axis of time.

    (netx turns it by half, for Lava's Conv is a convolution.) A pool has one kernel for every channel by itself.
    """
    weight = numbers.get("weight")
    if weight is None or weight.ndim not in (4, 5) or not weight.size or (weight.ndim == 5 and weight.shape[4] != 1):
        raise source.bad(place, "its weight is not (out, in, height, width[, 1])")
    out, depth, *kernel = weight.shape[:4]
    weight = weight.reshape(out, depth, *kernel)
    groups = sizes(source, place, numbers, "groups", (1,), 1)[0]
    if pool:
        if (out, depth) != (1, 1) or len(shape) != 3:
            raise source.bad(place, f"its weight has shape {list(weight.shape)}, a pool one kernel for every channel")
        # Before the kernel is repeated for each channel, of which the file may state any number.
        if shape[0] * weight.size > MOST_ELEMENTS:
            raise source.bad(place, f"{shape[0]} channels of {kernel} make more than {MOST_ELEMENTS} weights")
        weight, groups = np.repeat(weight, shape[0], axis=0), shape[0]
    else:
        channels = {"inChannels": depth * groups, "outChannels": out}
        _same(source, place, numbers, channels)
    if "kernelSize" in numbers and numbers["kernelSize"].size in (1, 2):
        _same(source, place, numbers, {"kernelSize": kernel})
    window = {key: sizes(source, place, numbers, key, (n, n), 2) for key, n in WINDOW.items()}
    if pool and "stride" not in numbers:
        window["stride"] = tuple(kernel)
    for key, smallest in SMALLEST.items():
        if min(window[key]) < smallest:
            raise source.bad(place, f"{key} is {list(window[key])}, at least {smallest}")
    return {"weight": weight, "groups": groups, **window}


WINDOW = {"stride": 1, "padding": 0, "dilation": 1}
"""What a window is where a file does not say."""
SMALLEST = {"stride": 1, "padding": 0, "dilation": 1}


def _delay(source: NetSource, place: str, entry: dict[str, Any]) -> NDArray | None:
    value = entry.get("delay")
    if value is None:
        return None
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iuf" or not value.size:
        raise source.bad(place, "delay is no array of numbers")
    wide = value.astype(np.float64)
    if not np.isfinite(wide).all() or (wide < 0).any():
        raise source.bad(place, "a delay is negative or not finite")
    # A float beyond 64 bits has no defined integer; delays so long are clipped to the chip's anyway.
    return np.minimum(wide, 2**31).astype(np.int64)
