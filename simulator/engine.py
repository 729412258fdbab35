"""Runs a program: packs what goes in, splits the batch over threads, unpacks what comes out."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.alone_rows import Collision, SampleBlock, run_alone, too_near
from thermoc.simulator.feed_forward_split import Halves, halves
from thermoc.simulator.frame import frame, layout, lines
from thermoc.simulator.instructions.declaration import OPERANDS
from thermoc.simulator.program import Form, Program, ProgramPort, ProgramState
from thermoc.simulator.row_functions import CORES, loop
from thermoc.simulator.threads import PATIENCE
from thermoc.support.errors import error

BLOCK_BYTES = 2**17
"""A block of samples should fit this much working memory: half of a common L2 cache."""
MOST_SAMPLES = 192
MOST_REPLICAS = 512
"""Samples that share words of noise are run together: eight words a unit fill a processor's vectors."""
CROSSING_BYTES = 2**22
"""What crosses from the head of a program to its tail is this much at a time."""
LEAST_WORK = 2**21
"""A thread is worth starting for this many elements: some tenths of a millisecond."""

DIRECT = 2**18
"""A run of so many elements is over before anyone could stop it: it runs in the caller's thread."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """Outputs (ticks, batch, *shape) and states after the last tick (batch, ticks of the ring, *shape), by name."""

    outputs: dict[str, NDArray]
    states: dict[str, NDArray]


class Session:
    """A run of ``batch`` samples that goes on: ticks at once or in pieces give the same bits.

    threads: at most so many, default one a core. block: samples that run together, default what fits the cache.
    Results are the same for every number of threads, size of block, and split of the batch (with ``first_sample``).
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
    ):
        layout(program)  # compiles what both of its halves need
        self.program = program
        self._plan = _Way(batch, seed, first_sample, first_tick, threads, block)
        self._states = _repeated(program.first_states[0], batch), _repeated(program.first_states[1], batch)

    @property
    def tick(self) -> int:
        """The number of ticks behind it."""
        return self._plan.begun

    def run(self, inputs: Mapping[str, NDArray], *, ticks: int) -> dict[str, NDArray]:
        """Run ``ticks`` ticks on; inputs are (ticks, batch, *shape), and so are the outputs that it returns.

        Where it raises, states and tick are what they were. Errors: T401 for a missing input, T402 for one of another
        shape, T405 for two particles at one place.
        """
        _check_inputs(self.program, inputs, (ticks, self._plan.batch))
        states = self._states[0].copy(), self._states[1].copy()
        split_program = halves(self.program) if ticks > 1 else None
        if split_program is None:
            outputs = _ticks(self.program, inputs, states, ticks, self._plan)
        else:
            outputs = _in_halves(split_program, inputs, states, ticks, self._plan)
        self._states, self._plan = states, self._plan._replace(begun=self._plan.begun + ticks)
        return outputs

    @property
    def states(self) -> dict[str, NDArray]:
        """States now: (batch, *shape), or (batch, ticks of the ring, *shape), oldest first."""
        return _final(self.program.states, *self._states, self._plan.batch, self._plan.begun)

    def set_states(self, states: Mapping[str, NDArray]) -> None:
        """Replace some states, given as ``states`` returns them."""
        floats, ints = (array.reshape(self._plan.batch, -1) for array in self._states)
        for state in self.program.states:
            if state.name in states:
                elements = ints if state.integer else floats
                values = np.asarray(states[state.name]).reshape(self._plan.batch, state.ticks, *state.shape)
                ring = np.roll(values, self._plan.begun % state.ticks, axis=1)  # where the ring stands now
                elements[:, state.offset : state.offset + state.size] = state.elements(ring)

    def restore(self, states: Mapping[str, NDArray], tick: int) -> None:
        """Go on from these states, as those of this tick."""
        self._plan = self._plan._replace(begun=tick)
        self.set_states(states)


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
    """Run ``ticks`` ticks for ``batch`` samples from the initial state: a session of one call (see ``Session``)."""
    where = {"seed": seed, "first_sample": first_sample, "first_tick": first_tick}
    session = Session(program, batch=batch, threads=threads, block=block, **where)
    outputs = session.run(inputs, ticks=ticks)
    return Result(outputs=outputs, states=session.states)


