"""Runs a row whose units share words of noise: lays the words out and chooses the kernel, compiled when first needed.

Samples share words where couplings and fields are whole multiples of one number q. With couplings q w the field of a
spin is q (2 k - W + m): k the sum of |w| over the neighbours that agree with the sign of w, W the sum of all |w|, q m
the unit's own field. That of a bit is q (k - N + m), N the sum of |w| over negative w. Sums start from what makes equal
fields equal sums, so that units share thresholds: all bits, spins whose W + m is even, spins whose W + m is odd.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from thermoc.simulator.cache import keep
from thermoc.simulator.kernels.gibbs import checkerboard, replicas, rows
from thermoc.simulator.kernels.gibbs.fields import GROUP
from thermoc.simulator.kernels.gibbs.multispin import TERMS
from thermoc.simulator.kernels.simd.lanes import LANES
from thermoc.simulator.opcodes import LATTICE, REPLICAS, SPINS

MOST_SUMS, SUMS_A_SAMPLE = 4096, 128
"""Sums are worth their binary digits up to so many, and so many for each sample."""
PARTS = 12
"""q is looked for down to this part of the least coupling."""
ROUNDING = 4e-16

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


def words(
    s: NDArray,
    so: int,
    n: int,
    samples: int,
    h: NDArray,
    ho: int,
    hs: int,
    hn: int,
    T: NDArray,
    to: int,
    ts: int,
    tn: int,
    J: NDArray,
    table: NDArray,
    at: int,
    classes: int,
    sweeps: int,
    form: int,
    stream: int,
    first: int,
    sample: int,
    tick: int,
    key: np.uint64,
    layouts: dict[Any, Layout | None],
    halt: NDArray,
) -> None:
    """As ``rows.gibbs``, where 64 units of a class or 64 samples share words.

    layouts: those of constants, to be used again. halt: ends it early once it is set.
    """
    spins, own = form & SPINS > 0, hn > 1
    each, after = rows.step.py_func(tn, n, sweeps, form)
    if each == 0 and ts == 0 and hs == 0:
        rates = np.broadcast_to(T[to : to + tn], sweeps).astype(float)
        if form & LATTICE and not own:
            for k in range(samples):
                where = (s, so + k * n, n, float(h[ho]), rates, float(J[first]), spins)
                _lattice(*where, stream, sample + k, tick, key, halt)
            return
        if form & REPLICAS:
            most = min(MOST_SUMS, SUMS_A_SAMPLE * samples)
            name = (first, at, ho, most)
            if h is not J or name not in layouts:
                layouts[name] = layout(J[first:], h[ho : ho + hn], table[at:], classes, n, spins, most)
            plan = layouts[name]
            if plan is not None:
                _replicas(s, so, n, samples, rates, plan, spins, stream, sample, tick, key, halt)
                return
    for k in range(samples):
        where = (s, so + k * n, n, h, ho + k * hs, int(own), T, to + k * ts, each, after)
        _digits(*where, J, table, at, classes, sweeps, form, stream, first, sample + k, tick, key, halt)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What the kernels of ``replicas`` read; sums of even and of odd units: that of no field, and the last."""

    law: tuple[float, int, float]
    begin: NDArray
    none: NDArray
    last: NDArray
    near: NDArray
    signs: NDArray
    starts: NDArray
    order: NDArray
    cuts: NDArray
    wide: bool


def layout(J: NDArray, h: NDArray, table: NDArray, classes: int, n: int, spins: bool, most: int) -> Layout | None:
    """Return the layout of a row's couplings and fields; None where no q is found or there are more sums than most."""
    offsets = table[classes + 1 + n :][: n + 1]
    entries, own = offsets[-1], len(h) > 1
    columns, owner = table[classes + 2 + 2 * n :][:entries], np.repeat(np.arange(n), np.diff(offsets))
    found = whole(np.concatenate([J[:entries], h if own else h[:0]]).astype(float))
    if found is None:
        return None
    q, numbers = found
    w, m = numbers[:entries], numbers[entries:] if own else np.zeros(n, np.int64)
    total = np.bincount(owner, np.abs(w), n).astype(np.int64)
    least = m - total if spins else m + np.bincount(owner, np.minimum(w, 0), n).astype(np.int64)
    kind = least & 1 if spins else np.zeros(n, np.int64)
    highest = np.maximum(-least, m + total) if spins else -least
    none = np.array([highest[kind == k].max(initial=0) for k in range(2)])
    begin = (none[kind] + least) // (2 if spins else 1)
    last = np.array([(begin + total)[kind == k].max(initial=0) for k in range(2)])
    if last.max() >= most:
        return None
    bits = max(1, int(np.abs(w).max(initial=0)).bit_length())
    wide = bits > 1 or int(last.max()) >= TERMS
    near, signs, starts = _lists(w, owner, columns, begin, bits, wide)
    order, cuts = _runs(table, classes, n, kind)
    field = 0.0 if own else float(h[0])
    law = (2 * q, 2, 2 * field) if spins else (q, 1, field)
    return Layout(
        law=law,
        begin=begin,
        none=none,
        last=last,
        near=near,
        signs=signs,
        starts=starts,
        order=order,
        cuts=cuts,
        wide=wide,
    )


