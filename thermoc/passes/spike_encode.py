"""Activations become spikes: each is carried by units that fire, and read again as the mean over the ticks so far."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from thermoc.ir.dialects import core, spiking, thermo
from thermoc.ir.feed import feed
from thermoc.ir.graph import Graph, fresh_names
from thermoc.ir.infer import retyped
from thermoc.ir.ops import CLOCKED, STATEFUL, STOCHASTIC, Op
from thermoc.ir.reference import interpret
from thermoc.ir.types import Role
from thermoc.ir.values import Value
from thermoc.passes.analysis.error_bounds import STEEPNESS
from thermoc.passes.analysis.intervals import Range, ranges
from thermoc.passes.analysis.linearity import linear_in
from thermoc.passes.analysis.sampling_error import SamplingError, through
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Log
from thermoc.passes.counterparts import Coded
from thermoc.passes.option_checks import check_range
from thermoc.passes.rewriting import Expression, Rewriter
from thermoc.support.array_types import FloatArray
from thermoc.support.errors import error

Inputs = Mapping[str, ArrayLike]
ACTIVATIONS = (thermo.ThermalRelu, thermo.FermiDirac, thermo.MaxwellBoltzmann, thermo.Boltzmann)
"""What spikes can carry; every other op reads its operands as numbers."""
PROBABILITIES = (thermo.FermiDirac, thermo.Boltzmann)
"""Activations that are at most 1 by their nature, and probabilities of spikes as they are."""
SPREAD = {"thermal": 0.5, "rate": 1.0}
"""The largest standard deviation of one tick of a unit, in spikes; for rate coding the largest error of a sum."""


@dataclass(frozen=True, kw_only=True)
class SpikeEncode(Pass):
    """Carry each activation by spikes, and read the mean over the ticks so far where it is needed as a number.

    thermal: a unit fires with the probability that is its activation, so that the mean is exact and only the noise of
    sampling is left. Fermi-Dirac is its own probability (a p-bit), Boltzmann fires one unit a tick, thermal ReLU and
    Maxwell-Boltzmann are divided by the most they can be. rate: integrate-and-fire with subtractive reset.
    The most follows from ``input_range`` by interval analysis, or is what runs of the inputs in ``calibrate`` reach;
    above that it is cut. Inputs must be held over the ticks, and nothing before an activation may change with time.
    Errors: T201, T303.
    """

    name: ClassVar[str] = "spike-encode"

    coding: Literal["thermal", "rate"]
    input_range: tuple[float, float] | None = None
    calibrate: Inputs | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        check_range(self.name, self.input_range)

    def run(self, graph: Graph, log: Log) -> Graph:
        _demand_stationary(graph)
        return _Encoder(graph, self, log).graph()


def _demand_stationary(graph: Graph) -> None:
    """Refuse a graph whose activations depend on time. Errors: T201."""
    causes = {value.name: op for op in graph.ops if op.traits & {STATEFUL, STOCHASTIC, CLOCKED} for value in op.results}
    stack = list(causes)
    while stack:
        name = stack.pop()
        for reader in graph.consumers.get(name, ()):
            if isinstance(reader, ACTIVATIONS):
                raise error(
                    "T201",
                    f"{reader.opname} ({reader.results[0]}) cannot be carried by spikes",
                    where=reader.location,
                    notes=[f"it depends on {causes[name].opname}, so that a mean over ticks is another number"],
                    hint='leave its values as numbers: coding="graded"',
                )
            for value in reader.results:
                if value.name not in causes:
                    causes[value.name] = causes[name]
                    stack.append(value.name)


def _reached(graph: Graph, inputs: Inputs) -> dict[str, FloatArray]:
    """Return the most that each activation's units reach in a run of the reference. Errors: T401 to T404."""
    names = [op.results[0].name for op in graph.ops if isinstance(op, ACTIVATIONS)]
    trace = interpret(graph, feed(graph, inputs), probes=names)
    return {name: array.max(axis=(0, 1)) for name, array in trace.probes.items()}


