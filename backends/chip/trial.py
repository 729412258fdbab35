"""A trial run of a placed network: how much power each group takes, and how the places on the die warm each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.chip.partition import CoreGroups
from thermoc.backends.chip.placement import CorePlacement
from thermoc.backends.chip.work_types import THERMAL, ChipWork
from thermoc.ir.graph import Graph
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Log
from thermoc.simulator.chips import Chip
from thermoc.simulator.machine import ChipProgram, costs, run_events
from thermoc.simulator.machine.account import account, awake
from thermoc.simulator.machine.electrothermal import ElectroThermal

TRIAL = 32
"""Ticks that are run to find each group's mean power, which thermal placement goes by."""


@dataclass(frozen=True, kw_only=True)
class Warmth:
    """What thermal placement goes by: temperatures are ambient + influence @ power.

    influence: (cores, cores) K/W of a place for power at a place. power: (groups,) W. sampling: (groups,) p-bits of
    each. reference: K that sampling is calibrated at; heaters hold places that are colder, nothing cools those hotter.
    """

    influence: NDArray[np.float64]
    ambient: float
    power: NDArray[np.float64]
    sampling: NDArray[np.int64]
    reference: float

    def __str__(self) -> str:
        lines = [f"  group {k}: {watts:.4g} W, {self.sampling[k]} p-bits" for k, watts in enumerate(self.power)]
        head = f"a die at {self.ambient:.5g} K without work, sampling calibrated at {self.reference:.5g} K"
        return "\n".join([head, *lines]) + "\n"


@dataclass(frozen=True, kw_only=True)
class TrialRun(Pass):
    """Run the placed network for some ticks to see what warms the die where; the graph stays. Errors: T414."""

    name: ClassVar[str] = "trial-run"

    chip: Chip = field(repr=False)

    def run(self, graph: Graph, log: Log) -> Graph:
        work, core = log.needed(ChipWork), log.needed(CorePlacement).core
        if work.sites:  # a network that draws nothing has nothing to keep cool, on a chip that may have no units
            log.keep(trial(work, log.needed(CoreGroups), core, log.needed(ChipProgram), self.chip))
        return graph


def trial(work: ChipWork, groups: CoreGroups, core: NDArray[np.int64], program: ChipProgram, chip: Chip) -> Warmth:
    """Return mean powers of groups in a trial run, and how places warm each other; ``core`` is that of each group."""
    heat = ElectroThermal(chip)
    price = costs(program, chip)
    sums = account(run_events(program, chip, rounds=TRIAL, price=price), program, price, chip)
    watts = sums.by_core.sum(axis=0) / sums.seconds
    sampling = np.zeros(groups.groups, np.int64)
    for number, task in enumerate(work.tasks):
        if task.kind in THERMAL:
            sampling[groups.group[number]] += task.size
    on = awake(program, chip)
    # Leakage grows with temperature: one round from the ambient finds nearly all of what it adds.
    warm = heat.steady(heat.leakage(np.full(chip.cores, chip["package.ambient"]), on))
    return Warmth(
        influence=heat.influence(),
        ambient=float(heat.steady(heat.leakage(warm, on)).mean()),
        power=watts[core],
        sampling=sampling,
        reference=chip["sampler.reference"],
    )
