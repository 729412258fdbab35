"""All that a run records."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from thermoc.ir.recording import Recorder, Signal
from thermoc.recording.plan import Plan
from thermoc.recording.recorded import Recorded
from thermoc.support.array_types import AnyArray


class Recording:
    """The recorders of a run: ``recorders`` goes to ``BackendSession.record``, as often as the run is cut.

    A snapshot is named arrays; another recording of the same plan and signals goes on from it.
    """

    def __init__(self, plan: Plan, signals: Mapping[str, Signal]):
        self.plan = plan
        self.recorders: dict[str, tuple[Recorder, ...]] = {
            name: tuple(spec.recorder(signals[name]) for spec in specs) for name, specs in plan.items()
        }
        self.begun = next((signal.begun for signal in signals.values()), 0)

    @property
    def nbytes(self) -> int:
        """Bytes that it holds in memory at the end."""
        return sum(recorder.nbytes for recorders in self.recorders.values() for recorder in recorders)

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
        for name, recorders in self.recorders.items():
            for number, recorder in enumerate(recorders):
                place = f"{name}/{number}/"
                recorder.restore({key[len(place) :]: a for key, a in snapshot.items() if key.startswith(place)})

    def close(self) -> None:
        """End it: what is recorded stands for good."""


def _fields(recorders: tuple[Recorder, ...]) -> dict[str, AnyArray]:
    return {name: np.asarray(array) for recorder in recorders for name, array in recorder.fields.items()}
