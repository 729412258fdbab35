"""VO2 neuristors on a rectangle, neighbours coupled by heat: explicit Euler, as the model's authors step it (Ito).

C_th dT/dt = v i - S_e (T - T_b) + S_c lap T, S_c = c S_th, S_e = (1 - 4 c) S_th (1 - 2 c in one dimension), borders
insulated. With noise every thermal path, to the base or between neighbours, carries its own flux (P27), and load and
device their Johnson currents (P28). Philox at (sample n + node, tick, draw, stream): draws 0 base, 1 right, 2 down,
3 load, 4 device.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from thermoc.simulator.arrays import count, counters, numbers, spread
from thermoc.simulator.cache import keep
from thermoc.simulator.devices import vo2
from thermoc.simulator.devices.device import Device, check_ambient, check_state
from thermoc.simulator.devices.equations import CAPACITANCE, CAPACITY, CONDUCTANCE, INNER, LOAD, Model
from thermoc.simulator.devices.rule import rule
from thermoc.simulator.devices.vector import exponential, sine_of_turns
from thermoc.simulator.kernels.thermal import fill_normals
from thermoc.support.errors import error
from thermoc.support.units import K_B

FAR = 600.0
BASE, RIGHT, DOWN, FROM_LOAD, FROM_DEVICE = range(5)
MOST_COUPLING = {1: 0.5, 2: 0.25}
MOST_NODES = 1 << 26
"""Of one sample: the elements that draws are numbered by are below 2^32."""


@dataclass(frozen=True, kw_only=True)
class LatticeTrace:
    """Rows are times, then samples and nodes (row by row), SI; ``current`` is that of the step that ends at the time.

    work, heat, stored: (n_t, samples) J since t[0], as in ``simulate.Trace``; Euler's steps close them to order dt.
    """

    t: NDArray
    T: NDArray
    node: NDArray
    current: NDArray
    work: NDArray
    heat: NDArray
    stored: NDArray


@rule
def conductances(T, G, m, p):
    """G[i] = 1 / R(T[i]) on each node's branch, in a loop that vectorises; m: (5, n) memory."""
    R0, Ea, Rm, w, Tc, b, ripple, low, high, offset = p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[10]
    turns, steep = ripple / (2 * math.pi), 4 * math.pi
    direction, reversed_, at, proximity = m[0], m[1], m[2], m[3]
    for i in range(T.size):
        held = min(max(T[i], low), high)
        y = (held - at[i]) / (proximity[i] + offset)
        tail = 1 / (1 + exponential(min(max(steep * y, -FAR), FAR) - 2 * math.pi * math.pi))
        shift = reversed_[i] * proximity[i] * (1 - sine_of_turns(turns * y)) * tail
        g = 1 / (1 + exponential(-2 * b * (direction[i] * (0.5 * w) + Tc - (held + shift))))
        G[i] = 1 / (R0 * exponential(Ea / held) * g + Rm)


@rule
def look_all(T, m, p):
    """Turn nodes that went back, once any has moved by more than the reversal step since all were last looked at."""
    low, high, most = p[7], p[8], 0.0
    for i in range(T.size):
        most = max(most, abs(min(max(T[i], low), high) - m[4, i]))
    if most <= p[9]:
        return
    for i in range(T.size):
        held = min(max(T[i], low), high)
        d = held - m[4, i]
        if d * m[0, i] < 0:
            vo2.turn(held, -m[0, i], m[:, i], p[3], p[4], p[5], p[6], p[7], p[8], p[10])
        m[4, i] = held


@rule
def laplacian(T, rows, columns, lap):
    """lap[i] = sum over neighbours of T_j - T_i, borders insulated."""
    for r in range(rows):
        here = T[r * columns : (r + 1) * columns]
        out = lap[r * columns : (r + 1) * columns]
        up = T[(r - 1) * columns : r * columns] if r > 0 else here
        down = T[(r + 1) * columns : (r + 2) * columns] if r + 1 < rows else here
        for k in range(1, columns - 1):
            out[k] = here[k - 1] + here[k + 1] + up[k] + down[k] - 4 * here[k]
        out[0] = here[min(1, columns - 1)] + up[0] + down[0] - 3 * here[0]
        if columns > 1:
            last = columns - 1
            out[last] = here[last - 1] + up[last] + down[last] - 3 * here[last]


