"""Plans of products on crossbars: a matrix's cells, the ranges of its converters, how far its results can be off."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from thermoc.ir.dialects.crossbar import Mvm
from thermoc.ir.reference import crossbar
from thermoc.ir.reference.crossbar import Wires
from thermoc.ir.values import Value
from thermoc.passes.crossbar.biased import full_scale, unsigned
from thermoc.passes.crossbar.crossbar_plan import DEVIATIONS, CrossbarPlan
from thermoc.passes.crossbar.spec import CrossbarSpec, WeightCells
from thermoc.physics.crossbar import transfer
from thermoc.support.array_types import FloatArray

NOISE_HEADROOM = 4
"""Standard deviations of a reading that the worst-case range of an ADC leaves for noise."""


@dataclass(frozen=True, kw_only=True)
class _Inputs:
    """What is known of a product's inputs: how large each can be (n,), how far off it is, samples (k, n) of them."""

    reach: FloatArray | None
    slack: FloatArray
    samples: FloatArray | None


@dataclass(frozen=True, kw_only=True)
class _Cells:
    """A matrix in its cells: steps ``D`` of each (slices, n, m), their variances ``N``, the weights they make."""

    op: Mvm
    cells: WeightCells
    D: FloatArray
    N: FloatArray
    scale: float
    weights: FloatArray


def plan(
    W: FloatArray,
    cells: WeightCells,
    spec: CrossbarSpec,
    *,
    reach: FloatArray | None,
    slack: FloatArray,
    samples: FloatArray | None = None,
    wires: Wires = transfer,
) -> CrossbarPlan:
    """Return the plan of W (n, m).

    reach: how large each input can be (n,), None where it is not known (then no converter has a range to choose).
    slack: how far each input can be off already. samples: inputs (k, n) whose largest currents set the ADC's range.
    wires: what gives the map of an array with its wires.
    """
    inputs = _Inputs(reach=reach, slack=slack, samples=samples)
    written = _in_cells(cells, spec, reach, wires)
    if reach is None:
        return _of_any_inputs(W, spec, inputs, written)
    return _of_known_inputs(W, spec, inputs, written, reach)


def _in_cells(cells: WeightCells, spec: CrossbarSpec, reach: FloatArray | None, wires: Wires) -> _Cells:
    """Return what the cells do, with the DAC's range over the inputs; the ADC's comes later."""
    x_max = float(reach.max(initial=0.0)) if reach is not None and spec.input_bits else 1.0
    x_max = x_max or 1.0  # inputs that are always 0 still need a step to be counted in
    op = _op(spec, x_max=x_max if cells.offset is None else full_scale(x_max, spec), adc_range=1.0)
    D, N = crossbar.seen(op, cells.plus, cells.minus, wires), crossbar.spread(op, cells.plus, cells.minus)
    weights = np.einsum("pnm,p->nm", D, 2.0 ** (spec.cell_bits * np.arange(len(D)))) * cells.step
    if cells.offset is not None:
        weights = weights + cells.offset * cells.step
    scale = cells.step * (op.x_max / op.steps if spec.input_bits else 1.0)
    return _Cells(op=op, cells=cells, D=D, N=N, scale=scale, weights=weights)


def _of_any_inputs(W: FloatArray, spec: CrossbarSpec, inputs: _Inputs, written: _Cells) -> CrossbarPlan:
    """Return the plan of a product without converters, whose error grows with its inputs."""
    exact = spec.input_bits == 0 and spec.adc_bits == 0 and spec.read_noise == 0
    error = np.abs(written.weights).T @ inputs.slack if exact and _near(written.weights, W) else None
    slices = np.arange(len(written.N))
    return CrossbarPlan(
        op=written.op,
        plus=written.cells.plus,
        minus=written.cells.minus,
        scale=written.scale,
        weights=written.weights,
        error=error,
        clipped=0.0,
        noise=0.0,
        variance=written.scale**2 * np.einsum("pnm,p->nm", written.N, 4.0 ** (spec.cell_bits * slices)),
    )


