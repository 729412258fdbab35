"""Headroom of a network on Loihi: message formats that every reader can bear, designs to them, and the proof of both.

What a population sends at most is what its readers must bear, and they may ask it to send fewer bits: the designs of
all populations are made again until no format changes.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from thermoc.ir.dialects import core
from thermoc.ir.graph import Graph
from thermoc.ir.types import DType, Role
from thermoc.passes.loihi.clocks import heard
from thermoc.passes.loihi.design_types import Design, MessageFormat, limit
from thermoc.passes.loihi.designs import TEMPERATURE_STEPS, designed
from thermoc.passes.loihi.heat_design import TEMPERATURE_BITS
from thermoc.passes.loihi.population_types import (
    SPIKING,
    HeatPopulation,
    HostPopulation,
    NoisyPopulation,
    Population,
    RelaxationPopulation,
)
from thermoc.passes.loihi.scales import arriving
from thermoc.passes.loihi.value_ranges import ValueRanges, largest, temperatures, value_of
from thermoc.passes.loihi.weights import LEAST_EXPONENT
from thermoc.support.array_types import FloatArray
from thermoc.support.errors import ThermocError, error

MOST_BITS, LEAST_BITS = 15, 4
"""Of a graded message before its readers have a say: fewer bits leave them headroom, below 4 too little is left."""
SCHEDULE_BITS = 19
"""Of a schedule's highest temperature, which ends far below it; our choice."""
WEIGHT_STEPS = 256
ROUNDS = 6
"""So many rounds, and one for each population, carry a change of format through loops."""

Formats = Mapping[str, MessageFormat]


class Designs(NamedTuple):
    """The design of each population in order, and the format of what each source sends, by name."""

    designs: tuple[Design, ...]
    formats: Formats


def design_all(populations: Mapping[str, Population], ranges: ValueRanges) -> Designs:
    """Return designs that leave headroom everywhere. Errors: T206 where there are none, or no range is known."""
    formats = _first_formats(populations, ranges)
    for _ in range(ROUNDS + len(populations)):
        designs, revised = _round(populations, formats, ranges)
        # ``_revised`` returns the same object where nothing changed.
        if all(revised[name] is formats[name] for name in formats):
            _prove(designs, formats)
            return Designs(designs, formats)
        formats = revised
    raise _unbounded(ranges.graph, next(iter(populations.values())))


def _round(
    populations: Mapping[str, Population], formats: Formats, ranges: ValueRanges
) -> tuple[tuple[Design, ...], Formats]:
    """Return the designs to these formats, and the formats that follow from them, each as soon as it is known."""
    revised = dict(formats)
    designs: list[Design] = []
    for name, population in populations.items():
        sent = revised[name].scale if name in revised else None
        with _within_float64(ranges.graph, name):
            design = designed(population, revised, sent, temperatures(ranges, population))
        designs.append(design)
        revised |= _coarser(design, revised)
        # Spikes have one format, whatever their population's scale is.
        if name in revised and not isinstance(population, SPIKING):
            revised[name] = _revised(revised[name], design, measured=ranges.measured)
    return tuple(designs), revised


def _coarser(design: Design, formats: Formats) -> Formats:
    """Return the formats of temperatures that are too fine for those they heat: weights of theirs would round to 0."""
    heated = getattr(design.population, "heated", None)
    terms = heated.terms if heated is not None else ()
    coarser: dict[str, MessageFormat] = {}
    for term in terms:
        format = formats[term.source]
        heaviest = float(np.abs(term.map.weights).max(initial=0.0)) * TEMPERATURE_STEPS * design.scale / format.scale
        lost = 2.0**LEAST_EXPONENT / heaviest if heaviest else 0.0
        if lost > 1:
            scale = format.scale / 2.0 ** math.ceil(math.log2(lost))
            bound = np.ceil(format.real * scale)
            coarser[term.source] = MessageFormat(scale=scale, real=format.real, bound=bound, bits=_bits(bound) + 1)
    return coarser


def _revised(format: MessageFormat, design: Design, *, measured: bool) -> MessageFormat:
    """Return the format of what a design sends; measured bounds are taken at their word."""
    # A bound never shrinks at the same scale, or a loop could swing between two formats.
    bound = format.bound if measured else np.maximum(format.bound, design.outcome)
    if design.sent == format.scale and not (bound > format.bound).any():
        return format
    if design.sent != format.scale:
        bound = np.maximum(format.real * design.sent, design.outcome)
    return MessageFormat(scale=design.sent, real=format.real, bound=bound, bits=_bits(bound))


@contextmanager
def _within_float64(graph: Graph, name: str) -> Generator[None, None, None]:
    """Refuse numbers of a value so large or small that float64 holds no scale for them. Errors: T206."""
    try:
        yield
    except (OverflowError, ValueError):  # of logarithms and powers
        op = graph.producers[name]
        what = f"the numbers of {op.opname} (%{name}) are too large or too small to be scaled to Loihi's integers"
        notes = ["the scale is beyond what float64 holds"]
        hint = "give weights, temperatures and input_range sizes nearer 1"
        raise error("T206", what, where=op.location, notes=notes, hint=hint) from None


