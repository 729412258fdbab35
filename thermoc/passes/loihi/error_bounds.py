"""Error bounds of Loihi's integers against the network's numbers: population by population, then through the host."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from thermoc.ir.dialects import core, spiking, thermo
from thermoc.ir.graph import Graph
from thermoc.passes.analysis.linearity import linear_in
from thermoc.passes.analysis.sampling_error import SamplingError, through
from thermoc.passes.loihi.design_types import FRACTION, Design, MessageFormat
from thermoc.passes.loihi.designs import TEMPERATURE_STEPS, farthest
from thermoc.passes.loihi.heat_errors import in_all
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
from thermoc.passes.loihi.relaxation_errors import relaxed_for_ever
from thermoc.support.array_types import AnyArray, FloatArray

Errors = dict[str, FloatArray]
Formats = Mapping[str, MessageFormat]
LOGIT = 0.0115
"""The most a logit of Loihi is off (``loihi.fermi_dirac``)."""
ROUNDS = 12
SAME = 1e-12
"""A relative difference below this is float64's rounding of a number that the integers hold exactly."""
LIPSCHITZ = (spiking.Decode, core.Tanh, core.Abs, core.Maximum, core.Minimum, core.Cast, core.Pool)
"""Ops whose results move no farther than their inputs, but for a pool that sums."""


def of_populations(
    designs: Sequence[Design], formats: Formats, hosts: Mapping[str, float], constants: Mapping[str, AnyArray]
) -> Errors:
    """Return a bound on the error of what each population sends, in the network's units.

    hosts: the rounding of each host value. A spike is off by at most 1, by nothing where every number behind it is
    exact. Loops are gone round until nothing changes; what still grows has no bound.
    """
    errors: Errors = {name: np.full(len(formats[name].real), off) for name, off in hosts.items()}
    errors |= {design.population.name: np.zeros(design.population.size) for design in designs}
    # Through a chain an error takes a round for each population.
    rounds = ROUNDS + len(designs)
    for number in range(rounds):
        moved = False
        for design in designs:
            name = design.population.name
            # Bounds only grow, so that rounds either settle or show a loop that does not.
            sent = _sent(design, formats, errors)
            if isinstance(design.population, HostPopulation):
                sent = of_process(design.population, errors, constants) + 0.5 / design.sent
            bound = np.maximum(sent, errors[name])
            if (bound > errors[name]).any():
                moved = True
                # What still grows in the last rounds is in a loop that feeds on its own error.
                errors[name] = np.full_like(bound, np.inf) if number >= rounds - 2 else bound
        if not moved:
            break
    return errors


def of_process(population: HostPopulation, errors: Errors, constants: Mapping[str, AnyArray]) -> FloatArray:
    """Return how far what a process of the host says may be off for errors of what it is given, flat."""
    shapes = {value.name: value.shape for op in population.ops for value in op.inputs}
    source_errors: Errors = {t.source: errors[t.source].reshape(shapes[t.source]) for t in population.drive.terms}
    for op in population.ops:
        for value in op.results:
            source_errors[value.name] = np.broadcast_to(_host(op, source_errors, constants), value.shape)
    return source_errors[population.value.name].reshape(-1).astype(float)


def of_drive(design: Design, formats: Formats, errors: Errors) -> FloatArray:
    """Return how far a tick's drive may be off, flat: weights, what they receive, shifts, the bias."""
    population = design.population
    exact = population.drive.bias
    # The half step that a graded unit's bias holds makes its shift round, and is no error.
    total = np.abs((design.bias - design.rounding) / design.bias_scale - exact)
    total = np.where(total < SAME * np.abs(exact), 0.0, total)
    for term, weights in zip(population.drive.terms, design.weights):
        source = formats[term.source]
        real = weights.real * source.scale / design.scale
        off = np.abs(real - term.map.weights)
        # Weights that are exact in integers may differ by float64's rounding of a scale that is no power of two.
        off = np.where(off < SAME * np.abs(real), 0.0, off)
        total = total + term.map.with_weights(off).apply(source.real)
        # A shift to the right rounds a sum toward minus infinity: up to one integer a term.
        total = total + weights.floors / design.scale
        error = errors[term.source]
        # An infinite error times a weight of 0 would be NaN.
        if not np.isfinite(error).all():
            return np.full(population.size, np.inf)
        total = total + term.map.with_weights(np.abs(real)).apply(error)
    return total


