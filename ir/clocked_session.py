"""A graph with Loihi inside as a session that goes on: host and Loihi each by its own clock (see ``host_device``)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Protocol

import numpy as np

from thermoc.ir.dialects.loihi import LoihiEncode
from thermoc.ir.feed import Feed
from thermoc.ir.graph import Graph
from thermoc.ir.host_device import border, is_clocked, split_graph
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import ThermocError, error

Arrays = Mapping[str, AnyArray]


class PartSession(Protocol):
    """A session of one of the three parts: what a ``BackendSession`` is, and a ``ReferenceSession``."""

    @property
    def tick(self) -> int:
        """Ticks that are behind it."""
        ...

    def advance(self, feed: Feed, names: Collection[str] | None = None) -> dict[str, AnyArray]:
        """Run on and return the outputs; whole or not at all."""
        ...

    @property
    def states(self) -> dict[str, AnyArray]:
        """States as they are now."""
        ...

    def set_states(self, states: Arrays) -> None:
        """Replace some states."""
        ...

    def snapshot(self) -> dict[str, AnyArray]:
        """Return all that is needed to go on from here."""
        ...

    def restore(self, snapshot: Arrays, tick: int) -> None:
        """Go on from a snapshot of this tick."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


class ClockedSession:
    """Host, Loihi and host, which run in turn and go on for as long as they are asked.

    After n ticks of the network Loihi is n * every ticks on, and its states are those of that tick. Its results for
    the last tick come later: for these it runs ahead, with the last message repeated, and is set back to where it was.
    What it has not been sent yet is kept. So ticks run at once or in pieces give the same bits.
    """

    def __init__(self, graph: Graph, start: Callable[[Graph], PartSession], *, batch: int, first_tick: int = 0):
        """Start every part by ``start``. Errors: T105, T404 for a first tick other than 0."""
        if first_tick and is_clocked(graph):
            notes = [f"first_tick = {first_tick}", "units wait for what is on its way to them"]
            raise error("T404", "a network on Loihi runs from tick 0", notes=notes)
        self.batch, self.tick = batch, 0
        self._split = split_graph(graph)
        self._read: dict[frozenset[str], frozenset[str]] = {}
        self._parts = {name: start(side) for name, side in self._split.parts.items()}
        # What an encode sent in the last ticks, which its lag keeps from Loihi; before tick 0 it is silent.
        self._sent: Arrays = {op.y.name: self._silence(op) for op in self._split.encodes}

    def advance(self, feed: Feed, names: Collection[str] | None = None) -> dict[str, AnyArray]:
        """Run ``feed.ticks`` ticks of the network on; return the named outputs (ticks, batch, *shape), None for all."""
        snapshot = self.snapshot()
        try:
            outputs = self._turn(feed, names)
        except BaseException:
            # A part whose runtime has gone cannot go back; why it went is what the caller must hear.
            with suppress(ThermocError):
                self.restore(snapshot, self.tick)
            raise
        self.tick += feed.ticks
        return outputs

    @property
    def states(self) -> dict[str, AnyArray]:
        """States (batch, *shape) now: the host's, and Loihi's after tick * every ticks of its own."""
        return {name: array for side in self._parts.values() for name, array in side.states.items()}

    def set_states(self, states: Arrays) -> None:
        """Replace some states. What is under way from the host to Loihi stays."""
        for name, side in self._parts.items():
            # An op that both host parts need is in both.
            names = self._split.parts[name].states.keys() & states.keys()
            if names:
                side.set_states({state: states[state] for state in names})

    def snapshot(self) -> dict[str, AnyArray]:
        """Return what each part needs to go on, and what is under way between them."""
        snapshots = {name: side.snapshot() for name, side in self._parts.items()} | {"sent": self._sent}
        return {f"{side}/{name}": array for side, arrays in snapshots.items() for name, array in arrays.items()}

    def restore(self, snapshot: Arrays, tick: int) -> None:
        """Go on from a snapshot that was taken at this tick."""
        snapshots: dict[str, dict[str, AnyArray]] = {"sent": {}, **{side: {} for side in self._parts}}
        for key, array in snapshot.items():
            side, name = key.split("/", 1)
            snapshots[side][name] = array
        for name, side in self._parts.items():
            side.restore(snapshots[name], tick * self._split.every if name == "loihi" else tick)
        self._sent, self.tick = snapshots["sent"], tick

    def close(self) -> None:
        """Close every part."""
        for side in self._parts.values():
            side.close()

    def _run(self, name: str, feed: Feed, names: Collection[str] | None = None) -> Arrays:
        """Run a part on, if it has work to do."""
        return self._parts[name].advance(feed, names) if name in self._parts else {}

    def _turn(self, feed: Feed, names: Collection[str] | None) -> dict[str, AnyArray]:
        messages = self._run("before", self._fed("before", feed.arrays, feed.ticks))
        sent = {name: np.concatenate([self._sent[name], array]) for name, array in messages.items()}
        read = self._read_for(self._split.after.outputs if names is None else names)
        results: Mapping[str, AnyArray] = self._loihi(sent, feed.ticks, read) if "loihi" in self._parts else {}
        self._sent = {name: array[feed.ticks :] for name, array in sent.items()}
        arrays = dict(feed.arrays)
        for op in self._split.decodes:
            if op.x.name in read:
                # What Loihi says of the network's tick t is there in its tick t every + lag.
                arrays[border(op.x)] = results[op.x.name][op.lag :: self._split.every][: feed.ticks]
            else:
                arrays[border(op.x)] = np.zeros((feed.ticks, self.batch, *op.x.shape), op.x.dtype.numpy)
        return dict(self._run("after", self._fed("after", arrays, feed.ticks), names))

    def _read_for(self, outputs: Collection[str]) -> frozenset[str]:
        """Return what Loihi is asked for: an output that is not wanted costs it nothing."""
        key = frozenset(outputs)
        if key not in self._read:
            self._read[key] = self._split.read_for(key)
        return self._read[key]

    def _loihi(self, sent: Arrays, ticks: int, read: Collection[str]) -> Arrays:
        """Run Loihi on for these ticks of the network; return what is read of it, what it says ahead behind it."""
        on, lookahead = ticks * self._split.every, self._split.ahead
        received = {op.y.name: self._received(op, sent[op.y.name], on + lookahead) for op in self._split.encodes}
        return self._and_ahead(self._fed("loihi", received, on), self._fed("loihi", received, lookahead, on), read)

    def _and_ahead(self, on: Feed, ahead: Feed, read: Collection[str]) -> Arrays:
        """Run Loihi on, and then ahead and back; return what is read of it in both."""
        results = self._run("loihi", on, read)
        if not ahead.ticks:
            return results
        loihi = self._parts["loihi"]
        snapshot, tick = loihi.snapshot(), loihi.tick
        late = loihi.advance(ahead, read)
        loihi.restore(snapshot, tick)
        return {name: np.concatenate([array, late[name]]) for name, array in results.items()}

    def _fed(self, name: str, arrays: Arrays, ticks: int, first: int = 0) -> Feed:
        """Return what a part is given: of all arrays those it has inputs for, and of these some ticks."""
        inputs = self._split.parts[name].inputs if name in self._parts else ()
        return Feed(arrays={key: arrays[key][first : first + ticks] for key in inputs}, ticks=ticks, batch=self.batch)

    def _received(self, op: LoihiEncode, sent: AnyArray, ticks: int) -> AnyArray:
        """Return an encode's messages (network ticks, batch, ...) tick by tick of Loihi: each for ``every``."""
        first = len(self._sent[op.y.name])
        tick = first + (np.arange(ticks) - op.lag) // self._split.every
        return sent[np.minimum(tick, len(sent) - 1)]

    def _silence(self, op: LoihiEncode) -> AnyArray:
        ticks = -(-op.lag // self._split.every)
        return np.zeros((ticks, self.batch, *op.y.shape), op.y.dtype.numpy)
