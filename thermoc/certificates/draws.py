"""The whole law of what is drawn, as independent standard normals: continuous draws, p-bits and categories (P5, P6, P26).

Whatever is drawn is brought to normals by its own distribution function (Rosenblatt 1952); of a discrete draw the step
of that function is filled by a fixed stream of random numbers, so that the normals are exact at any probability.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import special

from thermoc.certificates import significance
from thermoc.certificates.law import Finding
from thermoc.certificates.observed import Observed

MOST_TESTED = 2**18
"""Numbers of an op of which the whole law and all pairs are tested; sums are over all numbers of a run."""
MOST_PAIRED = 256
"""Units, and samples, of which all pairs are tested; of more, evenly spaced ones with their neighbours."""


def cut(shape: tuple[int, ...]) -> tuple[NDArray, NDArray, NDArray]:
    """Return the ticks, samples and units (of ``shape`` (ticks, samples, units)) to test; each tick's next is there too."""
    ticks, samples, units = shape
    b, u = _spaced_pairs(samples, MOST_PAIRED), _spaced_pairs(units, MOST_PAIRED)
    count = max(2, MOST_TESTED // (len(b) * len(u)))
    last = max(ticks - 1, 1)
    t = np.arange(last) if last <= count else np.unique(np.linspace(0, last - 1, count).astype(int))
    return t, b, u


def _spaced_pairs(count: int, most: int) -> NDArray:
    """Return indices below ``count``, at most ``most``: pairs of neighbours, evenly spaced."""
    if count <= most:
        return np.arange(count)
    first = np.linspace(0, count - 2, most // 2).astype(int)
    return np.unique(np.concatenate([first, first + 1]))


def taken(array: NDArray, ticks: NDArray, samples: NDArray, units: NDArray) -> NDArray:
    """Return part of an array (ticks, samples, units)."""
    return array[np.ix_(ticks, samples, units)]


def flat_units(z: NDArray) -> NDArray:
    """Return an array (ticks, samples, ...) as (ticks, samples, units)."""
    return z.reshape(*z.shape[:2], -1)


def standard_normals(
    observed: Observed, what: str, z: NDArray, *, bias_of: str = "temperature", **related: NDArray
) -> Iterator[Finding]:
    """Yield that z (ticks, samples, ...) is independent and standard normal, and tells nothing of what stood before.

    related: arrays like z that were known before z was drawn. bias_of: what makes the variance larger.
    """
    z = flat_units(z)
    count = z.size
    error = 1 / np.sqrt(count)
    mean = float(z.mean())
    yield significance.normal(observed, "P47", f"{what} has mean 0", mean, error, count, bias_of="mean")
    yield significance.variance(observed, "P47", f"{what} has variance 1", z, bias_of)
    for name, array in related.items():
        earlier = np.broadcast_to(array, array.shape).reshape(z.shape)
        total = float(np.vdot(earlier, earlier))
        if total > 0:
            pull = float(np.vdot(z, earlier)) / total
            statement = f"{what} does not depend on {name}"
            error = 1 / np.sqrt(total)
            yield significance.normal(observed, "P47", statement, pull, error, count, bias_of="slope")
    ticks, samples, units = cut(z.shape)
    now = taken(z, ticks, samples, units)
    later = taken(z, ticks + 1, samples, units) if len(z) > 1 else None
    yield from whole_law(observed, what, now, later)


def whole_law(observed: Observed, what: str, now: NDArray, later: NDArray | None) -> Iterator[Finding]:
    """Yield that normals (ticks, samples, units), and those of the ticks after them, follow their whole law."""
    yield significance.anderson_darling(observed, "P47", f"{what} follows its whole law", now)
    families = _families(now, later)
    if families:
        statement = f"{what}: units, samples and ticks are uncorrelated"
        yield significance.correlations(observed, "P47", statement, families, now.size)


def _families(now: NDArray, later: NDArray | None) -> list[tuple[NDArray, int]]:
    families = []
    count, samples, units = now.shape
    for axis, size in ((2, units), (1, samples)):
        rows = now.size // size
        if rows < 4:
            continue
        one = np.moveaxis(now, axis, 2).reshape(-1, size)
        norm = np.sqrt(np.einsum("ij,ij->j", one, one))
        if size > 1:
            r = (one.T @ one) / _positive(np.outer(norm, norm))
            families.append((r[np.triu_indices(size, 1)], rows))
        if later is not None:
            other = np.moveaxis(later, axis, 2).reshape(-1, size)
            lagged = (one.T @ other) / _positive(np.outer(norm, np.sqrt(np.einsum("ij,ij->j", other, other))))
            families.append((lagged.reshape(-1), rows))
    return families


def _positive(array: NDArray) -> NDArray:
    return np.where(array > 0, array, 1.0)


def filled(below: NDArray, width: NDArray, stream: int) -> NDArray:
    """Return the standard normals of discrete draws: each lies in [below, below + width) of its distribution function."""
    # Fixed streams: whoever checks the certificate again draws the same.
    random = np.random.Generator(np.random.Philox(key=stream)).random(below.shape)
    return special.ndtri(np.clip(below + width * random, 1e-16, 1 - 1e-16))


def bits(observed: Observed, up: NDArray, drive: NDArray) -> Iterator[Finding]:
    """Yield that p-bits (ticks, samples, units) are up with probability 1 / (1 + e^-drive) (P6), by their whole law."""
    p = special.expit(drive)
    variance = p * (1 - p)
    off = up - p
    total = float(variance.sum())
    if total > 0:
        statement = "units are up as often as they should"
        off_ = float(off.sum())
        yield significance.counted(
            observed, "P47", statement, off_, total, 1.0, float(off.size), off.size, bias_of="probability"
        )
    # Beyond five the draw is certain, and its product with the drive is rounding.
    slope = np.clip(drive, -5, 5)
    # A temperature larger by a share e makes each drive smaller by e.
    information = float(np.vdot(variance, slope * drive))
    if information > 0:
        yield significance.counted(
            observed,
            "P47",
            "units follow their drive at their temperature",
            -float(np.vdot(off, slope)),
            float(np.vdot(variance, slope * slope)),
            5.0,
            information,
            off.size,
            expected=1.0,
            bias_of="temperature",
        )
    where = cut(up.shape)

    def normals(stream: int, *where: NDArray) -> NDArray:
        chosen, probability = taken(up, *where), taken(p, *where)
        below, width = np.where(chosen, 1 - probability, 0.0), np.where(chosen, probability, 1 - probability)
        return filled(below, width, stream)

    now = normals(0, *where)
    later = normals(1, where[0] + 1, *where[1:]) if len(up) > 1 else None
    yield from whole_law(observed, "a draw given its drive", now, later)


def categories(observed: Observed, s: NDArray, x: NDArray, T: NDArray) -> Iterator[Finding]:
    """Yield that categories, the last axis, are drawn by Boltzmann's law (P5): as often, at their temperature, whole."""
    shape, k = s.shape[:2], s.shape[-1]
    s, e = (array.reshape(*shape, -1, k) for array in (s, x / T))
    p = special.softmax(-e, axis=-1)
    variance = (p * (1 - p)).reshape(-1, k).sum(axis=0)
    off = (s - p).reshape(-1, k).sum(axis=0)
    worst = int(np.argmax(np.abs(off) / np.sqrt(np.maximum(variance, 1e-300))))
    if variance[worst] > 0:
        statement = "every category is drawn as often as it should"
        yield significance.counted(
            observed,
            "P47",
            statement,
            float(off[worst]),
            float(variance[worst]),
            1.0,
            s.size / k,
            s.size // k,
            bias_of="probability",
            tries=k,
        )
    # Energies far above the least are never drawn, and would only be rounding.
    height = np.minimum(e - e.min(axis=-1, keepdims=True), 8.0)
    average = (p * height).sum(axis=-1, keepdims=True)
    information = float((p * (height - average) ** 2).sum())
    if information > 0:
        yield significance.counted(
            observed,
            "P47",
            "categories follow their energies at their temperature",
            float(((s - p) * height).sum()),
            information,
            8.0,
            information,
            s.size // k,
            expected=1.0,
            bias_of="temperature",
        )
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
