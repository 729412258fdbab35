"""The boundary between host and Loihi: messages in, numbers out, and how far the network's outputs may be off."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from thermoc.ir.dialects import core, loihi
from thermoc.ir.graph import Graph
from thermoc.ir.types import DType
from thermoc.ir.values import Value
from thermoc.passes.loihi.design_types import FRACTION, Design, MessageFormat
from thermoc.passes.loihi.error_bounds import Errors, of_populations, through_host
from thermoc.passes.loihi.op_writer import LoihiWriter
from thermoc.passes.loihi.population_types import HostReading
from thermoc.passes.loihi.populations import Populations
from thermoc.passes.loihi.regions import Regions
from thermoc.passes.loihi.value_ranges import value_of
from thermoc.support.array_types import AnyArray

# ------------------------------------------------------------------------------------------------ host to Loihi


def encoded(w: LoihiWriter, name: str, lag: int) -> Value:
    """Return a value of the host as messages in the format of its name."""
    source = w.formats[name]
    # One bit more than the magnitude, for the sign.
    bits = max(2, math.ceil(math.log2(float(source.bound.max()) + 1)) + 1)
    value = value_of(w.graph, name)
    if value.type is None or not value.type.dtype.is_float:
        value = w(core.Cast, x=value, dtype=DType.f64)
    return encode(w, value, source.scale, bits=bits, lag=lag)


def encode(w: LoihiWriter, value: Value, scale: float, *, bits: int, lag: int) -> Value:
    """Return a host value as messages, each encoding once."""
    # Readers of one value at one scale and lag share an encode: the host then sends it once.
    key = (value.name, scale, bits, lag)
    if key not in w.encodes:
        attrs = {"scale": float(scale), "bits": bits, "lag": lag, "every": w.clocks.every}
        w.encodes[key] = w(loihi.LoihiEncode, x=value, **attrs)
    return w.encodes[key]


# ------------------------------------------------------------------------------------------------ Loihi to host


def hand_over(w: LoihiWriter, populations: Populations, designs: Mapping[str, Design]) -> None:
    """Write the decodes of everything that the host reads, under the names of the network."""
    for value in populations.host_reads:
        owner = populations.owners[value.name]
        design = designs[owner.population]
        w.location = design.population.op.location
        if owner.reading is None:
            _decode_message(w, design)
        else:
            _decode_state(w, design, owner.reading)
        w.rename_last(value)


def _decode_message(w: LoihiWriter, design: Design) -> None:
    population = design.population
    sender = w.senders[population.name]
    y = w(loihi.LoihiDecode, x=sender.value, scale=float(design.sent), lag=sender.lag, every=w.clocks.every)
    # The host reads the synapses' sum, before any unit could add its bias.
    if population.name in w.read_sums and design.bias.any():
        w(core.Add, a=y, b=w.floats(design.bias.reshape(population.shape) / design.sent))


def _decode_state(w: LoihiWriter, design: Design, reading: HostReading) -> None:
    """v and u have six bits more than what arrives."""
    population = design.population
    state, scale = w.states[population.name, reading.state], float(design.scale * FRACTION)
    y = w(loihi.LoihiDecode, x=state, scale=scale, lag=w.clocks.lags[population.name], every=w.clocks.every)
    if (reading.factor != 1).any():
        y = w(core.Mul, a=y, b=w.floats(reading.factor.reshape(population.shape)))
    if reading.offset.any():
        w(core.Add, a=y, b=w.floats(reading.offset.reshape(population.shape)))


# ---------------------------------------------------------------------------------------------------- error bounds


def message_errors(
    designs: Sequence[Design], formats: Mapping[str, MessageFormat], constants: Mapping[str, AnyArray]
) -> Errors:
    """Return a bound on the error of what each population sends; messages of the host are off by half a step."""
    populations = {design.population.name for design in designs}
    hosts = {
        name: 0.5 / source.scale if source.bits else 0.0 for name, source in formats.items() if name not in populations
    }
    return of_populations(designs, formats, hosts, constants)


def output_errors(
    graph: Graph, regions: Regions, populations: Populations, designs: Mapping[str, Design], errors: Errors
) -> dict[str, float]:
    """Return a bound on the error of each output, through the host's ops behind Loihi; infinite where there is none."""
    read: Errors = {}
    for value in populations.host_reads:
        owner = populations.owners[value.name]
        error, shape = errors[owner.population], designs[owner.population].population.shape
        # A membrane has no bound of its own: a spike that came a tick late resets it a tick late.
        state = np.full(shape, np.inf if error.any() else 0.0)
        read[value.name] = error.reshape(shape) if owner.reading is None else state
    host = [op for op in graph.ops if not regions.holds(op)]
    # To the host's ops the values of Loihi are inputs whose errors are known.
    inputs = [
        core.Input(name=f"chip.{value.name}", shape=value.shape, y=value)
        for value in populations.host_reads
        if value.type is not None
    ]
    return through_host(graph.with_ops([*host, *inputs]), read)
