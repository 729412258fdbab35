"""What the nodes of a lattice of VO2 neuristors do in a step of explicit Euler (Ito): the rules, one node or all.

C_th dT/dt = v i - S_e (T - T_b) + S_c lap T; noise as in ``lattice``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit

from thermoc.simulator.cache import keep
from thermoc.simulator.devices.models import vo2
from thermoc.simulator.devices.records import DeviceDraws, Row
from thermoc.simulator.devices.rule import inner, rule
from thermoc.simulator.kernels import scalar
from thermoc.simulator.kernels.thermal import fill_normals
from thermoc.support.units import K_B

FAR = 600.0
BASE, RIGHT, DOWN, FROM_LOAD, FROM_DEVICE = range(5)


class Nodes(NamedTuple):
    """What the nodes of one sample are, as rows (n,): T in K, V in V, the current in A, work and heat in J.

    memory: (5, n) of their hysteresis.
    """

    T: Row
    V: Row
    current: Row
    work: Row
    heat: Row
    memory: Row


class Neuristor(NamedTuple):
    """The one device that all nodes are: its parameters, ohm, F, J/K, and W/K to the base and between neighbours.

    ambient: K of the base; hottest: K that no node may pass.
    """

    parameters: vo2.Vo2Parameters
    load: float
    capacitance: float
    capacity: float
    base: float
    lateral: float
    ambient: float
    hottest: float


class Kicks(NamedTuple):
    """Noise held over a step, rows (n,): heat from the base, into each node (W), currents of load and device (A)."""

    base: Row
    flux: Row
    load: Row
    device: Row


@inner
def conductance(T, direction, turned, at, proximity, p):
    """1 / R(T) on a node's branch; ``turned``, ``at`` and ``proximity`` are its memory.

    The same equation as ``vo2.resistance``, with tanh written by the exponential that has no branches.
    """
    fitted = min(max(T, p.fit_from), p.fit_to)
    y = (fitted - at) / (proximity + p.proximity_offset)
    # 1 + tanh z = 2 / (1 + e^(-2 z)): hence the factor two on both steepnesses;
    # proximity + offset may be next to zero, and y far beyond what the exponential takes
    tail = 1 / (1 + scalar.exp(min(max(4 * math.pi * y, -FAR), FAR) - 2 * math.pi * math.pi))
    shift = turned * proximity * (1 - scalar.sin_turns(p.ripple / (2 * math.pi) * y)) * tail
    middle = direction * (0.5 * p.hysteresis_width) + p.critical_temperature
    g = 1 / (1 + scalar.exp(-2 * p.steepness * (middle - (fitted + shift))))
    return 1 / (p.insulator_resistance * scalar.exp(p.activation_temperature / fitted) * g + p.metal_resistance)


@rule
def conductances(T, G, m, p):
    """G[i] is node i's conductance; m: (5, n) memory."""
    direction, turned, at, proximity = m[vo2.DIRECTION], m[vo2.REVERSED], m[vo2.TURNED_AT], m[vo2.PROXIMITY]
    for i in range(T.size):
        G[i] = conductance(T[i], direction[i], turned[i], at[i], proximity[i], p)


@inner
def travelled(T, last, p):
    """How far a node has moved since all were last looked at, K."""
    return abs(min(max(T, p.fit_from), p.fit_to) - last)


@rule
def look_all(T, m, p):
    """Turn nodes that went back, once any has moved by more than the reversal step since all were last looked at."""
    moved = 0.0
    # one pass that vectorises and ends here until some node has moved: the loop below branches
    for i in range(T.size):
        moved = max(moved, travelled(T[i], m[vo2.LAST, i], p))
    if moved <= p.reversal_step:
        return
    for i in range(T.size):
        vo2.look_together(T[i], m[:, i], p)


@rule
def laplacian(T, shape, lap):
    """lap[i] = sum over neighbours of T_j - T_i, borders insulated."""
    rows, columns = shape
    for r in range(rows):
        middle = T[r * columns : (r + 1) * columns]
        out = lap[r * columns : (r + 1) * columns]
        # an insulated border mirrors the row itself: its difference is zero
        up = T[(r - 1) * columns : r * columns] if r > 0 else middle
        down = T[(r + 1) * columns : (r + 2) * columns] if r + 1 < rows else middle
        # border columns apart: a test within the loop would keep it from vectorising
        for k in range(1, columns - 1):
            out[k] = middle[k - 1] + middle[k + 1] + up[k] + down[k] - 4 * middle[k]
        out[0] = middle[min(1, columns - 1)] + up[0] + down[0] - 3 * middle[0]
        if columns > 1:
            last = columns - 1
            out[last] = middle[last - 1] + up[last] + down[last] - 3 * middle[last]


@inner
def bond(T1, T2, normal, root, node):
    """Heat from the first of two neighbours to the second, W, held over a step of length 1 / root^2; normal: drawn."""
    # Euler's T may pass below 0 K in a draw: the root then is that of 0
    return math.sqrt(2 * K_B * max(T1 * T2, 0.0) * node.lateral) * root * normal


