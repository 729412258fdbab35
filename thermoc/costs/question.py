"""What is asked of every machine: a network, its inputs and labels, how long, and what it should give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from thermoc import api
from thermoc.ir.graph import Graph
from thermoc.run import Run
from thermoc.support.array_types import AnyArray


@dataclass(frozen=True, kw_only=True)
class Question:
    """A network and its run: inputs as of ``Executable.run``; labels (batch,) of the first output's largest element.

    calibrate: inputs by which converters' ranges are set, by default those of the run.
    """

    graph: Graph
    inputs: Mapping[str, AnyArray]
    labels: AnyArray | None
    ticks: int
    batch: int
    seed: int
    calibrate: Mapping[str, AnyArray]

    def run(self, exe: api.Executable) -> Run:
        """Return the run of something that was compiled of the network."""
        return exe.run(self.inputs, ticks=self.ticks, batch=self.batch, seed=self.seed)

    @cached_property
    def reference(self) -> Run:
        """What the network should give: the simulator in float64, which is the reference interpreter to rounding."""
        return self.run(api.compile(self.graph, "sim"))

    def quality(self, run: Run) -> dict[str, Any]:
        """Return the columns ``error`` and ``wrong`` of a run."""
        means = {name: _over_ticks(array) for name, array in run.outputs.items()}
        off = [_rms(means[name] - _over_ticks(array)) for name, array in self.reference.outputs.items()]
        return {"error": max(off, default=None), "wrong": self._wrong(next(iter(means.values()), None))}

    def _wrong(self, scores: AnyArray | None) -> float | None:
        if self.labels is None or scores is None:
            return None
        return float(np.mean(scores.reshape(len(scores), -1).argmax(axis=1) != self.labels))

    def effective(self, run: Run, *, joules: float | None, seconds: float | None) -> dict[str, Any]:
        """Return what an effective sample costs, where the network samples and the run is long enough to tell."""
        sizes = [chain.ess for chain in run.diagnostics.values()]
        if not sizes or min(sizes) <= 0:
            return {"joules_effective": None, "seconds_effective": None}
        each = self.batch / min(sizes)
        values: dict[str, Any] = {"joules_effective": joules, "seconds_effective": seconds}
        return {name: None if value is None else value * each for name, value in values.items()}


def _over_ticks(array: AnyArray) -> AnyArray:
    return np.asarray(array, np.float64).mean(axis=0)


def _rms(array: AnyArray) -> float:
    return float(np.sqrt(np.mean(array**2))) if array.size else 0.0
