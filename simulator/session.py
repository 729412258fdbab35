"""A run of a program that goes on: states last from call to call."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.buffers import Buffers, Plan, RunningMoments
from thermoc.simulator.processors import AnyEngine, processor
from thermoc.simulator.program import Form, Program, ProgramState
from thermoc.simulator.wanted_outputs import Wanted, with_outputs
from thermoc.support.errors import error

LITTLE = 2**18
"""Elements up to which a session keeps the memory of a tick."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """Outputs (ticks, batch, *shape) and states after the last tick (batch, ticks of the ring, *shape), by name."""

    outputs: dict[str, NDArray]
    states: dict[str, NDArray]


def run(
    program: Program,
    inputs: Mapping[str, NDArray],
    *,
    ticks: int,
    batch: int,
    seed: int = 0,
    first_sample: int = 0,
    first_tick: int = 0,
    threads: int | None = None,
    block: int | None = None,
    device: str = "cpu",
) -> Result:
    """Run ``ticks`` ticks for ``batch`` samples from the initial state: a session of one call (see ``Session``)."""
    where = {"seed": seed, "first_sample": first_sample, "first_tick": first_tick}
    session = Session(program, batch=batch, threads=threads, block=block, device=device, **where)
    outputs = session.run(inputs, ticks=ticks)
    return Result(outputs=outputs, states=session.states)


class Mark(NamedTuple):
    """A tick, and the states as they were."""

    tick: int
    states: Any


class Session:
    """A run of ``batch`` samples that goes on: ticks at once or in pieces give the same bits.

    threads: at most so many, default one a core. block: samples that run together, default what fits the cache.
    device: "cpu" or "cuda". Results are the same for every number of threads, size of block, and split of the batch
    (with ``first_sample``). Errors: T421 for a GPU that is not there.
    ``tick`` is the number of ticks behind it. Where ``run`` or ``step`` raises, states and tick are what they were.
    """

    def __init__(
        self,
        program: Program,
        *,
        batch: int,
        seed: int = 0,
        first_sample: int = 0,
        first_tick: int = 0,
        threads: int | None = None,
        block: int | None = None,
        device: str = "cpu",
    ):
        self._program, self.tick, self._processor = program, 0, processor(device)
        self._plan = Plan(batch, seed, first_sample, first_tick, threads, block)
        self._states = self._processor.states(program, batch)
        self._engines: dict[Wanted | None, AnyEngine] = {}
        self._steps: dict[frozenset[str] | None, _Step] = {}
        elements = sum(sum(widths) for widths in program.widths) + sum(array.size for array in program.first_states)
        self.little = batch * elements <= LITTLE
        """Whether states, inputs and outputs are worth keeping for the next tick or run."""

    def run(
        self, inputs: Mapping[str, NDArray], *, ticks: int, names: Collection[str] | None = None
    ) -> dict[str, NDArray]:
        """Run ``ticks`` ticks on; inputs are (ticks, batch, *shape), and so are the outputs that it returns.

        names: of the outputs that are wanted, None for all; what only others need is not computed. Errors: T401 for a
        missing input, T402 for one of another shape, T405 for two particles at one place.
        """
        _check_inputs(self.program, inputs, (ticks, self._plan.batch))
        if ticks == 1 and self.little:
            step = self.step({port.name: inputs[port.name][0] for port in self._program.inputs}, _frozen(names))
            return {name: array[np.newaxis] for name, array in step.items()}
        engine, begun, before = self._engine(_wanted(names)), self.tick, self.mark(ticks)
        try:
            outputs = engine.run(inputs, ticks=ticks, begun=begun)
            self.tick = begun + ticks
        except BaseException:
            self.go_back(before)
            raise
        return outputs

    def reduce(
        self, inputs: Mapping[str, NDArray], *, ticks: int, wanted: Wanted, moments: Mapping[str, RunningMoments]
    ) -> Buffers:
        """Run ``ticks`` ticks on; return buffers with outputs, totals of these ticks, and moments.

        moments: of the ticks before, for each output whose moments are wanted. Errors: those of ``run``.
        """
        _check_inputs(self.program, inputs, (ticks, self._plan.batch))
        engine, begun, before = self._engine(wanted), self.tick, self.mark(ticks)
        buffers = engine.buffers(inputs, ticks)
        for name, arrays in buffers.moments.items():
            for array, start in zip(arrays, moments[name]):
                array[...] = start
        try:
            engine.fill(buffers, begun)
            engine.leave()
            self.tick = begun + ticks
        except BaseException:
            self.go_back(before)
            raise
        return buffers

    def restart(self, *, seed: int, first_sample: int, first_tick: int) -> None:
        """Begin again from the initial state, with other noise."""
        self.tick = 0
        self._states.restart(self._program)
        if (seed, first_sample, first_tick) != self._plan[1:4]:
            self._plan = self._plan._replace(seed=seed, first_sample=first_sample, first_tick=first_tick)
            for engine in self._engines.values():
                engine.restart(self._plan)

    def step(self, inputs: Mapping[str, NDArray], names: frozenset[str] | None = None) -> dict[str, NDArray]:
        """Run one tick on; inputs are (batch, *shape) of each port's dtype, and so are the outputs. Errors: T405."""
        step = self._steps.get(names)
        if step is None:
            step = self._steps[names] = _Step.of(self._engine(_wanted(names)), self._plan.batch)
        for name, array in step.inputs:
            array[...] = inputs[name]
        # of a program without states nothing is overwritten: a mark made later is the same
        begun, before = self.tick, self.mark(1) if self._program.states else None
        try:
            step.engine.fill(step.buffers, begun)
            outputs = {name: array.astype(dtype) for name, array, dtype in step.outputs}
            self.tick = begun + 1
        except BaseException:
            self.tick = begun
            self.go_back(before or self.mark(1))
            raise
        return outputs

    @property
    def program(self) -> Program:
        """What runs; it may be replaced by a program that differs in its constants alone."""
        return self._program

    @program.setter
    def program(self, program: Program) -> None:
        self._program, self._engines, self._steps = program, {}, {}

    def mark(self, ticks: int) -> Mark:
        """Return what ``go_back`` needs to come back here from some ticks on."""
        return Mark(self.tick, self._states.mark(begun=self.tick, ticks=ticks))

    def go_back(self, mark: Mark) -> None:
        """Let states and tick be as they were at a mark, which is used up."""
        self._states.go_back(mark.states)
        self.tick, self._engines, self._steps = mark.tick, {}, {}

    def _engine(self, wanted: Wanted | None) -> AnyEngine:
        if wanted not in self._engines:
            program = with_outputs(self.program, wanted)
            self._engines[wanted] = self._processor.engine(program, self._plan, self._states.arrays)
        return self._engines[wanted]

    @property
    def states(self) -> dict[str, NDArray]:
        """States now: (batch, *shape), or (batch, ticks of the ring, *shape), oldest first."""
        return {state.name: _values(state, self._states.read(state), self.tick) for state in self.program.states}

    def set_states(self, states: Mapping[str, NDArray]) -> None:
        """Replace some states, given as ``states`` returns them."""
        for state in self.program.states:
            if state.name in states:
                values = np.asarray(states[state.name]).reshape(self._plan.batch, state.ticks, *state.shape)
                ring = np.roll(values, self.tick % state.ticks, axis=1)  # where the ring stands now
                self._states.write(state, state.elements(ring))

    def restore(self, states: Mapping[str, NDArray], tick: int) -> None:
        """Go on from these states, as those of this tick."""
        self.tick = tick
        self.set_states(states)


