"""What a target makes of a network's products and activations, in the forward pass; gradients are the network's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch

from thermoc.backends.chip.capacities import crossbars_of
from thermoc.ir.dialects.core import Affine, Cast, Constant, Conv, Greater, Matmul
from thermoc.ir.dialects.crossbar import Mvm
from thermoc.ir.dialects.thermo import Uniform
from thermoc.ir.feed import feed
from thermoc.ir.graph import Graph
from thermoc.ir.parameters import ParameterCone, frozen
from thermoc.ir.reference import crossbar, interpret
from thermoc.learning.surrogates import with_gradient_of
from thermoc.passes import stages
from thermoc.passes.analysis.intervals import intervals
from thermoc.passes.crossbar.plan import plan
from thermoc.passes.crossbar.spec import CrossbarSpec, cells
from thermoc.passes.freeze_parameters import FreezeParameters
from thermoc.passes.loihi.scales import GREATEST
from thermoc.passes.loihi.weights import quantised
from thermoc.passes.pipeline import run_passes
from thermoc.passes.spike_encode import SpikeEncode
from thermoc.simulator.chips import load_chip
from thermoc.support.array_types import FloatArray
from thermoc.support.errors import error
from thermoc.support.suggestions import near

Tensor = torch.Tensor
Product = Callable[..., Tensor]
"""(op, context, *operands) -> what comes of an op: of an affine map, x, weight and bias or None."""
NEEDED = FreezeParameters(needed=True, starts=False)


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """How large values become: for inputs between two numbers, or in runs of some inputs."""

    inputs: Mapping[str, Any] | None = None
    input_range: tuple[float, float] | None = None


class Hardware(Protocol):
    """What a target does in place of some of a graph's ops."""

    def fitted(self, graph: Graph) -> tuple[Graph, Mapping[str, Product]]:
        """Return the graph as the target runs it, and its products by their results' names, for these parameters."""
        ...


def hardware(target: str, calibration: Calibration, options: dict[str, Any]) -> Hardware:
    """Return what a target does. Errors: T302, T303, T305."""
    allowed = {"chip": ("chip", "adc"), "lava": ("coding",)}
    if target not in allowed:
        notes = [f"target = {target!r}", f"there are {list(allowed)}"]
        raise error("T302", "no such target to train a network for", notes=notes, hint=near(target, allowed))
    wrong = [name for name in options if name not in allowed[target]]
    if wrong:
        notes = [f"it takes {', '.join(allowed[target])}, calibrate and input_range"]
        raise error("T303", f"training for {target!r} has no option {wrong[0]!r}", notes=notes)
    if calibration.inputs is None and calibration.input_range is None:
        hint = 'give input_range=(low, high), or calibrate={"input": samples}'
        raise error("T303", f"training for {target!r} needs to know how large values become", hint=hint)
    if target == "chip":
        return ChipProducts.of(options.get("chip", "thermo-1"), options.get("adc", "worst"), calibration)
    return LoihiProducts.of(options.get("coding", "graded"), calibration)


def _weighted(graph: Graph) -> dict[str, Affine]:
    """Return the affine maps whose weights are constants or parameters. Errors: T221 for other products with such."""
    names = ParameterCone(graph).names | {op.y.name for op in frozen(graph).of(Constant)}
    for op in graph.ops:
        products: Any = op
        weight = products.weight if isinstance(op, Conv) else products.b if isinstance(op, Matmul) else None
        if weight is not None and weight.name in names:
            hint = "write it as tc.affine, or train without target="
            raise error("T221", f"{op.opname} has no form that is trained for hardware", where=op.location, hint=hint)
    return {op.y.name: op for op in graph.of(Affine) if op.weight.name in names}


