"""Writes the design of each population as ops of Loihi."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from thermoc.ir.dialects import core, loihi
from thermoc.ir.values import Value
from thermoc.passes.loihi.boundary import encode
from thermoc.passes.loihi.design_types import Design
from thermoc.passes.loihi.designs import TEMPERATURE_STEPS
from thermoc.passes.loihi.emit_synapses import conducted, given, heating, synapses
from thermoc.passes.loihi.op_writer import LoihiWriter, Sender
from thermoc.passes.loihi.parameters import no_loihi_form
from thermoc.passes.loihi.population_types import (
    BoltzmannPopulation,
    CurvePopulation,
    GradedPopulation,
    HeatPopulation,
    HostPopulation,
    LifPopulation,
    MemoryPopulation,
    NoisyPopulation,
    RelaxationPopulation,
)
from thermoc.support.array_types import AnyArray

MOST_RUNS = 64
"""Of units with equal decays side by side; each becomes a population of its own."""


def write(w: LoihiWriter, design: Design) -> None:
    """Write a population and its synapses."""
    population = design.population
    w.location = population.op.location
    if isinstance(population, HeatPopulation):
        _heat_nodes(w, population, design)
        return
    if isinstance(population, HostPopulation):
        _host_process(w, population, design)
        return
    activation = synapses(w, design)
    if population.name in w.read_sums:
        w.senders[population.name] = Sender(activation, w.clocks.lags[population.name])
    elif isinstance(population, LifPopulation):
        _lif(w, population, design, activation)
    elif isinstance(population, GradedPopulation):
        _graded(w, population, design, activation)
    elif isinstance(population, CurvePopulation):
        _curve(w, population, design, activation)
    elif isinstance(population, NoisyPopulation):
        _noisy(w, population, design, activation)
    elif isinstance(population, BoltzmannPopulation):
        _probabilities(w, population, design, activation)
    elif isinstance(population, RelaxationPopulation):
        _relaxation(w, population, design, activation)
    else:
        assert isinstance(population, MemoryPopulation)
        _memory(w, population, design, activation)


def _lif(w: LoihiWriter, population: LifPopulation, design: Design, activation: Value) -> None:
    """A population of Loihi has one decay: units of other decays, side by side, are populations of their own."""
    n = design.numbers
    attrs: dict[str, Any] = {name: n[name] for name in ("vth", "bias_exp")}
    attrs |= {"compare": population.compare, "reset": population.reset, "lag": w.clocks.lags[population.name]}
    # Decays are attributes of Loihi's op, not operands.
    starts = _run_starts(np.stack([n["du"], n["dv"]]))
    if len(starts) > MOST_RUNS:
        changes = f"its decays change {len(starts) - 1} times from unit to unit"
        hint = "sort the units by their time constants"
        raise no_loihi_form(population.op, f"%{population.name}", changes, "a population of Loihi has one", hint=hint)
    arrays = {"bias_mant": design.bias, "v_initial": n["v_initial"], "u_initial": n["u_initial"]}
    if len(starts) == 1:
        operands = {name: w.broadcast(array, population.shape) for name, array in arrays.items()}
        decays = {"du": int(n["du"][0]), "dv": int(n["dv"][0])}
        op: Any = w.sent(population, loihi.LoihiLif, a=activation, **decays, **operands, **attrs)
        w.states[population.name, "v"], w.states[population.name, "u"] = op.v, op.u
        w.runs |= {(population.name, name): (getattr(op, name).name,) for name in ("v", "u")}
        return
    flat = w.shaped(activation, (population.size,))
    ops: list[Any] = []
    for start, stop in zip(starts, [*starts[1:], population.size]):
        a = w(core.Slice, x=flat, starts=(start,), stops=(stop,), steps=(1,))
        operands = {name: w.broadcast(array[start:stop], (stop - start,)) for name, array in arrays.items()}
        w(loihi.LoihiLif, a=a, du=int(n["du"][start]), dv=int(n["dv"][start]), **operands, **attrs)
        ops.append(w.ops[-1])
    for name in ("s", "v", "u"):
        joined = w(core.Concat, xs=tuple(getattr(op, name) for op in ops), axis=0)
        y = {"y": w.senders[population.name].value} if name == "s" else {}
        w.states[population.name, name] = w(core.Reshape, x=joined, shape=population.shape, **y)
        w.runs[population.name, name] = tuple(getattr(op, name).name for op in ops)


def _run_starts(decays: AnyArray) -> list[int]:
    """Return where a run of equal columns begins."""
    return [0, *(np.flatnonzero((decays[:, 1:] != decays[:, :-1]).any(axis=0)) + 1).tolist()]


def _graded(w: LoihiWriter, population: GradedPopulation, design: Design, activation: Value) -> None:
    bias = w.broadcast(design.bias, population.shape)
    attrs = {"shift": design.numbers["shift"], "rule": population.rule}
    w.sent(population, loihi.LoihiGraded, a=activation, bias=bias, **attrs)


def _curve(w: LoihiWriter, population: CurvePopulation, design: Design, activation: Value) -> None:
    table, bias = w.integers(design.numbers["table"]), w.broadcast(design.bias, population.shape)
    w.sent(population, loihi.LoihiLut, a=activation, table=table, bias=bias, shift=design.numbers["shift"])


def _noisy(w: LoihiWriter, population: NoisyPopulation, design: Design, activation: Value) -> None:
    lag, shape = w.clocks.lags[population.name], population.shape
    bias = w.broadcast(design.bias, shape)
    T = _temperature(w, population, design)
    attrs: dict[str, Any] = {"a": activation, "lag": lag, "stream": population.stream}
    if population.categorical:
        w.sent(population, loihi.LoihiCategorical, T=T, bias=bias, **attrs)
        return
    colour = np.zeros(population.size) if population.turn is None else population.turn
    # Random words are numbered in the network's ticks: each tick of Loihi in one of them is a sweep.
    sweeps = population.sweeps if population.turn is not None else w.clocks.every
    initial = w.broadcast(np.broadcast_to(population.initial, population.size), shape)
    operands = {"turn": w.broadcast(colour, shape), "initial": initial, "T": T, "bias": bias}
    attrs |= {"turns": population.turns, "sweeps": sweeps, "levels": population.levels}
    w.sent(population, loihi.LoihiFermiDirac, **operands, **attrs)


def _probabilities(w: LoihiWriter, population: BoltzmannPopulation, design: Design, activation: Value) -> None:
    n, shape = design.numbers, population.shape
    operands = {"a": activation, "T": _temperature(w, population, design), "bias": w.broadcast(design.bias, shape)}
    attrs = {"initial": w.broadcast(n["initial"], shape), "fraction": n["fraction"]}
    w.sent(population, loihi.LoihiBoltzmann, **operands, **attrs, lag=w.clocks.lags[population.name])


def _temperature(w: LoihiWriter, population: NoisyPopulation | BoltzmannPopulation, design: Design) -> Value:
    """A temperature that changes comes from Loihi, or is a message of the host, at as many steps as a constant one."""
    if population.heated is not None:
        return heating(w, design)
    if isinstance(population.T, Value):
        lag = w.clocks.lags[population.name]
        return encode(w, _row(w, population.T), TEMPERATURE_STEPS * design.scale, bits=24, lag=lag)
    return w.broadcast(design.numbers["T"], population.shape)


def _row(w: LoihiWriter, T: Value) -> Value:
    """Return temperatures of sweeps that are all alike as a row."""
    shape = T.shape
    return w(core.Reshape, x=T, shape=shape[1:]) if len(shape) == 2 and shape[0] == 1 else T


def _memory(w: LoihiWriter, population: MemoryPopulation, design: Design, activation: Value) -> None:
    n = design.numbers
    # A memory has no bias of its own: a constant joins the sum of its synapses.
    if design.bias.any():
        activation = w(loihi.LoihiDendrite, x=(activation, w.integers(design.bias.reshape(population.shape))))
    operands = {name: w.broadcast(n[name], population.shape) for name in ("sigma", "initial")}
    attrs = {"gain": n["gain"], "dm": n["dm"], "lag": w.clocks.lags[population.name], "stream": population.stream}
    w.sent(population, loihi.LoihiMemory, a=activation, **operands, **attrs)


def _relaxation(w: LoihiWriter, population: RelaxationPopulation, design: Design, activation: Value) -> None:
    n, lag, shape = design.numbers, w.clocks.lags[population.name], population.shape

    def each(numbers: AnyArray) -> Value:
        # A single unit without an axis takes no constant that has one.
        return w.broadcast(numbers, shape) if shape else w.scalar(int(np.ravel(numbers)[0]))

    if design.bias.any():
        bias = w.integers(design.bias.reshape(shape)) if shape else each(design.bias)
        activation = w(loihi.LoihiDendrite, x=(activation, bias)) if population.drive.terms else bias
    names = ("loss", "shift", "initial", "initial_rest")
    operands = {name: each(n[name]) for name in names} | {"a": w.shaped(activation, shape)}
    if isinstance(population.T, Value):
        loudness = w(core.Mul, a=w(core.Sqrt, x=population.T), b=w.floats(population.spread.reshape(shape)))
        operands["sigma"] = encode(w, loudness, n["noise_scale"], bits=24, lag=lag)
    else:
        operands["sigma"] = each(n["sigma"])
    attrs = {name: n[name] for name in ("lift", "spread", "floor")} | {"every": w.clocks.every, "lag": lag}
    w.sent(population, loihi.LoihiRelaxation, **operands, **attrs, stream=population.stream)


def _heat_nodes(w: LoihiWriter, population: HeatPopulation, design: Design) -> None:
    names = ("capacity", "initial", "initial_rest")
    operands = {name: w.broadcast(design.numbers[name], population.shape) for name in names}
    attrs = {"every": w.clocks.every, "lag": w.clocks.lags[population.name]}
    w.sent(population, loihi.LoihiHeatNode, heat=conducted(w, design), **operands, **attrs)


def _host_process(w: LoihiWriter, population: HostPopulation, design: Design) -> None:
    """What arrives becomes numbers, the host's ops make others of them, and these become a message again."""
    lag, named = w.clocks.lags[population.name], given(w, population)
    for op in population.written_out:
        w.copied(op, named)
    value = named[population.value.name]
    if population.initial is not None and population.initial.any() | bool(lag):
        # Before its lag is over what it was given means nothing.
        started = w(core.GreaterEqual, a=w(core.Tick), b=w.integers(lag))
        before = w.floats(population.initial.reshape(population.shape))
        value = w(core.Select, condition=started, a=value, b=before)
    bits = max(2, math.ceil(math.log2(float(w.formats[population.name].bound.max()) + 1)) + 1)
    w.sent(population, loihi.LoihiEncode, x=value, scale=float(design.sent), bits=bits)
