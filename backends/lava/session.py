"""A session on Lava: its processes wait between calls, and are made anew where they have to be."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.base import BackendSession, NoisePosition
from thermoc.backends.lava.artefact import LavaArtefact
from thermoc.backends.lava.group import ProcessGroup
from thermoc.backends.lava.interpreter import interpreter
from thermoc.ir.clocked_session import ClockedSession, PartSession
from thermoc.ir.dialects.loihi import LIMIT
from thermoc.ir.feed import Feed
from thermoc.ir.graph import Graph
from thermoc.ir.reference import ReferenceSession
from thermoc.support.errors import ThermocError, error


class LavaSession(BackendSession):
    """Loihi's ops in Lava, in ticks of their own.

    The first call starts the processes, with sinks for the outputs that it wants; a call that wants others starts them
    anew from the states as they are. So does the one after an interruption.
    """

    def __init__(self, artefact: LavaArtefact, *, batch: int, position: NoisePosition):
        """Start at the initial states. Errors: T302 where Lava is missing."""
        super().__init__(batch=batch, position=position)
        interpreter()
        self._artefact, self._outputs = artefact, frozenset[str]()
        self._states = ReferenceSession(artefact.loihi, batch=batch).states
        self._group: ProcessGroup | None = None
        self._ended: tuple[str, ...] = ()

    def advance(self, feed: Feed, names: Collection[str] | None = None) -> dict[str, NDArray]:
        """Run on. Errors: T403 for a message of more than 24 bits, T409 where Lava fails or is late, T417 then."""
        return self.advance_and_ahead(feed, 0, names)

    def advance_and_ahead(self, feed: Feed, ahead: int, names: Collection[str] | None = None) -> dict[str, NDArray]:
        """Run on; the last ``ahead`` ticks of the feed are looked at alone, and leave tick and states as they were."""
        self._live()
        for name, array in feed.arrays.items():
            _bounded(name, array[:1] if array.strides[0] == 0 else array)
        requested, before = tuple(self._artefact.loihi.outputs if names is None else names), (self.tick, self._states)
        try:
            group, end = self._started(requested), self.tick + feed.ticks - ahead
            outputs = self._run(group, feed, end, requested)
            self.tick, self._states = end, group.states
            if ahead:
                group.set_states({})
        except BaseException as reason:
            # What Lava has done of it is thrown away with the processes.
            self.tick, self._states = before
            self._close_group()
            if isinstance(reason, ThermocError):
                self._end(reason)
            raise
        return outputs

    def _started(self, wanted: Collection[str]) -> ProcessGroup:
        if self._group is None or not self._outputs.issuperset(wanted):
            self._close_group()
            self._outputs = self._outputs.union(wanted)
            self._group = ProcessGroup(self._artefact, sorted(self._outputs), batch=self.batch, position=self.position)
            self._group.set_states(self._states)
        return self._group

    def _run(self, group: ProcessGroup, feed: Feed, end: int, wanted: Collection[str]) -> dict[str, NDArray]:
        deadline, ticks = time.monotonic() + self._artefact.options.run_limit, feed.ticks
        values = {name: self._artefact.loihi.outputs[name].x for name in wanted}
        outputs = {
            name: np.empty((ticks, self.batch, *value.shape), value.dtype.numpy) for name, value in values.items()
        }
        for begin in range(0, ticks, group.rows):
            window = slice(begin, min(begin + group.rows, ticks))
            inputs = {name: array[window].reshape(window.stop - begin, -1) for name, array in feed.arrays.items()}
            where = group.run(inputs, range(self.tick + begin, self.tick + window.stop), end, deadline)
            for name, array in outputs.items():
                array[window] = group.read(name, where).reshape(array[window].shape)
        return outputs

    @property
    def states(self) -> dict[str, NDArray]:
        """States of Loihi's ops now."""
        return {name: array.copy() for name, array in self._states.items()}

    def set_states(self, states: Mapping[str, NDArray]) -> None:
        """Replace some states. Errors: T417."""
        self._live()
        self._states = self._states | {name: np.array(array) for name, array in states.items()}
        if self._group is not None:
            self._group.set_states(states)

    def close(self) -> None:
        """End the processes, and remove their files and shared memory."""
        self._end(None)

    def _live(self) -> None:
        """Raise T417 where the session has ended, or its processes have while they waited."""
        if self._group is not None and not self._ended:
            try:
                self._group.check("waiting")
            except ThermocError as reason:
                self._end(reason)
        if self._ended:
            what, *notes = self._ended
            raise error("T417", f"the session on Lava has ended: {what}", notes=notes, hint="start another")

    def _end(self, reason: ThermocError | None) -> None:
        why = ("it was closed",) if reason is None else (reason.findings[0].what, *reason.findings[0].notes)
        self._ended = self._ended or why
        self._close_group()

    def _close_group(self) -> None:
        group, self._group = self._group, None
        if group is not None:
            group.close()


class HostAndLavaSession(ClockedSession, BackendSession):
    """The host by the reference, Loihi in Lava, each by its own clock. Errors: T404 for a first tick other than 0."""

    def __init__(self, artefact: LavaArtefact, *, batch: int, position: NoisePosition):
        def start(part: Graph) -> PartSession:
            if part == artefact.loihi:
                return LavaSession(artefact, batch=batch, position=position)
            return ReferenceSession(part, batch=batch, **vars(position))

        BackendSession.__init__(self, batch=batch, position=position)
        ClockedSession.__init__(self, artefact.graph, start, batch=batch, first_tick=position.first_tick)

    def _and_ahead(self, on: Feed, ahead: Feed, read: Collection[str]) -> Mapping[str, NDArray]:
        lava = self._parts["loihi"]
        assert isinstance(lava, LavaSession)
        arrays = {name: np.concatenate([array, ahead.arrays[name]]) for name, array in on.arrays.items()}
        combined = Feed(arrays=arrays, ticks=on.ticks + ahead.ticks, batch=self.batch)
        return lava.advance_and_ahead(combined, ahead.ticks, read)


def _bounded(name: str, rows: NDArray) -> None:
    """Raise T403 where a message has more than Loihi's 24 bits: the package was chosen for those."""
    largest = int(np.abs(rows.astype(np.int64)).max(initial=0))
    if largest > LIMIT:
        notes = [f"its largest magnitude is {largest}", f"a message of Loihi is at most {LIMIT}: 24 bits"]
        raise error("T403", f"input {name!r} is too large to be sent", notes=notes)