@dataclass(frozen=True, kw_only=True)
class ChipProducts:
    """Products on pairs of memristors: levels of weights and inputs, converters, as ``map-crossbars`` maps them."""

    spec: CrossbarSpec
    adc: str
    calibration: Calibration

    @classmethod
    def of(cls, chip: str, adc: str, calibration: Calibration) -> ChipProducts:
        """Return the products of a chip by name or file. Errors: T303, T305, T501, T513, T515."""
        spec = crossbars_of(load_chip(chip))
        if spec.arrays_a_sign == 1:
            raise error("T303", "training for a chip wants pairs of cells", notes=[f"{chip!r} has one array a sign"])
        if adc not in ("worst", "reached") or (adc == "reached" and calibration.inputs is None):
            hint = 'take adc="worst", or give calibrate={"input": samples}'
            raise error("T303", "the range of an ADC is one of worst, reached", notes=[f"adc = {adc!r}"], hint=hint)
        return cls(spec=spec, adc=adc, calibration=calibration)

    def fitted(self, graph: Graph) -> tuple[Graph, Mapping[str, Product]]:
        """Return the graph as it is, and products with converters that cover what reaches them."""
        weighted = _weighted(graph)
        probes = {value.name for op in weighted.values() for value in (op.x, op.weight)}
        calibration = self.calibration
        empty = {name: np.zeros((1, *op.shape)) for name, op in graph.inputs.items()}
        values = interpret(graph, feed(graph, calibration.inputs or empty), probes=probes).probes
        ranges = {} if calibration.input_range is None else intervals(frozen(graph), calibration.input_range)
        products: dict[str, Product] = {}
        for name, op in weighted.items():
            x, W = values[op.x.name], values[op.weight.name][0, 0].T.astype(float)
            reach = np.abs(x).reshape(-1, x.shape[-1]).max(axis=0)
            if calibration.inputs is None:
                proven = ranges[op.x.name]
                reach = np.maximum(np.abs(proven.low), np.abs(proven.high))
            reach = np.broadcast_to(reach, op.x.shape).reshape(-1, len(W)).max(axis=0)
            samples = x.reshape(-1, x.shape[-1]) if self.adc == "reached" else None
            fit = plan(W, cells(W, self.spec), self.spec, reach=reach, slack=0 * reach, samples=samples)
            products[name] = _OnCells(op=replace(fit.op, y=op.y), spec=self.spec, reach=reach).product
        return graph, products


