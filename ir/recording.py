"""What is kept of an output while a run goes on: recorders reduce its values, some ticks at a time."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from thermoc.ir.types import Shape
from thermoc.support.array_types import AnyArray, IntArray

MOST_COUNTED = 20
"""Units whose configurations are counted: 2^20 counts are 8 MiB."""


@dataclass(frozen=True, kw_only=True)
class Signal:
    """What is recorded: values (ticks, batch, *shape) of a dtype.

    levels: the two that its units take, None where they may have others. begun: the session's ticks before the run.
    """

    ticks: int
    batch: int
    dtype: np.dtype[Any]
    shape: Shape = ()
    levels: tuple[int, int] | None = None
    begun: int = 0

    @property
    def row(self) -> Shape:
        """Shape of the values of one tick."""
        return (self.batch, *self.shape)

    @property
    def units(self) -> int:
        """Number of elements of one sample."""
        return math.prod(self.shape)


class Recorder(ABC):
    """Reduces the values of one output, which come some ticks at a time, in order; ``seen`` ticks so far.

    What it has at the end depends on the values alone, bit for bit: never on where they were cut. A target that reduces
    them itself sets the public attributes, which are also what a snapshot holds.
    """

    state_names: ClassVar[tuple[str, ...]] = ()
    """Names of the attributes that a snapshot holds besides ``seen``."""

    def __init__(self, signal: Signal):
        self.signal, self.seen = signal, 0

    def take(self, array: AnyArray) -> None:
        """Take the values (ticks, batch, *shape) of the ticks that follow those it has."""
        self._reduce(array)
        self.seen += len(array)

    @abstractmethod
    def _reduce(self, array: AnyArray) -> None:
        """Take values in; ``seen`` still is the number of ticks before them."""

    @property
    @abstractmethod
    def fields(self) -> dict[str, AnyArray]:
        """What is recorded so far, by the names of ``Recorded``; the first is the one that is meant without a name."""

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Bytes that it holds at the end of the run; of events, which nobody can foresee, those it has."""

    def snapshot(self) -> dict[str, AnyArray]:
        """Return all that another recorder of the same signal needs to go on from here."""
        return {"seen": np.array(self.seen), **{name: np.array(getattr(self, name)) for name in self.state_names}}

    def restore(self, snapshot: Mapping[str, AnyArray]) -> None:
        """Go on from a snapshot."""
        self.seen = int(snapshot["seen"])
        for name in self.state_names:
            setattr(self, name, np.array(snapshot[name]))


