"""What every point of a sweep shares: it goes to each worker once, and its hash names the sweep."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

import thermoc
from thermoc import plugins
from thermoc.ir.graph import Graph
from thermoc.ir.serial import graph_bytes, parse_graph_file
from thermoc.support.array_types import AnyArray
from thermoc.sweeps.axes import Axis
from thermoc.sweeps.points import Point


@dataclass(frozen=True, kw_only=True)
class Setup:
    """A network, its target, how it is run, and what is varied.

    graph: the bytes of its ``.thermo``. options: of the target, the same at every point. parameters: values other than
    the network's, the same at every point. record: what is kept of which output. parts: into how many runs the batch of
    a point is divided. chip: the text of the chip's file, whose numbers are varied.
    """

    graph: bytes
    target: str
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    parameters: Mapping[str, AnyArray] = field(default_factory=dict[str, AnyArray])
    ticks: int
    batch: int
    seed: int
    record: Mapping[str, Sequence[str]]
    inputs: Mapping[str, AnyArray] = field(default_factory=dict[str, AnyArray])
    axes: tuple[Axis, ...] = ()
    parts: int = 1
    chip: str = ""
    states: bool = False
    """Whether the states after the last tick are wanted too."""

    @cached_property
    def network(self) -> Graph:
        """The graph."""
        return parse_graph_file(self.graph, "the sweep's network")

    @cached_property
    def hash(self) -> str:
        """SHA-256 of all that decides what a point gives, and of this thermoc and NumPy."""
        digest = hashlib.sha256(json.dumps(self.document, sort_keys=True, default=_as_json).encode())
        for arrays in (self.parameters, self.inputs):
            _add_arrays(digest, arrays)
        return digest.hexdigest()

    @property
    def document(self) -> dict[str, Any]:
        """What it says, but for arrays, as JSON."""
        return {
            "graph": self.network.hash,
            "network": self.network.name,
            "target": self.target,
            "options": dict(self.options),
            "ticks": self.ticks,
            "batch": self.batch,
            "seed": self.seed,
            "record": {name: list(specs) for name, specs in self.record.items()},
            "axes": [axis.document for axis in self.axes],
            "chip": self.chip,
            "thermoc": thermoc.__version__,
            "numpy": np.__version__,
        }

    def artefact_hash(self, values: Mapping[str, Mapping[str, Any]], frozen: Mapping[str, AnyArray]) -> str:
        """Return SHA-256 of what an artefact is made of: the sweep, a point's options and chip, frozen parameters."""
        choices = {kind: values.get(kind, {}) for kind in ("option", "chip")}
        digest = hashlib.sha256(f"{self.hash} {json.dumps(choices, sort_keys=True, default=_as_json)}".encode())
        _add_arrays(digest, frozen)
        return digest.hexdigest()

    def by_kind(self, point: Point) -> dict[str, dict[str, Any]]:
        """Return the values of a point by kind, then by key."""
        values: dict[str, dict[str, Any]] = {}
        for axis, value in zip(self.axes, point):
            values.setdefault(axis.kind, {})[axis.key] = value
        return values

    def parameters_of(self, point: Point) -> dict[str, AnyArray]:
        """Return the parameters at a point: a number fills the whole parameter, or multiplies it."""
        arrays = dict(self.parameters)
        for axis, value in zip(self.axes, point):
            if axis.kind != "parameter":
                continue
            arrays[axis.key] = self.parameter_at(axis, value)
        return arrays

    def parameter_at(self, axis: Axis, value: Any) -> AnyArray:
        """Return the parameter that an axis varies where it has a value."""
        initial = self.parameters.get(axis.key, self.network.parameters[axis.key].value.numpy)
        filled = initial * value if axis.times else value
        return np.full(initial.shape, filled) if np.ndim(filled) == 0 else np.asarray(filled)

    def seed_of(self, point: Point) -> int:
        """Return the seed of the noise at a point."""
        return int(self.by_kind(point).get("seed", {}).get("seed", self.seed))

    def split(self) -> list[tuple[int, int]]:
        """Return first sample and number of samples of each part of a batch."""
        ends = np.linspace(0, self.batch, self.parts + 1).astype(int).tolist()
        return [(first, end - first) for first, end in itertools.pairwise(ends)]


def with_own_threads(target: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with one thread a run, where the target has threads and none are asked for: workers fill cores."""
    names = [item.name for item in dataclasses.fields(plugins.backend(target).Options)]
    return {"threads": 1, **options} if "threads" in names else dict(options)


def setup_of(graph: Graph, **named: Any) -> Setup:
    """Return a setup of a graph. Errors: T1xx."""
    return Setup(graph=graph_bytes(graph), **named)


def _add_arrays(digest: Any, arrays: Mapping[str, AnyArray]) -> None:
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype} {array.shape}".encode() + np.ascontiguousarray(array).tobytes())


def _as_json(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)
