"""What undoes ticks that are about to run: a copy of the states that they overwrite."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.program import Form, ProgramState

WHOLE = 2**17
"""Elements up to which all states are copied, whatever overwrites them."""
States = tuple[NDArray, NDArray]


class Undo:
    """States, floats and integers of a batch, as they are now, whatever the next ``ticks`` ticks do to them."""

    def __init__(self, states: States, described: Sequence[ProgramState], batch: int, *, begun: int, ticks: int):
        self._states = states
        self._copies: States | None = None if described else states
        if not described:
            return
        if states[0].size + states[1].size <= WHOLE:
            self._copies = states[0].copy(), states[1].copy()
            return
        self._batch, elements = batch, [array.reshape(batch, -1) for array in states]
        places = [(state.integer, index) for state in described for index in _overwritten(state, begun, ticks)]
        self._pieces = [(integer, index, elements[integer][:, index].copy()) for integer, index in places]

    def states(self) -> States:
        """Return the states as they were, in memory of their own: what still runs writes into the other."""
        if self._copies is not None:
            return self._copies
        floats, ints = (array.copy() for array in self._states)
        for integer, index, values in self._pieces:
            (ints if integer else floats).reshape(self._batch, -1)[:, index] = values
        return floats, ints


def _overwritten(state: ProgramState, begun: int, ticks: int) -> Iterator[slice]:
    """Yield where a sample's elements of a state change: of a ring one value a tick, of others any."""
    if state.form in (Form.PLACE, Form.SUMS, Form.COUNTS) or ticks >= state.ticks:
        yield slice(state.offset, state.offset + state.size)
        return
    for slot in np.arange(begun, begun + ticks) % state.ticks:
        first = state.offset + int(slot) * state.width
        yield slice(first, first + state.width)
