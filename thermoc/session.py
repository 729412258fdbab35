"""A run that goes on: started once, run for as long as it is asked, its states read and set by name."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc.compiled import Compiled
from thermoc.ir.feed import feed
from thermoc.recording.files import suffix_of
from thermoc.recording.plan import planned, signals
from thermoc.recording.recording import Recording
from thermoc.recording.store import RunStore, make_way
from thermoc.run import Call, Run
from thermoc.support.array_types import AnyArray
from thermoc.support.files import can_write

if TYPE_CHECKING:
    from thermoc.backends.base import BackendSession

Inputs = Mapping[str, ArrayLike]


class Session:
    """``batch`` samples of a network that go on from call to call; ten runs of 100 ticks are the bits of one of 1,000.

    It is made by ``Executable.start`` and is a context manager: leaving it gives back what the target holds.
    """

    def __init__(self, compiled: Compiled, *, batch: int, seed: int, first_sample: int, first_tick: int):
        # Imported here: `import thermoc` loads no backend.
        from thermoc.backends.base import NoisePosition

        self._compiled, self.batch, self.seed = compiled, batch, seed
        self._first_sample, self._first_tick = first_sample, first_tick
        position = NoisePosition(seed=seed, first_sample=first_sample, first_tick=first_tick)
        self._session: BackendSession = compiled.backend.start(compiled.artefact, batch=batch, position=position)
        self.state = State(self._session)

    @property
    def tick(self) -> int:
        """The number of ticks that are behind it."""
        return self._session.tick

    def run(
        self,
        ticks: int | None = None,
        inputs: Inputs | None = None,
        *,
        record: Mapping[str, Any] | None = None,
        to: str | os.PathLike[str] | None = None,
        overwrite: bool = False,
    ) -> Run:
        """Run on for some ticks.

        inputs: arrays (batch, *shape), held over the ticks, or (ticks, batch, *shape). record: what is kept of which
        output or probe, ``{"E": tc.every(100), "s": [tc.mean(), tc.events()]}``; default: every output, all of it.
        to: where it is written: a ``.zarr`` while it runs, a ``.nc`` or ``.npz`` at the end; overwrite: one that is
        there already. Errors: T302, T401 to T404, T408, T419, T505, T506.
        """
        graph, arrays = self._compiled.graph, {} if inputs is None else inputs
        plan = planned(self._compiled.source, record)
        begun = self.tick
        where = {
            "seed": self.seed,
            "first_sample": self._first_sample,
            "first_tick": self._first_tick + begun,
        }
        fed = feed(graph, arrays, ticks=ticks, batch=self.batch, **where)
        call = Call(
            executable=self._compiled,
            inputs={name: np.asarray(array) for name, array in arrays.items()},
            ticks=fed.ticks,
            batch=fed.batch,
            begun=begun,
            position=where,
            # The feed broadcasts inputs that stay the same: these have a stride of 0 along the ticks.
            timed=frozenset(name for name, array in fed.arrays.items() if array.strides[0] != 0),
            plan=plan,
        )
        recording = self._recording(call, to, overwrite)
        self._session.record(fed, recording.recorders)
        recording.close()
        run = Run(
            network=self._compiled.source.name,
            target=self._compiled.backend.name,
            seed=self.seed,
            dt=graph.dt,
            recorded=recording.recorded,
            states=self._session.states,
            chip=self._session.chip,
            call=call,
            store=recording.store,
        )
        if to is not None and run.store is None:
            run.save(to, overwrite=overwrite)
        return run

    def _recording(self, call: Call, to: str | os.PathLike[str] | None, overwrite: bool) -> Recording:
        """Return what records a call; what could not be written in the end is refused now."""
        size = {"ticks": call.ticks, "batch": call.batch, "begun": call.begun}
        signal = signals(self._compiled.source, self._compiled.graph, call.plan, levelled=to is not None, **size)
        if to is None or suffix_of(to) != ".zarr":
            if to is not None:
                make_way(Path(to), overwrite=overwrite)
                can_write(to)
            return Recording(call.plan, signal, begun=call.begun)
        store = RunStore.create(to, call.provenance, overwrite=overwrite)
        return Recording(call.plan, signal, begun=call.begun, store=store, frame=call.frame)

    def step(self, inputs: Inputs | None = None) -> dict[str, AnyArray]:
        """Run one tick on; inputs are arrays (batch, *shape), and so are the outputs it returns: for closed loops."""
        return {name: recorded.values[0] for name, recorded in self.run(1, inputs).recorded.items()}

    def close(self) -> None:
        """Give back what the target holds; what was recorded stays."""
        self._session.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None):
        self.close()

    def __repr__(self) -> str:
        compiled = self._compiled
        where = f"{compiled.source.name!r} on {compiled.backend.name}"
        return f"Session({where}, batch {self.batch}, seed {self.seed}, tick {self.tick})"


class State(MutableMapping[str, AnyArray]):
    """The states of a session, (batch, *shape) by name: read as copies, set by assignment."""

    def __init__(self, session: BackendSession):
        self._session = session

    def __getitem__(self, name: str) -> AnyArray:
        return self._session.states[name]

    def __setitem__(self, name: str, value: ArrayLike) -> None:
        before = self[name]
        array = np.broadcast_to(np.asarray(value, before.dtype), before.shape)
        self._session.set_states({name: array})

    def __delitem__(self, name: str) -> None:
        raise TypeError("a state cannot be removed")

    def __iter__(self) -> Iterator[str]:
        return iter(self._session.states)

    def __len__(self) -> int:
        return len(self._session.states)


def run_once(
    compiled: Compiled,
    inputs: Inputs | None = None,
    *,
    ticks: int | None = None,
    batch: int | None = None,
    seed: int = 0,
    first_sample: int = 0,
    first_tick: int = 0,
    **recorded: Any,
) -> Run:
    """Run from the initial state: a session that is started, run and closed.

    recorded: ``record``, ``to`` and ``overwrite``, as ``Session.run`` takes them. Errors: T302 and those of it.
    """
    where = {"seed": seed, "first_sample": first_sample, "first_tick": first_tick}
    fed = feed(compiled.graph, {} if inputs is None else inputs, ticks=ticks, batch=batch, **where)
    with Session(compiled, batch=fed.batch, **where) as session:
        return session.run(fed.ticks, inputs, **recorded)
