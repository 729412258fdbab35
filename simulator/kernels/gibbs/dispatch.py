"""Runs a row whose units share words of noise: lays the words out and chooses the kernel, compiled when first needed.

Samples share words where couplings and fields are whole multiples of one number q. With couplings q w the field of a
spin is q (2 k - W + m): k the sum of |w| over the neighbours that agree with the sign of w, W the sum of all |w|, q m
the unit's own field. That of a bit is q (k - N + m), N the sum of |w| over negative w. Sums start from what makes equal
fields equal sums, so that units share thresholds: all bits, spins whose W + m is even, spins whose W + m is odd.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from thermoc.simulator.cache import keep
from thermoc.simulator.instructions.gibbs import LATTICE, REPLICAS, SPINS
from thermoc.simulator.kernels.gibbs import checkerboard, replicas, rows
from thermoc.simulator.kernels.gibbs.fields import GROUP
from thermoc.simulator.kernels.gibbs.multispin import TERMS
from thermoc.simulator.kernels.gibbs.replicas import Draws, FourNeighbours, NeighbourLists, Packed, Runs, SumLaw
from thermoc.simulator.kernels.operands import NoisePosition, RowOperand
from thermoc.simulator.kernels.simd.lanes import LANES

MOST_SUMS, SUMS_A_SAMPLE = 4096, 128
"""Sums are worth their binary digits up to so many, and so many for each sample."""
LEAST_DIVISOR = 12
"""q is looked for down to the least coupling divided by this."""
ROUNDING = 4e-16  # relative: q, its multiple and the number itself are each off by up to half a unit in the last place

_digits = keep(njit(rows.digits, error_model="numpy", nogil=True), "sweeps by digits", 1.2)
_lattice, _few, _wide, _pack, _unpack = (
    keep(kernel, f"sweeps in words of 64 bits ({kernel.__name__})", seconds)
    for kernel, seconds in (
        (checkerboard.lattice, 6.0),
        (replicas.few_replicas, 6.0),
        (replicas.wide_replicas, 8.0),
        (replicas.pack, 0.8),
        (replicas.unpack, 0.8),
    )
)


class SweepRow(NamedTuple):
    """The parameters of GIBBS_WORDS."""

    at: int
    classes: int
    sweeps: int
    form: int
    stream: int
    couplings: int


def words(
    r: RowOperand,
    x: RowOperand,
    y: RowOperand,
    z: RowOperand,
    parameters: tuple[int, ...],
    samples: int,
    table: NDArray,
    constants: NDArray,
    position: NoisePosition,
    layouts: dict[Any, ReplicaLayout | None],
    halt: NDArray,
) -> None:
    """As ``rows.gibbs``, where 64 units of a class or 64 samples share words.

    layouts: those of constants, to be used again. halt: ends it early once it is set.
    """
    row = SweepRow(*parameters)
    n, spins, single = r.size, row.form & SPINS > 0, y.size == 1
    for k in range(samples):
        _of(r, k)[:] = _of(x, k)
    unit_step, later = rows.step.py_func(z.size, n, row.sweeps, row.form)
    # a word shares its thresholds: fields and temperatures must be those of all samples
    if unit_step == 0 and z.stride == 0 and y.stride == 0:
        T = np.broadcast_to(_of(z, 0), row.sweeps).astype(float)
        if row.form & LATTICE and single:
            for k in range(samples):
                draws = Draws(T, position.sample + k, row.stream, position.tick, position.key)
                _lattice(_of(r, k), float(y.array[0]), float(constants[row.couplings]), spins, draws, halt)
            return
        plan = _plan(y, n, row, samples, table, constants, layouts) if row.form & REPLICAS else None
        if plan is not None:
            _replicas(r.array, n, samples, plan, spins, T, row.stream, position, halt)
            return
    sweep = rows.SweepTables(table, *row[:2], constants, row.couplings, *row[2:5], position.tick, position.key)
    for k in range(samples):
        rates = rows.Rates(_of(y, k), int(not single), _of(z, k), unit_step, later)
        _digits(_of(r, k), rates, sweep, position.sample + k, halt)


def _of(operand: RowOperand, k: int) -> NDArray:
    """Return the elements of one sample."""
    first = k * operand.stride
    return operand.array[first : first + operand.size]


def _plan(
    y: RowOperand, n: int, row: SweepRow, samples: int, table: NDArray, constants: NDArray, layouts: dict[Any, Any]
) -> ReplicaLayout | None:
    """Return the layout of a row; one of constants is made once a run."""
    limit = min(MOST_SUMS, SUMS_A_SAMPLE * samples)
    h, couplings = y.array[: y.size], constants[row.couplings :]
    # the address tells constants apart from work, which changes from tick to tick
    name = (row.couplings, row.at, y.array.__array_interface__["data"][0], limit)
    if np.may_share_memory(h, constants) and name in layouts:
        return layouts[name]
    # two threads may both make it: the layouts are equal, and the GIL keeps the dictionary whole
    plan = layouts[name] = layout(couplings, h, table[row.at :], row.classes, n, row.form & SPINS > 0, limit)
    return plan


class ReplicaLayout(NamedTuple):
    """What the kernels of ``replicas`` read; ``wide`` says which of them."""

    bonds: NeighbourLists | FourNeighbours
    runs: Runs
    law: SumLaw
    wide: bool


def layout(
    J: NDArray, h: NDArray, table: NDArray, classes: int, n: int, spins: bool, limit: int
) -> ReplicaLayout | None:
    """Return the layout of a row's couplings and fields; None where no q is found or there are more sums than most."""
    offsets = table[classes + 1 + n :][: n + 1]
    entries, fields_differ = offsets[-1], len(h) > 1
    columns, owner = table[classes + 2 + 2 * n :][:entries], np.repeat(np.arange(n), np.diff(offsets))
    multiples = whole_multiples(np.concatenate([J[:entries], h if fields_differ else h[:0]]).astype(float))
    if multiples is None:
        return None
    q, numbers = multiples
    w, m = numbers[:entries], numbers[entries:] if fields_differ else np.zeros(n, np.int64)
    total = np.bincount(owner, np.abs(w), n).astype(np.int64)
    lowest = m - total if spins else m + np.bincount(owner, np.minimum(w, 0), n).astype(np.int64)
    kind = lowest & 1 if spins else np.zeros(n, np.int64)
    highest = np.maximum(-lowest, m + total) if spins else -lowest
    none = np.array([highest[kind == k].max(initial=0) for k in range(2)])
    begin = (none[kind] + lowest) // (2 if spins else 1)
    last = np.array([(begin + total)[kind == k].max(initial=0) for k in range(2)])
    # digits of so many sums would cost more than going unit by unit
    if last.max() >= limit:
        return None
    bits = max(1, int(np.abs(w).max(initial=0)).bit_length())
    wide = bits > 1 or int(last.max()) >= TERMS
    order, cuts = _runs(table, classes, n, kind)
    field = 0.0 if fields_differ else float(h[0])
    scale, step, drive = (2 * q, 2, 2 * field) if spins else (q, 1, field)
    law = SumLaw(scale, step, drive, none, last)
    bonds = _lists(w, owner, columns, begin, bits) if wide else _fours(w, owner, columns, begin)
    return ReplicaLayout(bonds, Runs(order, cuts), law, wide)


