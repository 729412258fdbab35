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
        return sum(self.sizes.values())

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes that it holds in memory at the end, by output."""
        return {name: sum(recorder.nbytes for recorder in recorders) for name, recorders in self.recorders.items()}

    def scalars(self) -> dict[str, float]:
        """Return what is known so far of outputs of a single number: the mean over the batch of what comes first."""
        known = {name: _latest(recorders) for name, recorders in self.recorders.items()}
        return {name: float(np.mean(array)) for name, array in known.items() if array is not None}

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


def _latest(recorders: tuple[Recorder, ...]) -> AnyArray | None:
    """Return what the first recorder of a single number has: the last row of a trace, else its first field."""
    first = next(iter(recorders), None)
    if first is None or first.signal.units != 1 or first.seen == 0:
        return None
    name, array = next(iter(first.fields.items()))
    if name not in ("values", "last", "mean", "minimum"):
        return None
    return array if name != "values" else array[-1] if len(array) else None
