"""What errors of a tick do in the long run: a graph again, each unit moved by as much as a tick of it may be off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.feed import feed
from thermoc.ir.graph import Graph
from thermoc.ir.reference import interpret
from thermoc.verification.forcing import Shifts, Steered
from thermoc.verification.run_settings import RunSettings


@dataclass(frozen=True, kw_only=True)
class Disturbance:
    """How far each tick may be off, (ticks, batch, *shape): states, operands that are compared, results."""

    graph: Graph
    drifts: Shifts = field(default_factory=dict)
    shifts: Shifts = field(default_factory=dict)
    added: Mapping[str, NDArray] = field(default_factory=dict)


class Disturbed:
    """Runs of the graph before a pass, disturbed; made as they are asked for.

    The sign of a unit's error is the same in every tick: what is rounded stays as it is rounded. In the first run all
    units err upwards, in the second all downwards, in the others each as a coin says.
    """

    def __init__(self, setting: RunSettings, disturbance: Disturbance):
        self.setting, self.disturbance = setting, disturbance
        self.runs: list[dict[str, NDArray]] = []

    @cached_property
    def plain(self) -> dict[str, NDArray]:
        """The outputs of the graph undisturbed."""
        return self.setting.reference(self.disturbance.graph).outputs

    def take(self, count: int) -> list[dict[str, NDArray]]:
        """Return the outputs of this many runs."""
        while len(self.runs) < count:
            self.runs.append(self._run(len(self.runs)))
        return self.runs[:count]

    def _run(self, number: int) -> dict[str, NDArray]:
        rng, about = np.random.default_rng(number), self.disturbance

        def signed(array: NDArray) -> NDArray:
            coins = rng.choice([-1.0, 1.0], size=array.shape[2:])
            return array * (coins if number > 1 else 1.0 if number == 0 else -1.0)

        hook: Any = Steered(
            drifts={key: signed(array) for key, array in about.drifts.items()},
            shifts={key: signed(array) for key, array in about.shifts.items()},
            added={key: signed(array) for key, array in about.added.items()},
        )
        inputs = feed(about.graph, self.setting.inputs, ticks=self.setting.ticks, batch=self.setting.batch)
        with np.errstate(all="ignore"):
            return interpret(about.graph, inputs, seed=self.setting.seed, jitter=hook).outputs
