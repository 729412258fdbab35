"""Run a network on a chip: the machine's events, the heat they make, and the numbers at the temperatures found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.base import NoisePosition, Outcome
from thermoc.backends.chip.layout import ChipArtefact
from thermoc.backends.chip.report import ChipRun, report
from thermoc.backends.chip.work import Kind, temperature
from thermoc.backends.sim.run import run as run_program
from thermoc.ir.dialects.core import Output
from thermoc.ir.feed import Feed
from thermoc.ir.reference import interpret
from thermoc.simulator.machine import ChipProgram, Events, Op, costs, run_events
from thermoc.simulator.machine.account import account, awake, beginning, power
from thermoc.simulator.machine.electrothermal import ElectroThermal, History, Load
from thermoc.simulator.machine.instructions import PICO
from thermoc.simulator.machine.pulses import Pulses, pulses
from thermoc.support.errors import error
from thermoc.support.units import K_B, ReducedUnits

MOST_CELLS = 8_000_000
"""Slots times cores: a history keeps six numbers of each, and the run is repeated in slots of half the length."""
MOST_EVENTS = 60_000_000


def run(artefact: ChipArtefact, feed: Feed, position: NoisePosition) -> Outcome:
    """Return outputs and states, and what the chip did. Errors: T404, T414, T415.

    Samples run one after another, each through all its ticks.
    """
    layout, options = artefact.mapping, artefact.options
    chip, program = layout.chip, layout.program
    rounds = feed.ticks * feed.batch
    _few(artefact, rounds)
    price = costs(program, chip)
    events = run_events(program, chip, rounds=rounds, price=price)
    start = beginning(events, program)
    targets = _targets(artefact, feed.ticks, position)
    worked = pulses(events, program, start)
    length = max(2, int(events.end.max(initial=start)) - start)
    size = 2 * round(min(options.slot * PICO, length) / 2)
    _slots(length, size, chip.cores)
    edges = _edges(length, size)
    load = Load(
        edges=edges,
        power=power(events, program, price, chip, edges=edges, start=start),
        pulses=worked,
        awake=awake(program, chip),
        target=_held(artefact, targets, worked, feed.ticks),
    )
    finer = _edges(length, size // 2)
    halved = replace(load, edges=finer, power=power(events, program, price, chip, edges=finer, start=start))
    heat = ElectroThermal(chip)
    history = heat.run(load, start=options.start)
    kelvin = _kelvin(artefact, load.pulses, history, rounds)
    arrays = dict(feed.arrays)
    for name, given in artefact.factors.items():
        arrays[given] = _factor(artefact, name, kelvin[name], targets[name], feed)
    for name, given in artefact.warmths.items():
        arrays[given] = _warmth(artefact, name, events, history, start, feed)
    outcome = run_program(
        artefact.program, Feed(arrays=arrays, ticks=feed.ticks, batch=feed.batch), position, artefact.threads
    )
    ran = ChipRun(
        artefact=artefact,
        events=events,
        price=price,
        sums=account(events, program, price, chip),
        heat=heat,
        load=load,
        history=history,
        lag=heat.lag(load, halved, history, start=options.start),
        kelvin=kelvin,
        targets=targets,
        ticks=feed.ticks,
        batch=feed.batch,
    )
    return Outcome(outputs=outcome.outputs, states=outcome.states, chip=report(ran))


def _warmth(
    artefact: ChipArtefact, name: str, events: Events, history: History, start: int, feed: Feed
) -> NDArray[np.float64]:
    """Return what cells conduct over what they were programmed to: 1 + warming (T - T_reference).

    (ticks, batch, arrays of inputs, outputs), or (ticks, batch) of the mean over arrays, as the program's input is. T
    is quasi-static: the die's where and when the product starts, and the cell's own rise by its power and neighbours.
    """
    layout, chip = artefact.mapping, artefact.mapping.chip
    served, core_of = layout.work.ops.index(name), layout.placement.core[layout.partition.group]
    parts = [p for p, part in enumerate(layout.work.parts) if part.op == served and part.kind is Kind.product]
    cell = chip["crossbar.read_power"] / (chip["crossbar.rows"] * chip["crossbar.columns"])
    own = chip["crossbar.cell_resistance"] * cell * (1 + 4 * chip["crossbar.crosstalk"])
    begins = _products(layout.program, events, served)
    found = {}
    for core in np.unique(core_of[parts]).tolist():
        slot = np.searchsorted(history.edges, begins[core] - start, side="right") - 1
        T = history.die[np.clip(slot, 0, len(history.die) - 1), core] + own
        found[core] = (
            (1 + chip["crossbar.warming"] * (T - chip["crossbar.reference"])).reshape(feed.batch, feed.ticks).T
        )
    mean = np.mean(list(found.values()), axis=0)
    shape = next(port.shape for port in artefact.program.inputs if port.name == artefact.warmths[name])
    if shape == ():
        return mean
    whole = np.empty((feed.ticks, feed.batch, *shape))
    whole[:] = mean[..., None, None]
    for number in parts:
        part = layout.work.parts[number]
        columns = slice(part.low // part.times, part.low // part.times + part.columns)
        whole[:, :, part.array, columns] = found[int(core_of[number])][..., None]
    return whole


def _products(program: ChipProgram, events: Events, served: int) -> dict[int, NDArray[np.int64]]:
    """Return when an op's first product starts in each turn, ps, by core."""
    rows = np.flatnonzero((program.code[:, 0] == Op.MVM) & (program.code[:, 1] == served))
    cores, first = np.unique(program.cores[rows], return_index=True)
    found = {}
    for core, row in zip(cores.tolist(), rows[first].tolist()):
        found[core] = np.sort(events.start[(events.row == row) & (events.place == core)])
    return found


