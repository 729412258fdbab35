"""Range arithmetic op by op: how ranges of the operands of an op without state become the range of its result.

``interval_states`` has the ops with states or several results. Bounds may be infinite. Truth values lie in [0, 1].
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from thermoc.ir.dialects import core, langevin, sampling, spiking, thermo
from thermoc.ir.ops import RISING, Op
from thermoc.ir.reference import evaluate
from thermoc.ir.values import Value
from thermoc.support.array_types import BoolArray, FloatArray

FARTHEST_NORMAL = 8.58
"""Box and Muller's normal of a uniform of at least 2^-53: sqrt(2 ln 2^53) = 8.572."""
MOST_TURNS = 1e8
"""Beyond so many radians a sine is anywhere."""


class Range(NamedTuple):
    """The least and the largest each element can be, arrays of the value's shape."""

    low: FloatArray
    high: FloatArray


def _value(op: Op, arrays: list[FloatArray]) -> FloatArray:
    """Return what an op makes of numbers; of infinite whole numbers it cannot."""
    typed: dict[Value, FloatArray] = {}
    for value, array in zip(op.inputs, arrays):
        # A cast of an infinite end to a whole number would give an arbitrary one.
        if not value.dtype.is_float and not np.isfinite(array).all():
            return np.full(op.results[0].shape, np.nan)
        typed[value] = np.asarray(array).astype(value.dtype.numpy)
    with np.errstate(all="ignore"):
        return evaluate(op, typed)[0].astype(float)


def rising(op: Op, *operands: Range) -> Range:
    """An op that does not fall with any operand."""
    return Range(_value(op, [x.low for x in operands]), _value(op, [x.high for x in operands]))


def between(low: float, high: float) -> Callable[..., Range]:
    """Return the rule of an op whose result lies between two numbers whatever goes in."""

    def rule(op: Op, *operands: Range, **named: Range) -> Range:
        shape = op.results[0].shape
        return Range(np.full(shape, low), np.full(shape, high))

    return rule


def like(op: Op, interval: Range) -> Range:
    """Return a range spread to the shape of an op's first result."""
    shape = op.results[0].shape
    return Range(np.broadcast_to(interval.low, shape), np.broadcast_to(interval.high, shape))


def hull(*intervals: Range) -> Range:
    """Return the least range that holds all of these."""
    return Range(
        np.minimum.reduce(np.broadcast_arrays(*(x.low for x in intervals))),
        np.maximum.reduce(np.broadcast_arrays(*(x.high for x in intervals))),
    )


def corners(corners: list[FloatArray]) -> Range:
    """Return the range of corner values; 0 times infinity is 0, for elements are finite."""
    finite = np.broadcast_arrays(*(np.where(np.isnan(corner), 0.0, corner) for corner in corners))
    return Range(np.minimum.reduce(finite), np.maximum.reduce(finite))


def _unbounded(op: Op) -> Range:
    return between(-np.inf, np.inf)(op)


# ------------------------------------------------------------------------------------------------- arithmetic


def _negative(op: Op, x: Range) -> Range:
    return Range(-x.high, -x.low)


def _difference(op: Op, a: Range, b: Range) -> Range:
    return Range(a.low - b.high, a.high - b.low)


def _product(op: Any, a: Range, b: Range) -> Range:
    # x x is never below 0, which the corners of two independent factors would not show.
    if isinstance(op, core.Mul) and op.inputs[0] is op.inputs[-1]:  # a square
        return square(a)
    return corners([x * y for x in a for y in b])


def square(x: Range) -> Range:
    """Return the range of x^2."""
    size = size_of(x)
    return Range(size.low**2, size.high**2)


def size_of(x: Range) -> Range:
    """Return the range of |x|."""
    low, high = np.abs(x.low), np.abs(x.high)
    return Range(np.where((x.low <= 0) & (x.high >= 0), 0.0, np.minimum(low, high)), np.maximum(low, high))


def _absolute(op: Op, x: Range) -> Range:
    return size_of(x)


def _quotient(op: Op, a: Range, b: Range) -> Range:
    """Unbounded where the divisor may be 0."""
    quotient, zero = corners([x / y for x in a for y in b]), (b.low <= 0) & (b.high >= 0)
    return Range(np.where(zero, -np.inf, quotient.low), np.where(zero, np.inf, quotient.high))


def _power(op: Op, a: Range, b: Range) -> Range:
    """a^b for a >= 0 at the corners; for a below 0, whole constant exponents, even ones of |a|."""
    size, fixed = size_of(a), (b.low == b.high) & (b.low == np.rint(b.low))
    even = fixed & (np.mod(np.where(np.isfinite(b.low), b.low, 0.0), 2) == 0)
    base = Range(np.where(even, size.low, a.low), np.where(even, size.high, a.high))
    corners = [x**y for x in base for y in b]
    low, high = np.minimum.reduce(corners), np.maximum.reduce(corners)
    reaches_one = (b.low <= 0) & (b.high >= 0)  # a^0 = 1 lies within, whatever a is
    low, high = np.where(reaches_one, np.minimum(low, 1.0), low), np.where(reaches_one, np.maximum(high, 1.0), high)
    odd = fixed & ~even & (b.low > 0)
    defined = ((base.low > 0) | ((base.low == 0) & (b.low >= 0)) | odd) & ~np.isnan(low) & ~np.isnan(high)
    return Range(np.where(defined, low, -np.inf), np.where(defined, high, np.inf))


