"""How a network lies on a chip: what the stages of its way worked out, and what is used of what there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.chip.capacities import Capacities, capacities_of
from thermoc.backends.chip.partition import CoreGroups, needs
from thermoc.backends.chip.placement import CorePlacement
from thermoc.backends.chip.routes import Routes
from thermoc.backends.chip.work_types import ChipWork
from thermoc.passes.change_log import Lowered
from thermoc.simulator.chips import Chip
from thermoc.simulator.machine import ChipProgram
from thermoc.support.tables import table


@dataclass(frozen=True, kw_only=True)
class ChipLayout:
    """A network's work in tasks, groups of these, their cores, the load of the links, and the machine's program."""

    chip: Chip
    shape: Capacities
    work: ChipWork
    partition: CoreGroups
    placement: CorePlacement
    routes: Routes
    program: ChipProgram

    @classmethod
    def of(cls, lowered: Lowered, chip: Chip) -> Self:
        """Return the layout that the passes of ``lower`` worked out."""
        return cls(
            chip=chip,
            shape=capacities_of(chip),
            work=lowered.needed(ChipWork),
            partition=lowered.needed(CoreGroups),
            placement=lowered.needed(CorePlacement),
            routes=lowered.needed(Routes),
            program=lowered.needed(ChipProgram),
        )

    @property
    def task_core(self) -> NDArray[np.int64]:
        """The core of each task, (tasks,)."""
        return self.placement.core[self.partition.group]

    @property
    def sites(self) -> dict[str, NDArray[np.int64]]:
        """The core of each unit of every op that draws at its place's temperature, by the op's result."""
        core = self.task_core
        return {
            name: np.concatenate([np.full(self.work.tasks[number].size, core[number]) for number in numbers])
            for name, numbers in self.work.sites.items()
        }

    @property
    def utilisation(self) -> dict[str, tuple[int, int]]:
        """What is used of what there is, by name: (used, limit)."""
        tile = self.placement.core // self.chip.whole("mesh.cores")
        # A buffer belongs to a tile, so the cores of one share its bytes.
        busiest = int(np.bincount(tile, self.partition.bytes, minlength=1).max())
        used = {"cores": (self.partition.groups, self.chip.cores), **needs(self.work, self.shape)}
        return used | {"buffer bytes of a tile": (busiest, self.shape.buffer)}

    def summary(self) -> str:
        """Return utilisation and links as tables to read."""
        rows = [
            {"part": name, "used": used, "limit": limit, "share": f"{100 * used / limit:.3g}%" if limit else "-"}
            for name, (used, limit) in self.utilisation.items()
        ]
        links = f"wires: {self.placement.wire} byte hops a tick; {self.routes.summary()}"
        return f"{table(f'on chip {self.chip.name}', rows)}\n{links}"
