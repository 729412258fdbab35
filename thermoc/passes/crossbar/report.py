"""What a report says of products on crossbars: each number replaced, with a bound on what that changes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from thermoc.ir.dialects import core
from thermoc.ir.ops import Op
from thermoc.passes.change_log import Log
from thermoc.passes.crossbar.crossbar_plan import DEVIATIONS, CrossbarPlan
from thermoc.passes.crossbar.spec import CrossbarSpec
from thermoc.support.array_types import FloatArray
from thermoc.support.plurals import counted


def report_product(
    log: Log, spec: CrossbarSpec, op: Op, W: FloatArray, plans: Sequence[CrossbarPlan], *, proven: bool
) -> None:
    """Record what has become of a product's weights, inputs, readings and noise.

    proven: how large inputs can be follows from their range; else runs reached it, and what is larger is cut.
    """
    what = f"{op.opname} {op.results[0]}"
    _weights(log, spec, what, W, plans)
    if spec.input_bits:
        top = max(plan.op.x_max / plan.op.steps for plan in plans) * spec.steps
        origin = "it can be" if proven else "reached in calibration, more is cut"
        readings = counted(plans[0].op.readings, "reading")
        new = f"{counted(spec.steps, 'step')} to +-{top:.4g}, the most {origin}, in {readings}"
        half = top / spec.steps / 2
        log.changed(f"{what}: inputs", old="numbers", new=new, bound=f"each off by at most {half:.4g}")
    if spec.adc_bits:
        top = max(plan.op.adc_range for plan in plans)
        new = f"{plans[0].op.codes} codes to {'+-' if spec.arrays_a_sign == 2 else ''}{top:.4g} steps of a cell"
        clipped, half = max(plan.clipped for plan in plans), max(plan.half_code for plan in plans)
        bound = f"a reading by at most {half:.4g} steps; clipping moves a result by at most {clipped:.4g}"
        log.changed(f"{what}: read currents", old="exact", new=new, bound=bound)
    if spec.read_noise:
        noise = max(plan.noise for plan in plans)
        new = f"normal, {spec.read_noise:.4g} of a cell's conductance"
        bound = f"standard deviation of a result at most {noise:.4g}"
        log.changed(f"{what}: read noise", old="none", new=new, bound=bound)


def _weights(log: Log, spec: CrossbarSpec, what: str, W: FloatArray, plans: Sequence[CrossbarPlan]) -> None:
    off = max(float(np.abs(plan.weights - matrix).max()) for plan, matrix in zip(plans, W))
    n, m = W.shape[1:]
    arrays = spec.arrays_a_sign * spec.slices * len(W) * -(-n // spec.rows) * -(-m // spec.columns)
    step = max(plan.scale * (plan.op.steps / plan.op.x_max if spec.input_bits else 1) for plan in plans)
    new = f"{_bits(spec)} a weight, {step:.4g} a step, in {arrays} arrays of {spec.rows} x {spec.columns}"
    log.changed(f"{what}: weights", old="numbers", new=new, bound=f"each off by at most {off:.4g}")


def report_output(log: Log, spec: CrossbarSpec, op: core.Output, error: FloatArray | None) -> None:
    """Record how far an output can be off; None is without a bound."""
    if error is not None and not error.any():
        return
    offset = np.inf if error is None else float(error.max())
    bound = f"off by at most {_finite(offset)}"
    if offset == np.inf:
        bound = "without a bound: it passes through what has no slope, or its inputs' range is not known"
    elif spec.read_noise:
        bound += f", of which noise at {DEVIATIONS} standard deviations"
    log.changed(f"output {op.name!r}", old="exact products", new="from crossbars", bound=bound, offset=offset)


def _bits(spec: CrossbarSpec) -> str:
    """Return how a weight is stored, in words."""
    if spec.cell_bits == 0:
        return "a pair of cells without levels"
    if spec.arrays_a_sign == 1:
        return f"{counted(spec.slices, 'cell')} of {counted(spec.cell_bits, 'bit')}"
    pairs = "a pair of cells" if spec.slices == 1 else f"{spec.slices} pairs of cells"
    return f"{pairs} of {counted(spec.cell_bits, 'bit')}"


def _finite(number: float) -> str:
    """Return a number as the report shows it."""
    return f"{number:.4g}" if math.isfinite(number) else "unbounded"
