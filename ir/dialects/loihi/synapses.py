"""Loihi's synapses: dense, sparse and convolutional, with a latency of one tick; and the dendrite where they meet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from thermoc.ir.dialects.loihi.ranges import (
    EXPONENT,
    LONGEST_DELAY,
    MESSAGE_BITS,
    SIGN,
    WEIGHT_BITS,
    between,
    known_shape,
    range_problems,
    weight_problems,
)
from thermoc.ir.ops import (
    COMPOUND,
    STATEFUL,
    Op,
    Problem,
    ShapeProblem,
    all_positive,
    at_least_one,
    attr,
    op,
    operand,
    operands,
    pairs,
    result,
)
from thermoc.ir.types import DType, Shape
from thermoc.ir.values import Value
from thermoc.ir.windows import Pairs, per_axis, windowed
from thermoc.support.array_types import AnyArray


@op("loihi.dense")
class LoihiDense(Op):
    """y(t) = (W x(t - 1)) << weight_exp, 0 in the first tick; a floor shift where weight_exp < 0.

    message_bits = 0: every x but 0 counts as 1. delays (0 to 63) make x(t - 1 - delay), connection by connection;
    the shift is taken of the sum over connections of one delay. weight_range says what a weight may be.
    """

    x: Value = operand("n", kind="int")
    weight: Value = operand("m n", kind="int", uniform=True, constant=True)
    delays: Value | None = operand("m n", kind="int", optional=True, uniform=True, constant=True)
    weight_exp: int = attr(default=0, check=EXPONENT)
    weight_bits: int = attr(default=8, check=WEIGHT_BITS)
    sign_mode: str = attr(default="mixed", check=SIGN)
    message_bits: int = attr(default=0, check=MESSAGE_BITS)
    longest: int = attr(default=0, check=between(0, LONGEST_DELAY))
    """No delay is above this; the buffer holds longest + 1 ticks."""
    y: Value = result("m", dtype=DType.i32)

    traits: ClassVar = frozenset({STATEFUL})
    # What a synapse sends it received in the tick before, so a cycle may close through it.
    instant: ClassVar = ()

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        yield from weight_problems(self, "weight", numbers)
        yield from range_problems(self, numbers, delays=(0, self.longest))

    def states(self) -> dict[str, Shape]:
        return {"buffer": (self.longest + 1, *known_shape(self.y))}


@op("loihi.sparse")
class LoihiSparse(Op):
    """``loihi.dense`` with W in compressed rows: row i holds entries offsets[i] to offsets[i + 1]."""

    x: Value = operand("n", kind="int")
    values: Value = operand("z", kind="int", uniform=True, constant=True)
    columns: Value = operand("z", kind="index", uniform=True, constant=True)
    offsets: Value = operand("k", kind="index", uniform=True, constant=True)
    delays: Value | None = operand("z", kind="int", optional=True, uniform=True, constant=True)
    weight_exp: int = attr(default=0, check=EXPONENT)
    weight_bits: int = attr(default=8, check=WEIGHT_BITS)
    sign_mode: str = attr(default="mixed", check=SIGN)
    message_bits: int = attr(default=0, check=MESSAGE_BITS)
    longest: int = attr(default=0, check=between(0, LONGEST_DELAY))
    y: Value = result("m", dtype=DType.i32)

    traits: ClassVar = frozenset({STATEFUL})
    instant: ClassVar = ()

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        if shapes["offsets"][0] < 1:
            raise ShapeProblem("offsets must hold at least one element", "offsets has length 0")
        return {"y": (shapes["offsets"][0] - 1,)}

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        yield from weight_problems(self, "values", numbers)
        yield from range_problems(self, numbers, delays=(0, self.longest))
        # Before types are inferred any column may be right.
        units = self.x.type.shape[0] if self.x.type is not None else 2**31
        yield from range_problems(self, numbers, columns=(0, units - 1))
        offsets, values = numbers.get("offsets"), numbers.get("values")
        if offsets is None or values is None:
            return
        if offsets[0] != 0 or offsets[-1] != len(values) or (np.diff(offsets) < 0).any():
            yield Problem("T105", f"offsets must rise from 0 to {len(values)}")

    def states(self) -> dict[str, Shape]:
        return {"buffer": (self.longest + 1, *known_shape(self.y))}


@op("loihi.conv")
class LoihiConv(Op):
    """y(t) = wrap24(conv(x(t - 1)) << weight_exp): x (in, height, width), weight (out, in / groups, *window).

    The cross-correlation of ``core.conv``; wrap24 is modulo 2^24 into [-2^23, 2^23). message_bits is that of
    ``loihi.dense``.
    """

    x: Value = operand("c *s", kind="int")
    weight: Value = operand("o d *w", kind="int", uniform=True, constant=True)
    stride: tuple[int, ...] = attr(default=None, check=all_positive)
    padding: Pairs = attr(default=None, check=pairs)
    dilation: tuple[int, ...] = attr(default=None, check=all_positive)
    groups: int = attr(default=1, check=at_least_one)
    weight_exp: int = attr(default=0, check=EXPONENT)
    weight_bits: int = attr(default=8, check=WEIGHT_BITS)
    sign_mode: str = attr(default="mixed", check=SIGN)
    message_bits: int = attr(default=0, check=MESSAGE_BITS)
    y: Value = result("*t", dtype=DType.i32)

    traits: ClassVar = frozenset({STATEFUL})
    instant: ClassVar = ()

    @classmethod
    def complete(cls, attrs: dict[str, Any], shapes: dict[str, Any]) -> dict[str, Any]:
        """Stride and dilation 1, no padding; one number serves every axis, and both ends of it."""
        return per_axis({"stride": 1, "dilation": 1, "padding": 0} | attrs, len(shapes["x"]) - 1)

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        x, weight = shapes["x"], shapes["weight"]
        # Lava's Conv has two space axes: other ranks are refused.
        if len(x) != 3 or len(weight) != 4:
            notes = (f"x has shape {list(x)}", f"weight has shape {list(weight)}")
            raise ShapeProblem("two space axes are needed", *notes)
        if x[0] != weight[1] * self.groups or weight[0] % self.groups:
            raise ShapeProblem(
                "channels do not fit the groups",
                f"x has {x[0]} channels",
                f"weight is for {weight[1]} x {self.groups} groups and gives {weight[0]}",
            )
        return {"y": (weight[0], *windowed(x[1:], weight[2:], self.stride, self.padding, self.dilation))}

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        yield from weight_problems(self, "weight", numbers)

    def states(self) -> dict[str, Shape]:
        return {"buffer": known_shape(self.y)}


@op("loihi.dendrite")
class LoihiDendrite(Op):
    """y = x0 + x1 + ...: what several synapses send to one population adds up."""

    x: tuple[Value, ...] = operands("*s", kind="int")
    y: Value = result("*s", dtype=DType.i32)

    traits: ClassVar = frozenset({COMPOUND})
