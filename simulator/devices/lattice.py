"""VO2 neuristors on a rectangle, neighbours coupled by heat: explicit Euler, as the model's authors step it (Ito).

C_th dT/dt = v i - S_e (T - T_b) + S_c lap T, S_c = c S_th, S_e = (1 - 4 c) S_th (1 - 2 c in one dimension), borders
insulated. With noise every thermal path, to the base or between neighbours, carries its own flux (P27), and load and
device their Johnson currents (P28). Philox at (sample n + node, tick, draw, stream): draws 0 base, 1 right, 2 down,
3 load, 4 device.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from thermoc.simulator.arrays import count, counters, numbers, spread
from thermoc.simulator.cache import keep
from thermoc.simulator.devices.device import Device, check_ambient, check_state
from thermoc.simulator.devices.model import MEMORY
from thermoc.simulator.devices.models import vo2
from thermoc.simulator.devices.records import CAPACITANCE, CAPACITY, CONDUCTANCE, INNER, Draws, Row
from thermoc.simulator.devices.rule import inner, rule
from thermoc.simulator.kernels import scalar
from thermoc.simulator.kernels.thermal import fill_normals
from thermoc.support.errors import ThermocError, error
from thermoc.support.units import K_B

FAR = 600.0
BASE, RIGHT, DOWN, FROM_LOAD, FROM_DEVICE = range(5)
# beyond these nothing of the conductance would be left for the base: it would have to be negative
MOST_COUPLING = {1: 0.5, 2: 0.25}
MOST_NODES = 1 << 26
"""Of one sample: the elements that draws are numbered by are below 2^32."""


@dataclass(frozen=True, kw_only=True)
class LatticeTrace:
    """Rows are times, then samples and nodes (row by row), SI; ``current`` is that of the step that ends at the time.

    work, heat, stored: (n_t, samples) J since t[0], as in ``DeviceTrace``; Euler's steps close them to order dt.
    """

    t: NDArray
    T: NDArray
    node: NDArray
    current: NDArray
    work: NDArray
    heat: NDArray
    stored: NDArray


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
def look_at(T, memory, p):
    """Turn a node that went back; memory: its row (5,)."""
    fitted = min(max(T, p.fit_from), p.fit_to)
    if (fitted - memory[vo2.LAST]) * memory[vo2.DIRECTION] < 0:
        vo2.reverse(fitted, memory, p)
    memory[vo2.LAST] = fitted


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
        look_at(T[i], m[:, i], p)


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
        held = base[i], flux[i], load[i], device[i]
        T[i], V[i], current[i], work, heat = euler(T[i], V[i], G[i], lap[i], u[i], held, node, h)
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
def _advance(nodes, node, shape, u, h, steps, draws):
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
            positions = Draws(True, draws.element, draws.tick + s, draws.stream, draws.key)
            draw_kicks(nodes, G, shape, node, h, positions, spare, kicks)
        step(nodes, G, lap, kicks, node, u, h)
        bad = first_beyond(nodes.T, nodes.V, node.hottest)
        if bad >= 0:
            return bad, s
    return -1, 0


_advance = keep(_advance, "lattices of devices", 9.0)


@dataclass(frozen=True, kw_only=True)
class Samples:
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
    processor: str = "cpu",
) -> LatticeTrace:
    """Return what coupled VO2 neuristors of ``shape``, (rows, columns) or (n,), do at times t (n_t,), in steps of dt.

    drive: source voltage, a number or (n,); node, T: starting values, broadcast to (samples, n), all on the heating
    branch. dt is shortened to a whole number of steps between times. processor: "cpu" or "cuda", which gives the same
    bits. Errors: T402, T403, T404, T405, T410 with node and time, and T421 for a GPU that is not there.
    """
    times, sides = np.atleast_1d(numbers("t", t)), _sides(shape)
    coupling, dt = (float(spread(name, value, ())) for name, value in (("coupling", coupling), ("dt", dt)))
    n = math.prod(sides)
    _check(device, np.size(shape), coupling, times, dt)
    samples, (key, stream, _) = count("samples", samples, least=1), counters(seed, stream)
    Ta = float(spread("ambient", device.ambient[0] if ambient is None else ambient, ()))
    check_ambient(device, np.array([[Ta]]))
    neuristor = _neuristor(device, coupling, np.size(shape), Ta)
    start = _start(spread("T", Ta if T is None else T, (samples, n)), spread("node", node, (samples, n)))
    check_state(device, start.T.ravel(), device.start[:, 1])
    u = spread("drive", drive, (n,))
    stepper = _stepper(processor)(neuristor, start, sides, u)
    return _run(neuristor, start, stepper, times, dt, Draws(bool(noise), 0, 0, stream, key))


def _stepper(processor: str) -> Callable[..., Stepper]:
    """Return what steps lattices on a processor. Errors: T303 for one that is none, T421."""
    if processor == "cuda":
        from thermoc.simulator.cuda.lattice import DeviceLattice

        return DeviceLattice
    if processor != "cpu":
        raise error("T303", "a lattice runs on cpu or cuda", notes=[f"processor = {processor!r}"])
    return HostLattice


class Stepper(Protocol):
    """Steps the nodes of all samples."""

    def advance(self, h: float, steps: int, draws: Draws) -> tuple[int, int, int] | None:
        """Take steps of length h; return (sample, node, step) of the first bad node, or None."""
        ...

    def read(self, now: Samples) -> None:
        """Bring the nodes to ``now``."""
        ...


class HostLattice:
    """Nodes that are stepped where they are."""

    def __init__(self, node: Neuristor, now: Samples, sides: tuple[int, int], u: Row):
        self._node, self._now, self._sides, self._u = node, now, sides, u

    def advance(self, h: float, steps: int, draws: Draws) -> tuple[int, int, int] | None:
        """Take steps of length h; return (sample, node, step) of the first bad node, or None."""
        for k in range(len(self._now.T)):
            # samples differ in the elements that they draw, as if they were further nodes
            positions = draws._replace(element=k * self._now.T.shape[1])
            bad, s = _advance(self._now.nodes(k), self._node, self._sides, self._u, h, steps, positions)
            if bad >= 0:
                return k, bad, s
        return None

    def read(self, now: Samples) -> None:
        """Nothing is to be brought."""


def _neuristor(device: Device, coupling: float, dimensions: int, ambient: float) -> Neuristor:
    """Return the device of every node: its thermal path leads to the neighbours in part, else to the base."""
    circuit = device.cell().circuit
    return Neuristor(
        parameters=vo2.Vo2Parameters(*device.parameters[0].tolist()),
        load=circuit.load,
        capacitance=circuit.capacitance,
        capacity=circuit.capacity,
        # the base takes what the neighbours leave: a node inside keeps the device's entire thermal conductance
        base=circuit.conductance * (1 - 2 * dimensions * coupling),
        lateral=coupling * circuit.conductance,
        ambient=ambient,
        hottest=device.limit,
    )


def _start(T: Row, V: Row) -> Samples:
    memory = np.zeros((len(T), MEMORY, T.shape[1]))
    memory[:, vo2.DIRECTION] = 1.0
    memory[:, vo2.LAST] = T
    zeros = np.zeros((3, *T.shape))
    return Samples(T=T, V=V, current=zeros[0], work=zeros[1], heat=zeros[2], memory=memory)


def _run(node: Neuristor, now: Samples, stepper: Stepper, times: Row, dt: float, draws: Draws) -> LatticeTrace:
    """Step all samples from time to time. Errors: T410."""
    shown, energy = np.zeros((3, len(times), *now.T.shape)), np.zeros((3, len(times), len(now.T)))
    T0, V0, tick = now.T.copy(), now.V.copy(), 0
    for j in range(len(times)):
        if j:
            span = times[j] - times[j - 1]
            # 1e-6 of slack: rounding of span / dt would otherwise add a step to a whole number of them
            steps = max(1, int(np.ceil(span / dt - 1e-6)))
            bad = stepper.advance(span / steps, steps, draws._replace(tick=tick))
            stepper.read(now)
            if bad is not None:
                sample, i, s = bad
                raise _runaway(node, now, sample, i, times[j - 1] + (s + 1) * span / steps)
            tick += steps
        shown[:, j] = now.T, now.V, now.current
        energy[:, j] = now.work.sum(axis=-1), now.heat.sum(axis=-1), now.stored(node, T0, V0)
    T, V, current = shown
    work, heat, stored = energy
    return LatticeTrace(t=times, T=T, node=V, current=current, work=work, heat=heat, stored=stored)


def _runaway(node: Neuristor, now: Samples, k: int, i: int, t: float) -> ThermocError:
    notes = [
        f"at t = {t:.6g} s, sample {k}, node {i}",
        f"temperature {now.T[k, i]:.6g} K, limit {node.hottest:.6g} K",
        f"current {now.current[k, i]:.6g} A at {now.V[k, i]:.6g} V",
    ]
    return error("T410", "vo2: the device runs away", notes=notes, hint="take a smaller dt, or lower the drive")


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
    if device.model is not vo2.MODEL or device.count != 1 or device.circuit[0, INNER] != 0:
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
