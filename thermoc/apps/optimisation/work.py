"""What a call of ``minimise`` hands to the method that does it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from thermoc.apps.optimisation.budget import Budget
from thermoc.apps.optimisation.chains import Layout, lay_out
from thermoc.physics.ising_model import IsingModel
from thermoc.simulator.kernels.annealing import chain, real_chain
from thermoc.simulator.kernels.annealing.chain import ChainNoise, SpinChains
from thermoc.support.array_types import FloatArray, IntArray


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

    def sweep(self, chains: SpinChains, row: int, T: FloatArray, sweeps: IntArray, noise: ChainNoise) -> None:
        """Sweep one chain so many times at each temperature, in the scale of the layout; keep its lowest state."""
        layout = self.layout
        if layout.whole_numbers:
            chain.anneal(layout.couplings, chains, row, T, sweeps, noise, round(layout.greatest), self.budget.halt)
        else:
            real_chain.anneal(layout.couplings, chains, row, T, sweeps, noise, self.budget.halt)
