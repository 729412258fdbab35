"""Products on arrays without pairs, as ISAAC's: weights have half their range added, inputs are two's complement."""

from __future__ import annotations

import numpy as np

from thermoc.ir.dialects.crossbar import Mvm
from thermoc.ir.values import Value
from thermoc.passes.crossbar.crossbar_plan import CrossbarPlan
from thermoc.passes.crossbar.spec import CrossbarSpec
from thermoc.passes.expand.crossbar import rounded
from thermoc.passes.rewriting import Expression, Rewriter
from thermoc.support.array_types import FloatArray


def full_scale(x_max: float, spec: CrossbarSpec) -> float:
    """Return what the code of all ones would be, where the largest input, x_max, is that of half of them."""
    return x_max * (2**spec.input_bits - 1) / spec.steps


def unsigned(x: FloatArray, op: Mvm) -> FloatArray:
    """Return the inputs without a sign that have the bits of x in two's complement."""
    q = np.floor(x * (op.steps / op.x_max) + 0.5)
    return np.where(q < 0, q + op.steps + 1, q) * (op.x_max / op.steps)


def written(w: Rewriter, x: Value, plan: CrossbarPlan) -> Expression:
    """Write the product of all bits but the sign's, less that of the sign's, and what was added to the weights.

    Bits are 0 and 1, so that a converter has no sign: its ``codes`` are all on one side. What was added is the sum of
    the inputs times a constant for each array and column; a column of ones measures that sum.
    """
    op, offset = plan.op, plan.offset
    assert offset is not None
    sign, steps = 2.0 ** (op.input_bits - 1), 2.0 ** (op.input_bits - 1) - 1
    q = rounded(w, w[x] * (op.steps / op.x_max), steps)
    # q is whole, so clipping makes 1 of every input below 0.
    negative = w.minimum(w.maximum(-q, 0.0), 1.0)
    cells = {"plus": w.constant(plan.plus), "minus": w.constant(plan.minus)}
    size = {"input_bits": op.input_bits - 1, "x_max": steps}
    # Two's complement: the other bits of a negative q are those of q + 2^(bits - 1).
    low = w(Mvm, x=q + negative * sign, scale=plan.scale, **cells, **{**op.attrs, **size})
    last = w(Mvm, x=negative, scale=-sign * plan.scale, **cells, **{**op.attrs, "input_bits": 1, "x_max": 1.0})
    added = {"plus": np.maximum(offset, 0.0)[np.newaxis], "minus": np.maximum(-offset, 0.0)[np.newaxis]}
    return low + last + w(Mvm, x=q, scale=plan.scale, rows=op.rows, columns=op.columns, **added)
