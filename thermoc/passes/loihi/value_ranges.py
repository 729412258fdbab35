"""Value ranges for quantisation: proven by interval analysis from the inputs' range, or measured in runs of samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc import physics
from thermoc.ir.dialects import core, diffusive, heat, sampling, thermo
from thermoc.ir.feed import Feed, feed
from thermoc.ir.graph import Graph
from thermoc.ir.ops import STOCHASTIC, Op
from thermoc.ir.reference import interpret
from thermoc.ir.types import Role
from thermoc.ir.values import Value
from thermoc.passes.analysis.interval_rules import Range, rule_of
from thermoc.passes.canonicalize import drop_dead
from thermoc.passes.loihi.population_types import (
    BoltzmannPopulation,
    HeatPopulation,
    MemoryPopulation,
    NoisyPopulation,
    Population,
    RelaxationPopulation,
)
from thermoc.support.array_types import AnyArray, FloatArray
from thermoc.support.errors import error

ROUNDS = 4
FARTHEST_NORMAL = 6.8
"""Box and Muller's normal of 32-bit words: sqrt(2 ln 2^33) = 6.764."""
DEVIATIONS = 8.0
"""A Gaussian state has headroom for so many standard deviations; beyond, it is clipped."""
LEAKLESS_TICKS = 1000
"""A state without leak has headroom for so many ticks of its largest drive; beyond, it is clipped."""

Ends = tuple[Any, Any]
Intervals = Mapping[str, Range]


@dataclass(frozen=True, kw_only=True)
class ValueRanges:
    """How large the values of a graph can be. measured: in runs of samples, rather than proven from ``input_range``."""

    graph: Graph
    intervals: Intervals
    input_range: tuple[float, float]
    measured: bool


def value_ranges(
    graph: Graph, input_range: tuple[float, float], samples: Mapping[str, ArrayLike] | None
) -> ValueRanges:
    """Return the ranges of a graph's values; what samples show goes before what is proven. Errors: T401 to T404."""
    intervals = proven(graph, input_range)
    if samples is not None:
        intervals |= measured(graph, samples)
    return ValueRanges(graph=graph, intervals=intervals, input_range=input_range, measured=samples is not None)


def largest(ranges: ValueRanges, name: str, population: Population | None) -> FloatArray:
    """Return the largest magnitude of each element of a value, flat. population: whose value it is, None for the host.

    Errors: T206 where it is not known.
    """
    interval = ranges.intervals.get(name)
    if interval is None and population is None and name in ranges.graph.uniform:
        # A schedule of the host: twice what it is in the first tick; an encode clips what lies beyond.
        first = first_value(ranges.graph, name)
        interval = Range(-2 * np.abs(first), 2 * np.abs(first))
    if interval is not None and isinstance(population, HeatPopulation) and ranges.measured:
        # Other inputs than the samples may heat it more, and heat that is cut off is lost.
        interval = Range(2 * np.minimum(interval.low, 0.0), 2 * np.maximum(interval.high, 0.0))
    if interval is None and isinstance(population, MemoryPopulation):
        interval = Range(-np.ones(population.size), np.ones(population.size))
    if interval is None or not (np.isfinite(interval.low) & np.isfinite(interval.high)).all():
        op = ranges.graph.producers[name]
        notes = ["it follows from the range of the inputs, or from runs of some of them"]
        hint = 'give calibrate={"input": samples}'
        raise error(
            "T206", f"how large {op.opname} (%{name}) can be is not known", where=op.location, notes=notes, hint=hint
        )
    magnitude = np.maximum(np.abs(interval.low), np.abs(interval.high)).reshape(-1).astype(float)
    size = population.size if population is not None else value_of(ranges.graph, name).size
    return np.broadcast_to(magnitude, size)


def temperatures(ranges: ValueRanges, population: Population) -> FloatArray:
    """Return the temperatures of a noisy population, or where it is computed between what a schedule lies, the most it
    can be, or that of the first tick; 1 for a population without noise."""
    if not isinstance(population, NoisyPopulation | BoltzmannPopulation | RelaxationPopulation):
        return np.ones(1)
    if not isinstance(population.T, Value):
        return population.T
    interval, name = ranges.intervals.get(population.T.name), population.T.name
    if interval is not None:
        cools = isinstance(ranges.graph.producers[name], thermo.Schedule) or isinstance(population, BoltzmannPopulation)
        ends = (interval.low.min(), interval.high.max()) if cools else (interval.high.max(),)
        return np.array(ends, float)
    if name in ranges.graph.uniform:
        return np.array([np.max(first_value(ranges.graph, name))], float)
    return np.array([max(map(abs, ranges.input_range))], float)


