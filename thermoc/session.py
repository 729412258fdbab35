"""A run that goes on: started once, run for as long as it is asked, its states read and set by name."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import replace
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc.checkpoint import Checkpoint, Model, Pending, refuse_pending
from thermoc.checkpoint import load as load_checkpoint
from thermoc.checkpoint import save as save_checkpoint
from thermoc.compiled import Compiled
from thermoc.foretelling import memory_of, recording_of
from thermoc.ir.feed import Feed, feed
from thermoc.ir.memory import Memory
from thermoc.progress import Display, on_terminal
from thermoc.recording.plan import planned
from thermoc.recording.recording import Recording
from thermoc.run import Call, Interrupted, Run, Stopped
from thermoc.run_loop import Loop
from thermoc.saving import DEFAULT, Saver, Saving, saving
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import ThermocError, error
from thermoc.support.loading import reading

if TYPE_CHECKING:
    from thermoc.backends.base import BackendSession

Inputs = Mapping[str, ArrayLike]
Path = str | os.PathLike[str]


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
        self.pending: Pending | None = None
        """The run during which the checkpoint was written that the session was loaded from: ``resume`` ends it."""

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
        checkpoint: Path | Saving | None = None,
        every: int | str | None = None,
        progress: bool | None = None,
        max_memory: int | str | None = None,
    ) -> Run:
        """Run on for some ticks.

        inputs: arrays (batch, *shape), held over the ticks, or (ticks, batch, *shape). record: what is kept of which
        output or probe, ``{"E": tc.every(100), "s": [tc.mean(), tc.events()]}``; default: every output, all of it.
        checkpoint: a file to save to while it runs, ``every`` some ticks or seconds ("30s"); ``tc.resume`` goes on from
        it. progress: show it, default on a terminal. max_memory: refuse a run that holds more, default what is free.
        Ctrl-C raises ``tc.Interrupted``, whose ``run`` is what was recorded; so has an error behind the first ticks.
        Errors: T401 to T404, T408, T419, T505.
        """
        given: Inputs = {} if inputs is None else inputs
        fed = self._feed(ticks, given, self.tick)
        plan = planned(self._compiled.source, record)
        pending = Pending(
            ticks=fed.ticks,
            begun=self.tick,
            inputs={name: np.asarray(array) for name, array in given.items()},
            record=[[name, *map(str, specs)] for name, specs in plan.items()],
        )
        keep = saving(checkpoint, every)
        if keep is not None:
            refuse_pending(keep.path)
        return self._carry_out(pending, fed, keep, progress=progress, max_memory=max_memory)

    def resume(
        self,
        *,
        checkpoint: Path | None = None,
        progress: bool | None = None,
        max_memory: int | str | None = None,
    ) -> Run:
        """End the run during which the session was saved; ``run`` is the whole of it. Errors: T404, T408, T505."""
        pending = self.pending
        if pending is None:
            notes = [f"the session stands at tick {self.tick}, and no run was going on when it was saved"]
            raise error("T404", "there is no run to resume", notes=notes, hint="session.run(ticks) goes on from there")
        keep = None
        if checkpoint is not None:
            keep = Saving(path=checkpoint, every=pending.every or DEFAULT, note=pending.note)
        fed = self._feed(pending.ticks, pending.inputs, pending.begun)
        return self._carry_out(pending, fed, keep, progress=progress, max_memory=max_memory)

    def _carry_out(
        self, pending: Pending, fed: Feed, keep: Saving | None, *, progress: bool | None, max_memory: int | str | None
    ) -> Run:
        """Run what is left of a run."""
        self.pending, done, graph = None, self.tick - pending.begun, self._compiled.graph
        record = {name: specs for name, *specs in pending.record}
        recording = recording_of(self._compiled, record, fed, begun=pending.begun)
        needed = memory_of(self._compiled, fed, recording, saved=keep is not None, limit=max_memory)
        needed.check()
        if pending.recorded:
            recording.restore(pending.recorded)
        saver = None if keep is None else Saver(keep, fed.ticks, lambda: self._save_run(pending, keep, recording))
        show = Display(graph.name, fed.ticks, done, recording.scalars) if on_terminal(progress) else None
        loop = Loop(
            session=self._session,
            fed=fed,
            recorders=recording.recorders,
            longest=needed.chunk,
            stops=None if keep is None else keep.ticks,
            observers=[observer for observer in (saver, show) if observer is not None],
        )
        try:
            if saver is not None:
                saver(done)
            loop.go_on(done)
        except (KeyboardInterrupt, ThermocError) as reason:
            raise self._stopped(reason, pending, recording, saver) from None
        finally:
            if show is not None:
                show.close()
        recording.close()
        return self._result(pending, recording)

    def _stopped(
        self, reason: KeyboardInterrupt | ThermocError, pending: Pending, recording: Recording, saver: Saver | None
    ) -> BaseException:
        """Return what to raise where a run was stopped: with what is recorded, where that is of whole ticks."""
        done = self.tick - pending.begun
        seen = {recorder.seen for recorders in recording.recorders.values() for recorder in recorders}
        if done == 0 or seen - {done}:
            return reason
        recording.close()
        run = self._result(pending, recording)
        if isinstance(reason, ThermocError):
            return Stopped(reason.findings, run, pending.ticks)
        if saver is not None:
            saver.write(done)
        return Interrupted(run, pending.ticks)

    def _feed(self, ticks: int | None, arrays: Inputs, begun: int) -> Feed:
        where = self._where(begun)
        return feed(self._compiled.graph, arrays, ticks=ticks, batch=self.batch, kept=False, **where)

    def _where(self, begun: int) -> dict[str, int]:
        first_tick = self._first_tick + begun
        return {"seed": self.seed, "first_sample": self._first_sample, "first_tick": first_tick}

    def _result(self, pending: Pending, recording: Recording) -> Run:
        """Return what has been run so far."""
        graph, done = self._compiled.graph, self.tick - pending.begun
        timed = frozenset(name for name, op in graph.inputs.items() if pending.inputs[name].ndim > len(op.shape) + 1)
        inputs = {name: array[:done] if name in timed else array for name, array in pending.inputs.items()}
        return Run(
            network=self._compiled.source.name,
            target=self._compiled.backend.name,
            seed=self.seed,
            dt=graph.dt,
            recorded=recording.recorded,
            states=self._session.states,
            chip=self._session.chip,
            call=Call(
                executable=self._compiled,
                inputs=inputs,
                ticks=done,
                batch=self.batch,
                position=self._where(pending.begun),
                timed=timed,
            ),
        )

    def memory(
        self, ticks: int | None = None, inputs: Inputs | None = None, *, record: Mapping[str, Any] | None = None
    ) -> Memory:
        """Return what such a run would hold of memory, without running it; it prints. Errors: T401 to T404, T419."""
        fed = self._feed(ticks, {} if inputs is None else inputs, self.tick)
        return memory_of(self._compiled, fed, recording_of(self._compiled, record, fed))

    def step(self, inputs: Inputs | None = None) -> dict[str, AnyArray]:
        """Run one tick on; inputs are arrays (batch, *shape), and so are the outputs it returns: for closed loops."""
        run = self.run(1, inputs, progress=False)
        return {name: recorded.values[0] for name, recorded in run.recorded.items()}

    def save(self, path: Path) -> int:
        """Write a checkpoint of it, whole or not at all; return its size in bytes. Errors: T420, T505.

        It holds the network, the target with its options, all states and the position in the noise: ``Session.load``
        needs nothing else.
        """
        return self._save(path, None)

    def _save_run(self, pending: Pending, keep: Saving, recording: Recording) -> None:
        now = replace(pending, recorded=recording.snapshot(), every=keep.every, note=keep.note)
        self._save(keep.path, now)

    def _save(self, path: Path, pending: Pending | None) -> int:
        checkpoint = Checkpoint(
            batch=self.batch,
            tick=self.tick,
            position=self._where(0),
            snapshot=self._session.snapshot(),
            pending=pending,
        )
        return save_checkpoint(path, self._model, checkpoint)

    @cached_property
    def _model(self) -> Model:
        return Model.of(self._compiled)

    @classmethod
    def load(cls, path: Path, compiled: Compiled | None = None) -> Session:
        """Return the session that a checkpoint holds.

        compiled: what it must be of; by default the network in the file is compiled. Errors: T420 (of another network,
        target, options or version), T302, T501 to T504.
        """
        compiled, checkpoint = load_checkpoint(path, compiled)
        with reading(path, "a thermoc checkpoint"):
            session = cls(compiled, batch=checkpoint.batch, **checkpoint.position)
            session._session.restore(checkpoint.snapshot, checkpoint.tick)
        session.pending = checkpoint.pending
        return session

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
    **options: Any,
) -> Run:
    """Run from the initial state: a session that is started, run and closed; ``options`` are those of ``Session.run``.

    Errors: T302, T401 to T404, T408, T419, T505.
    """
    where = {"seed": seed, "first_sample": first_sample, "first_tick": first_tick}
    fed = feed(compiled.graph, {} if inputs is None else inputs, ticks=ticks, batch=batch, kept=False, **where)
    with Session(compiled, batch=fed.batch, **where) as session:
        return session.run(fed.ticks, inputs, **options)


def run_memory(
    compiled: Compiled,
    inputs: Inputs | None = None,
    *,
    ticks: int | None = None,
    batch: int | None = None,
    record: Mapping[str, Any] | None = None,
    checkpoint: bool = False,
    max_memory: int | str | None = None,
) -> Memory:
    """Return what a run from the initial state would hold of memory; nothing is started. Errors: T401 to T404, T419."""
    fed = feed(compiled.graph, {} if inputs is None else inputs, ticks=ticks, batch=batch, kept=False)
    return memory_of(compiled, fed, recording_of(compiled, record, fed), saved=checkpoint, limit=max_memory)
