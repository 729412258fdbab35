"""When units are worked: the instructions that sample, anneal and step, gathered by the units that they work alike."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.machine.events import Events
from thermoc.simulator.machine.instructions import PICO, THERMAL
from thermoc.simulator.machine.program import ChipProgram


@dataclass(frozen=True, kw_only=True)
class Pulses:
    """Classes of units and their pulses: class k is worked in pulses first[k] to first[k + 1], in order of time.

    A class is what one instruction of a tick works: ``keys`` (classes, 4) core, op served, first unit, colour;
    ``units`` (classes,) how many. begin, end: (pulses,) ps from the first tick's beginning. Ticks take ``length`` ps
    and begin every ``period`` ps; with a period of 0 nothing is said of ticks.
    """

    keys: NDArray[np.int64]
    units: NDArray[np.int64]
    first: NDArray[np.int64]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    length: int = 0
    period: int = 0

    @property
    def core(self) -> NDArray[np.int64]:
        """The core of each class."""
        return self.keys[:, 0]

    @property
    def mean(self) -> NDArray[np.float64]:
        """How long a pulse of each class is on the mean, (classes,) s, in whole picoseconds."""
        # whole picoseconds, so that classes that are worked alike share one response, which is found by this float
        return np.rint(self._sum(self.end - self.begin) / np.diff(self.first)) / PICO

    def busy(self, until: int) -> NDArray[np.float64]:
        """Return the share of the time up to ``until`` (ps) in which a class is worked, (classes,)."""
        return self._sum(np.minimum(self.end, until) - np.minimum(self.begin, until)) / until

    def _sum(self, of_pulses: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return sums over the pulses of each class."""
        # every class has a pulse, as reduceat needs: of an empty part it would return the next one's first value
        return np.add.reduceat(of_pulses, self.first[:-1]) if len(self.keys) else np.zeros(0, np.int64)

    def of(self, served: int, low: int, colour: int) -> slice:
        """Return the pulses of units that an op has in the part from ``low`` on, of one colour."""
        # unpacked as one: no such class, or two of them, is an error and not a slice of something else
        (number,) = np.flatnonzero((self.keys[:, 1:] == (served, low, colour)).all(axis=1))
        return slice(int(self.first[number]), int(self.first[number + 1]))

    def repeated(self, shifts: NDArray[np.int64]) -> Pulses:
        """Return the same pulses again and again, each time by so many ps later (times,)."""

        def tiled(times: NDArray[np.int64]) -> NDArray[np.int64]:
            classes = np.split(times, self.first[1:-1])
            return np.concatenate([(shifts[:, None] + pulse).ravel() for pulse in classes])

        return replace(self, first=self.first * len(shifts), begin=tiled(self.begin), end=tiled(self.end))

    def by_core(self, values: NDArray[np.float64], cores: int) -> NDArray[np.float64]:
        """Return the sums over the classes of each core, (cores,)."""
        return np.bincount(self.core, values, cores).astype(np.float64)


def pulses(events: Events, program: ChipProgram, start: int) -> Pulses:
    """Return the pulses of a run, from ``start`` (ps) on. Units are worked through the whole of an instruction."""
    code = program.code
    rows = np.isin(code[:, 0], [int(op) for op in THERMAL])
    hit = np.flatnonzero(rows[events.row])
    row = events.row[hit]
    class_keys = np.stack([program.cores[row], code[row, 1], code[row, 3], code[row, 5]], axis=1)
    keys, index, which = np.unique(class_keys, axis=0, return_index=True, return_inverse=True)
    # by class, then by time: the last key of lexsort comes first
    order = np.lexsort((events.start[hit], which.ravel()))
    return Pulses(
        keys=keys.reshape(-1, 4),
        units=code[row[index], 2],
        first=np.concatenate([[0], np.cumsum(np.bincount(which.ravel(), minlength=len(keys)))]).astype(np.int64),
        begin=events.start[hit][order] - start,
        end=events.end[hit][order] - start,
    )
