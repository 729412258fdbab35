"""Population types of Loihi in real numbers, before quantisation: what each keeps, where it fires, what drives it.

A core has one threshold, one reset, one gain and one pair of decays for a whole population. So differences between
its units (thresholds, gains, resets, leaks) go into the rows of its weights and into its bias, and what these types
hold is one number a population wherever Loihi has one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from thermoc.ir.ops import Op
from thermoc.ir.types import Shape
from thermoc.ir.values import Value
from thermoc.passes.loihi.drives import LinearDrive
from thermoc.support.array_types import FloatArray, IntArray

Curve = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, kw_only=True)
class Population:
    """Units of one op of Loihi to be. ``name`` is the value they send, ``op`` the op of the network behind them."""

    name: str
    op: Op
    shape: Shape
    drive: LinearDrive
    earliest_lag: int = 0
    settling: int = 0
    """So many ticks of a delay it lets pass what arrives, so that what a source said before its start is not heard."""
    offset: int = 0
    """It sends network tick t's value in Loihi's tick t every + lag + offset."""

    @property
    def size(self) -> int:
        """Number of units."""
        return len(self.drive.bias)


@dataclass(frozen=True, kw_only=True)
class HostReading:
    """A state the host reads: value = factor * state + offset, element by element."""

    name: str
    state: str
    factor: FloatArray
    offset: FloatArray


@dataclass(frozen=True, kw_only=True)
class LifPopulation(Population):
    """u' = fall u + drive, v' = keep v + u' + bias, a spike above (or at) ``threshold``; no current where fall is 0."""

    fall: FloatArray
    keep: FloatArray
    threshold: float
    compare: str
    reset: str
    v_initial: FloatArray
    u_initial: FloatArray
    readings: tuple[HostReading, ...] = ()


@dataclass(frozen=True, kw_only=True)
class GradedPopulation(Population):
    """max(drive, 0) by rule relu; the drive itself by rule abs, as a relay."""

    rule: str


@dataclass(frozen=True, kw_only=True)
class CurvePopulation(Population):
    """curve(drive) by a table; steepness bounds its slope, edge is where |drive| may be cut."""

    curve: Curve
    steepness: float
    edge: float


@dataclass(frozen=True, kw_only=True)
class NoisyPopulation(Population):
    """p-bits, or one layer of categorical units, at temperature T: numbers, or a value of the host.

    turn: the colour of each p-bit of a coupled network, of ``turns`` colours; None for independent ones.
    """

    T: FloatArray | Value
    stream: int
    levels: str = "binary"
    turn: IntArray | None = None
    turns: int = 1
    sweeps: int = 1
    initial: FloatArray = field(default_factory=lambda: np.zeros(1))
    categorical: bool = False
    heated: LinearDrive | None = None
    """T where it is computed on Loihi, as a sum of what its units send."""

    @property
    def ticks(self) -> int:
        """How many ticks of Loihi one of the network takes: a colour each, sweep after sweep."""
        return self.turns * self.sweeps if self.turn is not None else 1


@dataclass(frozen=True, kw_only=True)
class BoltzmannPopulation(Population):
    """Probabilities exp(-drive / T) / Z over the last axis; T and heated as of a ``NoisyPopulation``.

    initial: what it says before its lag is over, None where nobody asks.
    """

    T: FloatArray | Value
    heated: LinearDrive | None = None
    initial: FloatArray | None = None


@dataclass(frozen=True, kw_only=True)
class MemoryPopulation(Population):
    """m' = keep m + drive + sigma z, sent as it is at the start of a tick."""

    keep: float
    sigma: FloatArray | Value
    initial: FloatArray
    stream: int = -1


@dataclass(frozen=True, kw_only=True)
class RelaxationPopulation(Population):
    """x' = max(x - loss x + drive + sqrt(T) spread z, floor), sent as it is at the start of a tick.

    floor: None where there is none. loss, spread: of each unit. T: one number, or a value of the host.
    """

    loss: FloatArray
    spread: FloatArray
    T: FloatArray | Value
    initial: FloatArray
    floor: float | None = None
    stream: int = -1


@dataclass(frozen=True, kw_only=True)
class HeatPopulation(Population):
    """Nodes of a thermal network: C_i (T_i' - T_i) = sum_j K_ij (T_j - T_i) + A_ij (Ta_j - T_i) + H_ij P_j.

    K, A, H: what a tick conducts between nodes, from reservoirs, and spreads of the sources' power, (n, n), where the
    step is exact. The drive is the sum, in heat; of its terms the first is that of the nodes themselves, then come
    ``reservoirs`` of T_ambient, then those of power. decay: e^(-C^-1 L dt).
    """

    capacity: FloatArray
    K: FloatArray
    A: FloatArray
    H: FloatArray
    T_ambient: LinearDrive
    power: LinearDrive
    decay: FloatArray
    initial: FloatArray


@dataclass(frozen=True, kw_only=True)
class HostPopulation(Population):
    """A process of the host between two parts of Loihi, which says ``value`` by these ops, in floats.

    written_out: the same in core ops alone, constants among them. Of its drive only the sources count: what it is
    given, each as it is. initial: what it says before its lag is over, None where nobody asks.
    """

    ops: tuple[Op, ...]
    written_out: tuple[Op, ...]
    value: Value
    initial: FloatArray | None = None


SPIKING = (LifPopulation, NoisyPopulation)
"""Populations that send a level a tick, 0 or 1 or a sign, rather than a number."""