def value_of(graph: Graph, name: str) -> Value:
    """Return the value of a name."""
    return next(value for value in graph.producers[name].results if value.name == name)


def first_value(graph: Graph, name: str) -> AnyArray:
    """Return the first tick's value of what depends on no input."""
    plain = [op for op in graph.ops if not isinstance(op, core.Output)]
    silent = drop_dead(graph.with_ops([*plain, core.Output(name="first", x=value_of(graph, name))]))
    silent = silent.with_ops(op for op in silent.ops if not isinstance(op, core.Input))
    return interpret(silent, Feed(arrays={}, ticks=1, batch=1)).outputs["first"][0, 0]


# ---------------------------------------------------------------------------------------------- interval analysis


def proven(graph: Graph, inputs: tuple[float, float]) -> dict[str, Range]:
    """Return the range of every value that has one, by name."""
    intervals: dict[str, Range] = {}
    # Delays close loops: a range may need what comes later in the order.
    for _ in range(ROUNDS):
        before = len(intervals)
        for op in graph.order:
            ends_of = (
                _heat(op, intervals, graph) if isinstance(op, heat.HeatNetwork) else _ranges(op, intervals, inputs)
            )
            for value, ends in zip(op.results, ends_of):
                if ends is not None and value.type is not None:
                    low, high = (np.broadcast_to(np.asarray(bound, float), value.type.shape) for bound in ends)
                    # The first range stands: to widen it round after round in a loop need not end.
                    intervals.setdefault(value.name, Range(low, high))
        if len(intervals) == before:
            break
    return intervals


def measured(graph: Graph, samples: Mapping[str, ArrayLike]) -> dict[str, Range]:
    """Return the range of each float value in a run of these inputs. Errors: T401 to T404."""
    names = [v.name for op in graph.ops for v in op.results if v.type is not None and v.type.dtype.is_float]
    trace = interpret(graph, feed(graph, samples), probes=names)
    return {name: Range(array.min(axis=(0, 1)), array.max(axis=(0, 1))) for name, array in trace.probes.items()}


def _ranges(op: Any, intervals: Intervals, inputs: tuple[float, float]) -> list[Ends | None]:
    """Return (low, high) for each result of an op, None where it is not known."""
    unknown: list[Ends | None] = [None] * len(op.results)
    if isinstance(op, core.Constant):
        return [(op.value.numpy, op.value.numpy)]
    if isinstance(op, core.Input):
        # Spikes and probabilities lie between 0 and 1 by their role, whatever the range of other inputs.
        return [(0.0, 1.0) if op.role in (Role.spike, Role.probability) else inputs]
    if isinstance(op, core.Delay):
        return [_hull(intervals.get(op.x.name), intervals.get(op.initial.name))]
    if isinstance(op, thermo.Uniform):
        return [(0.0, 1.0)]
    if isinstance(op, thermo.Normal):
        return [(-FARTHEST_NORMAL, FARTHEST_NORMAL)]
    if isinstance(op, thermo.Memory):
        return [_memory(op, intervals)]
    if isinstance(op, diffusive.OuNetwork):
        return [_modes(op, intervals)]
    if _is_binary(op) and not isinstance(op, core.Cast):
        levels: Ends = (-1.0 if getattr(op, "levels", "") == "spin" else 0.0, 1.0)
        return [levels, *unknown[1:]]
    if isinstance(op, core.Cast) and op.x.name in intervals:
        return [intervals[op.x.name]]
    if isinstance(op, core.Greater | core.GreaterEqual | core.Less | core.LessEqual):
        return [(0.0, 1.0)]
    if isinstance(op, core.Div) and all(v.name in intervals for v in op.inputs):
        return [_quotient(*(intervals[value.name] for value in op.inputs))]
    rule = rule_of(type(op))  # pyright: ignore[reportUnknownArgumentType]
    if rule is None or not all(value.name in intervals for value in op.inputs):
        return unknown
    ends = rule(op, *(intervals[value.name] for value in op.inputs))
    return [ends if ends is not None and all(np.isfinite(bound).all() for bound in ends) else None]


