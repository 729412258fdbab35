"""Each population of the chip by itself: does it say what the network's units say of the same inputs and states?

The reference runs the graph before the pass on what the chip's units really said, and sets its states to the chip's
after each tick (``forcing``). So errors do not add up, neither over units nor over ticks: what is left is one tick's,
and that is bounded by the format of the numbers (``passes.counterparts``). A spike may differ only where the drive is
within that bound of the threshold; a p-bit has the same random words, so it may differ only where its drive is within
that bound of T logit(u).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.dialects import core, diffusive, heat, spiking, thermo
from thermoc.ir.dialects.loihi import LIMIT
from thermoc.ir.feed import feed
from thermoc.ir.graph import Graph
from thermoc.ir.reference import interpret
from thermoc.ir.types import Shape
from thermoc.ir.values import Value
from thermoc.passes import counterparts
from thermoc.passes.counterparts import Counterpart, Slack
from thermoc.passes.loihi.design_types import FRACTION
from thermoc.passes.loihi.drives import Term
from thermoc.passes.loihi.population_types import (
    HeatPopulation,
    HostPopulation,
    HostReading,
    LifPopulation,
    MemoryPopulation,
    NoisyPopulation,
    Population,
    RelaxationPopulation,
)
from thermoc.verification import colours
from thermoc.verification.differences import distance, flat
from thermoc.verification.disturbance import Disturbance
from thermoc.verification.forcing import Steered
from thermoc.verification.host_answers import answered, message
from thermoc.verification.loihi_values import ChipValues, chip_values
from thermoc.verification.messages import Messages, columns, rows
from thermoc.verification.run_settings import RunSettings
from thermoc.verification.unit_gaps import UnitGap

Arrays = dict[str, NDArray]
HOST = 1e-9
"""What the host's float64 may be off, of the largest number of a sample: where it cancels digits, some thousand
roundings."""


@dataclass
class Steering:
    """What is steered in the reference's runs, gathered population by population."""

    values: Arrays = field(default_factory=dict)
    states: dict[tuple[str, str], NDArray] = field(default_factory=dict)
    shifts: dict[tuple[str, str], NDArray] = field(default_factory=dict)
    drives: dict[str, Slack] = field(default_factory=dict)
    slacks: Arrays = field(default_factory=dict)
    """By value: how far it may be off, or what is compared with its threshold, (ticks, batch, units)."""


def judged(
    setting: RunSettings, before: Graph, after: Graph, populations: Sequence[Counterpart]
) -> tuple[tuple[UnitGap, ...], Disturbance]:
    """Return what each population of ``after`` said against what the units of ``before`` would have said of the same,
    and how far every tick of ``before`` may be moved."""
    chip = chip_values(setting, after, populations)
    live = [p for p in populations if p.sender in chip.traces]
    if not live:
        return (), Disturbance(graph=before)
    judge = _Judge(setting, before, live, chip)
    gaps = judge.gaps()
    return gaps, judge.disturbance()