def _sent(design: Design, formats: Formats, errors: Errors) -> FloatArray:
    if isinstance(design.population, HeatPopulation):
        return in_all(design, formats, errors)
    if isinstance(design.population, HostPopulation):
        return np.zeros(design.population.size)  # of_process knows it
    population, drive = design.population, of_drive(design, formats, errors)
    if isinstance(population, GradedPopulation):
        return drive + (0.5 / design.sent if design.numbers["shift"] else 0.0)
    if isinstance(population, CurvePopulation):
        return curve_error(population, design, drive)
    if isinstance(population, LifPopulation):
        # A threshold forgives no error: a spike is off by all of itself or by nothing.
        return np.where(drive + _lif(population, design) > 0, 1.0, 0.0)
    if isinstance(population, NoisyPopulation):
        # The least error may flip a p-bit, and then all of the distance between its levels is wrong.
        return np.full(population.size, 2.0 if population.levels == "spin" else 1.0)
    if isinstance(population, BoltzmannPopulation):
        return of_probabilities(population, design, drive, _heated(population, errors))
    if isinstance(population, RelaxationPopulation):
        return relaxed_for_ever(population, design, drive)
    assert isinstance(population, MemoryPopulation)
    return _memory(population, design, formats, drive)


def curve_error(population: CurvePopulation, design: Design, drive: FloatArray) -> FloatArray:
    """Return how far a curve's value may be off: half a step of the table, the drive's own error, the rounding of an
    entry, and the curve beyond the table."""
    table, width = design.numbers["table"], design.numbers["width"]
    steepness = population.steepness
    half_range: float = width * len(table) / 2
    if math.isinf(steepness):
        # No bound is known for an exponential's slope: the steepest chord of the table's range is taken.
        steps: FloatArray = np.diff(population.curve(np.linspace(-half_range, half_range, 4097)))
        steepness = float(np.abs(steps).max()) * 4096 / (2 * half_range)
    # Inputs beyond the table get its last entry: one more error where the curve still changes there.
    beyond = 0.0
    if math.isfinite(population.edge) and half_range >= population.edge:
        distant = np.array([-1e3, 1e3])
        with np.errstate(over="ignore"):
            edges = population.curve(np.sign(distant) * population.edge)
            beyond = float(np.abs(population.curve(distant) - edges).max())
    full_range = float(np.ptp(table)) / design.sent
    return np.minimum(steepness * (drive + width / 2), full_range) + 0.5 / design.sent + beyond


def _lif(population: LifPopulation, design: Design) -> float:
    """Return by how much threshold and decays are off; truncation of a decay counts as one."""
    n, scale = design.numbers, design.scale
    off = abs(n["vth"] / scale - population.threshold)
    off = off if off > SAME * population.threshold else 0.0
    # To keep nothing or everything of a state is exact; any other decay truncates.
    exact = np.isin(n["dv"], (0, 4096)).all() and (n["du"] == 4095).all()
    membrane = np.abs((4096 - n["dv"]) / 4096 - population.keep).max()
    current = np.abs((4095 - n["du"]) / 4096 - population.fall).max()
    return off + float(membrane + current) + (0.0 if exact else 1 / (scale * FRACTION))


def _memory(population: MemoryPopulation, design: Design, formats: Formats, drive: FloatArray) -> FloatArray:
    """A tick's error over what leaks in a tick; with noise, whose normal is Loihi's own, there is no bound."""
    if np.any(design.numbers["sigma"]):
        return np.full(population.size, np.inf)
    keep = (4096 - design.numbers["dm"]) / 4096
    off = abs(keep - population.keep) * farthest(population, formats)
    # Each product with a factor that is not whole truncates the state once a tick.
    floors = (keep not in (0.0, 1.0)) + (design.numbers["gain"] % 4096 != 0)
    tick = drive + off + floors / design.sent
    start = np.abs(design.numbers["initial"] / design.sent - population.initial)
    if not tick.any():
        return start
    return start + tick / (1 - keep) if keep < 1 else np.full(population.size, np.inf)


