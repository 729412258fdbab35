"""The electro-thermal loop: events heat the die, the die's temperature comes back to what samples and leaks.

Time goes in slots. A slot's power is known at its start: what events spend in it, leakage and p-bits at the
temperature that the slot starts with, and heaters that hold each island at its target. The die then takes one exact
step, the islands relax (C dT/dt = P - (T - T_die) / R), and the next slot sees the new temperatures. What this lag
costs is found by halving the slot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.chips import Chip
from thermoc.simulator.thermal.die import Die, State
from thermoc.simulator.thermal.ledger import Ledger
from thermoc.simulator.thermal.stack import Face, Layer, Material, Stack
from thermoc.support.errors import error

SETTLED = 1e-10
MOST_ROUNDS = 500


@dataclass(frozen=True, kw_only=True)
class Load:
    """What a run asks of the die, slot by slot: watts and p-bits that are on, (slots, cores); p-bits there, (cores,).

    target: (slots, cores) K that heaters hold islands at. awake: (cores,) True where a core's tile is not switched off.
    """

    slot: float
    power: NDArray[np.float64]
    busy: NDArray[np.float64]
    units: NDArray[np.float64]
    target: NDArray[np.float64]
    awake: NDArray[np.bool_]

    @cached_property
    def halved(self) -> Load:
        """The same in slots of half the length."""
        twice = {name: np.repeat(getattr(self, name), 2, axis=0) for name in ("power", "busy", "target")}
        return Load(slot=self.slot / 2, units=self.units, awake=self.awake, **twice)


@dataclass(frozen=True, kw_only=True)
class History:
    """Temperatures at the start of each slot and at the end, K: ``die`` and ``bits`` (slots + 1, cores).

    Joules by core: heater, leakage, sampler (cores,). ledger: the die's.
    """

    slot: float
    die: NDArray[np.float64]
    bits: NDArray[np.float64]
    watts: NDArray[np.float64]
    heater: NDArray[np.float64]
    leakage: NDArray[np.float64]
    sampler: NDArray[np.float64]
    ledger: Ledger | None

    @property
    def peak(self) -> tuple[float, int, float]:
        """The die's highest temperature, the core, and the time in s."""
        slot, core = np.unravel_index(int(self.die.argmax()), self.die.shape)
        return float(self.die[slot, core]), int(core), float(slot * self.slot)


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
            Layer(name="active", thickness=chip["die.active"], material=sheet["die"], source=True),
            *(Layer(name=name, thickness=chip[f"{name}.thickness"], material=sheet[name]) for name in sheet),
        ),
        bottom=Face(coefficient=1 / (chip["package.resistance"] * wide * high), temperature=chip["package.ambient"]),
    )


