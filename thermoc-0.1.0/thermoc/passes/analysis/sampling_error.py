"""How far means of spikes may be off, value by value, and how that goes through linear ops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.dialects import core, spiking
from thermoc.ir.places import MOVES
from thermoc.ir.reference import evaluate

Numbers = Mapping[str, NDArray]


@dataclass(frozen=True, kw_only=True)
class SamplingError:
    """Of one value, a unit: the standard deviation of a tick, and sqrt(n) times what is left after n ticks of an error
    that falls as 1 / sqrt(n)."""

    noise: NDArray
    drift: NDArray

    @property
    def mean(self) -> NDArray:
        """Of the mean over n ticks, times sqrt(n): drifts of 1 / sqrt(k) have the mean 2 / sqrt(n)."""
        return self.noise + 2 * self.drift


def through(op: Any, errors: Mapping[str, SamplingError], constants: Numbers) -> SamplingError:
    """Return the error of a linear op's result: noise adds up in squares, drift in magnitude."""
    squares = {name: error.noise**2 for name, error in errors.items()}
    drifts = {name: error.drift for name, error in errors.items()}
    noise = np.sqrt(_applied(op, squares, {name: array**2 for name, array in constants.items()}, constants))
    drift = _applied(op, drifts, {name: np.abs(array) for name, array in constants.items()}, constants)
    return SamplingError(noise=noise, drift=drift)


def _applied(op: Any, parts: Numbers, sizes: Numbers, whole: Numbers) -> NDArray:
    """Return the op of the operands' parts, its weights replaced by their sizes; ``whole``: the constants."""
    if isinstance(op, (core.Affine, core.SparseAffine, core.Conv)):
        weight = op.values if isinstance(op, core.SparseAffine) else op.weight
        held = {op.x: parts[op.x.name], weight: sizes[weight.name]}
        if isinstance(op, core.SparseAffine):
            held |= {op.columns: whole[op.columns.name], op.offsets: whole[op.offsets.name]}
        if op.bias is not None:
            held[op.bias] = np.zeros(op.bias.shape)
        return evaluate(op, held)[0]
    if type(op) in MOVES or isinstance(op, core.Concat):
        return evaluate(op, {x: parts.get(x.name, np.zeros(x.shape)) for x in op.inputs})[0]
    total = np.zeros(op.results[0].shape)
    for name, value in op.operand_values:
        if value.name in parts:
            total = total + _factor(op, name, sizes) * parts[value.name]
    return total


def _factor(op: Any, name: str, sizes: Numbers) -> Any:
    """Return the size of what an elementwise linear op multiplies an operand by."""
    if isinstance(op, core.Mul):
        return sizes[op.inputs[name == "a"].name]
    if isinstance(op, core.Div):
        return 1 / sizes[op.inputs[1].name]
    return sizes[op.s.name] if isinstance(op, spiking.Scale) else 1.0
