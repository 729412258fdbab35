"""A certificate: the laws that were checked on a run, and what it takes to check them again."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import thermoc
from thermoc import api
from thermoc.certificates.judging import LEAST_AVERAGED
from thermoc.certificates.law import Law, Skipped
from thermoc.certificates.laws import LAWS, convergence
from thermoc.certificates.seen import instrumented, seen
from thermoc.ir.graph import Graph
from thermoc.ir.ops import STATEFUL
from thermoc.ir.serial import graph_bytes, load_graph
from thermoc.support.errors import error
from thermoc.support.files import write_atomic
from thermoc.support.npz import npz_bytes
from thermoc.support.tables import html_table, table

FORMAT, VERSION = "thermoc certificate", 1
MOST_BYTES = 4 * 2**20
"""A network and inputs larger than this are not put into the certificate."""
REPEATED = 1e-6
"""A repeated measurement agrees with the recorded one within this, relative to its bound or its size."""


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


def certify(run: api.Run, *, warmup: int | None = None) -> Certificate:
    """Check P45 to P49 on what a run did, and return the certificate.

    The run is repeated from its seed with the values of every thermodynamic op handed out (one seed gives one
    trajectory), its outputs are compared with the run's own, and each law is measured. On a die that heats, handing
    out more takes instructions that heat it too: there the run is repeated once more as it was, for the comparison.
    warmup: ticks before averages begin, default a quarter. Statistical laws are checked at four standard errors.
    Errors: T404 for a run that cannot be repeated, or is too short.
    """
    call = run.call
    if call is None:
        raise error("T404", "this run cannot be repeated", notes=["it does not know its network"], hint="use exe.run")
    ticks = len(next(iter(run.outputs.values())))
    warmup = ticks // 4 if warmup is None else warmup
    if not 0 <= warmup < ticks:
        raise error("T404", "warmup must be less than the ticks", notes=[f"warmup = {warmup}", f"{ticks} ticks"])
    source = call.executable.source
    _long_enough(source, ticks)
    ops = tuple(op for op in source.ops if type(op) in LAWS)
    outputs = _repeated(call, instrumented(source, ops))
    laws = [_same(run, _repeated(call, source) if _heats(call) else outputs)]
    skipped = [
        {"op": f"{op.opname} {op.results[0]}", "law": "", "reason": "no law is known for it"}
        for op in source.ops
        if op.traits and op.results and type(op) not in LAWS
    ]
    courses: dict[str, dict[str, list[float]]] = {}
    for op in ops:
        watched = seen(source, op, outputs, call.timed, call.place, warmup)
        told = list(LAWS[type(op)](watched))
        found = [law for law in told if isinstance(law, Law)]
        laws += found
        skipped += [asdict(item) for item in told if isinstance(item, Skipped)]
        series = convergence(watched)
        if series:
            courses[watched.label] = series
        if not told:
            skipped.append({"op": watched.label, "law": "", "reason": "nothing of it can be checked here"})
    document = {
        "format": FORMAT,
        "version": VERSION,
        "thermoc": thermoc.__version__,
        "network": source.name,
        "target": run.target,
        "options": asdict(call.executable.options),
        "dt": source.dt,
        "seed": run.seed,
        "ticks": ticks,
        "batch": call.batch,
        **{name: call.place[name] for name in ("first_sample", "first_tick")},
        "warmup": warmup,
        "graph_sha256": source.hash,
        "inputs_sha256": arrays_hash(call.inputs),
        "result_sha256": arrays_hash(run.outputs),
        "laws": [law.to_json() for law in laws],
        "holds": all(law.holds for law in laws),
        "skipped": skipped,
        "convergence": courses,
        "replay": _replay(source, call.inputs),
    }
    return Certificate(document={**document, "sha256": _digest(document)})


def recheck(path: str | os.PathLike[str]) -> Certificate:
    """Read a certificate and check it again, offline: its digest, its verdicts, and, where it holds the network, all
    of it by running it once more.

    Errors: T501, T502 (no certificate), T503 (a newer version), T407 (it does not match itself, or the repeated run).
    """
    document = _read(Path(path))
    certificate = Certificate(document=document)
    try:
        laws = certificate.laws
    except (TypeError, ValueError, KeyError) as reason:
        raise error("T502", f"{path} is damaged", notes=[f"a law cannot be read: {reason}"]) from None
    if document.get("sha256") != _digest(document):
        raise error("T407", f"{path} was altered", notes=["its SHA-256 is not that of its content"])
    if [law.holds for law in laws] != [entry["holds"] for entry in document["laws"]]:
        raise error("T407", f"{path}: a verdict does not follow from its numbers")
    if document["replay"] is not None:
        _compare(Path(path), certificate, _again(document))
    return certificate


def arrays_hash(arrays: Mapping[str, NDArray]) -> str:
    """Return the SHA-256 of named arrays: names, shapes, dtypes and elements."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {arrays[name].shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _long_enough(graph: Graph, ticks: int) -> None:
    """Refuse a run in which no state was seen to move. Errors: T404."""
    moving = next((op for op in graph.ops if STATEFUL in op.traits and type(op) in LAWS), None)
    if ticks < 2 and moving is not None:
        label = f"{moving.opname} {moving.results[0]}"
        notes = [f"it has {ticks} tick", f"the laws of {label} compare a tick with the next"]
        hint = f"run at least 2 ticks; averages need {LEAST_AVERAGED} after the warm-up, better some hundred"
        raise error("T404", "the run is too short to certify", where=moving.location, notes=notes, hint=hint)


