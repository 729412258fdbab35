"""Run a program."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from numpy.typing import NDArray

from thermoc.backends.base import BackendSession, NoisePosition
from thermoc.ir.feed import Feed
from thermoc.ir.recording import Recorder

if TYPE_CHECKING:
    from thermoc.backends.sim import ProgramArtefact
    from thermoc.simulator import Program


class ProgramSession(BackendSession):
    """A program that runs on. Errors: T408 and T421 of a GPU; feeds have been checked."""

    def __init__(
        self,
        program: Program,
        *,
        batch: int,
        position: NoisePosition,
        threads: int | None = None,
        device: str = "cpu",
    ):
        from thermoc.simulator.session import Session

        self._session = Session(
            program,
            batch=batch,
            seed=position.seed,
            first_sample=position.first_sample,
            first_tick=position.first_tick,
            threads=threads,
            device=device,
        )
        super().__init__(batch=batch, position=position)

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
