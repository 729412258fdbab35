"""What the electro-thermal loop is asked, what it holds from slot to slot, and the temperatures that it gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.machine.instructions import PICO
from thermoc.simulator.machine.pulses import Pulses
from thermoc.simulator.machine.unit_state import UnitStates
from thermoc.simulator.thermal.die import DieState
from thermoc.simulator.thermal.ledger import Ledger


@dataclass(frozen=True, kw_only=True)
class Load:
    """What a run asks of the die: watts (slots, cores) that do not depend on it, and when units are worked.

    edges: (slots + 1,) ps, where slots begin and end. target: (pulses,) K that heaters hold the pulse's units at.
    awake: (cores,) False where a core's tile is off.
    """

    edges: NDArray[np.int64]
    power: NDArray[np.float64]
    pulses: Pulses
    target: NDArray[np.float64]
    awake: NDArray[np.bool_]

    def until(self, picoseconds: int) -> Load:
        """The same up to the edge at some time."""
        slots = int(np.searchsorted(self.edges, picoseconds))
        return replace(self, edges=self.edges[: slots + 1], power=self.power[:slots])

    @cached_property
    def seconds(self) -> NDArray[np.float64]:
        """How long each slot is, (slots,)."""
        return np.diff(self.edges) / PICO

    @cached_property
    def mean(self) -> NDArray[np.float64]:
        """Mean watts over the run, (cores,)."""
        return self.seconds @ self.power / self.seconds.sum()

    @cached_property
    def busy(self) -> NDArray[np.float64]:
        """The share of the run in which a class of units is worked, (classes,)."""
        return self.pulses.busy(int(self.edges[-1]))


@dataclass(frozen=True, kw_only=True)
class Course:
    """Temperatures at the edges of slots, K: ``die`` (slots + 1, cores), ``islands`` (slots + 1, classes).

    edges: (slots + 1,) ps. watts: (slots, cores).
    """

    edges: NDArray[np.int64]
    die: NDArray[np.float64]
    islands: NDArray[np.float64]
    watts: NDArray[np.float64]

    @property
    def times(self) -> NDArray[np.float64]:
        """The edges in s, (slots + 1,)."""
        return self.edges / PICO

    def thinned(self, slot: int, every: int) -> Course:
        """Return it with ``every`` slots of ``slot`` ps as one, a power of two; at the ends 1, 2, 4, ... are one.

        It is the same whether parts of it have been thinned before or not.
        """
        course, length = self, slot
        while length < every * slot:
            course, length = course._paired(length), 2 * length
        return course

    def _paired(self, length: int) -> Course:
        """Return it with two slots of ``length`` ps as one, where the first begins at an even multiple of it."""
        alike = np.diff(self.edges) == length
        first = np.flatnonzero(alike[:-1] & alike[1:] & (self.edges[:-2] % (2 * length) == 0))
        watts = self.watts.copy()
        watts[first] = (watts[first] + watts[first + 1]) / 2
        return Course(
            edges=np.delete(self.edges, first + 1),
            die=np.delete(self.die, first + 1, axis=0),
            islands=np.delete(self.islands, first + 1, axis=0),
            watts=np.delete(watts, first + 1, axis=0),
        )


def joined(parts: Sequence[Course]) -> Course:
    """Return parts that follow each other as one; each begins with the edge that the one before ends with."""
    first, *later = parts
    return Course(
        edges=np.concatenate([first.edges, *(record.edges[1:] for record in later)]),
        die=np.concatenate([first.die, *(record.die[1:] for record in later)]),
        islands=np.concatenate([first.islands, *(record.islands[1:] for record in later)]),
        watts=np.concatenate([record.watts for record in parts]),
    )


@dataclass(frozen=True, kw_only=True)
class History(Course):
    """The course of a load. kelvin: (pulses,) what units show in a pulse, on the mean over it.

    Since the very beginning: joules by core, heater, leakage, sampler (cores,), and the die's ledger.
    """

    kelvin: NDArray[np.float64]
    heater: NDArray[np.float64]
    leakage: NDArray[np.float64]
    sampler: NDArray[np.float64]
    ledger: Ledger


@dataclass(frozen=True, kw_only=True)
class HeatState:
    """All that goes on from here: the die at the beginning of its slot, the units within it, the sums of all before.

    time: ps, where units are. begun: ps, where the slot at hand began; of then are the ``die``, the temperatures ``T``
    (cores,) K of its cores, and ``island`` (classes,) K.
    spent: (cores,) J of events in this slot so far; worked: (2, classes) J of a unit and its heater. Of all slots
    before: joules (3, cores) of heaters, leakage and units; work (cores,) J in all; the die's ledger; peak K with its
    core and ps.
    """

    time: int
    begun: int
    die: DieState
    T: NDArray[np.float64]
    island: NDArray[np.float64]
    units: UnitStates | None
    spent: NDArray[np.float64]
    worked: NDArray[np.float64]
    joules: NDArray[np.float64]
    work: NDArray[np.float64]
    ledger: Ledger
    peak: tuple[float, int, int]

    def copied(self) -> HeatState:
        """Return the same with arrays of its own for what units change in place."""
        units = None if self.units is None else UnitStates(*(array.copy() for array in self.units))
        return replace(self, units=units, worked=self.worked.copy())

    def to_arrays(self) -> dict[str, NDArray]:
        """Return all of it as arrays by name."""
        arrays = {name: np.asarray(getattr(self, name)) for name in ARRAYS}
        held = {f"unit.{name}": array for name, array in zip(UnitStates._fields, self.units or ())}
        ledger = np.array([getattr(self.ledger, item.name) for item in fields(Ledger)])
        return arrays | held | {"die": self.die.held, "die.time": np.asarray(self.die.time), "ledger": ledger}

    def of_arrays(self, arrays: Mapping[str, NDArray]) -> HeatState:
        """Return the state that ``to_arrays`` of another of the same chip has given."""
        T, core, when = (float(number) for number in arrays["peak"])
        units = UnitStates(*(arrays[f"unit.{name}"].copy() for name in UnitStates._fields)) if self.units else None
        return HeatState(
            **{name: arrays[name].copy() for name in ARRAYS if name not in ("time", "begun", "peak")},
            time=int(arrays["time"]),
            begun=int(arrays["begun"]),
            die=DieState(float(arrays["die.time"]), arrays["die"].copy()),
            units=units,
            ledger=Ledger(**dict(zip((item.name for item in fields(Ledger)), map(float, arrays["ledger"])))),
            peak=(T, int(core), int(when)),
        )


ARRAYS = ("time", "begun", "T", "island", "spent", "worked", "joules", "work", "peak")
