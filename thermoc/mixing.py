"""How far the sampled outputs of a run are mixed: error bars, effective sample sizes and R-hat (P49)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from numpy.typing import NDArray

from thermoc import physics
from thermoc.ir.graph import Graph
from thermoc.ir.ops import STATEFUL, STOCHASTIC
from thermoc.passes.analysis.annealed import after, annealed
from thermoc.support.errors import Finding

FEWEST_TICKS = 8
MOST_ELEMENTS = 64


def diagnostics(graph: Graph, timed: Iterable[str], outputs: Mapping[str, NDArray]) -> Mapping[str, physics.Estimate]:
    """Return the estimate of every sampled output's least mixed element; none for a run of fewer than 8 ticks.

    timed: names of the inputs that change over the ticks. Of many elements 64 are looked at.
    """
    if not outputs or len(next(iter(outputs.values()))) < FEWEST_TICKS:
        return {}
    return {name: _least_mixed(outputs[name]) for name in _sampled(graph, timed)}


def not_mixed(name: str, chain: physics.Estimate) -> Finding:
    """Return the warning that an output's chains have not equilibrated (W104)."""
    notes = (
        f"R-hat {chain.r_hat:.4g}, at most {chain.r_hat_limit:.4g} where chains agree",
        f"effective sample size {chain.ess:.3g}, at least {physics.LEAST_ESS}",
        f"chains of {chain.length:.3g} correlation times, at least {physics.LEAST_LENGTH}",
    )
    hint = "run longer, and leave the first ticks out of averages"
    return Finding(code="W104", what=f"output {name!r} is no equilibrium sample yet", notes=notes, hint=hint)


def _sampled(graph: Graph, timed: Iterable[str]) -> list[str]:
    """Return the outputs that depend on a state which noise drives, and on no annealing.

    Annealing leaves equilibrium on purpose, so what it reaches is no sample of one temperature.
    """
    noisy = after(graph, [v.name for op in graph.ops if STOCHASTIC in op.traits for v in op.results])
    moving = [op for op in graph.ops if STATEFUL in op.traits and {v.name for v in (*op.inputs, *op.results)} & noisy]
    chains = after(graph, [value.name for op in moving for value in op.results]) - annealed(graph, frozenset(timed))
    return [name for name, op in graph.outputs.items() if op.x.name in chains]


def _least_mixed(array: NDArray) -> physics.Estimate:
    flat = array.reshape(*array.shape[:2], -1)
    elements = range(0, flat.shape[2], max(1, flat.shape[2] // MOST_ELEMENTS))
    estimates = [physics.estimate(flat[..., element]) for element in elements]
    return max(estimates, key=lambda chain: (not chain.mixed, chain.r_hat - chain.r_hat_limit, -chain.ess))
