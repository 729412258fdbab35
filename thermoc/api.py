"""Compile a network for a target and run it: what comes out, how it came about, and how far to trust it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from thermoc import plugins
from thermoc.compiled import Compiled, compile_graph
from thermoc.equilibrium import exact_states
from thermoc.frontends import formats
from thermoc.ir.graph import Graph
from thermoc.ir.memory import MemoryEstimate
from thermoc.network import Network, graph_of
from thermoc.one_tick_runs import OneTickRuns
from thermoc.passes.analysis.lint import lint as lint_graph
from thermoc.passes.base import Pass
from thermoc.pipelines import check_options, pipeline_of
from thermoc.run import Run
from thermoc.saving import Saving
from thermoc.session import Session, run_memory, run_once
from thermoc.support.errors import Finding
from thermoc.target_options import checked_options, with_device

if TYPE_CHECKING:
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
    each pass that changed something. options: see each target's ``Options``; "sim:cuda" is "sim" with device="cuda".
    Errors: T1xx, T2xx, T3xx.
    """
    graph = graph_of(network)
    target, options = with_device(target, options)
    backend = plugins.backend(target)
    target_options = checked_options(backend, options)
    chosen = None if passes is None else pipeline_of(passes, graph, backend)
    if chosen is not None:
        check_options(backend, options)
    folder = None if dump_ir is None else Path(dump_ir)
    compiled = compile_graph(graph, backend, target_options, passes=chosen, dump_ir=folder)
    return Executable(**vars(compiled))


def lint(network: Network | Graph) -> tuple[Finding, ...]:
    """Return warnings about a network's physics: frozen sampling, couplings that are not symmetric, unstable steps."""
    return lint_graph(graph_of(network))


def resume(
    path: str | os.PathLike[str],
    *,
    device: str | None = None,
    progress: bool | None = None,
    max_memory: int | str | None = None,
) -> Run:
    """End the run that a checkpoint was written of, saving on; return the whole run, to the bytes of one at once.

    device: one to go on on, for a target that has several. Errors: T404 (no run was going on), T408, T420, T421, T302,
    T303, T501 to T505.
    """
    with Session.load(path, device=device) as session:
        return session.resume(checkpoint=path, progress=progress, max_memory=max_memory)


class Executable(Compiled):
    """A network compiled for a target: run it, save it, ask what was done."""

    def start(
        self,
        *,
        batch: int = 1,
        seed: int = 0,
        first_sample: int = 0,
        first_tick: int = 0,
        parameters: Mapping[str, ArrayLike] | None = None,
        perfect: bool = False,
    ) -> Session:
        """Return a session at the initial state, to be run on for as long as it is asked.

        first_sample and first_tick place it in the noise, so that a batch split over sessions draws what the whole
        would. parameters: values other than those compiled with, by name. perfect: start in states drawn exactly from
        the equilibrium, of networks for which that can be (docs/equilibrium.md). Errors: T302, T404, T418.
        """
        exe, where = self._with(parameters), {"batch": batch, "seed": seed, "first_sample": first_sample}
        states = exact_states(exe, **where) if perfect else {}
        session = Session(exe, **where, first_tick=first_tick)
        if states:
            session.state.update(states)
        return session

    def run(
        self,
        inputs: Mapping[str, ArrayLike] | None = None,
        *,
        ticks: int | None = None,
        batch: int | None = None,
        seed: int = 0,
        first_sample: int = 0,
        first_tick: int = 0,
        parameters: Mapping[str, ArrayLike] | None = None,
        record: Mapping[str, Any] | None = None,
        to: str | os.PathLike[str] | None = None,
        overwrite: bool = False,
        perfect: bool = False,
        checkpoint: str | os.PathLike[str] | Saving | None = None,
        every: int | str | None = None,
        progress: bool | None = None,
        max_memory: int | str | None = None,
    ) -> Run:
        """Run from the initial state: a session that is started, run and closed.

        inputs: arrays (batch, *shape), held over the ticks, or (ticks, batch, *shape). first_sample and first_tick
        place the run in the noise, so that a batch split over runs draws what the whole would. parameters: values other
        than those compiled with, by name. record: what is kept of which output or probe; default: every output, all of
        it. to: a ``.zarr``, ``.nc`` or ``.npz`` that it is written to; overwrite: one that is there already. perfect:
        start in equilibrium, as ``start`` does. checkpoint, every, progress, max_memory: as ``Session.run`` takes them
        (docs/runs.md).
        Errors: T302, T401 to T404, T408, T418 to T420, T505, T506.
        """
        where = {"seed": seed, "first_sample": first_sample, "first_tick": first_tick}
        recorded = {"record": record, "to": to, "overwrite": overwrite}
        watch = {"checkpoint": checkpoint, "every": every, "progress": progress, "max_memory": max_memory}
        if perfect:
            with self.start(batch=batch or 1, **where, parameters=parameters, perfect=True) as session:
                return session.run(ticks, inputs, **recorded, **watch)
        one_tick = ticks is None or (type(ticks) is int and ticks == 1)
        plain = one_tick and parameters is None and record is None and to is None
        plain = plain and all(value is None for value in watch.values())
        if plain and (run := self._one_tick_runs.run(inputs, batch, where)) is not None:
            return run
        exe = self._with(parameters)
        run = run_once(exe, inputs, ticks=ticks, batch=batch, **where, **recorded, **watch)
        if plain:
            self._one_tick_runs.learn(self, run)
        return run

    @cached_property
    def _one_tick_runs(self) -> OneTickRuns:
        return OneTickRuns()

    def _with(self, parameters: Mapping[str, ArrayLike] | None) -> Executable:
        return self if parameters is None else self.with_parameters(parameters)

    def memory(
        self,
        inputs: Mapping[str, ArrayLike] | None = None,
        *,
        ticks: int | None = None,
        batch: int | None = None,
        record: Mapping[str, Any] | None = None,
        to: str | os.PathLike[str] | None = None,
    ) -> MemoryEstimate:
        """Return what such a run would hold of memory, without running it; it prints. Errors: T401 to T404, T419."""
        return run_memory(self, inputs, ticks=ticks, batch=batch, record=record, to=to)

    def load_session(self, path: str | os.PathLike[str]) -> Session:
        """Return the session of a checkpoint of this network, target and options. Errors: T420, T501 to T504."""
        return Session.load(path, self)

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
        """Return what was done to the network; it prints, and ``.html(path)`` writes it as a page."""
        from thermoc.passes.report import compilation_report

        return compilation_report(self.source, self.lowered, self.backend.name, self.warnings, compiled=self)
