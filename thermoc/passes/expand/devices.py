"""Devices as a step of length dt: their state in a delay, their noise as normals; Euler's step in core ops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from thermoc.ir.device_library import STATES, library
from thermoc.ir.dialects import core, devices, thermo
from thermoc.ir.values import Value
from thermoc.passes.expand.rule_tracing import RuleTracer, Untraceable
from thermoc.passes.rewriting import Expression, Rewriter
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import error
from thermoc.support.units import K_B

SHOWN = {"T": STATES + 2, "x": 1, "node": 2, "current": STATES, "v": STATES + 1, "work": STATES + 3, "heat": STATES + 4}
"""Where each result of a device stands among the numbers of a unit after a tick."""
ROWS = ("parameters", "circuit", "domain", "scale", "ends", "link")


def device(op: devices.DeviceDynamics, w: Rewriter) -> tuple[Expression, ...]:
    """now' = the tick's steps of now (P17, P27): one implementation for every target that has it."""
    (n,) = op.T.shape
    now = w.delay(op.initial, op.initial)
    z = _normals(op, w, n, w.numbers(op.link).size) if op.noise else None
    drive = {"source": w.broadcast(op.source, (n,)), "T_ambient": w.broadcast(op.T_ambient, (n,))}
    rows = {name: getattr(op, name) for name in ROWS}
    how = {"model": op.model, "method": op.method, "steps": op.steps, "tolerance": op.tolerance}
    h = w.dt * op.seconds / op.steps
    after = w(devices.DeviceStep, now=now, z=z, h=h, **drive, **rows, **how)
    w.feed(now, _columns(w, after, n, 0, STATES))
    return tuple(w.reshape(_columns(w, after, n, k, k + 1), (n,)) for k in SHOWN.values())


def _columns(w: Rewriter, after: Expression, n: int, first: int, stop: int) -> Expression:
    return w(core.Slice, x=after, starts=(0, first), stops=(n, stop), steps=(1, 1))


def _normals(op: devices.DeviceDynamics, w: Rewriter, n: int, links: int) -> Expression:
    """Return the noise of a tick, in the order of ``thermo.device_step``."""
    shapes = [(op.steps, n)] * 3 + ([(op.steps, links)] if links else [])
    parts = [
        w(thermo.Normal, shape=shape, stream=op.stream, draw=draw, dtype=w.dtype) for draw, shape in enumerate(shapes)
    ]
    return w(core.Concat, xs=tuple(w.reshape(value, (math.prod(value.shape),)) for value in parts), axis=0)


MOST_UNROLLED = 64
"""Steps of a tick that are written one after another."""


def device_step(op: devices.DeviceStep, w: Rewriter) -> Expression:
    """Euler's step in core ops, by the same rules: a device that runs away becomes no number. Errors: T301."""
    try:
        return _EulerTick(op, w).written()
    except Untraceable as why:
        what = f"{op.opname} ({op.after.name}), a step of {op.model}, has no form in core ops"
        hint = "method='euler', circuit_inner=0 and a capacitor say most devices; targets sim and chip hold all"
        raise error("T301", what, where=op.location, notes=[str(why)], hint=hint) from None


