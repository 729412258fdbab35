"""What one matrix becomes on crossbars: its cells, the ranges of its converters, and how far its results can be off."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.dialects.crossbar import Mvm
from thermoc.ir.reference import crossbar
from thermoc.ir.reference.crossbar import Wires
from thermoc.ir.values import Value
from thermoc.passes.crossbar.biased import patterns, whole_range
from thermoc.passes.crossbar.spec import Cells, CrossbarSpec
from thermoc.physics.crossbar import transfer

DEVIATIONS = 6
"""Read noise is bounded at so many standard deviations; a normal number exceeds them once in 5 * 10^8."""
ROOM = 4
"""Standard deviations of a reading that the worst-case range of an ADC leaves for noise."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Fields of the op that takes a matrix's place, and bounds for its outputs (m,).

    weights: what each weight has become (n, m). error: how far an output can be off; None where the range of the
    inputs is not known and the weights are not exact. clipped: how far of that because an ADC clips. noise: standard
    deviation from read noise. half_code: how far a reading is rounded, in steps of a cell. offset: of ``Cells``; with
    one, ``op`` is that of all of an input's bits as if they had no sign, which ``crossbar_biased`` writes in parts.
    """

    op: Mvm
    plus: NDArray
    minus: NDArray
    scale: float
    weights: NDArray
    error: NDArray | None
    clipped: float
    noise: float
    half_code: float = 0.0
    offset: NDArray | None = None
    reach: NDArray | None = None
    fixed: NDArray | None = None
    """How far an output can be off by the converters and the noise of the largest inputs."""
    variance: NDArray | None = None
    """Of an output from read noise, for each input (n, m) of size 1; where ``reach`` is not known."""

    def alone(self, W: NDArray, size: NDArray) -> NDArray:
        """Return how far an output can be off (m,) for exact inputs of at most this size (n,).

        What is beyond the range of the converters is cut.
        """
        off = np.abs(self.weights - W).T @ size
        if self.variance is not None:
            off = off + DEVIATIONS * np.sqrt(size**2 @ self.variance)
        if self.fixed is None or self.reach is None:
            return off
        return off + self.fixed + np.abs(self.weights).T @ np.maximum(size - self.reach, 0.0)


def plan(
    W: NDArray,
    cells: Cells,
    spec: CrossbarSpec,
    *,
    reach: NDArray | None,
    slack: NDArray,
    samples: NDArray | None = None,
    wires: Wires = transfer,
) -> Plan:
    """Return the plan of W (n, m).

    reach: how large each input can be (n,), None where it is not known (then no converter has a range to choose).
    slack: how far each input can be off already. samples: inputs (k, n) whose largest currents set the ADC's range.
    wires: what gives the map of an array with its wires.
    """
    x_max = float(reach.max(initial=0.0)) if reach is not None and spec.input_bits else 1.0
    x_max = x_max or 1.0
    op = _op(spec, x_max=x_max if cells.offset is None else whole_range(x_max, spec), adc_range=1.0)
    D, N = crossbar.seen(op, cells.plus, cells.minus, wires), crossbar.spread(op, cells.plus, cells.minus)
    scale = cells.step * (op.x_max / op.steps if spec.input_bits else 1.0)
    weights = np.einsum("pnm,p->nm", D, 2.0 ** (spec.cell_bits * np.arange(len(D)))) * cells.step
    if cells.offset is not None:
        weights = weights + cells.offset * cells.step
        samples = None if samples is None else patterns(samples, op)
    if reach is None:
        exact = spec.input_bits == 0 and spec.adc_bits == 0 and spec.read_noise == 0
        error = np.abs(weights).T @ slack if exact and _near(weights, W) else None
        held: dict[str, Any] = {"plus": cells.plus, "minus": cells.minus, "scale": scale, "weights": weights}
        variance = scale**2 * np.einsum("pnm,p->nm", N, 4.0 ** (spec.cell_bits * np.arange(len(N))))
        return Plan(op=op, error=error, clipped=0.0, noise=0.0, variance=variance, **held)
    digits = _largest_digits(op, reach + slack)
    worst = _summed(op, digits, np.abs(D))
    noise = np.sqrt(_summed(op, digits**2, N))
    op = op.with_(adc_range=_range(op, cells, worst + ROOM * noise, D, samples))  # type: ignore[assignment]
    assert isinstance(op, Mvm)
    shift = 2.0 ** (
        op.dac_bits * np.arange(op.readings)[:, np.newaxis] + spec.cell_bits * np.arange(len(D))
    )  # (readings, slices)
    over = np.maximum(worst - op.adc_range, 0.0) if spec.adc_bits else np.zeros_like(worst)
    half = _half_step(op, worst, D)
    clipped = scale * np.einsum("tkpm,kp->m", over, shift)
    rounded = scale * half * shift.sum() * len(worst) * np.ones(W.shape[1])
    deviation = scale * np.sqrt(np.einsum("tkpm,kp->m", noise**2, shift**2))
    step = op.x_max / op.steps / 2 if spec.input_bits else 0.0
    off = np.abs(weights - W).T @ reach + np.abs(weights).T @ (slack + step)
    fixed = rounded + clipped + DEVIATIONS * deviation
    return Plan(
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
    """Return the op without its operands; where currents have one sign, the other's codes are there but not met."""
    none, other = Value("?"), ("weight_bits", "arrays_a_sign")
    given: dict[str, Any] = {name: value for name, value in vars(spec).items() if name not in other} | ranges
    if spec.arrays_a_sign == 1 and spec.adc_bits:
        given["adc_bits"] += 1
    return Mvm(x=none, plus=none, minus=none, scale=none, y=none, **given)


