"""A lowered graph run by the reference interpreter, for a target whose own runtime is not there, or that has none."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from numpy.typing import NDArray

from thermoc.backends.base import BackendSession, NoisePosition
from thermoc.ir.feed import Feed
from thermoc.ir.graph import Graph
from thermoc.ir.reference import start_session


class InterpretedSession(BackendSession):
    """A session of the reference. Errors: T404 where a graph with Loihi inside does not start at tick 0."""

    def __init__(self, graph: Graph, *, batch: int, position: NoisePosition):
        super().__init__(batch=batch, position=position)
        where = {"seed": position.seed, "first_sample": position.first_sample, "first_tick": position.first_tick}
        self._session = start_session(graph, batch=batch, **where)

    def advance(self, feed: Feed, names: Collection[str] | None = None) -> dict[str, NDArray]:
        """Run some ticks on."""
        outputs = self._session.advance(feed, names)
        self.tick = self._session.tick
        return outputs

    @property
    def states(self) -> dict[str, NDArray]:
        """States now."""
        return self._session.states

    def set_states(self, states: Mapping[str, NDArray]) -> None:
        """Replace some states."""
        self._session.set_states(states)

    def snapshot(self) -> dict[str, NDArray]:
        """Return all that another session needs to go on from here."""
        return self._session.snapshot()

    def restore(self, snapshot: Mapping[str, NDArray], tick: int) -> None:
        """Go on from a snapshot that was taken at this tick."""
        self._session.restore(snapshot, tick)
        self.tick = tick
