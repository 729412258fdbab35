"""The pass that turns a network's numbers into the integers of Loihi: populations, their synapses, when each acts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from thermoc.ir.graph import Graph
from thermoc.ir.infer import retyped
from thermoc.passes.base import Pass
from thermoc.passes.canonicalize import drop_dead
from thermoc.passes.change_log import Log
from thermoc.passes.counterparts import Counterpart
from thermoc.passes.loihi.boundary import hand_over, message_errors, output_errors
from thermoc.passes.loihi.clocks import clocks, heard, with_initial_levels
from thermoc.passes.loihi.design_types import Design
from thermoc.passes.loihi.emit_ops import write
from thermoc.passes.loihi.headroom import Formats, design_all
from thermoc.passes.loihi.op_writer import LoihiWriter
from thermoc.passes.loihi.populations import check_stock, collect, is_read_sum
from thermoc.passes.loihi.regions import regions
from thermoc.passes.loihi.report import report_changes
from thermoc.passes.loihi.value_ranges import value_ranges
from thermoc.passes.option_checks import check_range


@dataclass(frozen=True, kw_only=True)
class Quantize(Pass):
    """Replace what Loihi can do by ops of ``loihi``; the host keeps what stands before and after.

    input_range: between what the network's inputs lie; beyond, they are clipped. calibrate: inputs by name, whose runs
    say how large each value is, which is sharper than what can be proven. Errors: T205 (an op has no form on Loihi),
    T206 (a number is out of its range), T209 (a cycle has fewer delays than synapses).
    """

    name: ClassVar[str] = "quantize"

    input_range: tuple[float, float] = (-4.0, 4.0)
    calibrate: Mapping[str, ArrayLike] | None = field(default=None, repr=False)
    stock_only: bool = field(default=False, repr=False)
    """Only populations of LIF units; a sum is read where it arrives. Errors: T205 for any other."""

    def __post_init__(self) -> None:
        check_range(self.name, self.input_range)

    def run(self, graph: Graph, log: Log) -> Graph:
        # What goes on Loihi, and in which populations.
        placed = regions(graph)
        ranges = value_ranges(graph, self.input_range, self.calibrate)
        collected = collect(graph, placed)
        if not collected.by_name:
            log.changed("the network", old="on the chip", new="on the host, all of it", bound="none: in float64")
            return graph
        if self.stock_only:
            check_stock(collected.by_name)
        # When each acts, and in which integers.
        populations = with_initial_levels(collected.by_name)
        timing = clocks(populations)
        designs, formats = design_all(populations, ranges)
        # Their ops, behind those of the host.
        by_name = {design.population.name: design for design in designs}
        read_sums = frozenset(name for name in populations if self.stock_only and is_read_sum(name, populations))
        writer = LoihiWriter(graph, timing, formats, read_sums)
        # All are announced first: in a loop a population reads one that is written later.
        for design in designs:
            writer.announce(design.population)
        for design in designs:
            write(writer, design)
        hand_over(writer, collected, by_name)
        host = [op for op in graph.ops if not placed.holds(op)]
        # Constants that only the moved ops read are dead now.
        lowered = retyped(drop_dead(graph.with_ops([*host, *writer.ops])))
        # How far each number may be off.
        errors = message_errors(designs, formats, placed.constants)
        report_changes(log, designs, formats, errors, timing=timing, constants=placed.constants)
        report_outputs(log, output_errors(graph, placed, collected, by_name, errors))
        log.counterparts += [_counterpart(design, formats, writer) for design in designs]
        return lowered


def report_outputs(log: Log, errors: Mapping[str, float]) -> None:
    """Record how far each output may be off that is not exact."""
    for name, bound in errors.items():
        if bound:
            words = f"off by at most {bound:.4g}" if math.isfinite(bound) else "no bound: units may part"
            log.changed(f"output {name!r}", old="numbers", new="integers of the chip", bound=words, offset=bound)


def _counterpart(design: Design, formats: Formats, writer: LoihiWriter) -> Counterpart:
    population, sender = design.population, writer.senders[design.population.name]
    return Counterpart(
        design=design,
        sources={term.source: formats[term.source] for term in heard(population)},
        sender=sender.value.name,
        lag=sender.lag,
        start=writer.clocks.lags[population.name],
        every=writer.clocks.every,
        states={state: runs for (name, state), runs in writer.runs.items() if name == population.name},
        shift=design.bias / design.sent if population.name in writer.read_sums else np.zeros(1),
    )
