"""What a run gave: outputs and states by name, how far its chains are mixed, and how it was called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from thermoc import physics
from thermoc.compiled import Compiled
from thermoc.mixing import diagnostics, not_mixed
from thermoc.recording.recorded import Recorded
from thermoc.recording.specs import Spec
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import Finding, ThermocError, error
from thermoc.support.tables import array_rows, html_table, table

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True, kw_only=True)
class Call:
    """How a run was called: enough to repeat it. ``inputs`` are as they were given.

    position: seed, first_sample and first_tick. timed: names of the inputs that change over the ticks.
    """

    executable: Compiled
    inputs: Mapping[str, AnyArray]
    ticks: int
    batch: int
    position: Mapping[str, int]
    timed: frozenset[str]


@dataclass(frozen=True, kw_only=True, repr=False)
class Run:
    """What a run gave: ``run["name"]`` is an array (ticks, batch, *shape); ``print(run)`` is a summary.

    Where something else than all ticks was recorded, it is that: ``run.recorded["name"]`` has all of it by name.
    """

    network: str
    target: str
    seed: int
    dt: float
    recorded: Mapping[str, Recorded]
    states: Mapping[str, AnyArray] = field(default_factory=dict)
    call: Call | None = None
    chip: Any = None
    """What a simulated chip took for it: a report that prints; None elsewhere."""

    @cached_property
    def outputs(self) -> Mapping[str, AnyArray]:
        """What was recorded all, (ticks, batch, *shape) by name."""
        return {name: item.values for name, item in self.recorded.items() if Spec("all") in item.specs}

    @cached_property
    def diagnostics(self) -> Mapping[str, physics.Estimate]:
        """The estimate of every sampled output's least mixed element: error bar, tau, ESS, R-hat (P49).

        Outputs are sampled where they depend on a state that noise drives, at temperatures that stay: annealing leaves
        equilibrium on purpose. Of many elements 64 are looked at. Runs of fewer than 8 ticks have no diagnostics.
        """
        return {} if self.call is None else diagnostics(self.call.executable.source, self.call.timed, self.outputs)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The compiler's warnings about the physics, and one for each output whose chains have not equilibrated."""
        physical = () if self.call is None else self.call.executable.warnings
        return (*physical, *(not_mixed(name, chain) for name, chain in self.diagnostics.items() if not chain.mixed))

    def __getitem__(self, name: str) -> AnyArray:
        if name not in self.recorded:
            raise error("T401", f"the run has no output {name!r}", notes=[f"recorded are {list(self.recorded)}"])
        return self.recorded[name].array

    def to_xarray(self) -> xarray.Dataset:
        """Return an xarray Dataset: a variable for each output, with dimensions tick, sample and its own axes.

        The coordinate ``time`` is tick * dt. Where an output has the name of one of these, it keeps it, and the
        dimension or coordinate gets ``_`` behind its own.
        """
        import xarray

        def free(name: str) -> str:
            # xarray takes a variable with the name of a dimension for the coordinate of it.
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
        shapes = ", ".join(f"{name} {list(item.array.shape)}" for name, item in self.recorded.items())
        return f"Run({self.title}: {shapes})"

    def __str__(self) -> str:
        lines = [table(self.title, self.rows()), *map(str, self.warnings)]
        return "\n".join(lines + ([] if self.chip is None else [f"\n{self.chip}"]))

    def _repr_html_(self) -> str:
        return html_table(self.title, self.rows())


class Interrupted(KeyboardInterrupt):
    """Ctrl-C ended a run at a tick: ``run`` is what it has recorded of ``ticks`` in all; its session stands there."""

    def __init__(self, run: Run, ticks: int):
        self.run, self.ticks = run, ticks
        done = 0 if run.call is None else run.call.ticks
        super().__init__(f"at tick {done} of {ticks}; what was recorded until then is the exception's .run")


class Stopped(ThermocError):
    """An error ended a run behind its first ticks: ``run`` is what it has recorded of ``ticks`` in all."""

    def __init__(self, findings: Sequence[Finding], run: Run | None = None, ticks: int = 0):
        super().__init__(findings)
        self.run, self.ticks = run, ticks
