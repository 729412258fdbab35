"""Map products with constant weights onto crossbars of memristors, with a bound for what that changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from thermoc.ir.dialects import core
from thermoc.ir.feed import feed
from thermoc.ir.graph import Graph
from thermoc.ir.ops import STATEFUL, Op
from thermoc.ir.reference import interpret
from thermoc.ir.reference.crossbar import Wires
from thermoc.ir.values import Value
from thermoc.passes.analysis.annealed import after
from thermoc.passes.analysis.error_bounds import carried
from thermoc.passes.analysis.intervals import Range, bounded, culprit, intervals
from thermoc.passes.base import Pass, Property
from thermoc.passes.change_log import Log
from thermoc.passes.counterparts import Product, ProductSlack
from thermoc.passes.crossbar.crossbar_plan import CrossbarPlan
from thermoc.passes.crossbar.plan import plan
from thermoc.passes.crossbar.report import report_output, report_product
from thermoc.passes.crossbar.spec import CrossbarSpec, Program, WeightCells, cells
from thermoc.passes.crossbar.tiles import PRODUCTS, entering, matrices, outwards, vectors, written
from thermoc.passes.option_checks import check_range
from thermoc.passes.rewriting import Expression, Rewriter, rewrite
from thermoc.physics.crossbar import transfer
from thermoc.support.array_types import FloatArray
from thermoc.support.errors import Finding, ThermocError, error

Inputs = Mapping[str, ArrayLike]
RANGES = ("worst", "reached")


def numbers(graph: Graph) -> dict[str, FloatArray]:
    """Return the constants of a graph by name."""
    return {op.y.name: op.value.numpy for op in graph.of(core.Constant)}


def _broken(graph: Graph) -> list[Finding]:
    constants = numbers(graph)
    products = [op for op in graph.ops if matrices(op, constants) is not None]
    return [Finding(code="T202", what=f"{op.opname} is on no crossbar", where=op.location) for op in products]


@dataclass(frozen=True, kw_only=True)
class MapCrossbars(Pass):
    """Put each affine map, convolution and matrix product with constant weights onto crossbars.

    A weight becomes a pair of cells a slice; the largest of an op takes all the levels there are. How large inputs can
    be follows from ``input_range`` by interval arithmetic, or is what runs of the inputs in ``calibrate`` reach. The
    range of an ADC is the largest current that can flow (adc="worst"), or the largest in those runs (adc="reached"),
    above which it clips. program: what cells hold when asked for levels; exactly those if None. wires: what gives
    the map of an array with its wires, for a faster one than NumPy's. Sparse and computed weights stay where they are.
    Errors: T208, T303, T401 to T404.
    """

    name: ClassVar[str] = "map-crossbars"

    spec: CrossbarSpec
    input_range: tuple[float, float] | None = None
    calibrate: Inputs | None = field(default=None, repr=False)
    adc: Literal["worst", "reached"] = "worst"
    program: Program | None = field(default=None, repr=False)
    wires: Wires = field(default=transfer, repr=False)

    def __post_init__(self) -> None:
        check_range(self.name, self.input_range)
        if self.adc not in RANGES or (self.adc == "reached" and self.calibrate is None):
            notes = [f"adc = {self.adc!r}", f"calibrate is {'not ' if self.calibrate is None else ''}given"]
            hint = 'take adc="worst", or give calibrate={"input": samples}'
            raise error("T303", f"the range of an ADC is one of {', '.join(RANGES)}", notes=notes, hint=hint)
        if self.program is not None and self.spec.arrays_a_sign == 1:
            raise error("T208", "a rule of programming is for pairs of cells", hint="take arrays_a_sign=2")

    @property
    def gives(self) -> tuple[Property, ...]:
        """What holds after the pass."""
        return (Property("products with constant weights are on crossbars", _broken),)

    def run(self, graph: Graph, log: Log) -> Graph:
        """Return the graph with its products on crossbars."""
        plans = _Mapper(graph, self, log).plans()
        streams: dict[str, int] = {}
        unused = 1 + max((getattr(op, "stream", -1) for op in graph.ops), default=-1)
        for name, groups in plans.items():
            # A stream for each group, behind those of the network: noises of readings are independent.
            streams[name], unused = unused, unused + len(groups)

        def expand(op: Op, w: Rewriter) -> Expression:
            name = op.results[0].name
            return written(op, w, plans[name], streams[name])

        return rewrite(graph, dict.fromkeys(PRODUCTS, expand), keep=lambda op: op.results[0].name not in plans)


class _Mapper:
    """Goes through a graph in order: plans each product, and carries how far every value can be off."""

    def __init__(self, graph: Graph, options: MapCrossbars, log: Log):
        self.graph, self.options, self.log = graph, options, log
        self.constants = numbers(graph)
        self.errors: dict[str, FloatArray | None] = {}
        self.arrays = 0
        self.samples = self._samples()
        self.reach = {name: np.abs(array).max(axis=(0, 1)) for name, array in self.samples.items()}
        self.intervals: dict[str, Range] = {}
        if options.input_range is not None:
            self.intervals = intervals(graph, options.input_range)
            proven = {name: interval for name, interval in self.intervals.items() if bounded(interval)}
            # What is proven goes before what some runs reached.
            self.reach |= {name: np.maximum(np.abs(x.low), np.abs(x.high)) for name, x in proven.items()}

    def _products(self) -> list[Op]:
        return [op for op in self.graph.ops if matrices(op, self.constants) is not None]

    def _samples(self) -> dict[str, FloatArray]:
        """Return what enters each product in runs of the inputs to calibrate with, (ticks, batch, *shape)."""
        if self.options.calibrate is None:
            return {}
        names = {entering(op, self.constants).name: None for op in self._products()}
        return interpret(self.graph, feed(self.graph, self.options.calibrate), probes=names).probes

    def plans(self) -> dict[str, list[CrossbarPlan]]:
        """Return the plans of each product's groups by its result's name; report them and the outputs."""
        plans: dict[str, list[CrossbarPlan]] = {}
        products = (op.results[0].name for op in self._products())
        reached = after(self.graph, products)
        for op in self.graph.order:
            W = matrices(op, self.constants)
            if W is not None:
                y = op.results[0].name
                plans[y] = self._planned(op, W)
                self.errors[y] = self._product_error(op, plans[y])
                self.log.counterparts.append(self._counterpart(op, W, plans[y]))
                proven = self.options.input_range is not None
                report_product(self.log, self.options.spec, op, W, plans[y], proven=proven)
            elif isinstance(op, core.Output):
                report_output(self.log, self.options.spec, op, self.errors.get(op.x.name, np.zeros(())))
            else:
                self.errors |= self._carried(op, reached)
        return plans

    def _carried(self, op: Op, reached: set[str]) -> dict[str, FloatArray | None]:
        """Return how far an op's results can be off; what keeps a state gathers errors without a bound.

        reached: the values that a product acts on, within the tick or through states.
        """
        if STATEFUL in op.traits:
            return {v.name: None if v.name in reached else np.zeros(v.shape) for v in op.results}
        first = carried(op, self.errors, self.constants)
        if len(op.results) == 1:
            return {op.results[0].name: first}
        exact = first is not None and not first.any()
        return {v.name: np.zeros(v.shape) if exact else None for v in op.results}

    def _planned(self, op: Op, W: FloatArray) -> list[CrossbarPlan]:
        x = entering(op, self.constants)
        reach, off = self._reach(op), self.errors.get(x.name, np.zeros(x.shape))
        if off is None and not self.options.spec.input_bits:  # nothing clips the inputs of an analogue product
            reach = None
        size = np.zeros(x.shape) if off is None else off
        # A matrix meets the inputs of every position, so each input counts at its largest.
        slack = vectors(op, size[np.newaxis], self.constants).max(axis=1)
        samples = None
        if self.options.adc == "reached" and x.name in self.samples:
            of_runs = self.samples[x.name]
            samples = vectors(op, of_runs.reshape(-1, *of_runs.shape[2:]), self.constants)
        return [
            plan(
                matrix,
                self._programmed(matrix),
                self.options.spec,
                reach=None if reach is None else reach[g],
                slack=slack[g],
                samples=None if samples is None else samples[g],
                wires=self.options.wires,
            )
            for g, matrix in enumerate(W)
        ]

    def _programmed(self, matrix: FloatArray) -> WeightCells:
        """Return the cells of a matrix as they are after programming; each matrix takes two arrays."""
        target = cells(matrix, self.options.spec)
        program, array = self.options.program, self.arrays
        self.arrays += 2
        if program is None:
            return target
        return WeightCells(plus=program(target.plus, array), minus=program(target.minus, array + 1), step=target.step)

    def _counterpart(self, op: Op, W: FloatArray, plans: list[CrossbarPlan]) -> Product:
        x = entering(op, self.constants)

        def slack(size: FloatArray) -> ProductSlack:
            inputs = vectors(op, size[np.newaxis], self.constants).max(axis=1)
            exact = np.array([np.abs(matrix).T @ reach for matrix, reach in zip(W, inputs)])
            off = [plan.alone(matrix, reach) for plan, matrix, reach in zip(plans, W, inputs)]
            total = float(exact.sum())
            relative = float(np.sum(off)) / total if total else 0.0
            return ProductSlack(off=outwards(op, np.array(off), self.constants), share=relative)

        return Product(value=op.results[0].name, entering=x.name, slack=slack)

    def _reach(self, op: Op) -> FloatArray | None:
        """Return how large each input of a product can be, (groups, inputs). Errors: T208 where it must be known."""
        x, spec = entering(op, self.constants), self.options.spec
        reach = self.reach.get(x.name)
        if reach is not None and np.isfinite(reach).all():
            return vectors(op, np.broadcast_to(reach, x.shape)[np.newaxis], self.constants).max(axis=1)
        if not spec.input_bits and not spec.adc_bits:
            return None
        raise self._unbounded(op, x.name)

    def _unbounded(self, op: Op, name: str) -> ThermocError:
        """Return the error of a product whose inputs have no known bound: what is not given, or which op has none."""
        notes = ["it follows from the range of the inputs, or from runs of some of them"]
        hint = 'give input_range=(low, high), or calibrate={"input": samples}'
        if self.intervals:
            source, why = culprit(self.graph, self.intervals, name)
            low, high = self.options.input_range or (0.0, 0.0)
            notes = [f"{source.opname} ({', '.join(map(str, source.results))}) has no bound: {why}"]
            notes += [f"inputs lie between {low:g} and {high:g}"]
            hint = 'give calibrate={"input": samples}: runs of samples show how large it becomes'
        what = f"a crossbar's converters need to know how large the inputs of {op.opname} ({op.results[0]}) can be"
        return error("T208", what, where=op.location, notes=notes, hint=hint)

    def _product_error(self, op: Op, plans: list[CrossbarPlan]) -> FloatArray | None:
        """Return how far a product's results can be off, None where that has no bound."""
        exact = np.zeros(())
        unbounded = self.errors.get(entering(op, self.constants).name, exact) is None
        bias: Value | None = getattr(op, "bias", None)
        if bias is not None and bias.name not in self.constants:
            error_ = self.errors.get(bias.name, exact)
            unbounded |= error_ is None or bool(np.any(error_))
        errors = [plan.error for plan in plans if plan.error is not None]
        if unbounded or len(errors) < len(plans):
            return None
        return outwards(op, np.array(errors), self.constants)