def whole_multiples(numbers: NDArray) -> tuple[float, NDArray] | None:
    """Return the largest q of which these are whole multiples, to rounding, and the multiples."""
    sizes = np.abs(numbers[numbers != 0])
    if not sizes.size:
        return 1.0, numbers.astype(np.int64)
    for divisor in range(1, LEAST_DIVISOR + 1):
        q = float(sizes.min()) / divisor
        # q only falls from here on, so that no later divisor would do
        if sizes.max() > MOST_SUMS * q:
            return None
        multiples = np.rint(numbers / q)
        if (np.abs(multiples * q - numbers) <= ROUNDING * np.abs(numbers)).all():
            return q, multiples.astype(np.int64)
    return None


def _lists(w: NDArray, owner: NDArray, columns: NDArray, begin: NDArray, bits: int) -> NeighbourLists:
    """Return the neighbours of each unit for each sign and each digit of |w|.

    Lists are filled up to whole groups by a unit that is always down.
    """
    n = len(begin)
    entry, digit = np.nonzero(np.abs(w)[:, np.newaxis] >> np.arange(bits) & 1)
    lists = (owner[entry] * 2 + (w[entry] > 0)) * bits + digit
    entry = entry[np.argsort(lists, kind="stable")]
    counts = np.bincount(lists, minlength=n * 2 * bits)
    starts = np.append(0, np.cumsum(-(-counts // GROUP) * GROUP))
    near = np.full(starts[-1], n, np.int32)
    near[_places(counts, starts)] = columns[entry]
    # k = begin + sum over w > 0 + sum over w < 0 of |w| (1 - up): what is turned over on the way is -1 less that
    down = np.bincount(owner, np.where(w < 0, -w, 0), n).astype(np.int64)
    return NeighbourLists(near, starts, -1 - begin - down)


def _fours(w: NDArray, owner: NDArray, columns: NDArray, begin: NDArray) -> FourNeighbours:
    """Return the neighbours of units that have four at most; those missing are always up, as many as ``begin``."""
    n = len(begin)
    counts, starts = np.bincount(owner[w != 0], minlength=n), 4 * np.arange(n + 1)
    near, signs = np.full(4 * n, n, np.int32), np.zeros(4 * n, np.uint64)
    places = _places(counts, starts)
    near[places], signs[places] = columns[w != 0], np.where(w[w != 0] < 0, ~np.uint64(0), np.uint64(0))
    up = np.arange(4) - counts[:, np.newaxis]
    signs.reshape(n, 4)[(up >= 0) & (up < begin[:, np.newaxis])] = ~np.uint64(0)
    return FourNeighbours(near, signs)


def _places(counts: NDArray, starts: NDArray) -> NDArray:
    """Return where the entries of lists of so many stand."""
    return np.repeat(starts[:-1] - np.append(0, np.cumsum(counts)[:-1]), counts) + np.arange(counts.sum())


def _runs(table: NDArray, classes: int, n: int, kind: NDArray) -> tuple[NDArray, NDArray]:
    """Return the units class by class, of each those of the first kind first, and where these runs start."""
    order = table[classes + 1 :][:n]
    run = 2 * np.repeat(np.arange(classes), np.diff(table[: classes + 1])) + kind[order]
    by_run = np.argsort(run, kind="stable")
    return order[by_run], np.searchsorted(run[by_run], np.arange(2 * classes + 1))


def _replicas(
    s: NDArray,
    n: int,
    samples: int,
    plan: ReplicaLayout,
    spins: bool,
    T: NDArray,
    stream: int,
    position: NoisePosition,
    halt: NDArray,
) -> None:
    """Pack the samples, sweep them, unpack."""
    # a sample has the word and bit of its number, so that its noise is the same however the batch is split
    low, shift = divmod(position.sample, 64)
    groups = -(-(samples + shift) // (64 * LANES)) * LANES
    packed = Packed(np.zeros((n + 1) * groups, np.uint64), groups)
    _pack(s, n, samples, shift, packed)
    draws = Draws(T, low, stream, position.tick, position.key)
    (_wide if plan.wide else _few)(packed, plan.bonds, plan.runs, plan.law, draws, halt)
    _unpack(s, n, samples, shift, packed, -1 if spins else 0)
