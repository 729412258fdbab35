"""The fields of a ``.net`` file: numbers read with suspicion, and which fields nobody reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.support.errors import Finding, ThermocError, error


@dataclass(frozen=True)
class NetSource:
    """Which file, for messages."""

    path: str

    def bad(self, place: str, fact: str, hint: str = "") -> ThermocError:
        """Return the error of a layer that cannot be read."""
        return error("T508", f"{self.path}: layer {place} cannot be read", notes=[fact], hint=hint)


def repair(what: str, *notes: str) -> Finding:
    """Return the note of a change or an assumption."""
    return Finding(code="W501", what=what, notes=notes)


def integers(source: NetSource, place: str, entry: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, NDArray]:
    """Return arrays of a layer as int64, truncated as netx does. Errors: T508 beyond 32 bits."""
    return {key: _integers(source, place, key, entry[key]) for key in keys if entry.get(key) is not None}


def _integers(source: NetSource, place: str, key: str, value: Any) -> NDArray:
    if isinstance(value, dict):
        raise source.bad(place, f"{key} is complex", "resonate-and-fire layers have no form on thermoc's Loihi")
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iufb":
        raise source.bad(place, f"{key} is no array of numbers")
    with np.errstate(invalid="ignore"):
        # Checked as floats first: NaN and numbers beyond 64 bits would wrap silently.
        wide = value.astype(np.float64)
    if not np.isfinite(wide).all() or (np.abs(wide) >= 2**31).any():
        raise source.bad(place, f"{key} holds a number beyond 32 bits")
    return value.astype(np.int64)


def sizes(
    source: NetSource,
    place: str,
    numbers: Mapping[str, NDArray],
    key: str,
    default: tuple[int, ...] | None = None,
    axes: int = 0,
) -> tuple[int, ...]:
    """Return the numbers of a shape, a stride, ...; one number serves every axis. Errors: T508."""
    if key not in numbers:
        if default is None:
            raise source.bad(place, f"it has no {key}")
        return default
    # No shape has more than 8 numbers; the array of a hostile file may have millions.
    values = tuple(int(number) for number in numbers[key].reshape(-1)[:8])
    values = values * axes if axes and len(values) == 1 else values
    if axes and len(values) != axes:
        raise source.bad(place, f"{key} has {len(values)} numbers for {axes} axes")
    return values


def shared_number(source: NetSource, place: str, entry: Mapping[str, Any], key: str, default: int | None) -> int:
    """Return a parameter that every unit of the population shares. Errors: T508."""
    value = entry.get(key)
    if value is None:
        if default is None:
            raise source.bad(place, f"its neuron has no {key}")
        return default
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iufb" or not value.size:
        raise source.bad(place, f"{key} is no number")
    if not (np.abs(value.astype(np.float64)) < 2**31).all():
        raise source.bad(place, f"{key} is beyond 32 bits, or no number")
    if (value != value.reshape(-1)[0]).any():
        raise source.bad(place, f"{key} differs from unit to unit", "a population has one; train with shared_param")
    return int(value.reshape(-1)[0])


FIELDS = {
    "input": {"type", "shape", "neuron", "weight", "bias", "delay"},
    "flatten": {"type", "shape"},
    "average": {"type", "shape"},
    "dense": {"type", "shape", "neuron", "weight", "bias", "delay", "inFeatures", "outFeatures"},
    "conv": {
        *("type", "shape", "neuron", "weight", "bias", "delay", "inChannels", "outChannels"),
        *("kernelSize", "stride", "padding", "dilation", "groups"),
    },
}
FIELDS["dense_rec"] = FIELDS["dense"] | {"weight_rec"}
FIELDS["pool"] = FIELDS["conv"] - {"bias", "inChannels", "outChannels", "groups"}
"""What a layer of each type is read from."""
NEURON_FIELDS = {
    "cuba": {
        *("type", "iDecay", "vDecay", "vThMant", "refDelay", "gradedSpike", "messageBits"),
        *("wgtExp", "weight_exp"),
    },
    "sdnn": {"type", "vThMant", "messageBits", "activation", "sigma_output", "wgtExp", "weight_exp"},
}
TRAINING = {"tauRho", "scaleRho", "theta"}
"""The gradient of SLAYER's training, and the threshold it began from (``vThMant`` is the one that runs)."""


def unused(root: Mapping[str, Any], kinds: Mapping[str, str], neurons: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a note that names each field that is not used. kinds and neurons: the type of each layer's, by its name."""
    places: dict[str, list[str]] = {}
    for name in sorted(root.keys() - {"layer"}):
        places.setdefault(name, []).append("the file")
    for layer, kind in kinds.items():
        entry = root["layer"][layer]
        for name in sorted(entry.keys() - FIELDS[kind]):
            places.setdefault(name, []).append(f"layer {layer}")
        inside = entry["neuron"] if layer in neurons else {}
        for name in sorted(inside.keys() - NEURON_FIELDS.get(neurons.get(layer, ""), set())):
            places.setdefault(f"neuron/{name}", []).append(f"layer {layer}")
    if places:
        reason = {f"neuron/{name}": " (of training alone)" for name in TRAINING}
        notes = [f"{name}{reason.get(name, '')}: {_listed(where)}" for name, where in places.items()]
        yield repair("fields of the file that are not used", *notes)


def _listed(places: list[str]) -> str:
    return ", ".join(places[:4]) + (f" and {len(places) - 4} more" if len(places) > 4 else "")
