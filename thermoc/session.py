"""A run that goes on: started once, run for as long as it is asked, its states read and set by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from thermoc.compiled import Compiled
from thermoc.ir.feed import COUNTER, ExactInputs, feed
from thermoc.run import Call, Run
from thermoc.support.array_types import AnyArray

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
        self._outputs = frozenset(compiled.graph.outputs) - compiled.graph.probes
        self._exact: ExactInputs | None = None

    @property
    def tick(self) -> int:
        """The number of ticks that are behind it."""
        return self._session.tick

    def run(self, ticks: int | None = None, inputs: Inputs | None = None) -> Run:
        """Run on for some ticks.

        inputs: arrays (batch, *shape), held over the ticks, or (ticks, batch, *shape). Errors: T401 to T404, T408.
        """
        graph, arrays = self._compiled.graph, {} if inputs is None else inputs
        begun = self.tick
        where = {
            "seed": self.seed,
            "first_sample": self._first_sample,
            "first_tick": self._first_tick + begun,
        }
        fed = feed(graph, arrays, ticks=ticks, batch=self.batch, **where)
        outputs = self._session.advance(fed, graph.outputs.keys() - graph.probes)
        return Run(
            network=self._compiled.source.name,
            target=self._compiled.backend.name,
            seed=self.seed,
            dt=graph.dt,
            outputs=outputs,
            states=self._session.states,
            chip=self._session.chip,
            call=Call(
                executable=self._compiled,
                inputs={name: np.asarray(array) for name, array in arrays.items()},
                ticks=fed.ticks,
                batch=fed.batch,
                position=where,
                # The feed broadcasts inputs that stay the same: these have a stride of 0 along the ticks.
                timed=frozenset(name for name, array in fed.arrays.items() if array.strides[0] != 0),
            ),
        )

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
) -> Run:
    """Run from the initial state: a session that is started, run and closed. Errors: T302, T401 to T404, T408."""
    where = {"seed": seed, "first_sample": first_sample, "first_tick": first_tick}
    fed = feed(compiled.graph, {} if inputs is None else inputs, ticks=ticks, batch=batch, **where)
    with Session(compiled, batch=fed.batch, **where) as session:
        return session.run(fed.ticks, inputs)
