"""All that a run records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from thermoc.ir.recording import Counts, EventList, Recorder, Signal
from thermoc.recording.layout import TRACE, Frame, coordinates, variable, variables
from thermoc.recording.plan import TRACES, Plan
from thermoc.recording.recorded import Recorded
from thermoc.recording.specs import Spec
from thermoc.recording.store import RunStore, StoredEvents, StoredTrace
from thermoc.support.array_types import AnyArray


class Recording:
    """The recorders of a run: ``recorders`` goes to ``BackendSession.record``, as often as the run is cut.

    With a store, traces and events go there while it runs, the rest when it is closed. A snapshot is named arrays;
    another recording of the same plan and signals, on the same store reopened, goes on from it to the same bytes.
    """

    def __init__(
        self,
        plan: Plan,
        signals: Mapping[str, Signal],
        *,
        begun: int,
        store: RunStore | None = None,
        frame: Frame | None = None,
    ):
        self.plan, self.begun, self.store, self.frame = plan, begun, store, frame
        self.recorders: dict[str, tuple[Recorder, ...]] = {
            name: tuple(self._recorder(name, spec, signals[name]) for spec in specs) for name, specs in plan.items()
        }
        self._ticks = max((signal.ticks for signal in signals.values()), default=0)

    def _recorder(self, name: str, spec: Spec, signal: Signal) -> Recorder:
        if self.store is None or self.frame is None or spec.kind not in (*TRACES, "events"):
            return spec.recorder(signal)
        variables_of = {of: self.frame.place(name, of, spec.k) for of in (TRACE, "events", "payloads")}
        if spec.kind in TRACES:
            return StoredTrace(signal, spec.k, self.store, **variables_of[TRACE])
        return StoredEvents(signal, self.store, variables_of)

    @property
    def nbytes(self) -> int:
        """Bytes that it holds in memory at the end."""
        return sum(recorder.nbytes for recorders in self.recorders.values() for recorder in recorders)

    def scalars(self) -> dict[str, float]:
        """Return what is known so far of outputs of a single number: the mean over the batch of what comes first."""
        latest = {name: _latest(recorders) for name, recorders in self.recorders.items()}
        return {name: float(np.mean(array)) for name, array in latest.items() if array is not None}

    @property
    def seen(self) -> int:
        """Ticks that were recorded."""
        return max((recorder.seen for recorders in self.recorders.values() for recorder in recorders), default=0)

    @property
    def recorded(self) -> dict[str, Recorded]:
        """What is recorded so far, by output."""
        return {
            name: Recorded(name, _fields(recorders), self.plan[name], begun=self.begun)
            for name, recorders in self.recorders.items()
        }

    def snapshot(self) -> dict[str, AnyArray]:
        """Return all that it needs to go on, by names like ``s/0/mean``."""
        return {
            f"{name}/{number}/{key}": array
            for name, recorders in self.recorders.items()
            for number, recorder in enumerate(recorders)
            for key, array in recorder.snapshot().items()
        }

    def restore(self, snapshot: Mapping[str, AnyArray]) -> None:
        """Go on from a snapshot."""
        if self.store is not None:
            self.store.go_on({array.basename for array in self._streamed()})
        for name, recorders in self.recorders.items():
            for number, recorder in enumerate(recorders):
                prefix = f"{name}/{number}/"
                recorder.restore({key[len(prefix) :]: a for key, a in snapshot.items() if key.startswith(prefix)})

    def _streamed(self) -> Iterator[Any]:
        """Yield the arrays of the store that are written while it runs."""
        for recorder in (recorder for recorders in self.recorders.values() for recorder in recorders):
            if isinstance(recorder, StoredTrace | StoredEvents):
                yield from recorder.fields.values()

    def close(self) -> None:
        """End it: what a store lacks is written, at whatever tick the run ended. Errors: T505."""
        if self.store is None or self.frame is None:
            return
        streamed: set[str] = set()
        for name, recorder in ((name, recorder) for name, some in self.recorders.items() for recorder in some):
            if isinstance(recorder, StoredTrace | StoredEvents):
                recorder.finish()
                streamed |= {variable(name, of) for of in recorder.fields}
        recorded = self.recorded
        arrays = {name: array for name, array in variables(self.frame, recorded).items() if name not in streamed}
        self.store.finish(arrays, coordinates(self.frame, recorded), self.seen, self.seen == self._ticks)


def _fields(recorders: tuple[Recorder, ...]) -> dict[str, AnyArray]:
    return {name: array for recorder in recorders for name, array in recorder.fields.items()}


def _latest(recorders: tuple[Recorder, ...]) -> AnyArray | None:
    """Return what the first recorder of a single number has: the last row of a trace, else its first field."""
    first = next(iter(recorders), None)
    if (
        first is None
        or first.signal.units != 1
        or first.seen == 0
        or isinstance(first, StoredTrace | EventList | Counts)
    ):
        return None
    name, array = next(iter(first.fields.items()))
    return array if name != TRACE else array[-1] if len(array) else None
