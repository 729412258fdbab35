"""Units that do thermal work, as records that Numba takes: what they are, what they hold, how heaters hold them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.devices.loops import Workspace
from thermoc.simulator.devices.records import Cell


class UnitDesign(NamedTuple):
    """A unit: its memristor, the bias (V) it is worked at, its island's thermal resistance (K/W) and time constant (s).

    plain: the memristor's temperature is its only state, so that its heat is foreseen from its power.
    """

    memristor: Cell
    bias: float
    resistance: float
    tau: float
    plain: bool


class UnitStates(NamedTuple):
    """What classes of units hold: islands (classes,) K; memristors (classes, 3) and their memory (classes, 5)."""

    island: NDArray[np.float64]
    memristor: NDArray[np.float64]
    memory: NDArray[np.float64]


class Hold(NamedTuple):
    """What heaters of at most ``most`` W are to do up to the end of each pulse: let units rest at ``aim`` (pulses,) K.

    own: (pulses,) W by which the heat of earlier pulses helps them.
    """

    aim: NDArray[np.float64]
    own: NDArray[np.float64]
    most: float


# never read while ``most`` is zero: the compiled kernel only wants arrays of their type
NONE = Hold(aim=np.zeros(1), own=np.zeros(1), most=0.0)


class PulseTimes(NamedTuple):
    """Pulses first[k] to first[k + 1] are those of class k; begin, end: (pulses,) ps.

    Ticks take ``length`` ps and begin every ``period`` ps, from 0 on; a period of 0: there are none.
    """

    first: NDArray[np.int64]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    length: int
    period: int


class UnitSums(NamedTuple):
    """What a span adds to: kelvin (pulses,) K s that memristors show, joules (2, classes) of units and of heaters.

    failed: status, class and time (ps) of the first unit that cannot go on.
    """

    kelvin: NDArray[np.float64]
    joules: NDArray[np.float64]
    failed: NDArray[np.float64]


class UnitScratch(NamedTuple):
    """Where steps are computed; piece, stretch: J in, J of heat and K s of a piece, and of all since a start."""

    steps: Workspace
    noise: NDArray[np.float64]
    piece: NDArray[np.float64]
    stretch: NDArray[np.float64]
