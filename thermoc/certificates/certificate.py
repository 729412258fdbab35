"""A certificate: the laws that were checked on a run, and what it takes to check them again."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import thermoc
from thermoc.certificates.controls import Control, controls
from thermoc.certificates.criteria import LEAST_AVERAGED
from thermoc.certificates.document import FORMAT, VERSION, digest
from thermoc.certificates.judging import FALSE_ALARMS, RESOLUTION, level_of, overall
from thermoc.certificates.law import CANNOT_TELL, FAILS, HOLDS, Finding, Law, Skipped, json_number
from thermoc.certificates.laws import LAWS, convergence
from thermoc.certificates.observed import Observed, instrumented, observe, seen_of
from thermoc.certificates.replay import encode, recorded_options
from thermoc.certificates.signature import signed
from thermoc.compiled import Compiled
from thermoc.ir.dialects import core
from thermoc.ir.graph import Graph
from thermoc.ir.ops import CONTINUOUS, STATEFUL, STOCHASTIC, Op
from thermoc.recording.plan import signals
from thermoc.recording.recording import Recording
from thermoc.run import Call, Run, run_of
from thermoc.session import run_again
from thermoc.support.errors import error
from thermoc.support.files import write_atomic
from thermoc.support.limits import MIB
from thermoc.support.plurals import counted
from thermoc.support.tables import html_table, table

MOST_UNHASHED = 256 * MIB
"""Outputs larger than this are hashed at once, rather than kept until the document is asked for."""


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What ``certify`` found. ``verdict`` is "holds", "fails" or "cannot tell"; ``str`` is a table to read.

    stated: its document but for the digests. unhashed: the outputs whose digest is not taken yet.
    """

    stated: Mapping[str, Any]
    unhashed: dict[str, NDArray] = field(default_factory=dict[str, NDArray], repr=False, compare=False)

    @cached_property
    def document(self) -> Mapping[str, Any]:
        """All of it as JSON values. The outputs are hashed when it is first asked for: cheap ticks take no longer."""
        document = dict(self.stated)
        if "result_sha256" not in document:
            document["result_sha256"] = arrays_hash(self.unhashed)
            self.unhashed.clear()
        return {**document, "sha256": digest(document)}

    @property
    def laws(self) -> tuple[Law, ...]:
        """The laws that were checked."""
        return tuple(Law.of(entry) for entry in self.stated["laws"])

    @property
    def controls(self) -> tuple[Control, ...]:
        """What became of copies of the record that were falsified; a certificate of version 1 has none."""
        return tuple(Control(**entry) for entry in self.stated.get("controls", ()))

    @property
    def verdict(self) -> str:
        """That of its laws and controls together. A run without any law to check certifies nothing: it cannot tell."""
        return verdict_of(self.laws, self.controls)

    @property
    def holds(self) -> bool:
        """Whether every law holds, and every control was caught."""
        return self.verdict == HOLDS

    def save(self, path: str | os.PathLike[str], *, key: str | os.PathLike[str] | None = None) -> None:
        """Write the certificate as JSON, whole or not at all. key: a PEM file of the Ed25519 key that signs it.

        Errors: T505; T302 (no ``cryptography``), T404 (no such key) where it is to be signed.
        """
        document = self.document if key is None else signed(self.document, key)
        write_atomic(path, (json.dumps(document, indent=1) + "\n").encode())

    def check(self) -> None:
        """Raise T406 with every law that does not hold, and every control that was not caught."""
        if self.holds:
            return
        wrong = [law for law in self.laws if not law.holds]
        notes = [f"{law.law} {law.op}: {law.statement}: {_reason(law)}" for law in wrong]
        notes += [f"control: {item.control} of {item.op} was not noticed" for item in self.controls if not item.caught]
        if self.verdict == FAILS:
            what, hint = "the laws do not hold on this run", "the dynamics are not what they should be"
        else:
            what, hint = "the run is too short to tell whether the laws hold", _longer(self.laws)
        raise error("T406", what, notes=notes or ["no op has a law to check"], hint=hint)

    @property
    def title(self) -> str:
        """Which run it is of."""
        head = self.stated
        size = f"{counted(head['ticks'], 'tick')}, {counted(head['batch'], 'sample')}"
        return f"{head['network']} on {head['target']}, seed {head['seed']}: {size}"

    def rows(self) -> list[dict[str, object]]:
        """Return a row for each law: what was measured, what it must be, within what, and what it would have shown."""
        return [
            {
                "law": law.law,
                "op": law.op,
                "statement": law.statement,
                "measured": law.measured,
                **dict(zip(("expected", "bound"), law.asked)),
                "verdict": law.verdict,
                "shows": _power(law),
            }
            for law in self.laws
        ]

    def _repr_html_(self) -> str:
        return html_table(self.title, self.rows())

    def __str__(self) -> str:
        rows, controls_ = self.rows(), self.controls
        counts = [f"{sum(row['verdict'] == v for row in rows)} {word}" for v, word in _WORDS.items()]
        caught = sum(bool(item.caught) for item in controls_)
        lines = [
            f"not checked: {' '.join(filter(None, (item.get('law'), item['op'])))}: {item['reason']}"
            for item in self.stated["skipped"]
        ]
        lines += [f"not noticed: {item.control} of {item.op}" for item in controls_ if not item.caught]
        lines += [f"controls: {caught} of {len(controls_)} falsified records noticed"] if controls_ else []
        lines += [_longer(self.laws)] if self.verdict == CANNOT_TELL else []
        rate = self.stated.get("false_alarms")
        lines += [f"a run that is right fails with a chance of {rate:g} at most"] if rate else []
        lines += [f"{self.verdict}: of {len(rows)} laws {', '.join(counts)}"]
        return "\n".join([table(self.title, rows), *lines])


