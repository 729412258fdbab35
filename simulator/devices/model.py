"""What a device model declares: its parameters by name and unit, its internal state, and the rules of its equations.

A model is one file of ``models`` beside its data file of the same name. Everything that lists models (``load``, the
kernels, the table of docs/devices.md, the tests) follows from what is declared there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, get_args, get_type_hints

from numpy.typing import NDArray

Rule = Callable[..., Any]
"""A function that ``rule`` has compiled."""
MEMORY = 5
"""Numbers of memory that a device has in kernels, used by hysteretic models alone."""
DIRECTION = 0
"""Where a hysteretic model keeps its branch in its memory: +1 while it heats, -1 while it cools."""

Plain = Annotated[float, ""]
Kelvin = Annotated[float, "K"]
KelvinPerWatt = Annotated[float, "K/W"]
PerKelvin = Annotated[float, "1/K"]
Volt = Annotated[float, "V"]
Ampere = Annotated[float, "A"]
Ohm = Annotated[float, "ohm"]
OhmMetre = Annotated[float, "ohm m"]
Siemens = Annotated[float, "S"]
Metre = Annotated[float, "m"]
MetrePerSecond = Annotated[float, "m/s"]
Joule = Annotated[float, "J"]


class OperatingPoint(NamedTuple):
    """A device's electrical state at one instant: what the rules of its internal state depend on.

    v: voltage across the device itself, V. i: its current, A. slope: di/dv, S. T: its temperature, K. contact: the
    voltage across its contact, V, of models that solve for one, else 0.
    """

    v: float
    i: float
    slope: float
    T: float
    contact: float


@dataclass(frozen=True, kw_only=True)
class InternalState:
    """The internal state x of a model: its unit, and the names of the parameters between which it lies.

    size: the parameter that relative errors of x are measured by.
    """

    name: str
    unit: str
    least: str
    greatest: str
    size: str


@dataclass(frozen=True, kw_only=True)
class Hysteresis:
    """Rules of a model whose branch depends on its past, on a row m of ``MEMORY`` numbers that they change in place.

    begin(m, T): the memory (n, 5) of devices that start at T (n,), in NumPy. look(T, m, p): before every fixed step.
    reverse(T, m, p): turn to the other branch at T. remember(T, turned, m, p): after every free step that is accepted.
    Of devices that are coupled, and looked at together: travelled(T, m, p), which is above 0 for one whose way since
    the last look calls for another, and look_together(T, m, p).
    """

    begin: Callable[[NDArray[Any], NDArray[Any]], None]
    look: Rule
    reverse: Rule
    remember: Rule
    travelled: Rule
    look_together: Rule


@dataclass(frozen=True, kw_only=True)
class DeviceModel:
    """A device model: parameters p, a NamedTuple of its own whose fields are the names of its data file, and rules.

    Each model has one of
    * conduct(v, T, x, m, p) -> (i, di/dv), the current at a voltage v across the device;
    * solve(u, R, Ta, x, p) -> (i, T, contact), where it solves for current and temperature behind R by itself.

    Those with an internal state x also have one of
    * rate(at, x, p) -> dx/dt at an ``OperatingPoint``;
    * core(at, x, Ta, p) -> (dx/dt, W that leak, share): the share of i v - leak that its enthalpy takes up, where x
      stores heat; ``store(x, Ta, p)`` is that enthalpy in J.

    temperature: where it comes from, in words, for a model of which it is no state. noiseless: why it takes no noise.
    """

    summary: str
    parameters: type[Any]
    heated: bool = False
    temperature: str = "ambient"
    state: InternalState | None = None
    conduct: Rule | None = None
    solve: Rule | None = None
    rate: Rule | None = None
    core: Rule | None = None
    store: Rule | None = None
    hysteresis: Hysteresis | None = None
    noiseless: str = ""

    @property
    def units(self) -> dict[str, str]:
        """The unit of each parameter, in their order."""
        return {name: get_args(hint)[1] for name, hint in get_type_hints(self.parameters, include_extras=True).items()}
