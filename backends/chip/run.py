"""Run a network on a chip: the machine's events, the heat they make, and the numbers at the temperatures of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.base import BackendSession, NoisePosition
from thermoc.backends.chip.batch import check_events, check_slots, check_states
from thermoc.backends.chip.build import ChipArtefact
from thermoc.backends.chip.heat import ChipHeat
from thermoc.backends.chip.report import ChipReport, ChipRun, report
from thermoc.backends.sim.run import ProgramSession
from thermoc.ir.feed import Feed
from thermoc.simulator.machine import costs
from thermoc.simulator.machine.instructions import PICO
from thermoc.simulator.machine.tick import tick_of
from thermoc.support.errors import error

MOST_PS = 2**62
BLOCK = 2**20
"""Pulses, or slots times cores, of the ticks that are worked out at once."""
CHIP = "chip:"
"""Before the names of what a snapshot holds beside the states."""


class ChipSession(BackendSession):
    """A chip that goes on: its clock, its die, its sums. Errors: T306, T404, T414 and T415 before the first tick.

    Ticks come one after another, with all samples in each; all cores meet in between. Work, then the heat it makes,
    then the numbers: what units draw depends on how warm they are, and what is done on no number.
    """

    def __init__(self, artefact: ChipArtefact, *, batch: int, position: NoisePosition):
        super().__init__(batch=batch, position=position)
        layout, options = artefact.mapping, artefact.options
        check_events(layout, batch)
        check_states(layout, batch)
        price = costs(layout.program, layout.chip)
        self._tick = tick_of(layout.program, layout.chip, price, batch=batch, period=round(options.period * PICO))
        size = 2 * round(options.slot * PICO / 2)  # even, so that halves are whole picoseconds
        check_slots(self._tick.period, size, layout.chip.cores)
        self._artefact = artefact
        self._heat = ChipHeat(artefact, self._tick, size, position)
        self._program = ProgramSession(artefact.program, batch=batch, position=position, threads=artefact.threads)
        self._report: tuple[int, ChipReport] | None = None

    def advance(self, feed: Feed, names: Collection[str] | None = None) -> dict[str, NDArray]:
        """Run some ticks on. Errors: T404 beyond the clock's picoseconds, T405, T410, T411, T415."""
        ticks = range(self.tick, self.tick + feed.ticks)
        if self._tick.period * ticks.stop > MOST_PS:
            notes = [f"{ticks.stop} ticks of {self._tick.period / PICO:.3g} s", f"it counts {MOST_PS / PICO:.3g} s"]
            raise error("T404", "the chip's clock would run over", notes=notes, hint="start another session")
        standing, parts = self._heat.now, list[dict[str, NDArray]]()
        for some in self._blocks(ticks):
            standing, inputs = self._heat.advanced(standing, some)
            parts.append(inputs)
        arrays = {name: np.concatenate([chunk[name] for chunk in parts]) for name in parts[0]}
        fed = Feed(arrays=dict(feed.arrays) | arrays, ticks=feed.ticks, batch=feed.batch)
        before = self._program.snapshot(), self._heat.now, self.tick
        try:
            outputs = self._program.advance(fed, names)
            self._heat.now, self.tick = standing, ticks.stop
        except BaseException:
            states, self._heat.now, self.tick = before
            self._program.restore(states, self.tick)
            raise
        return outputs

    def _blocks(self, ticks: range) -> Iterator[range]:
        """Yield the ticks that are worked out at once: as many as memory for their slots and pulses is given."""
        cells = self._tick.period / self._heat.slot * self._tick.chip.cores
        limit = max(1, int(BLOCK / max(cells, len(self._tick.pulses.begin), 1)))
        for first in range(ticks.start, ticks.stop, limit):
            yield range(first, min(first + limit, ticks.stop))

    @property
    def states(self) -> dict[str, NDArray]:
        """States now."""
        return self._program.states

    def set_states(self, states: Mapping[str, NDArray]) -> None:
        """Replace some states; the die stays as warm as it is."""
        self._program.set_states(states)

    def snapshot(self) -> dict[str, NDArray]:
        """Return the states, and beside them the die's temperatures, its units, and the sums so far."""
        return self._program.snapshot() | {CHIP + name: array for name, array in self._heat.now.to_arrays().items()}

    def restore(self, snapshot: Mapping[str, NDArray], tick: int) -> None:
        """Go on from a snapshot; the courses of temperatures begin here."""
        ours = {name.removeprefix(CHIP): array for name, array in snapshot.items() if name.startswith(CHIP)}
        before = self._heat.now.of_arrays(ours, tick)
        self._program.restore({name: array for name, array in snapshot.items() if not name.startswith(CHIP)}, tick)
        self._heat.now, self.tick, self._report = before, tick, None

    @property
    def chip(self) -> ChipReport | None:
        """What the chip has done since the start; None before the first tick."""
        if not self.tick:
            return None
        if self._report is None or self._report[0] != self.tick:
            self._report = self.tick, report(self._run())
        return self._report[1]

    def _run(self) -> ChipRun:
        return ChipRun(
            artefact=self._artefact,
            tick=self._tick,
            heat=self._heat.physics,
            now=self._heat.now,
            ended=self._heat.ended,
            last=self._heat.last,
            lag=self._heat.lag,
            ticks=self.tick,
            batch=self.batch,
        )
