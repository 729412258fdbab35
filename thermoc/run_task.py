"""Carries out a run on a session: chunk by chunk, recorded, saved and watched, and what is left of it when it stops."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from thermoc.checkpoint import Pending, refuse_pending
from thermoc.foretelling import memory_of
from thermoc.ir.feed import Feed
from thermoc.progress import Display, on_terminal
from thermoc.recording.chips import chip_attrs, picture_attrs
from thermoc.recording.files import suffix_of
from thermoc.recording.plan import signals
from thermoc.recording.recording import Recording
from thermoc.recording.store import RunStore, make_way
from thermoc.run import Call, Interrupted, Run, Stopped
from thermoc.run_loop import Loop
from thermoc.saving import Saver, Saving
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import ThermocError, error
from thermoc.support.files import can_write
from thermoc.support.loading import reading, shown

if TYPE_CHECKING:
    from thermoc.backends.base import BackendSession

SAME_RUN = ("graph_sha256", "target", "seed", "first_sample", "first_tick", "begun", "batch", "record")
"""What a store says of the run that goes on in it."""
Save = Callable[[Saving, Pending], object]
"""Writes a checkpoint of the session with a run that is not over."""


@dataclass(frozen=True, kw_only=True)
class RunTask:
    """A run that is asked for, and how it is watched.

    to, overwrite: where it is written, and whether over what is there. saving: where it is saved while it goes on.
    recorded: what was recorded of it when it was saved; None for one that begins.
    """

    call: Call
    fed: Feed
    to: str | os.PathLike[str] | None = None
    overwrite: bool = False
    saving: Saving | None = None
    progress: bool | None = None
    max_memory: int | str | None = None
    recorded: Mapping[str, AnyArray] | None = None

    @property
    def streams(self) -> bool:
        """Whether it is written while it runs."""
        return self.to is not None and suffix_of(self.to) == ".zarr"

    @property
    def pending(self) -> Pending:
        """What a checkpoint holds of it, but for what is recorded."""
        return Pending(
            ticks=self.call.ticks,
            begun=self.call.begun,
            inputs=self.call.inputs,
            record=[[name, *map(str, specs)] for name, specs in self.call.plan.items()],
            to=None if self.to is None else os.path.abspath(self.to),
            every=None if self.saving is None else str(self.saving.every),
            note={} if self.saving is None else self.saving.note,
        )


def carry_out(session: BackendSession, task: RunTask, save: Save) -> Run:
    """Run what is left of a run. Errors: T302, T404, T408, T505, T506, those of the target; ``Interrupted``."""
    call, compiled = task.call, task.call.executable
    needed = memory_of(compiled, task.fed, call.plan, to=task.to, saved=task.saving is not None, limit=task.max_memory)
    needed.check()
    if task.saving is not None and task.recorded is None:
        refuse_pending(task.saving.path)
        can_write(task.saving.path)  # before a store is written over
    recording, done = _recording(task), session.tick - call.begun
    saver = None if task.saving is None else _saver(task, task.saving, recording, save)
    with ExitStack() as stack:
        show = None
        if on_terminal(task.progress):
            show = Display(compiled.source.name, call.ticks, done, recording.scalars)
            stack.callback(show.close)
        loop = Loop(
            session=session,
            fed=task.fed,
            recorders=recording.recorders,
            longest=needed.chunk,
            stops=None if task.saving is None else task.saving.ticks,
            observers=[observer for observer in (saver, show) if observer is not None],
        )
        try:
            if saver is not None:
                saver(done)
            loop.go_on(done)
        except (KeyboardInterrupt, ThermocError) as reason:
            raise _stopped(reason, session, task, recording, saver) from None
    run = _run(session, task, recording)
    try:
        _write(run, task, recording)
    except ThermocError as reason:
        raise _not_written(reason, run, task) from None
    return run


def _saver(task: RunTask, saving: Saving, recording: Recording, save: Save) -> Saver:
    pending = task.pending
    return Saver(saving, pending.ticks, lambda: save(saving, replace(pending, recorded=recording.snapshot())))


def _recording(task: RunTask) -> Recording:
    """Return what records a run; what could not be written in the end is refused now. Errors: T302, T505, T506."""
    call, to = task.call, task.to
    size = {"ticks": call.ticks, "batch": call.batch, "begun": call.begun}
    compiled = call.executable
    signal = signals(compiled.source, compiled.graph, call.plan, levelled=to is not None, **size)
    store = None
    if to is not None and task.streams:
        if task.recorded is None:
            store = RunStore.create(to, call.provenance, overwrite=task.overwrite)
        else:
            store = _store_again(to, call)
    elif to is not None:
        if task.recorded is None:
            make_way(Path(to), overwrite=task.overwrite)
        can_write(to)
    frame = None if store is None else call.frame
    recording = Recording(call.plan, signal, begun=call.begun, store=store, frame=frame)
    if task.recorded is not None:
        with reading("the checkpoint", "one of this run"):
            recording.restore(task.recorded)
    return recording


def _store_again(to: str | os.PathLike[str], call: Call) -> RunStore:
    """Return the store in which a run that was saved goes on. Errors: T420 for another run's, T501, T502, T506."""
    begin_anew = "to begin anew, remove the checkpoint: the same bytes come again"
    if not Path(to).is_dir():
        notes = ["what the run has recorded went there, and it is there no more"]
        raise error("T501", f"{shown(to)} cannot be read", notes=notes, hint=f"bring it back; or, {begin_anew}")
    store = RunStore.reopen(to)
    differ = [name for name in SAME_RUN if store.attrs.get(name) != call.provenance[name]]
    if differ:
        notes = [f"{name}: {store.attrs.get(name)!r} in it, {call.provenance[name]!r} of the run" for name in differ]
        raise error("T420", f"{shown(to)} holds another run", notes=notes, hint=f"move it away, and {begin_anew}")
    return store


