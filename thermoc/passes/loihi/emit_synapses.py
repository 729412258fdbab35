"""Synapses of Loihi: a linear map and its 8-bit weights as ``loihi.dense``, ``loihi.sparse`` or ``loihi.conv``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from thermoc.ir.dialects import core, loihi
from thermoc.ir.values import Value
from thermoc.passes.loihi import linear_maps as maps
from thermoc.passes.loihi.boundary import encoded
from thermoc.passes.loihi.clocks import is_coupling
from thermoc.passes.loihi.design_types import Design
from thermoc.passes.loihi.drives import Term
from thermoc.passes.loihi.heat_design import planes
from thermoc.passes.loihi.op_writer import LoihiWriter
from thermoc.passes.loihi.population_types import BoltzmannPopulation, HostPopulation, NoisyPopulation, Population
from thermoc.passes.loihi.value_ranges import value_of
from thermoc.passes.loihi.weights import Weights


def synapses(w: LoihiWriter, design: Design) -> Value:
    """Write a population's synapses; return their sum."""
    population = design.population
    # Weights that all round to 0 make no synapse, which would cost axons and carry nothing.
    activations = [
        _synapse(w, population, term, weights)
        for term, weights in zip(population.drive.terms, design.weights)
        if weights.mantissa.any()
    ]
    if not activations:
        return w.integers(np.zeros(population.shape))
    return activations[0] if len(activations) == 1 else w(loihi.LoihiDendrite, x=tuple(activations))


def _synapse(w: LoihiWriter, population: Population, term: Term, weights: Weights) -> Value:
    sender, lag = w.senders.get(term.source), w.clocks.lags[population.name]
    if sender is None:
        # The host encodes at any lag, so this synapse needs no delay of its own.
        x, wait = encoded(w, term.source, lag + term.delay - 1), 0
    elif is_coupling(population, term):
        x, wait = sender.value, 0  # what a unit reads is a tick of Loihi old, and its colour waited for it
    else:
        x, wait = sender.value, lag - sender.lag + term.delay - 1
    return w.shaped(_mapped(w, term.map, weights, x, wait, w.formats[term.source].bits), population.shape)


def heating(w: LoihiWriter, design: Design) -> Value:
    """Write the synapses by which a temperature of Loihi reaches noisy units; return their sum, in steps of theirs."""
    population, n = design.population, design.numbers
    assert isinstance(population, NoisyPopulation | BoltzmannPopulation) and population.heated is not None
    pairs = zip(population.heated.terms, n["heating"])
    arriving = [_synapse(w, population, term, weights) for term, weights in pairs]
    if n["heating_bias"].any() or not arriving:
        arriving.append(w.integers(n["heating_bias"].reshape(population.shape)))
    return arriving[0] if len(arriving) == 1 else w(loihi.LoihiDendrite, x=tuple(arriving))


def given(w: LoihiWriter, population: HostPopulation) -> dict[str, Value]:
    """Return what a process of the host is given, as numbers, by the names of the network; a synapse brings what Loihi
    says a tick later."""
    numbers: dict[str, Value] = {}
    lag = w.clocks.lags[population.name]
    for term in population.drive.terms:
        source, sender, format = value_of(w.graph, term.source), w.senders.get(term.source), w.formats[term.source]
        if sender is None:
            x = encoded(w, term.source, lag)
        else:
            ones = Weights(mantissa=np.ones(source.size, np.int64), exponent=0, sign_mode="excitatory")
            x = _mapped(w, term.map, ones, sender.value, lag - sender.lag - 1, format.bits)
        number = w(loihi.LoihiDecode, x=w.shaped(x, source.shape), scale=float(format.scale))
        if not source.dtype.is_float:
            number = w(core.Cast, x=number, dtype=source.dtype)
        numbers[term.source] = number
    return numbers


def conducted(w: LoihiWriter, design: Design) -> Value:
    """Write what a tick conducts to each node of a thermal network: each weight in as many synapses as it has bits."""
    pairs = zip(design.population.drive.terms, design.weights)
    arriving = [_synapse(w, design.population, term, plane) for term, weights in pairs for plane in planes(weights)]
    if design.bias.any() or not arriving:
        arriving.append(w.integers(design.bias.reshape(design.population.shape)))
    return arriving[0] if len(arriving) == 1 else w(loihi.LoihiDendrite, x=tuple(arriving))


def _mapped(w: LoihiWriter, how: maps.Map, weights: Weights, x: Value, wait: int, bits: int) -> Value:
    """Write a linear map of messages that are ``wait`` ticks late."""
    attrs: dict[str, Any] = {
        "weight_exp": weights.exponent,
        "sign_mode": weights.sign_mode,
        "message_bits": bits,
    }
    if isinstance(how, maps.Window):
        return _window(w, how, weights, _waited(w, x, wait, bits), attrs)
    x = w.shaped(x, (how.inputs,))
    rows = how.with_weights(weights.mantissa.astype(float)).matrix().rows
    # A dense synapse stores its zeros too, but no index: worth it once most entries are there.
    if isinstance(how, maps.Matrix) and how.dense:
        matrix = np.rint(rows.toarray())
        if wait:
            attrs |= {"delays": w.integers(np.full(matrix.shape, wait)), "longest": wait}
        return w(loihi.LoihiDense, x=x, weight=w.integers(matrix), **attrs)
    # A weight that was rounded to 0 is no synapse: it would cost memory of its core and an axon.
    rows = rows.copy()  # its indices are those of the map, which others read with weights of their own
    rows.sort_indices()
    rows.eliminate_zeros()
    if wait:
        attrs |= {"delays": w.integers(np.full(rows.nnz, wait)), "longest": wait}
    arrays = {"values": rows.data, "columns": rows.indices, "offsets": rows.indptr}
    return w(loihi.LoihiSparse, x=x, **{name: w.integers(np.rint(a)) for name, a in arrays.items()}, **attrs)


def _window(w: LoihiWriter, how: maps.Window, weights: Weights, x: Value, attrs: Mapping[str, Any]) -> Value:
    window = {name: getattr(how, name) for name in ("stride", "padding", "dilation", "groups")}
    x = w.shaped(x, how.shape)
    return w(loihi.LoihiConv, x=x, weight=w.integers(weights.mantissa), **window, **attrs)


def _waited(w: LoihiWriter, x: Value, wait: int, bits: int) -> Value:
    """Return x ``wait`` ticks later, by a relay: a convolution has no delays of its own."""
    if not wait:
        return x
    size = math.prod(x.shape)
    ones = Weights(mantissa=np.ones(size, np.int64), exponent=0, sign_mode="excitatory")
    # The relay itself takes one of the ticks.
    delayed = _mapped(w, maps.identity(size), ones, x, wait - 1, bits)
    # Rule abs hands the sign on; relu would cut what is below 0.
    return w(loihi.LoihiGraded, a=delayed, bias=w.integers(np.zeros(())), rule="abs")
