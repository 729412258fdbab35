"""Runs a program: packs what goes in, splits the batch over threads, unpacks what comes out."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numba import njit
from numpy.typing import NDArray

from thermoc.simulator.cache import empty, keep
from thermoc.simulator.kernels.interpreter import interpret
from thermoc.simulator.program import Port, Program, State

BLOCK_BYTES = 2**17
"""A block of samples should fit this much working memory: half of a common L2 cache."""
MOST_SAMPLES = 64
LEAST_WORK = 2**16
"""A thread is worth starting for this many elements."""

_interpret = keep(njit(interpret, error_model="numpy", nogil=True))


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
) -> Result:
    """Run ``ticks`` ticks for ``batch`` samples; inputs are (ticks, batch, *shape).

    threads: at most so many, default one a core. block: samples that run together, default what fits the cache.
    Results are the same for every number of threads, size of block, and split of the batch (with ``first_sample``).
    """
    real = np.dtype(program.precision)
    timed = ticks > 1 and any(inputs[port.name].strides[0] != 0 for port in program.inputs)
    rows = ticks if timed else 1  # inputs held over the ticks (a stride of nought) are packed once
    floats = _packed(program.inputs, inputs, rows, batch, real, integer=False)
    ints = _packed(program.inputs, inputs, rows, batch, np.dtype(np.int64), integer=True)
    float_states, int_states = (one[np.newaxis].repeat(batch, 0).reshape(-1) for one in program.first_states)
    float_out = np.empty(ticks * batch * _width(program.outputs, integer=False), real)
    int_out = np.empty(ticks * batch * _width(program.outputs, integer=True), np.int64)
    block = block or _block(program, real, batch)
    shared = (program.code, program.slots, program.floats, program.ints, program.table)
    packed = (float_states, int_states, floats, ints, float_out, int_out)

    def work(first: int, last: int) -> None:
        float_work, int_work = (
            np.empty(program.work[0] * block + 1, real),
            np.empty(program.work[1] * block + 1, np.int64),
        )
        for start in range(first, last, block):
            count = min(block, last - start)
            _interpret(
                *shared, float_work, int_work, *packed, block, start, count, batch, ticks, timed,
                np.uint64(seed), first_sample, first_tick,
            )  # fmt: skip

    _announce()
    _spread(work, _cuts(program, ticks, batch, block, threads))
    return Result(
        outputs=_unpacked(program.outputs, float_out, int_out, (ticks, batch)),
        states=_final(program.states, float_states, int_states, batch, ticks),
    )


def _spread(work, cuts: Sequence[int]) -> None:
    """Run the work on as many threads as there are parts; kernels hold no lock."""
    if len(cuts) == 2:
        work(cuts[0], cuts[1])
        return
    for done in [_pool().submit(work, first, last) for first, last in pairwise(cuts)]:
        done.result()


@cache
def _announce() -> None:
    """Tell a person at a terminal why the first run of all takes its time."""
    if empty() and sys.stderr.isatty():
        print("compiling the simulator's kernels, once: some ten seconds ...", file=sys.stderr)


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="thermoc")


def _cuts(program: Program, ticks: int, batch: int, block: int, threads: int | None) -> list[int]:
    """Return where the batch is cut for the threads: evenly, one part where there is little to do."""
    amount = (program.floats.size + sum(program.work)) * batch * ticks
    most = min(threads or os.cpu_count() or 1, batch, max(1, amount // LEAST_WORK))
    return [batch * part // most for part in range(most + 1)]


def _block(program: Program, real: np.dtype, batch: int) -> int:
    bytes_a_sample = program.work[0] * real.itemsize + program.work[1] * 8
    return int(np.clip(BLOCK_BYTES // max(bytes_a_sample, 1), 1, min(batch, MOST_SAMPLES)))


def _width(ports: Sequence[Port], *, integer: bool) -> int:
    return sum(port.size for port in ports if port.integer == integer)


def _packed(
    ports: Sequence[Port], arrays: Mapping[str, NDArray], rows: int, batch: int, dtype: np.dtype, *, integer: bool
) -> NDArray:
    """Return the first ``rows`` ticks of the inputs of one kind, side by side: (rows, batch, width), flat."""
    whole = np.empty((rows, batch, _width(ports, integer=integer)), dtype)
    for port in ports:
        if port.integer == integer:
            part = arrays[port.name][:rows].reshape(rows, batch, port.size)
            whole[:, :, port.offset : port.offset + port.size] = part
    return whole.reshape(-1)


def _unpacked(ports: Sequence[Port], floats: NDArray, ints: NDArray, lead: tuple[int, int]) -> dict[str, NDArray]:
    """Return each output as an array (ticks, batch, *shape)."""
    whole = {integer: (ints if integer else floats).reshape(*lead, -1) for integer in (False, True)}
    found: dict[str, NDArray] = {}
    for port in ports:
        part = whole[port.integer][:, :, port.offset : port.offset + port.size]
        found[port.name] = part.astype(port.dtype, copy=False).reshape(*lead, *port.shape)
    return found


def _final(states: Sequence[State], floats: NDArray, ints: NDArray, batch: int, ticks: int) -> dict[str, NDArray]:
    """Return each state (batch, ticks of the ring, *shape), the oldest value first."""
    found: dict[str, NDArray] = {}
    for state in states:
        whole = (ints if state.integer else floats).reshape(batch, -1)
        ring = whole[:, state.offset : state.offset + state.size].reshape(batch, state.ticks, *state.shape)
        found[state.name] = np.roll(ring, -(ticks % state.ticks), axis=1).astype(state.dtype, copy=False)
    return found
