"""Run a program."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from numpy.typing import NDArray

from thermoc.backends.base import BackendSession, NoisePosition
from thermoc.ir.feed import Feed
from thermoc.ir.recording import Recorder

if TYPE_CHECKING:
    from thermoc.backends.sim import ProgramArtefact
    from thermoc.simulator import Program
    from thermoc.simulator.session import Session


class IdleSession:
    """The session of a program that was closed last: to begin again is faster than to make another ready."""

    def __init__(self) -> None:
        self._idle: list[tuple[int, Session]] = []

    def take(self, batch: int) -> Session | None:
        """Return it where it is of so many samples; nobody else will get it."""
        with suppress(IndexError):  # of two threads one comes too late
            size, session = self._idle.pop()
            return session if size == batch else None

    def give(self, batch: int, session: Session) -> None:
        """Keep a session that nobody runs any more."""
        self._idle[:] = [(batch, session)]

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return IdleSession, ()  # it leads to compiled code, which another process has elsewhere


class ProgramSession(BackendSession):
    """A program that runs on. Errors: T408 and T421 of a GPU; feeds have been checked.

    idle: where it finds a session of the same program and options, and leaves its own when it is closed.
    """

    def __init__(
        self,
        program: Program,
        *,
        batch: int,
        position: NoisePosition,
        threads: int | None = None,
        device: str = "cpu",
        idle: IdleSession | None = None,
    ):
        from thermoc.simulator.session import Session

        where = {"seed": position.seed, "first_sample": position.first_sample, "first_tick": position.first_tick}
        session = None if idle is None else idle.take(batch)
        if session is None:
            session = Session(program, batch=batch, threads=threads, device=device, **where)
        else:
            session.restart(**where)
        self._session, self._program, self._idle = session, program, idle
        super().__init__(batch=batch, position=position)

    def close(self) -> None:
        """Leave what is ready to the next session of the program, where it is little."""
        idle, self._idle = self._idle, None
        if idle is not None:
            session = self._session
            del self._session  # it is another's from now on
            if session.little and session.program is self._program:
                idle.give(self.batch, session)

    @property
    def tick(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The engine's own: Ctrl-C may strike on the way back from it."""
        return self._session.tick

    @tick.setter
    def tick(self, tick: int) -> None:
        self._session.tick = tick

    def advance(self, feed: Feed, names: Collection[str] | None = None) -> dict[str, NDArray]:
        """Run some ticks on."""
        return self._session.run(feed.arrays, ticks=feed.ticks, names=names)

    def step(self, inputs: Mapping[str, NDArray], names: frozenset[str]) -> dict[str, NDArray]:
        """Run one tick on."""
        return self._session.step(inputs, names)

    def record(self, feed: Feed, recorders: Mapping[str, Sequence[Recorder]]) -> None:
        """Run on; values are reduced by the program itself, and computed only in ticks that are recorded."""
        from thermoc.backends.sim.recording import record

        record(self._session, feed.arrays, feed.ticks, recorders)

    @property
    def states(self) -> dict[str, NDArray]:
        """States now."""
        return self._session.states

    def set_states(self, states: Mapping[str, NDArray]) -> None:
        """Replace some states."""
        self._session.set_states(states)

    def replace(self, artefact: ProgramArtefact) -> None:
        """Go on with other parameters."""
        self._session.program = artefact.program

    def restore(self, snapshot: Mapping[str, NDArray], tick: int) -> None:
        """Go on from a snapshot."""
        self._session.restore(snapshot, tick)
