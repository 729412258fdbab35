"""The units of a layer of a ``.net`` file, as SLAYER states them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from thermoc.frontends.hdf5.file import one_text
from thermoc.frontends.lavadl.fields import NetSource, shared_number

NEURONS = {"LOIHI": "cuba", "CUBA": "cuba", "SDNN": "sdnn"}
ACTIVATIONS = {"relu": "relu", "identity": "unit", "unit": "unit"}
DECAYS = {"i_decay": "iDecay", "v_decay": "vDecay"}
LARGEST_THRESHOLD = 2**17 - 1
NORM_EXPONENT = 3
"""The most powers of two by which SLAYER's ``WgtScaleBatchNorm`` scales, whatever the exponent that it writes."""


@dataclass(frozen=True, kw_only=True)
class Neuron:
    """A population's parameters; kind is cuba or sdnn.

    loihi: its type is LOIHI, of SLAYER before lava-dl, whose units have always spiked above their threshold. output:
    the last unit of a sigma-delta network, a sum. silent: its threshold is beyond what a membrane reaches, so that the
    membrane is what it gives. weight_exp: weights count 2^weight_exp times. norm_exp: a batch norm behind the current
    divides it and the bias by 2^norm_exp.
    """

    kind: str
    v_th: int
    loihi: bool = False
    i_decay: int = 4096
    v_decay: int = 4096
    message_bits: int = 0
    output: bool = False
    silent: bool = False
    activation: str = "relu"
    weight_exp: int = 0
    norm_exp: int = 0


INTEGRATOR = Neuron(kind="cuba", v_th=LARGEST_THRESHOLD, v_decay=0, silent=True)
"""What netx takes where a dense layer has no neuron (SLAYER's Affine without dynamics): it adds up, and never spikes.

netx adds up in the current (iDecay 0, vDecay 4096), which a membrane that keeps all does as well.
"""


def neuron(source: NetSource, place: str, entry: Any) -> Neuron:
    """Return the units of a layer. Errors: T508."""
    kind = one_text(entry.get("type")) if isinstance(entry, dict) else None
    if kind not in NEURONS:
        raise source.bad(place, f"its neuron is {str(kind)[:40]!r}", f"read are {', '.join(NEURONS)}")

    def number(key: str, default: int | None) -> int:
        return shared_number(source, place, entry, key, default)

    exponents: dict[str, Any] = {"weight_exp": number("wgtExp", 0), "norm_exp": _norm_exponent(number("weight_exp", 0))}
    # The field marks a last layer by being there, whatever it holds.
    output = "sigma_output" in entry
    v_th = number("vThMant", 0 if output else None)
    if NEURONS[kind] == "sdnn":
        activation = _activation(source, place, entry)
        bits = number("messageBits", 16)
        return Neuron(kind="sdnn", v_th=v_th, message_bits=bits, output=output, activation=activation, **exponents)
    if number("gradedSpike", 0):
        raise source.bad(place, "its CUBA units send graded spikes", "netx runs them as plain ones; retrain without")
    if number("refDelay", 1) != 1:
        raise source.bad(place, f"refDelay is {number('refDelay', 1)}; read is 1")
    decays: dict[str, Any] = {name: number(key, None) for name, key in DECAYS.items()}
    silent = v_th > LARGEST_THRESHOLD
    return Neuron(
        kind="cuba",
        v_th=min(v_th, LARGEST_THRESHOLD),
        silent=silent,
        loihi=kind == "LOIHI",
        message_bits=number("messageBits", 0),
        **decays,
        **exponents,
    )


def _norm_exponent(exponent: int) -> int:
    return int(np.clip(exponent, -NORM_EXPONENT, NORM_EXPONENT))


def _activation(source: NetSource, place: str, entry: dict[str, Any]) -> str:
    name = one_text(entry["activation"]) if "activation" in entry else "relu"
    if name not in ACTIVATIONS:
        fact = f"its sigma-delta units have the activation {str(name)[:40]!r}"
        raise source.bad(place, fact, f"read are {', '.join(ACTIVATIONS)}; netx runs every other as relu")
    return ACTIVATIONS[name]
