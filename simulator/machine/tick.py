"""One tick of a batch on a chip: its samples take their turns in it, and then all cores meet.

Nothing of a tick is left when the next one begins, so every tick takes the same events at the same times after its
beginning: one is simulated, and stands for all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.chips import Chip
from thermoc.simulator.machine.account import Account, Spending, account, beginning, in_setup, spending
from thermoc.simulator.machine.costs import Costs, meeting
from thermoc.simulator.machine.engine import run_events
from thermoc.simulator.machine.events import Events
from thermoc.simulator.machine.program import ChipProgram
from thermoc.simulator.machine.pulses import Pulses, pulses


@dataclass(frozen=True, kw_only=True)
class TickRecord:
    """The setup and the first tick of a batch: its events, with the number of the sample as their ``turn``.

    start: ps when the first tick begins, after the setup. length: ps that a tick takes. gap: ps in which all cores meet
    before the next, and wait where ticks are to be further apart.
    """

    program: ChipProgram
    chip: Chip
    price: Costs
    batch: int
    events: Events
    start: int
    length: int
    gap: int

    @property
    def period(self) -> int:
        """How long it is from the beginning of a tick to that of the next, ps."""
        return self.length + self.gap

    def end(self, ticks: int) -> int:
        """Return when so many ticks are over, ps from the first one's beginning: they need not meet afterwards."""
        return ticks * self.period - self.gap if ticks else 0

    @cached_property
    def spending(self) -> Spending:
        """Where and when the joules of a tick are spent, but for those of units."""
        return spending(self.events, self.program, self.price, self.chip, start=self.start)

    @cached_property
    def pulses(self) -> Pulses:
        """The pulses of a tick, from its beginning on."""
        return pulses(self.events, self.program, self.start)

    @cached_property
    def sums(self) -> Account:
        """The account of one tick."""
        return account(self.events, self.program, self.price, self.chip)

    def pulses_of(self, first: int, ticks: int) -> Pulses:
        """Return the pulses of so many ticks from the ``first`` on; times count from the very first one's beginning."""
        shifts = (first + np.arange(ticks)) * self.period
        return replace(self.pulses.repeated(shifts), length=self.length, period=self.period)

    def repeated(self, ticks: int) -> Events:
        """Return the events of the setup and of so many ticks; ``turn`` counts samples, tick by tick."""
        events, recurring = self.events, ~in_setup(self.program)[self.events.row]
        shifts, count = np.arange(1, ticks) * self.period, int(recurring.sum())

        def tiled(array: NDArray, shift: NDArray) -> NDArray:
            later = (array[recurring] + shift[:, None]).ravel() if count else array[:0]
            return np.concatenate([array, later]).astype(array.dtype)

        zeros, offsets = np.zeros(len(shifts), np.int64), np.arange(1, ticks) * self.batch
        return Events(
            row=tiled(events.row, zeros),
            place=tiled(events.place, zeros),
            start=tiled(events.start, shifts),
            end=tiled(events.end, shifts),
            turn=tiled(events.turn, offsets),
        )


def tick_of(program: ChipProgram, chip: Chip, price: Costs, *, batch: int, period: int = 0) -> TickRecord:
    """Simulate the setup and one tick of a batch; period: ps that ticks are apart at least. Errors: T306, T414."""
    events = run_events(program, chip, rounds=batch, price=price)
    start = beginning(events, program)
    # two ps at least, so that slots of half a run are some
    length = max(2, int(events.end.max(initial=start)) - start)
    return TickRecord(
        program=program,
        chip=chip,
        price=price,
        batch=batch,
        events=events,
        start=start,
        length=length,
        gap=max(meeting(chip), period - length),
    )
