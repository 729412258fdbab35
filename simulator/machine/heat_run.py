"""A die under the ticks of a batch, one after another for as long as it is asked: the same however they are cut."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.machine.account import awake
from thermoc.simulator.machine.electrothermal import ElectroThermal
from thermoc.simulator.machine.heat_state import Course, HeatState, History, Load, joined
from thermoc.simulator.machine.instructions import PICO
from thermoc.simulator.machine.records import Chain, chained, stride
from thermoc.simulator.machine.tick import TickRecord

MOST_CELLS = 8_000_000
"""Slots times cores that a record keeps, and that a tick may have."""


@dataclass(frozen=True, kw_only=True)
class TickHeat:
    """What ticks ask of the die: one after another in slots of ``slot`` ps that are counted from the first one on."""

    heat: ElectroThermal
    tick: TickRecord
    slot: int

    def begin(self, target: NDArray[np.float64], start: str) -> HeatState:
        """Return the state before the first tick, whose units are to be at ``target`` (pulses,) K.

        start: "steady" (the first tick has been repeated for ever) or "ambient". Errors: T415.
        """
        tick = self.tick
        joules = tick.spending.by_core(tick.chip.cores)
        load = Load(
            edges=np.array([0, tick.period]),
            power=joules[np.newaxis] / (tick.period / PICO),
            pulses=tick.pulses,
            target=target,
            awake=self.awake,
        )
        return self.heat.begin(load, start=start)

    @cached_property
    def awake(self) -> NDArray[np.bool_]:
        """Whose tile runs any instruction, (cores,)."""
        return awake(self.tick.program, self.tick.chip)

    @cached_property
    def busy(self) -> NDArray[np.float64]:
        """The share of the time in which a class of units is worked, (classes,)."""
        return self.tick.pulses.busy(self.tick.period)

    def advance(
        self, state: HeatState, ticks: range, target: NDArray[np.float64], until: int
    ) -> tuple[HeatState, History]:
        """Return the state after some ticks, and the temperatures up to the last slot that is over.

        target: (pulses,) K of these ticks and of the next, towards which heaters move already. until: ps, the edge of a
        slot where it ends even if the ticks go on. Errors: T410, T411, T415.
        """
        tick, slot = self.tick, self.slot
        end, pulses = tick.end(ticks.stop), tick.pulses_of(ticks.start, len(ticks) + 1)
        edges = np.append(np.arange(state.begun, end, slot), end)
        joules = np.zeros((len(edges) - 1, tick.chip.cores))
        joules[0] = state.spent
        tick.spending.add(joules, slot, np.array(ticks) * tick.period - state.begun)
        power = joules / (np.diff(edges) / PICO)[:, np.newaxis]
        load = Load(edges=edges, power=power, pulses=pulses, target=target, awake=self.awake)
        cut = until >= end and end % slot != 0
        load = load if until >= end else load.until(until)
        after, history = self.heat.advance(state, load, self.heat.held(pulses, target, self.busy), cut=cut)
        return (replace(after, spent=joules[-1]) if cut else after), history

    def ended(self, state: HeatState) -> tuple[HeatState, NDArray[np.float64]]:
        """Return the state if the slot at hand ended now, and its watts (slots, cores), of one slot or none."""
        if state.time == state.begun:
            return state, np.zeros((0, self.tick.chip.cores))
        power = state.spent / ((state.time - state.begun) / PICO)
        state, watts = self.heat.close(state, power, self.tick.pulses, self.awake)
        return state, watts[np.newaxis]


@dataclass(frozen=True, kw_only=True)
class HeatRecord:
    """The course of temperatures from ``start`` on, of about ``MOST_CELLS`` at most: beyond, 2, 4, ... slots are one.

    How many are one follows from how many there are, never from when they came. A record does not change: ``plus``
    returns the next one. slot: ps. slots: how many came; kept: how many of them are apart.
    """

    start: Course
    slot: int
    parts: Chain[Course] = None
    slots: int = 0
    kept: int = 0

    @classmethod
    def of(cls, state: HeatState, slot: int) -> HeatRecord:
        """Return one that begins with a state."""
        start = Course(
            edges=np.array([state.begun]),
            die=state.T[np.newaxis],
            islands=state.island[np.newaxis],
            watts=np.zeros((0, len(state.T))),
        )
        return cls(start=start, slot=slot)

    def plus(self, history: Course) -> HeatRecord:
        """Return it with what follows."""
        intervals, cores = history.watts.shape
        if not intervals:
            return self
        longer = replace(self, parts=(self.parts, history), slots=self.slots + intervals, kept=self.kept + intervals)
        # not as soon as they are too many, for then it would be done again and again
        if longer.kept * cores <= MOST_CELLS + MOST_CELLS // 8:
            return longer
        course = longer.course
        return replace(longer, parts=(None, course), kept=len(course.watts))

    @property
    def every(self) -> int:
        """How many slots are one."""
        return stride(self.slots, self.start.die.shape[1], MOST_CELLS)

    @property
    def course(self) -> Course:
        """All that is here, put together."""
        return joined([self.start, *chained(self.parts)]).thinned(self.slot, self.every)
