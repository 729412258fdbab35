"""Compile a network for a target and run it: what comes out, how it came about, and how far to trust it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc import physics, plugins
from thermoc.frontends import formats
from thermoc.ir.feed import feed
from thermoc.ir.graph import Graph
from thermoc.mixing import diagnostics, not_mixed
from thermoc.network import Network
from thermoc.passes.analysis.lint import lint as lint_graph
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Lowered, PassRecord
from thermoc.passes.pipeline import run_passes
from thermoc.pipelines import check_lowered, check_options, pipeline_of
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import Finding, error
from thermoc.support.tables import array_rows, html_table, table
from thermoc.target_options import checked_options

if TYPE_CHECKING:
    import xarray

    from thermoc.backends.base import Artefact, Backend
    from thermoc.passes.report import Report


def compile(
    network: Network | Graph,
    target: str = "sim",
    *,
    passes: str | Sequence[Pass] | None = None,
    dump_ir: str | os.PathLike[str] | None = None,
    **options: Any,
) -> Executable:
    """Bring a network to a target.

    passes: what runs in the place of the target's own passes, as text ("fuse,discretize{dt=0.1},legalize") or as a
    list; the target still refuses what it cannot take (docs/passes.md). dump_ir: a folder for the graph's text after
    each pass that changed something. options: see each target's ``Options``. Errors: T1xx, T2xx, T3xx.
    """
    graph = network.graph if isinstance(network, Network) else network
    backend = plugins.backend(target)
    target_options = checked_options(backend, options)
    chosen = None if passes is None else pipeline_of(passes, graph, backend)
    if chosen is not None:
        check_options(backend, options)
    return _compiled(graph, backend, target_options, chosen, None if dump_ir is None else Path(dump_ir))


def _compiled(
    graph: Graph, backend: Backend, options: Any, passes: tuple[Pass, ...] | None, dump_ir: Path | None = None
) -> Executable:
    steps = backend.lower(options, dt=graph.dt) if passes is None else passes
    lowered = run_passes(graph, steps, dump_ir=dump_ir)
    if passes is not None:
        check_lowered(lowered, backend, options)
    return Executable(source=graph, lowered=lowered, backend=backend, options=options, passes=passes)


def lint(network: Network | Graph) -> tuple[Finding, ...]:
    """Return warnings about a network's physics: frozen sampling, couplings that are not symmetric, unstable steps."""
    return lint_graph(network.graph if isinstance(network, Network) else network)


@dataclass(frozen=True, kw_only=True, repr=False)
class Executable:
    """A network compiled for a target: run it, save it, ask what was done."""

    source: Graph
    lowered: Lowered
    backend: Backend
    options: Any
    passes: tuple[Pass, ...] | None = None
    """The pipeline of the user's own that ran; None for the target's."""

    @property
    def graph(self) -> Graph:
        """The lowered graph, which the reference interpreter can run too."""
        return self.lowered.graph

    @property
    def records(self) -> tuple[PassRecord, ...]:
        """What each pass did."""
        return self.lowered.records

    @cached_property
    def warnings(self) -> tuple[Finding, ...]:
        """What is well formed and yet does not do what it seems to: ``lint`` of the network."""
        return lint_graph(self.source)

    @cached_property
    def artefact(self) -> Artefact:
        """What the target runs."""
        return self.backend.emit(self.lowered, self.options)

    def run(
        self,
        inputs: Mapping[str, ArrayLike] | None = None,
        *,
        ticks: int | None = None,
        batch: int | None = None,
        seed: int = 0,
        first_sample: int = 0,
        first_tick: int = 0,
    ) -> Run:
        """Run from the initial state.

        inputs: arrays (batch, *shape), held over the ticks, or (ticks, batch, *shape). first_sample and first_tick
        place the run in the noise, so that a batch split over runs draws what the whole would.
        Errors: T401 to T404, T408.
        """
        # Imported here: `import thermoc` loads no backend.
        from thermoc.backends.base import NoisePosition

        where = {"seed": seed, "first_sample": first_sample, "first_tick": first_tick}
        fed = feed(self.graph, {} if inputs is None else inputs, ticks=ticks, batch=batch, **where)
        outcome = self.backend.run(self.artefact, fed, NoisePosition(**where))
        return Run(
            network=self.source.name,
            target=self.backend.name,
            seed=seed,
            dt=self.graph.dt,
            outputs=outcome.outputs,
            states=outcome.states,
            chip=outcome.chip,
            call=Call(
                executable=self,
                inputs={name: np.asarray(array) for name, array in ({} if inputs is None else inputs).items()},
                ticks=fed.ticks,
                batch=fed.batch,
                position=where,
                # The feed broadcasts inputs that stay the same: these have a stride of 0 along the ticks.
                timed=frozenset(name for name, array in fed.arrays.items() if array.strides[0] != 0),
            ),
        )

    def recompiled(self, graph: Graph) -> Executable:
        """Return another graph compiled the same way: for the same target, with the same options and passes."""
        return _compiled(graph, self.backend, self.options, self.passes)

    def save(self, path: str | os.PathLike[str]) -> int:
        """Write the artefact, whole or not at all; return its size in bytes. Errors: T505, T506 (a network's suffix).

        It is one file, but for Brian2: a script and the ``.npz`` beside it.
        """
        # A program that is called .thermo would pass for a network until somebody loads it.
        formats.check_artefact(path, self.backend.name, self.artefact.suffix)
        return self.artefact.save(path)

    def __repr__(self) -> str:
        return f"Executable({self.source.name!r} for {self.backend.name}, {len(self.graph.ops)} ops)"

    def _repr_html_(self) -> str:
        return self.report()._repr_html_()

    def report(self) -> Report:
        """Return what was done to the network; it prints."""
        from thermoc.passes.report import compilation_report

        return compilation_report(self.source, self.lowered, self.backend.name, self.warnings)


@dataclass(frozen=True, kw_only=True)
class Call:
    """How a run was called: enough to repeat it. ``inputs`` are as they were given.

    position: seed, first_sample and first_tick. timed: names of the inputs that change over the ticks.
    """

    executable: Executable
    inputs: Mapping[str, AnyArray]
    ticks: int
    batch: int
    position: Mapping[str, int]
    timed: frozenset[str]


@dataclass(frozen=True, kw_only=True, repr=False)
class Run:
    """What a run gave: ``run["name"]`` is an array (ticks, batch, *shape); ``print(run)`` is a summary."""

    network: str
    target: str
    seed: int
    dt: float
    outputs: Mapping[str, AnyArray]
    states: Mapping[str, AnyArray] = field(default_factory=dict)
    call: Call | None = None
    chip: Any = None
    """What a simulated chip took for it: a report that prints; None elsewhere."""

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
        shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in self.outputs.items())
        return f"Run({self.title}: {shapes})"

    def __str__(self) -> str:
        lines = [table(self.title, self.rows()), *map(str, self.warnings)]
        return "\n".join(lines + ([] if self.chip is None else [f"\n{self.chip}"]))

    def _repr_html_(self) -> str:
        return html_table(self.title, self.rows())
