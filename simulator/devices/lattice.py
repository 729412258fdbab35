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
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thermoc.simulator.arrays import count, counters, numbers, spread
from thermoc.simulator.devices.device import Device, check_ambient, check_state
from thermoc.simulator.devices.lattice_rules import LatticeSamples, Neuristor, advance
from thermoc.simulator.devices.model import MEMORY
from thermoc.simulator.devices.models import vo2
from thermoc.simulator.devices.records import CAPACITANCE, CAPACITY, CONDUCTANCE, INNER, DeviceDraws, Row
from thermoc.support.errors import ThermocError, error

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
    return _run(neuristor, start, stepper, times, dt, DeviceDraws(bool(noise), 0, 0, stream, key))


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

    def advance(self, h: float, steps: int, draws: DeviceDraws) -> tuple[int, int, int] | None:
        """Take steps of length h; return (sample, node, step) of the first bad node, or None."""
        ...

    def read(self, now: LatticeSamples) -> None:
        """Bring the nodes to ``now``."""
        ...


class HostLattice:
    """Nodes that are stepped where they are."""

    def __init__(self, node: Neuristor, now: LatticeSamples, sides: tuple[int, int], u: Row):
        self._node, self._now, self._sides, self._u = node, now, sides, u

    def advance(self, h: float, steps: int, draws: DeviceDraws) -> tuple[int, int, int] | None:
        """Take steps of length h; return (sample, node, step) of the first bad node, or None."""
        for k in range(len(self._now.T)):
            # samples differ in the elements that they draw, as if they were further nodes
            positions = draws._replace(element=k * self._now.T.shape[1])
            bad, s = advance(self._now.nodes(k), self._node, self._sides, self._u, h, steps, positions)
            if bad >= 0:
                return k, bad, s
        return None

    def read(self, now: LatticeSamples) -> None:
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


def _start(T: Row, V: Row) -> LatticeSamples:
    memory = np.zeros((len(T), MEMORY, T.shape[1]))
    memory[:, vo2.DIRECTION] = 1.0
    memory[:, vo2.LAST] = T
    zeros = np.zeros((3, *T.shape))
    return LatticeSamples(T=T, V=V, current=zeros[0], work=zeros[1], heat=zeros[2], memory=memory)


def _run(
    node: Neuristor, now: LatticeSamples, stepper: Stepper, times: Row, dt: float, draws: DeviceDraws
) -> LatticeTrace:
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


def _runaway(node: Neuristor, now: LatticeSamples, k: int, i: int, t: float) -> ThermocError:
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
