"""The units that do thermal work: a memristor each, on an island that it shares with a heater, on the die.

Three rates. While an instruction works a unit, its memristor is biased and steps as finely as it needs (SDIRK of order
4, ``devices.loops``). Its island, C dT/dt = heat of the memristor + heater - (T - T_die) / R, takes exact steps at the
mean heat of each piece of at most an eighth of R C: order 2, longer where the heat no longer changes. The die, which
steps once a slot, is held meanwhile. Neighbours' crosstalk is in R: units beside each other are worked alike.

A unit's temperature in an instruction is the mean over it of what its memristor shows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from thermoc.simulator import devices
from thermoc.simulator.chips import Chip
from thermoc.simulator.devices import Device
from thermoc.simulator.devices.device import memories
from thermoc.simulator.devices.equations import rates
from thermoc.simulator.devices.loops import FINE, RUNAWAY
from thermoc.simulator.devices.records import CAPACITY, CURRENT, VOLTAGE, DeviceDrive, DeviceProblem
from thermoc.simulator.machine.instructions import PICO
from thermoc.simulator.machine.pulses import Pulses
from thermoc.simulator.machine.unit_kernel import span as _span
from thermoc.simulator.machine.unit_state import NONE, Hold, PulseTimes, UnitDesign, UnitStates, UnitSums
from thermoc.support.errors import ThermocError, error

# tabulated by this many K more than heaters and limits allow: a spline is poorest at its ends
POINTS, MARGIN = 129, 50.0


@dataclass(frozen=True, kw_only=True)
class Response:
    """What a pulse does to a unit that rests at T: its mean W, and at which T it is worked at a wanted temperature."""

    T: NDArray[np.float64]
    power: CubicSpline
    island: CubicSpline

    def watts(self, T: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return mean watts of a pulse of units that rest at T."""
        return self.power(np.clip(T, self.T[0], self.T[-1]))

    def beneath(self, T: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the resting temperature from which units are worked at T on the mean."""
        clipped = np.clip(T, self.island.x[0], self.island.x[-1])
        return self.island(clipped) + (T - clipped)


class ThermalUnits:
    """The units of a chip, as its file's [sampler] says.

    Errors: T404 for an unknown device, T515 for one that holds more than a quarter of its island's heat: the two are
    stepped one after the other, which such a pair would not bear.
    """

    def __init__(self, chip: Chip):
        self.chip, self.bias = chip, chip["sampler.bias"]
        self.device: Device = devices.load(chip.quantities.text("sampler.device"))
        # units beside each other are worked alike: each of four neighbours adds its share of a rise
        self.rise = chip["sampler.resistance"] * (1 + 4 * chip["sampler.crosstalk"])
        self.tau = chip["sampler.resistance"] * chip["sampler.capacity"]
        d = self.device
        if d.circuit[0, CAPACITY] > chip["sampler.capacity"] / 4:
            notes = [f"it has {d.circuit[0, CAPACITY]:.3g} J/K, sampler.capacity is {chip['sampler.capacity']:.3g} J/K"]
            hint = "give islands at least four times the device's heat capacity, or take a smaller device"
            raise error("T515", f"chip {chip.name!r}: {d.name} is too large for its island", notes=notes, hint=hint)
        self.design = UnitDesign(
            memristor=d.cell(),
            bias=self.bias,
            resistance=self.rise,
            tau=self.tau,
            # one state only, T, and no memory: its heat can then be foreseen from its power
            plain=d.model.hysteresis is None and bool(d.scale[0] > 0 and not d.scale[1:].any()),
        )
        self._responses: dict[float, Response] = {}

    def resting(self, T: NDArray[np.float64]) -> UnitStates:
        """Return units that rest at T (classes,)."""
        initial = devices.starting(self.device, T=T)
        return UnitStates(
            island=T.copy(),
            memristor=np.broadcast_to(initial.start, (len(T), 3)).copy(),
            memory=memories(initial, len(T)),
        )

    def advance(
        self, states: UnitStates, pulses: Pulses, T: NDArray, hold: Hold, span: tuple[int, int], kelvin: NDArray
    ) -> NDArray[np.float64]:
        """Bring units through a span (ps) on dies at T (classes,), held; return J of units and heaters (2, classes).

        States move in place, and what memristors show, in K s, is added to ``kelvin`` (pulses,). Errors: T410 for one
        that runs away and T411 for a step that cannot be solved, with time, place and current.
        """
        return self.add(states, pulses, T, hold, span, UnitSums(kelvin, np.zeros((2, len(T))), np.zeros(3)))

    def add(
        self, states: UnitStates, pulses: Pulses, T: NDArray, hold: Hold, span: tuple[int, int], sums: UnitSums
    ) -> NDArray[np.float64]:
        """Do so, and add to sums; return their joules. Errors: T410, T411."""
        times = PulseTimes(pulses.first, pulses.begin, pulses.end, pulses.length, pulses.period)
        _span(span, T, hold, times, states, self.design, sums)
        status, number, picoseconds = sums.failed
        if status != FINE:
            raise self._failure(states, pulses, int(number), int(status), picoseconds)
        return sums.joules

    def hold(self, pulses: Pulses, target: NDArray[np.float64], busy: NDArray[np.float64], most: float) -> Hold:
        """Return how heaters hold units at targets (pulses,) K when they are worked ``busy`` (classes,) of the time.

        Where a unit would rest is what they set: in a pulse it is at its target on the mean.
        """
        aim, feedback = np.empty(len(target)), np.empty(len(target))
        for k, seconds in enumerate(pulses.mean):
            mine, response = slice(pulses.first[k], pulses.first[k + 1]), self.response(seconds)
            aim[mine] = response.beneath(target[mine])
            feedback[mine] = self.left(seconds, busy[k]) * response.watts(aim[mine])
        return Hold(aim=aim, own=feedback, most=most)

    def left(self, seconds: float, busy: float) -> float:
        """Return what is left in a pulse, on its mean, of the heat of all pulses before it: as a share of their power.

        busy: the share of the time in which there is a pulse; they are taken as evenly spaced.
        """
        if busy <= 0:
            return 0.0
        x, y = seconds / self.tau, seconds / busy / self.tau
        # the geometric sum over all pulses before: each has decayed by one period more
        return math.expm1(-x) ** 2 / x * math.exp(x - y) / -math.expm1(-y)

    def response(self, seconds: float) -> Response:
        """Return what a pulse of so many seconds does. Errors: T410, T411 where it does so to a unit at rest."""
        if seconds not in self._responses:
            self._responses[seconds] = self._respond(seconds)
        return self._responses[seconds]

    def _respond(self, seconds: float) -> Response:
        c = self.chip
        low = min(c["package.ambient"], c["sampler.coldest"]) - MARGIN
        high = max(c["sampler.hottest"], c["limit.temperature"]) + MARGIN
        grid, watts, shown = np.linspace(max(low, 1.0), high, POINTS), np.empty(POINTS), np.empty(POINTS)
        # a pulse of no length would divide by zero below
        length = max(1, round(seconds * PICO))
        for k in range(POINTS):
            T, kelvin, pulse = grid[k : k + 1], np.zeros(1), _one_pulse(length)
            try:
                states = self.resting(T)
                (joules, _) = self.advance(states, pulse, T, NONE, (0, length), kelvin)
            except ThermocError:
                # a spline needs four points: hotter ones may run away, and the response ends before them
                if k < 4:
                    raise
                grid, watts, shown = grid[:k], watts[:k], shown[:k]
                break
            watts[k], shown[k] = joules[0] / (length / PICO), kelvin[0] / (length / PICO)
        # invertible only as long as what is shown rises with the island
        rising = np.concatenate([[True], np.diff(shown) > 0]).cumprod().astype(bool)
        return Response(T=grid, power=CubicSpline(grid, watts), island=CubicSpline(shown[rising], grid[rising]))

    @cached_property
    def power(self) -> float:
        """Watts of a unit through one update at the sampler's reference."""
        seconds = self.chip["sampler.time"]
        response = self.response(seconds)
        return float(response.watts(response.beneath(np.array([self.chip["sampler.reference"]])))[0])

    def _failure(self, states: UnitStates, pulses: Pulses, k: int, status: int, picoseconds: float) -> ThermocError:
        core, out = int(pulses.core[k]), np.zeros(8)
        d, T = self.device, float(states.island[k])
        y = states.memristor[k]
        # a state that is no number has no current to report: the island's temperature stands in
        shown = y if np.isfinite(y).all() and y[0] > 0 else np.array([T, y[1] if np.isfinite(y[1]) else 0.0, 0.0])
        rates(
            DeviceProblem(self.design.memristor, DeviceDrive(self.bias, T), states.memory[k], np.zeros(3)), shown, out
        )
        tile = core // self.chip.whole("mesh.cores")
        notes = [
            f"core {core} (tile {tile}) after {picoseconds / PICO:.6g} s, bias {self.bias:g} V",
            f"temperature {y[0]:.6g} K on an island of {T:.6g} K, limit {d.limit:.6g} K",
            f"current {out[CURRENT]:.6g} A at {out[VOLTAGE]:.6g} V",
        ]
        what = f"chip {self.chip.name!r}: a unit ({d.name}) "
        if status == RUNAWAY:
            hint = "lower sampler.bias, or cool better"
            return error("T410", what + "runs away", notes=notes, hint=hint)
        return error("T411", what + "has a step that cannot be solved", notes=notes, hint="change sampler.bias")


def _one_pulse(length: int) -> Pulses:
    key, ones = np.zeros((1, 4), np.int64), np.ones(1, np.int64)
    return Pulses(keys=key, units=ones, first=np.array([0, 1]), begin=np.zeros(1, np.int64), end=ones * length)
