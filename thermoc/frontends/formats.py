"""Which reader and which writer knows a suffix. Each is imported when it is used."""

from __future__ import annotations

import importlib
import inspect
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from thermoc.ir.graph import Graph
from thermoc.ir.parameters import frozen
from thermoc.support.announced import READERS as ANNOUNCED
from thermoc.support.announced import announced
from thermoc.support.errors import ThermocError, caller, error
from thermoc.support.loading import reading

READERS = {
    ".nir": ("thermoc.frontends.nir.read", "read_nir"),
    ".net": ("thermoc.frontends.lavadl.read", "read_net"),
    ".onnx": ("thermoc.frontends.onnx.read", "read_onnx"),
}
READERS = {f".{point.name.lower()}": (point.module, point.attr) for point in announced(ANNOUNCED)} | READERS
PROGRAMS = {"brian2": ("thermoc.frontends.brian2.read", "read_brian2")}
"""Formats that execute what they read: by their name alone, never by a suffix."""
WRITERS = {".nir": ("thermoc.frontends.nir.write", "write_nir")}
ARTEFACTS = {".onnx": "onnx", ".py": "brian2", ".lava": "lava", ".program": "sim", ".chip": "sim"}
"""Which target writes a suffix: such files are compiled networks, and are not read again as networks."""


def suffix(path: str | os.PathLike[str]) -> str:
    """Return the suffix that tells the format, in small letters."""
    return Path(path).suffix.lower()


def read(path: str | os.PathLike[str], *, format: str | None = None, **options: Any) -> tuple[Any, ...]:
    """Return the graph of a file, what its reader repaired or assumed, and where the file says so its ticks.

    format: the name of one of ``PROGRAMS``; else the suffix says which reader. Errors: T111, T506, and the reader's.
    """
    if format is not None:
        return _program(path, format, options)
    kind = suffix(path)
    # A .thermo comes here only with options, of which it has none.
    reader, accepted = (None, {}) if kind == ".thermo" else (_one(READERS, path), options_of(kind))
    unknown = [name for name in options if name not in accepted]
    if reader is None or unknown:
        notes = [f"its options are {', '.join(accepted)}" if accepted else "it has none"]
        raise error("T111", f"{kind} files are read without an option {unknown[0]!r}", where=caller(), notes=notes)
    # What no check of a reader foresaw is a coded error too.
    with reading(path, f"a {kind} file"):
        return reader(path, **options)


def _program(path: str | os.PathLike[str], format: str, options: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what the reader of a program gives. Errors: T111, T506."""
    if format not in PROGRAMS:
        notes = [f"by name there are {', '.join(PROGRAMS)}"]
        hint = "files are read by their suffix"
        raise error("T506", f"no reader is called {format!r}", where=caller(), notes=notes, hint=hint)
    if options:
        raise error("T111", f"{format} is read without an option {next(iter(options))!r}", where=caller())
    return _imported(PROGRAMS[format])(path)


def options_of(kind: str) -> Mapping[str, str]:
    """Return the options of a suffix's reader, each with what its docstring says of it; none where there is no reader.

    They are the keyword-only parameters of the reader: what it takes is stated once, in its signature.
    """
    if kind not in READERS:
        return {}
    reader = _imported(READERS[kind])
    parameters = inspect.signature(reader).parameters.values()
    return {
        parameter.name: _described(reader, parameter.name)
        for parameter in parameters
        if parameter.kind is parameter.KEYWORD_ONLY
    }


def _described(reader: Callable[..., Any], name: str) -> str:
    """Return what a docstring says of a parameter: from ``name: `` to the end of the sentence."""
    text = " ".join((reader.__doc__ or "").split())
    match = re.search(rf"\b{name}: (.+?)(?:\.(?= )|\.$|$)", text)
    return match.group(1).replace("``", "") if match else ""


def write(graph: Graph, path: str | os.PathLike[str]) -> None:
    """Write a graph in the format of the suffix, whole or not at all; parameters become its numbers.

    Errors: T506, and the writer's.
    """
    _one(WRITERS, path)(frozen(graph), path)


def check_artefact(path: str | os.PathLike[str], target: str, usual: str) -> None:
    """Refuse to write what a target runs under a suffix that says something else. Errors: T506."""
    kind = suffix(path)
    if kind == usual or kind not in {".thermo", *READERS, *WRITERS, *ARTEFACTS}:
        return
    cure = f"compile for target {ARTEFACTS[kind]}" if kind in ARTEFACTS else f"net.save({Path(path).name!r})"
    hint = f"name it {Path(path).stem}{usual}, or {cure}"
    raise error("T506", f"target {target} writes no {kind}", where=caller(), notes=[f"it writes {usual}"], hint=hint)


def _one(table: dict[str, tuple[str, str]], path: str | os.PathLike[str]) -> Any:
    if suffix(path) not in table:
        raise _unknown(table, path)
    return _imported(table[suffix(path)])


def _imported(place: tuple[str, str]) -> Any:
    module, name = place
    if module.startswith("thermoc."):
        return getattr(importlib.import_module(module), name)
    try:
        return getattr(importlib.import_module(module), name)
    except Exception as reason:  # a package of others may fail in any way; the user needs to know which
        notes, hint = [f"{module}:{name}: {reason}"], "reinstall the package that brings it"
        raise error("T510", "a reader of another package does not load", notes=notes, hint=hint) from reason


def _unknown(table: dict[str, tuple[str, str]], path: str | os.PathLike[str]) -> ThermocError:
    """Return the error of a suffix that is in no table, with the verb that does what was meant."""
    kind, name, reading = suffix(path), Path(path).name, table is READERS
    verb = "reader" if reading else "writer"
    hint = f"name it {Path(path).stem or 'network'}.thermo"
    if kind in ARTEFACTS and reading:
        hint = f"it is what target {ARTEFACTS[kind]} runs; load the network that it was compiled from"
    elif kind in ARTEFACTS:
        hint = f"tc.compile(net, {ARTEFACTS[kind]!r}).save({name!r}); in the shell: thermoc compile -o {name}"
    elif kind in READERS:
        hint = f"{kind} is read, not written; {hint}"
    elif reading:
        hint = "save it with net.save"
    notes = [f"{verb}s: .thermo, {', '.join(table)}"]
    return error("T506", f"no {verb} knows {name!r}", where=caller(), notes=notes, hint=hint)
