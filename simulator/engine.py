"""Runs a program on the states of a batch: splits the batch over threads, and ticks where that is faster."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from math import inf
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.alone_rows import Collision, SampleBlock, failure, run_alone
from thermoc.simulator.buffers import Buffers, Plan, ThreadWorkspace, block_size
from thermoc.simulator.feed_forward_split import Halves, halves
from thermoc.simulator.frame import layout
from thermoc.simulator.program import Program
from thermoc.simulator.row_functions import CORES
from thermoc.simulator.thread_pool import spread

CROSSING_BYTES = 2**22
"""What crosses from the head of a program to its tail is this much at a time."""
LEAST_WORK = 2**21
"""A thread is worth starting for this many elements: some tenths of a millisecond."""
DIRECT = 2**20
"""A run of so many elements is over before anyone could stop it: it runs in the caller's thread."""
SOON = 0.05
"""So is one that should take so many seconds, by what the last took."""


class Engine:
    """A program, and states which it advances in place; its memory is kept from call to call.

    After a call that raised it is of no use: a kernel that did not stop in time may still write where it leads.
    """

    def __init__(self, program: Program, plan: Plan, states: tuple[NDArray, NDArray]):
        self.program, self.plan, self.states = program, plan, states
        self._ranges = layout(program).ranges  # compiles what is needed
        self._block, self._effort = block_size(program, plan.batch), program.effort * plan.batch
        if plan.block is not None:
            self._block = plan.block
        self._seconds_a_tick = inf
        self._halt = np.zeros(1, np.int64)
        self._workspaces: list[ThreadWorkspace] = []
        self._layouts: dict[Any, Any] = {}
        self._parts: dict[int, Engine] = {}

    def run(self, inputs: Mapping[str, NDArray], *, ticks: int, begun: int) -> dict[str, NDArray]:
        """Run the ticks that follow ``begun`` others; inputs and outputs are (ticks, batch, *shape).

        Errors: T405 for two particles at one place.
        """
        split_program = halves(self.program) if ticks > 1 else None
        if split_program is not None:
            return self._in_halves(split_program, inputs, ticks, begun)
        return self._whole(inputs, ticks, begun)

    def _whole(self, inputs: Mapping[str, NDArray], ticks: int, begun: int) -> dict[str, NDArray]:
        """Run some ticks, each from its first row to its last."""
        buffers = self.buffers(inputs, ticks)
        self.fill(buffers, begun)
        self.leave()
        return buffers.unpacked()

    def buffers(self, inputs: Mapping[str, NDArray], ticks: int) -> Buffers:
        """Return buffers with inputs (ticks, batch, *shape) for ``fill``."""
        timed = ticks > 1 and any(inputs[port.name].strides[0] != 0 for port in self.program.inputs)
        buffers = Buffers(self.program, ticks, self.plan.batch, timed=timed)
        buffers.pack(inputs)
        return buffers

    def fill(self, buffers: Buffers, begun: int) -> None:
        """Run the ticks of some buffers, from their inputs to their outputs. Errors: T405."""
        amount, collisions = self._effort * buffers.ticks, []
        cuts = (0, self.plan.batch) if amount < 2 * LEAST_WORK else self._cuts(amount)
        while len(self._workspaces) < len(cuts) - 1:
            space = ThreadWorkspace(self.program, self.plan, self._block, self.states, self._halt, buffers)
            self._workspaces.append(space)
        for space in self._workspaces:
            space.use(buffers, begun)
        if len(cuts) == 2 and (amount < DIRECT or self._seconds_a_tick * buffers.ticks < SOON):
            self._work(self._workspaces[0], 0, self.plan.batch, buffers.ticks, begun, collisions)
        else:
            parts = zip(self._workspaces, pairwise(cuts))
            works = [partial(self._work, space, *ends, buffers.ticks, begun, collisions) for space, ends in parts]
            start = perf_counter()
            spread(works, self._halt)
            self._seconds_a_tick = (perf_counter() - start) / buffers.ticks
        if collisions:
            # first tick, then least sample: the same report for every number of threads
            raise failure(min(collisions))

    def leave(self) -> None:
        """Hold on no longer to the buffers that were filled last."""
        for space in self._workspaces:
            space.leave()

    def restart(self, plan: Plan) -> None:
        """Draw other noise from now on: only that of the plan is another."""
        self.plan, self._parts = plan, {}
        for space in self._workspaces:
            space.restart(plan)

    def _work(
        self, space: ThreadWorkspace, first: int, last: int, ticks: int, begun: int, collisions: list[Collision]
    ) -> None:
        """Run some of the samples, on whichever thread this is."""
        if len(self._ranges) == 1:
            space.run((first, last, self._block, 0, ticks, *self._ranges[0]))
            return
        for start in range(first, last, self._block):
            stop_sample = min(start + self._block, last)
            for tick in range(ticks):
                now = self.plan.first_tick + begun + tick
                for begin, stop in self._ranges:
                    space.run((start, stop_sample, self._block, tick, tick + 1, begin, stop))
                    if stop < len(self.program.code) and not self._halt[0]:
                        samples = self._samples(space, start, stop_sample)
                        collisions.extend(run_alone(self.program, stop, samples, now, self.plan.seed))
                if self._halt[0] or (collisions and min(collisions)[0] <= now):
                    break  # no later tick can be the first

    def _samples(self, space: ThreadWorkspace, start: int, stop: int) -> SampleBlock:
        states = self.states[0].reshape(self.plan.batch, -1)[start:stop]
        position = self.plan.first_sample + start, stop - start
        return SampleBlock(space.work, states, self._block, *position, self._layouts, self._halt)

    def _cuts(self, amount: int) -> list[int]:
        """Return where the batch is cut evenly for the threads, of which each is to have something to do."""
        batch = self.plan.batch
        parts = min(self.plan.threads or CORES, batch, amount // LEAST_WORK)
        step = 64 if self.program.replicas else 1  # samples that share words stay together
        return [min(batch, -(-batch * index // (parts * step)) * step) for index in range(parts + 1)]

    def _in_halves(self, halves: Halves, inputs: Mapping[str, NDArray], ticks: int, begun: int) -> dict[str, NDArray]:
        """Run the head for some ticks, then the tail once for all of these, and so on."""
        batch = self.plan.batch
        outputs = {port.name: np.empty((ticks, batch, *port.shape), port.dtype) for port in halves.tail.outputs}
        longest = max(1, CROSSING_BYTES // max(1, 8 * sum(halves.head.widths[1]) * batch))
        for first in range(0, ticks, longest):
            some = min(longest, ticks - first)
            chunk = {name: array[first : first + some] for name, array in inputs.items()}
            chunk |= self._part(halves.head, 0)._whole(chunk, some, begun + first)
            # ticks pass for samples: nothing in the tail asks for the number of either
            ones = {name: array.reshape(1, some * batch, *array.shape[2:]) for name, array in chunk.items()}
            results = self._part(halves.tail, some * batch)._whole(ones, 1, 0)
            for name, array in results.items():
                outputs[name][first : first + some] = array.reshape(some, batch, *array.shape[2:])
        return outputs

    def _part(self, program: Program, samples: int) -> Engine:
        """Return the engine of the head (0 samples), or of the tail for so many."""
        if samples not in self._parts:
            # pieces are as long as the last one, most times
            self._parts = {size: buffers for size, buffers in self._parts.items() if size == 0}
            stateless = np.empty(0, program.precision), np.empty(0, np.int64)
            self._parts[samples] = (
                Engine(program, self.plan._replace(batch=samples), stateless)
                if samples
                else Engine(program, self.plan, self.states)
            )
        return self._parts[samples]
