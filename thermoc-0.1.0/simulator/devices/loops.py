"""Devices through time: the loop over devices, output times and steps around ``steppers``, compiled, kept on disk."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from thermoc.simulator.cache import keep
from thermoc.simulator.devices import equations
from thermoc.simulator.devices.equations import CURRENT, SHOWN, Model, rates
from thermoc.simulator.devices.rule import rule
from thermoc.simulator.devices.steppers import euler, jacobian, midpoint, sdirk
from thermoc.simulator.kernels.operands import stopped
from thermoc.simulator.kernels.thermal import HALF, LOW, philox, uniform64

FINE, RUNAWAY, STUCK, OUTSIDE = 0, 1, 2, 3
"""How a run ends: at its end, too hot, unsolved, or with its internal state out of the model's range."""
VO2 = int(Model.VO2)
SAFETY, LEAST, MOST = 0.9, 0.2, 5.0
SMALLEST = 1e-15
"""A step below this part of its interval means that the solution cannot be continued."""
TURNS = 40


@rule
def normal(element, tick, draw, stream, key):
    """A standard normal of Philox block (element, tick, draw, stream), as ``thermoc.support.philox`` defines it."""
    k0, k1 = np.uint64(key) & LOW, np.uint64(key) >> HALF
    w0, w1, w2, w3 = philox(np.uint64(element), np.uint64(tick), np.uint64(draw), np.uint64(stream), k0, k1)
    return math.sqrt(-2.0 * math.log(uniform64(w0, w1))) * math.cos(2 * math.pi * uniform64(w2, w3))


@rule
def judge(y, shown, domain, c):
    """The status of a state and the temperature shown with it; domain: the limit, the ends of the internal state."""
    if (c[4] > 0 and (y[0] > domain[0] or y[0] <= 0)) or shown > domain[0]:
        return RUNAWAY
    if not (math.isfinite(y[0]) and math.isfinite(y[1]) and math.isfinite(y[2])):
        return STUCK
    return FINE if domain[1] <= y[1] <= domain[2] else OUTSIDE


@rule
def adaptive(model, u, Ta, y, m, p, c, scale, domain, t0, t1, h, tol, ledger, counts, at, J, M, K, new, z):
    """Bring y from t0 to t1; return (status, next step). ``at``: the time reached. Reversals of VO2 end a step.

    ledger: work and heat in J and the temperature's integral in K s are added to it.
    """
    t, h = t0, min(h, t1 - t0) if h > 0 else (t1 - t0) * 1e-3
    while t < t1:
        at[0] = t
        if h >= (t1 - t) * (1 - 1e-12):
            h = t1 - t
        elif h > 0.5 * (t1 - t):
            h = 0.5 * (t1 - t)
        rates(model, u, Ta, z, y, m, p, c, K[6])
        jacobian(model, u, Ta, z, y, m, p, c, scale, J, K)
        error = sdirk(model, u, Ta, z, y, m, p, c, scale, h, tol, J, M, K, new)
        counts[0] += 1
        if error > 1:
            counts[1] += 1
            h *= max(LEAST, SAFETY * error**-0.25) if error < 1e12 else LEAST
            if h < SMALLEST * max(t1 - t0, abs(t1)):
                return STUCK, h
            continue
        turned = False
        if model == VO2 and K[6, 0] * m[0] > 0 and K[4, 0] * m[0] < 0:
            h = reversal(model, u, Ta, y, m, p, c, scale, h, tol, J, M, K, new, z)
            turned = True
        for k in range(3):
            y[k] = new[k]
        for k in range(3):
            ledger[k] += new[3 + k]
        status = judge(y, K[4, SHOWN], domain, c)
        if status != FINE:
            return status, h
        whole = t + h >= t1 or h == t1 - t
        t = t1 if whole and not turned else t + h
        if model == VO2:
            remember(y[0], turned, m, p)
        h *= min(MOST, max(LEAST, SAFETY * max(error, 1e-10) ** -0.25))
    at[0] = t1
    return FINE, h


@rule
def reversal(model, u, Ta, y, m, p, c, scale, h, tol, J, M, K, new, z):
    """Return the part of h after which dT/dt is nought, the step to it being in ``new``: false position, Illinois."""
    low, f_low, high, f_high = 0.0, K[6, 0], h, K[4, 0]
    side, s = 0, h
    for _ in range(TURNS):
        s = (low * f_high - high * f_low) / (f_high - f_low)
        if not (low < s < high):
            s = 0.5 * (low + high)
        sdirk(model, u, Ta, z, y, m, p, c, scale, s, tol, J, M, K, new)
        f = K[4, 0]
        if f * f_high > 0:
            high, f_high = s, f
            if side == 1:
                f_low *= 0.5
            side = 1
        else:
            low, f_low = s, f
            if side == -1:
                f_high *= 0.5
            side = -1
        if high - low < 1e-9 * h or abs(f) * h < 1e-12 * y[0]:
            return s
    return s


