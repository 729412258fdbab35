"""Steps of one device: implicit Runge-Kutta with error control, the implicit midpoint rule, and Euler's.

* ``sdirk``: Hairer and Wanner's SDIRK of order 4 with an embedded order 3 (Solving ODEs II, table IV.6.5), five
  stages, L-stable, stiffly accurate. Stage slopes enter as evaluated, so every linear invariant, C_th T + heat out -
  work in among them, holds to rounding. Deterministic.
* ``midpoint``: order 2 and A-stable; quadratic invariants hold too, so that the energy ledger of a device with a
  capacitor closes to rounding. With noise it converges to the Stratonovich sense (strong order 1/2, 1 where noise is
  additive); a linear cell has its exact stationary variance at any step.
* ``euler``: explicit, order 1; with noise Euler-Maruyama, in the Ito sense.

The state is (T, x, node voltage), a scale of 0 marks a state that stands still; see ``records``.
"""

from __future__ import annotations

import math

import numpy as np

from thermoc.simulator.devices.equations import rates
from thermoc.simulator.devices.records import SHOWN
from thermoc.simulator.devices.rule import rule

GAMMA = 0.25
A = np.array(
    [
        [1 / 4, 0, 0, 0, 0],
        [1 / 2, 1 / 4, 0, 0, 0],
        [17 / 50, -1 / 25, 1 / 4, 0, 0],
        [371 / 1360, -137 / 2720, 15 / 544, 1 / 4, 0],
        [25 / 24, -49 / 48, 125 / 16, -85 / 12, 1 / 4],
    ]
)
# weights of order 4 less those of the embedded order 3
E = np.array([25 / 24 - 59 / 48, -49 / 48 + 17 / 96, 125 / 16 - 225 / 32, 0.0, 1 / 4])
ITERATIONS = 12
TAKEN = np.array([0, 1, 2, 3, 4, SHOWN])
"""What a step adds up of ``rates``: the state, work, heat, and the temperature shown."""


@rule
def inverse(J, h, M):
    """M = (1 - h J)^-1 of a 3 x 3 matrix."""
    # written out: a call of LAPACK costs more than the 3 x 3 inverse, and each step needs one
    a, b, c = 1 - h * J[0, 0], -h * J[0, 1], -h * J[0, 2]
    d, e, f = -h * J[1, 0], 1 - h * J[1, 1], -h * J[1, 2]
    g, k, q = -h * J[2, 0], -h * J[2, 1], 1 - h * J[2, 2]
    r, s, t = e * q - f * k, f * g - d * q, d * k - e * g
    det = a * r + b * s + c * t
    M[0, 0], M[0, 1], M[0, 2] = r / det, (c * k - b * q) / det, (b * f - c * e) / det
    M[1, 0], M[1, 1], M[1, 2] = s / det, (a * q - c * g) / det, (c * d - a * f) / det
    M[2, 0], M[2, 1], M[2, 2] = t / det, (b * g - a * k) / det, (a * e - b * d) / det


@rule
def jacobian(problem, y, work):
    """J = d rates / d state by differences; row 6 of K holds the rates at y, row 5 is scratch."""
    J, K, scale = work.J, work.K, problem.cell.scale
    for k in range(3):
        for j in range(3):
            J[j, k] = 0.0
        if scale[k] > 0:
            unmoved = y[k]
            # of the order of the root of float64's epsilon: truncation against cancellation; scale is for y near 0
            y[k] = unmoved + 1e-7 * max(abs(unmoved), scale[k])
            # the difference as float64 represents it: y + h - y is not h
            d = y[k] - unmoved
            rates(problem, y, K[5])
            for j in range(3):
                J[j, k] = (K[5, j] - K[6, j]) / d
            y[k] = unmoved


@rule
def solve_stage(problem, base, y, h, tight, M, out):
    """Solve y = base + h rates(y) by simplified Newton steps; return whether it converged. ``out``: rates there."""
    scale, before = problem.cell.scale, math.inf
    for _ in range(ITERATIONS):
        rates(problem, y, out)
        r0, r1, r2 = base[0] + h * out[0] - y[0], base[1] + h * out[1] - y[1], base[2] + h * out[2] - y[2]
        size = 0.0
        for k in range(3):
            if scale[k] > 0:
                d = M[k, 0] * r0 + M[k, 1] * r1 + M[k, 2] * r2
                y[k] += d
                size = max(size, abs(d) / max(scale[k], abs(y[k])))
        # an exponential law has overflowed: a shorter step starts nearer
        if not math.isfinite(size):
            return False
        # at 1e-13 rounding of the rates stops all progress: a move that no longer shrinks there is the last
        if size <= tight or (size >= before and size < 1e-13):
            rates(problem, y, out)
            return math.isfinite(out[0]) and math.isfinite(out[1]) and math.isfinite(out[2])
        if size > 2 * before:
            return False
        before = size
    return before < 1e-12


@rule
def sdirk(problem, y, h, tol, work):
    """One step from y over h, to ``work.new``; return error / tolerance or inf. Row 6 of K holds the rates at y."""
    M, K, new, scale, base, guess = work.M, work.K, work.new, problem.cell.scale, work.base, work.guess
    # one inverse serves all five stages, since the method is singly diagonal: every stage has the same h gamma
    inverse(work.J, GAMMA * h, M)
    for stage in range(5):
        for k in range(3):
            base[k] = y[k]
            for j in range(stage):
                base[k] += h * A[stage, j] * K[j, k]
            guess[k] = base[k] + h * GAMMA * K[stage - 1 if stage else 6, k]
        if not solve_stage(problem, base, guess, h * GAMMA, 1e-3 * tol, M, K[stage]):
            return math.inf
    # stiffly accurate: the last row of A holds the weights too, so that the result is the last stage
    for k in range(6):
        total = 0.0
        for j in range(5):
            total += A[4, j] * K[j, TAKEN[k]]
        new[k] = h * total + (y[k] if k < 3 else 0.0)
    for k in range(3):
        base[k] = 0.0
        for j in range(5):
            base[k] += h * E[j] * K[j, k]
    error = 0.0
    # filtered by (1 - h gamma J)^-1: the raw difference of the two orders does not fade for stiff states
    for k in range(3):
        if scale[k] > 0:
            # relative to the larger of scale and y: a purely relative error would never pass for a state near zero
            e = M[k, 0] * base[0] + M[k, 1] * base[1] + M[k, 2] * base[2]
            error = max(error, abs(e) / (tol * max(scale[k], abs(y[k]))))
    return error if math.isfinite(error) else math.inf


@rule
def midpoint(problem, y, h, work):
    """One step of the implicit midpoint rule, to ``work.new``; return whether it was solved."""
    K, new, guess = work.K, work.new, work.guess
    inverse(work.J, 0.5 * h, work.M)
    for k in range(3):
        guess[k] = y[k] + 0.5 * h * K[6, k]
    # tighter than any tolerance: with a residual left, the midpoint rule no longer conserves quadratic invariants
    if not solve_stage(problem, y, guess, 0.5 * h, 1e-15, work.M, K[0]):
        return False
    for k in range(6):
        new[k] = h * K[0, TAKEN[k]] + (y[k] if k < 3 else 0.0)
    return True


@rule
def euler(y, h, work):
    """One explicit step with the rates in row 6 of K, to ``work.new``."""
    for k in range(6):
        work.new[k] = h * work.K[6, TAKEN[k]] + (y[k] if k < 3 else 0.0)
