"""The electro-thermal loop: events heat the die, the die's temperature comes back to what samples and leaks.

Time goes in slots, the last as long as is left of the run. Within one the die is held: what events spend is known,
leakage is that of the slot's start, and units step through their pulses on it under heaters (``units``). The die then
takes one exact step at the power that all this came to, and the next slot sees its new temperature. What this lag costs
is found by running in slots of half the length.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.chips import Chip
from thermoc.simulator.machine.instructions import PICO
from thermoc.simulator.machine.pulses import Pulses
from thermoc.simulator.machine.unit_state import NONE, Hold
from thermoc.simulator.machine.units import ThermalUnits
from thermoc.simulator.thermal.die import Die, DieState
from thermoc.simulator.thermal.ledger import Ledger
from thermoc.simulator.thermal.stack import DieLayer, HeatSink, Material, Stack
from thermoc.support.errors import error

SETTLED = 1e-10
MOST_ROUNDS = 500


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
class History:
    """Temperatures at the edges of slots, K: ``die`` (slots + 1, cores), ``islands`` (slots + 1, classes).

    edges: (slots + 1,) ps. watts: (slots, cores). kelvin: (pulses,) what units show in a pulse, on the mean over it.
    Joules by core: heater, leakage, sampler (cores,). ledger: the die's.
    """

    edges: NDArray[np.int64]
    die: NDArray[np.float64]
    islands: NDArray[np.float64]
    kelvin: NDArray[np.float64]
    watts: NDArray[np.float64]
    heater: NDArray[np.float64]
    leakage: NDArray[np.float64]
    sampler: NDArray[np.float64]
    ledger: Ledger | None

    @property
    def peak(self) -> tuple[float, int, float]:
        """The die's highest temperature, the core, and the time in s."""
        slot, core = np.unravel_index(int(self.die.argmax()), self.die.shape)
        return float(self.die[slot, core]), int(core), float(self.times[slot])

    @property
    def times(self) -> NDArray[np.float64]:
        """The edges in s, (slots + 1,)."""
        return self.edges / PICO

    @property
    def mean_watts(self) -> NDArray[np.float64]:
        """Mean watts over the run, (cores,)."""
        return np.diff(self.times) @ self.watts / self.times[-1]


def stack_of(chip: Chip) -> Stack:
    """Return the layers of a chip: power turns to heat in the uppermost, and leaves below."""
    wide, high = chip["mesh.columns"] * chip["mesh.tile_width"], chip["mesh.rows"] * chip["mesh.tile_height"]
    sheet = {
        name: Material(
            name=name, conductivity=chip[f"{name}.conductivity"], heat_capacity=chip[f"{name}.heat_capacity"]
        )
        for name in ("die", "bond", "spreader")
    }
    return Stack(
        width=wide,
        height=high,
        layers=(
            DieLayer(name="active", thickness=chip["die.active"], material=sheet["die"], source=True),
            *(DieLayer(name=name, thickness=chip[f"{name}.thickness"], material=sheet[name]) for name in sheet),
        ),
        sink=HeatSink(
            capacity=chip["package.capacity"],
            resistance=chip["package.resistance"],
            temperature=chip["package.ambient"],
        ),
    )


