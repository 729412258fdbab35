"""How far values can be off, element by element, when others are: errors in magnitude through the ops of a graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.dialects import core, spiking, thermo
from thermoc.ir.ops import STATEFUL, Op
from thermoc.ir.places import MOVES
from thermoc.ir.reference import evaluate
from thermoc.passes.analysis.sampling_error import SamplingError, through

Numbers = Mapping[str, NDArray]
Rule = Callable[[Any, dict[str, NDArray], Numbers], NDArray | None]


def carried(op: Op, errors: Mapping[str, NDArray | None], constants: Numbers) -> NDArray | None:
    """Return the largest error of an op's first result, from those of its operands by value name; None is unbounded.

    What is not in ``errors`` is exact. constants: the graph's, by value name.
    """
    error, widest = _carried(op, errors, constants), width(op)
    if widest is None:
        return error
    whole = np.full(op.results[0].shape, widest)
    return whole if error is None else np.minimum(error, whole)


def width(op: Op) -> float | None:
    """Return how far apart any two results of an op can be, None where that has no limit."""
    if isinstance(op, core.Tanh | core.Sin | core.Cos | core.Sign):
        return 2.0
    if isinstance(op, thermo.SampleBinary):
        return 2.0 if op.levels == "spin" else 1.0
    return 1.0 if isinstance(op, thermo.Boltzmann | thermo.FermiDirac | thermo.SampleCategorical) else None


def _carried(op: Op, errors: Mapping[str, NDArray | None], constants: Numbers) -> NDArray | None:
    held = {value.name: errors[value.name] for value in op.inputs if value.name in errors}
    if any(error is None for error in held.values()):
        return None
    given = {name: error for name, error in held.items() if error is not None and error.any()}
    if not given:
        return np.zeros(op.results[0].shape)
    rule = None if STATEFUL in op.traits else RULES.get(type(op))
    return None if rule is None else rule(op, given, constants)


def linear(op: Any, given: dict[str, NDArray], constants: Numbers) -> NDArray | None:
    """An op linear in what is off, its other operands constants."""
    sums = isinstance(op, core.Add | core.Sub)
    if not sums and any(v.name not in given and v.name not in constants for v in op.inputs):
        return None
    by_itself = op.inputs[-1].name in given and not (isinstance(op, core.Mul) and op.inputs[0].name not in given)
    if isinstance(op, core.Mul | core.Div | spiking.Scale) and by_itself:
        return None
    if isinstance(op, core.Affine | core.SparseAffine | core.Conv) and set(given) != {op.x.name}:
        return None
    parts = {name: SamplingError(noise=np.zeros_like(error), drift=error) for name, error in given.items()}
    return np.broadcast_to(through(op, parts, constants).drift, op.results[0].shape)


def matmul(op: core.Matmul, given: dict[str, NDArray], constants: Numbers) -> NDArray | None:
    """A product with a constant matrix."""
    a, b = op.a.name, op.b.name
    if a in given and b in constants and b not in given:
        return given[a] @ np.abs(constants[b])
    return np.abs(constants[a]) @ given[b] if a in constants and a not in given else None


def _same(op: Any, given: dict[str, NDArray], constants: Numbers) -> NDArray | None:
    """An op that moves, sums or picks elements: what it does to numbers >= 0 it does to their errors."""
    zeros = {value: given.get(value.name, np.zeros(value.shape)) for value in op.inputs}
    if isinstance(op, core.Reduce | core.Pool) and op.kind not in ("sum", "mean", "max", "min"):
        return None
    if isinstance(op, core.Reduce | core.Pool) and op.kind == "min":
        op = op.with_(kind="max")  # the least is off by no more than the element that is off most
    return evaluate(op, zeros)[0]


def _largest(op: Any, given: dict[str, NDArray], constants: Numbers) -> NDArray | None:
    """An op that picks one of its operands, element by element."""
    if isinstance(op, core.Select) and op.condition.name in given:
        return None
    errors = [np.broadcast_to(error, op.results[0].shape) for error in given.values()]
    return np.maximum.reduce(errors)


def _steep(slope: float) -> Rule:
    """An elementwise op that changes by no more than ``slope`` times its operand."""
    return lambda op, given, constants: slope * given[op.inputs[0].name]


def _relu(op: Any, given: dict[str, NDArray], constants: Numbers) -> NDArray:
    return np.broadcast_to(sum(given.values()), op.y.shape)  # type: ignore[arg-type]


def _of_temperature(slope: float) -> Rule:
    """An activation whose slope is at most ``slope`` / T, at a constant temperature."""

    def rule(op: Any, given: dict[str, NDArray], constants: Numbers) -> NDArray | None:
        if set(given) != {op.x.name} or op.T.name not in constants:
            return None
        error = given[op.x.name]
        if isinstance(op, thermo.Boltzmann):
            error = np.broadcast_to(error.max(axis=-1, keepdims=True), error.shape)
        return np.broadcast_to(slope / constants[op.T.name].min() * error, op.results[0].shape)

    return rule


_LINEAR = (core.Affine, core.SparseAffine, core.Conv, core.Neg, core.Add, core.Sub, core.Mul, core.Div, spiking.Scale)
RULES: dict[type[Op], Rule] = {
    **dict.fromkeys(_LINEAR, linear),
    **dict.fromkeys((*MOVES, core.Concat, core.Pool, core.Reduce), _same),
    **dict.fromkeys((core.Maximum, core.Minimum, core.Select), _largest),
    **dict.fromkeys((core.Abs, core.Tanh, core.Sin, core.Cos), _steep(1.0)),
    core.Matmul: matmul,
    thermo.ThermalRelu: _relu,
    thermo.FermiDirac: _of_temperature(0.25),
    thermo.Boltzmann: _of_temperature(0.5),
    thermo.MaxwellBoltzmann: _of_temperature(0.67),
}
