"""Checkpoints: one file that holds all that a session needs to go on in another process, to the same bytes.

Format version 1, a safetensors file (``support/bundle.py``): the metadata's document has ``model`` (what was compiled,
and hashes of it), ``session`` (batch, tick, position in the noise) and ``pending`` (the run that is not over, or null);
tensors are ``graph`` (the network's ``.thermo`` file), ``snapshot.*``, ``input.*``, ``recorded.*`` and ``option.*``.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

import thermoc
from thermoc import plugins
from thermoc.compiled import Compiled, compile_graph
from thermoc.ir.serial import graph_bytes, parse_graph_file
from thermoc.passes.pipeline_text import print_pipeline
from thermoc.pipelines import pipeline_of
from thermoc.support.array_types import AnyArray
from thermoc.support.bundle import Bundle, read_bundle, write_bundle
from thermoc.support.errors import Finding, ThermocError, error
from thermoc.support.files import write_atomic
from thermoc.support.limits import CHECKPOINT_BYTES
from thermoc.support.loading import check_path, reading, shown
from thermoc.target_options import checked_options

KIND = "thermoc checkpoint"
VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Model:
    """What was compiled, as a checkpoint stores it: equal ones give equal documents."""

    document: Mapping[str, Any]
    arrays: Mapping[str, AnyArray]

    @classmethod
    def of(cls, compiled: Compiled) -> Model:
        """Describe what was compiled. Errors: T420 for options and passes that cannot be written down."""
        arrays: dict[str, AnyArray] = {"graph": np.frombuffer(graph_bytes(compiled.source), np.uint8)}
        options = {
            item.name: _encode(getattr(compiled.options, item.name), f"option.{item.name}", arrays)
            for item in fields(compiled.options)
        }
        passes = None if compiled.passes is None else print_pipeline(compiled.passes)
        # where it runs changes no bit of it
        run_options = {name: value for name, value in options.items() if name not in compiled.backend.run_options}
        document = {
            "thermoc": thermoc.__version__,
            "network": compiled.source.name,
            "target": compiled.backend.name,
            "options": options,
            "passes": passes,
            "hashes": {
                "graph": _sha256(arrays["graph"]),
                "options": _sha256(json.dumps(run_options, sort_keys=True).encode(), *_options(arrays)),
                "artefact": _sha256(compiled.artefact.to_bytes()),
            },
        }
        return cls(document=document, arrays=arrays)


@dataclass(frozen=True, kw_only=True)
class Pending:
    """A run that is not over: what it was asked for, and what it has recorded.

    ticks: in all. begun: the session's tick at which it began. record: rows of an output's name and texts of ``Spec``.
    to: the file or store it is written to. every: how often it is saved. note: what whoever started it wants to know.
    """

    ticks: int
    begun: int
    inputs: Mapping[str, AnyArray] = field(default_factory=dict)
    record: Sequence[Sequence[str]] = ()
    to: str | None = None
    every: int | str | None = None
    note: Mapping[str, Any] = field(default_factory=dict)
    recorded: Mapping[str, AnyArray] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A session at a tick. ``position``: seed, first_sample and first_tick."""

    batch: int
    tick: int
    position: Mapping[str, int]
    snapshot: Mapping[str, AnyArray]
    pending: Pending | None = None


def save(path: str | os.PathLike[str], model: Model, checkpoint: Checkpoint) -> int:
    """Write a checkpoint, whole or not at all; return its size in bytes. Errors: T505."""
    arrays = dict(model.arrays)
    arrays |= {f"snapshot.{name}": np.asarray(array) for name, array in checkpoint.snapshot.items()}
    pending = checkpoint.pending
    if pending is not None:
        arrays |= {f"input.{name}": array for name, array in pending.inputs.items()}
        arrays |= {f"recorded.{name}": array for name, array in pending.recorded.items()}
    document = {
        "model": model.document,
        "session": {"batch": checkpoint.batch, "tick": checkpoint.tick, **checkpoint.position},
        "pending": None
        if pending is None
        else {name: getattr(pending, name) for name in ("ticks", "begun", "record", "to", "every", "note")},
    }
    content = {"kind": KIND, "version": VERSION, "document": document, "arrays": arrays}
    return write_atomic(path, lambda stream: write_bundle(stream, **content))


def load(
    path: str | os.PathLike[str], compiled: Compiled | None = None, device: str | None = None
) -> tuple[Compiled, Checkpoint]:
    """Read a checkpoint; return what was compiled and the session's.

    compiled: what it must be of; None compiles the network that it holds, for another ``device`` where one is named.
    Errors: T303 (of a target without devices), T420 (another network, target,
    options or version), T302 (no such target), T501 to T504.
    """
    check_path(path)
    if not os.path.lexists(path):
        notes = ["there is no such file: the path is another, or the run was stopped before it wrote one"]
        raise error(
            "T501", f"{shown(path)} cannot be read", notes=notes, hint="started anew, a run gives the same bytes"
        )
    model, checkpoint = _read(path)
    stated = model.document["thermoc"]
    if stated != thermoc.__version__:
        raise _misfit(path, [("version", stated, thermoc.__version__)], f"pip install thermoc=={stated}")
    if compiled is None:
        compiled = _compiled(model, path, {} if device is None else {"device": device})
    _check_same(path, model, Model.of(compiled))
    return compiled, checkpoint


