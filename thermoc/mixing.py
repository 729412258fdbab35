"""How far the sampled outputs of a run are mixed: error bars, effective sample sizes and R-hat (P49)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from thermoc import physics
from thermoc.ir.graph import Graph
from thermoc.ir.ops import STATEFUL, STOCHASTIC
from thermoc.passes.analysis.annealed import after, annealed
from thermoc.recording.conversions import blocks
from thermoc.support.errors import Finding

FEWEST_TICKS = 8
MOST_ELEMENTS = 64


def diagnostics(traces: Mapping[str, Any]) -> Mapping[str, physics.Estimate]:
    """Return the estimate of every trace's least mixed element; none for fewer than 8 ticks.

    traces: arrays (ticks, batch, *shape), or those of a store. Of many elements 64 are looked at.
    """
    return {name: _least_mixed(trace) for name, trace in traces.items() if trace.shape[0] >= FEWEST_TICKS}


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
    """Return the outputs that depend on a state which noise drives, and on no annealing.

    Annealing leaves equilibrium on purpose, so what it reaches is no sample of one temperature.
    """
    noisy = after(graph, [v.name for op in graph.ops if STOCHASTIC in op.traits for v in op.results])
    # Noise without a state is drawn anew at each tick, so it has no chain that could be unmixed.
    moving = [op for op in graph.ops if STATEFUL in op.traits and {v.name for v in (*op.inputs, *op.results)} & noisy]
    chains = after(graph, [value.name for op in moving for value in op.results]) - annealed(graph, frozenset(timed))
    return [name for name, op in graph.outputs.items() if op.x.name in chains]


def _least_mixed(trace: Any) -> physics.Estimate:
    units = math.prod(trace.shape[2:])
    elements = np.arange(0, units, max(1, units // MOST_ELEMENTS))
    parts = [block.reshape(*block.shape[:2], -1)[..., elements] for block in blocks(trace)]
    flat = parts[0] if len(parts) == 1 else np.concatenate(parts)
    estimates = [physics.estimate(flat[..., element]) for element in range(len(elements))]
    return max(estimates, key=lambda chain: (not chain.mixed, chain.r_hat - chain.r_hat_limit, -chain.ess))
