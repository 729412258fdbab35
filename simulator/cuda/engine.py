"""Runs a program on a GPU: states stay there, inputs and outputs cross."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.alone_rows import Collision, failure
from thermoc.simulator.buffers import Buffers, Plan
from thermoc.simulator.cuda.compiler import program_kernel
from thermoc.simulator.cuda.device import GpuDevice
from thermoc.simulator.cuda.source import Number, widths
from thermoc.simulator.cuda.stages import stages, tables
from thermoc.simulator.instructions.devices import DEVICES
from thermoc.simulator.instructions.pairs import PAIRS
from thermoc.simulator.program import Program

POINTS_OF_A_BLOCK = 2**11
"""A network of so many points is one block's: its barriers are cheaper than those between blocks."""


class CudaEngine:
    """A program, and states on a device which it advances in place; its memory is kept from call to call."""

    def __init__(self, program: Program, plan: Plan, states: tuple[Any, Any], device: GpuDevice):
        self.program, self.plan, self.states, self._device = program, plan, states, device
        work, batch = widths(program).work, plan.batch
        self._constants = device.upload(program.floats), device.upload(program.ints)
        self._work = (
            device.empty(work[0] * batch, program.floats.dtype),
            device.empty(work[1] * batch, np.dtype(np.int64)),
        )
        self._table = device.upload(tables(program))
        self._memory: dict[int, tuple[int, Any]] = {}
        self._collides = bool(np.isin(program.code[:, 0], (PAIRS.opcode, DEVICES.opcode)).any())

    def run(self, inputs: Mapping[str, NDArray], *, ticks: int, begun: int) -> dict[str, NDArray]:
        """Run the ticks that follow ``begun`` others; inputs and outputs are (ticks, batch, *shape).

        Errors: T405, T410, T411.
        """
        buffers = self.buffers(inputs, ticks)
        self.fill(buffers, begun)
        return buffers.unpacked()

    def buffers(self, inputs: Mapping[str, NDArray], ticks: int) -> Buffers:
        """Return buffers with inputs (ticks, batch, *shape) for ``fill``."""
        timed = ticks > 1 and any(inputs[port.name].strides[0] != 0 for port in self.program.inputs)
        buffers = Buffers(self.program, ticks, self.plan.batch, timed=timed)
        buffers.pack(inputs)
        return buffers

    def fill(self, buffers: Buffers, begun: int) -> None:
        """Run the ticks of some buffers, from their inputs to their outputs. Errors: T405, T410, T411."""
        device, reduced = self._device, any(self.program.tails)
        # outputs cross only where totals and moments behind them go on from what they are
        arrays = [self._filled(k, array, copy=k < 2 or reduced) for k, array in enumerate(buffers.arrays)]
        collision = device.upload(np.full(3 * self.plan.batch if self._collides else 1, -1))
        arrivals, (blocks, numbers) = device.upload(np.zeros(1, np.int64)), self._numbers(buffers, begun)
        arguments = [*arrays, self._table, collision, arrivals, device.upload(numbers)]
        device.launch(program_kernel(self.program), blocks, [*self._constants, *self._work, *self.states, *arguments])
        for array, memory in zip(buffers.arrays[2:], arrays[2:]):
            array.reshape(-1)[...] = device.read(memory)[: array.size]
        if self._collides:
            self._report(device.read(collision).reshape(-1, 3))

    def _report(self, found: NDArray[np.int64]) -> None:
        """Raise the error of the first tick in which two particles collide, of its first sample."""
        samples = np.flatnonzero(found[:, 0] >= 0).tolist()
        if samples:
            collisions = [
                Collision(int(found[s, 0]), self.plan.first_sample + s, *found[s, 1:].tolist()) for s in samples
            ]
            raise failure(min(collisions))

    def leave(self) -> None:
        """Nothing is held of the buffers that were filled last."""

    def restart(self, plan: Plan) -> None:
        """Draw other noise from now on: only that of the plan is another."""
        self.plan = plan

    def _filled(self, number: int, array: NDArray, *, copy: bool) -> Any:
        """Return memory for an array, with a copy of it; it is taken once for all arrays of its length."""
        size, memory = self._memory.get(number, (-1, None))
        if size != array.size:
            memory = self._device.empty(array.size, array.dtype)
            self._memory[number] = array.size, memory
        if copy:
            self._device.write(memory, array.reshape(-1))
        return memory

    def _numbers(self, buffers: Buffers, begun: int) -> tuple[int, NDArray[np.int64]]:
        """Return the number of blocks, and the numbers of a launch."""
        batch, device = self.plan.batch, self._device
        resident = device.resident(program_kernel(self.program))
        points = max((stage.steps[0].points for stage in stages(self.program)), default=1)
        spread = batch < device.processors and points > POINTS_OF_A_BLOCK
        rows = 1 if spread else -(-batch // min(batch, resident))
        blocks = min(resident, -(-batch * points // device.threads)) if spread else -(-batch // rows)
        numbers = np.zeros(len(Number), np.int64)
        numbers[[Number.BATCH, Number.TICKS, Number.TIMED]] = batch, buffers.ticks, buffers.timed
        numbers[[Number.KEY, Number.FIRST_SAMPLE]] = self.plan.key, self.plan.first_sample
        numbers[[Number.FIRST_TICK, Number.BEGUN]] = self.plan.first_tick, begun
        numbers[[Number.SPREAD, Number.SHARE]] = spread, rows
        return blocks, numbers
