"""Heat: units that exchange it, networks of capacities and conductances, diffusion, clamps, reservoirs.

Every linear part is advanced exactly. Temperatures are states: T(t) is the one at the start of the tick, and what the
tick brings enters T(t + 1); so does the heat of the ledger, which is counted from the flows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from thermoc import physics
from thermoc.ir.bounds import above_zero, not_negative
from thermoc.ir.dialects.thermo import into
from thermoc.ir.ops import (
    COMPOUND,
    CONTINUOUS,
    STATEFUL,
    STOCHASTIC,
    Check,
    Op,
    Problem,
    ShapeProblem,
    attr,
    non_negative,
    one_of,
    op,
    operand,
    positive,
    result,
)
from thermoc.ir.types import Role, Shape
from thermoc.ir.values import Value
from thermoc.support.array_types import AnyArray

at_least_zero = Check("a number >= 0", lambda value: isinstance(value, int | float) and value >= 0)


@op("thermo.heat_exchange")
class HeatExchange(Op):
    """dT_i/dt = -gamma (T_i - T_layer) + sum_j J_ij (T_j - T_i) (P3); T_layer is the mean unless given.

    J (n, n): symmetric, non-negative, numbers known when the network is compiled. Exact for T_layer and gamma constant
    over the tick.
    """

    J: Value = operand("n n", constant=True)
    initial: Value = operand("~n", role=Role.temperature, uniform=True)
    gamma: Value = operand("", default=1.0)
    T_layer: Value | None = operand("", role=Role.temperature, optional=True)
    T: Value = result("n", role=Role.temperature)

    traits: ClassVar = frozenset({STATEFUL, CONTINUOUS})
    instant: ClassVar = ("initial",)

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        n = shapes["J"][0]
        into((n,), initial=shapes["initial"])
        return {"T": (n,)}

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        yield from _coupling("J", numbers)
        yield from not_negative(numbers, "gamma", hint="gamma >= 0 draws units to T_layer")

    def states(self) -> dict[str, Shape]:
        return {"T": self.T.shape}


@op("thermo.heat_network")
class HeatNetwork(Op):
    """C_i dT_i/dt = P_i - sum_j G_ij (T_i - T_j) - g_i (T_i - T_ambient) (P17, P18).

    g_i = ambient joins i to a reservoir (P21). P_i = power + ripple sin(2 pi frequency t), t = tick * dt. power and
    T_ambient are held over the tick, for which the step is exact; so it is for the ripple. capacity (n), conductance
    (n, n) symmetric, ambient (n): numbers known when the network is compiled.

    k_B > 0 (1 in reduced units, 1.380649e-23 in SI) lets every conductance carry noise sqrt(2 k_B T_i T_j G_ij),
    opposite at its two ends (P27). T_i T_j is that of the tick's start (Ito, weak order 1); where it is the same for
    all, the law of the step is exact.

    heat: what each node gave the reservoir during the tick before, work: what its sources gave it, both counted from
    the flows: sum C dT = sum work - sum heat (P45).
    """

    power: Value = operand("~n")
    # Known beforehand, for the exact step is a set of matrices that is computed once.
    capacity: Value = operand("~n", constant=True)
    conductance: Value = operand("n n", constant=True)
    initial: Value = operand("~n", role=Role.temperature, uniform=True)
    ambient: Value = operand("~n", constant=True, default=0.0)
    T_ambient: Value = operand("~n", role=Role.temperature, default=1.0)
    ripple: Value = operand("~n", default=0.0)
    frequency: float = attr(default=0.0, check=at_least_zero, unit="1/time")
    k_B: float = attr(default=0.0, check=at_least_zero, unit="energy/temperature")
    stream: int = attr(check=non_negative)
    T: Value = result("n", role=Role.temperature)
    heat: Value = result("n", role=Role.energy)
    work: Value = result("n", role=Role.energy)

    traits: ClassVar = frozenset({STATEFUL, STOCHASTIC, CONTINUOUS})
    instant: ClassVar = ("initial",)

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        n = shapes["conductance"][0]
        into((n,), **{name: shapes[name] for name in self.operand_specs if name != "conductance"})
        return {"T": (n,), "heat": (n,), "work": (n,)}

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        yield from above_zero(numbers, "capacity", hint="a heat capacity is > 0")
        yield from _coupling("conductance", numbers)
        yield from not_negative(numbers, "ambient")
        # A network without any reservoir is closed, and right; one that is joined in part is a mistake.
        if {"conductance", "ambient"} <= numbers.keys() and (numbers["ambient"] > 0).any():
            yield from _adrift(numbers["conductance"], numbers["ambient"])
        if self.frequency == 0 and np.any(numbers.get("ripple", 0.0)):
            yield Problem("T105", "a ripple needs a frequency", ("frequency = 0",), "give frequency=, in 1/time")

    def states(self) -> dict[str, Shape]:
        shape = self.T.shape
        return {"T": shape, "heat": shape, "work": shape}


@op("thermo.diffusion")
class Diffusion(Op):
    """dT/dt = D lap T + source (P19) on a grid of cells, central differences of order 2 in the spacing; exact in time.

    boundary: insulated, periodic, or fixed at T_boundary half a cell outside. source (in T / time) and T_boundary are
    held over the tick. outflow: what left through the fixed walls during the tick before, as a sum of T over cells,
    counted from the flows: sum dT = dt sum source - outflow.
    """

    initial: Value = operand("*g", role=Role.temperature, uniform=True)
    source: Value = operand("~s", default=0.0)
    T_boundary: Value = operand("", role=Role.temperature, default=1.0)
    D: float = attr(check=positive, unit="length^2/time")
    spacing: float = attr(default=1.0, check=positive, unit="length")
    boundary: str = attr(default="insulated", check=one_of("insulated", "periodic", "fixed"))
    T: Value = result("*g", role=Role.temperature)
    outflow: Value = result("")

    traits: ClassVar = frozenset({STATEFUL, CONTINUOUS})
    instant: ClassVar = ("initial",)

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        grid = shapes["initial"]
        if not 1 <= len(grid) <= 3:
            raise ShapeProblem("a grid has one to three axes", f"initial has shape {list(grid)}")
        return {"T": into(grid, source=shapes["source"]), "outflow": ()}

    def states(self) -> dict[str, Shape]:
        return {"T": self.T.shape, "outflow": ()}


@op("thermo.entropy_production")
class EntropyProduction(Op):
    """Entropy made by conduction, sum over edges of G_ij (T_i - T_j) (1/T_j - 1/T_i) >= 0 (P30, P46).

    conductance (n, n) symmetric, T (n). S_dot is in conductance units: energy / (temperature * time).
    """

    T: Value = operand("n", role=Role.temperature)
    conductance: Value = operand("n n", constant=True)
    S_dot: Value = result("")

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        yield from _coupling("conductance", numbers)


@op("thermo.clamp")
class Clamp(Op):
    """T = min(max(x, T_min), T_max) (P22); heat = capacity (x - T) is what the clamp took away, for the ledger."""

    x: Value = operand("*s", role=Role.temperature)
    capacity: Value = operand("~s", default=1.0)
    T_min: float = attr(check=positive)
    T_max: float = attr(check=positive)
    T: Value = result("*s", role=Role.temperature)
    heat: Value = result("*s", role=Role.energy)

    traits: ClassVar = frozenset({COMPOUND})

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        yield from above_zero(numbers, "capacity", hint="a heat capacity is > 0")
        if self.T_min > self.T_max:
            yield Problem("T105", "T_min lies above T_max", (f"T_min = {self.T_min}", f"T_max = {self.T_max}"))


@op("thermo.reservoir")
class Reservoir(Op):
    """A constant temperature that takes any heat (P21). total: the heat it had taken at the start of the tick.

    heat: what it is given in the tick, of any shape, summed.
    """

    heat: Value = operand("*s")
    temperature: float = attr(check=positive)
    T: Value = result("", role=Role.temperature)
    total: Value = result("", role=Role.energy)

    traits: ClassVar = frozenset({STATEFUL})
    # Its results are those before the tick: what heats it may depend on its temperature.
    instant: ClassVar = ()

    def states(self) -> dict[str, Shape]:
        return {"total": ()}


def _adrift(G: AnyArray, ambient: AnyArray) -> Iterator[Problem]:
    """Yield a node from which nothing leads to the reservoir that others reach."""
    lonely = physics.disconnected(G, ambient)
    if lonely is not None:
        notes = (f"nothing conducts from node {lonely} to a node with ambient > 0",)
        hint = "join it, or let it be a network of its own without ambient"
        yield Problem("T105", "the reservoir is disconnected from a node", notes, hint)


def _coupling(name: str, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
    """Yield the first pair whose coupling is negative, or not the same both ways."""
    yield from not_negative(numbers, name)
    array = numbers.get(name)
    if array is None or array.shape != array.T.shape:
        return
    # Exactly, for a difference would make heat out of nothing at every tick.
    wrong = np.argwhere(array != array.T)
    if len(wrong):
        i, j = (int(k) for k in wrong[0])
        notes = (f"{name}[{i}, {j}] = {array[i, j]}", f"{name}[{j}, {i}] = {array[j, i]}")
        yield Problem("T105", f"{name} must be symmetric", notes, "heat that leaves one end enters the other")
