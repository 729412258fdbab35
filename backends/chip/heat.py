"""The heat of a session on a chip: in slots, in slots of half the length, and what units and cells have of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.base import NoisePosition
from thermoc.backends.chip.build import ChipArtefact
from thermoc.backends.chip.temperatures import Targets, cell_warmth, heater_targets, relative_temperature, unit_kelvins
from thermoc.simulator.machine.electrothermal import ElectroThermal, moved
from thermoc.simulator.machine.heat_run import HeatRecord, TickHeat
from thermoc.simulator.machine.heat_state import Course, HeatState, History, joined
from thermoc.simulator.machine.tick import Tick

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
class Temperatures:
    """Of some ticks: kelvins at which units draw, (ticks * batch, units), and targets, (ticks,), by op.

    inputs: the program's that follow from them. history: of the die.
    """

    kelvin: Mapping[str, NDArray[np.float64]]
    targets: Mapping[str, NDArray[np.float64]]
    inputs: Mapping[str, NDArray]
    history: History


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where the heat of a session stands. halved: in slots of half the length; lag: what these have moved so far, K."""

    coarse: HeatState
    halved: HeatState
    lag: float
    sampling: Mapping[str, Sampling]

    def to_arrays(self) -> dict[str, NDArray]:
        """Return all that another session needs, by name."""
        parts = {"coarse": self.coarse, "halved": self.halved}
        arrays = {f"{part}.{name}": a for part, state in parts.items() for name, a in state.to_arrays().items()}
        return arrays | {"lag": np.asarray(self.lag), "sampling": np.array([*self.sampling.values()]).reshape(-1, 3)}

    def of_arrays(self, arrays: Mapping[str, NDArray]) -> Standing:
        """Return where the heat stood when ``to_arrays`` gave these."""

        def part(name: str) -> dict[str, NDArray]:
            return {key.removeprefix(f"{name}."): a for key, a in arrays.items() if key.startswith(f"{name}.")}

        rows = [Sampling(int(draws), float(total), float(worst)) for draws, total, worst in arrays["sampling"]]
        return Standing(
            coarse=self.coarse.of_arrays(part("coarse")),
            halved=self.halved.of_arrays(part("halved")),
            lag=float(arrays["lag"]),
            sampling=dict(zip(self.sampling, rows)),
        )


class ChipHeat:
    """Temperatures of a session, tick after tick. What it has is replaced as a whole, and by ``take`` alone."""

    def __init__(self, artefact: ChipArtefact, tick: Tick, slot: int, position: NoisePosition):
        self._artefact, self._tick, self.slot = artefact, tick, slot
        self.physics = ElectroThermal(tick.chip)
        self._coarse = TickHeat(heat=self.physics, tick=tick, slot=slot)
        self._halved = replace(self._coarse, slot=slot // 2)
        self._targets = Targets(artefact, position)
        first = heater_targets(artefact.mapping, self._targets.of(range(1)), tick.pulses)
        state = self._coarse.begin(first, artefact.options.start)
        self.now = Standing(
            coarse=state, halved=state, lag=0.0, sampling=dict.fromkeys(artefact.mapping.work.sites, Sampling())
        )
        self._record = HeatRecord(state)
        self.kelvin: dict[str, NDArray[np.float64]] = {}
        self.targets: dict[str, NDArray[np.float64]] = {}

    # ------------------------------------------------------------------------------------------------- going on

    def advanced(self, before: Standing, ticks: range) -> tuple[Standing, Temperatures]:
        """Return where the heat stands after some ticks, and their temperatures. Errors: T410, T411, T415."""
        layout, tick = self._artefact.mapping, self._tick
        # and of the next one, for heaters move towards it when the last is over
        ahead = self._targets.of(range(ticks.start, ticks.stop + 1))
        pulses = tick.pulses_of(ticks.start, len(ticks) + 1)
        wanted, end = heater_targets(layout, ahead, pulses), tick.end(ticks.stop)
        coarse, history = self._coarse.advance(before.coarse, ticks, wanted, end)
        halved, lag, limit = before.halved, before.lag, MOST_HALVED * self.slot
        if halved.time < limit:
            halved, fine = self._halved.advance(halved, ticks, wanted, limit)
            lag = max(lag, moved(_up_to(history, limit), fine, pulses.end <= min(end, limit)))
        targets = {name: kelvins[:-1] for name, kelvins in ahead.items()}
        kelvin = unit_kelvins(layout, pulses, history.kelvin, len(ticks) * tick.batch)
        # Relative, for noise goes with the ratio of the temperatures and not with kelvins.
        off = {name: kelvin[name].reshape(len(ticks), -1) / targets[name][:, None] - 1 for name in kelvin}
        sampling = {name: before.sampling[name].plus(off[name]) for name in kelvin}
        inputs = self._inputs(kelvin, targets, ticks, history)
        return (
            Standing(coarse=coarse, halved=halved, lag=lag, sampling=sampling),
            Temperatures(kelvin=kelvin, targets=targets, inputs=inputs, history=history),
        )

    def _inputs(
        self, kelvin: Mapping[str, NDArray], targets: Mapping[str, NDArray], ticks: range, history: History
    ) -> dict[str, NDArray]:
        """Return the program's inputs that say how warm its units and cells are, (ticks, batch, ...)."""
        artefact, inputs = self._artefact, dict[str, NDArray]()
        for name, given in artefact.factors.items():
            inputs[given] = relative_temperature(artefact, name, kelvin[name], targets[name], self._tick.batch)
        for name, given in artefact.warmths.items():
            inputs[given] = cell_warmth(artefact, name, self._tick, ticks, history)
        return inputs

    def take(self, standing: Standing, parts: Sequence[Temperatures]) -> None:
        """Go on from there; the parts, which follow each other, are of the ticks up to it."""
        kelvin = {name: np.concatenate([part.kelvin[name] for part in parts]) for name in parts[0].kelvin}
        targets = {name: np.concatenate([part.targets[name] for part in parts]) for name in parts[0].targets}
        for part in parts:
            self._record.take(part.history)
        self.kelvin, self.targets, self.now = kelvin, targets, standing

    def restored(self, arrays: Mapping[str, NDArray]) -> Standing:
        """Return where the heat stood when a snapshot was taken."""
        return self.now.of_arrays(arrays)

    def go_on(self, standing: Standing) -> None:
        """Go on from there."""
        self.now, self._record = standing, HeatRecord(standing.coarse)
        self.kelvin, self.targets = {}, {}

    # ------------------------------------------------------------------------------------------------- as it is now

    @property
    def ended(self) -> HeatState:
        """The state as it were if the slot at hand ended now."""
        return self._coarse.ended(self.now.coarse)[0]

    def course(self) -> Callable[[], Course]:
        """Return what puts the course of temperatures up to now together, when it is asked."""
        before, began, (state, watts) = self._record.so_far(), self.now.coarse, self._coarse.ended(self.now.coarse)
        if not len(watts):
            return before
        die, islands = np.stack([began.T, state.T]), np.stack([began.island, state.island])
        last = Course(edges=np.array([began.begun, state.begun]), die=die, islands=islands, watts=watts)
        return lambda: joined([before(), last])

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
