"""The borders between host and Loihi: numbers become messages, and messages numbers."""

from __future__ import annotations

from typing import ClassVar

from thermoc.ir.dialects.loihi.ranges import between
from thermoc.ir.ops import COMPOUND, Op, at_least_one, attr, non_negative, one_of, op, operand, positive, result
from thermoc.ir.types import DType
from thermoc.ir.values import Value


@op("loihi.encode")
class LoihiEncode(Op):
    """y = rint(x scale), halves to even, clipped to +-(2^(bits - 1) - 1): numbers become messages. On the host.

    Loihi sees network tick t's y in its ticks t every + lag and the every - 1 that follow, and 0 before its tick
    ``lag``.
    """

    x: Value = operand("*s")
    scale: float = attr(default=1.0, check=positive)
    bits: int = attr(default=24, check=between(2, 24))
    lag: int = attr(default=0, check=non_negative)
    every: int = attr(default=1, check=at_least_one)
    y: Value = result("*s", dtype=DType.i32)

    traits: ClassVar = frozenset({COMPOUND})


@op("loihi.decode")
class LoihiDecode(Op):
    """y = x / scale in float64, rounded to ``dtype``: integers become numbers. On the host.

    The network's tick t reads x in Loihi's tick t every + lag.
    """

    x: Value = operand("*s", kind="int")
    scale: float = attr(default=1.0, check=positive)
    lag: int = attr(default=0, check=non_negative)
    every: int = attr(default=1, check=at_least_one)
    dtype: DType = attr(default=DType.f64, check=one_of("f64", "f32"))
    y: Value = result("*s")

    traits: ClassVar = frozenset({COMPOUND})
