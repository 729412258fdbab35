"""Units that carry energy, entropy and temperature. Temperature is an operand of each, never an attribute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from thermoc.ir.bounds import above_zero, not_negative
from thermoc.ir.ops import (
    CLOCKED,
    COMPOUND,
    CONTINUOUS,
    CURVED,
    EXACT,
    STATEFUL,
    STOCHASTIC,
    Op,
    Problem,
    ShapeProblem,
    attr,
    integers,
    non_negative,
    one_of,
    op,
    operand,
    positive,
    result,
)
from thermoc.ir.types import DType, Role, Shape
from thermoc.ir.values import Value
from thermoc.support.array_types import AnyArray

# ------------------------------------------------------------------------------------------------- activations


@op("thermo.boltzmann")
class Boltzmann(Op):
    """p_i = exp(-x_i / T) / Z over the last axis (P5): the lowest energy gets the largest probability."""

    x: Value = operand("*s n")
    T: Value = operand("~t", role=Role.temperature)
    p: Value = result("*s n", role=Role.probability)

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        return {"p": into(shapes["x"], T=shapes["T"])}


@op("thermo.fermi_dirac")
class FermiDirac(Op):
    """1 / (1 + exp((x - mu) / T)) (P6). x is an energy: a unit that switches on with drive passes -drive."""

    x: Value = operand("*s")
    T: Value = operand("~s", role=Role.temperature)
    mu: Value = operand("~s", default=0.0)
    p: Value = result("*s", role=Role.probability)

    traits: ClassVar = frozenset({COMPOUND, CURVED})


@op("thermo.thermal_relu")
class ThermalRelu(Op):
    """x - T where x > T, else 0 (P7)."""

    x: Value = operand("*s")
    T: Value = operand("~s", role=Role.temperature)
    y: Value = result("*s")

    traits: ClassVar = frozenset({COMPOUND, CURVED})


@op("thermo.maxwell_boltzmann")
class MaxwellBoltzmann(Op):
    """sqrt(2 / (pi T^3)) x^2 exp(-x^2 / (2T)) (P8), a density on x >= 0, even in x."""

    x: Value = operand("*s")
    T: Value = operand("~s", role=Role.temperature)
    y: Value = result("*s")

    traits: ClassVar = frozenset({COMPOUND, CURVED})


# ---------------------------------------------------------------------------------------------- noise and memory


@op("thermo.normal")
class Normal(Op):
    """Independent standard normals, one an element and tick: Philox block (element, tick, draw, stream)."""

    shape: Shape = attr(check=integers)
    stream: int = attr(check=non_negative)
    draw: int = attr(default=0, check=non_negative)
    dtype: DType = attr(default=DType.f64)
    z: Value = result("*s")

    traits: ClassVar = frozenset({STOCHASTIC})

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        return {"z": self.shape}


@op("thermo.uniform")
class Uniform(Op):
    """Independent uniforms in the open interval (0, 1), from the first words of the blocks of ``normal``."""

    shape: Shape = attr(check=integers)
    stream: int = attr(check=non_negative)
    draw: int = attr(default=0, check=non_negative)
    dtype: DType = attr(default=DType.f64)
    u: Value = result("*s")

    # A uniform is a whole number and a half times a power of two: exact in either format.
    traits: ClassVar = frozenset({STOCHASTIC, EXACT})

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        return {"u": self.shape}


@op("thermo.noise")
class Noise(Op):
    """White noise sqrt(2 gamma T) eta (P26), integrated over a step: each draw has variance 2 gamma T dt."""

    T: Value = operand("~s", role=Role.temperature)
    gamma: Value = operand("~s", default=1.0)
    shape: Shape = attr(check=integers)
    stream: int = attr(check=non_negative)
    y: Value = result("*s")

    traits: ClassVar = frozenset({STOCHASTIC, CONTINUOUS})

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        return {"y": into(self.shape, T=shapes["T"], gamma=shapes["gamma"])}

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        yield from not_negative(numbers, "gamma")


@op("thermo.memory")
class Memory(Op):
    """dm/dt = -gamma m + x + sqrt(2 gamma T) xi (P25), energy m^2 / 2, stationary variance T.

    m(t) is the state at the start of the tick: x and the noise of the tick enter m(t + 1). The step is exact for
    x and T constant over it, in distribution and in the mean.
    """

    x: Value = operand("*s")
    T: Value = operand("~s", role=Role.temperature)
    gamma: Value = operand("~s", default=1.0)
    initial: Value = operand("~s", uniform=True, default=0.0)
    stream: int = attr(check=non_negative)
    m: Value = result("*s")

    traits: ClassVar = frozenset({STATEFUL, STOCHASTIC, CONTINUOUS})
    # The result is the old state, so a memory may stand in a cycle.
    instant: ClassVar = ("initial",)

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        yield from above_zero(numbers, "gamma", hint="gamma is the rate of decay; tc.i adds up without one")

    def states(self) -> dict[str, Shape]:
        return {"m": self.m.shape}


# ----------------------------------------------------------------------------------------------------- sampling


@op("thermo.sample_binary")
class SampleBinary(Op):
    """A p-bit: at the upper level where drive > T logit(u), u uniform.

    That has probability 1 / (1 + exp(-drive / T)) (P6), and temperature only multiplies.
    ``drive`` is the energy by which the upper level lies below the lower one. levels: binary {0, 1} or spin {-1, +1}.
    """

    drive: Value = operand("*s")
    T: Value = operand("~s", role=Role.temperature)
    levels: str = attr(default="binary", check=one_of("binary", "spin"))
    stream: int = attr(check=non_negative)
    s: Value = result("*s", role=Role.spike)

    traits: ClassVar = frozenset({STOCHASTIC})


@op("thermo.sample_categorical")
class SampleCategorical(Op):
    """One unit of the last axis, drawn from Boltzmann(x, T) (P5), is 1 and the others 0.

    By Gumbel's maximum: the least x_i - T g_i, g = -ln(-ln u), u uniform; the first of equals.
    """

    x: Value = operand("*s n")
    T: Value = operand("~t", role=Role.temperature)
    stream: int = attr(check=non_negative)
    s: Value = result("*s n", role=Role.spike)

    traits: ClassVar = frozenset({STOCHASTIC})

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        return {"s": into(shapes["x"], T=shapes["T"])}


# ---------------------------------------------------------------------------------------------------- schedules


@op("thermo.schedule")
class Schedule(Op):
    """A temperature that depends on time alone (P23), never below T_min; t = tick * dt.

    exponential: T0 exp(-t / parameter); linear: T0 (1 - t / parameter); power: T0 t^-parameter for t >= 1, T0 before.
    """

    kind: str = attr(check=one_of("exponential", "linear", "power"))
    T0: float = attr(check=positive)
    parameter: float = attr(check=positive)
    # Laws of cooling approach or reach 0, where no op takes a temperature.
    T_min: float = attr(check=positive)
    dtype: DType = attr(default=DType.f64)
    T: Value = result("", role=Role.temperature)

    traits: ClassVar = frozenset({CLOCKED, CONTINUOUS})


@op("thermo.adaptive_schedule")
class AdaptiveSchedule(Op):
    """dT/dt = -speed T / (relaxation sqrt(C)) (P23): constant thermodynamic speed, never below T_min.

    C is the heat capacity of what is being cooled: ``capacity`` > 0 where it is known, else measured from its
    ``energy`` as the mean of (E - <E>)^2 / T^2 (P15), both means forgotten at rate 1 / window, from C_initial on and
    never below C_min. Each sample measures its own. <E> lags behind by what E falls in a window, so C is too large by
    the square of that over T^2: choose the window long against fluctuations and short against cooling. The step is
    exact for C constant over it. T(t) is the state at the start of the tick.
    """

    capacity: Value | None = operand("", optional=True)
    energy: Value | None = operand("", optional=True, role=Role.energy)
    T0: float = attr(check=positive)
    speed: float = attr(default=1.0, check=positive)
    relaxation: float = attr(default=1.0, check=positive, unit="time")
    T_min: float = attr(check=positive)
    window: float = attr(default=100.0, check=positive, unit="time")
    C_initial: float = attr(default=1.0, check=positive)
    C_min: float = attr(default=1e-2, check=positive)
    T: Value = result("", role=Role.temperature)

    traits: ClassVar = frozenset({STATEFUL, CLOCKED, CONTINUOUS})
    # T follows from the state alone, so the energy may depend on this very temperature.
    instant: ClassVar = ()

    def shapes(self, shapes: dict[str, Any]) -> dict[str, Shape]:
        if (self.capacity is None) == (self.energy is None):
            present = "both" if self.energy is not None else "neither"
            raise ShapeProblem("it takes a capacity, or an energy to measure it from", f"given is {present}")
        return {"T": ()}

    def problems(self, numbers: Mapping[str, AnyArray]) -> Iterator[Problem]:
        yield from above_zero(numbers, "capacity", hint="a heat capacity is > 0")

    def states(self) -> dict[str, Shape]:
        return {"T": ()} if self.energy is None else {"T": (), "mean": (), "C": ()}


# -------------------------------------------------------------------------------------------------- observables


@op("thermo.observables")
class Observables(Op):
    """Energy, entropy and free energy of a layer with pre-activation z (P1, P2).

    U = mean(z^2), S = -sum p ln p of p = Boltzmann(z, T) over all units, F = U - T S.
    """

    z: Value = operand("*s")
    T: Value = operand("", role=Role.temperature)
    U: Value = result("", role=Role.energy)
    S: Value = result("", role=Role.signal)
    F: Value = result("", role=Role.energy)


@op("thermo.order_parameter")
class OrderParameter(Op):
    """|mean e^(i theta)| over all units (P31): 1 where every phase is the same, near 0 where they are spread."""

    theta: Value = operand("*s")
    R: Value = result("")


def into(units: Shape, **operands: Shape) -> Shape:
    """Return the shape of the units after checking that each operand broadcasts into it. Raises ShapeProblem."""
    for name, shape in operands.items():
        # One way only: NumPy's own rule would also stretch the units to a larger operand.
        if len(shape) > len(units) or any(a not in (1, b) for a, b in zip(shape[::-1], units[::-1])):
            raise ShapeProblem(
                f"{name} does not broadcast into the units",
                f"{name} has shape {list(shape)}",
                f"the units have shape {list(units)}",
            )
    return units