class Every(Recorder):
    """The values of the k-th, 2k-th, ... tick of the run; of every tick with k = 1.

    ``values`` has room for the whole run, (ticks // k, batch, *shape); the first ``seen // k`` are there.
    """

    def __init__(self, signal: Signal, k: int = 1):
        super().__init__(signal)
        self.k = k

    @cached_property
    def values(self) -> AnyArray:
        """What has been kept, and room for the rest."""
        return np.empty((self.signal.ticks // self.k, *self.signal.row), self.signal.dtype)

    def _reduce(self, array: AnyArray) -> None:
        if self.k == 1 and len(array) == self.signal.ticks:
            self.values = array  # the whole run at once: no copy
            return
        first = self.seen // self.k
        some = array[self.k - 1 - self.seen % self.k :: self.k]
        self.values[first : first + len(some)] = some

    @property
    def fields(self) -> dict[str, AnyArray]:
        return {"values": self.values[: self.seen // self.k]}

    @property
    def nbytes(self) -> int:
        return self.signal.ticks // self.k * math.prod(self.signal.row) * self.signal.dtype.itemsize

    def snapshot(self) -> dict[str, AnyArray]:
        return {**super().snapshot(), "values": self.fields["values"].copy()}

    def restore(self, snapshot: Mapping[str, AnyArray]) -> None:
        super().restore(snapshot)
        self.values[: self.seen // self.k] = snapshot["values"]


class Last(Recorder):
    """The values of the last tick: ``last`` (batch, *shape)."""

    state_names = ("last",)

    def __init__(self, signal: Signal):
        super().__init__(signal)
        self.last = np.zeros(signal.row, signal.dtype)

    def _reduce(self, array: AnyArray) -> None:
        self.last = array[-1].copy()

    @property
    def fields(self) -> dict[str, AnyArray]:
        return {"last": self.last}

    @property
    def nbytes(self) -> int:
        return self.last.nbytes


class Sums(Recorder):
    """Exact mean and variance over the ticks of truth values and of units of two levels, each element's.

    ``total`` and ``squares``, int64 (batch, *shape), are the sums of the values and of their squares.
    """

    state_names = ("total", "squares")

    def __init__(self, signal: Signal):
        super().__init__(signal)
        self.total, self.squares = np.zeros(signal.row, np.int64), np.zeros(signal.row, np.int64)

    def _reduce(self, array: AnyArray) -> None:
        integers = array.astype(np.int64, copy=False)
        self.total += integers.sum(0)
        self.squares += (integers * integers).sum(0)

    @property
    def fields(self) -> dict[str, AnyArray]:
        n = max(self.seen, 1)
        # n s - t^2 in integers: no digits cancel. Python's integers where int64 would overflow.
        wide = np.int64 if n < 2**31 else object
        total, squares = self.total.astype(wide), self.squares.astype(wide)
        spread = np.asarray(n * squares - total * total, np.float64)
        return {"mean": self.total / n, "variance": spread / (float(n) * n), "count": np.array(self.seen)}

    @property
    def nbytes(self) -> int:
        return 16 * math.prod(self.signal.row)


class Moments(Recorder):
    """Mean and variance over the ticks of numbers, each element's, tick by tick by Welford's recurrence in float64.

    ``mean`` += d / n with d = x - ``mean``, then ``m2`` += d (x - ``mean``), n = ``seen`` + 1; both (batch, *shape).
    It loses no digits where the mean is large beside the spread.
    """

    state_names = ("mean", "m2")

    def __init__(self, signal: Signal):
        super().__init__(signal)
        self.mean, self.m2 = np.zeros(signal.row), np.zeros(signal.row)

    def _reduce(self, array: AnyArray) -> None:
        for n, x in enumerate(array.astype(np.float64, copy=False), self.seen + 1):
            deviation = x - self.mean
            self.mean += deviation / n
            self.m2 += deviation * (x - self.mean)

    @property
    def fields(self) -> dict[str, AnyArray]:
        return {"mean": self.mean, "variance": self.m2 / max(self.seen, 1), "count": np.array(self.seen)}

    @property
    def nbytes(self) -> int:
        return 16 * math.prod(self.signal.row)


def moments(signal: Signal) -> Sums | Moments:
    """Return the recorder of mean and variance that suits the signal."""
    return Sums(signal) if signal.levels is not None or signal.dtype.kind == "b" else Moments(signal)


class Extremes(Recorder):
    """The least and the greatest value of each element over the ticks: ``minimum`` and ``maximum`` (batch, *shape)."""

    state_names = ("minimum", "maximum")

    def __init__(self, signal: Signal):
        super().__init__(signal)
        self.minimum, self.maximum = np.zeros(signal.row, signal.dtype), np.zeros(signal.row, signal.dtype)

    def _reduce(self, array: AnyArray) -> None:
        lowest, greatest = array.min(0), array.max(0)
        first = self.seen == 0
        self.minimum = lowest if first else np.minimum(self.minimum, lowest)
        self.maximum = greatest if first else np.maximum(self.maximum, greatest)

    @property
    def fields(self) -> dict[str, AnyArray]:
        return {"minimum": self.minimum, "maximum": self.maximum}

    @property
    def nbytes(self) -> int:
        return 2 * self.minimum.nbytes


class EventList(Recorder):
    """Where values are not 0 (of spins: up): rows (tick, sample, unit), in this order; ``payloads`` are the values.

    tick counts from 0 at the start of the session; unit counts the elements of a sample, the last axis fastest.
    Units of two levels and truth values have no payloads.
    """

    def __init__(self, signal: Signal):
        super().__init__(signal)
        self.graded = signal.levels is None and signal.dtype.kind != "b"
        self._rows = [np.empty((0, 3), np.int64)]
        self._payloads = [np.empty(0, signal.dtype)]

    def _reduce(self, array: AnyArray) -> None:
        flat = array.reshape(len(array), self.signal.batch, self.signal.units)
        nonzero = np.nonzero(flat > 0 if self.signal.levels else flat)
        rows = np.stack(nonzero, axis=1).astype(np.int64, copy=False)
        rows[:, 0] += self.signal.begun + self.seen
        self._rows.append(rows)
        if self.graded:
            self._payloads.append(flat[nonzero])

    @property
    def events(self) -> IntArray:
        """Rows (tick, sample, unit) so far."""
        self._rows = [np.concatenate(self._rows)]
        return self._rows[0]

    @property
    def payloads(self) -> AnyArray:
        """The value of each event."""
        self._payloads = [np.concatenate(self._payloads)]
        return self._payloads[0]

    @property
    def fields(self) -> dict[str, AnyArray]:
        return {"events": self.events, **({"payloads": self.payloads} if self.graded else {})}

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for array in (*self._rows, *self._payloads))

    def snapshot(self) -> dict[str, AnyArray]:
        return {**super().snapshot(), "events": self.events, "payloads": self.payloads}

    def restore(self, snapshot: Mapping[str, AnyArray]) -> None:
        super().restore(snapshot)
        self._rows, self._payloads = [np.asarray(snapshot["events"])], [np.asarray(snapshot["payloads"])]


class Counts(Recorder):
    """How often each configuration of few units of two levels was there, over ticks and samples: ``counts`` (2^n,).

    They are in the order of binary counting, unit 0 the most significant, as those of ``physics.all_states``.
    """

    state_names = ("counts",)

    def __init__(self, signal: Signal):
        super().__init__(signal)
        self.counts = np.zeros(2**signal.units, np.int64)

    def _reduce(self, array: AnyArray) -> None:
        up = array.reshape(-1, self.signal.units) > 0
        places = 1 << np.arange(self.signal.units - 1, -1, -1)
        self.counts += np.bincount(up @ places, minlength=len(self.counts))

    @property
    def fields(self) -> dict[str, AnyArray]:
        return {"counts": self.counts}

    @property
    def nbytes(self) -> int:
        return self.counts.nbytes
