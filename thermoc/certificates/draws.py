"""The whole law of what is drawn, as independent normals: continuous draws, p-bits and categories (P5, P6, P26).

Whatever is drawn is brought to normals by its own distribution function (Rosenblatt 1952); of a discrete draw the step
of that function is filled by a fixed stream of random numbers, so that the normals are exact at any probability.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from thermoc.certificates import significance
from thermoc.certificates.law import Finding
from thermoc.certificates.observed import Observed, chunks

MOST_TESTED, ROWS = 2**16, 2**9
"""Numbers of an op of which the whole law and all pairs are tested; more where pairs would be seen in too few rows."""
MOST_SUMMED = 2**20
"""Numbers of an op over which sums are taken."""
MOST_COUNTED = 2**23
"""Draws of two levels that are counted: a draw that is all but certain tells little."""
MOST_PAIRED = 256
"""Units, and samples, of which all pairs are tested; of more, evenly spaced ones with their neighbours."""

Steps = Callable[[Any], tuple[NDArray, dict[str, NDArray]]]
"""For some ticks (a slice, or their numbers), normals and what was known before them."""


def cut(shape: tuple[int, ...]) -> tuple[NDArray, NDArray, NDArray]:
    """Return the ticks, samples and units (of ``shape`` (ticks, samples, units)) to test; each tick has a next."""
    ticks, samples, units = shape
    b, u = _spaced_pairs(samples, MOST_PAIRED), _spaced_pairs(units, MOST_PAIRED)
    count = max(2, max(MOST_TESTED, ROWS * max(len(b), len(u))) // (len(b) * len(u)))
    last = max(ticks - 1, 1)
    t = np.arange(last) if last <= count else np.unique(np.linspace(0, last - 1, count).astype(int))
    return t, b, u


def _spaced_pairs(count: int, most: int) -> NDArray:
    """Return indices below ``count``, at most ``most``: pairs of neighbours, evenly spaced."""
    if count <= most:
        return np.arange(count)
    first = np.linspace(0, count - 2, most // 2).astype(int)
    return np.unique(np.concatenate([first, first + 1]))


def flat_units(z: NDArray) -> NDArray:
    """Return an array (ticks, samples, ...) as (ticks, samples, units)."""
    return z.reshape(*z.shape[:2], -1)


def standard_normals(
    observed: Observed, what: str, steps: Steps, count: int, *, bias_of: str = "temperature"
) -> Iterator[Finding]:
    """Yield that normals are independent and standard, and tell nothing of what stood before.

    steps: for some of ``count`` ticks, z (ticks, samples, ...) and arrays like it, by name, that were known before z
    was drawn. bias_of: what makes the variance larger.
    """
    first, related = steps(slice(0, 1))
    numbers, total, square = 0, 0.0, 0.0
    pulls, sizes = dict.fromkeys(related, 0.0), dict.fromkeys(related, 0.0)
    for which in chunks(count, first.size, MOST_SUMMED):
        z, related = steps(which)
        numbers += z.size
        total += float(z.sum())
        square += float(np.vdot(z, z))
        for name, array in related.items():
            earlier = np.broadcast_to(array, z.shape)
            pulls[name] += float(np.vdot(z, earlier))
            sizes[name] += float(np.vdot(earlier, earlier))
    error = 1 / np.sqrt(numbers)
    statement = f"{what} has mean 0"
    yield significance.normal(observed, "P47", statement, total / numbers, error, numbers, bias_of="mean")
    yield significance.variance(observed, "P47", f"{what} has variance 1", square, numbers, bias_of)
    for name, size in sizes.items():
        if size > 0:
            statement, error = f"{what} does not depend on {name}", 1 / np.sqrt(size)
            yield significance.normal(observed, "P47", statement, pulls[name] / size, error, numbers, bias_of="slope")
    ticks, samples, units = cut((count, *flat_units(first).shape[1:]))
    now = flat_units(steps(ticks)[0])[:, samples][..., units]
    later = flat_units(steps(ticks + 1)[0])[:, samples][..., units] if count > 1 else None
    yield from whole_law(observed, what, now, later)


def of_array(z: NDArray) -> Steps:
    """Return normals that are at hand as the steps of ``standard_normals``."""
    return lambda which: (z[which], {})


def whole_law(observed: Observed, what: str, now: NDArray, later: NDArray | None) -> Iterator[Finding]:
    """Yield that normals (ticks, samples, units), and those of the ticks after them, follow their whole law."""
    yield significance.anderson_darling(observed, "P47", f"{what} follows its whole law", now)
    families = _families(now, later)
    if families:
        statement = f"{what}: units, samples and ticks are uncorrelated"
        yield significance.correlations(observed, "P47", statement, families, now.size)


def _families(now: NDArray, later: NDArray | None) -> list[tuple[NDArray, int]]:
    families = []
    _, samples, units = now.shape
    for axis, size in ((2, units), (1, samples)):
        rows = now.size // size
        if rows < 4:
            continue
        current = np.moveaxis(now, axis, 2).reshape(-1, size)
        norm = np.sqrt(np.einsum("ij,ij->j", current, current))
        if size > 1:
            r = (current.T @ current) / _positive(np.outer(norm, norm))
            families.append((r[np.triu_indices(size, 1)], rows))
        if later is not None:
            other = np.moveaxis(later, axis, 2).reshape(-1, size)
            lagged = (current.T @ other) / _positive(np.outer(norm, np.sqrt(np.einsum("ij,ij->j", other, other))))
            families.append((lagged.reshape(-1), rows))
    return families


def _positive(array: NDArray) -> NDArray:
    return np.where(array > 0, array, 1.0)


def filled(below: NDArray, width: NDArray, stream: int) -> NDArray:
    """Return the normals of discrete draws: each lies in [below, below + width) of its distribution function."""
    # Fixed streams: whoever checks the certificate again draws the same.
    random = np.random.Generator(np.random.Philox(key=stream)).random(below.shape)
    return special.ndtri(np.clip(below + width * random, 1e-16, 1 - 1e-16))


def bits(observed: Observed, draws: Callable[[Any], tuple[NDArray, NDArray]], count: int) -> Iterator[Finding]:
    """Yield that p-bits are up with probability 1 / (1 + e^-drive) (P6), by their whole law.

    draws: for some of ``count`` ticks, which are up, and their drives, both (ticks, samples, units).
    """
    first, _ = draws(slice(0, 1))
    numbers, off, spread, pull, size, information = 0, 0.0, 0.0, 0.0, 0.0, 0.0
    for which in chunks(count, first.size, MOST_COUNTED):
        up, drive = draws(which)
        p = _expit(drive)
        variance, residual = p - p * p, up - p
        # Beyond five the draw is certain, and its product with the drive is rounding.
        slope = np.clip(drive, -5, 5)
        numbers += up.size
        off += float(residual.sum())
        spread += float(variance.sum())
        residual *= slope
        pull -= float(residual.sum())
        variance *= slope
        size += float((variance * slope).sum())
        # A temperature larger by a share e makes each drive smaller by e.
        variance *= drive
        information += float(variance.sum())
    if spread > 0:
        yield significance.counted(
            observed,
            "P47",
            "units are up as often as they should",
            significance.Sum(off=off, variance=spread, largest=1.0, information=float(numbers)),
            numbers,
            bias_of="probability",
        )
    if information > 0:
        yield significance.counted(
            observed,
            "P47",
            "units follow their drive at their temperature",
            significance.Sum(off=pull, variance=size, largest=5.0, information=information),
            numbers,
            expected=1.0,
            bias_of="temperature",
        )
    ticks, samples, units = cut((count, *first.shape[1:]))

    def normals(which: NDArray, stream: int) -> NDArray:
        up, drive = (array[:, samples][..., units] for array in draws(which))
        p = _expit(drive)
        return filled(np.where(up, 1 - p, 0.0), np.where(up, p, 1 - p), stream)

    later = normals(ticks + 1, 1) if count > 1 else None
    yield from whole_law(observed, "a draw given its drive", normals(ticks, 0), later)


def _expit(drive: NDArray) -> NDArray:
    """Return 1 / (1 + e^-drive): scipy.special's takes three times as long."""
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-drive))