class _EulerTick:
    """The steps of a tick, written for all units at once; y: temperature, state, node; m: memory."""

    def __init__(self, op: devices.DeviceStep, w: Rewriter):
        if op.method != "euler":
            raise Untraceable(f"{op.method} repeats until a step is solved")
        if op.steps > MOST_UNROLLED:
            raise Untraceable(f"{op.steps} steps a tick would be written one after another, at most {MOST_UNROLLED}")
        self._op, self._w, (self._n, _) = op, w, op.now.shape
        columns = [w.reshape(self._column(op.now, k), (self._n,)) for k in range(STATES)]
        self._y: list[Any] = columns[:3]
        self._m: list[Any] = columns[3:8]
        self._noise: list[Any] = [0.0] * 3
        self._out: list[Any] = [0.0] * 8
        self._rest = columns[8]
        numbers = {name: self._split(w.numbers(getattr(op, name))) for name in ("parameters", "circuit")}
        drive = (w[op.source], w[op.T_ambient])
        self._device = library().traced(op.model, **numbers, drive=drive, memory=self._m, noise=self._noise)
        self._trace = RuleTracer(w, [self._y, self._m, self._out], self._device.instead)

    def written(self) -> Expression:
        """Return ``after``."""
        op, w = self._op, self._w
        work: Any = 0.0
        heat: Any = 0.0
        for step in range(op.steps):
            inflow = self._inflow(step)
            self._look()
            self._draw(step)
            out = self._rates(inflow)
            self._y[:] = [w[old] + self._whole(rate) * op.h for old, rate in zip(self._y, out[:3])]
            work, heat = self._whole(out[3]) * op.h + work, self._whole(out[4]) * op.h + heat
        self._noise[:] = [0.0] * 3
        shown = self._rates(0.0)[5:8]
        columns = [*self._y, *self._m, self._rest, *shown, work, heat]
        return w(core.Concat, xs=tuple(w.reshape(self._whole(column), (self._n, 1)) for column in columns), axis=1)

    def _rates(self, inflow: Any) -> list[Any]:
        self._trace(self._device.rates, self._device.problem(inflow), self._y, self._out)
        return list(self._out)

    def _look(self) -> None:
        """Turn hysteretic units that went back: each by itself, or coupled ones together once any went far enough."""
        device, T = self._device, self._y[0]
        if device.look is None:
            return
        if not self._w.numbers(self._op.link).size:
            self._trace(device.look, T, self._m, device.parameters)
            return
        far = self._trace(device.travelled, T, self._m, device.parameters)
        any_far = self._w.broadcast(self._w(core.Reduce, x=far, kind="max", axes=(0,)), (self._n,)) > 0.0
        before = list(self._m)
        self._trace(device.look_together, T, self._m, device.parameters)
        self._m[:] = [new if new is old else self._w.select(any_far, new, old) for new, old in zip(self._m, before)]

    def _draw(self, step: int) -> None:
        """Hold the step's noise: white noise of unit power has the variance 1 / h."""
        op, n = self._op, self._n
        if op.z is None:
            return
        for d in range(3):
            self._noise[d] = self._part((d * op.steps + step) * n, n) * (1 / np.sqrt(op.h))

    def _part(self, first: int, size: int) -> Expression:
        assert self._op.z is not None
        return self._w(core.Slice, x=self._op.z, starts=(first,), stops=(first + size,), steps=(1,))

    def _inflow(self, step: int) -> Any:
        """Return W that flows into each unit over its links (P17, P27)."""
        op, w, n = self._op, self._w, self._n
        G, ends = w.numbers(op.link), w.numbers(op.ends)
        if not G.size:
            return 0.0
        joins = np.zeros((len(G), n))
        np.add.at(joins, (np.arange(len(G)), ends[:, 0]), 1.0)
        np.add.at(joins, (np.arange(len(G)), ends[:, 1]), -1.0)
        T = self._y[0]
        q = w.affine(T, joins) * G
        if op.z is not None:
            near, far = (w.affine(T, np.where(joins == sign, 1.0, 0.0)) for sign in (1.0, -1.0))
            z = self._part(3 * op.steps * n + step * len(G), len(G))
            q = q + w.sqrt(w.maximum(near * far, 0.0) * (2 * K_B * G / op.h)) * z
        return -w.affine(q, joins.T)

    def _column(self, x: Value, k: int) -> Expression:
        return _columns(self._w, self._w[x], self._n, k, k + 1)

    def _split(self, rows: AnyArray) -> list[Any]:
        """Return the columns of values: numbers where all units share them, else arrays (n,)."""
        return [float(column[0]) if (column == column[0]).all() else column.copy() for column in rows.T]

    def _whole(self, x: Any) -> Expression:
        """Return a number or value as (n,)."""
        value = x if isinstance(x, Expression) else self._w.constant(np.broadcast_to(x, (self._n,)))
        return value if value.shape == (self._n,) else self._w.broadcast(value, (self._n,))
