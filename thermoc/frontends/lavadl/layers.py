"""The layers of a ``.net`` file as a neutral structure: shapes (channel, height, width), integers, neurons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.hdf5.file import Tree, one_text
from thermoc.support.errors import Finding, ThermocError, error

MOST_ELEMENTS = 2**24
NEURONS = {"LOIHI": "cuba", "CUBA": "cuba", "SDNN": "sdnn"}
LAYERS = ("input", "dense", "dense_rec", "conv", "flatten")


@dataclass(frozen=True, kw_only=True)
class Neuron:
    """A population's parameters; kind is cuba or sdnn.

    strict: it spikes above its threshold, not at it: SLAYER's type LOIHI, where CUBA spikes at it (v >= threshold).
    output: the last unit of a sigma-delta network, a sum.
    """

    kind: str
    v_th: int
    strict: bool = False
    i_decay: int = 4096
    v_decay: int = 4096
    message_bits: int = 0
    output: bool = False


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer; arrays are integers. weight: (out, in), or (out, in / groups, height, width) as a cross-correlation."""

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


@dataclass(frozen=True)
class Source:
    """Which file, for messages."""

    path: str

    def bad(self, place: str, fact: str, hint: str = "") -> ThermocError:
        """Return the error of a layer that cannot be read."""
        return error("T508", f"{self.path}: layer {place} cannot be read", notes=[fact], hint=hint)


def layers(tree: Tree, source: Source) -> list[Layer]:
    """Return the layers in order. Errors: T506 (no such file), T504, T508."""
    found = tree.get("layer")
    if not isinstance(found, dict) or not found:
        hint = "SLAYER's export_hdf5 writes one"
        raise error("T506", f"{source.path} holds no lava-dl network", notes=["there is no group 'layer'"], hint=hint)
    names = [str(number) for number in range(len(found))]
    if set(found) != set(names):
        raise source.bad("list", f"its layers are {sorted(found)[:8]}, not 0 to {len(found) - 1}")
    return [_layer(source, name, found[name]) for name in names]


def _layer(source: Source, place: str, entry: Any) -> Layer:
    if not isinstance(entry, dict):
        raise source.bad(place, "it is no group")
    kind = one_text(entry.get("type"))
    if kind not in LAYERS:
        hint = f"read are {', '.join(LAYERS)}; netx itself has no pool, average, convT, unpool, concat"
        raise source.bad(place, f"its type is {str(kind)[:40]!r}", hint)
    numbers = dict(_integers(source, place, entry))
    fields: dict[str, Any] = {"bias": numbers.get("bias"), "delay": _delay(source, place, entry)}
    if "neuron" in entry:
        fields["neuron"] = _neuron(source, place, entry["neuron"])
    if kind == "flatten":
        return Layer(place=place, kind=kind)
    shape = _whole(source, place, numbers, "shape", None)
    if not shape or min(shape) < 1 or np.prod(shape, dtype=np.float64) > MOST_ELEMENTS:
        raise source.bad(place, f"its shape is {list(shape)}, of 1 to {MOST_ELEMENTS} elements")
    if kind == "conv":
        fields |= _window(source, place, numbers)
    elif kind == "input":
        fields["weight"] = numbers.get("weight")
    else:
        fields |= _matrices(source, place, numbers, int(np.prod(shape)), recurrent=kind == "dense_rec")
        shape = (int(np.prod(shape)),)
    return Layer(place=place, kind=kind, shape=shape, **fields)


def _integers(source: Source, place: str, entry: dict[str, Any]) -> Iterator[tuple[str, NDArray]]:
    """Yield the arrays of a layer as int64, truncated as netx does. Errors: T508 beyond 32 bits."""
    for key in ("shape", "weight", "weight_rec", "bias", "stride", "padding", "dilation", "groups"):
        value = entry.get(key)
        if value is None:
            continue
        if isinstance(value, dict):
            raise source.bad(place, f"{key} is complex", "resonate-and-fire layers have no form on thermoc's Loihi")
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "iufb":
            raise source.bad(place, f"{key} is no array of numbers")
        with np.errstate(invalid="ignore"):
            wide = value.astype(np.float64)
        if not np.isfinite(wide).all() or (np.abs(wide) >= 2**31).any():
            raise source.bad(place, f"{key} holds a number beyond 32 bits")
        yield key, value.astype(np.int64)