def whole(numbers: NDArray) -> tuple[float, NDArray] | None:
    """Return the largest q of which these are whole multiples, to rounding, and the multiples."""
    sizes = np.abs(numbers[numbers != 0])
    if not sizes.size:
        return 1.0, numbers.astype(np.int64)
    for part in range(1, PARTS + 1):
        q = float(sizes.min()) / part
        if sizes.max() > MOST_SUMS * q:
            return None
        multiples = np.rint(numbers / q)
        if (np.abs(multiples * q - numbers) <= ROUNDING * np.abs(numbers)).all():
            return q, multiples.astype(np.int64)
    return None


def _lists(w: NDArray, owner: NDArray, columns: NDArray, begin: NDArray, bits: int, wide: bool) -> tuple[NDArray, ...]:
    """Return the neighbours of each unit for each digit of |w|, their signs, and where these lists start.

    Wide lists are filled up to whole groups by a unit that is always down; others to four neighbours, of which some
    are always up: from there the sum starts.
    """
    n = len(begin)
    entry, digit = np.nonzero(np.abs(w)[:, np.newaxis] >> np.arange(bits) & 1)
    lists = owner[entry] * bits + digit
    entry = entry[np.argsort(lists, kind="stable")]
    counts = np.bincount(lists, minlength=n * bits)
    starts = np.append(0, np.cumsum(-(-counts // GROUP) * GROUP if wide else np.full(n, 4)))
    near, signs = np.full(starts[-1], n), np.zeros(starts[-1], np.uint64)
    place = np.arange(len(entry)) + np.repeat(starts[:-1] - (np.cumsum(counts) - counts), counts)
    near[place], signs[place] = columns[entry], np.where(w[entry] < 0, ~np.uint64(0), np.uint64(0))
    if not wide:
        up = np.arange(4) - counts[:, np.newaxis]
        signs.reshape(n, 4)[(up >= 0) & (up < begin[:, np.newaxis])] = ~np.uint64(0)
    return near, signs, starts


def _runs(table: NDArray, classes: int, n: int, kind: NDArray) -> tuple[NDArray, NDArray]:
    """Return the units class by class, of each those of the first kind first, and where these runs start."""
    order = table[classes + 1 :][:n]
    run = 2 * np.repeat(np.arange(classes), np.diff(table[: classes + 1])) + kind[order]
    by_run = np.argsort(run, kind="stable")
    return order[by_run], np.searchsorted(run[by_run], np.arange(2 * classes + 1))


def _replicas(
    s: NDArray,
    so: int,
    n: int,
    samples: int,
    T: NDArray,
    plan: Layout,
    spins: bool,
    stream: int,
    sample: int,
    tick: int,
    key: Any,
    halt: NDArray,
) -> None:
    """Pack the samples, sweep them, unpack."""
    low, shift = divmod(sample, 64)
    groups = -(-(samples + shift) // (64 * LANES)) * LANES
    packed = np.zeros((n + 1) * groups, np.uint64)
    _pack(s, so, n, samples, shift, packed, groups)
    graph = (plan.order, plan.cuts, plan.law, plan.none, plan.last)
    noise = (T, low, stream, tick, key, halt)
    if plan.wide:
        lists = (plan.near, plan.signs, plan.starts, plan.begin)
        _wide(packed, groups, *lists, *graph, int(plan.last.max()), *noise)
    else:
        _few(packed, groups, plan.near, plan.signs, *graph, *noise)
    _unpack(s, so, n, samples, shift, packed, groups, -1 if spins else 0)