class ElectroThermal:
    """A chip's die, its leakage, its p-bits' islands and heaters."""

    def __init__(self, chip: Chip):
        self.chip = chip
        (wide, high) = chip.grid()
        self.shape = chip.whole("mesh.rows") * high, chip.whole("mesh.columns") * wide
        self.die = Die(stack_of(chip), self.shape)
        spots = np.array([chip.position(core) for core in range(chip.cores)])
        self.spot = spots[:, 1], spots[:, 0]  # row, column of each core's cell
        self.bits = "sampler.units" in chip
        self.rise = chip["sampler.resistance"] * (1 + 4 * chip["sampler.crosstalk"]) if self.bits else 0.0
        self.tau = chip["sampler.resistance"] * chip["sampler.capacity"] if self.bits else 0.0
        self.most = chip.quantities.get("heater.power", 0.0)

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
        units = np.eye(self.chip.cores)
        return np.stack([self.steady(one) - ambient for one in units], axis=1)

    def leakage(self, T: NDArray[np.float64], awake: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return watts of each core that leak at T: P0 exp((T - T0) / fold), a share of it where it is switched off."""
        c = self.chip
        each = c["leakage.tile_power"] / c["mesh.cores"] * np.where(awake, 1.0, c["leakage.gated"])
        return each * np.exp((T - c["leakage.reference"]) / c["leakage.fold"])

    def bit(self, T: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return watts of a p-bit that is on at T: P0 exp((T - T0) / fold)."""
        if not self.bits:
            return np.zeros_like(T)
        c = self.chip
        return c["sampler.power"] * np.exp((T - c["sampler.reference"]) / c["sampler.fold"])

    def heaters(self, T: NDArray, target: NDArray, own: NDArray) -> NDArray[np.float64]:
        """Return watts of a heater: what lifts an island from the die's T and its own power to the target."""
        if not self.bits or not self.most:
            return np.zeros_like(T)
        return np.clip((target - T) / self.rise - own, 0.0, self.most)

    # ------------------------------------------------------------------------------------------------- running

    def settled(self, load: Load) -> tuple[State, NDArray[np.float64]]:
        """Return the die's state that the run's mean power settles to, and islands at their first targets on it.

        Errors: T415 where it does not settle.
        """
        mean, busy, target = load.power.mean(axis=0), load.busy.mean(axis=0), load.target.mean(axis=0)
        duty = np.divide(busy, load.units, out=np.zeros_like(busy), where=load.units > 0)
        T = np.full(self.chip.cores, self.chip["package.ambient"])
        island, moved = T.copy(), np.inf
        for _ in range(MOST_ROUNDS):
            own = duty * self.bit(island)
            heat = self.heaters(T, target, own)
            state = self.die.steady(self.grid(mean + self.leakage(T, load.awake) + load.units * (own + heat)))
            new = self.die.temperature(state, "active")[self.spot]
            self.bounded(new, mean, 0.0)
            after = new + self.rise * (own + heat) * (load.units > 0)
            moved = max(np.abs(new - T).max(), np.abs(after - island).max())
            T, island = new, after
            if moved <= SETTLED * T.max():
                first = duty * self.bit(island)
                return state, T + self.rise * (first + self.heaters(T, load.target[0], first)) * (load.units > 0)
        notes = [f"after {MOST_ROUNDS} rounds it still moves by {moved:.3g} K"]
        raise error("T415", f"chip {self.chip.name!r} settles to no temperature", notes=notes)

    def bounded(self, T: NDArray, watts: NDArray, time: float) -> None:
        """Refuse temperatures above the chip's limit, with place, time and power. Errors: T415."""
        limit = self.chip["limit.temperature"]
        core = int(T.argmax())
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

    def run(self, load: Load, *, start: str = "steady", progress: Callable[[int], None] | None = None) -> History:
        """Return the temperatures of a run. start: "steady" (the run repeats for ever) or "ambient".

        Errors: T415 above the chip's limit of temperature.
        """
        slots, cores = load.power.shape
        state, island = (
            self.settled(load)
            if start == "steady"
            else (self.die.start(), np.full(cores, self.chip["package.ambient"]))
        )
        duty = np.divide(load.busy, load.units, out=np.zeros_like(load.busy), where=load.units > 0)
        keep = np.exp(-load.slot / self.tau) if self.tau else 0.0
        die, bits, watts = np.empty((slots + 1, cores)), np.empty((slots + 1, cores)), np.empty((slots, cores))
        spent, ledger = np.zeros((3, cores)), None
        for slot in range(slots):
            T = self.die.temperature(state, "active")[self.spot]
            self.bounded(T, load.power[slot], slot * load.slot)
            die[slot], bits[slot] = T, island
            own = duty[slot] * self.bit(island)
            heat = self.heaters(T, load.target[slot], own) * (load.units > 0)
            leak = self.leakage(T, load.awake)
            watts[slot] = load.power[slot] + leak + load.units * (own + heat)
            spent += load.slot * np.stack([load.units * heat, leak, load.units * own])
            state, step = self.die.step(state, self.grid(watts[slot]), load.slot)
            ledger = step if ledger is None else ledger + step
            goal = T + self.rise * (own + heat) * (load.units > 0)
            island = goal + (island - goal) * keep
        die[slots], bits[slots] = self.die.temperature(state, "active")[self.spot], island
        return History(
            slot=load.slot,
            die=die,
            bits=bits,
            watts=watts,
            heater=spent[0],
            leakage=spent[1],
            sampler=spent[2],
            ledger=ledger,
        )

    def lag(self, load: Load, history: History, *, start: str = "steady", most: int = 2000) -> float:
        """Return by how many kelvin, at most, the temperatures move when the slot is halved; of the first slots."""
        short = Load(
            slot=load.slot,
            units=load.units,
            awake=load.awake,
            power=load.power[:most],
            busy=load.busy[:most],
            target=load.target[:most],
        )
        if len(load.power) > most:
            history = self.run(short, start=start)
        half = self.run(short.halved, start=start)
        return float(max(np.abs(half.die[::2] - history.die).max(), np.abs(half.bits[::2] - history.bits).max()))
