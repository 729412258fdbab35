"""What a run gave: outputs and states by name, how far its chains are mixed, and how it was called."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from thermoc import physics
from thermoc.compiled import Compiled
from thermoc.mixing import diagnostics, not_mixed, sampled
from thermoc.provenance import provenance
from thermoc.recording.chips import chip_attrs, picture_attrs
from thermoc.recording.conversions import Spikes, array_row, dimod_samples, neo_block, spikes
from thermoc.recording.files import dataset, load, meanings_of, save
from thermoc.recording.layout import TRACE, Frame
from thermoc.recording.meanings import meanings
from thermoc.recording.plan import Plan
from thermoc.recording.recorded import Recorded
from thermoc.recording.specs import Spec
from thermoc.recording.store import RunStore
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import Finding, ThermocError, caller, error
from thermoc.support.loading import check_path, reading, shown
from thermoc.support.suggestions import near
from thermoc.support.tables import html_table, table

if TYPE_CHECKING:
    import xarray

    from thermoc import HtmlReport


@dataclass(frozen=True, kw_only=True)
class Call:
    """How a run was called: enough to repeat it. ``inputs`` are as they were given.

    begun: ticks of its session before it. position: seed, first_sample, and the noise's tick at its start.
    timed: names of the inputs that change over the ticks. plan: what was recorded.
    """

    executable: Compiled
    inputs: Mapping[str, AnyArray]
    ticks: int
    batch: int
    begun: int
    position: Mapping[str, int]
    timed: frozenset[str]
    plan: Plan
    start: Mapping[str, AnyArray] | None = None
    """The session's snapshot before it; None at the initial state, and where it is not known any more."""

    @cached_property
    def frame(self) -> Frame:
        """What all that was recorded shares: axes, roles, levels, and where it stands in the session."""
        source = self.executable.source
        position = {"begun": self.begun, "first_sample": self.position["first_sample"], "batch": self.batch}
        return Frame(meanings=meanings(source), dt=source.dt, **position)

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """What made the run, as files of it say."""
        size = {"begun": self.begun, "ticks": self.ticks, "batch": self.batch}
        origin = provenance(self.executable, self.frame.meanings, self.plan, self.position, **size)
        return {**origin, "sampled": json.dumps(self.sampled)}

    @cached_property
    def sampled(self) -> list[str]:
        """The outputs that are samples of an equilibrium, once their chains are mixed."""
        return sampled(self.executable.source, self.timed)


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
    attrs: Mapping[str, Any] = field(default_factory=dict)
    """What its file says of a run that was read."""
    store: RunStore | None = None
    complete: bool = True
    """Whether it came to its end: Ctrl-C or an error may stop it before."""
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
        equilibrium on purpose. Of many elements 64 are looked at. Fewer than 8 recorded ticks have no diagnostics.
        """
        names = json.loads(self.attrs["sampled"]) if self.call is None else self.call.sampled
        return diagnostics({name: self._traces[name] for name in names if name in self._traces})

    @property
    def _traces(self) -> Mapping[str, Any]:
        """What was recorded all or every k-th, of a store not read yet."""
        return {name: item.fields[TRACE] for name, item in self.recorded.items() if TRACE in item}

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The compiler's warnings about the physics; W104: chains not equilibrated; W105: nothing recorded."""
        physical = () if self.call is None else self.call.executable.warnings
        empty = (finding for item in self.recorded.values() for finding in item.warnings)
        return (
            *physical,
            *empty,
            *(not_mixed(name, chain) for name, chain in self.diagnostics.items() if not chain.mixed),
        )

    def __getitem__(self, name: str) -> AnyArray:
        return recorded_of(self, name).array

    def to_xarray(self) -> xarray.Dataset:
        """Return an xarray Dataset: a variable for each array that was recorded, lazy where it stands in a store.

        Traces have the dimensions tick (tick_100 of every 100th), sample and their own axes, which outputs of one
        population share; ``time`` is tick * dt. Other fields are ``name.mean``, ``name.events``, ... Units of two
        levels are truth values or, spins, int8. Where an output has the name of a dimension or coordinate, it keeps it,
        and theirs gets ``_`` behind. The attributes say what made the run.
        """
        if self.store is not None and self.store.attrs["complete"]:
            import xarray

            return xarray.open_zarr(self.store.path, chunks=None, consolidated=False)
        return dataset(self.provenance, self.frame, self.recorded)

    def spikes(self, name: str) -> Spikes:
        """Return (times, ids) of the spikes of each sample, times in order: what elephant and Brian2 take.

        It must be recorded as ``events`` or ``all``. Of spins it is where they are up. Errors: T401, T419.
        """
        return spikes(recorded_of(self, name), self.frame.meanings[name], self.frame)

    def to_neo(self, *, time_unit: str = "s") -> Any:
        """Return a neo.Block: a segment a sample, with a spike train a unit and an analog signal a trace.

        time_unit: what dt counts in. Errors: T302 without Neo.
        """
        return neo_block(self.title, self.frame, self.recorded, ticks=self.ticks, time_unit=time_unit)

    def to_dimod(self, name: str, energy: str | ArrayLike) -> Any:
        """Return a dimod.SampleSet of an output of units of two levels: all ticks and samples, equal ones counted.

        energy: the name of the output that is their energy, or numbers (ticks, batch). Errors: T302, T401, T419.
        """
        energies = self[energy] if isinstance(energy, str) else energy
        return dimod_samples(recorded_of(self, name), self.frame.meanings[name], energies)

    @property
    def ticks(self) -> int:
        """How many were run."""
        return int(self.provenance["ticks"]) if self.call is None else self.call.ticks

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write it as ``.zarr``, ``.nc`` or ``.npz``; ``tc.open_run`` reads it back. Errors: T302, T505, T506.

        A run whose traces lie in a store cannot be written over that store.
        """
        check_path(path)
        if self.store is not None and self.store.path.resolve() == Path(path).resolve():
            notes, hint = ["it holds the traces of this very run"], "it is written already; or choose another path"
            raise error("T505", f"{shown(path)} cannot be written", notes=notes, hint=hint)
        save(path, {**self.provenance, **picture_attrs(self.chip)}, self.frame, self.recorded, overwrite=overwrite)

    @property
    def provenance(self) -> Mapping[str, Any]:
        """What made it: network and its hash, target, options, seed, versions."""
        if self.call is None:
            return self.attrs
        return {**self.call.provenance, **chip_attrs(self.chip), "complete": int(self.complete)}

    @cached_property
    def frame(self) -> Frame:
        """What all that was recorded shares."""
        if self.call is not None:
            return self.call.frame
        position = {name: int(self.attrs[name]) for name in ("begun", "first_sample", "batch")}
        return Frame(meanings=meanings_of(self.attrs), dt=self.dt, **position)

    @property
    def title(self) -> str:
        """What ran where, from which seed."""
        return f"{self.network} on {self.target}, seed {self.seed}"

    @property
    def arrays(self) -> dict[str, AnyArray]:
        """All that was recorded: a trace under the name of its output, everything else as ``name.mean``."""
        return {
            name if field_name == TRACE else f"{name}.{field_name}": item[field_name]
            for name, item in self.recorded.items()
            for field_name in item.fields
        }

    def rows(self) -> list[dict[str, object]]:
        """Return a row for each array that was recorded: shape, dtype, mean and ends, and how far chains are mixed."""
        mixing, rows = self.diagnostics, list[dict[str, object]]()
        for name, item in self.recorded.items():
            for of in (of for of in item if of != "count"):
                row = array_row({"output": name if of == TRACE else f"{name}.{of}"}, item.fields[of])
                chain = mixing.get(name) if of == TRACE else None
                ends = {"r_hat": chain.r_hat, "ess": chain.ess} if chain else {"r_hat": None, "ess": None}
                rows.append({**row, **(ends if mixing else {})})
        return rows

    def report(self, *, certificate: Any = None, temperatures: physics.UnitTemperatures | None = None) -> HtmlReport:
        """Return a page of it, ``.html(path)``: graph, passes, signals, mixing, the chip (docs/report.md).

        certificate: what ``tc.certify`` gave of it, temperatures: what ``tc.effective_temperatures`` did, to be shown
        too. Errors: T419 where nothing was recorded.
        """
        from thermoc import report

        return report(self, certificate=certificate, temperatures=temperatures)

    def summary(self) -> str:
        """Return the table of what was recorded, with warnings and what a chip took: what ``print`` shows."""
        return str(self)

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name} {list(item.array.shape)}" for name, item in self.recorded.items())
        return f"Run({self.title}: {shapes})"

    def __str__(self) -> str:
        lines = [table(self.title, self.rows()), *map(str, self.warnings)]
        return "\n".join(lines + ([] if self.chip is None else [f"\n{self.chip}"]))

    def _repr_html_(self) -> str:
        return html_table(self.title, self.rows())


def open_run(path: str | os.PathLike[str]) -> Run:
    """Read a run that was written; traces of a ``.zarr`` are read where they are asked for.

    It has no states and cannot be repeated. Errors: T302, T501 to T506.
    """
    check_path(path)
    with reading(path, "a run of thermoc"):
        saved = load(path)
        attrs = saved.attrs
        return Run(
            network=str(attrs["network"]),
            target=str(attrs["target"]),
            seed=int(attrs["seed"]),
            dt=float(attrs["dt"]),
            recorded=saved.recorded,
            attrs=attrs,
            store=saved.store,
            complete=bool(attrs["complete"]),
        )


def recorded_of(run: Run, name: str) -> Recorded:
    """Return what a run recorded under a name. Errors: T401, with the name that was meant or how it is recorded."""
    if name not in run.recorded:
        left_out = run.call is not None and name in run.call.executable.source.outputs
        hint = f'record={{"{name}": "all"}}' if left_out else near(name, run.recorded)
        notes = [f"recorded are {list(run.recorded)}"]
        raise error("T401", f"the run has no output {name!r}", notes=notes, hint=hint)
    return run.recorded[name]


def run_of(run: Run) -> Run:
    """Return what is a run. Errors: T111 for anything else."""
    given: object = run
    if not isinstance(given, Run):
        path = isinstance(given, str | os.PathLike)
        notes = [f"it was given {given!r}" if path else f"it was given {type(given).__name__}"]
        hint = f"tc.open_run({str(given)!r}) reads one from a file" if path else "exe.run(...) gives one"
        raise error("T111", "a run is expected", where=caller(), notes=notes, hint=hint)
    return given


class Interrupted(KeyboardInterrupt):
    """Ctrl-C ended a run at a tick: ``run`` is what it has recorded of ``ticks`` in all; its session stands there."""

    def __init__(self, run: Run, ticks: int):
        self.run, self.ticks = run, ticks
        super().__init__(f"at tick {run.ticks} of {ticks}; what was recorded until then is the exception's .run")


class Stopped(ThermocError):
    """An error ended a run behind its first ticks: ``run`` is what it has recorded of ``ticks`` in all."""

    def __init__(self, findings: Sequence[Finding], run: Run | None = None, ticks: int = 0):
        super().__init__(findings)
        self.run, self.ticks = run, ticks
