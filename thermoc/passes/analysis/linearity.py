"""Linear ops: through which operands an op is linear, and what it does to the magnitudes of what enters there.

The mean of spikes goes through such an op as a mean, and an error through it as an error.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from thermoc.ir.dialects import core, devices, heat, langevin, sampling, spiking, thermo
from thermoc.ir.element_indices import MOVES
from thermoc.ir.op_table import OpTable
from thermoc.ir.ops import CLOCKED, CURVED, STATEFUL, STOCHASTIC, Op
from thermoc.ir.reference import evaluate
from thermoc.support.array_types import AnyArray, FloatArray

Numbers = Mapping[str, AnyArray]
"""Arrays by the names of values."""


@dataclass(frozen=True, kw_only=True)
class Linear:
    """An op linear in its operands of any one set of ``jointly``, while the others are constants.

    magnitudes(op, sizes, weights, constants) gives the size of the result of operands of these sizes. weights: the
    sizes of the constants, or their squares where sizes are squares; constants: their values.
    """

    jointly: tuple[frozenset[str], ...]
    magnitudes: Callable[[Any, Numbers, Numbers, Numbers], FloatArray]


def linear_in(op: Op, operands: Collection[str], constants: Collection[str]) -> bool:
    """Tell whether an op is linear in values of these names, those not among them and not in its sum constants."""
    linear = LINEAR.find(op)
    if linear is None:
        return False
    varying = {operand_name(name) for name, value in op.operand_values if value.name in operands}
    inconstant = {operand_name(name) for name, value in op.operand_values if value.name not in constants}
    # Both terms of a sum may vary at once, of a product only one factor.
    return any(varying <= joint and inconstant <= joint for joint in linear.jointly)


def operand_name(name: str) -> str:
    """Return the operand of which a value is a part: xs of xs[1]."""
    return name.split("[")[0]


def _map(op: Any, sizes: Numbers, weights: Numbers, constants: Numbers) -> FloatArray:
    """A linear map: the same map with the sizes of its weights. A bias moves nothing."""
    sparse = isinstance(op, core.SparseAffine)
    weight = op.values if sparse else op.weight
    arrays = {op.x: sizes[op.x.name], weight: weights[weight.name]}
    if sparse:
        arrays |= {op.columns: constants[op.columns.name], op.offsets: constants[op.offsets.name]}
    if op.bias is not None:
        arrays[op.bias] = np.zeros(op.bias.shape)
    return evaluate(op, arrays)[0]


def _moved(op: Op, sizes: Numbers, weights: Numbers, constants: Numbers) -> FloatArray:
    return evaluate(op, {x: sizes.get(x.name, np.zeros(x.shape)) for x in op.inputs})[0]


def _weighted_sum(factor: Callable[[Any, str, Numbers], Any]) -> Callable[[Any, Numbers, Numbers, Numbers], FloatArray]:
    """Return the rule of an elementwise op that multiplies each operand by a factor."""

    def magnitudes(op: Op, sizes: Numbers, weights: Numbers, constants: Numbers) -> FloatArray:
        total = np.zeros(op.results[0].shape)
        for name, value in op.operand_values:
            if value.name in sizes:
                total = total + factor(op, name, weights) * sizes[value.name]
        return total

    return magnitudes


def _one(op: Op, name: str, weights: Numbers) -> float:
    return 1.0


def _linear(magnitudes: Callable[[Any, Numbers, Numbers, Numbers], FloatArray], *jointly: str) -> Linear:
    return Linear(jointly=tuple(frozenset(names.split()) for names in jointly), magnitudes=magnitudes)


_BENDS = "its slope changes with its operands"
_CURVED = (
    *(thermo.Boltzmann, thermo.Observables, thermo.OrderParameter, heat.EntropyProduction, heat.Clamp),
    *(langevin.KineticEnergy, langevin.PairForce, langevin.BondForce, sampling.IsingEnergy, devices.DeviceStep),
)
_DECIDES = (
    *(core.Less, core.LessEqual, core.Greater, core.GreaterEqual, core.Equal, core.And, core.Or, core.Not),
    *(core.Select, core.Cast, spiking.Threshold),
)
LINEAR: OpTable[Linear] = OpTable(
    what="the operands in which it is linear",
    name="linearity",
    where="thermoc/passes/analysis/linearity.py (LINEAR)",
    entries={
        **dict.fromkeys((core.Affine, core.SparseAffine, core.Conv), _linear(_map, "x")),
        **dict.fromkeys(MOVES, _linear(_moved, "x")),
        core.Concat: _linear(_moved, "xs"),
        core.Neg: _linear(_weighted_sum(_one), "x"),
        **dict.fromkeys((core.Add, core.Sub), _linear(_weighted_sum(_one), "a b")),
        core.Mul: _linear(_weighted_sum(lambda op, name, weights: weights[op.inputs[name == "a"].name]), "a", "b"),
        core.Div: _linear(_weighted_sum(lambda op, name, weights: 1 / weights[op.inputs[1].name]), "a"),
        spiking.Scale: _linear(_weighted_sum(lambda op, name, weights: weights[op.s.name]), "x"),
    },
    refused={
        STATEFUL: "its result depends on earlier ticks too",
        STOCHASTIC: "its result is drawn",
        CLOCKED: "its result follows the clock",
        "loihi": "integers of Loihi are rounded",
        "crossbar": "converters round",
        CURVED: _BENDS,
        **dict.fromkeys(_CURVED, _BENDS),
        **dict.fromkeys(_DECIDES, "it decides, or cuts digits off"),
        **dict.fromkeys((core.Pool, core.Reduce), "it may pick an element"),
        core.Matmul: "it multiplies two values",
        **dict.fromkeys(
            (core.Input, core.Constant, core.Parameter, core.Output, core.Probe), "it is an end of the graph"
        ),
    },
)
