"""Loihi's deterministic units: LIF, graded thresholds, tables, sums and differences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from thermoc.ir.dialects.loihi.ranges import LIMIT, TRUTH, between, known_shape, range_problems, threshold_problems
from thermoc.ir.ops import COMPOUND, STATEFUL, Op, Problem, attr, non_negative, one_of, op, operand, result
from thermoc.ir.types import DType, Role, Shape
from thermoc.ir.values import Value
from thermoc.support.array_types import AnyArray


@op("loihi.lif")
class LoihiLif(Op):
    """u' = wrap(sgn(u) (|u| (4095 - du) >> 12) + (a << 6)); v' = clip(sgn(v) (|v| (4096 - dv) >> 12) + u' + bias).

    bias = bias_mant << bias_exp. wrap is modulo 2^24 into (-2^23, 2^23]; clip is to +-(2^23 - 1). A spike where
    v' > vth << 6 (compare: >=), then v' = 0 (reset "subtract": v' - (vth << 6)). v and u are those after the reset.
    du = 4095 keeps no current; du = -1 would keep all of it and Loihi has not, dv = 0 keeps all of v.
    """

    a: Value = operand("*s", kind="int")
    bias_mant: Value = operand("~s", kind="int", uniform=True, constant=True, default=0)
    v_initial: Value = operand("~s", kind="int", uniform=True, constant=True, default=0)
    u_initial: Value = operand("~s", kind="int", uniform=True, constant=True, default=0)
    du: int = attr(default=4095, check=between(0, 4095))
    dv: int = attr(default=4095, check=between(0, 4096))
    vth: int = attr(default=1, check=between(0, 2**17 - 1))
    bias_exp: int = attr(default=0, check=between(0, 7))
    compare: str = attr(default="greater", check=one_of("greater", "greater_equal"))
    reset: str = attr(default="zero", check=one_of("zero", "subtract"))
    lag: int = attr(default=0, check=non_negative)
    s: Value = result("*s", role=Role.spike, dtype=DType.i32)
    v: Value = result("*s", dtype=DType.i32)
    u: Value = result("*s", dtype=DType.i32)

    traits: ClassVar = frozenset({STATEFUL})

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        states = (-LIMIT, LIMIT)
        # The mantissa has 13 bits with its sign; its exponent is an attribute.
        yield from range_problems(self, numbers, bias_mant=(-4096, 4095), v_initial=states, u_initial=states)

    def states(self) -> dict[str, Shape]:
        return {"u": known_shape(self.u), "v": known_shape(self.v)}

    def state_ranges(self) -> dict[str, tuple[int, int]]:
        return {"u": (-LIMIT, LIMIT + 1), "v": (-LIMIT, LIMIT)}


@op("loihi.graded")
class LoihiGraded(Op):
    """y = z where z > vth (rule relu) or |z| > vth (rule abs), else 0; z = (a + bias) >> shift, clipped to 24 bits.

    With bias 0 and shift 0 these are Lava's GradedReluVec and GradedVec. It has no state.
    """

    a: Value = operand("*s", kind="int")
    bias: Value = operand("~s", kind="int", uniform=True, constant=True, default=0)
    vth: int = attr(default=0, check=between(0, LIMIT))
    shift: int = attr(default=0, check=between(0, 23))
    rule: str = attr(default="relu", check=one_of("relu", "abs"))
    y: Value = result("*s", dtype=DType.i32)

    traits: ClassVar = frozenset({COMPOUND})

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        yield from range_problems(self, numbers, bias=(-LIMIT, LIMIT))


@op("loihi.lut")
class LoihiLut(Op):
    """y = table[i], i = ((a + bias) >> shift) + k // 2 clipped to [0, k): any activation, by a table of k entries."""

    a: Value = operand("*s", kind="int")
    table: Value = operand("k", kind="int", uniform=True, constant=True)
    bias: Value = operand("~s", kind="int", uniform=True, constant=True, default=0)
    shift: int = attr(default=0, check=between(0, 31))
    y: Value = result("*s", dtype=DType.i32)

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        yield from range_problems(self, numbers, bias=(-LIMIT, LIMIT), table=(-LIMIT, LIMIT))
        if "table" in numbers and not numbers["table"].size:
            yield Problem("T105", "table must hold at least one entry")


@op("loihi.sigma")
class LoihiSigma(Op):
    """sigma' = sigma + a, returned: what a chain of differences adds up to."""

    a: Value = operand("*s", kind="int")
    y: Value = result("*s", dtype=DType.i32)

    traits: ClassVar = frozenset({STATEFUL})

    def states(self) -> dict[str, Shape]:
        return {"sigma": known_shape(self.y)}


@op("loihi.delta")
class LoihiDelta(Op):
    """Send the change of x once it reaches vth: x' = x << (spike_exp + state_exp), d = x' - x'(t - 1) + residue.

    s = d where |d| >= vth << (spike_exp + state_exp), else 0; residue' = d - s; y = s >> state_exp. cum_error:
    the errors sum up, error' = error + d, and it is |error'| that is compared; a unit that sends sets it to 0.
    Every sum wraps at 32 bits, and so |-2^31| is -2^31.
    """

    x: Value = operand("*s", kind="int")
    vth: int = attr(default=0, check=between(0, LIMIT))
    spike_exp: int = attr(default=0, check=between(0, 7))
    state_exp: int = attr(default=0, check=between(0, 7))
    cum_error: bool = attr(default=False, check=TRUTH)
    y: Value = result("*s", dtype=DType.i32)

    traits: ClassVar = frozenset({STATEFUL})

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        yield from threshold_problems(self)

    def states(self) -> dict[str, Shape]:
        return dict.fromkeys(("act", "residue", "error"), known_shape(self.y))


@op("loihi.sigma_delta")
class LoihiSigmaDelta(Op):
    """sigma' = sigma + a; act' = f(sigma' + (bias << (spike_exp + state_exp))); then ``loihi.delta`` of act'.

    f: the identity (unit) or max(., 0) (relu). Here a and act are in the state's scale already: neither is shifted.
    """

    a: Value = operand("*s", kind="int")
    bias: Value = operand("~s", kind="int", uniform=True, constant=True, default=0)
    vth: int = attr(default=0, check=between(0, LIMIT))
    activation: str = attr(default="relu", check=one_of("unit", "relu"))
    spike_exp: int = attr(default=0, check=between(0, 7))
    state_exp: int = attr(default=0, check=between(0, 7))
    cum_error: bool = attr(default=False, check=TRUTH)
    y: Value = result("*s", dtype=DType.i32)

    traits: ClassVar = frozenset({STATEFUL})

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        yield from range_problems(self, numbers, bias=(-LIMIT, LIMIT))
        yield from threshold_problems(self)

    def states(self) -> dict[str, Shape]:
        return dict.fromkeys(("sigma", "act", "residue", "error"), known_shape(self.y))