def categories(observed: Observed, s: NDArray, x: NDArray, T: NDArray) -> Iterator[Finding]:
    """Yield that categories, the last axis, are drawn by Boltzmann's law (P5): as often, as hot, by their whole law."""
    sampled = np.concatenate([np.arange(len(s))[which] for which in chunks(len(s), s[0].size, MOST_SUMMED)])
    if len(sampled) < len(s):
        s, x, T = s[sampled], x[sampled], T[sampled]
    shape, k = s.shape[:2], s.shape[-1]
    s, e = (array.reshape(*shape, -1, k) for array in (s, x / T))
    p = special.softmax(-e, axis=-1)
    variance = (p * (1 - p)).reshape(-1, k).sum(axis=0)
    off = (s - p).reshape(-1, k).sum(axis=0)
    worst = int(np.argmax(np.abs(off) / np.sqrt(np.maximum(variance, 1e-300))))
    if variance[worst] > 0:
        statement = "every category is drawn as often as it should"
        sum_ = significance.Sum(
            off=float(off[worst]), variance=float(variance[worst]), largest=1.0, information=s.size / k
        )
        yield significance.counted(observed, "P47", statement, sum_, s.size // k, bias_of="probability", tries=k)
    # Energies far above the least are never drawn, and would only be rounding.
    height = np.minimum(e - e.min(axis=-1, keepdims=True), 8.0)
    average = (p * height).sum(axis=-1, keepdims=True)
    information = float((p * (height - average) ** 2).sum())
    if information > 0:
        off_ = float(((s - p) * height).sum())
        sum_ = significance.Sum(off=off_, variance=information, largest=8.0, information=information)
        statement = "categories follow their energies at their temperature"
        yield significance.counted(observed, "P47", statement, sum_, s.size // k, expected=1.0, bias_of="temperature")
    where = cut(s.shape[:3])
    now = _ranked(0, *(array[np.ix_(*where)] for array in (s, e, p)))
    where = (where[0] + 1, *where[1:])
    later = _ranked(1, *(array[np.ix_(*where)] for array in (s, e, p))) if len(s) > 1 else None
    yield from whole_law(observed, "a draw given its energies", now, later)


def _ranked(stream: int, s: NDArray, e: NDArray, p: NDArray) -> NDArray:
    """Return the normals of categories, in the order of their energies."""
    order = np.argsort(e, axis=-1, kind="stable")
    s, p = np.take_along_axis(s, order, -1), np.take_along_axis(p, order, -1)
    below = ((np.cumsum(p, axis=-1) - p) * s).sum(axis=-1)
    return filled(below, (p * s).sum(axis=-1), stream)