def _few(artefact: ChipArtefact, rounds: int) -> None:
    program, chip = artefact.mapping.program, artefact.mapping.chip
    wide, per = chip.whole("mesh.columns"), chip.whole("mesh.cores")
    sends = program.code[:, 0] == Op.SEND
    here, there = program.cores[sends] // per, program.code[sends, 2] // per
    hops = np.abs(here % wide - there % wide) + np.abs(here // wide - there // wide) + 1
    rows = len(program.code) + int(hops.sum())
    if rows * rounds > MOST_EVENTS:
        notes = [f"{rows} events a tick, {rounds} ticks of samples", f"the limit is {MOST_EVENTS}"]
        raise error("T404", "a run on a chip has too many events", notes=notes, hint="fewer samples or ticks a run")


def _slots(length: int, size: int, cores: int) -> None:
    """Refuse a run of ``length`` ps in more slots of ``size`` ps than a history keeps. Errors: T404."""
    slots, most = -(-length // size), MOST_CELLS // cores
    if slots > most:
        notes = [f"it takes {slots} slots of {size / PICO:g} s", f"the limit for {cores} cores is {most}"]
        hint = f"a slot of at least {length / most / PICO:.2g} s, or fewer samples"
        raise error("T404", "a run on a chip takes too many thermal slots", notes=notes, hint=hint)


def _edges(length: int, size: int) -> NDArray[np.int64]:
    """Return where slots of ``size`` ps begin and end in a run of ``length`` ps."""
    return np.append(np.arange(-(-length // size)) * size, length)


def _targets(artefact: ChipArtefact, ticks: int, position: NoisePosition) -> dict[str, NDArray[np.float64]]:
    """Return the kelvins that each op's islands are to have, (ticks,): the reference, or what a schedule asks for.

    A schedule's highest temperature up to the run's end is the hottest that units may be; heaters cool along with it as
    far as the coldest, and below that the drives are scaled up instead.
    """
    chip, graph = artefact.mapping.chip, artefact.graph
    if "sampler.reference" not in chip:
        return {}
    found: dict[str, NDArray[np.float64]] = {}
    for name, parts in artefact.mapping.work.sites.items():
        found[name] = np.full(ticks, chip["sampler.reference"])
        if artefact.mapping.work.parts[parts[0]].heated:
            T = temperature(graph.producers[name])
            assert T is not None
            asked = _over_ticks(artefact, T.name, position.first_tick + ticks, position.seed)
            kelvin = np.clip(asked / asked.max() * chip["sampler.hottest"], chip["sampler.coldest"], None)
            found[name] = kelvin[position.first_tick :]
    return found


def _over_ticks(artefact: ChipArtefact, name: str, ticks: int, seed: int) -> NDArray[np.float64]:
    """Return a value that follows from the tick alone, its mean over units, (ticks,) from tick 0 on."""
    graph, stack, needed = artefact.graph, [name], set[str]()
    while stack:
        op = graph.producers[stack.pop()]
        needed |= {value.name for value in op.results}
        stack += [value.name for value in op.inputs if value.name not in needed]
    ops = [op for op in graph.ops if op.results and op.results[0].name in needed]
    value = next(v for v in graph.producers[name].results if v.name == name)
    small = graph.with_ops([*ops, Output(x=value, name="asked")])
    given = Feed(arrays={}, ticks=ticks, batch=1)
    found = interpret(small, given, seed=seed).outputs["asked"]
    return found.reshape(ticks, -1).mean(axis=1)


def _classes(artefact: ChipArtefact, pulses: Pulses) -> Iterator[tuple[str, NDArray[np.int64], slice, int]]:
    """Yield the classes of units: their op, which of its units they are, their pulses, and how many of these a tick."""
    work = artefact.mapping.work
    for name, parts in work.sites.items():
        for part in (work.parts[number] for number in parts):
            for colour in range(part.colours):
                units = part.low + np.flatnonzero(work.colours[name][part.low : part.high] == colour)
                mine = pulses.of(work.ops.index(name), part.low, colour)
                yield name, units, mine, max(1, len(part.rounds) // part.colours)


def _held(artefact: ChipArtefact, targets: Mapping[str, NDArray], pulses: Pulses, ticks: int) -> NDArray[np.float64]:
    """Return what heaters hold units at in each pulse, (pulses,) K: what their op asks for in the pulse's tick."""
    found = np.zeros(len(pulses.begin))
    for name, _, mine, a_tick in _classes(artefact, pulses):
        found[mine] = targets[name][np.arange(mine.stop - mine.start) // a_tick % ticks]
    return found


def _kelvin(artefact: ChipArtefact, pulses: Pulses, history: History, rounds: int) -> dict[str, NDArray]:
    """Return the temperatures at which each op's units draw, (rounds, units), on the mean over a tick's draws."""
    work = artefact.mapping.work
    found = {name: np.empty((rounds, len(work.colours[name]))) for name in work.sites}
    for name, units, mine, a_tick in _classes(artefact, pulses):
        found[name][:, units] = history.kelvin[mine].reshape(rounds, a_tick).mean(axis=1)[:, None]
    return found


def _factor(artefact: ChipArtefact, name: str, kelvin: NDArray, target: NDArray, feed: Feed) -> NDArray:
    """Return the temperature of each unit over what was asked for, (ticks, batch, *shape)."""
    shape = artefact.graph.producers[name].results[0].type
    assert shape is not None
    energy: Any = K_B * target[None, :, None]
    scale = ReducedUnits(energy=energy, time=1.0)  # the energy of one unit is kT where T is the target
    there: Any = kelvin.reshape(feed.batch, feed.ticks, -1)
    by_turn: Any = scale.reduced_temperature(there)
    return np.swapaxes(by_turn, 0, 1).reshape(feed.ticks, feed.batch, *shape.shape)
