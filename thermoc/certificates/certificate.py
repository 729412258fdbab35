"""A certificate: the laws that were checked on a run, and what it takes to check them again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import thermoc
from thermoc.certificates.criteria import LEAST_AVERAGED
from thermoc.certificates.document import FORMAT, VERSION, digest
from thermoc.certificates.law import Law, Skipped, json_number
from thermoc.certificates.laws import LAWS, convergence
from thermoc.certificates.observed import Observed, instrumented, observe
from thermoc.certificates.replay import encode, recorded_options
from thermoc.ir.dialects import core
from thermoc.ir.graph import Graph
from thermoc.ir.ops import CONTINUOUS, STATEFUL, STOCHASTIC
from thermoc.recording.plan import signals
from thermoc.recording.recording import Recording
from thermoc.run import Call, Run
from thermoc.session import run_again
from thermoc.support.errors import error
from thermoc.support.files import write_atomic
from thermoc.support.tables import html_table, table


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What ``certify`` found. ``holds`` is true where every law does; ``str`` is a table to read."""

    document: Mapping[str, Any]

    @property
    def laws(self) -> tuple[Law, ...]:
        """The laws that were checked."""
        return tuple(Law.of(entry) for entry in self.document["laws"])

    @property
    def holds(self) -> bool:
        """Whether every law holds. A run without any law to check certifies nothing."""
        return bool(self.laws) and all(law.holds for law in self.laws)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the certificate as JSON, whole or not at all. Errors: T505."""
        write_atomic(path, (json.dumps(self.document, indent=1) + "\n").encode())

    def check(self) -> None:
        """Raise T406 with every law that does not hold."""
        wrong = [law for law in self.laws if not law.holds]
        if wrong or not self.laws:
            notes = [f"{law.law} {law.op}: {law.statement}: {_verdict(law)}" for law in wrong]
            hint = "run longer if R-hat or the sample size is what fails; else the dynamics are not what they should be"
            raise error(
                "T406", "the laws do not hold on this run", notes=notes or ["no op has a law to check"], hint=hint
            )

    @property
    def title(self) -> str:
        """Which run it is of."""
        head = self.document
        size = f"{head['ticks']} ticks, {head['batch']} samples"
        return f"{head['network']} on {head['target']}, seed {head['seed']}: {size}"

    def rows(self) -> list[dict[str, object]]:
        """Return a row for each law: what was measured, what it must be, within what."""
        return [
            {
                "law": law.law,
                "op": law.op,
                "statement": law.statement,
                "measured": law.measured,
                "expected": {"above": ">= ", "below": "<= "}.get(law.side, "") + f"{law.expected:.4g}",
                "bound": law.bound,
                "holds": law.holds,
            }
            for law in self.laws
        ]

    def _repr_html_(self) -> str:
        return html_table(self.title, self.rows())

    def __str__(self) -> str:
        rows = self.rows()
        count = sum(law.holds for law in self.laws)
        skipped = [
            f"not checked: {' '.join(filter(None, (item.get('law'), item['op'])))}: {item['reason']}"
            for item in self.document["skipped"]
        ]
        return "\n".join([table(self.title, rows), *skipped, f"{count} of {len(rows)} laws hold"])


def certify(run: Run, *, warmup: int | None = None) -> Certificate:
    """Check P45 to P49 on what a run did, and return the certificate.

    The run is repeated from its seed with the values of every thermodynamic op as outputs (one seed gives one
    trajectory), its outputs are compared with the run's own, and each law is measured. On a die that heats, handing
    out more takes instructions that heat it too: there the run is repeated once more as it was, for the comparison.
    warmup: ticks before averages begin, default a quarter. Statistical laws are checked at four standard errors.
    Errors: T404 for a run that cannot be repeated, or is too short.
    """
    call = run.call
    if call is None:
        notes, hint = ["it was read from a file, which holds no network"], "certify it where it is run"
        raise error("T404", "this run cannot be repeated", notes=notes, hint=hint)
    ticks = call.ticks
    warmup = ticks // 4 if warmup is None else warmup
    if not 0 <= warmup < ticks:
        raise error("T404", "warmup must be less than the ticks", notes=[f"warmup = {warmup}", f"{ticks} ticks"])
    source = call.executable.source
    _long_enough(source, ticks)
    ops = tuple(op for op in source.ops if type(op) in LAWS)
    outputs = _repeated(call, instrumented(source, ops))
    # On a hot die the probes' own instructions heat it, so what they change is compared with a run without them.
    same = _same(run, call, _repeated(call, source) if _heats(call) else outputs)
    checked = _checked([observe(source, op, outputs, call.timed, call.position, warmup) for op in ops])
    laws = (same, *checked.laws)
    document = {
        **_header(run, call, _results(run, outputs), warmup),
        "laws": [law.to_json() for law in laws],
        "holds": all(law.holds for law in laws),
        "skipped": [*_without_law(source), *map(asdict, checked.skipped)],
        "convergence": checked.convergence,
        "replay": encode(call),
    }
    return Certificate(document={**document, "sha256": digest(document)})


class _Checked(NamedTuple):
    laws: Sequence[Law]
    skipped: Sequence[Skipped]
    convergence: Mapping[str, dict[str, list[float | str]]]


def _checked(observations: Sequence[Observed]) -> _Checked:
    """Measure the laws of each op."""
    laws: list[Law] = []
    skipped: list[Skipped] = []
    courses: dict[str, dict[str, list[float | str]]] = {}
    for observed in observations:
        findings = list(LAWS[type(observed.op)](observed))
        laws += [law for law in findings if isinstance(law, Law)]
        skipped += [law for law in findings if isinstance(law, Skipped)]
        series = convergence(observed)
        if series:
            courses[observed.label] = {
                name: [json_number(value) for value in values] for name, values in series.items()
            }
        if not findings:
            skipped.append(Skipped(op=observed.label, law="", reason="nothing of it can be checked here"))
    return _Checked(laws, skipped, courses)


def _without_law(source: Graph) -> list[dict[str, str]]:
    return [
        {"op": f"{op.opname} {op.results[0]}", "law": "", "reason": "no law is known for it"}
        for op in source.ops
        if op.traits & {STATEFUL, STOCHASTIC, CONTINUOUS} and op.results and type(op) not in LAWS
    ]


def _results(run: Run, outputs: Mapping[str, NDArray]) -> Mapping[str, NDArray]:
    """Return all outputs at all ticks: the run's own, or those of its repetition where it recorded less."""
    graph = run.call.executable.source if run.call is not None else None
    names = [name for name in graph.outputs if name not in graph.probes] if graph is not None else []
    complete = run.store is None and set(run.outputs) == set(names)
    return run.outputs if complete else {name: outputs[name] for name in names}


