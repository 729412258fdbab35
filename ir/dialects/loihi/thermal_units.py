"""Loihi's units with a temperature: p-bits, categorical units, probabilities, memories, relaxations, heat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from thermoc.ir.dialects.loihi.ranges import DECAY, LIMIT, between, known_shape, range_problems
from thermoc.ir.ops import (
    STATEFUL,
    STOCHASTIC,
    Op,
    Problem,
    ShapeProblem,
    at_least_one,
    attr,
    non_negative,
    one_of,
    op,
    operand,
    result,
)
from thermoc.ir.types import DType, Role, Shape
from thermoc.ir.values import Value
from thermoc.support.array_types import AnyArray


@op("loihi.fermi_dirac")
class LoihiFermiDirac(Op):
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

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        # A temperature is > 0 here too: 1 is the least step.
        yield from range_problems(self, numbers, T=(1, 2**24 - 1), bias=(-LIMIT, LIMIT), turn=(0, self.turns - 1))
        yield from range_problems(self, numbers, initial=(-1 if self.levels == "spin" else 0, 1))

    def states(self) -> dict[str, Shape]:
        return {"s": known_shape(self.s)}

    def state_ranges(self) -> dict[str, tuple[int, int]]:
        return {"s": (-1 if self.levels == "spin" else 0, 1)}


@op("loihi.categorical")
class LoihiCategorical(Op):
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

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        yield from range_problems(self, numbers, T=(1, 2**24 - 1), bias=(-LIMIT, LIMIT))

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        if 0 in shapes["a"]:
            raise ShapeProblem("there must be a unit to choose", f"a has shape {list(shapes['a'])}")
        return {"s": shapes["a"]}


@op("loihi.boltzmann")
class LoihiBoltzmann(Op):
    """p_i = (w_i << fraction) / sum w over the last axis, rounded to the nearest: probabilities of energies a (P5).

    w = 2^-(v / 4096) of 23 fractional bits, by a table of 4,096 entries and a shift; v = D 1512775 / T rounded down, D
    how far a + bias is above the least of its row. So p is within ln 2 / 16384 + n 2^-23 + 2^-(fraction + 1) of the
    Boltzmann law of a and T. T is 24 bits, 8 of them fractional, in units of a, at least 1. Before its lag it says
    ``initial``.
    """

    a: Value = operand("*s n", kind="int")
    T: Value = operand("~t", kind="int")
    bias: Value = operand("~t", kind="int", uniform=True, constant=True, default=0)
    initial: Value = operand("~t", kind="int", uniform=True, constant=True, default=0)
    fraction: int = attr(default=15, check=between(1, 22))  # a probability of 1 has 24 bits, one of them its sign
    lag: int = attr(default=0, check=non_negative)
    p: Value = result("*s n", dtype=DType.i32)

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        yield from range_problems(self, numbers, T=(1, 2**24 - 1), bias=(-LIMIT, LIMIT), initial=(-LIMIT, LIMIT))

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        if 0 in shapes["a"]:
            raise ShapeProblem("there must be a unit that is probable", f"a has shape {list(shapes['a'])}")
        return {"p": shapes["a"]}


@op("loihi.memory")
class LoihiMemory(Op):
    """m' = clip(sgn(m) (|m| (4096 - dm) >> 12) + (a gain >> 12) + (sigma z >> 12)): an Ornstein-Uhlenbeck unit (P25).

    m(t) is the state at the start of the tick. z has 12 fractional bits, Box-Muller in integers: z = R C >> 12,
    R = isqrt(2 E << 12), E = ln(2^33 / A) of word 0, at least 1, C = rint(4096 cos(2 pi (j + 1/2) / 1024)), j the
    first ten bits of word 2. clip is to +-(2^23 - 1).
    """

    a: Value = operand("*s", kind="int")
    sigma: Value = operand("~s", kind="int")
    gain: int = attr(default=4096, check=between(0, 2**17 - 1))
    dm: int = attr(default=0, check=DECAY)
    initial: Value = operand("~s", kind="int", uniform=True, constant=True, default=0)
    lag: int = attr(default=0, check=non_negative)
    stream: int = attr(check=non_negative)
    m: Value = result("*s", dtype=DType.i32)

    traits: ClassVar = frozenset({STATEFUL, STOCHASTIC})
    instant: ClassVar = ("initial",)

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        yield from range_problems(self, numbers, sigma=(0, LIMIT), initial=(-LIMIT, LIMIT))

    def states(self) -> dict[str, Shape]:
        return {"m": known_shape(self.m)}

    def state_ranges(self) -> dict[str, tuple[int, int]]:
        return {"m": (-LIMIT, LIMIT)}


@op("loihi.relaxation")
class LoihiRelaxation(Op):
    """x' = clip(x - floor(x loss / 2^(24 + shift)) + (a << lift) + (sigma z << spread)), a state of 48 bits (P23, P29).

    x = (m << 24) + rest: 24 bits of whole steps, which are sent as they are at the start of the tick, and 24 below
    them, so that a slow decay loses nothing to rounding. loss and shift are a mantissa and an exponent for each unit:
    with the noise of ``loihi.memory`` it is a mode of an Ornstein-Uhlenbeck network; without, a temperature that
    falls by a ratio a tick (loss) or by a difference (a). sigma is in units of 2^(spread - 12) steps of m. clip is to
    [floor, 2^23 - 1] steps, without a rest at either end.

    It moves at the end of ticks lag + every - 1, lag + 2 every - 1, ...; the noise of a move is that of its number.
    """

    a: Value = operand("*s", kind="int")
    sigma: Value = operand("~s", kind="int", default=0)
    loss: Value = operand("~s", kind="int", uniform=True, constant=True, default=0)
    shift: Value = operand("~s", kind="int", uniform=True, constant=True, default=0)
    initial: Value = operand("~s", kind="int", uniform=True, constant=True, default=0)
    initial_rest: Value = operand("~s", kind="int", uniform=True, constant=True, default=0)
    lift: int = attr(default=24, check=between(0, 31))
    spread: int = attr(default=12, check=between(0, 23))
    floor: int = attr(default=-LIMIT, check=between(-LIMIT, LIMIT))
    every: int = attr(default=1, check=at_least_one)
    lag: int = attr(default=0, check=non_negative)
    stream: int = attr(check=non_negative)
    m: Value = result("*s", dtype=DType.i32)

    traits: ClassVar = frozenset({STATEFUL, STOCHASTIC})
    instant: ClassVar = ("initial",)

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        ends, rest = (self.floor, LIMIT), (0, 2**24 - 1)
        yield from range_problems(self, numbers, sigma=(0, LIMIT), loss=(0, 2**24), shift=(0, 63))
        yield from range_problems(self, numbers, initial=ends, initial_rest=rest)

    def states(self) -> dict[str, Shape]:
        return {"m": known_shape(self.m), "rest": known_shape(self.m)}

    def state_ranges(self) -> dict[str, tuple[int, int]]:
        return {"m": (self.floor, LIMIT), "rest": (0, 2**24 - 1)}


@op("loihi.heat")
class LoihiHeat(Op):
    """T' = clip(T - sgn(D) (|D| loss >> 12) + (heat gain >> 12)), D = T - ambient: a temperature (P17).

    T(t) is the state at the start of the tick; 24 bits unsigned, 8 of them fractional, at least ``floor``. So a loss of
    1 / 4096 a tick still moves a temperature of 16.
    """

    heat: Value = operand("*s", kind="int")
    ambient: Value = operand("~s", kind="int", uniform=True, constant=True, default=256)
    initial: Value = operand("~s", kind="int", uniform=True, constant=True, default=256)
    loss: int = attr(default=0, check=DECAY)
    gain: int = attr(default=4096, check=between(0, 2**17 - 1))
    floor: int = attr(default=1, check=between(1, 2**24 - 1))
    lag: int = attr(default=0, check=non_negative)
    T: Value = result("*s", role=Role.temperature, dtype=DType.i32)

    traits: ClassVar = frozenset({STATEFUL})
    instant: ClassVar = ("initial",)

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        yield from range_problems(self, numbers, ambient=(1, 2**24 - 1), initial=(1, 2**24 - 1))

    def states(self) -> dict[str, Shape]:
        return {"T": known_shape(self.T)}

    def state_ranges(self) -> dict[str, tuple[int, int]]:
        return {"T": (1, 2**24 - 1)}


@op("loihi.heat_node")
class LoihiHeatNode(Op):
    """A node of a thermal network that keeps every quantum of heat: T' = clip(T + d), rest' = x - d capacity (P17).

    x = rest + heat, d = floor(x / capacity). A node holds capacity T + rest quanta, and loses none of them, whatever
    arrives, as long as T stays within +-(2^23 - 1). So a network whose synapses take from one node what they give
    another keeps its heat to the last bit: weights w_ij = w_ji of the temperatures, and -sum_j w_ij of the node's own.

    T is what it is after the tick: it meets its neighbours' a synapse later. It moves in ticks lag + every, lag + 2
    every, ..., and lets pass what arrives in others; before, it says ``initial``.
    """

    heat: Value = operand("*s", kind="int")
    capacity: Value = operand("~s", kind="int", uniform=True, constant=True, default=1)
    initial: Value = operand("~s", kind="int", uniform=True, constant=True, default=0)
    initial_rest: Value = operand("~s", kind="int", uniform=True, constant=True, default=0)
    every: int = attr(default=1, check=at_least_one)
    lag: int = attr(default=0, check=non_negative)
    T: Value = result("*s", role=Role.temperature, dtype=DType.i32)

    traits: ClassVar = frozenset({STATEFUL})

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        yield from range_problems(self, numbers, capacity=(1, LIMIT), initial=(-LIMIT, LIMIT))
        yield from range_problems(self, numbers, initial_rest=(0, LIMIT))

    def states(self) -> dict[str, Shape]:
        return {"T": known_shape(self.T), "rest": known_shape(self.T)}

    def state_ranges(self) -> dict[str, tuple[int, int]]:
        return {"T": (-LIMIT, LIMIT), "rest": (0, LIMIT)}
