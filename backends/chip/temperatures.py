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
from thermoc.simulator.machine import ChipOp, ChipProgram, Events
from thermoc.simulator.machine.electrothermal import History
from thermoc.simulator.machine.pulses import Pulses
from thermoc.support.units import K_B, ReducedUnits

Kelvins = Mapping[str, NDArray[np.float64]]
"""Temperatures by the result of the op that draws at them."""


def target_kelvins(artefact: ChipArtefact, ticks: int, position: NoisePosition) -> dict[str, NDArray[np.float64]]:
    """Return the kelvins that each op's islands are to have, (ticks,): the reference, or what a schedule asks for.

    A schedule's highest temperature up to the run's end is the hottest that units may be; heaters cool along with it as
    far as the coldest, and below that the drives are scaled up instead.
    """
    chip, work = artefact.mapping.chip, artefact.mapping.work
    if "sampler.reference" not in chip:
        return {}
    targets: dict[str, NDArray[np.float64]] = {}
    for name, numbers in work.sites.items():
        targets[name] = np.full(ticks, chip["sampler.reference"])
        if work.tasks[numbers[0]].heated:
            T = temperature(work.graph.producers[name])
            assert T is not None
            # From tick 0 on, though the run may begin later: the hottest tick so far sets the scale.
            schedule = _over_ticks(work.graph, T.name, position.first_tick + ticks, position.seed)
            kelvin = np.clip(schedule / schedule.max() * chip["sampler.hottest"], chip["sampler.coldest"], None)
            targets[name] = kelvin[position.first_tick :]
    return targets


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


def heater_targets(layout: ChipLayout, targets: Kelvins, pulses: Pulses, ticks: int) -> NDArray[np.float64]:
    """Return what heaters hold units at in each pulse, (pulses,) K: what their op asks for in the pulse's tick."""
    kelvin = np.zeros(len(pulses.begin))
    for op, _, worked, a_tick in _unit_classes(layout, pulses):
        kelvin[worked] = targets[op][np.arange(worked.stop - worked.start) // a_tick % ticks]
    return kelvin


def unit_kelvins(layout: ChipLayout, pulses: Pulses, history: History, rounds: int) -> dict[str, NDArray[np.float64]]:
    """Return the temperatures at which each op's units draw, (rounds, units), on the mean over a tick's draws."""
    work = layout.work
    kelvins = {name: np.empty((rounds, len(work.colours[name]))) for name in work.sites}
    for op, units, worked, a_tick in _unit_classes(layout, pulses):
        kelvins[op][:, units] = history.kelvin[worked].reshape(rounds, a_tick).mean(axis=1)[:, None]
    return kelvins


def relative_temperature(
    artefact: ChipArtefact, name: str, kelvin: NDArray, target: NDArray, feed: Feed
) -> NDArray[np.float64]:
    """Return the temperature of each unit of an op over what was asked for, (ticks, batch, *shape)."""
    shape = artefact.graph.producers[name].results[0].shape
    energy: Any = K_B * target[None, :, None]
    scale = ReducedUnits(energy=energy, time=1.0)  # the energy of one unit is kT where T is the target
    by_sample: Any = kelvin.reshape(feed.batch, feed.ticks, -1)
    reduced: Any = scale.reduced_temperature(by_sample)
    return np.swapaxes(reduced, 0, 1).reshape(feed.ticks, feed.batch, *shape)


def cell_warmth(
    artefact: ChipArtefact, name: str, events: Events, history: History, start: int, feed: Feed
) -> NDArray[np.float64]:
    """Return what cells conduct over what they were programmed to: 1 + warming (T - T_reference).

    (ticks, batch, arrays of inputs, outputs), or (ticks, batch) of the mean over arrays, as the program's input is. T
    is quasi-static: the die's where and when the product starts, and the cell's own rise by its power and neighbours.
    """
    layout, chip = artefact.mapping, artefact.mapping.chip
    served = layout.work.ops.index(name)
    tasks = {k: one for k, one in enumerate(layout.work.tasks) if one.op == served and one.kind is TaskKind.product}
    begins = _product_starts(layout.program, events, served)
    conductance = {}
    for core in np.unique(layout.task_core[[*tasks]]).tolist():
        # The slot that the product starts in: the last edge that is not after it.
        slot = np.searchsorted(history.edges, begins[core] - start, side="right") - 1
        T = history.die[np.clip(slot, 0, len(history.die) - 1), core] + _own_rise(chip)
        over = 1 + chip["crossbar.warming"] * (T - chip["crossbar.reference"])
        conductance[core] = over.reshape(feed.batch, feed.ticks).T
    mean = np.mean(list(conductance.values()), axis=0)
    shape = next(port.shape for port in artefact.program.inputs if port.name == artefact.warmths[name])
    if shape == ():
        return mean
    warmth = np.empty((feed.ticks, feed.batch, *shape))
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


def _product_starts(program: ChipProgram, events: Events, served: int) -> dict[int, NDArray[np.int64]]:
    """Return when an op's first product starts in each turn, ps, by core."""
    rows = np.flatnonzero((program.code[:, 0] == ChipOp.MVM) & (program.code[:, 1] == served))
    cores, first = np.unique(program.cores[rows], return_index=True)
    return {
        core: np.sort(events.start[(events.row == row) & (events.place == core)])
        for core, row in zip(cores.tolist(), rows[first].tolist())
    }