def refuse_pending(path: str | os.PathLike[str]) -> None:
    """Refuse to write over a run that is not over, or over a file of another kind. Errors: T420, T502 to T504."""
    check_path(path)
    if not os.path.lexists(path) or not os.path.isfile(path):
        return
    _, checkpoint = _read(path)
    pending = checkpoint.pending
    if pending is not None and checkpoint.tick < pending.begun + pending.ticks:
        notes = [f"it stands at tick {checkpoint.tick - pending.begun} of {pending.ticks}"]
        hint = f"thermoc resume {shown(path)}, or tc.resume; to begin anew, remove the file"
        raise error("T420", f"{shown(path)} holds a run that is not over", notes=notes, hint=hint)


def _read(path: str | os.PathLike[str]) -> tuple[Model, Checkpoint]:
    bundle = read_bundle(path, kind=KIND, version=VERSION, most=CHECKPOINT_BYTES)
    with reading(path, "a thermoc checkpoint"):
        return _model(bundle), _checkpoint(bundle)


def _compiled(model: Model, path: object, where: Mapping[str, Any]) -> Compiled:
    graph = parse_graph_file(model.arrays["graph"].tobytes(), path)
    with reading(path, "a thermoc checkpoint"):
        target, text = model.document["target"], model.document["passes"]
        options = {name: _decode(value, model.arrays) for name, value in model.document["options"].items()}
    backend = plugins.backend(target)
    chosen = checked_options(backend, {**options, **where})
    return compile_graph(graph, backend, chosen, passes=None if text is None else pipeline_of(text, graph, backend))


def _check_same(path: object, stored: Model, model: Model) -> None:
    """Refuse a checkpoint of something else, with what it is and what is there. Errors: T420."""
    differ = [
        (name, stored.document[name], model.document[name])
        for name in ("network", "target", "passes")
        if stored.document[name] != model.document[name]
    ]
    differ += [
        (f"SHA-256 of its {name}", str(theirs)[:16], ours[:16])
        for name, ours in model.document["hashes"].items()
        if (theirs := stored.document["hashes"][name]) != ours
    ]
    if differ:
        raise _misfit(path, differ, "compile the network that was saved, or load the file alone: tc.Session.load(path)")


def _misfit(path: object, differ: list[tuple[str, Any, Any]], hint: str) -> ThermocError:
    notes = tuple(f"{what}: {stored!r} in the file, {current!r} here" for what, stored, current in differ)
    what = f"{shown(path)} is a checkpoint of another {'version' if differ[0][0] == 'version' else 'model'}"
    return ThermocError([Finding(code="T420", what=what, notes=notes, hint=hint)])


def _model(bundle: Bundle) -> Model:
    document = bundle.document["model"]
    if not isinstance(document["thermoc"], str) or not isinstance(document["target"], str):
        raise TypeError("its version and target are texts")
    arrays = {"graph": bundle.arrays["graph"], **_part(bundle, "option", whole=True)}
    return Model(document=document, arrays=arrays)


def _checkpoint(bundle: Bundle) -> Checkpoint:
    session, pending = bundle.document["session"], bundle.document["pending"]
    numbers = {name: _count(session[name]) for name in ("batch", "tick", "seed", "first_sample", "first_tick")}
    if pending is not None:
        pending = Pending(**pending, inputs=_part(bundle, "input"), recorded=_part(bundle, "recorded"))
        if not _count(pending.begun) <= numbers["tick"] <= pending.begun + _count(pending.ticks):
            raise ValueError("its tick is not one of its run")
    return Checkpoint(
        batch=numbers.pop("batch"),
        tick=numbers.pop("tick"),
        position=numbers,
        snapshot=_part(bundle, "snapshot"),
        pending=pending,
    )


def _count(number: Any) -> int:
    if type(number) is not int or number < 0:
        raise TypeError(f"{number!r} is no count")
    return number


def _part(bundle: Bundle, part: str, *, whole: bool = False) -> dict[str, AnyArray]:
    """Return the arrays of a part, by their names in it; ``whole``: by those in the file."""
    prefix = f"{part}."
    return {
        name if whole else name.removeprefix(prefix): array
        for name, array in bundle.arrays.items()
        if name.startswith(prefix)
    }


def _options(arrays: Mapping[str, AnyArray]) -> Iterator[AnyArray]:
    return (arrays[name] for name in sorted(arrays) if name.startswith("option."))


def _sha256(*parts: bytes | AnyArray) -> str:
    total = hashlib.sha256()
    for chunk in parts:
        total.update(chunk if isinstance(chunk, bytes) else np.ascontiguousarray(chunk).reshape(-1).view(np.uint8).data)
    return total.hexdigest()


def _encode(value: Any, name: str, arrays: dict[str, AnyArray]) -> Any:
    """Return an option's value as JSON; what JSON lacks is an object that says so, and arrays go to ``arrays``."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return {"float": value.hex()}
    if isinstance(value, Path):
        return os.fspath(value)
    if isinstance(value, list | tuple):
        return {"items": [_encode(item, f"{name}.{i}", arrays) for i, item in enumerate(value)]}
    if isinstance(value, Mapping):
        return {"entries": {str(key): _encode(item, f"{name}.{key}", arrays) for key, item in value.items()}}
    if isinstance(value, np.ndarray | np.generic):
        arrays[name] = np.asarray(value)
        return {"tensor": name}
    notes = [f"option {name.removeprefix('option.')} is a {type(value).__name__}"]
    raise error("T420", "a session with such an option cannot be saved", notes=notes, hint="give numbers and arrays")


def _decode(value: Any, arrays: Mapping[str, AnyArray]) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    match kind:
        case "float":
            return float.fromhex(content)
        case "items":
            return tuple(_decode(item, arrays) for item in content)
        case "entries":
            return {key: _decode(item, arrays) for key, item in content.items()}
        case "tensor":
            return arrays[content]
        case _:
            raise ValueError(f"{kind!r} is no kind of option")