def _is_binary(op: Op) -> bool:
    if isinstance(op, sampling.Gibbs | sampling.GibbsSweeps):
        return True
    return bool(op.results) and op.results[0].type is not None and op.results[0].type.role is Role.spike


def _hull(a: Range | None, b: Range | None) -> Ends | None:
    return None if a is None or b is None else (np.minimum(a.low, b.low), np.maximum(a.high, b.high))


def _quotient(a: Range, b: Range) -> Ends | None:
    # Zero between the ends of a divisor bounds nothing.
    if (b.low * b.high <= 0).any():
        return None
    corners = [x / y for x in a for y in b]
    return np.minimum.reduce(corners), np.maximum.reduce(corners)


def _memory(op: thermo.Memory, intervals: Intervals) -> Ends | None:
    x, T, gamma = (intervals.get(value.name) for value in (op.x, op.T, op.gamma))
    if x is None or T is None or gamma is None or STOCHASTIC not in op.traits:
        return None
    # A memory at rest is x / gamma; its noise has the deviation sqrt(T).
    farthest = np.maximum(np.abs(x.low), np.abs(x.high)) / gamma.low + DEVIATIONS * np.sqrt(T.high)
    return -farthest, farthest


def _modes(op: diffusive.OuNetwork, intervals: Intervals) -> Ends | None:
    """Each mode by itself: at rest it is b / rate; its noise has the deviation sqrt(T / rate)."""
    b, T, K, initial = (intervals.get(value.name) for value in (op.b, op.T, op.K, op.initial))
    if b is None or T is None or K is None or initial is None:
        return None
    rates = np.diag(K.low)
    farthest = np.maximum(np.abs(b.low), np.abs(b.high)) / rates + DEVIATIONS * np.sqrt(T.high / rates)
    farthest = np.maximum(farthest, np.maximum(np.abs(initial.low), np.abs(initial.high)))
    return -farthest, farthest


def _heat(op: heat.HeatNetwork, intervals: Intervals, graph: Graph) -> list[Ends | None]:
    """Temperatures lie between those of the start and of the reservoir, and what the sources add to them at rest.

    Where nothing leads heat away, what they add in 1,000 ticks: beyond, it does not fit.
    """
    numbers = {name: intervals.get(value.name) for name, value in op.operand_values}
    C, G, initial, power = (numbers[name] for name in ("capacity", "conductance", "initial", "power"))
    ground, reservoir = numbers["ambient"], numbers["T_ambient"]
    if reservoir is None and op.T_ambient.name in graph.uniform:
        first = np.abs(first_value(graph, op.T_ambient.name))
        reservoir = Range(-2 * first, 2 * first)
    if C is None or G is None or initial is None or power is None or ground is None:
        return [None, None, None]
    n, grounded = op.T.size, bool((ground.high > 0).any())
    if grounded and reservoir is None:
        return [None, None, None]
    ends = (initial, reservoir) if grounded and reservoir is not None else (initial,)
    low, high = min(float(np.min(end.low)) for end in ends), max(float(np.max(end.high)) for end in ends)
    power_bound = np.broadcast_to(np.maximum(np.abs(power.low), np.abs(power.high)), (n,)).astype(float)
    warmed = _warmed(G.high, np.broadcast_to(ground.high, (n,)), np.broadcast_to(C.high, (n,)), power_bound, graph.dt)
    # A temperature of 0 belongs to every range, so that messages of both signs have a scale.
    return [(np.full(n, min(low - warmed, 0.0)), np.full(n, max(high + warmed, 0.0))), None, None]


def _warmed(G: FloatArray, ground: FloatArray, C: FloatArray, power: FloatArray, dt: float) -> float:
    """Return how far power can lift a temperature of a network."""
    if not power.any():
        return 0.0
    if physics.disconnected(G, ground) is None:
        return float(np.abs(physics.equilibrium(G, power, ground)).max())
    laplacian = np.diag(G.sum(axis=1) - np.diag(G) + ground) - (G - np.diag(np.diag(G)))
    rates, modes = np.linalg.eigh(laplacian)
    slow = rates < 1e-12 * max(float(rates.max()), 1.0)
    spread = modes / np.where(slow, np.inf, rates)
    # What no mode leads away is there for ever, in the capacities that share it; the rest comes to rest.
    overlap = np.abs(modes[:, slow] @ modes[:, slow].T)
    gathered = (overlap @ power) * dt * LEAKLESS_TICKS / C.min()
    return float(gathered.max() + (np.abs(spread @ modes.T) @ power).max())
