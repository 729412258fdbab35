"""A sweep: a network, how it is run, what is varied, and which points there are."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from thermoc.sweeps.objective import Objective
from thermoc.sweeps.points import Point, points_of
from thermoc.sweeps.setup import Setup


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A sweep that is ready to run. method, count, points_seed: which points; objective: what is searched for."""

    setup: Setup
    method: str
    count: int | None
    points_seed: int
    objective: Objective | None = None

    @cached_property
    def points(self) -> list[Point]:
        """The points, in the order of their rows; of a search, none are known before it runs. Errors: T520."""
        if self.objective is not None:
            return []
        return points_of(self.setup.axes, self.method, self.count, self.points_seed)

    @property
    def size(self) -> int:
        """Number of points."""
        return len(self.points) if self.objective is None else self.objective.trials

    @cached_property
    def hash(self) -> str:
        """SHA-256 of all that the results depend on. Into how many parts a batch is divided changes no bit."""
        objective = None if self.objective is None else asdict(self.objective)
        which = json.dumps([self.setup.hash, self.method, self.count, self.points_seed, objective])
        return hashlib.sha256(which.encode()).hexdigest()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the axes in the store: their keys, with their kind before it where another thing is called so."""
        keys = [item.key for item in self.setup.axes]
        outputs = self.setup.record
        reserved = {"point", "status", "sample", "tick", "time"}
        return tuple(
            f"{item.kind}.{item.key}"
            if keys.count(item.key) > 1 or item.key in reserved or item.key.split(".")[0] in outputs
            else item.key
            for item in self.setup.axes
        )

    @property
    def attrs(self) -> dict[str, Any]:
        """What a store says of it."""
        document = self.setup.document
        shared = {name: document[name] for name in ("network", "target", "ticks", "batch", "seed", "thermoc", "numpy")}
        return {
            "sweep_sha256": self.hash,
            "graph_sha256": document["graph"],
            **shared,
            "options": json.dumps(document["options"], default=str),
            "record": json.dumps(document["record"]),
            "method": self.method,
            "points": self.size,
            "points_seed": self.points_seed,
            "axes": json.dumps([{"name": n, **a} for n, a in zip(self.names, document["axes"])], default=_listed),
            "objective": json.dumps(None if self.objective is None else asdict(self.objective)),
        }


def _listed(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)
