"""A run that goes on: started once, run for as long as it is asked, its states read and set by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc.checkpoint import Checkpoint, Model, Pending
from thermoc.checkpoint import load as load_checkpoint
from thermoc.checkpoint import save as save_checkpoint
from thermoc.compiled import Compiled
from thermoc.foretelling import memory_of
from thermoc.ir.feed import COUNTER, ExactInputs, Feed, checked_numbers, feed
from thermoc.ir.graph import Graph
from thermoc.ir.memory import MemoryEstimate
from thermoc.ir.parameters import unknown_parameter
from thermoc.ir.state_values import checked_states, unknown_state
from thermoc.recording.plan import Plan, planned
from thermoc.run import Call, Run
from thermoc.run_task import RunTask, carry_out
from thermoc.saving import DEFAULT, Saving, saving
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import ThermocError, error
from thermoc.support.loading import reading

if TYPE_CHECKING:
    from thermoc.backends.base import BackendSession

Inputs = Mapping[str, ArrayLike]
Path = str | os.PathLike[str]


class Session:
    """``batch`` samples of a network that go on from call to call; ten runs of 100 ticks are the bits of one of 1,000.

    It is made by ``Executable.start`` and is a context manager: leaving it closes it.
    """

    def __init__(self, compiled: Compiled, *, batch: int, seed: int, first_sample: int, first_tick: int):
        # Imported here: `import thermoc` loads no backend.
        from thermoc.backends.base import NoisePosition

        self.batch = checked_numbers(batch=batch)["batch"]
        position = checked_numbers(seed=seed, first_sample=first_sample, first_tick=first_tick)
        self._compiled, self.seed = compiled, position["seed"]
        self._first_sample, self._first_tick = position["first_sample"], position["first_tick"]
        self._session: BackendSession = compiled.backend.start(
            compiled.artefact, batch=self.batch, position=NoisePosition(**position)
        )
        self.state = SessionState(compiled.graph, self._session)
        self._outputs = frozenset(compiled.graph.outputs) - compiled.graph.probes
        self.parameters = Parameters(self._compiled, self._replace)
        self._exact: ExactInputs | None = None
        self._described: tuple[Compiled, Model] | None = None
        self._pending: tuple[int, Pending] | None = None

    @property
    def tick(self) -> int:
        """The number of ticks that are behind it."""
        return self._session.tick

    @property
    def pending(self) -> Pending | None:
        """The run during which the session was saved that this one was loaded from: ``resume`` ends it.

        None once the session has left the tick at which it was saved: what it recorded would lack what came since.
        """
        return self._pending[1] if self._pending is not None and self._pending[0] == self.tick else None

    def run(
        self,
        ticks: int | None = None,
        inputs: Inputs | None = None,
        *,
        record: Mapping[str, Any] | None = None,
        to: Path | None = None,
        overwrite: bool = False,
        checkpoint: Path | Saving | None = None,
        every: int | str | None = None,
        progress: bool | None = None,
        max_memory: int | str | None = None,
    ) -> Run:
        """Run on for some ticks.

        inputs: arrays (batch, *shape), held over the ticks, or (ticks, batch, *shape). record: what is kept of which
        output or probe, ``{"E": tc.every(100), "s": [tc.mean(), tc.events()]}``; default: every output, all of it.
        to: where it is written: a ``.zarr`` while it runs, a ``.nc`` or ``.npz`` at the end; overwrite: one that is
        there already. checkpoint: a file it is saved to while it runs, ``every`` some ticks, or seconds as "30s";
        ``tc.resume`` goes on from it. progress: show it, default on a terminal. max_memory: refuse a run that holds
        more, default what is free. Ctrl-C raises ``tc.Interrupted``, whose ``run`` is what was recorded until then.
        Errors: T302, T401 to T404, T408, T419, T420, T505, T506.
        """
        arrays: Inputs = {} if inputs is None else inputs
        fed = self._feed(ticks, arrays, self.tick)
        options = {"to": to, "overwrite": overwrite, "progress": progress, "max_memory": max_memory}
        return self._run(fed, arrays, record=record, checkpoint=checkpoint, every=every, **options)

    def _run(
        self,
        fed: Feed,
        arrays: Inputs,
        *,
        record: Mapping[str, Any] | None = None,
        checkpoint: Path | Saving | None = None,
        every: int | str | None = None,
        **options: Any,
    ) -> Run:
        """Run on for the ticks of a feed, which is of these arrays; options as of ``run``."""
        call = self._call(fed, arrays, planned(self._compiled.source, record), self.tick)
        return self._carry_out(RunTask(call=call, fed=fed, saving=saving(checkpoint, every), **options))

    def resume(
        self,
        *,
        checkpoint: Path | None = None,
        progress: bool | None = None,
        max_memory: int | str | None = None,
    ) -> Run:
        """End the run during which the session was saved; return the whole of it.

        checkpoint: a file it is saved to while it goes on. Errors: T404 where no run was going on; those of ``run``.
        """
        pending = self.pending
        if pending is None:
            notes = [f"the session stands at tick {self.tick}, at which no run was going on when it was saved"]
            raise error("T404", "there is no run to resume", notes=notes, hint="session.run(ticks) goes on from there")
        fed = self._feed(pending.ticks, pending.inputs, pending.begun)
        plan = planned(self._compiled.source, {name: specs for name, *specs in pending.record})
        call, keep = self._call(fed, pending.inputs, plan, pending.begun), None
        if checkpoint is not None:
            keep = Saving(path=checkpoint, every=pending.every or DEFAULT, note=pending.note)
        watch = {"saving": keep, "progress": progress, "max_memory": max_memory}
        return self._carry_out(RunTask(call=call, fed=fed, to=pending.to, recorded=pending.recorded, **watch))

    def _carry_out(self, task: RunTask) -> Run:
        run = carry_out(self._session, task, lambda keep, pending: self._save(keep.path, pending))
        self._pending = None
        return run

    def _feed(self, ticks: int | None, arrays: Inputs, begun: int) -> Feed:
        where = self._where(begun)
        return feed(self._compiled.graph, arrays, ticks=ticks, batch=self.batch, kept=False, **where)

    def _where(self, begun: int) -> dict[str, int]:
        first_tick = self._first_tick + begun
        return {"seed": self.seed, "first_sample": self._first_sample, "first_tick": first_tick}

    def _call(self, fed: Feed, given: Inputs, plan: Plan, begun: int) -> Call:
        return Call(
            executable=self._compiled,
            inputs={name: np.asarray(array) for name, array in given.items()},
            ticks=fed.ticks,
            batch=fed.batch,
            begun=begun,
            position=self._where(begun),
            # The feed broadcasts inputs that stay the same: these have a stride of 0 along the ticks.
            timed=frozenset(name for name, array in fed.arrays.items() if array.strides[0] != 0),
            plan=plan,
            # A run that is resumed began before what is there now.
            start=self._session.snapshot() if begun == self.tick and (begun or self.state.touched) else None,
        )

    def memory(
        self, ticks: int | None = None, inputs: Inputs | None = None, *, record: Mapping[str, Any] | None = None
    ) -> MemoryEstimate:
        """Return what such a run would hold of memory, without running it; it prints. Errors: T401 to T404, T419."""
        fed = self._feed(ticks, {} if inputs is None else inputs, self.tick)
        return memory_of(self._compiled, fed, planned(self._compiled.source, record))

    def _replace(self, compiled: Compiled) -> None:
        self._session.replace(compiled.artefact)
        self._compiled = compiled

    def step(self, inputs: Inputs | None = None) -> dict[str, AnyArray]:
        """Run one tick on; inputs are arrays (batch, *shape), and so are the outputs it returns: for closed loops."""
        arrays = {} if inputs is None else inputs
        exact = self._exact
        # The first call is always looked at closely: batch and memory do not change from then on.
        if exact is None or self._first_tick + self.tick >= COUNTER or not exact.passes(arrays):
            fed = self._feed(1, arrays, self.tick)
            arrays = {name: array[0] for name, array in fed.arrays.items()}
            self._exact = ExactInputs(self._compiled.graph, self.batch)
        return self._session.step(arrays, self._outputs)  # pyright: ignore[reportArgumentType]  (they are arrays now)

    def save(self, path: Path) -> int:
        """Write a checkpoint of it, whole or not at all; return its size in bytes. Errors: T420, T505.

        It holds the network, the target with its options, all states and the position in the noise: ``Session.load``
        needs nothing else.
        """
        return self._save(path, None)

    def _save(self, path: Path, pending: Pending | None) -> int:
        checkpoint = Checkpoint(
            batch=self.batch,
            tick=self.tick,
            position=self._where(0),
            snapshot=self._session.snapshot(),
            pending=pending,
        )
        return save_checkpoint(path, self._model, checkpoint)

    @property
    def _model(self) -> Model:
        # With other parameters it is another network.
        if self._described is None or self._described[0] is not self._compiled:
            self._described = self._compiled, Model.of(self._compiled)
        return self._described[1]

    @classmethod
    def load(cls, path: Path, compiled: Compiled | None = None, *, device: str | None = None) -> Session:
        """Return the session that a checkpoint holds.

        compiled: what it must be of; by default the network in the file is compiled, for another ``device`` where one
        is named. Errors: T420 (of another network, target, options or version), T302, T303, T421, T501 to T504.
        """
        compiled, checkpoint = load_checkpoint(path, compiled, device)
        with reading(path, "a thermoc checkpoint"):
            session = cls(compiled, batch=checkpoint.batch, **checkpoint.position)
            session._session.restore(checkpoint.snapshot, checkpoint.tick)
        if checkpoint.pending is not None:
            session._pending = checkpoint.tick, checkpoint.pending
        return session

    def close(self) -> None:
        """Give back what the target holds; what was recorded stays. From then on all but its tick is T417."""
        from thermoc.backends.base import EndedSession

        ended = EndedSession(self._session)
        self._session.close()
        self._session = self.state._session = ended

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None):
        self.close()

    def __repr__(self) -> str:
        compiled = self._compiled
        where = f"{compiled.source.name!r} on {compiled.backend.name}"
        return f"Session({where}, batch {self.batch}, seed {self.seed}, tick {self.tick})"


class Parameters(MutableMapping[str, AnyArray]):
    """The parameters of a session by name: set by assignment or ``update``; states go on as they are.

    Errors: T418, T105, T108.
    """

    def __init__(self, compiled: Compiled, replace: Callable[[Compiled], None]):
        self._compiled, self._replace = compiled, replace

    def __getitem__(self, name: str) -> AnyArray:
        if name not in self:
            raise ThermocError([unknown_parameter(self._compiled.source, name)])
        return self._compiled.parameters[name]

    def __contains__(self, name: object) -> bool:
        return name in self._compiled.source.parameters

    def __setitem__(self, name: str, value: ArrayLike) -> None:
        self.update({name: value})

    def update(self, parameters: Mapping[str, ArrayLike]) -> None:  # type: ignore[override]
        """Replace several at once, which is faster than one by one."""
        changed = self._compiled.with_parameters(parameters)
        if changed is not self._compiled:
            self._replace(changed)
            self._compiled = changed

    def __delitem__(self, name: str) -> None:
        raise TypeError("a parameter cannot be removed")

    def __iter__(self) -> Iterator[str]:
        return iter(self._compiled.parameters)

    def __len__(self) -> int:
        return len(self._compiled.parameters)


class SessionState(MutableMapping[str, AnyArray]):
    """The states of a session, (batch, *shape) by name: read as copies, set by assignment, several by ``update``.

    What is given may be one sample's state, which then is every sample's. Errors, and then none is set: T404 for a name
    that is none, T403 for what the network cannot hold.
    """

    def __init__(self, graph: Graph, session: BackendSession):
        self._graph, self._session, self.touched = graph, session, False

    def __getitem__(self, name: str) -> AnyArray:
        states = self._session.states
        if name not in states:
            raise ThermocError([unknown_state(name, list(states))])
        return states[name]

    def __setitem__(self, name: str, value: ArrayLike) -> None:
        self.update({name: value})

    def update(self, *states: Mapping[str, ArrayLike], **named: ArrayLike) -> None:  # type: ignore[override]
        """Set several states, all of them or none."""
        values = dict(*states, **named)
        self._session.set_states(checked_states(self._graph, self._session.states, values))
        self.touched = True

    def __contains__(self, name: object) -> bool:
        return name in self._session.states

    def __delitem__(self, name: str) -> None:
        raise TypeError("a state cannot be removed")

    def __iter__(self) -> Iterator[str]:
        return iter(self._session.states)

    def __len__(self) -> int:
        return len(self._session.states)

    def __repr__(self) -> str:
        return f"State({', '.join(f'{name} {list(array.shape)}' for name, array in self._session.states.items())})"


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
    """Run from the initial state: a session that is started, run and closed.

    options: ``record``, ``to``, ``checkpoint`` and the others that ``Session.run`` takes. Errors: T302 and those of it.
    """
    where = {"seed": seed, "first_sample": first_sample, "first_tick": first_tick}
    arrays: Inputs = {} if inputs is None else inputs
    fed = feed(compiled.graph, arrays, ticks=ticks, batch=batch, kept=False, **where)
    _foretold(compiled, fed, **options).check()  # before a target makes room for the batch
    with Session(compiled, batch=fed.batch, **where) as session:
        return session._run(fed, arrays, **options)


def run_again(compiled: Compiled, call: Call) -> Run:
    """Repeat a call from where it began, of its network or of one that hands out more of its values.

    Errors: T404 where its beginning is not known; those of a run.
    """
    if call.start is None and not call.begun:
        return run_once(compiled, call.inputs, ticks=call.ticks, batch=call.batch, **call.position)
    hint = "certify a run of exe.run, or one of a session that was not resumed"
    if call.start is None:
        notes = [f"it began at tick {call.begun} of its session, whose state then is not kept"]
        raise error("T404", "this run cannot be repeated", notes=notes, hint=hint)
    position = {**call.position, "first_tick": call.position["first_tick"] - call.begun}
    with Session(compiled, batch=call.batch, **position) as session:
        initial, then = session._session.snapshot(), call.start
        if {name: a.shape for name, a in initial.items()} != {name: a.shape for name, a in then.items()}:
            notes = [f"then it had {sorted(then)}", f"now it has {sorted(initial)}"]
            raise error("T404", "the states of the repeated network are others", notes=notes, hint=hint)
        session._session.restore(then, call.begun)
        return session.run(call.ticks, call.inputs, progress=False)


def _foretold(
    compiled: Compiled,
    fed: Feed,
    *,
    record: Mapping[str, Any] | None = None,
    to: Path | None = None,
    checkpoint: object = None,
    max_memory: int | str | None = None,
    **others: Any,
) -> MemoryEstimate:
    plan = planned(compiled.source, record)
    return memory_of(compiled, fed, plan, to=to, saved=checkpoint is not None, limit=max_memory)


def run_memory(
    compiled: Compiled,
    inputs: Inputs | None = None,
    *,
    ticks: int | None = None,
    batch: int | None = None,
    **options: Any,
) -> MemoryEstimate:
    """Return what ``run_once`` would hold of memory; nothing is started. Errors: T401 to T404, T419."""
    fed = feed(compiled.graph, {} if inputs is None else inputs, ticks=ticks, batch=batch, kept=False)
    return _foretold(compiled, fed, **options)
