"""Between what each value of a feed-forward graph lies, by interval arithmetic from the range of its inputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.dialects import core, spiking, thermo
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.reference import evaluate
from thermoc.ir.types import Shape
from thermoc.ir.values import Value


class Range(NamedTuple):
    """The least and the largest each element can be, arrays of the value's shape."""

    low: NDArray
    high: NDArray


def ranges(graph: Graph, inputs: tuple[float, float]) -> Mapping[str, Range]:
    """Return the range of every value that has one by these rules, by name; inputs lie in the range given."""
    found: dict[str, Range] = {}
    for op in graph.order:
        rule = RULES.get(type(op))
        if isinstance(op, core.Constant):
            found[op.y.name] = Range(op.value.numpy, op.value.numpy)
        elif isinstance(op, core.Input):
            found[op.y.name] = Range(np.full(op.shape, inputs[0]), np.full(op.shape, inputs[1]))
        elif rule is not None and all(value.name in found for value in op.inputs):
            made = rule(op, *(found[value.name] for value in op.inputs))
            if made is not None:
                found[op.results[0].name] = made
    return found


def _rising(op: Op, *operands: Range) -> Range:
    """An op that does not fall with any operand."""
    low = _value(op, [operand.low for operand in operands])
    return Range(low, _value(op, [operand.high for operand in operands]))


def _value(op: Op, arrays: list[NDArray]) -> NDArray:
    typed = {value: array.astype(value.type.dtype.numpy) for value, array in zip(op.inputs, arrays) if value.type}
    return evaluate(op, typed)[0]


def _negative(op: Op, x: Range) -> Range:
    return Range(-x.high, -x.low)


def _difference(op: Op, a: Range, b: Range) -> Range:
    return Range(a.low - b.high, a.high - b.low)


def _product(op: Op, a: Range, b: Range) -> Range:
    corners = [x * y for x in a for y in b]
    return Range(np.minimum.reduce(corners), np.maximum.reduce(corners))


def _weighted(op: Any, x: Range, *constants: Range) -> Range | None:
    """A linear map with constant weights: the middle goes through it, half-widths through its magnitude."""
    if any((value.low != value.high).any() for value in constants):
        return None
    held = {name: value.low for (name, _), value in zip(op.operand_values, (x, *constants))}
    weight = "values" if "values" in held else "weight"
    bias = {"bias": np.zeros_like(held["bias"])} if "bias" in held else {}
    centre = _value(op, list((held | {"x": (x.low + x.high) / 2}).values()))
    spread = _value(op, list((held | bias | {"x": (x.high - x.low) / 2, weight: np.abs(held[weight])}).values()))
    return Range(centre - spread, centre + spread)


def _relu(op: Op, x: Range, T: Range) -> Range:
    return Range(np.maximum(x.low - T.high, 0), np.maximum(x.high - T.low, 0))


def _maxwell_boltzmann(op: Any, x: Range, T: Range) -> Range:
    """At most its value at x^2 = 2 T: sqrt(8 / pi) / (e sqrt(T))."""
    top = math.sqrt(8 / math.pi) / math.e / np.sqrt(T.low)
    shape = op.y.type.shape
    return Range(np.zeros(shape), np.broadcast_to(top, shape))


def _share(op: Op, *operands: Range) -> Range:
    shape = _shape(op.results[0])
    return Range(np.zeros(shape), np.ones(shape))


def _shape(value: Value) -> Shape:
    assert value.type is not None
    return value.type.shape


RULES: dict[type[Op], Callable[..., Range | None]] = {
    **dict.fromkeys(
        (
            core.Add,
            core.Maximum,
            core.Minimum,
            core.Exp,
            core.Tanh,
            core.Floor,
            core.Sign,
            core.Reshape,
            core.Flatten,
            core.Transpose,
            core.Broadcast,
            core.Slice,
            core.Concat,
            core.Pool,
        ),
        _rising,
    ),
    core.Neg: _negative,
    core.Sub: _difference,
    core.Mul: _product,
    spiking.Scale: _product,
    core.Affine: _weighted,
    core.Conv: _weighted,
    core.SparseAffine: _weighted,
    thermo.ThermalRelu: _relu,
    thermo.MaxwellBoltzmann: _maxwell_boltzmann,
    thermo.FermiDirac: _share,
    thermo.Boltzmann: _share,
}
