"""One run, repeated on every graph and target: the same inputs, ticks, samples and place in the noise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thermoc.backends.base import Backend, NoisePosition, Outcome
from thermoc.ir.dialects.core import Input
from thermoc.ir.feed import Feed, feed
from thermoc.ir.graph import Graph
from thermoc.ir.reference import interpret
from thermoc.ir.reference.interpreter import ReferenceTrace
from thermoc.ir.reference.jitter import Jitter
from thermoc.ir.types import DType, Role

TICKS, BATCH = 64, 4
"""What a run takes where neither the caller nor the inputs say."""


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """Inputs by name, each (ticks, batch, *shape), where the run stands in the noise, and in how many calls of a
    session a target runs it."""

    inputs: Mapping[str, NDArray]
    ticks: int
    batch: int
    seed: int
    pieces: int = 1

    def reference(self, graph: Graph, *, probes: Iterable[str] = (), jitter: Jitter | None = None) -> ReferenceTrace:
        """Run the reference interpreter."""
        arrays = feed(graph, self.inputs, ticks=self.ticks, batch=self.batch)
        with np.errstate(all="ignore"):
            return interpret(graph, arrays, seed=self.seed, probes=probes, jitter=jitter)

    def target(self, backend: Backend, artefact: Any, graph: Graph) -> Outcome:
        """Run a target on the artefact of a graph. Errors: T302 where its runtime is missing."""
        arrays = feed(graph, self.inputs, ticks=self.ticks, batch=self.batch)
        session = backend.start(artefact, batch=self.batch, position=NoisePosition(seed=self.seed))
        try:
            outputs = [session.advance(segment) for segment in _pieces(arrays, self.pieces)]
            joined = {name: np.concatenate([segment[name] for segment in outputs]) for name in outputs[0]}
            return Outcome(outputs=joined, states=session.states, chip=session.chip)
        finally:
            session.close()

    def cut(self, *, ticks: slice = slice(None), samples: slice = slice(None)) -> RunSettings:
        """Return the setting of fewer ticks and samples."""
        inputs = {name: np.ascontiguousarray(array[ticks, samples]) for name, array in self.inputs.items()}
        sizes = len(range(self.ticks)[ticks]), len(range(self.batch)[samples])
        return replace(self, inputs=inputs, ticks=sizes[0], batch=sizes[1])


def _pieces(fed: Feed, count: int) -> list[Feed]:
    """Return a feed cut along its ticks into pieces of nearly the same length, none of them empty."""
    cuts = np.linspace(0, fed.ticks, min(count, fed.ticks) + 1).round().astype(int).tolist()
    parts = [({name: array[a:b] for name, array in fed.arrays.items()}, b - a) for a, b in pairwise(cuts)]
    return [Feed(arrays=arrays, ticks=ticks, batch=fed.batch) for arrays, ticks in parts]


def setting(
    graph: Graph, inputs: Mapping[str, ArrayLike] | None, *, ticks: int | None, batch: int | None, seed: int
) -> RunSettings:
    """Return the setting of a run; inputs that are not given are drawn. Errors: T401 to T404."""
    if inputs is not None:
        timed = any(_rank(inputs[name]) == len(op.shape) + 2 for name, op in graph.inputs.items() if name in inputs)
        ticks = TICKS if ticks is None and not timed else ticks
        fed = feed(graph, inputs, ticks=ticks, batch=BATCH if batch is None and not inputs else batch, seed=seed)
        return RunSettings(inputs=fed.arrays, ticks=fed.ticks, batch=fed.batch, seed=seed)
    empty = graph.with_ops(op for op in graph.ops if not isinstance(op, Input))
    size_asked = TICKS if ticks is None else ticks, BATCH if batch is None else batch
    size = feed(empty, {}, ticks=size_asked[0], batch=size_asked[1], seed=seed)
    # From the seed, so that a breach can be shown again with the same inputs.
    rng = np.random.default_rng(seed)
    drawn = {name: _drawn(op, rng, (size.ticks, size.batch, *op.shape)) for name, op in graph.inputs.items()}
    return RunSettings(inputs=drawn, ticks=size.ticks, batch=size.batch, seed=seed)


def _rank(array: ArrayLike) -> int:
    """Return how many axes an array has, 0 where it is none: ``feed`` says why."""
    try:
        return np.ndim(array)
    except (TypeError, ValueError):
        return 0


def _drawn(op: Input, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray:
    """Return standard normals, or what the role asks for; whole numbers have a spread of 3."""
    z = rng.normal(size=shape)
    if op.role is Role.temperature:
        # Far from zero, where Gibbs sampling freezes and 1 / T overflows.
        z = 0.5 + np.abs(z)
    elif op.role in (Role.spike, Role.probability):
        z = rng.random(shape) if op.role is Role.probability else (z > 1).astype(float)
    elif op.role is Role.index:
        z = np.abs(3 * z)
    elif op.dtype is not DType.bool and not op.dtype.is_float:
        z = 3 * z
    return (z > 0) if op.dtype is DType.bool else z.astype(op.dtype.numpy)