class _Way(NamedTuple):
    """How to run: the arguments of ``run``, and how many ticks are behind."""

    batch: int
    seed: int
    first_sample: int
    first_tick: int
    threads: int | None
    block: int | None
    begun: int = 0

    @property
    def key(self) -> int:
        """The seed as a word with a sign."""
        return int(np.uint64(self.seed).astype(np.int64))


def _ticks(
    program: Program, inputs: Mapping[str, NDArray], states: tuple[NDArray, NDArray], ticks: int, plan: _Way
) -> dict[str, NDArray]:
    """Run some ticks; advance the states in place and return the outputs."""
    batch, begun = plan.batch, plan.begun
    real, integer = np.dtype(program.precision), np.dtype(np.int64)
    timed = ticks > 1 and any(inputs[port.name].strides[0] != 0 for port in program.inputs)
    lead = (ticks if timed else 1, batch)  # inputs constant over the ticks (a stride of 0) are packed once
    (float_in, int_in), (float_out, int_out) = program.widths
    packed = _packed(program, inputs, lead, float_in, real), _packed(program, inputs, lead, int_in, integer)
    results = np.empty(ticks * batch * float_out, real), np.empty(ticks * batch * int_out, integer)
    block = plan.block or _block(program, real, batch)
    scratch, halt = OPERANDS * program.widest * block, np.zeros(1, np.int64)
    widths = program.first_states[0].size, program.first_states[1].size, float_in, int_in
    position = plan.key, plan.first_sample, plan.first_tick + begun, begun
    numbers = (0, 0, 0, ticks, batch, timed, *widths, *position)  # as ``FrameNumber`` has them
    ranges, collisions, layouts = layout(program).ranges, list[Collision](), dict[Any, Any]()

    def work(first: int, last: int) -> None:
        # work and scratch are each thread's own; states and results are shared, each thread writes its samples alone
        memory = np.empty(program.work[0] * block, real), np.empty(program.work[1] * block, integer)
        spare = np.empty(scratch, real), np.empty(scratch, integer)
        arrays = (program.floats, program.ints, *memory, *states, *packed, *results, program.places, *spare, halt)
        shared = frame(arrays, numbers)  # arrays as ``FrameArray`` has them
        run_lines = (lines(program, shared, block), shared, halt)
        if len(ranges) == 1:
            loop(*run_lines, first, last, block, 0, ticks, *ranges[0])
            return
        for start in range(first, last, block):
            stop_sample = min(start + block, last)
            for tick in range(ticks):
                for begin, stop in ranges:
                    loop(*run_lines, start, stop_sample, block, tick, tick + 1, begin, stop)
                    if stop < len(program.code) and not halt[0]:
                        block_states = states[0].reshape(batch, -1)[start:stop_sample]
                        position = plan.first_sample + start, stop_sample - start
                        samples = SampleBlock(memory[0], block_states, block, *position, layouts, halt)
                        collisions.extend(run_alone(program, stop, samples, plan.first_tick + begun + tick, plan.seed))
                if halt[0] or (collisions and min(collisions)[0] <= plan.first_tick + begun + tick):
                    break  # no later tick can be the first

    _spread(work, _cuts(program, ticks, batch, plan.threads), halt, alone=program.effort * batch * ticks < DIRECT)
    if collisions:
        # first tick, then least sample: the same report for every number of threads
        raise too_near(min(collisions))
    return _unpacked(program.outputs, *results, (ticks, batch))