@rule
def draw_kicks(nodes, G, shape, node, h, draws, spare, kicks):
    """Fill the noise held over a step of length h. What a path takes from one neighbour it gives to the other."""
    T, n, root, columns = nodes.T, nodes.T.size, 1 / math.sqrt(h), shape[1]
    base, flux, load, device = kicks.base, kicks.flux, kicks.load, kicks.device
    first, tick, stream, key = draws.element, draws.tick, draws.stream, draws.key
    Ta, R = node.ambient, node.load
    fill_normals(base[:n], spare[:n], first, tick, BASE, stream, key)
    for i in range(n):
        base[i] *= Ta * math.sqrt(2 * K_B * node.base) * root
        flux[i] = base[i]
    for draw in (RIGHT, DOWN):
        fill_normals(load[:n], spare[:n], first, tick, draw, stream, key)
        # each bond is drawn once, at its left or upper node
        for i in range(n):
            neighbour = i + 1 if draw == RIGHT else i + columns
            if (i + 1) % columns != 0 if draw == RIGHT else i + columns < n:
                q = bond(T[i], T[neighbour], load[i], root, node)
                flux[i] -= q
                flux[neighbour] += q
    fill_normals(load[:n], spare[:n], first, tick, FROM_LOAD, stream, key)
    fill_normals(device[:n], spare[:n], first, tick, FROM_DEVICE, stream, key)
    for i in range(n):
        load[i] *= math.sqrt(2 * K_B * Ta / R) * root
        device[i] *= math.sqrt(2 * K_B * max(T[i], 0.0) * G[i]) * root


@inner
def euler(T, V, G, lap, u, kicks, node, h):
    """One Euler step of a node from its conductance: (T, V, current, work, heat); the last two are the step's, in J.

    lap: sum of T_j - T over its neighbours. kicks: base, flux, load, device.
    """
    base, flux, load, device = kicks
    through = (u - V) / node.load + load
    current = V * G + device
    # the flux to the base with its noise, and not C dT: the balance would prove nothing otherwise
    out = node.base * (T - node.ambient) - base
    # T and V still are the step's start here: explicit Euler's flows, by which the balance closes to order dt
    work, heat = h * u * through, h * (out + (u - V) * through)
    hotter = V * current - node.base * (T - node.ambient) + node.lateral * lap + flux
    return T + h / node.capacity * hotter, V + h / node.capacitance * (through - current), current, work, heat


@rule
def step(nodes, G, lap, kicks, node, u, h):
    """One Euler step of all nodes from their conductances G, and its work and heat."""
    T, V, current, W, Q = nodes.T, nodes.V, nodes.current, nodes.work, nodes.heat
    base, flux, load, device = kicks.base, kicks.flux, kicks.load, kicks.device
    for i in range(T.size):
        drive = base[i], flux[i], load[i], device[i]
        T[i], V[i], current[i], work, heat = euler(T[i], V[i], G[i], lap[i], u[i], drive, node, h)
        W[i] += work
        Q[i] += heat


@rule
def first_beyond(T, V, top):
    """The first node hotter than ``top`` or without a number, or -1; the maximum over all first, for it vectorises."""
    hottest = 0.0
    for i in range(T.size):
        hottest = max(hottest, abs(T[i])) if T[i] == T[i] and V[i] == V[i] else np.inf
    if hottest > top:
        for i in range(T.size):
            if not (abs(T[i]) <= top and V[i] == V[i]):
                return i
    return -1


@njit(error_model="numpy", nogil=True)
def advance(nodes, node, shape, u, h, steps, draws):
    """Take steps of length h. Returns the first bad node and its step, or -1."""
    n = nodes.T.size
    G, lap, scratch = np.empty(n), np.zeros(n), np.zeros((5, n))
    spare, kicks = scratch[0], Kicks(scratch[1], scratch[2], scratch[3], scratch[4])
    for s in range(steps):
        look_all(nodes.T, nodes.memory, node.parameters)
        conductances(nodes.T, G, nodes.memory, node.parameters)
        if node.lateral > 0:
            laplacian(nodes.T, shape, lap)
        if draws.noisy:
            positions = DeviceDraws(True, draws.element, draws.tick + s, draws.stream, draws.key)
            draw_kicks(nodes, G, shape, node, h, positions, spare, kicks)
        step(nodes, G, lap, kicks, node, u, h)
        bad = first_beyond(nodes.T, nodes.V, node.hottest)
        if bad >= 0:
            return bad, s
    return -1, 0


advance = keep(advance, "lattices of devices", 9.0)


@dataclass(frozen=True, kw_only=True)
class LatticeSamples:
    """The nodes of all samples: rows (samples, n), memory (samples, 5, n)."""

    T: Row
    V: Row
    current: Row
    work: Row
    heat: Row
    memory: Row

    def nodes(self, k: int) -> Nodes:
        """Return those of sample k, as kernels change them."""
        return Nodes(self.T[k], self.V[k], self.current[k], self.work[k], self.heat[k], self.memory[k])

    def stored(self, node: Neuristor, T0: Row, V0: Row) -> Row:
        """Return J in each sample (samples,) beyond those of T0 and V0: heat and charge."""
        charge = 0.5 * node.capacitance * (self.V - V0) * (self.V + V0)
        return (node.capacity * (self.T - T0) + charge).sum(axis=-1)
