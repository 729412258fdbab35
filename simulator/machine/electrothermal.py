"""The electro-thermal loop: events heat the die, the die's temperature comes back to what samples and leaks.

Time goes in slots. Within one the die is held at the temperature of its beginning, which follows from what was done
before alone: leakage is that of then, and units step through their pulses on it under heaters (``units``). When the
slot is over, the die takes one exact step at the power that all this came to, and the next slot sees its new
temperature: of first order in the slot. What this lag costs is found by running in slots of half the length.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.chips import Chip
from thermoc.simulator.machine.heat_state import HeatState, History, Load
from thermoc.simulator.machine.instructions import PICO
from thermoc.simulator.machine.pulses import Pulses
from thermoc.simulator.machine.unit_state import NONE, Hold, UnitSums
from thermoc.simulator.machine.units import ThermalUnits
from thermoc.simulator.thermal.die import Die, DieState
from thermoc.simulator.thermal.ledger import NOTHING
from thermoc.simulator.thermal.stack import DieLayer, HeatSink, Material, Stack
from thermoc.support.errors import error

SETTLED = 1e-10
MOST_ROUNDS = 500


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
        return np.stack([self.steady(unit) - ambient for unit in units], axis=1)

    def leakage(self, T: NDArray[np.float64], awake: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return watts of each core that leak at T: P0 exp((T - T0) / fold), a share of it where it is switched off."""
        c = self.chip
        tile_power = c["leakage.tile_power"] / c["mesh.cores"] * np.where(awake, 1.0, c["leakage.gated"])
        return tile_power * np.exp((T - c["leakage.reference"]) / c["leakage.fold"])

    # ------------------------------------------------------------------------------------------------- running

    def hold(self, load: Load) -> Hold:
        """Return how heaters hold a load's units."""
        return self.held(load.pulses, load.target, load.busy)

    def held(self, pulses: Pulses, target: NDArray[np.float64], busy: NDArray[np.float64]) -> Hold:
        """Return how heaters hold units at targets (pulses,) K that are worked ``busy`` (classes,) of the time."""
        if self.units is None or not len(target):
            return NONE
        return self.units.hold(pulses, target, busy, self.chip.quantities.get("heater.power", 0.0))

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
            steady = T[k] + self.units.rise * (heat + hold.own[mine])
            watts[k] = (heat + load.busy[k] * self.units.response(seconds).watts(steady)).mean()
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

    def begin(self, load: Load, *, start: str = "steady") -> HeatState:
        """Return the state before a load. start: "steady" (the load repeats for ever) or "ambient".

        Errors: T415 where the die does not settle below the chip's limit of temperature.
        """
        pulses, cores = load.pulses, self.chip.cores
        if start == "steady":
            die, island = self.settled(load, self.hold(load))
        else:
            die, island = self.die.start(), np.full(len(pulses.keys), self.chip["package.ambient"])
        T = self.temperatures(die)
        return HeatState(
            time=0,
            begun=0,
            die=die,
            T=T,
            island=island,
            units=self.units.resting(island) if self.units is not None and len(island) else None,
            spent=np.zeros(cores),
            worked=np.zeros((2, len(island))),
            joules=np.zeros((3, cores)),
            work=np.zeros(cores),
            ledger=NOTHING,
            peak=(float(T.max()), int(T.argmax()), 0),
        )

    def temperatures(self, die: DieState) -> NDArray[np.float64]:
        """Return the temperatures of cores, (cores,) K."""
        return self.die.temperature(die, "active")[self.spot]

    def advance(self, state: HeatState, load: Load, hold: Hold, *, cut: bool = False) -> tuple[HeatState, History]:
        """Return the state at the load's last edge, and the temperatures up to the last slot that is over.

        The first slot may have begun before ``state.time``; where it is cut, the last goes on beyond the last edge.
        Errors: T415 above the chip's limit of temperature; T410 and T411 for a unit that runs away or cannot go on.
        """
        state, kelvin, closed = state.copied(), np.zeros(len(load.pulses.begin)), len(load.power) - cut
        die, islands, watts = [state.T], [state.island], list[NDArray[np.float64]]()
        for slot, end in enumerate(load.edges[1:].tolist()):
            self.work(state, load.pulses, hold, end, kelvin)
            state = replace(state, time=end)
            if slot < closed:
                state, each = self.close(state, load.power[slot], load.pulses, load.awake)
                watts.append(each)
                die.append(state.T)
                islands.append(state.island)
        pulses, (heater, leakage, sampler) = load.pulses, state.joules
        return state, History(
            edges=load.edges[: closed + 1],
            die=np.array(die),
            islands=np.array(islands),
            kelvin=kelvin / ((pulses.end - pulses.begin) / PICO),
            watts=np.array(watts).reshape(closed, self.chip.cores),
            heater=heater,
            leakage=leakage,
            sampler=sampler,
            ledger=state.ledger,
        )

    def work(self, state: HeatState, pulses: Pulses, hold: Hold, end: int, kelvin: NDArray) -> None:
        """Bring units up to ``end`` (ps) on the die as it was when the slot began, in place."""
        if self.units is not None and state.units is not None and end > state.time:
            # onto what the slot has so far, piece by piece: sums must not depend on where a run is cut
            sums = UnitSums(kelvin, state.worked, np.zeros(3))
            self.units.add(state.units, pulses, state.T[pulses.core], hold, (state.time, end), sums)

    def close(
        self, state: HeatState, power: NDArray[np.float64], pulses: Pulses, awake: NDArray[np.bool_]
    ) -> tuple[HeatState, NDArray[np.float64]]:
        """Return the state in which the slot at hand ends where units are, and its watts (cores,). Errors: T415."""
        seconds, T = (state.time - state.begun) / PICO, state.T
        self.bounded(T, power, state.begun / PICO)
        units, heaters = (pulses.by_core(pulses.units * each, self.chip.cores) for each in state.worked)
        # leakage is that of the slot's start: what this lag costs is what slots of half the length show
        joules = np.stack([heaters, seconds * self.leakage(T, awake), units])
        watts = power + joules.sum(axis=0) / seconds
        die, step = self.die.step(state.die, self.grid(watts), seconds)
        after = self.temperatures(die)
        core = int(after.argmax())
        hottest = (float(after[core]), core, state.time)
        closed = replace(
            state,
            begun=state.time,
            die=die,
            T=after,
            island=state.island if state.units is None else state.units.island.copy(),
            spent=np.zeros_like(state.spent),
            worked=np.zeros_like(state.worked),
            joules=state.joules + joules,
            work=state.work + watts * seconds,
            ledger=state.ledger + step,
            peak=hottest if hottest[0] > state.peak[0] else state.peak,
        )
        return closed, watts

    def run(self, load: Load, *, start: str = "steady") -> History:
        """Return the temperatures of a load from its beginning to its end. Errors: as ``begin`` and ``advance``."""
        return self.advance(self.begin(load, start=start), load, self.hold(load))[1]


def moved(coarse: History, fine: History, seen: NDArray[np.bool_]) -> float:
    """Return by how many kelvin, at most, temperatures differ from those in finer slots, whose edges hold the coarse's.

    seen: (pulses,) those that are over at the last edge.
    """
    # both begin at one edge, or before the first that they share
    at = np.searchsorted(fine.edges, coarse.edges[1:])
    moves = (fine.die[at] - coarse.die[1:], fine.islands[at] - coarse.islands[1:], (fine.kelvin - coarse.kelvin)[seen])
    return float(max(np.abs(move).max(initial=0.0) for move in moves))
