"""Loihi 2's integer arithmetic: synapses, units, and the two borders between numbers and integers.

Every value is an integer of at most 32 bits, kept as i32: a sum beyond them wraps. A ``>>`` is a floor shift;
``sgn(x) (|x| k >> n)`` truncates towards nought, as the chip's decays do. The facts of the stock units were measured
against lava-nc 0.10.0.

Synapses (``dense``, ``sparse``, ``conv``) have a latency of one tick: what they send in tick t was received in
t - 1, so a network may be recurrent through any of them. Activations that reach one dendrite are added by
``dendrite``. Units act within their tick.

lag: a unit with lag n stands still and silent, in its initial state, while tick < n, and the noise of tick t is
that of tick t - n. So a network whose synapses delay it still draws what it would have drawn without them. A p-bit is
not silent meanwhile: it says its initial level, which its neighbours read.

lag and every of the borders say how the chip's ticks lie to the network's: ``ir.host_device`` runs a graph by them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.ops import (
    COMPOUND,
    STATEFUL,
    STOCHASTIC,
    Check,
    Op,
    Problem,
    ShapeProblem,
    all_positive,
    at_least_one,
    attr,
    non_negative,
    one_of,
    op,
    operand,
    operands,
    pairs,
    positive,
    result,
)
from thermoc.ir.types import DType, Role, Shape
from thermoc.ir.values import Value
from thermoc.ir.windows import Pairs, per_axis, windowed

LIMIT = 2**23 - 1
"""The largest state of 24 bits."""
LONGEST_DELAY = 63


def _between(low: int, high: int) -> Check:
    return Check(f"an integer from {low} to {high}", lambda value: type(value) is int and low <= value <= high)


_DECAY = _between(0, 4096)
_EXPONENT = _between(-8, 7)
_SIGN = one_of("mixed", "excitatory", "inhibitory")
_WEIGHT_BITS = _between(1, 8)
_MESSAGE_BITS = _between(0, 24)
_TRUTH = Check("True or False", lambda value: type(value) is bool)


def weight_range(sign_mode: str, weight_bits: int) -> tuple[int, int, int]:
    """Return (least, greatest, step) of a weight: mixed signs give one bit away, so 8 bits are even in [-256, 254]."""
    step = 2 ** (8 - weight_bits + (sign_mode == "mixed"))
    top = 256 - step
    return {"mixed": (-256, top, step), "excitatory": (0, top, step), "inhibitory": (-top, 0, step)}[sign_mode]


def _weight_problems(op: Any, name: str, numbers: Mapping[str, NDArray]) -> Iterator[Problem]:
    weights = numbers.get(name)
    if weights is None or not weights.size:
        return
    low, high, step = weight_range(op.sign_mode, op.weight_bits)
    wrong = (weights < low) | (weights > high) | (weights % step != 0)
    if wrong.any():
        first = tuple(int(i) for i in np.argwhere(wrong)[0])
        yield Problem(
            "T105",
            f"{int(wrong.sum())} weights are not among those of {op.weight_bits} bits, {op.sign_mode} signs",
            (
                f"{name}[{', '.join(map(str, first))}] = {int(weights[first])}",
                f"these are {low} to {high} in steps of {step}",
            ),
            "scale the weights, or choose another sign_mode, weight_bits or weight_exp",
        )


def _range_problems(op: Any, numbers: Mapping[str, NDArray], **ranges: tuple[int, int]) -> Iterator[Problem]:
    """What lies outside its range; for delays it is ``longest`` that can be changed."""
    for name, (low, high) in ranges.items():
        held = numbers.get(name)
        if held is None or not held.size:
            continue
        wrong = (held < low) | (held > high)
        if wrong.any():
            first = tuple(int(i) for i in np.argwhere(wrong)[0])
            place = f"[{', '.join(map(str, first))}]" if first else ""
            notes = (f"{name}{place} = {int(held[first])}", f"it must be {low} to {high}")
            hint = f"longest says how many there may be, up to {LONGEST_DELAY}" if name == "delays" else ""
            yield Problem("T105", f"{name} is out of range", notes, hint)


def _threshold_problems(op: Any) -> Iterator[Problem]:
    if op.vth << (op.spike_exp + op.state_exp) >= 2**31:
        notes = (f"vth << (spike_exp + state_exp) = {op.vth << (op.spike_exp + op.state_exp)}", "it must be below 2^31")
        yield Problem("T105", "the threshold does not fit its state", notes)


def _shape(value: Value) -> Shape:
    return value.type.shape if value.type is not None else ()


# ------------------------------------------------------------------------------------------------------- borders


@op("loihi.encode")
class Encode(Op):
    """y = rint(x scale), halves to even, clipped to +-(2^(bits - 1) - 1): numbers become messages. On the host.

    The chip sees network tick t's y in its ticks t every + lag and the every - 1 that follow, and 0 before its tick
    ``lag``.
    """

    x: Value = operand("*s")
    scale: float = attr(default=1.0, check=positive)
    bits: int = attr(default=24, check=_between(2, 24))
    lag: int = attr(default=0, check=non_negative)
    every: int = attr(default=1, check=at_least_one)
    y: Value = result("*s", dtype=DType.i32)

    traits: ClassVar = frozenset({COMPOUND})


@op("loihi.decode")
class Decode(Op):
    """y = x / scale in float64, rounded to ``dtype``: integers become numbers. On the host.

    The network's tick t reads x in the chip's tick t every + lag.
    """

    x: Value = operand("*s", kind="int")
    scale: float = attr(default=1.0, check=positive)
    lag: int = attr(default=0, check=non_negative)
    every: int = attr(default=1, check=at_least_one)
    dtype: DType = attr(default=DType.f64, check=one_of("f64", "f32"))
    y: Value = result("*s")

    traits: ClassVar = frozenset({COMPOUND})


# ------------------------------------------------------------------------------------------------------ synapses


@op("loihi.dense")
class Dense(Op):
    """y(t) = (W x(t - 1)) << weight_exp, 0 in the first tick; a floor shift where weight_exp < 0.

    message_bits = 0: every x but 0 counts as 1. delays (0 to 63) make x(t - 1 - delay), connection by connection;
    the shift is taken of the sum over connections of one delay. weight_range says what a weight may be.
    """

    x: Value = operand("n", kind="int")
    weight: Value = operand("m n", kind="int", uniform=True, constant=True)
    delays: Value | None = operand("m n", kind="int", optional=True, uniform=True, constant=True)
    weight_exp: int = attr(default=0, check=_EXPONENT)
    weight_bits: int = attr(default=8, check=_WEIGHT_BITS)
    sign_mode: str = attr(default="mixed", check=_SIGN)
    message_bits: int = attr(default=0, check=_MESSAGE_BITS)
    longest: int = attr(default=0, check=_between(0, LONGEST_DELAY))
    """No delay is above this; the buffer holds longest + 1 ticks."""
    y: Value = result("m", dtype=DType.i32)

    traits: ClassVar = frozenset({STATEFUL})
    instant: ClassVar = ()

    def problems(self, numbers: Mapping[str, NDArray]) -> Iterator[Problem]:
        yield from _weight_problems(self, "weight", numbers)
        yield from _range_problems(self, numbers, delays=(0, self.longest))

    def states(self) -> dict[str, Shape]:
        return {"buffer": (self.longest + 1, *_shape(self.y))}


@op("loihi.sparse")
class Sparse(Op):
    """``loihi.dense`` with W in compressed rows: row i holds entries offsets[i] to offsets[i + 1]."""

    x: Value = operand("n", kind="int")
    values: Value = operand("z", kind="int", uniform=True, constant=True)
    columns: Value = operand("z", kind="int", uniform=True, constant=True)
    offsets: Value = operand("k", kind="int", uniform=True, constant=True)
    delays: Value | None = operand("z", kind="int", optional=True, uniform=True, constant=True)
    weight_exp: int = attr(default=0, check=_EXPONENT)
    weight_bits: int = attr(default=8, check=_WEIGHT_BITS)
    sign_mode: str = attr(default="mixed", check=_SIGN)
    message_bits: int = attr(default=0, check=_MESSAGE_BITS)
    longest: int = attr(default=0, check=_between(0, LONGEST_DELAY))
    y: Value = result("m", dtype=DType.i32)

    traits: ClassVar = frozenset({STATEFUL})
    instant: ClassVar = ()

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        if shapes["offsets"][0] < 1:
            raise ShapeProblem("offsets must hold at least one element", "offsets has length 0")
        return {"y": (shapes["offsets"][0] - 1,)}

    def problems(self, numbers: Mapping[str, NDArray]) -> Iterator[Problem]:
        yield from _weight_problems(self, "values", numbers)
        yield from _range_problems(self, numbers, delays=(0, self.longest))
        units = self.x.type.shape[0] if self.x.type is not None else 2**31
        yield from _range_problems(self, numbers, columns=(0, units - 1))
        offsets, values = numbers.get("offsets"), numbers.get("values")
        if offsets is None or values is None:
            return
        if offsets[0] != 0 or offsets[-1] != len(values) or (np.diff(offsets) < 0).any():
            yield Problem("T105", f"offsets must rise from 0 to {len(values)}")

    def states(self) -> dict[str, Shape]:
        return {"buffer": (self.longest + 1, *_shape(self.y))}


@op("loihi.conv")
class Conv(Op):
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
    weight_exp: int = attr(default=0, check=_EXPONENT)
    weight_bits: int = attr(default=8, check=_WEIGHT_BITS)
    sign_mode: str = attr(default="mixed", check=_SIGN)
    message_bits: int = attr(default=0, check=_MESSAGE_BITS)
    y: Value = result("*t", dtype=DType.i32)

    traits: ClassVar = frozenset({STATEFUL})
    instant: ClassVar = ()

    @classmethod
    def complete(cls, attrs: dict[str, Any], shapes: dict[str, Any]) -> dict[str, Any]:
        """Stride and dilation 1, no padding; one number serves every axis, and both ends of it."""
        return per_axis({"stride": 1, "dilation": 1, "padding": 0} | attrs, len(shapes["x"]) - 1)

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        x, weight = shapes["x"], shapes["weight"]
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

    def problems(self, numbers: Mapping[str, NDArray]) -> Iterator[Problem]:
        yield from _weight_problems(self, "weight", numbers)

    def states(self) -> dict[str, Shape]:
        return {"buffer": _shape(self.y)}


@op("loihi.dendrite")
class Dendrite(Op):
    """y = x0 + x1 + ...: what several synapses send to one population adds up."""

    x: tuple[Value, ...] = operands("*s", kind="int")
    y: Value = result("*s", dtype=DType.i32)

    traits: ClassVar = frozenset({COMPOUND})


# --------------------------------------------------------------------------------------------------------- units


@op("loihi.lif")
class Lif(Op):
    """u' = wrap(sgn(u) (|u| (4095 - du) >> 12) + (a << 6)); v' = clip(sgn(v) (|v| (4096 - dv) >> 12) + u' + bias).

    bias = bias_mant << bias_exp. wrap is modulo 2^24 into (-2^23, 2^23]; clip is to +-(2^23 - 1). A spike where
    v' > vth << 6 (compare: >=), then v' = 0 (reset "subtract": v' - (vth << 6)). v and u are given after the reset.
    du = 4095 keeps no current; du = -1 would keep all of it and is not on the chip, dv = 0 keeps all of v.
    """

    a: Value = operand("*s", kind="int")
    bias_mant: Value = operand("~s", kind="int", uniform=True, constant=True, default=0)
    v_initial: Value = operand("~s", kind="int", uniform=True, constant=True, default=0)
    u_initial: Value = operand("~s", kind="int", uniform=True, constant=True, default=0)
    du: int = attr(default=4095, check=_between(0, 4095))
    dv: int = attr(default=4095, check=_between(0, 4096))
    vth: int = attr(default=1, check=_between(0, 2**17 - 1))
    bias_exp: int = attr(default=0, check=_between(0, 7))
    compare: str = attr(default="greater", check=one_of("greater", "greater_equal"))
    reset: str = attr(default="zero", check=one_of("zero", "subtract"))
    lag: int = attr(default=0, check=non_negative)
    s: Value = result("*s", role=Role.spike, dtype=DType.i32)
    v: Value = result("*s", dtype=DType.i32)
    u: Value = result("*s", dtype=DType.i32)

    traits: ClassVar = frozenset({STATEFUL})

    def problems(self, numbers: Mapping[str, NDArray]) -> Iterator[Problem]:
        states = (-LIMIT, LIMIT)
        yield from _range_problems(self, numbers, bias_mant=(-4096, 4095), v_initial=states, u_initial=states)

    def states(self) -> dict[str, Shape]:
        return {"u": _shape(self.u), "v": _shape(self.v)}


@op("loihi.graded")
class Graded(Op):
    """y = z where z > vth (rule relu) or |z| > vth (rule abs), else 0; z = (a + bias) >> shift, clipped to 24 bits.

    With bias 0 and shift 0 these are Lava's GradedReluVec and GradedVec. It keeps nothing from tick to tick.
    """

    a: Value = operand("*s", kind="int")
    bias: Value = operand("~s", kind="int", uniform=True, constant=True, default=0)
    vth: int = attr(default=0, check=_between(0, LIMIT))
    shift: int = attr(default=0, check=_between(0, 23))
    rule: str = attr(default="relu", check=one_of("relu", "abs"))
    y: Value = result("*s", dtype=DType.i32)

    traits: ClassVar = frozenset({COMPOUND})

    def problems(self, numbers: Mapping[str, NDArray]) -> Iterator[Problem]:
        yield from _range_problems(self, numbers, bias=(-LIMIT, LIMIT))


@op("loihi.lut")
class Lut(Op):
    """y = table[i], i = ((a + bias) >> shift) + k // 2 clipped to [0, k): any activation, by a table of k entries."""

    a: Value = operand("*s", kind="int")
    table: Value = operand("k", kind="int", uniform=True, constant=True)
    bias: Value = operand("~s", kind="int", uniform=True, constant=True, default=0)
    shift: int = attr(default=0, check=_between(0, 31))
    y: Value = result("*s", dtype=DType.i32)

    def problems(self, numbers: Mapping[str, NDArray]) -> Iterator[Problem]:
        yield from _range_problems(self, numbers, bias=(-LIMIT, LIMIT), table=(-LIMIT, LIMIT))
        if "table" in numbers and not numbers["table"].size:
            yield Problem("T105", "table must hold at least one entry")


@op("loihi.sigma")
class Sigma(Op):
    """sigma' = sigma + a, handed out: what a chain of differences adds up to."""

    a: Value = operand("*s", kind="int")
    y: Value = result("*s", dtype=DType.i32)

    traits: ClassVar = frozenset({STATEFUL})

    def states(self) -> dict[str, Shape]:
        return {"sigma": _shape(self.y)}


@op("loihi.delta")
class Delta(Op):
    """Send the change of x once it reaches vth: x' = x << (spike_exp + state_exp), d = x' - x'(t - 1) + residue.

    s = d where |d| >= vth << (spike_exp + state_exp), else 0; residue' = d - s; y = s >> state_exp. cum_error:
    the errors sum up, error' = error + d, and it is |error'| that is compared; a unit that sends sets it to 0.
    Every sum wraps at 32 bits, and so |-2^31| is -2^31.
    """

    x: Value = operand("*s", kind="int")
    vth: int = attr(default=0, check=_between(0, LIMIT))
    spike_exp: int = attr(default=0, check=_between(0, 7))
    state_exp: int = attr(default=0, check=_between(0, 7))
    cum_error: bool = attr(default=False, check=_TRUTH)
    y: Value = result("*s", dtype=DType.i32)

    traits: ClassVar = frozenset({STATEFUL})

    def problems(self, numbers: Mapping[str, NDArray]) -> Iterator[Problem]:
        yield from _threshold_problems(self)

    def states(self) -> dict[str, Shape]:
        return dict.fromkeys(("act", "residue", "error"), _shape(self.y))


@op("loihi.sigma_delta")
class SigmaDelta(Op):
    """sigma' = sigma + a; act' = f(sigma' + (bias << (spike_exp + state_exp))); then ``loihi.delta`` of act'.

    f: the identity (unit) or max(., 0) (relu). Here a and act are in the state's scale already: neither is shifted.
    """

    a: Value = operand("*s", kind="int")
    bias: Value = operand("~s", kind="int", uniform=True, constant=True, default=0)
    vth: int = attr(default=0, check=_between(0, LIMIT))
    activation: str = attr(default="relu", check=one_of("unit", "relu"))
    spike_exp: int = attr(default=0, check=_between(0, 7))
    state_exp: int = attr(default=0, check=_between(0, 7))
    cum_error: bool = attr(default=False, check=_TRUTH)
    y: Value = result("*s", dtype=DType.i32)

    traits: ClassVar = frozenset({STATEFUL})

    def problems(self, numbers: Mapping[str, NDArray]) -> Iterator[Problem]:
        yield from _range_problems(self, numbers, bias=(-LIMIT, LIMIT))
        yield from _threshold_problems(self)

    def states(self) -> dict[str, Shape]:
        return dict.fromkeys(("sigma", "act", "residue", "error"), _shape(self.y))


# ------------------------------------------------------------------------------------------------ stochastic units


@op("loihi.fermi_dirac")
class FermiDirac(Op):
    """A p-bit: up where a + bias > (T L) >> 20, L the integer logit of a Philox word with 12 fractional bits (P6).

    L = sgn(d) (|d| 45426 >> 16), d = lg(A) - lg(2^33 - A), A = 2 w + 1; lg by counting leading zeros and a parabola:
    lg(A) = (e << 12) + m + (1408 m (4096 - m) >> 24), e = floor(log2 A), m = floor(2^12 (A / 2^e - 1)). |L / 2^12 -
    logit((w + 1/2) / 2^32)| <= 0.0115. T is 24 bits, 8 of them fractional, in units of a.

    turns: in tick t only units whose turn is (t - lag) mod turns decide; the others stay what they were, and s is
    every unit's present level. The noise is word 0 of the block of tick (t - lag) // (turns sweeps), draw ((t -
    lag) // turns) mod sweeps: the one ``thermo.gibbs`` draws. levels: up is 1, down 0 (binary) or -1 (spin).
    """

    a: Value = operand("*s", kind="int")
    T: Value = operand("~s", kind="int")
    bias: Value = operand("~s", kind="int", uniform=True, constant=True, default=0)
    turn: Value = operand("~s", kind="int", uniform=True, constant=True, default=0)
    initial: Value = operand("~s", kind="int", uniform=True, constant=True, default=0)
    levels: str = attr(default="binary", check=one_of("binary", "spin"))
    turns: int = attr(default=1, check=at_least_one)
    sweeps: int = attr(default=1, check=at_least_one)
    lag: int = attr(default=0, check=non_negative)
    stream: int = attr(check=non_negative)
    s: Value = result("*s", role=Role.spike, dtype=DType.i32)

    traits: ClassVar = frozenset({STATEFUL, STOCHASTIC})

    def problems(self, numbers: Mapping[str, NDArray]) -> Iterator[Problem]:
        yield from _range_problems(self, numbers, T=(1, 2**24 - 1), bias=(-LIMIT, LIMIT), turn=(0, self.turns - 1))
        yield from _range_problems(self, numbers, initial=(-1 if self.levels == "spin" else 0, 1))

    def states(self) -> dict[str, Shape]:
        return {"s": _shape(self.s)}


@op("loihi.categorical")
class Categorical(Op):
    """One unit of the last axis is 1: the least ((a + bias) << 20) + T g, the first of equals (P5, Gumbel's maximum).

    a are energies. g = ln(-ln u) of the word's u, with 12 fractional bits and within 0.008. With A and lg as in
    ``loihi.fermi_dirac``, ln x = sgn(lg x) (|lg x| 45426 >> 16), B = 2^33 - A, q = B >> 21: where B > 2^32 it is ln E,
    E = ln(2^33 / A), at least 1; else, towards u = 1, ln(B / 2^33) + (q (2048 + (1150 q >> 12)) >> 12). T is 24 bits,
    8 of them fractional.
    """

    a: Value = operand("*s n", kind="int")
    T: Value = operand("~t", kind="int")
    bias: Value = operand("~t", kind="int", uniform=True, constant=True, default=0)
    lag: int = attr(default=0, check=non_negative)
    stream: int = attr(check=non_negative)
    s: Value = result("*s n", role=Role.spike, dtype=DType.i32)

    traits: ClassVar = frozenset({STOCHASTIC})

    def problems(self, numbers: Mapping[str, NDArray]) -> Iterator[Problem]:
        yield from _range_problems(self, numbers, T=(1, 2**24 - 1), bias=(-LIMIT, LIMIT))

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        if 0 in shapes["a"]:
            raise ShapeProblem("there must be a unit to choose", f"a has shape {list(shapes['a'])}")
        return {"s": shapes["a"]}


@op("loihi.memory")
class Memory(Op):
    """m' = clip(sgn(m) (|m| (4096 - dm) >> 12) + (a gain >> 12) + (sigma z >> 12)): an Ornstein-Uhlenbeck unit (P25).

    m(t) is the state at the start of the tick. z has 12 fractional bits, Box-Muller in integers: z = R C >> 12,
    R = isqrt(2 E << 12), E = ln(2^33 / A) of word 0, at least 1, C = rint(4096 cos(2 pi (j + 1/2) / 1024)), j the
    first ten bits of word 2. clip is to +-(2^23 - 1).
    """

    a: Value = operand("*s", kind="int")
    sigma: Value = operand("~s", kind="int")
    gain: int = attr(default=4096, check=_between(0, 2**17 - 1))
    dm: int = attr(default=0, check=_DECAY)
    initial: Value = operand("~s", kind="int", uniform=True, constant=True, default=0)
    lag: int = attr(default=0, check=non_negative)
    stream: int = attr(check=non_negative)
    m: Value = result("*s", dtype=DType.i32)

    traits: ClassVar = frozenset({STATEFUL, STOCHASTIC})
    instant: ClassVar = ("initial",)

    def problems(self, numbers: Mapping[str, NDArray]) -> Iterator[Problem]:
        yield from _range_problems(self, numbers, sigma=(0, LIMIT), initial=(-LIMIT, LIMIT))

    def states(self) -> dict[str, Shape]:
        return {"m": _shape(self.m)}


@op("loihi.heat")
class Heat(Op):
    """T' = clip(T - sgn(D) (|D| loss >> 12) + (heat gain >> 12)), D = T - ambient: a temperature (P17).

    T(t) is the state at the start of the tick; 24 bits unsigned, 8 of them fractional, at least ``floor``. So a loss of
    1 / 4096 a tick still moves a temperature of 16.
    """

    heat: Value = operand("*s", kind="int")
    ambient: Value = operand("~s", kind="int", uniform=True, constant=True, default=256)
    initial: Value = operand("~s", kind="int", uniform=True, constant=True, default=256)
    loss: int = attr(default=0, check=_DECAY)
    gain: int = attr(default=4096, check=_between(0, 2**17 - 1))
    floor: int = attr(default=1, check=_between(1, 2**24 - 1))
    lag: int = attr(default=0, check=non_negative)
    T: Value = result("*s", role=Role.temperature, dtype=DType.i32)

    traits: ClassVar = frozenset({STATEFUL})
    instant: ClassVar = ("initial",)

    def problems(self, numbers: Mapping[str, NDArray]) -> Iterator[Problem]:
        yield from _range_problems(self, numbers, ambient=(1, 2**24 - 1), initial=(1, 2**24 - 1))

    def states(self) -> dict[str, Shape]:
        return {"T": _shape(self.T)}
