"""Error bounds: how far values can be off, element by element, when others are, through the ops of a graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from thermoc.ir.dialects import core, devices, heat, langevin, sampling, spiking, thermo
from thermoc.ir.element_indices import MOVES
from thermoc.ir.op_table import OpTable
from thermoc.ir.ops import GENTLE, STATEFUL, STEEP, STOCHASTIC, Op
from thermoc.ir.reference import evaluate
from thermoc.passes.analysis.linearity import Numbers, linear_in
from thermoc.passes.analysis.sampling_error import SamplingError, through
from thermoc.support.array_types import FloatArray

Errors = dict[str, FloatArray]
Carry = Callable[[Any, Errors, Numbers], FloatArray | None]
"""(op, errors > 0 of its operands by value name, constants) -> the largest error of its result, None without bound."""


@dataclass(frozen=True, kw_only=True)
class ErrorRule:
    """How an op carries errors, and how far apart any two of its results can be; None where there is no bound."""

    carry: Carry | None = None
    width: Callable[[Any], float] | None = None


def carried(op: Op, errors: Mapping[str, FloatArray | None], constants: Numbers) -> FloatArray | None:
    """Return the largest error of an op's first result, from those of its operands by value name; None is unbounded.

    What is not in ``errors`` is exact. constants: the graph's, by value name. Errors: T220 for an unknown op.
    """
    of_operands = {value.name: errors[value.name] for value in op.inputs if value.name in errors}
    inexact = {name: error for name, error in of_operands.items() if error is not None and error.any()}
    bounded = all(error is not None for error in of_operands.values())
    if bounded and not inexact:
        return np.zeros(op.results[0].shape)
    rule = ERRORS.find(op) or ErrorRule()
    error = rule.carry(op, inexact, constants) if bounded and rule.carry is not None else None
    if rule.width is None:
        return error
    widest = np.full(op.results[0].shape, rule.width(op))
    return widest if error is None else np.minimum(error, widest)


def _linear(op: Op, inexact: Errors, constants: Numbers) -> FloatArray | None:
    if not linear_in(op, inexact, constants):
        return None
    errors = {name: SamplingError(noise=np.zeros_like(error), drift=error) for name, error in inexact.items()}
    return np.broadcast_to(through(op, errors, constants).drift, op.results[0].shape)


def _matmul(op: core.Matmul, inexact: Errors, constants: Numbers) -> FloatArray | None:
    """A product with a constant matrix."""
    a, b = op.a.name, op.b.name
    if a in inexact and b in constants and b not in inexact:
        return inexact[a] @ np.abs(constants[b])
    return np.abs(constants[a]) @ inexact[b] if a in constants and a not in inexact else None


def _as_values(op: Op, inexact: Errors, constants: Numbers) -> FloatArray | None:
    """An op that moves, sums or picks elements: what it does to numbers >= 0 it does to their errors."""
    errors = {value: inexact.get(value.name, np.zeros(value.shape)) for value in op.inputs}
    if isinstance(op, core.Reduce | core.Pool):
        if op.kind not in ("sum", "mean", "max", "min"):
            return None
        if op.kind == "min":
            op = op.with_(kind="max")  # the least is off by no more than the element that is off most
    return evaluate(op, errors)[0]


def _picked(op: Any, inexact: Errors, constants: Numbers) -> FloatArray | None:
    """An op that picks one of its operands, element by element."""
    # A condition that is off may pick the other operand, however far away that is.
    if isinstance(op, core.Select) and op.condition.name in inexact:
        return None
    errors = [np.broadcast_to(error, op.results[0].shape) for error in inexact.values()]
    return np.maximum.reduce(errors)


def _steep(slope: float) -> Carry:
    """Return the rule of an elementwise op that changes by no more than ``slope`` times its operand."""
    return lambda op, inexact, constants: slope * inexact[op.inputs[0].name]


def _relu(op: thermo.ThermalRelu, inexact: Errors, constants: Numbers) -> FloatArray:
    return np.broadcast_to(np.asarray(sum(inexact.values())), op.y.shape)


STEEPNESS: dict[type[Op], float] = {
    thermo.FermiDirac: 0.25,
    thermo.Boltzmann: 0.5,
    thermo.MaxwellBoltzmann: 0.67,
}
"""The largest slope of an activation, times its temperature: of p (1 - p) twice, of the derivative of P8."""


def _at_temperature(op: Any, inexact: Errors, constants: Numbers) -> FloatArray | None:
    """An activation whose slope is at most its steepness / T, at a constant temperature."""
    if set(inexact) != {op.x.name} or op.T.name not in constants:
        return None
    error = inexact[op.x.name]
    if isinstance(op, thermo.Boltzmann):
        # Units of a group share its sum, so each moves with the drive that is off most.
        error = np.broadcast_to(error.max(axis=-1, keepdims=True), error.shape)
    return np.broadcast_to(STEEPNESS[type(op)] / constants[op.T.name].min() * error, op.results[0].shape)


def _spread(width: float) -> Callable[[Op], float]:
    return lambda op: width


def _spin_or_bit(op: thermo.SampleBinary) -> float:
    return 2.0 if op.levels == "spin" else 1.0


_LINEAR = (core.Affine, core.SparseAffine, core.Conv, core.Neg, core.Add, core.Sub, core.Mul, core.Div, spiking.Scale)
_TURNS = (
    *(core.Floor, core.Cast, core.Less, core.LessEqual, core.Greater, core.GreaterEqual, core.Equal),
    *(core.And, core.Or, core.Not, spiking.Threshold),
)
_SUMS = (
    *(thermo.Observables, thermo.OrderParameter, heat.EntropyProduction, heat.Clamp, langevin.KineticEnergy),
    *(langevin.PairForce, langevin.BondForce, sampling.IsingEnergy, devices.DeviceStep),
)
ERRORS: OpTable[ErrorRule] = OpTable(
    what="a rule for errors",
    name="errors",
    where="thermoc/passes/analysis/error_bounds.py (ERRORS)",
    entries={
        **dict.fromkeys(_LINEAR, ErrorRule(carry=_linear)),
        **dict.fromkeys((*MOVES, core.Concat, core.Pool, core.Reduce), ErrorRule(carry=_as_values)),
        **dict.fromkeys((core.Maximum, core.Minimum, core.Select), ErrorRule(carry=_picked)),
        **dict.fromkeys((core.Tanh, core.Sin, core.Cos), ErrorRule(carry=_steep(1.0), width=_spread(2.0))),
        core.Sign: ErrorRule(width=_spread(2.0)),
        core.Matmul: ErrorRule(carry=_matmul),
        thermo.ThermalRelu: ErrorRule(carry=_relu),
        thermo.FermiDirac: ErrorRule(carry=_at_temperature, width=_spread(1.0)),
        thermo.Boltzmann: ErrorRule(carry=_at_temperature, width=_spread(1.0)),
        thermo.MaxwellBoltzmann: ErrorRule(carry=_at_temperature),
        thermo.SampleBinary: ErrorRule(width=_spin_or_bit),
        thermo.SampleCategorical: ErrorRule(width=_spread(1.0)),
    },
    refused={
        STATEFUL: "what it keeps gathers errors",
        STOCHASTIC: "its noise decides what an error does",
        "loihi": "integers of Loihi have bounds of their own (passes.loihi.error_bounds)",
        "crossbar": "a product on crossbars has a bound of its own (passes.crossbar)",
        STEEP: "its slope has no bound",
        **dict.fromkeys(_TURNS, "the least error may turn its answer"),
        **dict.fromkeys(_SUMS, "its bound would follow from how large its operands are, which is not asked here"),
        **dict.fromkeys(
            (core.Input, core.Constant, core.Parameter, core.Tick, core.Output, core.Probe), "it is an end of the graph"
        ),
        thermo.Schedule: "it follows the clock, which is exact",
    },
    follows={GENTLE: ErrorRule(carry=_steep(1.0))},
)
"""Ops by what errors in their operands do to their results."""