class _Encoder:
    """Rewrites one graph op by op; ``now`` says what stands for each value, ``error`` which of them are spikes."""

    def __init__(self, graph: Graph, options: SpikeEncode, log: Log):
        self.source, self.options, self.log = graph, options, log
        self.names = fresh_names(graph)
        self.constants = {op.y.name: op.value.numpy for op in graph.of(core.Constant)}
        self.now: dict[str, Value] = {}
        self.error: dict[str, SamplingError] = {}
        self.means: dict[str, Value] = {}
        self.ops: list[Op] = []
        # Behind the network's own streams, so that spikes share no noise with it.
        self.stream = 1 + max((getattr(op, "stream", -1) for op in graph.ops), default=-1)
        self.proven: Mapping[str, Range] = {}
        if options.input_range is not None:
            self.proven = ranges(graph, options.input_range)
        self.reached = _reached(graph, options.calibrate) if options.calibrate is not None else {}

    def graph(self) -> Graph:
        """Return the graph with its activations as spikes."""
        for op in self.source.order:
            self._add(op)
        return retyped(self.source.with_ops(self.ops))

    def _add(self, op: Op) -> None:
        spikes = {value.name for value in op.inputs if value.name in self.error}
        if isinstance(op, ACTIVATIONS):
            self._encode(op)
        elif spikes and linear_in(op, spikes, self.constants):
            self._linear(op)
        else:
            # Numbers first: an output's own mean must stand before it.
            read = op.renamed(self._number)
            if isinstance(op, core.Output) and op.x.name in self.error:
                self._report_output(op)
            self.ops.append(read)

    def _current(self, value: Value) -> Value:
        return self.now.get(value.name, value)

    def _linear(self, op: Op) -> None:
        """Pass spikes on; their noise adds up in squares, what is left of it in magnitude."""
        self.ops.append(op.renamed(self._current))
        self.error[op.results[0].name] = through(op, self.error, self.constants)

    def _number(self, value: Value) -> Value:
        """Return a value as a number: spikes by their mean so far."""
        if value.name not in self.error:
            return self._current(value)
        # One decoder a value, for each is a state of its own.
        if value.name not in self.means:
            w = self._writer(self.source.producers[value.name])
            self.means[value.name] = w(spiking.Decode, x=self._current(value))
            self.ops += w.ops
        return self.means[value.name]

    def _writer(self, op: Op) -> Rewriter:
        return Rewriter(op, self.names, self.source.dt, self.constants)

    def _encode(self, op: Any) -> None:
        """Write the spikes of an activation."""
        y: Value = op.results[0]
        drift = self._steepness(op) * self._drive_error(op)
        operands = {name: self._number(getattr(op, name)) for name in op.operand_specs}
        w = self._writer(op)
        ceiling = self._ceiling(op)
        s = self._spikes(op, w, operands, ceiling)
        # Of two units of a Boltzmann group one fires less for the other's more: their noise adds up.
        spread = SPREAD[self.options.coding] * (math.sqrt(2) if isinstance(op, thermo.Boltzmann) else 1)
        sender = s if ceiling is None else s * ceiling
        scale = np.ones(()) if ceiling is None else ceiling
        self.now[y.name] = Value(sender.name, sender.type)
        self.ops += w.ops
        coded = Coded(
            value=y.name, sender=sender.name, most=np.broadcast_to(scale, y.shape), coding=self.options.coding
        )
        self.log.counterparts.append(coded)
        noise = np.broadcast_to(scale * spread, y.shape)
        self.error[y.name] = SamplingError(noise=noise, drift=np.broadcast_to(drift, y.shape))
        self._report(op, ceiling, float(noise.max(initial=0.0)))

    def _spikes(self, op: Op, w: Rewriter, operands: dict[str, Value], ceiling: FloatArray | None) -> Expression:
        thermal = self.options.coding == "thermal"
        if thermal and isinstance(op, thermo.FermiDirac):
            drive = w[operands["mu"]] - operands["x"]
            return w(thermo.SampleBinary, drive=drive, T=operands["T"], stream=self._next())
        if thermal and isinstance(op, thermo.Boltzmann):
            return w(thermo.SampleCategorical, x=operands["x"], T=operands["T"], stream=self._next())
        p: Expression = w(type(op), **operands)
        if ceiling is not None:
            # A unit that is never active has the ceiling 0, and nothing to divide.
            divisor: FloatArray = np.where(ceiling > 0, ceiling, 1.0)
            p = p / divisor
        if not thermal:
            # The integrator multiplies by dt, so that a tick adds p to the membrane.
            rate = p / self.source.dt
            # Subtraction loses nothing: after any number of ticks the count is off by less than one spike.
            s, _ = w(spiking.If, x=rate, r=1.0, compare="greater_equal", reset="subtract")
            return s
        u = w(thermo.Uniform, shape=op.results[0].shape, stream=self._next(), dtype=w.dtype)
        return w.number(p > u, Role.spike)

    def _next(self) -> int:
        self.stream += 1
        return self.stream - 1

    def _ceiling(self, op: Op) -> FloatArray | None:
        """Return the most an activation can be, a unit; None where that is one. Errors: T303 where it has no bound."""
        if isinstance(op, PROBABILITIES):
            return None
        y = op.results[0].name
        if y in self.reached:
            return self.reached[y]
        interval = self.proven.get(y)
        if interval is None or not np.isfinite(interval.high).all():
            raise error(
                "T303",
                f"spike coding needs to know how large {op.opname} ({op.results[0]}) can be",
                where=op.location,
                notes=["it follows from the range of the inputs, or from runs of some of them"],
                hint='give input_range=(low, high), or calibrate={"input": samples}',
            )
        return np.broadcast_to(interval.high, op.results[0].shape)

    def _drive_error(self, op: Any) -> FloatArray | float:
        """Return how far the drive is off; a group shares that of all its units."""
        sampled = self.error.get(op.x.name)
        if sampled is None:
            return 0.0
        off = sampled.mean
        return np.sqrt((off**2).sum(axis=-1, keepdims=True)) if isinstance(op, thermo.Boltzmann) else off

    def _steepness(self, op: Any) -> float:
        """Return the most an activation changes with its drive."""
        if isinstance(op, thermo.ThermalRelu):
            return 1.0
        T = self.constants.get(op.T.name)
        return math.inf if T is None else STEEPNESS[type(op)] / float(T.min())

    def _report(self, op: Op, ceiling: FloatArray | None, noise: float) -> None:
        y, rate = op.results[0], self.options.coding == "rate"
        if ceiling is None:
            new = "spikes"
        else:
            origin = "reached in calibration, more is cut" if y.name in self.reached else "it can be"
            new = f"spikes times at most {ceiling.max(initial=0.0):.6g}, the most {origin}"
        fall = "ticks" if rate else "sqrt(ticks)"
        kind = "off by at most" if rate else "standard deviation at most"
        bound = f"mean over the ticks {kind} {noise:.4g} / {fall}; inputs are held"
        self.log.changed(f"{op.opname} {y}", old="a number each tick", new=new, bound=bound)

    def _report_output(self, op: core.Output) -> None:
        sampling = float(self.error[op.x.name].mean.max(initial=0.0))
        self.log.changed(
            f"output {op.name!r}",
            old="a number each tick",
            new="its mean over the ticks so far",
            bound=f"standard deviation at most {sampling:.4g} / sqrt(ticks)",
            sampling=sampling,
        )
