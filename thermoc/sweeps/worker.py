"""One point of a sweep on a worker: compiled once for what cannot be replaced, then run."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import thermoc
from thermoc.api import Executable, compile
from thermoc.mixing import diagnostics, sampled
from thermoc.network import Network
from thermoc.recording.layout import TRACE
from thermoc.run import Run
from thermoc.simulator.chips import variants
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import ThermocError
from thermoc.sweeps.artefacts import SharedArtefacts
from thermoc.sweeps.points import Point
from thermoc.sweeps.setup import Setup, with_own_threads

MOST_COMPILED = 32
"""Executables that a worker keeps."""
CERTAIN = ("T401", "T402", "T403", "T404", "T405", "T418", "T419")
LACKS = "T302"
"""What a target says whose runtime is not installed."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a part of a point gave: arrays by field of each output, states, the chip's numbers, diagnostics."""

    fields: Mapping[str, Mapping[str, AnyArray]]
    states: Mapping[str, AnyArray] = field(default_factory=dict[str, AnyArray])
    chip: Mapping[str, float] = field(default_factory=dict[str, float])
    numbers: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, kw_only=True)
class Failed:
    """Why a part of a point gave nothing. lacks: because this worker lacks a package."""

    why: str
    code: str = ""
    lacks: bool = False

    @property
    def certain(self) -> bool:
        """Whether it would fail again: the graph, its lowering, its target or its numbers do not take the point."""
        return (self.code[:2] in ("T1", "T2", "T3") and not self.lacks) or self.code in CERTAIN


class Executables:
    """What was compiled of one sweep, by options, chip's numbers and frozen parameters.

    artefacts: where processes of a machine share them. compilations: how many were compiled here.
    """

    def __init__(self, setup: Setup, artefacts: SharedArtefacts | None = None):
        self.setup = setup
        self.compilations = 0
        self._artefacts = artefacts
        self._kept: OrderedDict[str, Executable] = OrderedDict()
        self._lock = threading.Lock()

    def at(self, point: Point) -> Executable:
        """Return the network compiled for a point, with the point's parameters. Errors: T2xx, T3xx, T418."""
        with self._lock:  # threads of a worker would compile the same several times
            parameters = self.setup.parameters_of(point)
            values = self.setup.by_kind(point)
            general = self.compiled(values, {})
            frozen = {name: parameters[name] for name in parameters if name in general.frozen_parameters}
            exe = self.compiled(values, frozen) if frozen else general
        return exe.with_parameters({name: array for name, array in parameters.items() if name not in frozen})

    def compiled(self, values: Mapping[str, Mapping[str, Any]], frozen: Mapping[str, AnyArray]) -> Executable:
        """Return the network compiled with a point's options and chip. Errors: T2xx, T3xx."""
        key = self.setup.artefact_hash(values, frozen)
        if key not in self._kept:
            self._kept[key] = self._shared(key, values, frozen)
            if len(self._kept) > MOST_COMPILED:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def share(self, artefacts: SharedArtefacts) -> None:
        """Leave what was compiled so far for others."""
        for key, exe in self._kept.items():
            artefacts.put(key, exe)

    def close(self) -> None:
        """Leave the place that is shared."""
        if self._artefacts is not None:
            self._artefacts.close()

    def _shared(self, key: str, values: Mapping[str, Mapping[str, Any]], frozen: Mapping[str, AnyArray]) -> Executable:
        if self._artefacts is None:
            return self._compile(values, frozen)
        with self._artefacts.alone(key):
            exe = self._artefacts.get(key)
            if exe is None:
                exe = self._compile(values, frozen)
                self._artefacts.put(key, exe)
        return exe

    def _compile(self, values: Mapping[str, Mapping[str, Any]], frozen: Mapping[str, AnyArray]) -> Executable:
        setup = self.setup
        self.compilations += 1
        options = with_own_threads(setup.target, {**setup.options, **values.get("option", {})})
        if "chip" in values:
            options["chip"] = variants.path_of(variants.with_numbers(setup.chip, values["chip"]))
        network = Network.of(setup.network)
        return compile(network.with_parameters(frozen) if frozen else network, setup.target, **options)


def carried_out(executables: Executables, point: Point, first_sample: int, batch: int) -> Done | Failed:
    """Run a part of a point; what goes wrong is told, not raised."""
    setup = executables.setup
    try:
        inputs = {name: _part(setup, name, array, first_sample, batch) for name, array in setup.inputs.items()}
        run = executables.at(point).run(
            inputs,
            ticks=setup.ticks,
            batch=batch,
            seed=setup.seed_of(point),
            first_sample=first_sample,
            record=setup.record,
            progress=False,
        )
        what = done(run, states=setup.states)
        return replace(what, numbers=diagnosed(setup, what)) if batch == setup.batch else what
    except ThermocError as problem:
        return Failed(why=str(problem), code=problem.code, lacks=problem.code == LACKS)
    except Exception as reason:  # a point of a thousand must not end the others
        return Failed(why=f"{type(reason).__name__}: {reason}")


def done(run: Run, *, states: bool) -> Done:
    """Return what a run recorded."""
    chip = {} if run.chip is None else {f"chip.{name}": float(getattr(run.chip, name)) for name in CHIP}
    fields = {name: {of: item[of] for of in item} for name, item in run.recorded.items()}
    return Done(fields=fields, states=dict(run.states) if states else {}, chip=chip)


def diagnosed(setup: Setup, whole: Done) -> dict[str, float]:
    """Return R-hat, ESS and tau of every sampled output of a whole batch of which traces are kept."""
    timed = [name for name, array in setup.inputs.items() if array.ndim > len(setup.network.inputs[name].shape) + 1]
    names = sampled(setup.network, timed)
    traces = {name: whole.fields[name][TRACE] for name in names if TRACE in whole.fields.get(name, {})}
    summary = diagnostics(traces)
    return {f"{name}.{what}": getattr(summary[name], what) for name in summary for what in DIAGNOSTICS}


DIAGNOSTICS = ("r_hat", "ess", "tau")
CHIP = ("joules", "seconds", "peak_kelvin")
"""What is kept of a simulated chip's run."""


def _part(setup: Setup, name: str, array: AnyArray, first: int, batch: int) -> AnyArray:
    """Return the samples of an input that belong to a part; they stand behind the ticks, where there are any."""
    axis = array.ndim - len(setup.network.inputs[name].shape) - 1
    return array[(slice(None),) * axis + (slice(first, first + batch),)]


def versions() -> dict[str, str]:
    """Return what must be the same on all workers, for the bits to be."""
    return {"thermoc": thermoc.__version__, "numpy": np.__version__}
