"""The heat of a session on a chip: in slots, in slots of half the length, and what units and cells have of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.base import NoisePosition
from thermoc.backends.chip.build import ChipArtefact
from thermoc.backends.chip.kelvins import KelvinRecord, UnitKelvins
from thermoc.backends.chip.temperatures import Targets, cell_warmth, heater_targets, relative_temperature, unit_kelvins
from thermoc.simulator.machine.electrothermal import ElectroThermal, moved
from thermoc.simulator.machine.heat_run import HeatRecord, TickHeat
from thermoc.simulator.machine.heat_state import Course, HeatState, History
from thermoc.simulator.machine.tick import TickRecord

MOST_HALVED = 2000
"""Slots, the first ones, that are run in halves too."""


class Sampling(NamedTuple):
    """How far the temperatures that an op's units draw at are from those asked for, relative: draws, sum, worst."""

    draws: int = 0
    total: float = 0.0
    worst: float = 0.0

    def plus(self, off: NDArray[np.float64]) -> Sampling:
        """Return it with those of more ticks, (ticks, draws)."""
        # tick after tick, so that it does not depend on how a run is cut
        total = float(np.cumsum([self.total, *off.sum(axis=1)])[-1])
        worst = float(off.flat[int(np.abs(off).argmax())])
        return Sampling(self.draws + off.size, total, worst if abs(worst) > abs(self.worst) else self.worst)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where the heat of a session stands. halved: in slots of half the length; lag: what these have moved so far, K.

    record, drawn: the temperatures of the die and of units until now.
    """

    coarse: HeatState
    halved: HeatState
    lag: float
    sampling: Mapping[str, Sampling]
    record: HeatRecord
    drawn: KelvinRecord

    def to_arrays(self) -> dict[str, NDArray]:
        """Return all that another session needs to go on, by name: without the records."""
        parts = {"coarse": self.coarse, "halved": self.halved}
        arrays = {f"{prefix}.{name}": a for prefix, state in parts.items() for name, a in state.to_arrays().items()}
        return arrays | {"lag": np.asarray(self.lag), "sampling": np.array([*self.sampling.values()]).reshape(-1, 3)}

    def of_arrays(self, arrays: Mapping[str, NDArray], tick: int) -> Standing:
        """Return where the heat stood when ``to_arrays`` gave these, before this tick; records begin here."""

        def part(name: str) -> dict[str, NDArray]:
            return {key.removeprefix(f"{name}."): a for key, a in arrays.items() if key.startswith(f"{name}.")}

        coarse = self.coarse.of_arrays(part("coarse"))
        rows = [Sampling(int(draws), float(total), float(worst)) for draws, total, worst in arrays["sampling"]]
        return Standing(
            coarse=coarse,
            halved=self.halved.of_arrays(part("halved")),
            lag=float(arrays["lag"]),
            sampling=dict(zip(self.sampling, rows)),
            record=HeatRecord.of(coarse, self.record.slot),
            drawn=KelvinRecord(first=tick),
        )


class ChipHeat:
    """Temperatures of a session, tick after tick. ``now`` is all that it has of them, and is replaced as a whole."""

    def __init__(self, artefact: ChipArtefact, tick: TickRecord, slot: int, position: NoisePosition):
        self._artefact, self._tick, self.slot = artefact, tick, slot
        self.physics = ElectroThermal(tick.chip)
        self._coarse = TickHeat(heat=self.physics, tick=tick, slot=slot)
        self._halved = replace(self._coarse, slot=slot // 2)
        self._targets = Targets(artefact, position)
        first = heater_targets(artefact.mapping, self._targets.of(range(1)), tick.pulses)
        state = self._coarse.begin(first, artefact.options.start)
        self.now = Standing(
            coarse=state,
            halved=state,
            lag=0.0,
            sampling=dict.fromkeys(artefact.mapping.work.sites, Sampling()),
            record=HeatRecord.of(state, slot),
            drawn=KelvinRecord(),
        )

    # ------------------------------------------------------------------------------------------------- going on

    def advanced(self, before: Standing, ticks: range) -> tuple[Standing, dict[str, NDArray]]:
        """Return where the heat stands after some ticks, and the program's inputs that follow from their temperatures.

        Errors: T410, T411, T415.
        """
        layout, tick = self._artefact.mapping, self._tick
        # and of the next one, for heaters move towards it when the last is over
        upcoming = self._targets.of(range(ticks.start, ticks.stop + 1))
        pulses = tick.pulses_of(ticks.start, len(ticks) + 1)
        wanted, end = heater_targets(layout, upcoming, pulses), tick.end(ticks.stop)
        coarse, history = self._coarse.advance(before.coarse, ticks, wanted, end)
        halved, lag, limit = before.halved, before.lag, MOST_HALVED * self.slot
        if halved.time < limit:
            halved, fine = self._halved.advance(halved, ticks, wanted, limit)
            lag = max(lag, moved(_up_to(history, limit), fine, pulses.end <= min(end, limit)))
        targets = {name: kelvins[:-1] for name, kelvins in upcoming.items()}
        kelvin = unit_kelvins(layout, pulses, history.kelvin, len(ticks) * tick.batch)
        # Relative, for noise goes with the ratio of the temperatures and not with kelvins.
        off = {name: kelvin[name].reshape(len(ticks), -1) / targets[name][:, None] - 1 for name in kelvin}
        sampling = {name: before.sampling[name].plus(off[name]) for name in kelvin}
        units = UnitKelvins(ticks=np.array(ticks), kelvin=kelvin, targets=targets)
        after = Standing(
            coarse=coarse,
            halved=halved,
            lag=lag,
            sampling=sampling,
            record=before.record.plus(history),
            drawn=before.drawn.plus(units),
        )
        return after, self._inputs(kelvin, targets, ticks, history)

    def _inputs(
        self, kelvin: Mapping[str, NDArray], targets: Mapping[str, NDArray], ticks: range, history: History
    ) -> dict[str, NDArray]:
        """Return the program's inputs that say how warm its units and cells are, (ticks, batch, ...)."""
        artefact, inputs = self._artefact, dict[str, NDArray]()
        for name, supplied in artefact.factors.items():
            inputs[supplied] = relative_temperature(artefact, name, kelvin[name], targets[name], self._tick.batch)
        for name, supplied in artefact.warmths.items():
            inputs[supplied] = cell_warmth(artefact, name, self._tick, ticks, history)
        return inputs

    # ------------------------------------------------------------------------------------------------- as it is now

    @property
    def ended(self) -> HeatState:
        """The state as it were if the slot at hand ended now."""
        return self._coarse.ended(self.now.coarse)[0]

    @property
    def last(self) -> Course:
        """The course of the slot at hand as it were if it ended now; of no slot where none has begun."""
        began, (state, watts) = self.now.coarse, self._coarse.ended(self.now.coarse)
        ends = [began, state] if len(watts) else [began]
        return Course(
            edges=np.array([end.begun for end in ends]),
            die=np.stack([end.T for end in ends]),
            islands=np.stack([end.island for end in ends]),
            watts=watts,
        )

    @property
    def lag(self) -> float:
        """By how many kelvin temperatures move, at most, in slots of half the length; of the first slots."""
        if self.now.coarse.time != self.now.halved.time:
            return self.now.lag
        coarse, fine = self.ended, self._halved.ended(self.now.halved)[0]
        die, islands = np.abs(coarse.T - fine.T), np.abs(coarse.island - fine.island)
        return max(self.now.lag, float(die.max()), float(islands.max(initial=0.0)))


def _up_to(history: History, limit: int) -> History:
    """Return a course up to an edge that is not after ``limit``."""
    edges = int(np.searchsorted(history.edges, limit, side="right"))
    return replace(history, edges=history.edges[:edges], die=history.die[:edges], islands=history.islands[:edges])