class _Step(NamedTuple):
    """One tick of an engine, whose inputs and outputs, (batch, *shape), lie where they did the last time."""

    engine: AnyEngine
    buffers: Buffers
    inputs: list[tuple[str, NDArray]]
    outputs: list[tuple[str, NDArray, np.dtype]]

    @classmethod
    def of(cls, engine: AnyEngine, batch: int) -> _Step:
        """Return a step with buffers of its own."""
        buffers = Buffers(engine.program, 1, batch, timed=False)
        inputs = [(name, array[0]) for name, array in buffers.inputs]
        return cls(engine, buffers, inputs, [(name, array[0], dtype) for name, array, dtype in buffers.outputs])


def _frozen(names: Collection[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)


def _wanted(names: Collection[str] | None) -> Wanted | None:
    return None if names is None else Wanted(frozenset(names))


def _check_inputs(program: Program, inputs: Mapping[str, NDArray], lead: tuple[int, int]) -> None:
    for port in program.inputs:
        if port.name not in inputs:
            raise error("T401", f"input {port.name!r} is missing", notes=[f"given are {list(inputs)}"])
        if inputs[port.name].shape != (*lead, *port.shape):
            notes = [f"it is {list(inputs[port.name].shape)}", f"expected {[*lead, *port.shape]} (ticks, batch, ...)"]
            raise error("T402", f"input {port.name!r} has the wrong shape", notes=notes)


def _values(state: ProgramState, elements: NDArray, tick: int) -> NDArray:
    """Return a state's values (batch, ticks of the ring, *shape), the oldest first; (batch, *shape) of one in place."""
    ring = np.roll(state.values(elements), -(tick % state.ticks), axis=1).astype(state.dtype, copy=False)
    return ring[:, 0] if state.form in (Form.PLACE, Form.COUNTS) else ring