def _whole(
    source: Source, place: str, numbers: dict[str, NDArray], key: str, default: tuple[int, ...] | None, axes: int = 0
) -> tuple[int, ...]:
    if key not in numbers:
        if default is None:
            raise source.bad(place, f"it has no {key}")
        return default
    found = tuple(int(number) for number in numbers[key].reshape(-1)[:8])
    found = found * axes if axes and len(found) == 1 else found
    if axes and len(found) != axes:
        raise source.bad(place, f"{key} has {len(found)} numbers for {axes} axes")
    return found


def _neuron(source: Source, place: str, entry: Any) -> Neuron:
    kind = one_text(entry.get("type")) if isinstance(entry, dict) else None
    if kind not in NEURONS:
        raise source.bad(place, f"its neuron is {str(kind)[:40]!r}", f"read are {', '.join(NEURONS)}")
    if _one(source, place, entry, "gradedSpike", 0) and NEURONS[kind] == "cuba":
        raise source.bad(place, "its CUBA units send graded spikes", "netx runs them as plain ones; retrain without")
    if _one(source, place, entry, "refDelay", 1) != 1:
        raise source.bad(place, f"refDelay is {_one(source, place, entry, 'refDelay', 1)}; read is 1")
    output = "sigma_output" in entry
    v_th = _one(source, place, entry, "vThMant", 0 if output else None)
    bits = _one(source, place, entry, "messageBits", 0 if NEURONS[kind] == "cuba" else 16)
    if NEURONS[kind] == "sdnn":
        return Neuron(kind="sdnn", v_th=v_th, message_bits=bits, output=output)
    decays: dict[str, Any] = {name: _one(source, place, entry, key, None) for name, key in DECAYS.items()}
    return Neuron(kind="cuba", v_th=v_th, strict=kind == "LOIHI", message_bits=bits, **decays)


DECAYS = {"i_decay": "iDecay", "v_decay": "vDecay"}


def _one(source: Source, place: str, entry: dict[str, Any], key: str, default: int | None) -> int:
    """Return a parameter that every unit of the population shares."""
    value = entry.get(key)
    if value is None:
        if default is None:
            raise source.bad(place, f"its neuron has no {key}")
        return default
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iufb" or not value.size:
        raise source.bad(place, f"{key} is no number")
    if (value != value.reshape(-1)[0]).any():
        raise source.bad(place, f"{key} differs from unit to unit", "a population has one; train with shared_param")
    if not abs(float(value.reshape(-1)[0])) < 2**31:
        raise source.bad(place, f"{key} is beyond 32 bits")
    return int(value.reshape(-1)[0])


def _matrices(
    source: Source, place: str, numbers: dict[str, NDArray], units: int, *, recurrent: bool
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
    return weights


def _window(source: Source, place: str, numbers: dict[str, NDArray]) -> dict[str, Any]:
    """Return a convolution's parameters. SLAYER's kernel is that of a cross-correlation, with a last axis of time.

    (netx turns it by half, for Lava's Conv is a convolution.)
    """
    weight = numbers.get("weight")
    if weight is None or weight.ndim not in (4, 5) or not weight.size or (weight.ndim == 5 and weight.shape[4] != 1):
        raise source.bad(place, "its weight is not (out, in, height, width[, 1])")
    sizes = {key: _whole(source, place, numbers, key, (n, n), 2) for key, n in WINDOW.items()}
    return {
        "weight": weight.reshape(weight.shape[:4]),
        "groups": _whole(source, place, numbers, "groups", (1,), 1)[0],
        **sizes,
    }


WINDOW = {"stride": 1, "padding": 0, "dilation": 1}


def _delay(source: Source, place: str, entry: dict[str, Any]) -> NDArray | None:
    value = entry.get("delay")
    if value is None:
        return None
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iuf":
        raise source.bad(place, "delay is no array of numbers")
    wide = value.astype(np.float64)
    if not np.isfinite(wide).all() or (wide < 0).any():
        raise source.bad(place, "a delay is negative or not finite")
    return np.minimum(wide, 2**31).astype(np.int64)


def repair(what: str, *notes: str) -> Finding:
    """Return the note of a change or an assumption."""
    return Finding(code="W501", what=what, notes=notes)
