"""The states of a batch, which last from call to call, in the processor's own memory."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.program import Program, ProgramState
from thermoc.simulator.undo import Undo


class States(Protocol):
    """States of a batch. arrays: (floats, integers) as the engine is handed them, (batch, elements) each, flat."""

    arrays: tuple[Any, Any]

    def read(self, state: ProgramState) -> NDArray:
        """Return one state's elements (batch, elements)."""
        ...

    def write(self, state: ProgramState, elements: NDArray) -> None:
        """Replace one state's elements."""
        ...

    def restart(self, program: Program) -> None:
        """Let the states be the program's initial ones."""
        ...

    def mark(self, *, begun: int, ticks: int) -> Any:
        """Return what ``go_back`` needs to come back here from some ticks on."""
        ...

    def go_back(self, mark: Any) -> None:
        """Let the states be as they were at a mark, in memory of their own: what still runs writes into the other."""
        ...


class HostStates:
    """States in the memory of the CPU."""

    def __init__(self, program: Program, batch: int):
        self._described, self._batch = program.states, batch
        self.arrays = repeated(program.first_states[0], batch), repeated(program.first_states[1], batch)

    def read(self, state: ProgramState) -> NDArray:
        """Return where one state's elements (batch, elements) lie."""
        elements = self.arrays[state.integer].reshape(self._batch, -1)
        return elements[:, state.offset : state.offset + state.size]

    def write(self, state: ProgramState, elements: NDArray) -> None:
        """Replace one state's elements."""
        self.read(state)[...] = elements

    def restart(self, program: Program) -> None:
        """Let the states be the program's initial ones."""
        for array, first in zip(self.arrays, program.first_states):
            if array.size:
                array.reshape(self._batch, -1)[...] = first

    def mark(self, *, begun: int, ticks: int) -> Undo:
        """Return a copy of what some ticks overwrite."""
        return Undo(self.arrays, self._described, self._batch, begun=begun, ticks=ticks)

    def go_back(self, mark: Undo) -> None:
        """Let the states be as they were at a mark, which is used up."""
        self.arrays = mark.states()


def repeated(one: NDArray, batch: int) -> NDArray:
    """Return one sample's states for every sample, flat."""
    return one[np.newaxis].repeat(batch, 0).reshape(-1)