_WORDS = {HOLDS: "hold", FAILS: "fail", CANNOT_TELL: "cannot be told"}


def certify(
    run: Run, *, warmup: int | None = None, false_alarms: float = FALSE_ALARMS, resolution: float = RESOLUTION
) -> Certificate:
    """Check P3 to P49 on what a run did, and return the certificate.

    The run is repeated from its seed with the values of every thermodynamic op as outputs (one seed gives one
    trajectory), its outputs are compared with the run's own, and each law is measured. On a die that heats, handing
    out more takes instructions that heat it too: there the run is repeated once more as it was, for the comparison.
    Then copies of the record are falsified, and each must be noticed.

    warmup: ticks before averages begin, default a quarter. false_alarms: the chance that the certificate of a right run
    fails, over all its laws (Holm 1979). resolution: the bias (of a temperature, say, as a share of it) that the run
    must be able to show with 99 % for a law to be said to hold; of a run that could not, it says "cannot tell".
    Errors: T404 for a run that cannot be repeated or is too short, and for a rate that is none.
    """
    call = run_of(run).call
    if call is None:
        notes, hint = ["it was read from a file, which holds no network"], "certify it where it is run"
        raise error("T404", "this run cannot be repeated", notes=notes, hint=hint)
    ticks = call.ticks
    warmup = ticks // 4 if warmup is None else warmup
    if not 0 <= warmup < ticks:
        raise error("T404", "warmup must be less than the ticks", notes=[f"warmup = {warmup}", f"{ticks} ticks"])
    check_asked(false_alarms, resolution)
    source = call.executable.source
    _long_enough(source, ticks)
    ops = _judged_ops(source)
    instrumented_run = call.executable.rewritten(_instrumented)
    outputs, off = _repeated(instrumented_run, call), seen_of(source, _declared(instrumented_run))
    # On a hot die the probes' own instructions heat it, so what they change is compared with a run without them.
    again = _repeated(call.executable.rewritten(_without_probes), call) if _heats(call) else outputs
    same, seen = _same(run, call, again), seen_of(source, outputs)
    observations = [observe(source, op, seen, call.timed, call.position, warmup, call.begun, off) for op in ops]
    checked = _checked(observations)
    level = level_of(checked.findings, false_alarms)
    laws = (same, *(finding.at(level, resolution) for finding in checked.findings))
    falsified = [control for observed in observations for control in controls(observed, laws, level)]
    verdict = verdict_of(laws, falsified)
    results = _results(run, again, same)
    size = sum(array.nbytes for array in results.values())
    hashed = {} if size <= MOST_UNHASHED and same.measured == 0 else {"result_sha256": arrays_hash(results)}
    stated = {
        **_header(run, call, warmup),
        **hashed,
        "false_alarms": float(false_alarms),
        "resolution": float(resolution),
        "level": level,
        "laws": [law.to_json() for law in laws],
        "controls": [control.to_json() for control in falsified],
        "verdict": verdict,
        "holds": verdict == HOLDS,
        "skipped": [*_without_law(source), *map(asdict, checked.skipped)],
        "convergence": checked.convergence,
        "replay": encode(call),
    }
    return Certificate(stated=stated, unhashed={} if hashed else dict(results))


def check_asked(false_alarms: float, resolution: float) -> None:
    """Refuse a rate or a resolution at which every run would hold. Errors: T404."""
    for name, value, minimum, maximum in (
        ("false_alarms", false_alarms, 1e-9, 0.1),
        ("resolution", resolution, 1e-3, 0.5),
    ):
        if not minimum <= value <= maximum:
            raise error("T404", f"{name} must lie between {minimum:g} and {maximum:g}", notes=[f"{name} = {value}"])


def verdict_of(laws: Sequence[Law], falsified: Sequence[Control]) -> str:
    """Return the verdict of laws and controls; of none but that the run repeats itself, nothing can be told."""
    verdicts = [*(law.verdict for law in laws), *(control.verdict for control in falsified)]
    return overall(verdicts) if any(law.law != "seed" for law in laws) or FAILS in verdicts else CANNOT_TELL


class _Checked(NamedTuple):
    findings: Sequence[Finding]
    skipped: Sequence[Skipped]
    convergence: Mapping[str, dict[str, list[float | str]]]