def _near(a: NDArray, b: NDArray) -> bool:
    return bool(np.allclose(a, b, rtol=1e-14, atol=1e-14 * np.abs(b).max(initial=0.0)))


def _largest_digits(op: Mvm, reach: NDArray) -> NDArray:
    """Return the largest digit of each reading and input (readings, n)."""
    if op.input_bits == 0:
        return reach[np.newaxis]
    left = [op.input_bits - k * op.dac_bits for k in range(op.readings)]
    most = [2.0 ** (min(op.dac_bits, bits) if op.dac_bits else bits) - 1 for bits in left]
    return np.array(most)[:, np.newaxis] * np.ones(len(reach))


def _summed(op: Mvm, digits: NDArray, D: NDArray) -> NDArray:
    """Return the sums over the inputs of each array (arrays, readings, slices, m)."""
    firsts = range(0, D.shape[1], op.rows)
    parts = [slice(first, first + op.rows) for first in firsts]
    return np.stack([np.einsum("kn,pnm->kpm", digits[:, part], D[:, part]) for part in parts])


def _range(op: Mvm, cells: Cells, worst: NDArray, D: NDArray, samples: NDArray | None) -> float:
    """Return the range of the ADC: one step a code where that loses nothing, else what can flow or has flown."""
    if op.adc_bits == 0:
        return 1.0
    top = float(worst.max(initial=0.0))
    if _whole(op, D) and top <= op.codes:
        return float(op.codes)
    if samples is not None:
        given = crossbar.digits(op, samples)
        firsts = range(0, D.shape[1], op.rows)
        parts = [slice(first, first + op.rows) for first in firsts]
        top = max(float(np.abs(np.einsum("ksn,pnm->kspm", given[..., s], D[:, s])).max(initial=0.0)) for s in parts)
    return top or 1.0


def _whole(op: Mvm, D: NDArray) -> bool:
    """Tell whether every current is a whole number of steps."""
    return op.input_bits > 0 and op.read_noise == 0 and bool((np.rint(D) == D).all())


def _half_step(op: Mvm, worst: NDArray, D: NDArray) -> float:
    if op.adc_bits == 0 or (_whole(op, D) and op.adc_range == op.codes):
        return 0.0
    return op.adc_range / op.codes / 2


def bits(spec: CrossbarSpec) -> str:
    """Return how a weight is held, in words."""
    if spec.cell_bits == 0:
        return "a pair of cells without levels"
    if spec.arrays_a_sign == 1:
        return f"{spec.slices} cells of {spec.cell_bits} bits"
    pairs = "a pair of cells" if spec.slices == 1 else f"{spec.slices} pairs of cells"
    return f"{pairs} of {spec.cell_bits} bits"


def finite(number: float) -> str:
    """Return a number as the report shows it."""
    return f"{number:.4g}" if math.isfinite(number) else "unbounded"