class ElectroThermal:
    """A chip's die, its leakage, its units and their heaters."""

    def __init__(self, chip: Chip):
        self.chip = chip
        (wide, high) = chip.grid()
        self.shape = chip.whole("mesh.rows") * high, chip.whole("mesh.columns") * wide
        self.die = Die(stack_of(chip), self.shape)
        spots = np.array([chip.position(core) for core in range(chip.cores)])
        self.spot = spots[:, 1], spots[:, 0]  # row, column of each core's cell
        self.units = ThermalUnits(chip) if "sampler.units" in chip else None

    def grid(self, cores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return numbers of cores on the die's cells, (rows, columns)."""
        cells = np.zeros(self.shape)
        cells[self.spot] = cores
        return cells

    def steady(self, power: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the temperatures of cores, (cores,) K, that watts (cores,) settle to; no feedback."""
        return self.die.temperature(self.die.steady(self.grid(power)), "active")[self.spot]

    def influence(self) -> NDArray[np.float64]:
        """Return K/W of each core for power at each core, (cores, cores)."""
        ambient = self.chip["package.ambient"]
        # a die is linear in power: a watt at each core in turn tells all there is
        units = np.eye(self.chip.cores)
        return np.stack([self.steady(one) - ambient for one in units], axis=1)

    def leakage(self, T: NDArray[np.float64], awake: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return watts of each core that leak at T: P0 exp((T - T0) / fold), a share of it where it is switched off."""
        c = self.chip
        each = c["leakage.tile_power"] / c["mesh.cores"] * np.where(awake, 1.0, c["leakage.gated"])
        return each * np.exp((T - c["leakage.reference"]) / c["leakage.fold"])

    # ------------------------------------------------------------------------------------------------- running

    def hold(self, load: Load) -> Hold:
        """Return how heaters hold the run's units."""
        if self.units is None or not len(load.target):
            return NONE
        return self.units.hold(load.pulses, load.target, load.busy, self.chip.quantities.get("heater.power", 0.0))

    def settled(self, load: Load, hold: Hold) -> tuple[DieState, NDArray[np.float64]]:
        """Return the die's state that the run's mean power settles to, and the islands on it (classes,) K.

        Errors: T415 where it does not settle.
        """
        pulses, mean = load.pulses, load.mean
        T = np.full(self.chip.cores, self.chip["package.ambient"])
        island, moved = T[pulses.core], np.inf
        # a fixed point by iteration: it settles while a kelvin more changes the heat by less than that kelvin takes
        for _ in range(MOST_ROUNDS):
            watts = self.at_rest(load, hold, T[pulses.core])
            spent = pulses.by_core(pulses.units * watts, self.chip.cores)
            state = self.die.steady(self.grid(mean + self.leakage(T, load.awake) + spent))
            new = self.die.temperature(state, "active")[self.spot]
            # here already, so that a runaway is reported with its place and not as rounds that do not end
            self.bounded(new, mean, 0.0)
            after = new[pulses.core] + (self.units.rise * watts if self.units is not None else 0.0)
            moved = max(np.abs(new - T).max(), np.abs(after - island).max(initial=0.0))
            T, island = new, after
            if moved <= SETTLED * T.max():
                return state, island
        notes = [f"after {MOST_ROUNDS} rounds it still moves by {moved:.3g} K"]
        raise error("T415", f"chip {self.chip.name!r} settles to no temperature", notes=notes)

    def at_rest(self, load: Load, hold: Hold, T: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return mean watts of a unit with its heater (classes,) on dies at T (classes,)."""
        watts = np.zeros_like(T)
        for k, seconds in enumerate(load.pulses.mean if self.units is not None else ()):
            assert self.units is not None
            mine = slice(load.pulses.first[k], load.pulses.first[k + 1])
            # a heater can only heat: where the die is too warm it does nothing
            heat = np.clip((hold.aim[mine] - T[k]) / self.units.rise - hold.own[mine], 0.0, hold.most)
            rest = T[k] + self.units.rise * (heat + hold.own[mine])
            watts[k] = (heat + load.busy[k] * self.units.response(seconds).watts(rest)).mean()
        return watts

    def bounded(self, T: NDArray, watts: NDArray, time: float) -> None:
        """Refuse temperatures above the chip's limit, with place, time and power. Errors: T415."""
        limit = self.chip["limit.temperature"]
        core = int(T.argmax())
        # written as a denial, so that a temperature that is no number counts as too hot
        if not T[core] <= limit:
            tile = core // self.chip.whole("mesh.cores")
            notes = [
                f"core {core} (tile {tile}) is at {T[core]:.4g} K after {time:.3g} s",
                f"its instructions take {watts[core]:.3g} W",
                f"the chip takes {watts.sum():.4g} W, leakage and heaters not counted",
                f"the limit is {limit:g} K ({self.chip.quantities.quantity('limit.temperature').source})",
            ]
            raise error(
                "T415",
                f"chip {self.chip.name!r} grows too hot",
                notes=notes,
                hint="spread or slow the work, or cool better",
            )

    def run(self, load: Load, *, start: str = "steady") -> History:
        """Return the temperatures of a run. start: "steady" (the run repeats for ever) or "ambient".

        Errors: T415 above the chip's limit of temperature; T410 and T411 for a unit that runs away or cannot go on.
        """
        slots, cores = load.power.shape
        pulses, hold = load.pulses, self.hold(load)
        if start == "steady":
            state, island = self.settled(load, hold)
        else:
            state, island = self.die.start(), np.full(len(pulses.keys), self.chip["package.ambient"])
        units = self.units.resting(island) if self.units is not None and len(island) else None
        die, islands = np.empty((slots + 1, cores)), np.empty((slots + 1, len(island)))
        watts, kelvin = np.empty((slots, cores)), np.zeros(len(pulses.begin))
        spent, ledger = np.zeros((3, cores)), None
        for slot in range(slots):
            T = self.die.temperature(state, "active")[self.spot]
            self.bounded(T, load.power[slot], load.edges[slot] / PICO)
            die[slot], islands[slot] = T, island
            # rows as in ``History``: heater, leakage, sampler
            joules = np.zeros((3, cores))
            # leakage is that of the slot's start: what this lag costs is what ``lag`` measures
            joules[1] = load.seconds[slot] * self.leakage(T, load.awake)
            if self.units is not None and units is not None:
                moment = int(load.edges[slot]), int(load.edges[slot + 1])
                for part, each in zip((2, 0), self.units.advance(units, pulses, T[pulses.core], hold, moment, kelvin)):
                    joules[part] = pulses.by_core(pulses.units * each, cores)
                island = units.island
            spent += joules
            watts[slot] = load.power[slot] + joules.sum(axis=0) / load.seconds[slot]
            state, step = self.die.step(state, self.grid(watts[slot]), load.seconds[slot])
            ledger = step if ledger is None else ledger + step
        die[slots], islands[slots] = self.die.temperature(state, "active")[self.spot], island
        return History(
            edges=load.edges,
            die=die,
            islands=islands,
            kelvin=kelvin / ((pulses.end - pulses.begin) / PICO),
            watts=watts,
            heater=spent[0],
            leakage=spent[1],
            sampler=spent[2],
            ledger=ledger,
        )

    def lag(self, load: Load, halved: Load, history: History, *, start: str = "steady", most: int = 2000) -> float:
        """Return by how many kelvin, at most, temperatures move in slots of half the length; of the first slots.

        halved: the same run, its power binned anew in slots whose edges hold those of ``load``.
        """
        if len(load.power) > most:
            # both runs must end at one edge, or their last slots would differ
            load, halved = load.until(int(load.edges[most])), halved.until(int(load.edges[most]))
            history = self.run(load, start=start)
        # pulses that are not over at the last edge are cut off differently in the two runs
        half, seen = self.run(halved, start=start), load.pulses.end <= load.edges[-1]
        at = np.searchsorted(halved.edges, load.edges)
        moves = (half.die[at] - history.die, half.islands[at] - history.islands, (half.kelvin - history.kelvin)[seen])
        return float(max(np.abs(move).max(initial=0.0) for move in moves))
