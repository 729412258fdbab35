"""Coupled p-bits, colour by colour in the chip's ticks: each update with the words the network would have drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.dialects import core
from thermoc.ir.graph import Graph
from thermoc.ir.reference.meaning import Context
from thermoc.passes import counterparts
from thermoc.passes.counterparts import Counterpart
from thermoc.passes.loihi.drives import Term
from thermoc.passes.loihi.population_types import NoisyPopulation
from thermoc.passes.loihi.sampled_populations import couplings
from thermoc.verification.messages import Messages
from thermoc.verification.unit_gaps import UnitGap


def judged(graph: Graph, population: Counterpart, said: Messages) -> UnitGap:
    """Return whether each unit took the level that its field and its noise say, at every turn of its colour.

    s = [f > T logit(u)], f = J s + h, twice that for spins, of what its neighbours said a tick of the chip before. A
    unit whose turn it is not must keep its level.
    """
    unit = population.design.population
    assert isinstance(unit, NoisyPopulation) and unit.turn is not None
    phases = _Turns(graph, population, said, unit)
    sent, low = said.sent[unit.name], phases.low
    wrong, slack = np.zeros(sent.shape, bool), np.zeros(sent.shape)
    for tick in range(said.setting.ticks):
        for step in range(population.every):
            astray, bound = phases.astray(tick, step)
            wrong[tick] |= astray
            slack[tick] = np.maximum(slack[tick], bound)
    expected = np.where(wrong, low + 1 - sent, sent)
    return UnitGap(
        name=unit.name,
        shape=unit.shape,
        discrete=True,
        actual=sent,
        expected=expected,
        low=expected,
        high=expected,
        slack=slack,
        share=phases.error / phases.size if phases.size else 0.0,
    )


class _Turns:
    """The updates of a population; ``error`` and ``size`` add up what its drives may be off, and what they are."""

    def __init__(self, graph: Graph, population: Counterpart, said: Messages, unit: NoisyPopulation):
        self.dt, self.population, self.said, self.unit = graph.dt, population, said, unit
        self.op: Any = unit.op
        self.low = -1.0 if self.op.levels == "spin" else 0.0
        constants = {op.y.name: op.value.numpy for op in graph.of(core.Constant)}
        self.J = couplings(self.op, constants).matrix().rows
        self.h, self.T = (_spread(said.probes[value.name], unit.size) for value in (self.op.h, self.op.T))
        self.steps = said.chip.steps(population).astype(float)
        self.error = self.size = 0.0

    def astray(self, tick: int, step: int) -> tuple[NDArray, NDArray]:
        """Return which units (batch, units) did in a tick of the chip what they could not have, and their tolerance."""
        unit, step_index = self.unit, tick * self.population.every + step
        was, now = self.steps[step_index], self.steps[step_index + 1]
        phase, sweep = step % unit.turns, step // unit.turns
        members = (unit.turn == phase) & (sweep < self.op.sweeps)
        context = Context(tick=tick, dt=self.dt, seed=self.said.setting.seed, batch=self.said.setting.batch)
        u = context.uniform(self.op.s.type, self.op.stream, min(sweep, self.op.sweeps - 1))
        # A spin's energy changes by twice its field when it flips, a bit's by its field: 1 - low is 2 or 1.
        field = (1 - self.low) * ((self.J @ was.T).T + self.h[tick])
        # log1p keeps u near 1 exact, where log(1 - u) has lost its digits.
        margin = field - self.T[tick] * (np.log(u) - np.log1p(-u))
        bound = self._bound(tick, was)
        wrong = np.where(now > self.low, margin < -bound, margin > bound)
        return np.where(members, wrong, now != was), bound

    def _bound(self, tick: int, was: NDArray) -> NDArray:
        drive = counterparts.of_drive(self.population, lambda term: self._now(term, tick, was))
        self.error += float(drive.drive.mean())
        self.size += float(drive.size.mean())
        return drive.drive.T + counterparts.of_noise(self.population, self.T[tick])

    def _now(self, term: Term, tick: int, was: NDArray) -> tuple[NDArray, NDArray]:
        if term.source == self.unit.name:
            return was.T, np.zeros((self.unit.size, 1))
        batch = len(was)
        x, off = self.said(term)
        rows = slice(tick * batch, (tick + 1) * batch)
        return x[:, rows], off[:, rows]


def _spread(array: NDArray, n: int) -> NDArray:
    """Return a probed value (ticks, batch, n)."""
    return np.broadcast_to(array[..., :n], (*array.shape[:2], n))
