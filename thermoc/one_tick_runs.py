"""Runs of one tick that are called again and again: what no call changes is worked out once for each batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from thermoc.compiled import Compiled
from thermoc.foretelling import memory_of
from thermoc.ir.feed import COUNTER, LIMITS, ExactInputs, Feed
from thermoc.ir.memory import LITTLE
from thermoc.recording.plan import planned
from thermoc.recording.recorded import Recorded
from thermoc.run import Call, Run

MOST = 8
"""Batches that are known at a time."""


class OneTickRuns:
    """The batches with which an executable was run for a tick, all outputs recorded and nothing written."""

    def __init__(self) -> None:
        self._known: dict[int, _OneTickRun] = {}

    def run(self, inputs: Any, batch: Any, position: Mapping[str, Any]) -> Run | None:
        """Return what ``run_once`` would, or None where that must look at the call itself. Errors: those of a run."""
        samples = _samples(inputs) if batch is None else batch
        cached = self._known.get(samples) if type(samples) is int else None
        arrays = cached.checked(inputs, position) if cached is not None else None
        return cached.run(inputs, arrays, position) if cached is not None and arrays is not None else None

    def learn(self, compiled: Compiled, run: Run) -> None:
        """Let a run like this one be called faster, where it is of one tick and holds little."""
        if run.call is None or run.call.ticks != 1 or run.call.batch in self._known:
            return
        fed = Feed(arrays={}, ticks=1, batch=run.call.batch)
        if memory_of(compiled, fed, run.call.plan).total < LITTLE:
            if len(self._known) == MOST:
                self._known.clear()
            self._known[run.call.batch] = _OneTickRun(compiled, run.call.batch)


class _OneTickRun:
    """A run of one tick and of so many samples, whose memory needs no look at what is free."""

    def __init__(self, compiled: Compiled, batch: int):
        self._compiled, self._batch, self._plan = compiled, batch, planned(compiled.source, None)
        self._exact = ExactInputs(compiled.graph, batch)
        self._floats = {name: op.dtype.numpy for name, op in compiled.graph.inputs.items() if op.dtype.is_float}
        # a counter has 32 bits for the element: beyond them noise would repeat
        limit = COUNTER // max(1, compiled.graph.noise_units) - batch
        self._limits = [*({**LIMITS, "first_sample": (0, limit)}).items()][2:]

    def checked(self, inputs: Any, position: Mapping[str, Any]) -> dict[str, np.ndarray] | None:
        """Return the inputs as arrays of the graph's formats, or None where they or the position need a closer look."""
        for name, (low, high) in self._limits:
            if type(position[name]) is not int or not low <= position[name] <= high:
                return None
        arrays = {} if inputs is None else inputs
        if self._exact.passes(arrays):
            return dict(arrays)
        if type(arrays) is not dict:
            return None
        cast = {name: self._cast(name, array) for name, array in arrays.items()}
        return cast if self._exact.passes(cast) else None

    def _cast(self, name: Any, array: Any) -> Any:
        """Return floats in the format of the graph's, and anything else as it is."""
        real = type(array) is np.ndarray and array.dtype.kind == "f" and name in self._floats
        # what is too large for a narrower format becomes infinite, which is looked at more closely
        with np.errstate(over="ignore"):
            return array.astype(self._floats[name]) if real else array

    def run(
        self, inputs: Mapping[str, np.ndarray] | None, arrays: Mapping[str, np.ndarray], position: Mapping[str, int]
    ) -> Run:
        """Run it from the initial state; ``inputs`` are as they were given, ``arrays`` as they were checked."""
        from thermoc.backends.base import NoisePosition

        compiled = self._compiled
        fed = Feed(arrays={name: array[np.newaxis] for name, array in arrays.items()}, ticks=1, batch=self._batch)
        session = compiled.backend.start(compiled.artefact, batch=self._batch, position=NoisePosition(**position))
        try:
            outputs = session.advance(fed, self._plan)
            states, chip = session.states, session.chip
        finally:
            session.close()
        call = Call(
            executable=compiled,
            inputs=dict(inputs or {}),
            ticks=1,
            batch=self._batch,
            begun=0,
            position=position,
            timed=frozenset(),
            plan=self._plan,
        )
        return Run(
            network=compiled.source.name,
            target=compiled.backend.name,
            seed=position["seed"],
            dt=compiled.graph.dt,
            recorded={name: Recorded(name, {"values": outputs[name]}, specs) for name, specs in self._plan.items()},
            states=states,
            call=call,
            chip=chip,
        )


def _samples(inputs: Any) -> Any:
    """Return the number of samples of the first input; 1 where there is none."""
    first = next(iter(inputs.values()), None) if isinstance(inputs, Mapping) else None
    shape = getattr(first, "shape", ())
    return shape[0] if shape else 1