def _of_known_inputs(
    W: FloatArray, spec: CrossbarSpec, inputs: _Inputs, written: _Cells, reach: FloatArray
) -> CrossbarPlan:
    """Return the plan of a product whose converters cover what its inputs can make flow."""
    D, cells, scale, weights = written.D, written.cells, written.scale, written.weights
    digits = _largest_digits(written.op, reach + inputs.slack)
    worst = _summed(written.op, digits, np.abs(D))
    noise = np.sqrt(_summed(written.op, digits**2, written.N))
    op = _with_adc(written, worst + NOISE_HEADROOM * noise, inputs.samples)
    shift = 2.0 ** (
        op.dac_bits * np.arange(op.readings)[:, np.newaxis] + spec.cell_bits * np.arange(len(D))
    )  # (readings, slices)
    # What exceeds the range is cut, counted once for each digit and slice it stands in.
    over = np.maximum(worst - op.adc_range, 0.0) if spec.adc_bits else np.zeros_like(worst)
    half = _half_step(op, D)
    clipped = scale * np.einsum("tkpm,kp->m", over, shift)
    rounded = scale * half * shift.sum() * len(worst) * np.ones(W.shape[1])
    deviation = scale * np.sqrt(np.einsum("tkpm,kp->m", noise**2, shift**2))
    step = op.x_max / op.steps / 2 if spec.input_bits else 0.0
    off = np.abs(weights - W).T @ reach + np.abs(weights).T @ (inputs.slack + step)
    fixed = rounded + clipped + DEVIATIONS * deviation
    return CrossbarPlan(
        op=op,
        plus=cells.plus,
        minus=cells.minus,
        scale=scale,
        weights=weights,
        error=off + fixed,
        clipped=float(clipped.max(initial=0.0)),
        noise=float(deviation.max(initial=0.0)),
        half_code=half,
        offset=cells.offset,
        reach=reach,
        fixed=fixed + np.abs(weights).T @ np.full(len(W), step),
    )


def _op(spec: CrossbarSpec, **ranges: float) -> Mvm:
    """Return the op without its operands; where currents have one sign, the codes of the other go unused."""
    none, absent = Value("?"), ("weight_bits", "arrays_a_sign")
    fields: dict[str, Any] = {name: value for name, value in vars(spec).items() if name not in absent} | ranges
    if spec.arrays_a_sign == 1 and spec.adc_bits:
        fields["adc_bits"] += 1
    return Mvm(x=none, plus=none, minus=none, scale=none, y=none, **fields)


def _near(a: FloatArray, b: FloatArray) -> bool:
    return bool(np.allclose(a, b, rtol=1e-14, atol=1e-14 * np.abs(b).max(initial=0.0)))


def _largest_digits(op: Mvm, reach: FloatArray) -> FloatArray:
    """Return the largest digit of each reading and input (readings, n)."""
    if op.input_bits == 0:
        return reach[np.newaxis]
    remaining = [op.input_bits - k * op.dac_bits for k in range(op.readings)]
    largest = [2.0 ** (min(op.dac_bits, bits) if op.dac_bits else bits) - 1 for bits in remaining]
    return np.array(largest)[:, np.newaxis] * np.ones(len(reach))


def _summed(op: Mvm, digits: FloatArray, D: FloatArray) -> FloatArray:
    """Return the sums over the inputs of each array (arrays, readings, slices, m)."""
    arrays = [slice(first, first + op.rows) for first in range(0, D.shape[1], op.rows)]
    return np.stack([np.einsum("kn,pnm->kpm", digits[:, rows], D[:, rows]) for rows in arrays])


def _with_adc(written: _Cells, worst: FloatArray, samples: FloatArray | None) -> Mvm:
    """Return the op with the ADC's range: one step a code where that loses nothing, else what can flow or has flown."""
    op, D = written.op, written.D
    if samples is not None and written.cells.offset is not None:
        samples = unsigned(samples, op)
    adc_range = _adc_range(op, float(worst.max(initial=0.0)), D, samples)
    return replace(op, adc_range=adc_range)


def _adc_range(op: Mvm, largest: float, D: FloatArray, samples: FloatArray | None) -> float:
    if op.adc_bits == 0:
        return 1.0
    # With a code for every step a reading is not rounded at all.
    if _in_steps(op, D) and largest <= op.codes:
        return float(op.codes)
    if samples is not None:
        digits = crossbar.digits(op, samples)
        arrays = [slice(first, first + op.rows) for first in range(0, D.shape[1], op.rows)]
        currents = (np.einsum("ksn,pnm->kspm", digits[..., rows], D[:, rows]) for rows in arrays)
        largest = max(float(np.abs(current).max(initial=0.0)) for current in currents)
    return largest or 1.0


def _in_steps(op: Mvm, D: FloatArray) -> bool:
    """Tell whether every current is a whole number of steps."""
    return op.input_bits > 0 and op.read_noise == 0 and bool((np.rint(D) == D).all())


def _half_step(op: Mvm, D: FloatArray) -> float:
    """Return how far a reading is rounded, in steps of a cell."""
    if op.adc_bits == 0 or (_in_steps(op, D) and op.adc_range == op.codes):
        return 0.0
    return op.adc_range / op.codes / 2