def _header(run: Run, call: Call, results: Mapping[str, NDArray], warmup: int) -> dict[str, Any]:
    """Return which run it is of: enough to repeat it, and to tell whether network, inputs and outputs are the same."""
    source = call.executable.source
    return {
        "format": FORMAT,
        "version": VERSION,
        "thermoc": thermoc.__version__,
        "network": source.name,
        "target": run.target,
        "options": recorded_options(call.executable),
        "dt": source.dt,
        "seed": run.seed,
        "ticks": call.ticks,
        "batch": call.batch,
        **{name: call.position[name] for name in ("first_sample", "first_tick")},
        "warmup": warmup,
        "graph_sha256": source.hash,
        "inputs_sha256": arrays_hash(call.inputs),
        "result_sha256": arrays_hash(results),
    }


def arrays_hash(arrays: Mapping[str, NDArray]) -> str:
    """Return the SHA-256 of named arrays: names, shapes, dtypes and elements."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        # Little-endian on every machine, so that the same numbers have the same digest.
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        total.update(f"{name} {array.dtype.str} {arrays[name].shape}\n".encode())
        total.update(array.tobytes())
    return total.hexdigest()


def _long_enough(graph: Graph, ticks: int) -> None:
    """Refuse a run in which no state was seen to move. Errors: T404."""
    moving = next((op for op in graph.ops if STATEFUL in op.traits and type(op) in LAWS), None)
    if ticks < 2 and moving is not None:
        label = f"{moving.opname} {moving.results[0]}"
        notes = [f"it has {ticks} tick", f"the laws of {label} compare a tick with the next"]
        hint = f"run at least 2 ticks; averages need {LEAST_AVERAGED} after the warm-up, better some hundred"
        raise error("T404", "the run is too short to certify", where=moving.location, notes=notes, hint=hint)


def _repeated(call: Call, graph: Graph) -> Mapping[str, NDArray]:
    return run_again(call.executable.recompiled(_without_probes(graph)), call).outputs


def _without_probes(graph: Graph) -> Graph:
    """Return the graph with its probes as outputs, so that every run returns them."""
    return graph.with_ops(
        core.Output(name=op.name, x=op.x, location=op.location) if isinstance(op, core.Probe) else op
        for op in graph.ops
    )


def _heats(call: Call) -> bool:
    """Return whether what is observed acts on the numbers: a chip's instructions do where its die's heat counts."""
    return getattr(call.executable.options, "temperature", "model") == "die"


def _same(run: Run, call: Call, outputs: Mapping[str, NDArray]) -> Law:
    """Return that the repeated run is the run: what was recorded is the same of both, floats to rounding."""
    exe, gaps, single, count = call.executable, [0.0], False, 0
    signal = signals(exe.source, exe.graph, call.plan, ticks=call.ticks, batch=call.batch, begun=call.begun)
    recording = Recording(call.plan, signal, begun=call.begun)
    for name, recorders in recording.recorders.items():
        for recorder in recorders:
            recorder.take(outputs[name])
    for name, again in recording.recorded.items():
        for of in again:
            array = run.recorded[name][of]
            single = single or array.dtype == np.float32
            count += array.size
            gaps.append(_gap(array, again[of]))
    return Law(
        law="seed",
        op="run",
        statement="the run, repeated from its seed, is the same",
        measured=max(gaps),
        expected=0.0,
        bound=1e-4 if single else 1e-9,
        samples=count,
    )


def _gap(array: NDArray, again: NDArray) -> float:
    """Return the largest difference of two arrays, beside their size."""
    if array.shape != again.shape:
        return np.inf
    size = max(float(np.abs(array).max(initial=0)), 1.0)
    return float(np.abs(again.astype(float) - array).max(initial=0)) / size


def _verdict(law: Law) -> str:
    sign = {"above": "at least ", "below": "at most "}.get(law.side, "")
    return f"measured {law.measured:.6g}, expected {sign}{law.expected:.6g}, bound {law.bound:.3g}"