def _root(op: Op, x: Range) -> Range:
    """Numbers below 0 have none, so that what is left lies above."""
    return Range(np.sqrt(np.maximum(x.low, 0.0)), np.sqrt(np.maximum(x.high, 0.0)))


def _logarithm(op: Op, x: Range) -> Range:
    return Range(np.log(np.maximum(x.low, 0.0)), np.log(np.maximum(x.high, 0.0)))


def _wave(crest: float) -> Callable[..., Range]:
    """Return the rule of a sine of period 2 pi with a crest there."""

    def rule(op: Op, x: Range) -> Range:
        ends = [_value(op, [end]) for end in x]
        low, high = np.minimum(*ends), np.maximum(*ends)
        # Beyond so many turns float64 no longer says where in its period an end lies.
        wide = ~(np.abs(x.low) < MOST_TURNS) | ~(np.abs(x.high) < MOST_TURNS)
        reaches = [_holds(x, crest + shift) | wide for shift in (math.pi, 0.0)]
        return Range(np.where(reaches[0], -1.0, low), np.where(reaches[1], 1.0, high))

    return rule


def _holds(x: Range, place: float) -> BoolArray:
    """Whether a range holds a place plus a whole number of turns."""
    period = 2 * math.pi
    return place + period * np.ceil((x.low - place) / period) <= x.high


# ----------------------------------------------------------------------------------------- truth and choice


Test = Callable[[Range, Range], BoolArray]


def _before(certain: Test, possible: Test) -> Callable[..., Range]:
    """Return the rule of a comparison from when it surely holds and when it may."""

    def rule(op: Op, a: Range, b: Range) -> Range:
        shape = op.results[0].shape
        low, high = (np.broadcast_to(test(a, b), shape).astype(float) for test in (certain, possible))
        return Range(low, high)

    return rule


def _select(op: Op, condition: Range, a: Range, b: Range) -> Range:
    either = hull(a, b)
    yes, no = condition.low >= 1, condition.high <= 0
    return like(op, Range(*(np.where(yes, x, np.where(no, y, z)) for x, y, z in zip(a, b, either))))


def _not(op: Op, x: Range) -> Range:
    return Range(1 - x.high, 1 - x.low)


def _cast(op: core.Cast, x: Range) -> Range:
    """Whole numbers are cut towards zero; to truth, 0 is false."""
    if op.dtype.numpy == np.bool_:
        size = size_of(x)
        return Range((size.low > 0).astype(float), (size.high > 0).astype(float))
    return x if op.dtype.is_float else Range(np.trunc(x.low), np.trunc(x.high))


def _reduce(op: core.Reduce, x: Range) -> Range:
    if op.kind.startswith("arg"):
        return between(0.0, float(op.x.shape[op.axes[0]] - 1))(op)
    return rising(op, x)


# ------------------------------------------------------------------------------------------------ linear maps


def _weighted(op: Any, *operands: Range) -> Range | None:
    """A linear map: middles go through it, half-widths through magnitudes. y = (Wc +- Wr)(xc +- xr) + (bc +- br)."""
    intervals = dict(zip((name for name, _ in op.operand_values), operands))
    weight = "values" if "values" in intervals else "weight"
    # Indices that vary make another map, of which nothing is known.
    fixed = {name: x.low for name, x in intervals.items() if name not in ("x", weight, "bias")}
    if any((intervals[name].high != x).any() for name, x in fixed.items()):
        return None
    x, wild = intervals["x"], _infinite(intervals["x"])
    # Infinite ends are taken out, for 0 times infinity is no number, and come back where a weight touches them.
    x = Range(np.where(wild, 0.0, x.low), np.where(wild, 0.0, x.high))
    W, b = (_middle(intervals[name]) if name in intervals else None for name in (weight, "bias"))
    (xc, xr), (Wc, Wr) = _middle(x), W or (np.zeros(()),) * 2

    def through(w: FloatArray, v: FloatArray, bias: int | None) -> FloatArray:
        arrays = fixed | {"x": v, weight: w}
        if b is not None:
            arrays["bias"] = np.zeros_like(b[0]) if bias is None else b[bias]
        return _value(op, [arrays[name] for name in intervals])

    centre = through(Wc, xc, 0)
    # Where weights vary too the product of both half-widths comes on top: hence |xc| + xr.
    spread = through(np.abs(Wc), xr, 1) + (through(Wr, np.abs(xc) + xr, None) if Wr.any() else 0.0)
    touched = through((np.abs(Wc) + Wr > 0).astype(float), wild.astype(float), None) > 0
    spread = np.where(touched, np.inf, spread)
    return Range(centre - spread, centre + spread)


