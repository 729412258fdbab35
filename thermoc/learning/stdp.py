"""Plasticity by the timing of spikes (STDP), pair by pair: for spiking networks that run in sessions.

A spike after one before it, dt > 0 later, changes its weight by A+ exp(-dt / tau+); one that comes dt > 0 too early by
-A- exp(-dt / tau-); all pairs count, spikes of the same tick change nothing (Song, Miller and Abbott, Nature
Neuroscience 3 (2000) 919). Traces make the sum over pairs exact with a pass over the spikes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc.session import Session
from thermoc.simulator.cache import keep
from thermoc.simulator.kernels.learning import stdp as kernel
from thermoc.support.array_types import AnyArray, FloatArray
from thermoc.support.errors import error

_advance = keep(kernel.advance, "plasticity by the timing of spikes", 1.5)


@dataclass(frozen=True, kw_only=True)
class StdpRule:
    """A+ (potentiation), A- (depression), tau+ and tau- in units of time, the time of a tick, and bounds of weights.

    Changes are summed over spikes and averaged over samples; bounds are kept at each tick. Errors: T404.
    """

    potentiation: float = 0.01
    depression: float = 0.01
    tau_plus: float = 20.0
    tau_minus: float = 20.0
    dt: float = 1.0
    least: float = -np.inf
    most: float = np.inf

    def __post_init__(self):
        times = {name: getattr(self, name) for name in ("tau_plus", "tau_minus", "dt")}
        wrong = [f"{name} = {value}, > 0" for name, value in times.items() if not 0 < value < np.inf]
        rates = {name: getattr(self, name) for name in ("potentiation", "depression")}
        wrong += [f"{name} = {value}, finite" for name, value in rates.items() if not np.isfinite(value)]
        wrong += [] if self.least < self.most else [f"least = {self.least} is not below most = {self.most}"]
        if wrong:
            raise error("T404", "an option of STDP is out of range", notes=wrong)


class Stdp:
    """The traces of a batch: spikes that come in parts change weights as they would at once."""

    def __init__(self, rule: StdpRule, *, before: int, after: int, batch: int = 1):
        self.rule = rule
        self.before, self.after = np.zeros((batch, before)), np.zeros((batch, after))

    def update(self, W: ArrayLike, before: ArrayLike, after: ArrayLike) -> FloatArray:
        """Return the weights (n, m) after more spikes: before (ticks, batch, m), after (ticks, batch, n), of 0 and 1.

        Errors: T402 where shapes disagree.
        """
        rule, weights = self.rule, np.array(W, float)
        spikes = np.asarray(before, np.uint8), np.asarray(after, np.uint8)
        shapes = [(*array.shape[:1], *trace.shape) for array, trace in zip(spikes, (self.before, self.after))]
        (batch, m), n = self.before.shape, self.after.shape[1]
        if weights.shape != (n, m) or [s.shape for s in spikes] != shapes or len(spikes[0]) != len(spikes[1]):
            notes = [f"weights {list(weights.shape)}, asked for is [{n}, {m}]"]
            notes += [f"spikes {[list(s.shape) for s in spikes]}, asked for is (ticks, {batch}, {m}) and (..., {n})"]
            raise error("T402", "weights and spikes disagree", notes=notes)
        rates = (rule.potentiation / batch, rule.depression / batch)
        decays = (float(np.exp(-rule.dt / rule.tau_plus)), float(np.exp(-rule.dt / rule.tau_minus)))
        bounds = (float(rule.least), float(rule.most))
        _advance(weights, *spikes, self.before, self.after, rates, decays, bounds)
        return weights


def stdp(
    session: Session,
    parameter: str,
    *,
    before: str,
    after: str,
    rule: StdpRule,
    steps: int,
    ticks: int = 1,
    inputs: Mapping[str, Any] | None = None,
) -> FloatArray:
    """Let weights (n, m), a parameter of a session, learn from two outputs of spikes, (m,) and (n,); return them.

    Weights are replaced after every ``ticks`` ticks, ``steps`` times; states go on. Errors: T402, T404, T418, T422.
    """
    W: AnyArray = np.array(session.parameters[parameter], float)
    traces = Stdp(rule, before=W.shape[1], after=W.shape[0], batch=session.batch)
    for step in range(steps):
        run = session.run(ticks, inputs, record={before: "all", after: "all"}, progress=False)
        W = traces.update(W, run[before], run[after])
        if not np.isfinite(W).all():
            raise error("T422", "STDP diverges", notes=[f"step {step}"], hint="bound the weights by least and most")
        session.parameters[parameter] = W
    return W