class _Judge:
    def __init__(self, setting: RunSettings, before: Graph, populations: Sequence[Counterpart], chip: ChipValues):
        self.setting, self.graph, self.populations, self.chip = setting, before, populations, chip
        self.steering = Steering()
        for population in populations:
            self._steer(population)
        trace = self._run(Steered(self.steering.values, self.steering.states), self._probed())
        probes, self.outputs = trace.probes, trace.outputs
        flat = {name: array.reshape(*array.shape[:2], -1).astype(float) for name, array in probes.items()}
        sent = {name: array.reshape(*array.shape[:2], -1) for name, array in self.steering.values.items()}
        off = {name: _encoding(flat[name], p.sources[name]) for p in populations for name in p.sources if name in flat}
        self.said = Messages(setting=setting, chip=chip, sent=sent, probes=flat, off=off)

    def gaps(self) -> tuple[UnitGap, ...]:
        """Return the gaps in the order of a tick."""
        for population in self.populations:
            self._allow(population)
        exact = self._steered({})
        # A spike is monotonic in its drive, so the two ends of the bound say all that may happen within it.
        low, high = (self._steered(self._shifted(sign)) for sign in (-1.0, 1.0))
        order = {name: index for index, name in enumerate(self.graph.producers)}
        compared = [gap for p in self.populations for gap in self._compared(p, exact, low, high)]
        compared += self._handed_over()
        return tuple(sorted(compared, key=lambda gap: order[gap.name]))

    def _handed_over(self) -> list[UnitGap]:
        """Compare the outputs with what the host makes of what the units said: nothing but rounding lies between."""
        gaps = []
        for name, op in self.graph.outputs.items():
            a, b = (flat(array[name]).astype(float) for array in (self.chip.outputs, self.outputs))
            tolerance = HOST * np.abs(b).max(axis=(0, 2), keepdims=True, initial=0.0)
            near = distance(a, b) <= tolerance
            low, high = np.where(near, a, b - tolerance), np.where(near, a, b + tolerance)
            bounds: Any = {"low": low, "high": high, "slack": np.broadcast_to(tolerance, b.shape)}
            gaps.append(UnitGap(name=op.x.name, shape=op.x.shape, discrete=False, actual=a, expected=b, **bounds))
        return gaps

    def disturbance(self) -> Disturbance:
        """Return where the errors of a tick enter the graph: states, operands that are compared, results."""
        slacks = self.steering.slacks
        drifts: dict[tuple[str, str], NDArray] = {}
        shifts: dict[tuple[str, str], NDArray] = {}
        added: Arrays = {}
        for population in self.populations:
            unit = population.design.population
            key = unit.op.results[0].name
            if isinstance(unit, NoisyPopulation):
                name = "h" if unit.turn is not None else "x" if unit.categorical else "drive"
                shifts[key, name] = self._shaped(slacks[unit.name], unit.shape)
            elif isinstance(unit, LifPopulation) and unit.readings:
                states = {"v" if r.state == "v" else "i": self.steering.slacks[r.name] for r in unit.readings}
                drifts |= {(key, name): self._shaped(array, unit.shape) for name, array in states.items()}
            elif _keeps(unit):
                drifts[self._state_of(unit)] = self._shaped(slacks[unit.name], unit.shape)
            elif isinstance(unit, LifPopulation):
                shifts[self._compared_operand(unit)] = self._shaped(slacks[unit.name], unit.shape)
            else:
                added[unit.name] = self._shaped(slacks[unit.name], unit.shape)
        return Disturbance(graph=self.graph, drifts=drifts, shifts=shifts, added=added)

    def _state_of(self, unit: Population) -> tuple[str, str]:
        specs = zip(unit.op.result_specs, unit.op.results)
        return unit.op.results[0].name, next(spec for spec, value in specs if value.name == unit.name)

    # ------------------------------------------------------------------------------------------------------ steering

    def _steer(self, population: Counterpart) -> None:
        """Replace the units' values, and their states after each tick."""
        unit = population.design.population
        key = unit.op.results[0].name
        sent = self._shaped(self.chip.sent(population), unit.shape)
        self.steering.values[unit.name] = sent
        if isinstance(unit, LifPopulation):
            for reading in unit.readings:
                state = self.chip.state(population, reading.state)
                value = self._shaped(reading.factor * state + reading.offset, unit.shape)
                self.steering.values[reading.name] = value
                self.steering.states[key, "v" if reading.state == "v" else "i"] = value
        elif _keeps(unit):
            # A memory of the network shows its state from before the tick, so the state after it is what is sent next.
            now = not _shows_before(unit)
            self.steering.states[self._state_of(unit)] = sent if now else sent[1:]
        elif isinstance(unit, NoisyPopulation) and unit.turn is not None and population.lag < population.start:
            self.steering.states[key, "s"] = sent[1:]

    def _shaped(self, flat: NDArray, shape: tuple[int, ...]) -> NDArray:
        return flat.reshape(*flat.shape[:2], *shape)

    def _probed(self) -> set[str]:
        names = {name for p in self.populations for name in p.sources} - set(self.steering.values)
        for population in self.populations:
            unit = population.design.population
            if isinstance(unit, NoisyPopulation):
                names |= {value.name for value in (unit.op.T, getattr(unit.op, "h", None)) if value is not None}  # type: ignore[attr-defined]
        return names

    def _run(self, steered: Steered, probes: Any = ()) -> Any:
        inputs = feed(self.graph, self.setting.inputs, ticks=self.setting.ticks, batch=self.setting.batch)
        hook: Any = steered
        with np.errstate(all="ignore"):
            return interpret(self.graph, inputs, seed=self.setting.seed, probes=probes, jitter=hook)

    def _steered(self, shifts: Mapping[tuple[str, str], NDArray]) -> Arrays:
        """Return what each op gave, and each state as an op left it, (ticks, batch, units)."""
        hook = Steered(self.steering.values, self.steering.states, shifts)
        self._run(hook)
        results = {name: self._stacked(arrays) for name, arrays in hook.computed.items()}
        return results | {f"{key}'{name}": self._stacked(arrays) for (key, name), arrays in hook.after.items()}

    def _stacked(self, arrays: Sequence[NDArray]) -> NDArray:
        batch = self.setting.batch
        return np.stack([np.broadcast_to(a, (batch, *a.shape[1:])).reshape(batch, -1) for a in arrays]).astype(float)

    # -------------------------------------------------------------------------------------------------------- bounds

    def _allow(self, population: Counterpart) -> None:
        """Say how far a tick of a population may be off, and what is shifted to see what that changes."""
        unit = population.design.population
        if isinstance(unit, NoisyPopulation) and unit.turn is not None:
            return  # colour by colour: ``colours``
        sent = self.said.sent[unit.name]
        if isinstance(unit, HeatPopulation | HostPopulation):
            heats = isinstance(unit, HeatPopulation)
            step = np.full((1, 1), 0.5 / population.design.sent)
            said = counterparts.Slack(drive=step, size=np.abs(columns(sent)))
            drive = counterparts.of_heat(population, self._said_to(population)) if heats else said
            self.steering.drives[unit.name] = drive
            self.steering.slacks[unit.name] = rows(drive.drive, sent)
            return
        drive = counterparts.of_drive(population, self._said_to(population))
        self.steering.drives[unit.name] = drive
        slack = rows(drive.drive, sent)
        if isinstance(unit, LifPopulation):
            self._allow_lif(population, slack)
        elif isinstance(unit, NoisyPopulation):
            T = self._of(unit.op.T, unit.shape)  # type: ignore[attr-defined]
            total = slack + counterparts.of_noise(population, T)
            self.steering.slacks[unit.name] = total
            sign = 1.0
            # In favour of the unit that the chip drew: if it does not win even so, it should not have been drawn.
            if unit.categorical:
                sign = np.where(sent > 0, -1.0, 1.0)
            name = "x" if unit.categorical else "drive"
            self.steering.shifts[unit.op.results[0].name, name] = self._shaped(sign * total, unit.shape)
        else:
            before = np.concatenate([sent[:1], sent[:-1]])
            self.steering.slacks[unit.name] = rows(
                counterparts.of_value(population, columns(slack), columns(before)), sent
            )

    def _said_to(self, population: Counterpart) -> counterparts.Said:
        """Return what the sources of a population said; a state of the same op was the network's until this tick."""
        unit = population.design.population
        siblings = {value.name for value in unit.op.results} - {unit.name}

        def said(term: Term) -> tuple[NDArray, NDArray]:
            x, off = self.said(term)
            from_sibling = term.source in siblings and not term.delay
            return x, off + columns(self.steering.slacks[term.source]) if from_sibling else off

        return said

    def _allow_lif(self, population: Counterpart, slack: NDArray) -> None:
        unit = population.design.population
        assert isinstance(unit, LifPopulation)
        v, u = (self._before(population, name) for name in ("v", "u"))
        membrane, current = counterparts.of_lif(population, columns(slack), columns(v), columns(u))
        membrane, current = rows(membrane, slack), rows(current, slack)
        factors = {reading.state: reading.factor for reading in unit.readings}
        names = {reading.state: reading.name for reading in unit.readings}
        factor = factors.get("v", np.ones(unit.size))
        total = membrane * np.abs(factor)
        if isinstance(unit.op, spiking.CubaLif):
            total = total + self._integration(population, u)
        self.steering.slacks[unit.name] = total
        if "v" in names:
            self.steering.slacks[names["v"]] = total
        if "u" in names:
            self.steering.slacks[names["u"]] = current * np.abs(factors["u"])
        key, operand = self._compared_operand(unit)
        self.steering.shifts[key, operand] = self._shaped(total, unit.shape)

    def _before(self, population: Counterpart, name: str) -> NDArray:
        """Return v or u before each tick."""
        design = population.design
        if name not in population.states:
            return np.zeros_like(self.said.sent[design.population.name])
        state = self.chip.state(population, name)
        first = np.broadcast_to(design.numbers[f"{name}_initial"] / (design.scale * FRACTION), state[:1].shape)
        return np.concatenate([first, state[:-1]])

    def _integration(self, population: Counterpart, u: NDArray) -> NDArray:
        """Return what it does to a membrane that the chip's takes the new current, whatever the op's method says."""
        op: Any = population.design.population.op
        # Loihi's membrane takes the current of the same tick, which is this method to the letter.
        if op.method == "semi_implicit":
            return np.zeros_like(u)
        shape = population.design.population.shape
        n = {name: self._constant(getattr(op, name), shape) for name in ("tau_syn", "tau_mem", "r")}
        return np.abs(counterparts.integration_error(op.method, self.graph.dt, self._currents(population), **n))

    def _currents(self, population: Counterpart) -> tuple[NDArray, NDArray]:
        """Return the op's current before and after each tick."""
        unit = population.design.population
        assert isinstance(unit, LifPopulation)
        reading = next(reading for reading in unit.readings if reading.state == "u")
        after = reading.factor * self.chip.state(population, "u") + reading.offset
        before = reading.factor * self._before(population, "u") + reading.offset
        return before, after

    def _constant(self, value: Value, shape: Shape) -> NDArray:
        op = self.graph.producers[value.name]
        assert isinstance(op, core.Stored)
        return np.broadcast_to(op.value.numpy, shape).reshape(-1)

    def _of(self, value: Value, shape: Shape) -> NDArray:
        """Return a probed value spread over the units, (ticks, batch, units)."""
        array = self.said.probes[value.name]
        first, own_shape = array.shape[:2], value.shape
        spread = np.broadcast_to(
            array.reshape(*first, *(1,) * (len(shape) - len(own_shape)), *own_shape), (*first, *shape)
        )
        return spread.reshape(*first, -1)

    def _compared_operand(self, unit: LifPopulation) -> tuple[str, str]:
        """Return the op and its operand whose shift moves a unit against its threshold."""
        if isinstance(unit.op, core.Cast):
            return unit.op.x.name, "a"
        return unit.op.results[0].name, "threshold" if isinstance(unit.op, spiking.Threshold) else "v_threshold"

    def _shifted(self, sign: float) -> dict[tuple[str, str], NDArray]:
        # A shift of categorical units already says whom it favours, so both ends of the bound are the same.
        fixed = {
            p.design.population.op.results[0].name
            for p in self.populations
            if getattr(p.design.population, "categorical", 0)
        }
        return {key: array if key[0] in fixed else sign * array for key, array in self.steering.shifts.items()}

    # ----------------------------------------------------------------------------------------------------- comparing

    def _compared(self, population: Counterpart, exact: Arrays, low: Arrays, high: Arrays) -> list[UnitGap]:
        unit = population.design.population
        if isinstance(unit, NoisyPopulation) and unit.turn is not None:
            gap = colours.judged(self.graph, population, self.said)
            self.steering.slacks[unit.name] = gap.slack
            return [gap]
        sent, relative_error = self.said.sent[unit.name], self._share(unit.name)
        form = {"shape": unit.shape, "share": relative_error}
        if isinstance(unit, (LifPopulation, NoisyPopulation)):
            ends = (low[unit.name], high[unit.name], exact[unit.name])
            below, above = np.minimum.reduce(ends), np.maximum.reduce(ends)
            bounds = {"low": below, "high": above, "slack": self.steering.slacks[unit.name]}
            compared = [UnitGap(name=unit.name, discrete=True, actual=sent, expected=ends[2], **bounds, **form)]
            if isinstance(unit, LifPopulation):
                same = sent == ends[2]
                compared += [self._state(reading, population, exact, same, form) for reading in unit.readings]
            return compared
        expected = answered(self.graph, population, self.said) if isinstance(unit, HostPopulation) else exact[unit.name]
        if _keeps(unit) and _shows_before(unit):
            # A memory answers with its state from before the tick: what it becomes shows one tick later.
            state = "'".join(self._state_of(unit))
            expected = np.concatenate([sent[:1], exact[state]])[: len(sent)]
        return [self._continuous(unit.name, sent, expected, self.steering.slacks[unit.name], form)]

    def _state(self, reading: HostReading, population: Counterpart, exact: Arrays, same: NDArray, form: Any) -> UnitGap:
        """Compare a state where the spikes are equal, for after one it is elsewhere; it is cut to the chip's bits."""
        actual, name = self.said.sent[reading.name], reading.name
        slack = np.where(same, self.steering.slacks[name], np.inf)
        # Loihi's states stop at 24 bits where the network's go on: no error of the pass.
        top = LIMIT / (population.design.scale * FRACTION)
        ends = [reading.factor * end + reading.offset for end in (top, -top)]
        cut = np.clip(exact[name], np.minimum(*ends), np.maximum(*ends))
        gap = self._continuous(name, actual, cut, slack, form)
        return replace(gap, cut=int((cut != exact[name]).sum()))

    def _continuous(self, name: str, found: NDArray, expected: NDArray, slack: NDArray, form: Any) -> UnitGap:
        tolerance = slack + counterparts.ROUNDING * np.abs(expected)
        bounds = {"low": expected - tolerance, "high": expected + tolerance, "slack": slack}
        return UnitGap(name=name, discrete=False, actual=found, expected=expected, **bounds, **form)

    def _share(self, name: str) -> float:
        drive = self.steering.drives[name]
        size = float(np.mean(drive.size))
        return float(np.mean(drive.drive)) / size if size else 0.0


def _shows_before(unit: Any) -> bool:
    """Tell whether a unit of the network shows its state from before the tick."""
    return isinstance(unit.op, thermo.Memory | heat.HeatNetwork | diffusive.OuNetwork)


def _keeps(unit: Population) -> bool:
    """Tell whether what a unit sends is a state of the network's op; a schedule of the network has none."""
    if isinstance(unit, RelaxationPopulation):
        return unit.floor is None
    return isinstance(unit, MemoryPopulation | HeatPopulation)


def _encoding(x: NDArray, source: Any) -> NDArray:
    """Return how far the chip's messages of a host's value are from it: rounded, and clipped beyond their bits."""
    return np.abs(x - message(x, source))