@rule
def kicks(T, G, rows, columns, Ta, Se, Sc, R, h, first, tick, stream, key, spare, base, flux, load, device):
    """Noise held over a step: heat from the base and into each node (W), currents of load and device (A)."""
    n, root = T.size, 1 / math.sqrt(h)
    fill_normals(base[:n], spare[:n], first, tick, BASE, stream, key)
    for i in range(n):
        base[i] *= Ta * math.sqrt(2 * K_B * Se) * root
        flux[i] = base[i]
    for draw in (RIGHT, DOWN):
        fill_normals(load[:n], spare[:n], first, tick, draw, stream, key)
        for i in range(n):
            other = i + 1 if draw == RIGHT else i + columns
            if (i + 1) % columns != 0 if draw == RIGHT else i + columns < n:
                q = math.sqrt(2 * K_B * max(T[i] * T[other], 0.0) * Sc) * root * load[i]
                flux[i] -= q
                flux[other] += q
    fill_normals(load[:n], spare[:n], first, tick, FROM_LOAD, stream, key)
    fill_normals(device[:n], spare[:n], first, tick, FROM_DEVICE, stream, key)
    for i in range(n):
        load[i] *= math.sqrt(2 * K_B * Ta / R) * root
        device[i] *= math.sqrt(2 * K_B * max(T[i], 0.0) * G[i]) * root


def _advance(
    T, V, current, W, Q, m, p, u, Ta, R, C, Cth, Se, Sc, rows, columns, h, steps, noisy, first, tick, stream, key, top
):
    """Take steps of length h; T, V, current, W (work), Q (heat out) are rows. Returns the first bad node, or -1."""
    n = T.size
    G, lap, scratch = np.empty(n), np.zeros(n), np.zeros((5, n))
    spare, base, flux, load, device = scratch[0], scratch[1], scratch[2], scratch[3], scratch[4]
    for s in range(steps):
        look_all(T, m, p)
        conductances(T, G, m, p)
        if Sc > 0:
            laplacian(T, rows, columns, lap)
        if noisy:
            kicks(T, G, rows, columns, Ta, Se, Sc, R, h, first, tick + s, stream, key, spare, base, flux, load, device)
        for i in range(n):
            through = (u[i] - V[i]) / R + load[i]
            current[i] = V[i] * G[i] + device[i]
            out = Se * (T[i] - Ta) - base[i]
            W[i] += h * u[i] * through
            Q[i] += h * (out + (u[i] - V[i]) * through)
            T[i] += h / Cth * (V[i] * current[i] - Se * (T[i] - Ta) + Sc * lap[i] + flux[i])
            V[i] += h / C * (through - current[i])
        hottest = 0.0
        for i in range(n):
            hottest = max(hottest, abs(T[i])) if T[i] == T[i] and V[i] == V[i] else np.inf
        if hottest > top:
            for i in range(n):
                if not (abs(T[i]) <= top and V[i] == V[i]):
                    return i, s
    return -1, 0


_steps = keep(njit(_advance, error_model="numpy", nogil=True), "lattices of devices", 9.0)


