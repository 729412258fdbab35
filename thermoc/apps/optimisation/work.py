"""What a call of ``minimise`` hands to the method that does it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from thermoc.apps.optimisation.budget import Budget
from thermoc.apps.optimisation.chains import Layout, in_threads, lay_out
from thermoc.physics.ising_model import IsingModel
from thermoc.simulator.kernels.annealing import chain, real_chain
from thermoc.simulator.kernels.annealing.chain import ChainNoise, SpinChains
from thermoc.support.array_types import FloatArray, IntArray
from thermoc.support.philox import MASK


@dataclass(frozen=True, kw_only=True)
class Work:
    """A model, how it is to be sampled, and the budget."""

    model: IsingModel
    seed: int
    replicas: int | None
    sweeps: int | None
    threads: int
    budget: Budget

    @cached_property
    def layout(self) -> Layout:
        """The model as the kernels take it."""
        return lay_out(self.model)

    def sweep(
        self, chains: SpinChains, rows: IntArray, T: FloatArray, sweeps: IntArray, *, done: int = 0, first: int = 0
    ) -> None:
        """Sweep chains so many times at each temperature, in units of the model; keep the lowest state of each.

        rows (m,): which chains. T: (levels,), or (m, levels) where each has its own; sweeps: (levels,). done: sweeps
        before these, and first: the stream of row 0, which place them in the noise.
        """
        layout, scaled = self.layout, np.atleast_2d(T) * self.layout.scale
        greatest = (round(layout.greatest),) if layout.whole_numbers else ()
        anneal: Any = chain.anneal_rows if layout.whole_numbers else real_chain.anneal_rows
        key = np.uint64(self.seed & 0xFFFFFFFFFFFFFFFF)

        def share(number: int) -> None:
            mine = np.ascontiguousarray(rows[number :: self.threads])
            noise = ChainNoise(done & MASK, (mine + first) & MASK, key)
            levels = scaled if len(scaled) == 1 else np.ascontiguousarray(scaled[number :: self.threads])
            anneal(layout.couplings, chains, mine, levels, sweeps, noise, *greatest, self.budget.halt)

        in_threads(share, min(self.threads, len(rows)), self.threads, self.budget.halt)