def _in_halves(
    halves: Halves, inputs: Mapping[str, NDArray], states: tuple[NDArray, NDArray], ticks: int, plan: _Way
) -> dict[str, NDArray]:
    """Run the head for some ticks, then the tail once for all of these, and so on."""
    outputs = {port.name: np.empty((ticks, plan.batch, *port.shape), port.dtype) for port in halves.tail.outputs}
    empty_states = np.empty(0, halves.tail.precision), np.empty(0, np.int64)
    longest = max(1, CROSSING_BYTES // max(1, 8 * sum(halves.head.widths[1]) * plan.batch))
    for begun in range(0, ticks, longest):
        some = min(longest, ticks - begun)
        piece_of_batch = {name: array[begun : begun + some] for name, array in inputs.items()}
        piece_of_batch |= _ticks(halves.head, piece_of_batch, states, some, plan._replace(begun=plan.begun + begun))
        # ticks pass for samples: nothing in the tail asks for the number of either
        ones = {name: array.reshape(1, some * plan.batch, *array.shape[2:]) for name, array in piece_of_batch.items()}
        results = _ticks(halves.tail, ones, empty_states, 1, plan._replace(batch=some * plan.batch))
        for name, array in results.items():
            outputs[name][begun : begun + some] = array.reshape(some, plan.batch, *array.shape[2:])
    return outputs


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


def _spread(work: Callable[[int, int], None], cuts: Sequence[int], halt: NDArray, *, alone: bool) -> None:
    """Run the work on as many threads as there are parts; kernels hold no lock.

    Unless it is over at once, this thread waits, so that Ctrl-C is heard: it asks the kernels to stop and is raised.
    """
    if alone and len(cuts) == 2:
        work(cuts[0], cuts[1])
        return
    futures = [_pool().submit(work, first, last) for first, last in pairwise(cuts)]
    try:
        for future in futures:
            future.result()
    except BaseException:
        halt[0] = 1
        for future in futures:
            future.cancel()
        wait(futures, timeout=PATIENCE)
        raise


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=CORES, thread_name_prefix="thermoc")


if hasattr(os, "register_at_fork"):  # a forked process has none of its parent's threads
    os.register_at_fork(after_in_child=_pool.cache_clear)


def _cuts(program: Program, ticks: int, batch: int, threads: int | None) -> list[int]:
    """Return where the batch is cut for the threads: evenly, one part where there is little to do."""
    amount = program.effort * batch * ticks
    longest = min(threads or CORES, batch, max(1, amount // LEAST_WORK))
    step = 64 if program.replicas else 1  # samples that share words stay together
    return [min(batch, -(-batch * piece_of_batch // (longest * step)) * step) for piece_of_batch in range(longest + 1)]


def _block(program: Program, real: np.dtype, batch: int) -> int:
    """Return how many samples run together: what fits the cache, more where matrices are read anew for each block."""
    if program.replicas:
        return min(batch, MOST_REPLICAS)
    bytes_a_sample = program.work[0] * real.itemsize + program.work[1] * 8
    capacity = max(BLOCK_BYTES, program.floats.nbytes)
    return max(1, min(capacity // max(bytes_a_sample, 1), batch, MOST_SAMPLES))


def _packed(
    program: Program, arrays: Mapping[str, NDArray], lead: tuple[int, int], width: int, dtype: np.dtype
) -> NDArray:
    """Return the first ticks of the inputs of one kind, side by side: (ticks, batch, width), flat."""
    packed = np.empty((*lead, width), dtype)
    for port in program.inputs if width else ():
        if port.integer == (dtype.kind == "i"):
            piece_of_batch = arrays[port.name][: lead[0]].reshape(*lead, port.size)
            packed[:, :, port.offset : port.offset + port.size] = piece_of_batch
    return packed.reshape(-1)


def _unpacked(
    ports: Sequence[ProgramPort], floats: NDArray, ints: NDArray, lead: tuple[int, int]
) -> dict[str, NDArray]:
    """Return each output as an array (ticks, batch, *shape); they lie one behind the other."""
    ticks, batch = lead
    outputs: dict[str, NDArray] = {}
    for port in ports:
        first = ticks * batch * port.offset
        values = (ints if port.integer else floats)[first : first + ticks * batch * port.size]
        outputs[port.name] = values.reshape(*lead, *port.shape).astype(port.dtype, copy=False)
    return outputs


def _final(
    states: Sequence[ProgramState], floats: NDArray, ints: NDArray, batch: int, ticks: int
) -> dict[str, NDArray]:
    """Return each state (batch, ticks of the ring, *shape), the oldest value first; (batch, *shape) of one in place."""
    final: dict[str, NDArray] = {}
    for state in states:
        elements = (ints if state.integer else floats).reshape(batch, -1)
        ring = state.values(elements[:, state.offset : state.offset + state.size])
        ring = np.roll(ring, -(ticks % state.ticks), axis=1) if state.ticks > 1 else ring.copy()
        ring = ring.astype(state.dtype, copy=False)
        final[state.name] = ring[:, 0] if state.form == Form.PLACE else ring
    return final
