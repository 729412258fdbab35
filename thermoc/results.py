"""What a run gave: arrays by name, how far sampled outputs are mixed, and a summary to read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from thermoc import physics
from thermoc.ir.graph import Graph
from thermoc.ir.ops import STATEFUL, STOCHASTIC
from thermoc.passes.analysis.annealed import after, annealed
from thermoc.support.errors import Finding, error
from thermoc.support.tables import array_rows, html_table, table

if TYPE_CHECKING:
    import xarray

    from thermoc.api import Executable


@dataclass(frozen=True, kw_only=True)
class Call:
    """How a run was called: enough to repeat it. ``inputs`` are as they were given.

    place: seed, first_sample and first_tick. timed: names of the inputs that change over the ticks.
    """

    executable: Executable
    inputs: Mapping[str, NDArray]
    ticks: int
    batch: int
    place: Mapping[str, int]
    timed: frozenset[str]


@dataclass(frozen=True, kw_only=True, repr=False)
class Run:
    """What a run gave: ``run["name"]`` is an array (ticks, batch, *shape); ``print(run)`` is a summary."""

    network: str
    target: str
    seed: int
    dt: float
    outputs: Mapping[str, NDArray]
    states: Mapping[str, NDArray] = field(default_factory=dict)
    call: Call | None = None
    chip: Any = None
    """What a simulated chip took for it: a report that prints; None elsewhere."""

    @cached_property
    def diagnostics(self) -> Mapping[str, physics.Estimate]:
        """The estimate of every sampled output's least mixed element: error bar, tau, ESS, R-hat (P49).

        Outputs are sampled where they depend on a state that noise drives, at temperatures that stay: annealing leaves
        equilibrium on purpose. Of many elements 64 are looked at. Runs of fewer than 8 ticks have no diagnostics.
        """
        if self.call is None or not self.outputs or len(next(iter(self.outputs.values()))) < 8:
            return {}
        names = _sampled(self.call.executable.source, self.call.timed)
        return {name: _least_mixed(self.outputs[name]) for name in names}

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The compiler's warnings about the physics, and one for each output whose chains have not equilibrated."""
        given = () if self.call is None else self.call.executable.warnings
        return (*given, *(_short(name, one) for name, one in self.diagnostics.items() if not one.mixed))

    def __getitem__(self, name: str) -> NDArray:
        if name not in self.outputs:
            raise error("T401", f"the run has no output {name!r}", notes=[f"its outputs are {list(self.outputs)}"])
        return self.outputs[name]

    def to_xarray(self) -> xarray.Dataset:
        """Return an xarray Dataset: a variable for each output, with dimensions tick, sample and its own axes.

        The coordinate ``time`` is tick * dt. Where an output has the name of one of these, it keeps it, and the
        dimension or coordinate gets ``_`` behind its own.
        """
        import xarray

        def free(name: str) -> str:
            while name in self.outputs:
                name += "_"
            return name

        tick, sample, time = free("tick"), free("sample"), free("time")
        arrays = {
            name: ((tick, sample, *(free(f"{name}_{i}") for i in range(a.ndim - 2))), a)
            for name, a in self.outputs.items()
        }
        ticks = max((len(array) for array in self.outputs.values()), default=0)
        attrs = {"network": self.network, "target": self.target, "seed": self.seed}
        return xarray.Dataset(arrays, coords={time: (tick, np.arange(ticks) * self.dt)}, attrs=attrs)

    @property
    def title(self) -> str:
        """What ran where, from which seed."""
        return f"{self.network} on {self.target}, seed {self.seed}"

    def rows(self) -> list[dict[str, object]]:
        """Return a row for each output: shape, dtype, mean and ends, and how far its chains are mixed."""
        mixing = self.diagnostics
        rows = array_rows(self.outputs, "output")
        for row in rows if mixing else ():
            chain = mixing.get(str(row["output"]))
            row |= {"r_hat": chain.r_hat, "ess": chain.ess} if chain else {"r_hat": None, "ess": None}
        return rows

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in self.outputs.items())
        return f"Run({self.title}: {shapes})"

    def __str__(self) -> str:
        lines = [table(self.title, self.rows()), *map(str, self.warnings)]
        return "\n".join(lines + ([] if self.chip is None else [f"\n{self.chip}"]))

    def _repr_html_(self) -> str:
        return html_table(self.title, self.rows())


def _sampled(graph: Graph, timed: Iterable[str]) -> list[str]:
    """Return the outputs that depend on a state which noise drives, and on no annealing."""
    noisy = after(graph, [v.name for op in graph.ops if STOCHASTIC in op.traits for v in op.results])
    moving = [op for op in graph.ops if STATEFUL in op.traits and {v.name for v in (*op.inputs, *op.results)} & noisy]
    chains = after(graph, [value.name for op in moving for value in op.results]) - annealed(graph, frozenset(timed))
    return [name for name, op in graph.outputs.items() if op.x.name in chains]


def _least_mixed(array: NDArray) -> physics.Estimate:
    flat = array.reshape(*array.shape[:2], -1)
    elements = range(0, flat.shape[2], max(1, flat.shape[2] // 64))
    estimates = [physics.estimate(flat[..., element]) for element in elements]
    return max(estimates, key=lambda one: (not one.mixed, one.r_hat - one.r_hat_limit, -one.ess))


def _short(name: str, chain: physics.Estimate) -> Finding:
    notes = (
        f"R-hat {chain.r_hat:.4g}, at most {chain.r_hat_limit:.4g} where chains agree",
        f"effective sample size {chain.ess:.3g}, at least {physics.LEAST_ESS}",
        f"chains of {chain.length:.3g} correlation times, at least {physics.LEAST_LENGTH}",
    )
    hint = "run longer, and leave the first ticks out of averages"
    return Finding(code="W104", what=f"output {name!r} is no equilibrium sample yet", notes=notes, hint=hint)
