"""Networks that are driven by a protocol: work, heat and entropy production of every trajectory (P30, P45, P46).

A driven network has an input for each quantity that is driven, and the outputs ``work`` and ``heat`` of each tick and
``energy``. In a tick the inputs change first, at fixed state: that is the work. Then the state relaxes at fixed inputs:
that is the heat it takes from its bath. Where the relaxation leaves the Boltzmann law of its inputs as it is,
Jarzynski's equality holds for any length of a tick; where it is also reversible, or its reverse is run by the reverse
network, so does Crooks' theorem.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

import thermoc as tc
from thermoc.physics import FreeEnergyDifference, jarzynski
from thermoc.physics.checks import positive
from thermoc.physics.crooks import CrooksEstimate, crooks
from thermoc.support.array_types import FloatArray
from thermoc.support.errors import error

OUTPUTS = ("work", "heat", "energy")


@dataclass(frozen=True, kw_only=True)
class Driven:
    """Trajectories of a driven network, (ticks, samples) each: work done on it and heat it took, tick by tick.

    change: (samples,) its energy at the end less that at the start.
    """

    work: FloatArray
    heat: FloatArray
    change: FloatArray

    @property
    def total_work(self) -> FloatArray:
        """Work (samples,) of the protocol."""
        return self.work.sum(axis=0)

    @property
    def total_heat(self) -> FloatArray:
        """Heat (samples,) taken from the bath during the protocol."""
        return self.heat.sum(axis=0)

    @property
    def imbalance(self) -> float:
        """What dU = W + Q lacks at most, relative to the largest term (P45)."""
        gap = self.change - self.total_work - self.total_heat
        largest = max(float(np.abs(term).max()) for term in (self.change, self.total_work, self.total_heat))
        return float(np.abs(gap).max()) / max(largest, np.finfo(float).tiny)


def drive(exe: tc.Executable, protocol: Mapping[str, ArrayLike], *, samples: int, settle: int, seed: int = 0) -> Driven:
    """Run a driven network through a protocol, from equilibrium at its beginning.

    protocol: for every input its values (ticks + 1, *shape): the first is held over ``settle`` ticks, in which the
    network comes to equilibrium, the others over a tick each. Errors: T401, T402, T404.
    """
    course = {name: np.asarray(values, float) for name, values in protocol.items()}
    lengths = {name: len(values) if values.ndim else 0 for name, values in course.items()}
    if not course or len(set(lengths.values())) > 1 or min(lengths.values()) < 2:
        notes = [f"{name} has {length}" for name, length in lengths.items()]
        raise error("T402", "a protocol gives every input its values, equally many and at least two", notes=notes)
    if settle < 1:
        raise error("T404", "a protocol starts from equilibrium", notes=[f"settle is {settle}, the least is 1"])
    first = {name: np.broadcast_to(values[0], (samples, *values.shape[1:])) for name, values in course.items()}
    # a further tick at the end: what relaxes in a tick is seen at the start of the next
    driven = {name: _over_ticks(np.concatenate([values[1:], values[-1:]]), samples) for name, values in course.items()}
    with exe.start(batch=samples, seed=seed) as session:
        session.run(settle, first, record={})
        run = session.run(inputs=driven, record=dict.fromkeys(OUTPUTS, "all"))
    work, heat, energy = (np.asarray(run[name], float) for name in OUTPUTS)
    # energy is that after the tick's work, at the start of its relaxation; heat is that of the tick before
    return Driven(work=work[:-1], heat=heat[1:], change=energy[-1] - work[-1] - (energy[0] - work[0]))


def _over_ticks(values: FloatArray, samples: int) -> FloatArray:
    shape = (len(values), samples, *values.shape[1:])
    return np.broadcast_to(values[:, np.newaxis], shape)


@dataclass(frozen=True, kw_only=True)
class FluctuationTest:
    """A protocol and its reverse, held against the exact free-energy difference dF.

    jarzynski: from the forward works alone. crooks: from both. production: mean entropy production of the forward
    process, (<W> - dF) / T, with its standard error. integral: <e^-((W - dF) / T)>, one by Jarzynski's equality, with
    its standard error.
    """

    dF: float
    forward: Driven
    backward: Driven
    jarzynski: FreeEnergyDifference
    crooks: CrooksEstimate
    production: tuple[float, float]
    integral: tuple[float, float]

    def __str__(self) -> str:
        j, c = self.jarzynski, self.crooks
        return "\n".join(
            [
                f"dF exactly          {self.dF:.5f}",
                f"Jarzynski           {j.dF:.5f} +- {j.error:.5f}",
                f"Bennett             {c.dF:.5f} +- {c.error:.5f}",
                f"densities cross at  {c.crossing:.5f} +- {c.crossing_error:.5f}",
                f"slope of their log  {c.slope:.4f} +- {c.slope_error:.4f}",
                f"entropy production  {self.production[0]:.4f} +- {self.production[1]:.4f}",
                f"<e^-production>     {self.integral[0]:.4f} +- {self.integral[1]:.4f}",
            ]
        )


def fluctuation_test(
    network: tuple[tc.Executable, tc.Executable],
    protocol: Mapping[str, ArrayLike],
    *,
    T: float,
    dF: float,
    samples: int,
    settle: int,
    seed: int = 0,
) -> FluctuationTest:
    """Run a protocol and its reverse, and compare the works with the exact dF (Jarzynski 1997; Crooks 1999).

    network: the driven network and the one that runs it backwards, the same where a tick's relaxation is reversible.
    protocol: as of ``drive``. T: the temperature of its bath. Errors: those of ``drive``, and T405.
    """
    T = float(positive("T", T))
    back = {name: np.asarray(values, float)[::-1] for name, values in protocol.items()}
    forward = drive(network[0], protocol, samples=samples, settle=settle, seed=seed)
    backward = drive(network[1], back, samples=samples, settle=settle, seed=seed + 1)
    W = forward.total_work
    production = (W - dF) / T
    return FluctuationTest(
        dF=dF,
        forward=forward,
        backward=backward,
        jarzynski=jarzynski(W, T),
        crooks=crooks(W, backward.total_work, T),
        production=_mean(production),
        integral=_mean(np.exp(-production)),
    )


def _mean(values: FloatArray) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