def _repeated(call: api.Call, graph: Graph) -> Mapping[str, NDArray]:
    exe = api.compile(graph, call.executable.backend.name, **asdict(call.executable.options))
    return exe.run(call.inputs, ticks=call.ticks, batch=call.batch, **call.place).outputs


def _heats(call: api.Call) -> bool:
    """Return whether what is handed out acts on the numbers: a chip's instructions do where its die's heat counts."""
    return getattr(call.executable.options, "temperature", "model") == "die"


def _same(run: api.Run, outputs: Mapping[str, NDArray]) -> Law:
    """Return that the repeated run is the run: equal words, floats to rounding."""
    gaps, single = [0.0], False
    for name, array in run.outputs.items():
        size = max(float(np.abs(array).max(initial=0)), 1.0)
        gaps.append(float(np.abs(outputs[name].astype(float) - array).max(initial=0)) / size)
        single = single or array.dtype == np.float32
    return Law(
        law="seed",
        op="run",
        statement="the run, repeated from its seed, is the same",
        measured=max(gaps),
        expected=0.0,
        bound=1e-4 if single else 1e-9,
        samples=sum(array.size for array in run.outputs.values()),
    )


def _replay(graph: Graph, inputs: Mapping[str, NDArray]) -> dict[str, str] | None:
    model, arrays = graph_bytes(graph), npz_bytes(inputs, compress=True)
    if len(model) + len(arrays) > MOST_BYTES:
        return None
    return {"graph": base64.b64encode(model).decode(), "inputs": base64.b64encode(arrays).decode()}


def _again(document: Mapping[str, Any]) -> Certificate:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "replay.thermo"
        path.write_bytes(base64.b64decode(document["replay"]["graph"]))
        graph = load_graph(path)
        with np.load(io.BytesIO(base64.b64decode(document["replay"]["inputs"])), allow_pickle=False) as archive:
            inputs = {name: archive[name] for name in archive.files}
        exe = api.compile(graph, document["target"], **document["options"])
        place = {name: document[name] for name in ("seed", "first_sample", "first_tick")}
        run = exe.run(inputs, ticks=document["ticks"], batch=document["batch"], **place)
        return certify(run, warmup=document["warmup"])


def _compare(path: Path, old: Certificate, new: Certificate) -> None:
    for name in ("graph_sha256", "inputs_sha256"):
        if old.document[name] != new.document[name]:
            raise error("T407", f"{path}: its {name} is not that of what it holds")
    if len(old.laws) != len(new.laws):
        raise error("T407", f"{path}: other laws are checked now", notes=[f"{len(old.laws)} then, {len(new.laws)} now"])
    for was, now in zip(old.laws, new.laws):
        room = REPEATED * max(abs(was.bound), abs(was.measured), abs(was.expected)) + max(was.bound, 0) * 1e-3
        if (was.op, was.statement) != (now.op, now.statement) or not abs(was.measured - now.measured) <= room:
            notes = [f"recorded {was.measured!r}", f"measured now {now.measured!r}"]
            raise error("T407", f"{path}: {was.op}: {was.statement}", notes=notes, hint="the run is not repeated")


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except OSError as reason:
        raise error("T501", f"{path} cannot be read", notes=[str(reason.strerror)], hint="check the path") from None
    except ValueError as reason:
        raise error("T502", f"{path} is not JSON", notes=[str(reason)]) from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise error("T502", f"{path} is not a certificate", hint="thermoc run MODEL --certify writes one")
    if document.get("version") != VERSION:
        raise error("T503", f"{path} has version {document.get('version')}", notes=[f"this thermoc reads {VERSION}"])
    return document


def _digest(document: Mapping[str, Any]) -> str:
    plain = {name: value for name, value in document.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _verdict(law: Law) -> str:
    sign = {"above": "at least ", "below": "at most "}.get(law.side, "")
    return f"measured {law.measured:.6g}, expected {sign}{law.expected:.6g}, bound {law.bound:.3g}"
