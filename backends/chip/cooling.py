"""Cool places for what samples: groups of tasks change places so that units draw at the temperature asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.chip.capacities import Capacities
from thermoc.backends.chip.partition import CoreGroups
from thermoc.backends.chip.placement import CorePlacement, MeshPlacement, traffic
from thermoc.backends.chip.trial import Warmth
from thermoc.backends.chip.work_types import ChipWork
from thermoc.ir.graph import Graph
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Log

WIRE_SHARE = 0.1
"""All wires of the first placement count as much as an error of 0.1 K squared, so that temperature goes first."""
MARGIN = 2.0
"""Places are sought so many kelvins below the reference: mean powers are estimates."""
ROUNDS = 2
MOVES = 5_000


@dataclass(frozen=True, kw_only=True)
class CoolSamplers(Pass):
    """Move groups, those that sample to where a trial run leaves the die cool; the graph stays."""

    name: ClassVar[str] = "cool-samplers"

    chip: Capacities = field(repr=False)

    def run(self, graph: Graph, log: Log) -> Graph:
        work = log.needed(ChipWork)
        if work.sites and (warmth := log.needed(Warmth)).sampling.any():
            log.keep(cool(work, log.needed(CoreGroups), log.needed(CorePlacement), self.chip, warmth))
        return graph


def cool(
    work: ChipWork, groups: CoreGroups, placement: CorePlacement, chip: Capacities, warmth: Warmth
) -> CorePlacement:
    """Return cores that keep sampled units below the reference, wires being the smaller part of what is minimised.

    Groups that sample go wherever that is better, then swaps (of a fixed seed) follow that make it better still.
    """
    mesh = MeshPlacement(core=placement.core.copy(), links=traffic(work, groups), bytes=groups.bytes, chip=chip)
    # Over the wires of the first placement, so that the share does not depend on the network's size.
    cooling = _Cooling(mesh, warmth, WIRE_SHARE / max(1, placement.wire))
    rng = np.random.default_rng(0)
    for _ in range(ROUNDS):
        for group in np.flatnonzero(warmth.sampling):
            for core in range(chip.cores):
                cooling.attempt(int(group), core)
    for _ in range(MOVES):
        cooling.attempt(int(rng.integers(len(mesh.core))), int(rng.integers(chip.cores)))
    return CorePlacement(core=mesh.core, wire=mesh.wire())


class _Cooling:
    """A placement that is being cooled, its temperatures and its cost."""

    def __init__(self, mesh: MeshPlacement, warmth: Warmth, scale: float):
        self.mesh, self.warmth, self.scale = mesh, warmth, scale
        self.T = warmth.ambient + warmth.influence[:, mesh.core] @ warmth.power
        self.wire = float(mesh.wire())
        self.cost = self.total(self.T, self.wire)

    def total(self, T: NDArray, wire: float) -> float:
        """Return the mean square error in K^2, and the wires.

        Only kelvins above the reference count: heaters warm a place that is colder, nothing cools one that is hotter.
        """
        above = np.maximum(0.0, T[self.mesh.core] - self.warmth.reference + MARGIN)
        weight = self.warmth.sampling / self.warmth.sampling.sum()
        return float((weight * above**2).sum() + self.scale * wire)

    def attempt(self, group: int, core: int) -> None:
        """Trade a group's place with a core where that is better."""
        mesh, power, home = self.mesh, self.warmth.power, int(self.mesh.core[group])
        if home == core or not mesh.fits(group)[core]:
            return
        # Asked before the swap: gains are those of the placement as it stands.
        gain = float(mesh.gains(group)[core])
        partner = mesh.at[core]
        shift = power[group] - (power[partner] if partner >= 0 else 0.0)
        # Temperatures are linear in the powers: a swap changes them by two columns of the influence alone.
        T = self.T + (self.warmth.influence[:, core] - self.warmth.influence[:, home]) * shift
        mesh.swap(home, core)
        cost = self.total(T, self.wire - gain)
        if cost < self.cost:
            self.T, self.wire, self.cost = T, self.wire - gain, cost
        else:
            mesh.swap(core, home)