@rule
def remember(T, turned, m, p):
    """After an accepted step of VO2: turn where it was located, or where T has gone back all the same."""
    if turned or (T - m[4]) * m[0] < -p[9]:
        equations.turn(T, m, p)
    elif (T - m[4]) * m[0] > 0:
        m[4] = min(max(T, p[7]), p[8])


@rule
def fixed(
    model, u, Ta, y, m, p, c, scale, domain, t0, h, steps, implicit, noisy, element, tick, stream, key,
    ledger, at, J, M, K, new, z,
):  # fmt: skip
    """Take ``steps`` steps of length h, with noise held over each; return the status."""
    root = 1 / math.sqrt(h)
    for s in range(steps):
        at[0] = t0 + s * h
        equations.look(model, y[0], m, p)
        if noisy:
            z[0] = normal(element, tick + s, 0, stream, key) * root if c[4] > 0 else 0.0
            z[1] = normal(element, tick + s, 1, stream, key) * root if c[2] > 0 else 0.0
            z[2] = normal(element, tick + s, 2, stream, key) * root if c[2] > 0 else 0.0
        rates(model, u, Ta, z, y, m, p, c, K[6])
        if implicit:
            jacobian(model, u, Ta, z, y, m, p, c, scale, J, K)
            if not midpoint(model, u, Ta, z, y, m, p, c, scale, h, J, M, K, new):
                return STUCK
        else:
            euler(y, h, K, new)
        for k in range(3):
            y[k] = new[k]
        for k in range(3):
            ledger[k] += new[3 + k]
        status = judge(y, K[0 if implicit else 6, SHOWN], domain, c)
        if status != FINE:
            return status
    return FINE


@njit(error_model="numpy", nogil=True)
def run(model, first, t, u, Ta, Y, memory, p, c, scale, domain, method, dt, tol, noisy, stream, key, L, shown, counts):
    """Devices ``first`` and on, through times t (n_t,); returns (status, device, row of Y, row of u, time).

    u, Ta: (n_t or 1, n or 1), held from one time to the next. Y: (n_t, n, 3), row 0 given. memory (n, 5);
    p (n or 1, :), c (n or 1, 5) and domain (n or 1, 3). L: (n_t, n, 2) work and heat since t[0]; shown: (n_t, n, 3)
    current, voltage, temperature. method: 0 sdirk, 1 midpoint, 2 euler. counts: steps tried, steps rejected; it ends
    early once the third is set.
    """
    J, M, K, new, z, at = np.zeros((3, 3)), np.zeros((3, 3)), np.zeros((7, 8)), np.zeros(6), np.zeros(3), np.zeros(1)
    ledger, y = np.zeros(3), np.zeros(3)
    for k in range(Y.shape[1]):
        own, circuit, m = p[min(k, p.shape[0] - 1)], c[min(k, c.shape[0] - 1)], memory[k]
        ends = domain[min(k, domain.shape[0] - 1)]
        uk, ak = min(k, u.shape[1] - 1), min(k, Ta.shape[1] - 1)
        ledger[:], y[:], z[:] = 0.0, Y[0, k], 0.0
        h, tick = 0.0, 0
        for j in range(t.shape[0]):
            if stopped(counts[2:]):  # pyright: ignore[reportCallIssue]
                return FINE, k, j, j, t[j]
            if j > 0:
                source, ambient = u[min(j - 1, u.shape[0] - 1), uk], Ta[min(j - 1, Ta.shape[0] - 1), ak]
                if method == 0:
                    status, h = adaptive(
                        model, source, ambient, y, m, own, circuit, scale, ends, t[j - 1], t[j], h, tol, ledger,
                        counts, at, J, M, K, new, z,
                    )  # fmt: skip
                else:
                    steps = max(1, math.ceil((t[j] - t[j - 1]) / dt - 1e-6))
                    step = (t[j] - t[j - 1]) / steps
                    status = fixed(
                        model, source, ambient, y, m, own, circuit, scale, ends, t[j - 1], step, steps, method == 1,
                        noisy, first + k, tick, stream, key, ledger, at, J, M, K, new, z,
                    )  # fmt: skip
                    tick += steps
                    counts[0] += steps
                if status != FINE:
                    Y[j, k] = y
                    return status, k, j, j - 1, at[0]
                Y[j, k], L[j, k] = y, ledger[:2]
            z[:] = 0.0
            rates(model, u[min(j, u.shape[0] - 1), uk], Ta[min(j, Ta.shape[0] - 1), ak], z, y, m, own, circuit, K[0])
            shown[j, k] = K[0, 5:8]
            if not math.isfinite(K[0, CURRENT]) or K[0, SHOWN] > ends[0]:
                return RUNAWAY if K[0, SHOWN] > ends[0] else STUCK, k, j, j, t[j]
    return FINE, 0, 0, 0, 0.0


run = keep(run, "the equations of devices", 20.0)