def _matmul(op: Op, a: Range, b: Range) -> Range:
    if _infinite(a).any() or _infinite(b).any():  # a sum over an axis mixes them with the others
        return _unbounded(op)
    (ac, ar), (bc, br) = _middle(a), _middle(b)
    centre, spread = ac @ bc, np.abs(ac) @ br + ar @ np.abs(bc) + ar @ br
    return Range(centre - spread, centre + spread)


def _middle(x: Range) -> tuple[FloatArray, FloatArray]:
    """Return middle and half-width."""
    return (x.low + x.high) / 2, (x.high - x.low) / 2


def _infinite(x: Range) -> BoolArray:
    return ~(np.isfinite(x.low) & np.isfinite(x.high))


# ---------------------------------------------------------------------------------------------- thermal units


def _relu(op: Op, x: Range, T: Range) -> Range:
    return Range(np.maximum(x.low - T.high, 0), np.maximum(x.high - T.low, 0))


def _maxwell_boltzmann(op: Any, x: Range, T: Range) -> Range:
    """At most its value at x^2 = 2 T: sqrt(8 / pi) / (e sqrt(T))."""
    top = np.where(T.low > 0, math.sqrt(8 / math.pi) / math.e / np.sqrt(np.maximum(T.low, 0.0)), np.inf)
    return like(op, Range(np.zeros(()), top))


def levels(op: Any, *operands: Range, **named: Range) -> Range:
    """A binary unit: {0, 1} or {-1, +1}."""
    return between(-1.0 if op.levels == "spin" else 0.0, 1.0)(op)


def _ising(op: Any, *operands: Range) -> Range:
    """|E| is at most the sum of |J| |s| |s| / 2 and |h| |s|."""
    intervals = dict(zip((name for name, _ in op.operand_values), operands))
    size = {name: size_of(x).high for name, x in intervals.items()}
    largest = size["s"].max(initial=0.0)
    pairs = size["J" if "J" in size else "values"].sum() * largest**2 / 2
    top = pairs + (np.broadcast_to(size["h"], size["s"].shape) * size["s"]).sum()
    return Range(np.asarray(-top), np.asarray(top))


def _kinetic(op: Any, v: Range, mass: Range) -> Range:
    energies = corners([x * y / 2 for x in square(v) for y in mass])
    return Range(np.asarray(energies.low.sum()), np.asarray(energies.high.sum()))


_equal = _before(
    lambda a, b: (a.low == a.high) & (b.low == b.high) & (a.low == b.low),
    lambda a, b: (a.low <= b.high) & (b.low <= a.high),
)


def _at_most_its_start(op: thermo.Schedule) -> Range:
    return between(op.T_min, max(op.T_min, op.T0))(op)


RULES: dict[type[Op], Callable[..., Range | None]] = {
    **dict.fromkeys(
        (*(core.Reshape, core.Flatten, core.Transpose, core.Broadcast, core.Slice, core.Concat, core.Pool),),
        rising,
    ),
    core.Neg: _negative,
    core.Abs: _absolute,
    core.Sub: _difference,
    core.Mul: _product,
    core.Div: _quotient,
    core.Pow: _power,
    core.Sqrt: _root,
    core.Log: _logarithm,
    core.Sin: _wave(math.pi / 2),
    core.Cos: _wave(0.0),
    core.Less: _before(lambda a, b: a.high < b.low, lambda a, b: a.low < b.high),
    core.LessEqual: _before(lambda a, b: a.high <= b.low, lambda a, b: a.low <= b.high),
    core.Greater: _before(lambda a, b: a.low > b.high, lambda a, b: a.high > b.low),
    core.GreaterEqual: _before(lambda a, b: a.low >= b.high, lambda a, b: a.high >= b.low),
    core.Equal: _equal,
    core.Not: _not,
    core.Select: _select,
    core.Cast: _cast,
    core.Reduce: _reduce,
    core.Tick: between(0.0, np.inf),
    core.Affine: _weighted,
    core.Conv: _weighted,
    core.SparseAffine: _weighted,
    core.Matmul: _matmul,
    spiking.Scale: _product,
    spiking.Threshold: between(0.0, 1.0),
    thermo.ThermalRelu: _relu,
    thermo.MaxwellBoltzmann: _maxwell_boltzmann,
    thermo.FermiDirac: between(0.0, 1.0),
    thermo.Boltzmann: between(0.0, 1.0),
    thermo.Normal: between(-FARTHEST_NORMAL, FARTHEST_NORMAL),
    thermo.Uniform: between(0.0, 1.0),
    thermo.SampleBinary: levels,
    thermo.SampleCategorical: between(0.0, 1.0),
    thermo.OrderParameter: between(0.0, 1.0),
    thermo.Schedule: _at_most_its_start,
    sampling.GibbsSweeps: levels,
    sampling.IsingEnergy: _ising,
    langevin.KineticEnergy: _kinetic,
}
"""Rules of ops with one result and no state, which take the ranges of the operands in order."""


def rule_of(cls: type[Op]) -> Callable[..., Range | None] | None:
    """Return the rule of a kind of ops: its own, or ``rising`` where it has the trait RISING."""
    return RULES.get(cls, rising if RISING in cls.traits else None)
