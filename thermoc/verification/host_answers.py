"""What a process of the host between two parts of Loihi makes of what it was given."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.feed import Feed
from thermoc.ir.graph import Graph
from thermoc.ir.reference import interpret
from thermoc.passes.counterparts import Counterpart
from thermoc.passes.loihi.host_populations import of_process
from thermoc.passes.loihi.population_types import HostPopulation
from thermoc.passes.loihi.value_ranges import value_of
from thermoc.verification.differences import flat
from thermoc.verification.messages import Messages


def message(x: NDArray, source: Any) -> NDArray:
    """Return what the chip is told of a host's value."""
    # The encode's bits hold the bound rounded up to a power of two, and it clips there.
    top = 2.0 ** max(1, int(np.ceil(np.log2(float(source.bound.max()) + 1)))) - 1
    return np.clip(np.rint(x * source.scale), -top, top) / source.scale


def answered(graph: Graph, population: Counterpart, said: Messages) -> NDArray:
    """Return what a process of the host makes of what it was given, cut to the bits of its messages."""
    unit, design = population.design.population, population.design
    assert isinstance(unit, HostPopulation)
    sources = [value_of(graph, term.source) for term in unit.drive.terms]
    arrays: dict[str, NDArray] = {}
    for value in sources:
        array = said.sent.get(value.name)
        array = message(said.probes[value.name], population.sources[value.name]) if array is None else array
        arrays[f"given.{value.name}"] = array.reshape(*array.shape[:2], *value.shape).astype(value.dtype.numpy)
    alone = of_process(graph, unit.ops, sources, unit.value)
    with np.errstate(all="ignore"):
        inputs = Feed(arrays=arrays, ticks=said.setting.ticks, batch=said.setting.batch)
        numbers = flat(interpret(alone, inputs).outputs["said"]).astype(float)
    top = 2.0 ** max(1, int(np.ceil(np.log2(float(design.numbers["farthest"].max()) + 1)))) - 1
    return np.clip(np.where(np.isnan(numbers), 0.0, numbers), -top / design.sent, top / design.sent)
