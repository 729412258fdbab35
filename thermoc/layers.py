"""Layers of thermodynamic units (P39 to P42), written in ops: whatever a layer does stands in the network's text.

Every layer takes the same keywords:

- T: temperature of the activation and of the probes: a number, a schedule, a heat op, one a unit, ...
- activation: "boltzmann", "fermi_dirac", "thermal_relu", "maxwell_boltzmann", "binary" (p-bits), "categorical", or None
  for z itself. Those that take energies are given -z, so that a unit which is driven switches on.
- rate: the layer relaxes: dz/dt = -rate (z - drive), exactly; None settles within the tick.
- noise: temperature of the noise on z. With ``rate`` it is P25's, of variance ``noise`` once settled; without, white.
- coupling: symmetric J (n, n): every unit then has a temperature of its own that exchanges heat with the others (P3),
  relaxes to T at rate ``gamma``, and starts at ``initial_T`` (default 1).
- probes: U, S and F (P1, P2) become outputs NAME.U, NAME.S, NAME.F, and with coupling the temperatures as NAME.T.
- name: NAME, by default layer0, layer1, ... in order. Arrays of weights are parameters: NAME.W and NAME.b, of recurrent
  layers also NAME.U (the recurrent weight), of attention NAME.Q, NAME.K and NAME.V.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc import network
from thermoc.ir.functions import FUNCTIONS, current
from thermoc.ir.handle import Handle
from thermoc.support.errors import caller, error
from thermoc.support.suggestions import near

Number = Handle | ArrayLike


@dataclass(frozen=True, kw_only=True)
class _Physics:
    """The keywords that all layers share; see the module."""

    T: Number
    activation: str | None
    rate: float | None
    noise: Number | None
    coupling: ArrayLike | None
    gamma: Number
    initial_T: Number
    probes: bool
    name: str

    def parameters(self, x: Handle, **arrays: Any) -> list[Handle | None]:
        """Return the layer's arrays as parameters under its name."""
        return _parameters(self.name, x, **arrays)


def feed_forward(
    x: Handle,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    T: Number,
    activation: str | None = "thermal_relu",
    rate: float | None = None,
    noise: Number | None = None,
    coupling: ArrayLike | None = None,
    gamma: Number = 1.0,
    initial_T: Number = 1.0,
    probes: bool = False,
    name: str | None = None,
) -> Handle:
    """Return activation(W x + b, T) (P2, P39). x: (..., in); weight: (out, in). Keywords: see the module.

    Errors: T103, T111.
    """
    how = _Physics(**_shared(locals()))
    return _layer(_op("core.affine", x, *how.parameters(x, W=weight, b=bias)), how)


def recurrent(
    x: Handle,
    weight: ArrayLike,
    recurrent_weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    T: Number,
    activation: str | None = "thermal_relu",
    initial: ArrayLike = 0.0,
    rate: float | None = None,
    noise: Number | None = None,
    coupling: ArrayLike | None = None,
    gamma: Number = 1.0,
    initial_T: Number = 1.0,
    probes: bool = False,
    name: str | None = None,
) -> Handle:
    """Return h(t) = activation(W_h h(t - 1) + W_x x + b, T) (P40). x: (in,); weight: (n, in); recurrent_weight: (n, n).

    initial: h before the first tick. Keywords: see the module. Errors: T103, T111.
    """
    how = _Physics(**_shared(locals()))
    W, U, b = how.parameters(x, W=weight, U=recurrent_weight, b=bias)
    n = np.shape(recurrent_weight)[0]
    # The h of the tick before is read before any h is there.
    hole = network.placeholder((n,), dtype=str(x.type.dtype))
    past = _op("core.affine", _op("core.delay", hole, initial), U)
    h = _layer(_op("core.affine", x, W, b) + past, how)
    network.connect(hole, h)
    return h


def convolution(
    x: Handle,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    T: Number,
    activation: str | None = "thermal_relu",
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    groups: int = 1,
    rate: float | None = None,
    noise: Number | None = None,
    coupling: ArrayLike | None = None,
    gamma: Number = 1.0,
    initial_T: Number = 1.0,
    probes: bool = False,
    name: str | None = None,
) -> Handle:
    """Return activation(W * x + b, T) with thermal noise (P41). x: (in, height, width) or (in, length); weight:
    (out, in / groups, ...).

    Keywords: see the module. Errors: T103, T111.
    """
    how = _Physics(**_shared(locals()))
    rank = np.ndim(weight) - 2
    steps = {"stride": (stride,) * rank, "padding": ((padding, padding),) * rank, "dilation": (dilation,) * rank}
    return _layer(_op("core.conv", x, *how.parameters(x, W=weight, b=bias), groups=groups, **steps), how)