def _unbounded(graph: Graph, population: Population) -> ThermocError:
    notes = ["what its populations send grows with every round of its loops"]
    what, hint = f"network {graph.name!r} has no proven headroom", 'give calibrate={"input": samples}'
    return error("T206", what, where=population.op.location, notes=notes, hint=hint)


def _prove(designs: tuple[Design, ...], formats: Formats) -> None:
    """Check once more, from the integers themselves, that nothing leaves 24 bits. Errors: T206."""
    for design in designs:
        population = design.population
        if isinstance(population, HeatPopulation | HostPopulation):
            continue  # designed from its own integers, and refused where they do not fit
        arrival, bound = arriving(population, formats, design.scale), limit(population)
        reach = arrival.reach.max(initial=0.0) if arrival is not None else math.inf
        if not reach < bound:  # so that a NaN fails too
            notes = [f"|a| can be {reach:.6g}", f"it must stay below {bound:.6g}"]
            what = f"the drive of {population.op.opname} (%{population.name}) leaves Loihi's 24 bits"
            raise error("T206", what, where=population.op.location, notes=notes)


# -------------------------------------------------------------------------------------------------- first formats


def _first_formats(populations: Mapping[str, Population], ranges: ValueRanges) -> dict[str, MessageFormat]:
    """Return what everything sends before populations are designed: graded messages by what their readers can bear."""
    sources = dict.fromkeys(term.source for population in populations.values() for term in heard(population))
    formats: dict[str, MessageFormat] = {}
    for name in sources:
        population = populations.get(name)
        if isinstance(population, SPIKING):
            formats[name] = _levels(population)
            continue
        real = largest(ranges, name, population)
        if population is None and _is_spike(ranges.graph, name):
            formats[name] = MessageFormat(scale=1.0, real=real, bound=np.ones(len(real)), bits=0)
            continue
        with _within_float64(ranges.graph, name):
            scale = _widest(name, real, populations)
            bits = _own_bits(population)
            # A temperature has more bits, as long as its readers ask for no fewer.
            if scale == 2.0 ** math.floor(MOST_BITS - math.log2(float(real.max()) or 1.0)):
                scale = 2.0 ** math.floor(bits - math.log2(float(real.max()) or 1.0))
        bound = np.ceil(real * scale)
        if population is None:  # what an encode clips to
            # An encode clips to all its bits, so its readers must bear all of them.
            bound = np.full(len(real), 2.0 ** _bits(bound) - 1)
        # One bit more for the sign.
        formats[name] = MessageFormat(scale=scale, real=real, bound=bound, bits=_bits(bound) + 1)
    return formats


def _own_bits(population: Population | None) -> int:
    """Return how many bits the messages of a population have before its readers have a say."""
    if isinstance(population, HeatPopulation):
        return TEMPERATURE_BITS
    cools = isinstance(population, RelaxationPopulation) and population.floor is not None
    return SCHEDULE_BITS if cools else MOST_BITS


def _levels(population: Population) -> MessageFormat:
    """Return the format of 0 and 1, which are spikes, or of -1 and 1, which are numbers of two bits."""
    spins = isinstance(population, NoisyPopulation) and population.levels != "binary"
    ones = np.ones(population.size)
    return MessageFormat(scale=1.0, real=ones, bound=ones, bits=2 if spins else 0)


def _is_spike(graph: Graph, name: str) -> bool:
    """Tell whether a value of the host is 0 or 1: a spike, and none that a number was merely called."""
    op = graph.producers[name]
    value = value_of(graph, name)
    if value.type is None or value.type.role is not Role.spike:
        return False
    if isinstance(op, core.Cast):
        return op.x.type is not None and (op.x.type.dtype is DType.bool or _is_spike(graph, op.x.name))
    return _is_spike(graph, op.x.name) if isinstance(op, core.Delay) else True


def _widest(name: str, real: FloatArray, populations: Mapping[str, Population]) -> float:
    """Return the largest power of two at which every reader keeps headroom with all bits of its weights."""
    largest_value = float(real.max(initial=0.0)) or 1.0
    bits = float(MOST_BITS)
    for population in populations.values():
        terms = () if isinstance(population, HeatPopulation) and population.name == name else population.drive.terms
        for term in terms:
            sizes = np.abs(term.map.weights) if term.source == name else np.zeros(0)
            heaviest = float(sizes.max(initial=0.0))
            if not heaviest:
                continue
            # How many of the heaviest weight a row amounts to, each at its largest input.
            row = float(term.map.with_weights(sizes).apply(real).max()) / heaviest / largest_value
            # Each term may take an equal part of the headroom, with all 8 bits of its weights.
            bits = min(bits, math.log2(limit(population) / (WEIGHT_STEPS * max(row, 1e-9) * len(terms))))
    # A power of two, so that numbers that are whole stay whole.
    return 2.0 ** math.floor(max(bits, LEAST_BITS) - math.log2(largest_value))


def _bits(bound: FloatArray) -> int:
    return max(1, min(23, math.ceil(math.log2(float(bound.max(initial=1.0)) + 1))))
