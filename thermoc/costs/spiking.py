"""What a network costs on a spiking chip: brought to Loihi's integers, run bit for bit, its events paid.

The energies that are published are those of Loihi 1; Loihi 2's integers run with them, a message that is not 0 as a
spike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from thermoc import api
from thermoc.costs.marks import entries, weakest
from thermoc.costs.question import Question
from thermoc.costs.row import Cost, Part
from thermoc.costs.spiking_layout import SpikingLayout, shown, spiking_layout
from thermoc.ir.dialects.core import Output
from thermoc.ir.dialects.loihi import LoihiDecode, LoihiEncode
from thermoc.ir.graph import Graph
from thermoc.ir.host_device import SplitGraph, split_graph
from thermoc.simulator.chips import Chip
from thermoc.simulator.machine.spikes import SpikingCosts, SpikingPrices
from thermoc.support.array_types import AnyArray
from thermoc.support.plurals import counted

COUNTS = ("updates", "firings", "packets", "synaptic_events")
PARTS = {
    "soma": ("soma.access_energy", "soma.update_energy", "soma.spike_energy"),
    "network": ("network.message_out_energy", "network.hop_energy_x", "network.hop_energy_y"),
}
TIMES = ("soma.access_time", "soma.update_time", "soma.spike_time", "network.message_in_time", "barrier.time")
IDLE = "unpublished, so not counted: the chip's file states energies of events alone"


@dataclass(frozen=True, kw_only=True)
class SpikingRun:
    """What a run on a spiking chip took: the account of each sample, and the layout that it is of."""

    layout: SpikingLayout
    samples: tuple[SpikingCosts, ...]
    steps: int

    @property
    def joules(self) -> dict[str, float]:
        """Joules a sample by component, mean over samples."""
        return {
            name: float(np.mean([sample.joules[name] for sample in self.samples])) for name in self.samples[0].joules
        }

    @property
    def seconds(self) -> float:
        """Seconds a sample, mean over samples."""
        return float(np.mean([sample.step_seconds.sum() for sample in self.samples]))

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values: counts of events a sample, mean over samples."""
        counts = {name: float(np.mean([getattr(sample, name) for sample in self.samples])) for name in COUNTS}
        return {"steps": self.steps, **counts, "joules": self.joules, "seconds": self.seconds}


def on_spiking_chip(name: str, chip: Chip, question: Question, options: Mapping[str, Any]) -> Cost:
    """Return a network's cost on a spiking chip. Errors: those of compiling for ``lava``, T207, T304."""
    ranged = {} if "input_range" in options or not question.calibrate else {"calibrate": question.calibrate}
    exe = api.compile(question.graph, "lava", **{**ranged, **options})
    events = spiking_run(exe.graph, chip, question)
    # the emulator says what Lava says, bit for bit, and needs no Lava
    run = question.run(api.compile(exe.graph, "sim"))
    joules, seconds = sum(events.joules.values()), events.seconds
    parts = _parts(chip, events)
    marks = _marks(chip, parts)
    return Cost(
        on=name,
        joules=joules,
        seconds=seconds,
        **question.quality(run),
        **question.effective(run, joules=joules, seconds=seconds),
        idle=IDLE,
        marks=marks | {"joules_effective": marks["joules"], "seconds_effective": marks["seconds"]},
        parts=parts,
        notes=_notes(exe.graph, events),
        run=events,
    )


def spiking_run(graph: Graph, chip: Chip, question: Question) -> SpikingRun:
    """Return the events of a graph of Loihi's ops, sample by sample. Errors: T207, T304."""
    split = split_graph(graph) if any(isinstance(op, LoihiEncode | LoihiDecode) for op in graph.ops) else None
    device = graph if split is None else split.loihi
    layout = spiking_layout(device, chip)
    inputs, steps = (question.inputs, question.ticks) if split is None else _received(split, question)
    watched = dict(shown(layout))
    outputs = [Output(name=name, x=value) for name, value in watched.items()]
    exe = api.compile(device.with_ops([*device.ops, *outputs]), "sim")
    run = exe.run(inputs, ticks=steps, batch=question.batch, seed=question.seed)
    prices = SpikingPrices(layout.placed, chip)
    samples = [
        prices.of(**_sample(layout, run.outputs, inputs, sample, steps), bias=layout.bias)
        for sample in range(question.batch)
    ]
    return SpikingRun(layout=layout, samples=tuple(samples), steps=steps)


