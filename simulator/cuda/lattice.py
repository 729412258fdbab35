"""Lattices of VO2 neuristors on a GPU: the rules of ``devices.lattice_rules``, a node a thread."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from thermoc.simulator.cuda.compiler import Kernel, device_function
from thermoc.simulator.cuda.gpu import device as found
from thermoc.simulator.cuda.source import MEETING
from thermoc.simulator.devices import lattice_rules
from thermoc.simulator.devices.lattice_rules import BASE, DOWN, FROM_DEVICE, FROM_LOAD, RIGHT, LatticeSamples, Neuristor
from thermoc.simulator.devices.model import MEMORY
from thermoc.simulator.devices.models import vo2
from thermoc.simulator.devices.records import DeviceDraws
from thermoc.simulator.kernels.scalar.noise import normal
from thermoc.simulator.kernels.thermal import HALF, LOW, philox, uniform64
from thermoc.support.units import K_B

ROWS = ("T", "V", "current", "work", "heat", "memory", "G", "lap", "kicks")
"""What nodes have on the device, (samples n,) each; memory (samples n, 5), kicks (samples n, 4)."""
NEVER = np.iinfo(np.int64).max
TEXT = """
def run(T, V, current, work, heat, memory, G, lap, kicks, u, reals, moved, bad, arrivals, numbers):
    points, n, columns, steps = numbers[0], numbers[1], numbers[2], numbers[3]
    noisy, first, tick, stream, key = numbers[4], numbers[5], numbers[6], numbers[7], np.uint64(numbers[8])
    node, h = {neuristor}, reals[{reals}]
    thread, threads, arrived = cuda.grid(1), cuda.gridsize(1), 0
    for step in range(steps):
        for p in range(thread, points, threads):
            s = p // n
            if bad[s] == NEVER:
                cuda.atomic.max(moved, s, travelled(T[p], memory[5 * p + LAST], node.parameters))
        arrived += cuda.gridDim.x
        meet(True, arrivals, arrived)
        for p in range(thread, points, threads):
            s = p // n
            i = p - s * n
            own = memory[5 * p : 5 * p + 5]
            if moved[s] > node.parameters.reversal_step:
                look_at(T[p], own, node.parameters)
            G[p] = conductance(T[p], own[0], own[1], own[2], own[3], node.parameters)
            lap[p] = laplacian(T, p, i, n, columns) if node.lateral > 0 else 0.0
            if noisy:
                held = kicks[4 * p : 4 * p + 4]
                draw_kicks(held, T, G[p], p, i, n, columns, node, h, first + p, tick + step, stream, key)
        arrived += cuda.gridDim.x
        meet(True, arrivals, arrived)
        for p in range(thread, points, threads):
            s = p // n
            if p == s * n:
                moved[s] = 0.0
            if bad[s] == NEVER or bad[s] // n == step:
                held = kicks[4 * p], kicks[4 * p + 1], kicks[4 * p + 2], kicks[4 * p + 3]
                T[p], V[p], current[p], done, out = euler(T[p], V[p], G[p], lap[p], u[p - s * n], held, node, h)
                work[p] += done
                heat[p] += out
                if not (abs(T[p]) <= node.hottest and V[p] == V[p]):
                    cuda.atomic.min(bad, s, step * n + p - s * n)
        arrived += cuda.gridDim.x
        meet(True, arrivals, arrived)
