"""The memory of a run: what goes in and comes out, packed, and what each thread works in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.frame import frame, lines
from thermoc.simulator.instructions.declaration import OPERANDS
from thermoc.simulator.kernels.operands import FrameArray, FrameNumber
from thermoc.simulator.program import Program, ProgramPort
from thermoc.simulator.row_functions import loop

BLOCK_BYTES = 2**17
"""A block of samples should fit this much working memory: half of a common L2 cache."""
MOST_SAMPLES = 192
MOST_REPLICAS = 512
"""Samples that share words of noise are run together: eight words a unit fill a processor's vectors."""
PORTS = slice(2 * FrameArray.FLOAT_INPUT, 2 * FrameArray.TABLE)
"""Where in a frame addresses and sizes of inputs and outputs stand."""
TICK0, BEGUN = int(FrameNumber.TICK0), int(FrameNumber.BEGUN)
BOUNDS = slice(FrameNumber.FIRST, FrameNumber.TO_LINE + 1)
"""Where the samples, ticks and lines that run stand."""
NOWHERE = (0,) * (BOUNDS.stop - BOUNDS.start)


class Plan(NamedTuple):
    """How a batch runs: its noise, at most so many threads, samples that run together (None: what fits the cache)."""

    batch: int
    seed: int
    first_sample: int
    first_tick: int
    threads: int | None
    block: int | None

    @property
    def key(self) -> int:
        """The seed as a word with a sign."""
        return int(np.uint64(self.seed).astype(np.int64))


class RunningMoments(NamedTuple):
    """Mean and sum of squared deviations, (batch, *shape), of the values of so many ticks, (batch,)."""

    mean: NDArray
    m2: NDArray
    ticks: NDArray


class Buffers:
    """Packed inputs and outputs of some ticks, and behind the outputs what is reduced over the ticks."""

    def __init__(self, program: Program, ticks: int, batch: int, *, timed: bool):
        real, lead = np.dtype(program.precision), (ticks if timed else 1, batch)
        (float_in, int_in), (float_out, int_out) = program.widths
        packed = np.empty((*lead, float_in), real), np.empty((*lead, int_in), np.int64)
        tail_sizes = [batch * tail for tail in program.tails]
        results = (
            np.empty(ticks * batch * float_out + tail_sizes[0], real),
            np.empty(ticks * batch * int_out + tail_sizes[1], np.int64),
        )
        self.ticks, self.timed, self.arrays = ticks, timed, (*packed, *results)
        # what lies side by side splits into axes without a copy
        self.inputs = [
            (port.name, packed[port.integer][:, :, port.offset : port.offset + port.size].reshape(*lead, *port.shape))
            for port in program.inputs
        ]
        self.outputs = [
            (port.name, _output(port, results[port.integer], ticks, batch), np.dtype(port.dtype))
            for port in program.outputs
        ]
        tails = [array[array.size - size :] for array, size in zip(results, tail_sizes)]
        for tail in tails:
            tail[...] = 0
        self.totals = {port.name: _tail(port, tails[port.integer], batch) for port in program.totals}
        self.moments = {port.name: _moments(port, tails[0], batch) for port in program.moments}

    def pack(self, inputs: Mapping[str, NDArray]) -> None:
        """Put in inputs (ticks, batch, *shape); of those constant over the ticks the first, where all are."""
        for name, array in self.inputs:
            array[...] = inputs[name][: len(array)]

    def unpacked(self) -> dict[str, NDArray]:
        """Return the outputs (ticks, batch, *shape), which may be views."""
        return {name: array.astype(dtype, copy=False) for name, array, dtype in self.outputs}


def _output(port: ProgramPort, results: NDArray, ticks: int, batch: int) -> NDArray:
    """Return where a port's values (ticks, batch, *shape) lie: one port behind the other."""
    first = ticks * batch * port.offset
    return results[first : first + ticks * batch * port.size].reshape(ticks, batch, *port.shape)


def _tail(port: ProgramPort, tail: NDArray, batch: int, first: int = 0) -> NDArray:
    """Return where (batch, *shape) lies behind the outputs, ``first`` elements of a sample from the port's place."""
    start = batch * (port.offset + first)
    return tail[start : start + batch * port.size].reshape(batch, *port.shape)


def _moments(port: ProgramPort, tail: NDArray, batch: int) -> RunningMoments:
    counts = batch * (port.offset + 2 * port.size)
    return RunningMoments(_tail(port, tail, batch), _tail(port, tail, batch, port.size), tail[counts : counts + batch])


class ThreadWorkspace:
    """What one thread works in, with the lines and the frame that lead there."""

    def __init__(
        self,
        program: Program,
        plan: Plan,
        block: int,
        states: tuple[NDArray, NDArray],
        halt: NDArray,
        buffers: Buffers,
    ):
        real, scratch = np.dtype(program.precision), OPERANDS * program.widest * block
        self.work = np.empty(program.work[0] * block, real)
        # lines and frame hold bare addresses: the arrays must last as long
        self._arrays = (program.floats, program.ints, self.work, np.empty(program.work[1] * block, np.int64), *states)
        self._more = (program.places, np.empty(scratch, real), np.empty(scratch, np.int64), halt)
        widths = program.first_states[0].size, program.first_states[1].size, *program.widths[0]
        ticks = buffers.ticks, plan.batch, buffers.timed
        numbers = (0, 0, 0, *ticks, *widths, plan.key, plan.first_sample, plan.first_tick, 0, *NOWHERE)
        self._frame = frame((*self._arrays, *buffers.arrays, *self._more), numbers)
        self._lines = lines(program, self._frame, block)
        self._run, self._addresses = loop(), (self._lines.ctypes.data, self._frame.ctypes.data)
        self._first_tick, self._bounds = plan.first_tick, NOWHERE
        self._buffers: Buffers | None = buffers

    def use(self, buffers: Buffers, begun: int) -> None:
        """Lead to the inputs and outputs of ticks that follow ``begun`` others."""
        if buffers is not self._buffers:
            self._frame[PORTS] = frame(buffers.arrays, ())
            self._frame[FrameNumber.TICKS], self._frame[FrameNumber.TIMED] = buffers.ticks, buffers.timed
            self._buffers = buffers
        self._frame[TICK0] = self._first_tick + begun
        self._frame[BEGUN] = begun

    def run(self, bounds: tuple[int, ...]) -> None:
        """Run lines: first sample and the one behind the last, samples of a block, ticks and lines likewise."""
        if bounds != self._bounds:
            self._frame[BOUNDS], self._bounds = bounds, bounds
        self._run(*self._addresses)

    def restart(self, plan: Plan) -> None:
        """Draw other noise from now on: only that of the plan is another."""
        self._first_tick = plan.first_tick
        self._frame[FrameNumber.KEY], self._frame[FrameNumber.SAMPLE0] = plan.key, plan.first_sample

    def leave(self) -> None:
        """Let the buffers that it leads to be given back."""
        self._buffers = None


def block_size(program: Program, batch: int) -> int:
    """Return how many samples run together: what fits the cache, more where matrices are read anew for each block."""
    if program.replicas:
        return min(batch, MOST_REPLICAS)
    bytes_a_sample = program.work[0] * np.dtype(program.precision).itemsize + program.work[1] * 8
    capacity = max(BLOCK_BYTES, program.floats.nbytes)
    return max(1, min(capacity // max(bytes_a_sample, 1), batch, MOST_SAMPLES))
