"""Temperatures that a run asks for and gets: heaters' targets, what units draw at, and how cells conduct."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.base import NoisePosition
from thermoc.backends.chip.build import ChipArtefact
from thermoc.backends.chip.layout import ChipLayout
from thermoc.backends.chip.samplers import temperature
from thermoc.backends.chip.work_types import TaskKind
from thermoc.ir.dialects.core import Output
from thermoc.ir.feed import Feed
from thermoc.ir.graph import Graph
from thermoc.ir.reference import interpret
from thermoc.simulator.chips import Chip
from thermoc.simulator.machine import ChipOp
from thermoc.simulator.machine.heat_state import Course
from thermoc.simulator.machine.pulses import Pulses
from thermoc.simulator.machine.tick import TickRecord
from thermoc.support.units import K_B, ReducedUnits

Kelvins = Mapping[str, NDArray[np.float64]]
"""Temperatures by the result of the op that draws at them."""


class Targets:
    """The kelvins that each op's islands are to have in each tick: the reference, or what a schedule asks for.

    The highest temperature of a schedule so far, from the network's tick 0 on, is the hottest that units may be;
    heaters cool along with it as far as the coldest, and below that the drives are scaled up instead.
    """

    def __init__(self, artefact: ChipArtefact, position: NoisePosition):
        self._chip, self._work, self._position = artefact.mapping.chip, artefact.mapping.work, position
        self._scheduled: dict[str, NDArray[np.float64]] = {}

    def of(self, ticks: range) -> dict[str, NDArray[np.float64]]:
        """Return the targets of some ticks, which count from the session's start, (ticks,) by op."""
        chip, work = self._chip, self._work
        if "sampler.reference" not in chip:
            return {}
        targets: dict[str, NDArray[np.float64]] = {}
        for name, numbers in work.sites.items():
            if work.tasks[numbers[0]].heated:
                first = self._position.first_tick
                targets[name] = self._up_to(name, first + ticks.stop)[first + ticks.start : first + ticks.stop]
            else:
                targets[name] = np.full(len(ticks), chip["sampler.reference"])
        return targets

    def _up_to(self, name: str, ticks: int) -> NDArray[np.float64]:
        """Return the targets of a scheduled op from the network's tick 0 on."""
        if len(self._scheduled.get(name, ())) < ticks:
            T = temperature(self._work.graph.producers[name])
            assert T is not None
            # twice as many: a session that goes on tick by tick would work the schedule out anew in each
            schedule = _over_ticks(self._work.graph, T.name, 2 * ticks, self._position.seed)
            ratio = schedule / np.maximum.accumulate(schedule)
            self._scheduled[name] = np.clip(ratio * self._chip["sampler.hottest"], self._chip["sampler.coldest"], None)
        return self._scheduled[name]


def _over_ticks(graph: Graph, name: str, ticks: int, seed: int) -> NDArray[np.float64]:
    """Return a value that follows from the tick alone, its mean over units, (ticks,) from tick 0 on."""
    stack, needed = [name], set[str]()
    while stack:
        op = graph.producers[stack.pop()]
        needed |= {value.name for value in op.results}
        stack += [value.name for value in op.inputs if value.name not in needed]
    ops = [op for op in graph.ops if op.results and op.results[0].name in needed]
    value = next(v for v in graph.producers[name].results if v.name == name)
    alone = graph.with_ops([*ops, Output(x=value, name="T")])
    trace = interpret(alone, Feed(arrays={}, ticks=ticks, batch=1), seed=seed)
    return trace.outputs["T"].reshape(ticks, -1).mean(axis=1)


class _UnitClass(NamedTuple):
    """Units of an op that the same instructions work: which they are, their pulses, and how many of these a tick."""

    op: str
    units: NDArray[np.int64]
    pulses: slice
    a_tick: int