def of_probabilities(
    population: BoltzmannPopulation, design: Design, drive: FloatArray, T_off: float = 0.0
) -> FloatArray:
    """Return how far probabilities may be off whose energies are off by ``drive``, whose temperature by ``T_off``.

    A softmax moves by at most half of the largest change of x / T; by a quarter of it where every exponent is cut the
    same way; and a relative change r of T moves it by r max(1 / e, ln n), for p x / T is at most 1 / e, and the mean
    of x / T at most ln n.
    """
    n = population.shape[-1]
    rows = np.repeat(drive.reshape(-1, n).max(axis=1), n)
    T, step = design.numbers["coldest"], 1 / (TEMPERATURE_STEPS * design.scale)
    off = T_off + step / 2 + of_heating(population, design, T)
    if not off < T / 2:
        return np.ones(population.size)
    own = math.log(2) / 4096 / 4 + (n + 1) * 2.0**-23 + 0.5 / design.sent
    return np.minimum(rows / (2 * (T - off)) + off / (T - off) * max(1 / math.e, math.log(n)) + own, 1.0)


def _heated(population: BoltzmannPopulation, errors: Errors) -> float:
    """Return how far what heats a population is off, of the temperature's own units."""
    terms = population.heated.terms if population.heated is not None else ()
    offs = [term.map.with_weights(np.abs(term.map.weights)).apply(errors[term.source]) for term in terms]
    return float(sum(off.max(initial=0.0) for off in offs))


def of_heating(population: NoisyPopulation | BoltzmannPopulation, design: Design, T: Any) -> Any:
    """Return how far a temperature is off that comes by synapses: their weights are exact or off by half of 8 bits, and
    their sums rounded down."""
    if population.heated is None:
        return 0.0
    exact = all((np.log2(np.abs(term.map.weights)) % 1 == 0).all() for term in population.heated.terms)
    floors = any(synapse.floors for synapse in design.numbers["heating"])
    return (0.0 if exact else T / 254) + floors / (TEMPERATURE_STEPS * design.scale)


def through_host(graph: Graph, errors: Errors) -> dict[str, float]:
    """Return a bound on the error of each output. errors: of the values that Loihi hands to the host."""
    constants = {op.y.name: op.value.numpy for op in graph.of(core.Constant)}
    bounds: Errors = dict(errors)
    # A delay stands before what it delays in the order: its error is known a round later.
    for number in range(ROUNDS):
        moved = False
        for op in graph.order:
            for value in op.results if not (op.results and op.results[0].name in errors) else ():
                bound = np.broadcast_to(_host(op, bounds, constants), value.shape)
                if value.name not in bounds or (bound > bounds[value.name]).any():
                    moved = True
                    bounds[value.name] = np.full(value.shape, np.inf) if number >= ROUNDS - 2 else bound
        if not moved:
            break
    return {name: float(bounds[op.x.name].max(initial=0.0)) for name, op in graph.outputs.items()}


def _host(op: Any, errors: Errors, constants: Mapping[str, AnyArray]) -> Any:
    """Return a bound on the error of an op's results; infinite for an op without a rule."""
    inputs = {value.name: errors[value.name] for value in op.inputs if value.name in errors}
    inputs = {name: error for name, error in inputs.items() if error.any()}
    if not inputs:
        return 0.0
    largest = max(float(error.max(initial=0.0)) for error in inputs.values())
    if not math.isfinite(largest):
        return np.inf
    if linear_in(op, inputs, constants):
        drifts = {name: SamplingError(noise=np.zeros_like(error), drift=error) for name, error in inputs.items()}
        return through(op, drifts, dict(constants)).drift
    if isinstance(op, LIPSCHITZ):
        return largest * (math.prod(op.window) if isinstance(op, core.Pool) and op.kind == "sum" else 1)
    if isinstance(op, thermo.Boltzmann) and op.T.name in constants:
        # A softmax moves by at most half of the largest change of x / T, and never by more than 1.
        return min(1.0, largest / (2 * float(constants[op.T.name].min())))
    if isinstance(op, thermo.ThermalRelu) and op.T.name not in inputs:
        return largest
    if isinstance(op, core.Delay) and op.x.name in inputs:
        return largest
    return np.inf