"""


def laplacian(T, p, i, n, columns):
    """Sum over the neighbours of node i of T_j - T, in the order of ``lattice_rules.laplacian``; borders insulated."""
    k, middle = i % columns, T[p]
    up = T[p - columns] if i >= columns else middle
    down = T[p + columns] if i + columns < n else middle
    if 0 < k < columns - 1:
        return T[p - 1] + T[p + 1] + up + down - 4 * middle
    if k == 0:
        return T[p + min(1, columns - 1)] + up + down - 3 * middle
    return T[p - 1] + up + down - 3 * middle


def drawn(element, tick, draw, stream, key):
    """A standard normal."""
    k0, k1 = np.uint64(key) & LOW, np.uint64(key) >> HALF
    w0, w1, w2, w3 = philox(np.uint64(element), np.uint64(tick), np.uint64(draw), np.uint64(stream), k0, k1)
    return normal(uniform64(w0, w1), uniform64(w2, w3))


draw_normal = device_function(drawn)
heat_of_bond = device_function(lattice_rules.bond.py_func)


def draw_kicks(kicks, T, G, p, i, n, columns, node, h, element, tick, stream, key):
    """Set the noise of a node, over a step of length h: heat from the base, flux (W), currents of load and device (A).

    A bond's normal is that of its left or upper node: both ends compute the same number.
    """
    root = 1 / math.sqrt(h)
    Ta, R = node.ambient, node.load
    base = draw_normal(element, tick, BASE, stream, key) * (Ta * math.sqrt(2 * K_B * node.base) * root)
    flux = base
    for draw in (RIGHT, DOWN):
        step = 1 if draw == RIGHT else columns
        before, after = (
            (i % columns, (i + 1) % columns) if draw == RIGHT else (max(i - columns + 1, 0), max(n - i - columns, 0))
        )
        if before != 0:
            flux += heat_of_bond(T[p - step], T[p], draw_normal(element - step, tick, draw, stream, key), root, node)
        if after != 0:
            flux -= heat_of_bond(T[p], T[p + step], draw_normal(element, tick, draw, stream, key), root, node)
    load, device = (
        draw_normal(element, tick, FROM_LOAD, stream, key),
        draw_normal(element, tick, FROM_DEVICE, stream, key),
    )
    kicks[0], kicks[1] = base, flux
    kicks[2] = load * (math.sqrt(2 * K_B * Ta / R) * root)
    kicks[3] = device * (math.sqrt(2 * K_B * max(T[p], 0.0) * G) * root)


@cache
def kernel() -> Kernel:
    """Return the kernel: steps of all nodes of all samples, with barriers between."""
    fields = len(vo2.Vo2Parameters._fields)
    parameters = ", ".join(f"reals[{k}]" for k in range(fields))
    arguments = ", ".join(f"reals[{fields + k}]" for k in range(len(Neuristor._fields) - 1))
    text = MEETING + TEXT.format(neuristor=f"Neuristor(Vo2Parameters({parameters}), {arguments})", reals=fields + 7)
    functions = {
        "travelled": lattice_rules.travelled.py_func,
        "look_at": vo2.look_together.py_func,
        "conductance": lattice_rules.conductance.py_func,
        "euler": lattice_rules.euler.py_func,
        "laplacian": laplacian,
        "draw_kicks": draw_kicks,
    }
    names: dict[str, Any] = {name: device_function(function) for name, function in functions.items()}
    names |= {"Neuristor": Neuristor, "Vo2Parameters": vo2.Vo2Parameters, "NEVER": NEVER, "LAST": vo2.LAST}
    kinds = ["float64"] * 12 + ["int64"] * 3
    modules = lattice_rules.__name__, vo2.__name__, __name__
    return Kernel(
        text=text, names=names, arrays=tuple(kinds), title="lattices on the GPU", seconds=4.0, modules=modules
    )


class DeviceLattice:
    """The nodes of all samples on a device: rows (samples, n); see ``lattice_rules.Samples``."""

    def __init__(self, node: Neuristor, now: LatticeSamples, sides: tuple[int, int], u: Any):
        device = found()
        self._device, (self._samples, self._n), self._columns = device, now.T.shape, sides[1]
        memory = np.moveaxis(now.memory, 1, 2)
        rows = (now.T, now.V, now.current, now.work, now.heat, memory, now.T, now.T, np.zeros((*now.T.shape, 4)))
        self._rows = [device.upload(np.ascontiguousarray(row).reshape(-1)) for row in rows]
        self._u, self._node = device.upload(u), [*node.parameters, *node[1:]]

    def advance(self, h: float, steps: int, draws: DeviceDraws) -> tuple[int, int, int] | None:
        """Take steps of length h; return (sample, node, step) of the first sample's first bad node, or None."""
        device, n, samples = self._device, self._n, self._samples
        reals = device.upload(np.array([*self._node, h]))
        moved, bad = device.upload(np.zeros(samples)), device.upload(np.full(samples, NEVER))
        key = int(np.uint64(draws.key).astype(np.int64))
        numbers = [samples * n, n, self._columns, steps, draws.noisy, draws.element, draws.tick, draws.stream, key]
        arrays = *self._rows, self._u, reals, moved, bad
        blocks = max(1, min(device.resident(kernel()), -(-samples * n // device.threads)))
        arguments = device.upload(np.zeros(1, np.int64)), device.upload(np.array(numbers, np.int64))
        device.launch(kernel(), blocks, [*arrays, *arguments])
        first = device.read(bad)
        for s in np.flatnonzero(first != NEVER).tolist()[:1]:
            return s, int(first[s] % n), int(first[s] // n)
        return None

    def read(self, now: LatticeSamples) -> None:
        """Copy the nodes back."""
        shape = self._samples, self._n
        for name, row in zip(ROWS, self._rows[:5]):
            getattr(now, name)[...] = self._device.read(row).reshape(shape)
        memory = self._device.read(self._rows[5]).reshape(*shape, MEMORY)
        now.memory[...] = np.moveaxis(memory, 2, 1)
