"""A run that goes on: started once, run for as long as it is asked, its states read and set by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc.compiled import Compiled
from thermoc.ir.feed import COUNTER, ExactInputs, feed
from thermoc.ir.graph import Graph
from thermoc.ir.state_values import checked_states, unknown_state
from thermoc.recording.files import suffix_of
from thermoc.recording.plan import planned, signals
from thermoc.recording.recording import Recording
from thermoc.recording.store import RunStore, make_way
from thermoc.run import Call, Run
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import ThermocError
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
        self.state = State(compiled.graph, self._session)
        self._outputs = frozenset(compiled.graph.outputs) - compiled.graph.probes
        self.parameters = Parameters(self._compiled, self._replace)
        self._exact: ExactInputs | None = None

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

    def _replace(self, compiled: Compiled) -> None:
        self._session.replace(compiled.artefact)
        self._compiled = compiled

    def step(self, inputs: Inputs | None = None) -> dict[str, AnyArray]:
        """Run one tick on; inputs are arrays (batch, *shape), and so are the outputs it returns: for closed loops."""
        given = {} if inputs is None else inputs
        exact = self._exact
        # The first call is always looked at closely: batch and memory do not change from then on.
        if exact is None or self._first_tick + self.tick >= COUNTER or not exact.passes(given):
            where = {"seed": self.seed, "first_sample": self._first_sample, "first_tick": self._first_tick + self.tick}
            fed = feed(self._compiled.graph, given, ticks=1, batch=self.batch, **where)
            given = {name: array[0] for name, array in fed.arrays.items()}
            self._exact = ExactInputs(self._compiled.graph, self.batch)
        return self._session.step(given, self._outputs)  # pyright: ignore[reportArgumentType]  (they are arrays now)

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


class Parameters(MutableMapping[str, AnyArray]):
    """The parameters of a session by name: set by assignment or ``update``; states go on as they are.

    Errors: T418, T105, T108.
    """

    def __init__(self, compiled: Compiled, replace: Callable[[Compiled], None]):
        self._compiled, self._replace = compiled, replace

    def __getitem__(self, name: str) -> AnyArray:
        return self._compiled.parameters[name]

    def __setitem__(self, name: str, value: ArrayLike) -> None:
        self.update({name: value})

    def update(self, parameters: Mapping[str, ArrayLike]) -> None:  # type: ignore[override]
        """Replace several at once, which is faster than one by one."""
        changed = self._compiled.with_parameters(parameters)
        self._replace(changed)
        self._compiled = changed

    def __delitem__(self, name: str) -> None:
        raise TypeError("a parameter cannot be removed")

    def __iter__(self) -> Iterator[str]:
        return iter(self._compiled.parameters)

    def __len__(self) -> int:
        return len(self._compiled.parameters)


class State(MutableMapping[str, AnyArray]):
    """The states of a session, (batch, *shape) by name: read as copies, set by assignment, several by ``update``.

    What is given may be one sample's state, which then is every sample's. Errors, and then none is set: T404 for a name
    that is none, T403 for what the network cannot hold.
    """

    def __init__(self, graph: Graph, session: BackendSession):
        self._graph, self._session = graph, session

    def __getitem__(self, name: str) -> AnyArray:
        states = self._session.states
        if name not in states:
            raise ThermocError([unknown_state(name, list(states))])
        return states[name]

    def __setitem__(self, name: str, value: ArrayLike) -> None:
        self.update({name: value})

    def update(self, *states: Mapping[str, ArrayLike], **named: ArrayLike) -> None:  # type: ignore[override]
        """Set several states, all of them or none."""
        given = dict(*states, **named)
        self._session.set_states(checked_states(self._graph, self._session.states, given))

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
    **recorded: Any,
) -> Run:
    """Run from the initial state: a session that is started, run and closed.

    recorded: ``record``, ``to`` and ``overwrite``, as ``Session.run`` takes them. Errors: T302 and those of it.
    """
    where = {"seed": seed, "first_sample": first_sample, "first_tick": first_tick}
    fed = feed(compiled.graph, {} if inputs is None else inputs, ticks=ticks, batch=batch, **where)
    with Session(compiled, batch=fed.batch, **where) as session:
        return session.run(fed.ticks, inputs, **recorded)
