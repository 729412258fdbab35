"""How far the sampled outputs of a run are mixed: error bars, effective sample sizes and R-hat (P49)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from thermoc import physics
from thermoc.ir.graph import Graph
from thermoc.ir.ops import STATEFUL, STOCHASTIC
from thermoc.passes.analysis.annealed import after, annealed
from thermoc.passes.analysis.diffusing import diffusing
from thermoc.recording.conversions import blocks
from thermoc.support.array_types import FloatArray, IntArray
from thermoc.support.errors import Finding

FEWEST_TICKS = 8
MOST_ELEMENTS = 64
LAGS = 200


def diagnostics(traces: Mapping[str, Any]) -> Mapping[str, physics.Estimate]:
    """Return the estimate of every trace's least mixed element; none for fewer than 8 ticks.

    traces: arrays (ticks, batch, *shape), or those of a store. Of many elements 64 are looked at.
    """
    return {name: _least_mixed(trace) for name, trace in traces.items() if trace.shape[0] >= FEWEST_TICKS}


def looked_at(units: int) -> IntArray:
    """Return the units that are judged: all, or of many 64 to 127, evenly."""
    return np.arange(0, units, max(1, units // MOST_ELEMENTS))


class Autocorrelation(NamedTuple):
    """Lags in recorded ticks, and rho at them: the mean over units that move, and the slowest unit's; or nothing."""

    lags: IntArray
    mean: FloatArray
    slowest: FloatArray


def autocorrelation(series: FloatArray) -> Autocorrelation:
    """Return the autocorrelation of units, (ticks, chains, units), until none remembers anything, at 200 lags at most.

    rho is the autocovariance about each chain's own mean over that at lag 0 (P34): chains that disagree show in R-hat.
    """
    covariance = np.stack([physics.autocovariance(series[..., unit]).mean(axis=1) for unit in range(series.shape[2])])
    moving = covariance[:, 0] > 0
    if not moving.any():
        return Autocorrelation(np.zeros(0, int), np.zeros(0), np.zeros(0))
    rho = covariance[moving] / covariance[moving][:, :1]
    last = max(8, min(len(series) // 2, _until(rho)))
    lags = np.unique(np.linspace(0, last - 1, min(last, LAGS)).round().astype(int))
    slowest = int(np.abs(rho[:, :last]).sum(axis=1).argmax())
    return Autocorrelation(lags, rho.mean(axis=0)[lags], rho[slowest][lags])


def _until(rho: FloatArray) -> int:
    """Return a few lags beyond the first at which every unit's rho is below 5 %."""
    quiet = np.flatnonzero((np.abs(rho) < 0.05).all(axis=0))
    return 3 * int(quiet[0]) + 8 if len(quiet) else rho.shape[1]


def not_mixed(name: str, chain: physics.Estimate) -> Finding:
    """Return the warning that an output's chains have not equilibrated (W104)."""
    notes = (
        f"R-hat {chain.r_hat:.4g}, at most {chain.r_hat_limit:.4g} where chains agree",
        f"effective sample size {chain.ess:.3g}, at least {physics.LEAST_ESS}",
        f"chains of {chain.length:.3g} correlation times, at least {physics.LEAST_LENGTH}",
    )
    hint = "run longer, and leave the first ticks out of averages"
    return Finding(code="W104", what=f"output {name!r} is no equilibrium sample yet", notes=notes, hint=hint)


def sampled(graph: Graph, timed: Iterable[str]) -> list[str]:
    """Return the outputs that depend on a state which noise drives, on no annealing and on no walk without end.

    Annealing leaves equilibrium on purpose, so what it reaches is no sample of one temperature. What spreads for ever
    has no equilibrium, so its chains are not asked to agree.
    """
    noisy = after(graph, [v.name for op in graph.ops if STOCHASTIC in op.traits for v in op.results])
    # Noise without a state is drawn anew at each tick, so it has no chain that could be unmixed.
    moving = [op for op in graph.ops if STATEFUL in op.traits and {v.name for v in (*op.inputs, *op.results)} & noisy]
    chains = after(graph, [value.name for op in moving for value in op.results]) - annealed(graph, frozenset(timed))
    chains -= diffusing(graph)
    return [name for name, op in graph.outputs.items() if op.x.name in chains]


def _least_mixed(trace: Any) -> physics.Estimate:
    units = math.prod(trace.shape[2:])
    elements = looked_at(units)
    parts = [block.reshape(*block.shape[:2], -1)[..., elements] for block in blocks(trace)]
    flat = parts[0] if len(parts) == 1 else np.concatenate(parts)
    estimates = [physics.estimate(flat[..., element]) for element in range(len(elements))]
    return max(estimates, key=lambda chain: (not chain.mixed, chain.r_hat - chain.r_hat_limit, -chain.ess))
