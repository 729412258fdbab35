"""Runs a program: packs what goes in, splits the batch over threads, unpacks what comes out."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from thermoc.simulator.cache import empty, keep
from thermoc.simulator.kernels.interpreter import interpret
from thermoc.simulator.kernels.layers import gibbs_layers
from thermoc.simulator.kernels.pairs import pair_forces
from thermoc.simulator.opcodes import OPERANDS, Opcode
from thermoc.simulator.program import Bank, Form, Port, Program, State
from thermoc.simulator.split import Halves
from thermoc.simulator.words import words
from thermoc.support.errors import ThermocError, error

BLOCK_BYTES = 2**17
"""A block of samples should fit this much working memory: half of a common L2 cache."""
MOST_SAMPLES = 192
MOST_REPLICAS = 512
"""Samples that share words of noise are run together: eight words a unit fill a processor's vectors."""
CROSSING_BYTES = 2**22
"""What crosses from the head of a program to its tail is this much at a time."""
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
LEAST_WORK = 2**21
"""A thread is worth starting for this many elements: some tenths of a millisecond."""

_interpret = keep(njit(interpret, error_model="numpy", nogil=True))
_layers = keep(njit(gibbs_layers, error_model="numpy", nogil=True))
_pair_forces = keep(njit(pair_forces, error_model="numpy", nogil=True))
APART = (Opcode.GIBBS_WORDS, Opcode.GIBBS_LAYERS, Opcode.PAIRS)
"""Rows whose kernels are compiled on their own, when they are first needed."""


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
    Errors: T401 for a missing input, T402 for one of another shape, T405 for two particles at one place.
    """
    _check_inputs(program, inputs, (ticks, batch))
    _announce()
    states = _repeated(program.first_states[0], batch), _repeated(program.first_states[1], batch)
    way = _Way(batch, seed, first_sample, first_tick, threads, block)
    halves = program.halves if ticks > 1 else None
    outputs = (
        _ticks(program, inputs, states, ticks, way)
        if halves is None
        else _in_halves(halves, inputs, states, ticks, way)
    )
    return Result(outputs=outputs, states=_final(program.states, *states, batch, ticks))


class _Way(NamedTuple):
    """How to run: the arguments of ``run``, and how many ticks are behind."""

    batch: int
    seed: int
    first_sample: int
    first_tick: int
    threads: int | None
    block: int | None
    begun: int = 0


class Meeting(NamedTuple):
    """Two particles whose force is not finite."""

    tick: int
    sample: int
    one: int
    other: int


def _ticks(
    program: Program, inputs: Mapping[str, NDArray], states: tuple[NDArray, NDArray], ticks: int, way: _Way
) -> dict[str, NDArray]:
    """Run some ticks; advance the states in place and return the outputs."""
    batch, begun = way.batch, way.begun
    real, whole = np.dtype(program.precision), np.dtype(np.int64)
    timed = ticks > 1 and any(inputs[port.name].strides[0] != 0 for port in program.inputs)
    lead = (ticks if timed else 1, batch)  # inputs held over the ticks (a stride of nought) are packed once
    (float_in, int_in), (float_out, int_out) = program.widths
    given = _packed(program, inputs, lead, float_in, real), _packed(program, inputs, lead, int_in, whole)
    results = np.empty(ticks * batch * float_out, real), np.empty(ticks * batch * int_out, whole)
    block = way.block or _block(program, real, batch)
    spare = OPERANDS * program.widest * block
    arrays = (program.code, program.slots, program.floats, program.ints, program.places)
    where = (timed, np.uint64(way.seed), way.first_sample, way.first_tick + begun, begun)
    parts, met, layouts = _parts(program), list[Meeting](), dict[Any, Any]()

    def work(first: int, last: int) -> None:
        own = np.empty(program.work[0] * block + spare, real), np.empty(program.work[1] * block + spare, whole)
        held = (*arrays, *own, *states, *given, *results, spare, block)
        if len(parts) == 1:
            _interpret(*held, first, last, batch, ticks, 0, ticks, *parts[0], *where)
            return
        for start in range(first, last, block):
            end = min(start + block, last)
            for tick in range(ticks):
                for begin, stop in parts:
                    _interpret(*held, start, end, batch, ticks, tick, tick + 1, begin, stop, *where)
                    if stop < len(program.code):
                        samples = way.first_sample + start, end - start
                        kept = states[0].reshape(batch, -1)[start:end]
                        at = way.first_tick + begun + tick
                        met.extend(_apart(program, stop, own[0], kept, block, samples, at, way.seed, layouts))
                if met and min(met)[0] <= way.first_tick + begun + tick:  # no later tick can be the first
                    break

    _spread(work, _cuts(program, ticks, batch, way.threads))
    if met:
        raise _touching(min(met))
    return _unpacked(program.outputs, *results, (ticks, batch))


def _in_halves(
    halves: Halves, inputs: Mapping[str, NDArray], states: tuple[NDArray, NDArray], ticks: int, way: _Way
) -> dict[str, NDArray]:
    """Run the head for some ticks, then the tail once for all of these, and so on."""
    outputs = {port.name: np.empty((ticks, way.batch, *port.shape), port.dtype) for port in halves.tail.outputs}
    empty_states = np.empty(0, halves.tail.precision), np.empty(0, np.int64)
    most = max(1, CROSSING_BYTES // max(1, 8 * sum(halves.head.widths[1]) * way.batch))
    for begun in range(0, ticks, most):
        some = min(most, ticks - begun)
        part = {name: array[begun : begun + some] for name, array in inputs.items()}
        part |= _ticks(halves.head, part, states, some, way._replace(begun=begun))
        ones = {name: array.reshape(1, some * way.batch, *array.shape[2:]) for name, array in part.items()}
        found = _ticks(halves.tail, ones, empty_states, 1, way._replace(batch=some * way.batch))
        for name, array in found.items():
            outputs[name][begun : begun + some] = array.reshape(some, way.batch, *array.shape[2:])
    return outputs


def _parts(program: Program) -> list[tuple[int, int]]:
    """Return the ranges of rows between those whose kernels are called one by one, because few programs need them."""
    apart = np.flatnonzero(np.isin(program.code[:, 0], APART)).tolist()
    return [*zip([0, *(line + 1 for line in apart)], [*apart, len(program.code)])]


def _apart(
    program: Program,
    line: int,
    work: NDArray,
    states: NDArray,
    block: int,
    samples: tuple[int, int],
    tick: int,
    seed: int,
    layouts: dict[Any, Any],
) -> list[Meeting]:
    """Run one row whose kernel stands apart, for a block of samples, (first, number of them); tell who met.

    layouts: what ``words`` found out about constants, in this run.
    """
    row = program.code[line].tolist()
    (result, *operands), (p0, p1, p2, p3, p4, p5) = row[1 : 2 + OPERANDS], row[2 + OPERANDS :]

    def place(slot: int) -> tuple[NDArray, int, int, int]:
        bank, offset, size = program.slots[slot].tolist()
        if bank == Bank.FLOAT_STATE:
            return states.reshape(-1), offset, states.shape[1], size
        return (work, offset * block, size, size) if bank == Bank.FLOAT_WORK else (program.floats, offset, 0, size)

    first, count = samples
    out, n = place(result)[1], place(result)[3]
    x, h, *T = (place(slot) for slot in operands if slot >= 0)
    if row[0] == Opcode.PAIRS:
        met = np.full(3, -1)
        _pair_forces(work, out, count, *x[:3], p0, p1, *h[:3], program.floats, p3, p2, p4, p5, met)
        sample, one, other = met.tolist()
        return [] if sample < 0 else [Meeting(tick, first + sample, one, other)]
    tables = (program.floats, program.places, p0, p1, p2, p3, p4, p5)
    if row[0] == Opcode.GIBBS_LAYERS:
        _layers(work, out, n, count, *x[:3], *h, *T[0], *tables, first, tick, np.uint64(seed))
        return []
    old, at, stride, _ = x
    for k in range(count):
        work[out + k * n : out + k * n + n] = old[at + k * stride : at + k * stride + n]
    tables = (program.floats, program.table, p0, p1, p2, p3, p4, p5)
    words(work, out, n, count, *h, *T[0], *tables, first, tick, np.uint64(seed), layouts)
    return []


def _touching(met: Meeting) -> ThermocError:
    notes = [f"particles {met.one} and {met.other} of sample {met.sample}, at tick {met.tick}"]
    hint = "shorten the step, soften the potential, or keep them apart"
    return error("T405", "two particles are at one place, or too near for a force", notes=notes, hint=hint)


def _check_inputs(program: Program, inputs: Mapping[str, NDArray], lead: tuple[int, int]) -> None:
    for port in program.inputs:
        if port.name not in inputs:
            raise error("T401", f"input {port.name!r} is missing", notes=[f"given are {list(inputs)}"])
        if inputs[port.name].shape != (*lead, *port.shape):
            notes = [f"it is {list(inputs[port.name].shape)}", f"expected {[*lead, *port.shape]} (ticks, batch, ...)"]
            raise error("T402", f"input {port.name!r} has the wrong shape", notes=notes)


def _repeated(one: NDArray, batch: int) -> NDArray:
    """Return one sample's states for every sample, flat."""
    return one[np.newaxis].repeat(batch, 0).reshape(-1) if one.size else one


