"""Coupled p-bits, colour by colour in the chip's ticks: each update with the words the network would have drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.dialects import core
from thermoc.ir.graph import Graph
from thermoc.ir.reference.meaning import Context
from thermoc.passes import counterparts
from thermoc.passes.counterparts import Population
from thermoc.passes.quantize_drives import Term
from thermoc.passes.quantize_units import NoisyUnit, couplings
from thermoc.verification.unit_gaps import UnitGap

if TYPE_CHECKING:
    from thermoc.verification.populations import Said


def judged(graph: Graph, population: Population, said: Said) -> UnitGap:
    """Return whether each unit took the level that its field and its noise say, at every turn of its colour.

    s = [f > T logit(u)], f = J s + h, twice that for spins, of what its neighbours said a tick of the chip before.
    """
    unit = population.design.unit
    assert isinstance(unit, NoisyUnit) and unit.turn is not None
    op: Any = unit.op
    steps = said.chip.steps(population)  # (1 + ticks * every, batch, units)
    low = -1.0 if op.levels == "spin" else 0.0
    factor = 2.0 if op.levels == "spin" else 1.0
    ticks, batch, n = said.setting.ticks, said.setting.batch, unit.size
    J = couplings(op, {c.y.name: c.value.numpy for c in graph.of(core.Constant)}).matrix().rows
    h, T = (_spread(said.probes[value.name], n) for value in (op.h, op.T))
    margin, slack = np.zeros((ticks, batch, n)), np.zeros((ticks, batch, n))
    wrong = np.zeros((ticks, batch, n), bool)
    size = off = 0.0
    for tick in range(ticks):
        ctx = Context(tick=tick, dt=graph.dt, seed=said.setting.seed, batch=batch)
        for sub in range(population.every):
            turn, sweep = sub % unit.turns, sub // unit.turns % op.sweeps
            step = tick * population.every + sub
            was, now = steps[step].astype(float), steps[step + 1].astype(float)
            members = unit.turn == turn if sub < unit.turns * op.sweeps else np.zeros(n, bool)
            u = ctx.uniform(op.s.type, op.stream, sweep)
            noise = T[tick] * (np.log(u) - np.log1p(-u))
            field = factor * ((J @ was.T).T + h[tick])
            drive = counterparts.of_drive(population, lambda term, w=was, t=tick: _now(said, unit, term, w, t))
            bound = drive.drive.T + counterparts.of_noise(population, T[tick])
            size, off = size + float(drive.size.mean()), off + float(drive.drive.mean())
            up = now > low
            here = members & np.where(up, field - noise < -bound, field - noise > bound)
            held = ~members & (now != was)
            new = (here | held) & ~wrong[tick]
            margin[tick], slack[tick] = np.where(new, field - noise, margin[tick]), np.maximum(slack[tick], bound)
            wrong[tick] |= here | held
    found = said.sent[unit.name]
    expected = np.where(wrong, low + 1 - found + (low == -1), found) if low == 0 else np.where(wrong, -found, found)
    return UnitGap(
        name=unit.name,
        shape=unit.shape,
        discrete=True,
        found=found,
        expected=expected,
        low=expected,
        high=expected,
        slack=slack,
        share=off / size if size else 0.0,
    )


def _spread(array: NDArray, n: int) -> NDArray:
    """Return a probed value (ticks, batch, n)."""
    return np.broadcast_to(array[..., :n], (*array.shape[:2], n))


def _now(said: Said, unit: NoisyUnit, term: Term, was: NDArray, tick: int) -> tuple[NDArray, NDArray]:
    if term.source == unit.name:
        return was.T, np.zeros((unit.size, 1))
    x, off = said(term)
    batch = len(was)
    here = slice(tick * batch, (tick + 1) * batch)
    return x[:, here], off[:, here]