def _stopped(
    reason: KeyboardInterrupt | ThermocError,
    session: BackendSession,
    task: RunTask,
    recording: Recording,
    saver: Saver | None,
) -> BaseException:
    """Return what to raise where a run was stopped: with what is recorded, where that is of whole ticks."""
    done = session.tick - task.call.begun
    steps = {recorder.seen for recorders in recording.recorders.values() for recorder in recorders}
    if done == 0 or steps - {done}:
        return reason
    run = _run(session, task, recording)
    if saver is not None and isinstance(reason, KeyboardInterrupt):
        try:
            saver.write(done)
        except ThermocError as full:
            reason = full  # what is recorded may lie on another disk
    try:
        _write(run, task, recording)
    except ThermocError as full:
        return _not_written(reason if isinstance(reason, ThermocError) else full, run, task)
    if isinstance(reason, ThermocError):
        return Stopped(reason.findings, run, task.call.ticks)
    return Interrupted(run, task.call.ticks)


def _not_written(reason: ThermocError, run: Run, task: RunTask) -> ThermocError:
    """Return the error of a run that the disk does not hold: with what memory does, where nothing went to a store."""
    return reason if run.store is not None else Stopped(reason.findings, run, task.call.ticks)


def _run(session: BackendSession, task: RunTask, recording: Recording) -> Run:
    """Return what has been run so far."""
    call, done = task.call, session.tick - task.call.begun
    if done < call.ticks:
        inputs = {name: array[:done] if name in call.timed else array for name, array in call.inputs.items()}
        call = replace(call, ticks=done, inputs=inputs)
    return Run(
        network=call.executable.source.name,
        target=call.executable.backend.name,
        seed=call.position["seed"],
        dt=call.executable.graph.dt,
        recorded=recording.recorded,
        states=session.states,
        chip=session.chip,
        call=call,
        complete=done == task.call.ticks,
        store=recording.store,
    )


def _write(run: Run, task: RunTask, recording: Recording) -> None:
    """Write what has been run where it was to be. Errors: T505."""
    store = run.store
    if store is not None and run.chip is not None:  # before the store says that it is complete
        store.guard(lambda: store.group.attrs.update({**chip_attrs(run.chip), **picture_attrs(run.chip)}))
    recording.close()
    if task.to is not None and run.store is None:
        run.save(task.to, overwrite=True)
