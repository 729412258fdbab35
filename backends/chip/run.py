"""Run a network on a chip: the machine's events, the heat they make, and the numbers at the temperatures of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.base import NoisePosition, Outcome
from thermoc.backends.chip.build import ChipArtefact
from thermoc.backends.chip.layout import ChipLayout
from thermoc.backends.chip.report import ChipRun, report
from thermoc.backends.chip.temperatures import (
    cell_warmth,
    heater_targets,
    relative_temperature,
    target_kelvins,
    unit_kelvins,
)
from thermoc.backends.sim.run import run as run_program
from thermoc.ir.feed import Feed
from thermoc.simulator.machine import ChipOp, Costs, Events, costs, run_events
from thermoc.simulator.machine.account import account, awake, beginning, power
from thermoc.simulator.machine.electrothermal import ElectroThermal, Load
from thermoc.simulator.machine.instructions import PICO
from thermoc.simulator.machine.pulses import pulses
from thermoc.support.errors import error

MOST_CELLS = 8_000_000
"""Slots times cores: a history keeps six numbers of each, and the run is repeated in slots of half the length."""
MOST_EVENTS = 60_000_000


def run(artefact: ChipArtefact, feed: Feed, position: NoisePosition) -> Outcome:
    """Return outputs and states, and what the chip did. Errors: T404, T414, T415.

    Samples run one after another, each through all its ticks.
    """
    layout, options = artefact.mapping, artefact.options
    chip, program = layout.chip, layout.program
    check_events(layout, feed.ticks * feed.batch)
    # Work, then the heat it makes, then the numbers: what units draw depends on how warm they are.
    price = costs(program, chip)
    events = run_events(program, chip, rounds=feed.ticks * feed.batch, price=price)
    targets = target_kelvins(artefact, feed.ticks, position)
    load, halved = _loads(artefact, events, price, targets, feed.ticks)
    heat = ElectroThermal(chip)
    history = heat.run(load, start=options.start)
    kelvin = unit_kelvins(layout, load.pulses, history, feed.ticks * feed.batch)
    start, arrays = beginning(events, program), dict(feed.arrays)
    for name, given in artefact.factors.items():
        arrays[given] = relative_temperature(artefact, name, kelvin[name], targets[name], feed)
    for name, given in artefact.warmths.items():
        arrays[given] = cell_warmth(artefact, name, events, history, start, feed)
    with_heat = Feed(arrays=arrays, ticks=feed.ticks, batch=feed.batch)
    outputs, states = run_program(artefact.program, with_heat, position, artefact.threads)
    chip_run = ChipRun(
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
    return Outcome(outputs=outputs, states=states, chip=report(chip_run))


def _loads(
    artefact: ChipArtefact, events: Events, price: Costs, targets: dict[str, NDArray[np.float64]], ticks: int
) -> tuple[Load, Load]:
    """Return what the run asks of the die, slot by slot, and the same in slots of half the length. Errors: T404."""
    layout = artefact.mapping
    chip, program = layout.chip, layout.program
    start = beginning(events, program)
    worked = pulses(events, program, start)
    length = max(2, int(events.end.max(initial=start)) - start)
    size = 2 * round(min(artefact.options.slot * PICO, length) / 2)  # even, so that halves are whole picoseconds
    check_slots(length, size, chip.cores)
    edges, finer = _edges(length, size), _edges(length, size // 2)
    load = Load(
        edges=edges,
        power=power(events, program, price, chip, edges=edges, start=start),
        pulses=worked,
        awake=awake(program, chip),
        target=heater_targets(layout, targets, worked, ticks),
    )
    return load, replace(load, edges=finer, power=power(events, program, price, chip, edges=finer, start=start))


def check_events(layout: ChipLayout, rounds: int) -> None:
    """Refuse a run of so many ticks of samples that would make more events than memory holds. Errors: T404."""
    program, chip = layout.program, layout.chip
    columns, per = chip.whole("mesh.columns"), chip.whole("mesh.cores")
    sends = program.code[:, 0] == ChipOp.SEND
    source, target = program.cores[sends] // per, program.code[sends, 2] // per
    hops = np.abs(source % columns - target % columns) + np.abs(source // columns - target // columns) + 1
    rows = len(program.code) + int(hops.sum())
    if rows * rounds > MOST_EVENTS:
        notes = [f"{rows} events a tick, {rounds} ticks of samples", f"the limit is {MOST_EVENTS}"]
        raise error("T404", "a run on a chip has too many events", notes=notes, hint="fewer samples or ticks a run")


def check_slots(length: int, size: int, cores: int) -> None:
    """Refuse a run of ``length`` ps in more slots of ``size`` ps than a history keeps. Errors: T404."""
    slots, limit = -(-length // size), MOST_CELLS // cores
    if slots > limit:
        notes = [f"it takes {slots} slots of {size / PICO:g} s", f"the limit for {cores} cores is {limit}"]
        hint = f"a slot of at least {length / limit / PICO:.2g} s, or fewer samples"
        raise error("T404", "a run on a chip takes too many thermal slots", notes=notes, hint=hint)


def _edges(length: int, size: int) -> NDArray[np.int64]:
    """Return where slots of ``size`` ps begin and end in a run of ``length`` ps."""
    return np.append(np.arange(-(-length // size)) * size, length)
