"""The states of a batch in the memory of a GPU."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from thermoc.simulator.cuda.device import GpuDevice
from thermoc.simulator.program import Program, ProgramState
from thermoc.simulator.states import repeated


class DeviceStates:
    """States that stay on a device (``states.States``); they cross when they are read or set."""

    def __init__(self, program: Program, batch: int, device: GpuDevice):
        self._device, self._batch = device, batch
        floats, ints = (device.upload(repeated(state, batch)) for state in program.first_states)
        self.arrays = floats, ints

    def read(self, state: ProgramState) -> NDArray:
        """Return a copy of one state's elements (batch, elements)."""
        return self._elements(state)[:, state.offset : state.offset + state.size]

    def write(self, state: ProgramState, elements: NDArray) -> None:
        """Replace one state's elements."""
        kept = self._elements(state)
        kept[:, state.offset : state.offset + state.size] = elements
        self._device.write(self.arrays[state.integer], kept.reshape(-1))

    def restart(self, program: Program) -> None:
        """Let the states be the program's initial ones."""
        for memory, first in zip(self.arrays, program.first_states):
            self._device.write(memory, repeated(first, self._batch))

    def mark(self, *, begun: int, ticks: int) -> tuple[Any, Any]:
        """Return a copy of all states, on the device."""
        floats, ints = (self._device.copy(memory) for memory in self.arrays)
        return floats, ints

    def go_back(self, mark: tuple[Any, Any]) -> None:
        """Let the states be the copies."""
        self.arrays = mark

    def _elements(self, state: ProgramState) -> NDArray:
        return self._device.read(self.arrays[state.integer]).reshape(self._batch, -1)
