"""Pieces of populations: some units of one, and what they ask of the core that holds them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thermoc.ir.types import Shape
from thermoc.passes.loihi.demand import CorePopulation
from thermoc.support.array_types import IntArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Piece:
    """Some units of a population, flat and in rising order, and what they ask of their core.

    reads: whom they read, by the sender's name, its elements in rising order.
    """

    population: str
    shape: Shape
    members: IntArray
    reads: Mapping[str, IntArray]
    memory: int
    synapses: int

    @property
    def units(self) -> int:
        """Number of units."""
        return len(self.members)

    @property
    def axons_in(self) -> int:
        """Number of axons that come in: one for each unit that is read."""
        return sum(map(len, self.reads.values()))

    @property
    def axons_out(self) -> int:
        """Number of axons that go out: one for each unit."""
        return self.units

    def __str__(self) -> str:
        if not self.shape:
            return f"%{self.population}"
        axes = [np.unique(axis) for axis in np.unravel_index(self.members, self.shape)]
        box = all(len(axis) == np.ptp(axis) + 1 for axis in axes) and math.prod(map(len, axes)) == self.units
        ranges = ", ".join(f"{axis[0]}:{axis[-1] + 1}" for axis in axes)
        if box:
            return f"%{self.population}[{ranges}]"
        first, last = self.members[[0, -1]]
        # Rising members whose span is their number are an unbroken stretch.
        which = f"{first} to {last}" if last - first < self.units else f"{self.units}"
        return f"{which} of %{self.population}"


def piece_of(population: CorePopulation, units: IntArray) -> Piece:
    """Return units of a population as a piece."""
    members = np.sort(units)
    return Piece(
        population=population.name,
        shape=population.shape,
        members=members,
        reads=population.reads(members),
        memory=population.memory(members),
        synapses=int(population.fan_in[members].sum()),
    )
