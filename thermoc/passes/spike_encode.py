"""Activations become spikes: each is carried by units that fire, and read again as the mean over the ticks so far."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thermoc.ir.dialects import core, spiking, thermo
from thermoc.ir.feed import feed
from thermoc.ir.graph import Graph, fresh_names
from thermoc.ir.infer import retyped
from thermoc.ir.ops import CLOCKED, STATEFUL, STOCHASTIC, Op
from thermoc.ir.places import MOVES
from thermoc.ir.reference import interpret
from thermoc.ir.types import Role
from thermoc.ir.values import Value
from thermoc.passes.analysis.intervals import ranges
from thermoc.passes.analysis.sampling_error import SamplingError, through
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Log
from thermoc.passes.counterparts import Coded
from thermoc.passes.option_checks import check_range
from thermoc.passes.rewriting import Rewriter
from thermoc.support.errors import error

Inputs = Mapping[str, ArrayLike]
ACTIVATIONS = (thermo.ThermalRelu, thermo.FermiDirac, thermo.MaxwellBoltzmann, thermo.Boltzmann)
CODINGS = ("thermal", "rate")
LINEAR: Mapping[type[Op], tuple[str, ...]] = {
    **dict.fromkeys((core.Affine, core.SparseAffine, core.Conv, core.Neg, spiking.Scale, *MOVES), ("x",)),
    **dict.fromkeys((core.Add, core.Sub), ("a", "b")),
    core.Concat: ("xs",),
}
"""Ops through which the mean of spikes is the mean of the result, and the operands it holds for; the others must be
constants, but for sums."""
SPREAD = {"thermal": 0.5, "rate": 1.0}
"""The largest standard deviation of one tick of a unit, in spikes; for rate coding the largest error of a sum."""


@dataclass(frozen=True, kw_only=True)
class SpikeEncode(Pass):
    """Carry each activation by spikes, and read the mean over the ticks so far where it is needed as a number.

    thermal: a unit fires with the probability that is its activation, so that the mean is exact and only the noise of
    sampling is left. Fermi-Dirac is its own probability (a p-bit), Boltzmann fires one unit a tick, thermal ReLU and
    Maxwell-Boltzmann are divided by the most they can be. rate: integrate-and-fire with subtractive reset.
    The most follows from ``input_range`` by interval arithmetic, or is what runs of the inputs in ``calibrate`` reach;
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
    moving = {value.name: op for op in graph.ops if _moves(op) for value in op.results}
    stack = list(moving)
    while stack:
        name = stack.pop()
        for reader in graph.consumers.get(name, ()):
            if isinstance(reader, ACTIVATIONS):
                source = moving[name]
                raise error(
                    "T201",
                    f"{reader.opname} ({reader.results[0]}) cannot be carried by spikes",
                    where=reader.location,
                    notes=[f"it depends on {source.opname}, so that a mean over ticks is another number"],
                    hint='leave its values as numbers: coding="graded"',
                )
            for value in reader.results:
                if value.name not in moving:
                    moving[value.name] = moving[name]
                    stack.append(value.name)


def _reached(graph: Graph, inputs: Inputs) -> Mapping[str, NDArray]:
    """Return the most that each activation's units reach in a run of the reference. Errors: T401 to T404."""
    names = [op.results[0].name for op in graph.ops if isinstance(op, ACTIVATIONS)]
    trace = interpret(graph, feed(graph, inputs), probes=names)
    return {name: array.max(axis=(0, 1)) for name, array in trace.probes.items()}


def _moves(op: Op) -> bool:
    return isinstance(op, core.Tick) or bool(op.traits & {STATEFUL, STOCHASTIC, CLOCKED})