def _unit_classes(layout: ChipLayout, pulses: Pulses) -> Iterator[_UnitClass]:
    """Yield the classes of units of all ops that draw."""
    work = layout.work
    for name, numbers in work.sites.items():
        for task in (work.tasks[number] for number in numbers):
            for colour in range(task.colours):
                units = task.low + np.flatnonzero(work.colours[name][task.low : task.high] == colour)
                worked = pulses.of(work.ops.index(name), task.low, colour)
                yield _UnitClass(name, units, worked, max(1, len(task.rounds) // task.colours))


def heater_targets(layout: ChipLayout, targets: Kelvins, pulses: Pulses) -> NDArray[np.float64]:
    """Return what heaters hold units at in each pulse, (pulses,) K: what their op asks for in the pulse's tick."""
    kelvin = np.zeros(len(pulses.begin))
    for op, _, worked, _ in _unit_classes(layout, pulses):
        kelvin[worked] = np.repeat(targets[op], (worked.stop - worked.start) // len(targets[op]))
    return kelvin


def unit_kelvins(layout: ChipLayout, pulses: Pulses, kelvin: NDArray, rounds: int) -> dict[str, NDArray[np.float64]]:
    """Return the temperatures at which each op's units draw, (rounds, units), on the mean over a tick's draws.

    kelvin: (pulses,) what units show; rounds: ticks times samples, of which there may be pulses of more.
    """
    work = layout.work
    kelvins = {name: np.empty((rounds, len(work.colours[name]))) for name in work.sites}
    for op, units, worked, a_tick in _unit_classes(layout, pulses):
        kelvins[op][:, units] = kelvin[worked][: rounds * a_tick].reshape(rounds, a_tick).mean(axis=1)[:, None]
    return kelvins


def relative_temperature(
    artefact: ChipArtefact, name: str, kelvin: NDArray, target: NDArray, batch: int
) -> NDArray[np.float64]:
    """Return the temperature of each unit of an op over what was asked for, (ticks, batch, *shape)."""
    shape = artefact.graph.producers[name].results[0].shape
    energy: Any = K_B * target[:, None, None]
    scale = ReducedUnits(energy=energy, time=1.0)  # the energy of one unit is kT where T is the target
    by_sample: Any = kelvin.reshape(len(target), batch, -1)
    reduced: Any = scale.reduced_temperature(by_sample)
    return reduced.reshape(len(target), batch, *shape)


def cell_warmth(
    artefact: ChipArtefact, name: str, tick: TickRecord, ticks: range, course: Course
) -> NDArray[np.float64]:
    """Return what cells conduct over what they were programmed to: 1 + warming (T - T_reference).

    (ticks, batch, arrays of inputs, outputs), or (ticks, batch) of the mean over arrays, as the program's input is. T
    is quasi-static: the die's where the product starts, at the beginning of the slot that it starts in, and the cell's
    own rise by its power and neighbours. course: of these ticks, up to the last slot that is over.
    """
    layout, chip = artefact.mapping, artefact.mapping.chip
    served = layout.work.ops.index(name)
    tasks = {k: one for k, one in enumerate(layout.work.tasks) if one.op == served and one.kind is TaskKind.product}
    begins, shifts = _product_starts(tick, served), np.array(ticks)[:, None] * tick.period
    conductance = {}
    for core in np.unique(layout.task_core[[*tasks]]).tolist():
        # The slot that the product starts in: the last edge that is not after it.
        slot = np.searchsorted(course.edges, begins[core] + shifts, side="right") - 1
        T = course.die[slot, core] + _own_rise(chip)
        conductance[core] = 1 + chip["crossbar.warming"] * (T - chip["crossbar.reference"])
    mean = np.mean(list(conductance.values()), axis=0)
    shape = next(port.shape for port in artefact.program.inputs if port.name == artefact.warmths[name])
    if shape == ():
        return mean
    warmth = np.empty((*mean.shape, *shape))
    warmth[:] = mean[..., None, None]  # arrays without a weight are not on the chip: any number will do
    for number, task in tasks.items():
        columns = slice(task.low // task.times, task.low // task.times + task.columns)
        warmth[:, :, task.array, columns] = conductance[int(layout.task_core[number])][..., None]
    return warmth


def _own_rise(chip: Chip) -> float:
    """Return by how many kelvins a cell is above the die when its array is read, neighbours' crosstalk included."""
    cell = chip["crossbar.read_power"] / (chip["crossbar.rows"] * chip["crossbar.columns"])
    # A cell has four neighbours, and each adds its crosstalk.
    return chip["crossbar.cell_resistance"] * cell * (1 + 4 * chip["crossbar.crosstalk"])


def _product_starts(tick: TickRecord, served: int) -> dict[int, NDArray[np.int64]]:
    """Return when an op's first product starts for each sample, ps from the tick's beginning, by core."""
    program, events = tick.program, tick.events
    rows = np.flatnonzero((program.code[:, 0] == ChipOp.MVM) & (program.code[:, 1] == served))
    cores, first = np.unique(program.cores[rows], return_index=True)
    return {
        core: np.sort(events.start[(events.row == row) & (events.place == core)]) - tick.start
        for core, row in zip(cores.tolist(), rows[first].tolist())
    }
