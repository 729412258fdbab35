"""Populations of Loihi in integers: the design of each, and the format of the messages that it and the host send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from thermoc.passes.loihi.population_types import (
    BoltzmannPopulation,
    CurvePopulation,
    GradedPopulation,
    HeatPopulation,
    HostPopulation,
    LifPopulation,
    MemoryPopulation,
    Population,
    RelaxationPopulation,
)
from thermoc.passes.loihi.weights import Weights
from thermoc.support.array_types import AnyArray, FloatArray

FIELD = 2**23
"""States of Loihi have 24 bits, one of them the sign."""
FRACTION = 64
"""Membranes and currents of Loihi's LIF have six bits below those of what arrives (lava-nc 0.10.0: a << 6)."""


@dataclass(frozen=True, kw_only=True)
class MessageFormat:
    """How a population or the host sends numbers: ``scale`` integers make one, of ``bits`` bits; 0 bits is a spike.

    real and bound: the largest magnitude of each element, in the network's numbers and in integers, flat.
    """

    scale: float
    real: FloatArray
    bound: FloatArray
    bits: int


@dataclass(frozen=True, kw_only=True)
class Design:
    """A population in integers. ``sent`` integers of what it sends make one; reach is the largest |a|, flat.

    scale: how many integers of its drive make one. numbers: the attributes of its op on Loihi.
    """

    population: Population
    scale: float
    weights: tuple[Weights, ...]
    bias: AnyArray
    reach: FloatArray
    sent: float
    numbers: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def rounding(self) -> int:
        """What the bias holds beyond the network's own: half a step, so that a graded unit's shift rounds."""
        return (1 << self.numbers["shift"]) >> 1 if isinstance(self.population, GradedPopulation) else 0

    @property
    def bias_scale(self) -> float:
        """How many integers of its bias make one."""
        # The bias of a LIF enters the membrane, which has six bits more than the drive.
        if isinstance(self.population, LifPopulation):
            return self.scale * FRACTION / 2.0 ** self.numbers["bias_exp"]
        return self.scale

    @property
    def outcome(self) -> FloatArray:
        """The largest integer it can send, flat."""
        if isinstance(self.population, GradedPopulation):
            # One more, for the shift rounds.
            return np.minimum((self.reach + np.abs(self.bias)) / 2 ** self.numbers["shift"] + 1, FIELD - 1)
        if isinstance(self.population, CurvePopulation):
            return np.full(self.population.size, float(np.abs(self.numbers["table"]).max()))
        if isinstance(self.population, HeatPopulation | HostPopulation | RelaxationPopulation):
            return self.numbers["farthest"]
        if isinstance(self.population, BoltzmannPopulation):
            return np.full(self.population.size, max(self.sent, float(np.abs(self.numbers["initial"]).max(initial=0))))
        return np.full(self.population.size, FIELD - 1 if isinstance(self.population, MemoryPopulation) else 1.0)


def limit(population: Population) -> float:
    """Return what |a| must stay below: a state of 24 bits, less what a current adds up over the ticks it is kept."""
    if isinstance(population, HostPopulation):
        return 2.0**40  # floats have room for any message
    if isinstance(population, HeatPopulation | RelaxationPopulation):
        return 2.0**31  # its sum of 32 bits goes into two states
    if isinstance(population, LifPopulation):
        # A current that keeps a fraction f of itself adds up to 1 / (1 - f) of a tick's.
        return FIELD / FRACTION * (1 - float(population.fall.max()))
    return float(FIELD)