def attention(
    x: Handle,
    query: ArrayLike,
    key: ArrayLike,
    value: ArrayLike,
    *,
    T: Number,
    energy: Handle | None = None,
    noise: Number | None = None,
    probes: bool = False,
    name: str | None = None,
) -> Handle:
    """Return alpha v, alpha_ij = exp(-E_ij / T) / sum_k exp(-E_ik / T), E_ij = -q_i.k_j / sqrt(d) unless given (P42).

    x: (tokens, in); query, key: (d, in); value: (out, in); energy: (tokens, tokens). noise: temperature of white noise
    on E. The probes are those of E. Errors: T103, T111.
    """
    tokens, name = x.shape[0], current("attention").layer(name)
    v = _op("core.affine", x, *_parameters(name, x, V=value))
    if energy is None:
        Q, K = _parameters(name, x, Q=query, K=key)
        q, k = _op("core.affine", x, Q), _op("core.affine", x, K)
        energy = _op("core.matmul", q, _op("core.transpose", k, axes=(1, 0))) * (-1 / math.sqrt(np.shape(query)[0]))
    if energy.shape != (tokens, tokens):
        notes = [f"energy has shape {list(energy.shape)}", f"there are {tokens} tokens"]
        raise error("T103", "attention: energies are one a pair of tokens", where=caller(), notes=notes)
    energy = _noisy(energy, noise)
    if probes:
        _probe(energy, T, name)
    return _op("core.matmul", _op("thermo.boltzmann", energy, T), v)


ACTIVATIONS: dict[str, Callable[[Handle, Number], Handle]] = {
    "boltzmann": lambda z, T: _op("thermo.boltzmann", -z, T),
    "fermi_dirac": lambda z, T: _op("thermo.fermi_dirac", -z, T),
    "thermal_relu": lambda z, T: _op("thermo.thermal_relu", z, T),
    "maxwell_boltzmann": lambda z, T: _op("thermo.maxwell_boltzmann", z, T),
    "binary": lambda z, T: _op("thermo.sample_binary", z, T),
    "categorical": lambda z, T: _op("thermo.sample_categorical", -z, T),
}


def _layer(drive: Handle, how: _Physics) -> Handle:
    """Let the drive act: relaxation and noise make z, heat exchange its temperature, the activation what comes out."""
    if how.activation is not None and how.activation not in ACTIVATIONS:
        notes, hint = [f"there are {', '.join(ACTIVATIONS)} and None"], near(how.activation, ACTIVATIONS)
        raise error("T111", f"layers: no activation {how.activation!r}", where=caller(), notes=notes, hint=hint)
    z, T = _relaxed(drive, how), _temperature(drive, how)
    if how.probes:
        _probe(z, how.T, how.name)
    return z if how.activation is None else ACTIVATIONS[how.activation](z, T)


def _relaxed(drive: Handle, how: _Physics) -> Handle:
    if how.rate is None:
        return _noisy(drive, how.noise)
    if how.noise is None:
        # With tau = 1 / rate and a gain of 1 a leaky integrator is dz/dt = -rate (z - drive).
        return _op("spiking.li", drive, 1 / how.rate)
    # A memory settles at x / gamma, so the drive times the rate settles at the drive.
    return _op("thermo.memory", drive * how.rate, how.noise, how.rate)


def _noisy(z: Handle, T: Number | None) -> Handle:
    if T is None:
        return z
    spread = _op("core.sqrt", T if isinstance(T, Handle) else network.constant(T))
    return z + spread * _op("thermo.normal", shape=z.shape, dtype=str(z.type.dtype))


def _temperature(drive: Handle, how: _Physics) -> Number:
    if how.coupling is None:
        return how.T
    layer = how.T if isinstance(how.T, Handle) else network.constant(how.T, role="temperature")
    T = _op("thermo.heat_exchange", how.coupling, how.initial_T, how.gamma, layer)
    if T.shape != (math.prod(drive.shape),):
        notes = [f"coupling is of {T.shape[0]} units", f"the layer has shape {list(drive.shape)}"]
        raise error("T103", "layers: the coupling does not fit the layer", where=caller(), notes=notes)
    if how.probes:
        network.output(f"{how.name}.T", T)
    return T if len(drive.shape) == 1 else _op("core.reshape", T, shape=drive.shape)


def _probe(z: Handle, T: Number, name: str) -> None:
    for key, probe in zip(("U", "S", "F"), FUNCTIONS["thermo.observables"](z, T)):
        network.output(f"{name}.{key}", probe)


def _parameters(name: str, x: Handle, **arrays: Any) -> list[Handle | None]:
    """Return arrays as parameters NAME.KEY, in the format of x; values of the network stay what they are."""
    return [
        item
        if item is None or isinstance(item, Handle)
        else network.parameter(f"{name}.{key}", item, dtype=str(x.type.dtype))
        for key, item in arrays.items()
    ]


def _shared(given: dict[str, Any]) -> dict[str, Any]:
    shared = {key: given[key] for key in _Physics.__dataclass_fields__}
    return shared | {"name": current("a layer").layer(given["name"])}


def _op(opname: str, *operands: Any, **attrs: Any) -> Handle:
    return FUNCTIONS[opname](*operands, **attrs)