def _spread(work: Callable[[int, int], None], cuts: Sequence[int]) -> None:
    """Run the work on as many threads as there are parts, this one among them; kernels hold no lock."""
    others = [_pool().submit(work, first, last) for first, last in pairwise(cuts[1:])]
    work(cuts[0], cuts[1])
    for other in others:
        other.result()


@cache
def _announce() -> None:
    """Tell a person at a terminal why the first run of all takes its time."""
    if empty() and sys.stderr.isatty():
        print("compiling the simulator's kernels, once: some twenty seconds ...", file=sys.stderr)


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=CORES, thread_name_prefix="thermoc")


if hasattr(os, "register_at_fork"):  # a forked process has none of its parent's threads
    os.register_at_fork(after_in_child=_pool.cache_clear)


def _cuts(program: Program, ticks: int, batch: int, threads: int | None) -> list[int]:
    """Return where the batch is cut for the threads: evenly, one part where there is little to do."""
    amount = program.effort * batch * ticks
    most = min(threads or CORES, batch, max(1, amount // LEAST_WORK))
    step = 64 if program.replicas else 1  # samples that share words stay together
    return [min(batch, -(-batch * part // (most * step)) * step) for part in range(most + 1)]


def _block(program: Program, real: np.dtype, batch: int) -> int:
    """Return how many samples run together: what fits the cache, more where matrices are read anew for each block."""
    if program.replicas:
        return min(batch, MOST_REPLICAS)
    bytes_a_sample = program.work[0] * real.itemsize + program.work[1] * 8
    room = max(BLOCK_BYTES, program.floats.nbytes)
    return max(1, min(room // max(bytes_a_sample, 1), batch, MOST_SAMPLES))


def _packed(
    program: Program, arrays: Mapping[str, NDArray], lead: tuple[int, int], width: int, dtype: np.dtype
) -> NDArray:
    """Return the first ticks of the inputs of one kind, side by side: (ticks, batch, width), flat."""
    packed = np.empty((*lead, width), dtype)
    for port in program.inputs if width else ():
        if port.integer == (dtype.kind == "i"):
            part = arrays[port.name][: lead[0]].reshape(*lead, port.size)
            packed[:, :, port.offset : port.offset + port.size] = part
    return packed.reshape(-1)


def _unpacked(ports: Sequence[Port], floats: NDArray, ints: NDArray, lead: tuple[int, int]) -> dict[str, NDArray]:
    """Return each output as an array (ticks, batch, *shape)."""
    whole = {integer: (ints if integer else floats).reshape(*lead, -1) for integer in (False, True)}
    found: dict[str, NDArray] = {}
    for port in ports:
        part = whole[port.integer][:, :, port.offset : port.offset + port.size]
        found[port.name] = part.astype(port.dtype, copy=False).reshape(*lead, *port.shape)
    return found


def _final(states: Sequence[State], floats: NDArray, ints: NDArray, batch: int, ticks: int) -> dict[str, NDArray]:
    """Return each state (batch, ticks of the ring, *shape), the oldest value first; (batch, *shape) of one in place."""
    found: dict[str, NDArray] = {}
    for state in states:
        whole = (ints if state.integer else floats).reshape(batch, -1)
        ring = state.values(whole[:, state.offset : state.offset + state.size])
        ring = np.roll(ring, -(ticks % state.ticks), axis=1).astype(state.dtype, copy=False)
        found[state.name] = ring[:, 0] if state.form == Form.PLACE else ring
    return found