def _checked(observations: Sequence[Observed]) -> _Checked:
    """Measure the laws of each op."""
    measured: list[Finding] = []
    skipped: list[Skipped] = []
    courses: dict[str, dict[str, list[float | str]]] = {}
    for observed in observations:
        findings = list(LAWS[type(observed.op)].check(observed))
        measured += [law for law in findings if isinstance(law, Finding)]
        skipped += [law for law in findings if isinstance(law, Skipped)]
        series = convergence(observed)
        if series:
            courses[observed.label] = {
                name: [json_number(value) for value in values] for name, values in series.items()
            }
        if not findings:
            skipped.append(Skipped(op=observed.label, law="", reason="nothing of it can be checked here"))
    return _Checked(measured, skipped, courses)


def _without_law(source: Graph) -> list[dict[str, str]]:
    return [
        {"op": f"{op.opname} {op.results[0]}", "law": "", "reason": LAWS.reason(op)}
        for op in source.ops
        if op.traits & {STATEFUL, STOCHASTIC, CONTINUOUS} and op.results and type(op) not in LAWS
    ]


def _results(run: Run, again: Mapping[str, NDArray], same: Law) -> Mapping[str, NDArray]:
    """Return all outputs at all ticks: the run's own, or those of its repetition, which nobody else may change, where
    they are the same and where the run recorded less.
    """
    graph = run.call.executable.source if run.call is not None else None
    names = [name for name in graph.outputs if name not in graph.probes] if graph is not None else []
    complete = run.store is None and set(run.outputs) == set(names)
    return run.outputs if complete and same.measured != 0 else {name: again[name] for name in names}


def _header(run: Run, call: Call, warmup: int) -> dict[str, Any]:
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
    }


def arrays_hash(arrays: Mapping[str, NDArray]) -> str:
    """Return the SHA-256 of named arrays: names, shapes, dtypes and elements."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        # Little-endian on every machine, so that the same numbers have the same digest.
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        total.update(f"{name} {array.dtype.str} {arrays[name].shape}\n".encode())
        total.update(array.data.cast("B") if array.size else b"")
    return total.hexdigest()


def _long_enough(graph: Graph, ticks: int) -> None:
    """Refuse a run in which no state was seen to move. Errors: T404."""
    moving = next((op for op in graph.ops if STATEFUL in op.traits and type(op) in LAWS), None)
    if ticks < 2 and moving is not None:
        label = f"{moving.opname} {moving.results[0]}"
        notes = [f"it has {ticks} tick", f"the laws of {label} compare a tick with the next"]
        hint = f"run at least 2 ticks; averages need {LEAST_AVERAGED} after the warm-up, better some hundred"
        raise error("T404", "the run is too short to certify", where=moving.location, notes=notes, hint=hint)


def _repeated(compiled: Compiled, call: Call) -> Mapping[str, NDArray]:
    return run_again(compiled, call).outputs


def _judged_ops(graph: Graph) -> tuple[Op, ...]:
    return tuple(op for op in graph.ops if type(op) in LAWS)


def _instrumented(graph: Graph) -> Graph:
    """Return the graph that hands out all that its laws look at."""
    return _without_probes(instrumented(graph, _judged_ops(graph)))


def _declared(executable: Compiled) -> dict[str, float]:
    """Return how far each output may be off by what the target's passes declare."""
    changes = [change for record in executable.lowered.records for change in record.changes if change.offset]
    outputs = executable.source.outputs
    return {name: sum(c.offset for c in changes if c.what == f"output {name!r}") for name in outputs}


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
    for name, rerun in recording.recorded.items():
        for of in rerun:
            array = run.recorded[name][of]
            single = single or array.dtype == np.float32
            count += array.size
            gaps.append(_gap(array, rerun[of]))
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
    if np.array_equal(array, again):
        return 0.0
    size = max(float(np.abs(array).max(initial=0)), 1.0)
    return float(np.abs(again.astype(float) - array).max(initial=0)) / size


def _reason(law: Law) -> str:
    asked, bound = law.asked
    if law.verdict == CANNOT_TELL:
        return f"cannot tell: {_power(law) or f'measured {law.measured:.4g}, asked {asked}'}"
    within = f", bound {bound:.3g}" if isinstance(bound, float) else ""
    return f"measured {law.measured:.6g}, expected {asked}{within}"


def _power(law: Law) -> str:
    """Return the smallest bias that would have been shown, and how long it takes to tell."""
    shown = "" if law.bias is None else f"{law.bias:.2g} of {law.bias_of}"
    if law.needed is None:
        return shown
    needed = float(f"{law.needed:.2g}")
    ticks = f"{needed:,.0f} ticks tell" if np.isfinite(needed) else "no length tells"
    return "; ".join(filter(None, (shown, ticks)))


def _longer(laws: Sequence[Law]) -> str:
    needed = max((law.needed for law in laws if law.needed is not None), default=np.inf)
    if np.isfinite(needed):
        return f"run some {math.ceil(needed)} ticks, or more samples, for all laws to be told"
    return "chains that never moved, or laws without an effect: no length of this run would tell"