@dataclass(frozen=True, kw_only=True)
class _OnCells:
    op: Mvm
    spec: CrossbarSpec
    reach: FloatArray

    def product(self, op: Any, ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Return x through cells that are programmed with the weights as they are now."""
        fit = cells(weight[0].detach().cpu().numpy().T.astype(float), self.spec)
        with torch.no_grad():
            scale = fit.step * (self.op.x_max / self.op.steps if self.spec.input_bits else 1.0)
            hard = through_cells(self.op, ctx, x, crossbar.seen(self.op, fit.plus, fit.minus)) * scale
        # What the DAC cuts off has no slope.
        inputs = x.clamp(-self.op.x_max, self.op.x_max) if self.spec.input_bits else x
        y = with_gradient_of(hard, inputs @ weight[0].T)
        ctx.log_reach.append(self._log_reach(ctx, y, weight[0]))
        return y if bias is None else y + bias

    def _log_reach(self, ctx: Any, y: Tensor, W: Tensor) -> Tensor:
        """Return the logarithm of the most that can come of the inputs over what does, root mean square."""
        bound = W.abs() @ ctx.array(self.reach).to(W.dtype)
        rms = y.detach().square().mean().sqrt().clamp(min=torch.finfo(y.dtype).tiny)
        return torch.log(bound.max().clamp(min=torch.finfo(y.dtype).tiny) / rms)


def through_cells(op: Mvm, ctx: Any, x: Tensor, D: FloatArray) -> Tensor:
    """Return what is counted of inputs x through cells of D steps (slices, n, m), as ``crossbar.mvm`` defines it.

    Readings and slices are columns of one product for an array; where the ADC rounds and cuts nothing, all are one.
    """
    # The converters are typed for NumPy's arrays; tensors take their place.
    converters: Any = crossbar
    slices, n, m = D.shape
    shifts = 2.0 ** (op.cell_bits * np.arange(slices))
    if _loses_nothing(op, D):
        at_once = converters.digits(replace(op, dac_bits=0), x)[0]
        return at_once @ ctx.array(np.einsum("pnm,p->nm", D, shifts)).to(x.dtype)
    digits = converters.digits(op, x)
    columns = ctx.array(D.transpose(1, 0, 2).reshape(n, slices * m)).to(x.dtype)
    places = ctx.array(np.multiply.outer(2.0 ** (op.dac_bits * np.arange(op.readings)), shifts)).to(x.dtype)
    total: Any = 0.0
    for first in range(0, n, op.rows):
        word_lines = slice(first, first + op.rows)
        codes = converters.converted(op, digits[..., word_lines] @ columns[word_lines])
        total = total + torch.einsum("k...pm,kp->...m", codes.unflatten(-1, (slices, m)), places)
    return total


def _loses_nothing(op: Mvm, D: FloatArray) -> bool:
    if op.adc_bits == 0:
        return True
    if op.adc_range != op.codes or (np.rint(D) != D).any():
        return False
    largest = 2.0 ** (op.dac_bits or op.input_bits) - 1
    starts = np.arange(0, D.shape[1], op.rows)
    return bool((np.add.reduceat(np.abs(D), starts, axis=1) * largest <= op.codes).all())


@dataclass(frozen=True, kw_only=True)
class LoihiProducts:
    """Weights of 8 bits with one exponent a layer, as ``quantize`` writes them; spikes where a coding asks for them."""

    coding: str
    calibration: Calibration

    @classmethod
    def of(cls, coding: str, calibration: Calibration) -> LoihiProducts:
        """Return what Loihi does with a coding of activations. Errors: T303."""
        if coding not in ("graded", "thermal"):
            notes = [f"coding = {coding!r}", "there are graded and thermal"]
            raise error(
                "T303",
                "training for Loihi knows two codings of activations",
                notes=notes,
                hint=near(coding, ("graded", "thermal")),
            )
        if coding == "thermal" and calibration.inputs is None:
            hint = 'give calibrate={"input": samples}'
            raise error("T303", "runs of samples must show how large activations are that spikes carry", hint=hint)
        return cls(coding=coding, calibration=calibration)

    def fitted(self, graph: Graph) -> tuple[Graph, Mapping[str, Product]]:
        """Return the graph, its activations as spikes where that is its coding, and products of quantised weights."""
        if self.coding == "thermal":
            encode = SpikeEncode(coding="thermal", calibrate=self.calibration.inputs)
            graph = run_passes(graph, [*stages.cleaned(NEEDED), encode]).graph
        return graph, dict.fromkeys(_weighted(graph), _quantised) | dict.fromkeys(_firing(graph), _fires)


def _firing(graph: Graph) -> list[str]:
    """Return the comparisons with uniform noise that are read as numbers: what fires with a given probability."""
    producers, readers = graph.producers, graph.consumers
    return [
        op.results[0].name
        for op in graph.of(Greater)
        if isinstance(producers[op.inputs[1].name], Uniform)
        and all(isinstance(reader, Cast) and reader.dtype.is_float for reader in readers[op.results[0].name])
    ]


def _fires(op: Any, ctx: Any, p: Tensor, u: Tensor) -> Tensor:
    """Return 1 where a unit of probability p fires, else 0, with the slope of its mean."""
    return with_gradient_of((p > u).to(u.dtype), p.clamp(0, 1))


def _quantised(op: Any, ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return the product with the weights that Loihi holds."""
    W = weight[0].detach().cpu().numpy().astype(float)
    largest = float(np.abs(W).max(initial=0.0)) or 1.0
    fit = quantised(W * (GREATEST / largest))
    if fit is None:  # 254 is the largest mantissa there is
        raise AssertionError("the heaviest weight is scaled to fit")
    stored = ctx.array((fit.real * (largest / GREATEST)).astype(op.y.dtype.numpy))
    y = x @ with_gradient_of(stored, weight[0]).T
    return y if bias is None else y + bias
