"""Products with constant weights go onto crossbars of memristors; what that changes is bounded and told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thermoc.ir.dialects import core
from thermoc.ir.feed import feed
from thermoc.ir.graph import Graph
from thermoc.ir.ops import STATEFUL, Op
from thermoc.ir.reference import interpret
from thermoc.ir.reference.crossbar import Wires
from thermoc.passes.analysis.error_bounds import carried
from thermoc.passes.analysis.intervals import Range, bounded, culprit, intervals
from thermoc.passes.base import Pass, Property
from thermoc.passes.change_log import Log
from thermoc.passes.counterparts import Product, ProductSlack
from thermoc.passes.crossbar.plan import DEVIATIONS, Plan, bits, finite, plan
from thermoc.passes.crossbar.spec import CrossbarSpec, Program, cells
from thermoc.passes.crossbar.tiles import PRODUCTS, entering, matrices, outwards, vectors, written
from thermoc.passes.option_checks import check_range
from thermoc.passes.rewriting import rewrite
from thermoc.physics.crossbar import transfer
from thermoc.support.errors import Finding, ThermocError, error

Inputs = Mapping[str, ArrayLike]
RANGES = ("worst", "reached")


def numbers(graph: Graph) -> dict[str, NDArray]:
    """Return the constants of a graph by name."""
    return {op.y.name: op.value.numpy for op in graph.of(core.Constant)}


def _broken(graph: Graph) -> list[Finding]:
    constants = numbers(graph)
    left = [op for op in graph.ops if matrices(op, constants) is not None]
    return [Finding(code="T202", what=f"{op.opname} is on no crossbar", where=op.location) for op in left]


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
        streams, free = {}, 1 + max((getattr(op, "stream", -1) for op in graph.ops), default=-1)
        for name, groups in plans.items():
            streams[name], free = free, free + len(groups)

        def expand(op: Any, w: Any) -> Any:
            name = op.results[0].name
            return written(op, w, plans[name], streams[name])

        chosen: dict[type[Op], Any] = dict.fromkeys(PRODUCTS, expand)
        return rewrite(graph, chosen, keep=lambda op: op.results[0].name not in plans)


class _Mapper:
    """Goes through a graph in order: plans each product, and carries how far every value can be off."""

    def __init__(self, graph: Graph, options: MapCrossbars, log: Log):
        self.graph, self.options, self.log = graph, options, log
        self.constants = numbers(graph)
        self.errors: dict[str, NDArray | None] = {}
        self.arrays = 0
        self.samples = self._samples()
        self.reach = {name: np.abs(array).max(axis=(0, 1)) for name, array in self.samples.items()}
        self.intervals: dict[str, Range] = {}
        if options.input_range is not None:
            self.intervals = intervals(graph, options.input_range)
            held = {name: part for name, part in self.intervals.items() if bounded(part)}
            self.reach |= {name: np.maximum(np.abs(part.low), np.abs(part.high)) for name, part in held.items()}

    def _samples(self) -> dict[str, NDArray]:
        """Return what enters each product in runs of the given inputs, (ticks, batch, *shape)."""
        if self.options.calibrate is None:
            return {}
        products = [op for op in self.graph.ops if matrices(op, self.constants) is not None]
        names = {entering(op, self.constants).name: None for op in products}
        return interpret(self.graph, feed(self.graph, self.options.calibrate), probes=names).probes

    def plans(self) -> dict[str, list[Plan]]:
        """Return the plans of each product's groups by its result's name; tell of them and of the outputs."""
        found: dict[str, list[Plan]] = {}
        moved = self._moved()
        for op in self.graph.order:
            W = matrices(op, self.constants)
            if W is not None:
                y = op.results[0].name
                found[y] = self._planned(op, W)
                self.errors[y] = self._off(op, found[y])
                self.log.counterparts.append(self._counterpart(op, W, found[y]))
                self._tell(op, W, found[y])
            elif isinstance(op, core.Output):
                self._told(op)
            else:
                self.errors |= self._carried(op, moved)
        return found

    def _moved(self) -> set[str]:
        """Return the values that a product acts on, within the tick or through states."""
        stack = [op.results[0].name for op in self.graph.ops if matrices(op, self.constants) is not None]
        found = set(stack)
        while stack:
            readers = self.graph.consumers.get(stack.pop(), ())
            new = {value.name for op in readers for value in op.results} - found
            found |= new
            stack += new
        return found

    def _carried(self, op: Op, moved: set[str]) -> dict[str, NDArray | None]:
        """Return how far an op's results can be off; what keeps a state gathers errors without a bound."""
        if STATEFUL in op.traits:
            return {v.name: None if v.name in moved else np.zeros(v.shape) for v in op.results}
        first = carried(op, self.errors, self.constants)
        if len(op.results) == 1:
            return {op.results[0].name: first}
        exact = first is not None and not first.any()
        return {v.name: np.zeros(v.shape) if exact else None for v in op.results}

    def _planned(self, op: Any, W: NDArray) -> list[Plan]:
        x = entering(op, self.constants)
        reach, off = self._reach(op), self.errors.get(x.name, np.zeros(x.shape))
        if off is None and not self.options.spec.input_bits:  # nothing clips the inputs of an analogue product
            reach = None
        size = np.zeros(x.shape) if off is None else off
        slack = vectors(op, size[np.newaxis], self.constants).max(axis=1)
        samples = None
        if self.options.adc == "reached" and x.name in self.samples:
            flat = self.samples[x.name]
            samples = vectors(op, flat.reshape(-1, *flat.shape[2:]), self.constants)
        plans = []
        for g, matrix in enumerate(W):
            held = cells(matrix, self.options.spec)
            if self.options.program is not None:
                parts = [self.options.program(part, self.arrays + n) for n, part in enumerate((held.plus, held.minus))]
                held = type(held)(plus=parts[0], minus=parts[1], step=held.step)
            self.arrays += 2
            given = {"reach": None if reach is None else reach[g], "samples": None if samples is None else samples[g]}
            plans.append(plan(matrix, held, self.options.spec, slack=slack[g], wires=self.options.wires, **given))
        return plans

    def _counterpart(self, op: Any, W: NDArray, plans: list[Plan]) -> Product:
        x = entering(op, self.constants)

        def slack(size: NDArray) -> ProductSlack:
            flat = vectors(op, size[np.newaxis], self.constants).max(axis=1)
            exact = np.array([np.abs(matrix).T @ reach for matrix, reach in zip(W, flat)])
            off = [plan.alone(matrix, reach) for plan, matrix, reach in zip(plans, W, flat)]
            total = float(exact.sum())
            share = float(np.sum(off)) / total if total else 0.0
            return ProductSlack(off=outwards(op, np.array(off), self.constants), share=share)

        return Product(value=op.results[0].name, entering=x.name, slack=slack)

    def _reach(self, op: Any) -> NDArray | None:
        """Return how large each input of a product can be, (groups, inputs). Errors: T208 where it must be known."""
        x, spec = entering(op, self.constants), self.options.spec
        found = self.reach.get(x.name)
        if found is not None and np.isfinite(found).all():
            return vectors(op, np.broadcast_to(found, x.shape)[np.newaxis], self.constants).max(axis=1)
        if not spec.input_bits and not spec.adc_bits:
            return None
        raise self._unknown(op, x.name)

    def _unknown(self, op: Any, name: str) -> ThermocError:
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

    def _off(self, op: Any, plans: list[Plan]) -> NDArray | None:
        """Return how far a product's results can be off, None where that has no bound."""
        inexact = self.errors.get(entering(op, self.constants).name, np.zeros(())) is None
        bias = getattr(op, "bias", None)
        if bias is not None and bias.name not in self.constants:
            inexact |= self.errors.get(bias.name, np.zeros(())) is None or bool(np.any(self.errors.get(bias.name, 0)))
        if inexact or any(plan.error is None for plan in plans):
            return None
        return outwards(op, np.array([plan.error for plan in plans]), self.constants)

    def _tell(self, op: Any, W: NDArray, plans: list[Plan]) -> None:
        spec, what = self.options.spec, f"{op.opname} {op.results[0]}"
        off = max(float(np.abs(plan.weights - matrix).max()) for plan, matrix in zip(plans, W))
        n, m = W.shape[1:]
        arrays = spec.arrays_a_sign * spec.slices * len(W) * -(-n // spec.rows) * -(-m // spec.columns)
        step = max(plan.scale * (plan.op.steps / plan.op.x_max if spec.input_bits else 1) for plan in plans)
        new = f"{bits(spec)} a weight, {step:.4g} a step, in {arrays} arrays of {spec.rows} x {spec.columns}"
        self.log.changed(f"{what}: weights", old="numbers", new=new, bound=f"each off by at most {off:.4g}")
        if spec.input_bits:
            top = max(plan.op.x_max / plan.op.steps for plan in plans) * spec.steps
            told = "it can be" if self.options.input_range is not None else "reached in calibration, more is cut"
            new = f"{spec.steps} steps to +-{top:.4g}, the most {told}, in {plans[0].op.readings} readings"
            half = top / spec.steps / 2
            self.log.changed(f"{what}: inputs", old="numbers", new=new, bound=f"each off by at most {half:.4g}")
        if spec.adc_bits:
            top = max(plan.op.adc_range for plan in plans)
            new = f"{plans[0].op.codes} codes to {'+-' if spec.arrays_a_sign == 2 else ''}{top:.4g} steps of a cell"
            clipped, half = max(plan.clipped for plan in plans), max(plan.half_code for plan in plans)
            bound = f"a reading by at most {half:.4g} steps; clipping moves a result by at most {clipped:.4g}"
            self.log.changed(f"{what}: read currents", old="exact", new=new, bound=bound)
        if spec.read_noise:
            noise = max(plan.noise for plan in plans)
            new = f"normal, {spec.read_noise:.4g} of a cell's conductance"
            bound = f"standard deviation of a result at most {noise:.4g}"
            self.log.changed(f"{what}: read noise", old="none", new=new, bound=bound)

    def _told(self, op: core.Output) -> None:
        """Tell how far an output can be off."""
        found = self.errors.get(op.x.name, np.zeros(()))
        if found is not None and not found.any():
            return
        offset = np.inf if found is None else float(found.max())
        bound = f"off by at most {finite(offset)}"
        if offset == np.inf:
            bound = "without a bound: it passes through what has no slope, or its inputs' range is not known"
        elif self.options.spec.read_noise:
            bound += f", of which noise at {DEVIATIONS} standard deviations"
        self.log.changed(f"output {op.name!r}", old="exact products", new="from crossbars", bound=bound, offset=offset)