class _Encoder:
    """Rewrites one graph op by op; ``now`` says what stands for each value, ``error`` which of them are spikes."""

    def __init__(self, graph: Graph, options: SpikeEncode, log: Log):
        self.source, self.options, self.log = graph, options, log
        self.names = fresh_names(graph)
        self.constants = {op.y.name: op.value.numpy for op in graph.of(core.Constant)}
        self.now: dict[str, Value] = {}
        self.error: dict[str, SamplingError] = {}
        self.means: dict[str, tuple[Value, NDArray]] = {}
        self.ops: list[Op] = []
        self.stream = 1 + max((getattr(op, "stream", -1) for op in graph.ops), default=-1)
        self.reach = ranges(graph, options.input_range) if options.input_range is not None else {}
        self.reached = _reached(graph, options.calibrate) if options.calibrate is not None else {}

    def graph(self) -> Graph:
        """Return the graph with its activations as spikes."""
        for op in self.source.order:
            self._add(op)
        return retyped(self.source.with_ops(self.ops))

    def _add(self, op: Op) -> None:
        if isinstance(op, ACTIVATIONS):
            self._encode(op)
        elif self._passes(op):
            self._linear(op)
        else:
            made = op.renamed(self._number)
            if isinstance(op, core.Output) and op.x.name in self.error:
                self._told(op)
            self.ops.append(made)

    def _current(self, value: Value) -> Value:
        return self.now.get(value.name, value)

    def _passes(self, op: Op) -> bool:
        """True where spikes can go through an op as they are."""
        spiking_ = [name.split("[")[0] for name, value in op.operand_values if value.name in self.error]
        if not spiking_:
            return False
        through = LINEAR.get(type(op), ())
        sums = isinstance(op, (core.Add, core.Sub, core.Concat))
        fixed = all(
            value.name in self.constants for name, value in op.operand_values if name.split("[")[0] not in through
        )
        product = isinstance(op, (core.Mul, core.Div)) and self._by_constant(op)
        return product or (bool(through) and set(spiking_) <= set(through) and (sums or fixed))

    def _by_constant(self, op: Any) -> bool:
        a, b = op.inputs
        return b.name in self.constants or (isinstance(op, core.Mul) and a.name in self.constants)

    def _linear(self, op: Op) -> None:
        """Pass spikes on; their noise adds up in squares, what is left of it in magnitude."""
        self.ops.append(op.renamed(self._current))
        self.error[op.results[0].name] = through(op, self.error, self.constants)

    def _number(self, value: Value) -> Value:
        """Return a value as a number: spikes by their mean so far."""
        if value.name not in self.error:
            return self._current(value)
        if value.name not in self.means:
            w = self._writer(value)
            self.means[value.name] = w(spiking.Decode, x=self._current(value)), self.error[value.name].mean
            self.ops += w.ops
        return self.means[value.name][0]

    def _writer(self, value: Value) -> Rewriter:
        op = self.source.producers[value.name]
        return Rewriter(op, self.names, self.source.dt, self.constants)

    def _encode(self, op: Any) -> None:
        """Write the spikes of an activation."""
        (y,) = op.results
        drift = self._steepness(op) * self._drive_error(op)
        arguments = {name: self._number(getattr(op, name)) for name in op.operand_specs}
        w = Rewriter(op, self.names, self.source.dt, self.constants)
        ceiling = self._ceiling(op)
        s = self._spikes(op, w, arguments, ceiling)
        spread = SPREAD[self.options.coding] * (math.sqrt(2) if isinstance(op, thermo.Boltzmann) else 1)
        if ceiling is None:
            self.now[y.name], scale = s, np.ones(())
        else:
            self.now[y.name], scale = w.mul(s, ceiling), ceiling
        self.ops += w.ops
        shape = y.shape
        most, sender = np.broadcast_to(scale, shape), self.now[y.name].name
        coded = Coded(value=y.name, sender=sender, most=most, coding=self.options.coding)
        self.log.counterparts.append(coded)
        noise = np.broadcast_to(scale * spread, shape)
        self.error[y.name] = SamplingError(noise=noise, drift=np.broadcast_to(drift, shape))
        self._tell(op, ceiling, float(noise.max(initial=0.0)))

    def _spikes(self, op: Any, w: Rewriter, given: dict[str, Value], ceiling: NDArray | None) -> Value:
        thermal = self.options.coding == "thermal"
        if thermal and isinstance(op, thermo.FermiDirac):
            drive = w.sub(given["mu"], given["x"])
            return w(thermo.SampleBinary, drive=drive, T=given["T"], stream=self._next())
        if thermal and isinstance(op, thermo.Boltzmann):
            return w(thermo.SampleCategorical, x=given["x"], T=given["T"], stream=self._next())
        p = w(type(op), **given)
        if ceiling is not None:
            p = w.div(p, np.where(ceiling > 0, ceiling, 1.0))
        if not thermal:
            rate = w.div(p, self.source.dt)
            s, _ = w(spiking.If, x=rate, r=1.0, compare="greater_equal", reset="subtract")
            return s
        u = w(thermo.Uniform, shape=op.results[0].shape, stream=self._next(), dtype=w.dtype)
        return w(core.Cast, x=w(core.Greater, a=p, b=u), dtype=w.dtype, role=Role.spike)

    def _next(self) -> int:
        self.stream += 1
        return self.stream - 1

    def _ceiling(self, op: Any) -> NDArray | None:
        """Return the most an activation can be, a unit; None where that is one."""
        if isinstance(op, (thermo.FermiDirac, thermo.Boltzmann)):
            return None
        y = op.results[0].name
        if y in self.reached:
            return self.reached[y]
        found = self.reach.get(y)
        if found is None or not np.isfinite(found.high).all():
            raise error(
                "T303",
                f"spike coding needs to know how large {op.opname} ({op.results[0]}) can be",
                where=op.location,
                notes=["it follows from the range of the inputs, or from runs of some of them"],
                hint='give input_range=(low, high), or calibrate={"input": samples}',
            )
        return np.broadcast_to(found.high, op.results[0].shape)

    def _drive_error(self, op: Any) -> NDArray | float:
        found = self.error.get(op.x.name)
        if found is None:
            return 0.0
        error_ = found.mean
        return np.sqrt((error_**2).sum(axis=-1, keepdims=True)) if isinstance(op, thermo.Boltzmann) else error_

    def _steepness(self, op: Any) -> NDArray | float:
        """Return the most an activation changes with its drive."""
        if isinstance(op, thermo.ThermalRelu):
            return 1.0
        T = self.constants.get(op.T.name)
        if T is None:
            return math.inf
        return {thermo.FermiDirac: 0.25, thermo.Boltzmann: 0.5, thermo.MaxwellBoltzmann: 0.67}[type(op)] / T.min()

    def _tell(self, op: Any, ceiling: NDArray | None, noise: float) -> None:
        y, rate = op.results[0], self.options.coding == "rate"
        if ceiling is None:
            new = "spikes"
        else:
            told = "reached in calibration, more is cut" if y.name in self.reached else "it can be"
            new = f"spikes times at most {ceiling.max(initial=0.0):.6g}, the most {told}"
        fall = "ticks" if rate else "sqrt(ticks)"
        kind = "off by at most" if rate else "standard deviation at most"
        bound = f"mean over the ticks {kind} {noise:.4g} / {fall}; inputs are held"
        self.log.changed(f"{op.opname} {y}", old="a number each tick", new=new, bound=bound)

    def _told(self, op: core.Output) -> None:
        sampling = float(self.error[op.x.name].mean.max(initial=0.0))
        self.log.changed(
            f"output {op.name!r}",
            old="a number each tick",
            new="its mean over the ticks so far",
            bound=f"standard deviation at most {sampling:.4g} / sqrt(ticks)",
            sampling=sampling,
        )