def _received(split: SplitGraph, question: Question) -> tuple[dict[str, AnyArray], int]:
    """Return what the host sends, (steps, batch, ...) by name, and how many steps the last result takes.

    Behind the last message the host is silent: what it repeats for results that are under way changes none of them.
    """
    steps = question.ticks * split.every + split.ahead
    if not split.encodes:
        return {}, steps
    arrays = {name: array for name, array in question.inputs.items() if name in split.before.inputs}
    before = api.compile(split.before, "sim")
    sent = before.run(arrays, ticks=question.ticks, batch=question.batch, seed=question.seed).outputs
    messages: dict[str, AnyArray] = {}
    for op in split.encodes:
        tick = (np.arange(steps) - op.lag) // split.every
        present = (tick >= 0) & (tick < question.ticks)
        array = sent[op.y.name][np.clip(tick, 0, question.ticks - 1)]
        messages[op.y.name] = array * present.reshape(-1, *(1,) * (array.ndim - 1)).astype(array.dtype)
    return {name: messages[name] for name in split.loihi.inputs}, steps


def _sample(
    layout: SpikingLayout, outputs: Mapping[str, AnyArray], inputs: Mapping[str, AnyArray], sample: int, steps: int
) -> dict[str, AnyArray]:
    """Return who sent and what each held at a step's start, (steps, n) each, of one sample."""
    spikes, potential = np.zeros((2, steps, layout.size))
    potential[:] = layout.always
    for name, (op, first) in layout.units.items():
        of = slice(first, first + op.results[0].size)
        spikes[:, of] = outputs[f"sent.{name}"][:, sample].reshape(steps, -1)
        if f"held.{name}" in outputs:
            # what a membrane is when the step begins, it was when the one before ended
            rest_states = outputs[f"held.{name}"][:, sample].reshape(steps, -1)
            potential[1:, of] = rest_states[:-1]
    for name, (value, first) in layout.host.items():
        array = _input(layout, name, inputs)
        ticked = array if array.ndim == len(value.shape) + 2 else np.broadcast_to(array, (steps, *array.shape))
        spikes[:, first : first + value.size] = ticked[:, sample].reshape(steps, -1)
    return {"spikes": spikes, "potential": potential}


def _input(layout: SpikingLayout, name: str, inputs: Mapping[str, AnyArray]) -> AnyArray:
    op: Any = layout.graph.producers[name]
    return np.asarray(inputs[op.name])


def _parts(chip: Chip, counted: SpikingRun) -> tuple[Part, ...]:
    kinds = tuple(f"synapse.{kind}_energy" for kind in counted.layout.placed.synapses)
    parts: list[Part] = []
    for component, joules in counted.joules.items():
        values = entries(chip, PARTS.get(component, kinds))
        mark = weakest(value.sure for value in values.values())
        sources = {name: f"{value.source} ({value.sure})" for name, value in values.items()}
        parts.append(Part(component=component, joules=joules, mark=mark, sources=sources))
    return tuple(sorted(parts, key=lambda part: -part.joules))


def _marks(chip: Chip, parts: tuple[Part, ...]) -> dict[str, str]:
    return {
        "joules": weakest(cost.mark for cost in parts if cost.joules),
        "seconds": weakest(value.sure for value in entries(chip, TIMES).values()),
    }


def _notes(graph: Graph, run: SpikingRun) -> tuple[str, ...]:
    notes = [
        f"Loihi 2's integers in {counted(run.steps, 'step')}, paid as events of Loihi 1: "
        "a message that is not 0 is a spike",
        "its seconds are a lower bound (no waiting for links); kelvins are unpublished",
    ]
    on_host = sorted({op.opname for op in graph.ops if not op.opname.startswith(("loihi.", "core."))})
    if on_host:
        notes.append(f"the host's work is not counted: {', '.join(on_host)}")
    return tuple(notes)