def lattice(
    device: Device,
    drive: ArrayLike,
    t: ArrayLike,
    *,
    shape: tuple[int, ...],
    coupling: float,
    dt: float,
    node: ArrayLike = 0.0,
    T: ArrayLike | None = None,
    samples: int = 1,
    ambient: float | None = None,
    noise: bool = False,
    seed: int = 0,
    stream: int = 0,
) -> LatticeTrace:
    """Return what coupled VO2 neuristors of ``shape``, (rows, columns) or (n,), do at times t (n_t,), in steps of dt.

    drive: source voltage, a number or (n,); node, T: starting values, broadcast to (samples, n), all on the heating
    branch. dt is shortened to a whole number of steps between times. Errors: T402, T403, T404, T405, and T410 with
    node and time.
    """
    times, (rows, columns) = np.atleast_1d(numbers("t", t)), _sides(shape)
    coupling, dt = (float(spread(name, value, ())) for name, value in (("coupling", coupling), ("dt", dt)))
    dimensions, n = np.size(shape), rows * columns
    _check(device, dimensions, coupling, times, dt)
    samples, (key, stream, _) = count("samples", samples, least=1), counters(seed, stream)
    c, p = device.circuit[0], device.parameters[0]
    Ta = float(spread("ambient", device.ambient[0] if ambient is None else ambient, ()))
    check_ambient(device, np.array([[Ta]]))
    S = float(c[CONDUCTANCE])
    Sc, Se = coupling * S, S * (1 - 2 * dimensions * coupling)
    heat, voltage = spread("T", Ta if T is None else T, (samples, n)), spread("node", node, (samples, n))
    check_state(device, heat.ravel(), device.start[:, 1])
    u = spread("drive", drive, (n,))
    memory = np.zeros((samples, 5, n))
    memory[:, vo2.DIRECTION] = 1.0
    memory[:, vo2.LAST] = heat
    out, ledger = np.zeros((3, len(times), samples, n)), np.zeros((2, samples, n))
    kept, current, tick = np.zeros((3, len(times), samples)), np.zeros((samples, n)), 0
    start = heat.copy(), voltage.copy()
    for j in range(len(times)):
        if j:
            span = times[j] - times[j - 1]
            steps = max(1, int(np.ceil(span / dt - 1e-6)))
            for k in range(samples):
                rest = (
                    Ta,
                    float(c[LOAD]),
                    float(c[CAPACITANCE]),
                    float(c[CAPACITY]),
                    Se,
                    Sc,
                    rows,
                    columns,
                    span / steps,
                    steps,
                )
                bad, s = _steps(
                    heat[k],
                    voltage[k],
                    current[k],
                    *ledger[:, k],
                    memory[k],
                    p,
                    u,
                    *rest,
                    noise,
                    k * n,
                    tick,
                    stream,
                    key,
                    device.limit,
                )
                if bad >= 0:
                    notes = [
                        f"at t = {times[j - 1] + (s + 1) * span / steps:.6g} s, sample {k}, node {bad}",
                        f"temperature {heat[k, bad]:.6g} K, limit {device.limit:.6g} K",
                        f"current {current[k, bad]:.6g} A at {voltage[k, bad]:.6g} V",
                    ]
                    raise error(
                        "T410", "vo2: the device runs away", notes=notes, hint="take a smaller dt, or lower the drive"
                    )
            tick += steps
        out[:, j] = heat, voltage, current
        kept[0, j], kept[1, j] = ledger.sum(axis=-1)
        C, Cth = c[CAPACITANCE], c[CAPACITY]
        kept[2, j] = (Cth * (heat - start[0]) + 0.5 * C * (voltage - start[1]) * (voltage + start[1])).sum(axis=-1)
    return LatticeTrace(t=times, T=out[0], node=out[1], current=out[2], work=kept[0], heat=kept[1], stored=kept[2])


def _sides(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return rows and columns of a shape, (rows, columns) or (n,). Errors: T402."""
    try:
        sides = [int(size) for size in shape]
        fits = 1 <= len(sides) <= 2 and sides == list(shape) and min(sides) >= 1
    except (TypeError, ValueError, OverflowError):
        sides, fits = [], False
    if not fits:
        raise error("T402", f"a lattice has one or two dimensions of whole numbers, not the shape {shape!r}")
    if math.prod(sides) > MOST_NODES:
        raise error("T402", f"a lattice of {math.prod(sides)} nodes is too large", notes=[f"at most {MOST_NODES}"])
    return (sides[0], sides[1]) if len(sides) > 1 else (1, sides[0])


def _check(device: Device, dimensions: int, coupling: float, times: NDArray, dt: float) -> None:
    if device.model != Model.VO2 or device.count != 1 or device.circuit[0, INNER] != 0:
        raise error(
            "T404",
            "a lattice is made of one kind of vo2 device without inner resistance",
            notes=[f"got {device.count} of {device.name}"],
        )
    C, Cth, S = (device.circuit[0, k] for k in (CAPACITANCE, CAPACITY, CONDUCTANCE))
    if not (C > 0 and Cth > 0 and np.isfinite(S)):
        notes = [f"circuit_capacitance is {C:g} F, heat_capacity {Cth:g} J/K"]
        raise error("T405", "a node of a lattice needs a capacitor and a heat capacity", notes=notes)
    if not 0 <= coupling <= MOST_COUPLING[dimensions]:
        raise error(
            "T405",
            f"coupling is {coupling}",
            notes=[f"in {dimensions} dimensions it lies between 0 and {MOST_COUPLING[dimensions]}"],
        )
    if times.ndim != 1 or not times.size or not np.isfinite(times).all() or (np.diff(times) <= 0).any() or not dt > 0:
        raise error("T403", "times must be finite and rise, and dt be positive", notes=[f"dt is {dt}"])
