"""Which reader and which writer knows a suffix. Each is imported when it is used.

A reader is a folder with a ``format.py``, whose ``FORMAT`` says what it is, and its line in ``FOLDERS``; or an entry
point of another package (docs/plugins.md).
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import os
import re
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from thermoc.frontends.format import Format
from thermoc.ir.graph import Graph
from thermoc.ir.parameters import frozen
from thermoc.support.announced import READERS as ANNOUNCED
from thermoc.support.announced import announced
from thermoc.support.errors import ThermocError, caller, error
from thermoc.support.loading import check_path, reading
from thermoc.support.suggestions import near

FOLDERS = (
    "nir",
    "onnx",
    "lavadl",
    "torch",
    "brian2",
)
THERMO = Format(
    name="thermo",
    title="thermoc's own: arrays and graph in one safetensors file",
    suffixes=(".thermo",),
    reads="every graph, files of all older versions",
    writes="every graph, whole, parameters by their names",
    refuses="files of newer versions",
)
ARTEFACTS = {".onnx": "onnx", ".py": "brian2", ".lava": "lava", ".program": "sim", ".chip": "chip"}
"""Which target writes a suffix: such files are compiled networks, and are not read again as networks."""


def _from_outside(point: EntryPoint) -> Format:
    """Return what an entry point announces, before it is loaded."""
    owner = point.dist.name if point.dist is not None else "a package"
    name = point.name.lower()
    return Format(name=name, title=f"of {owner}", suffixes=(f".{name}",), reader=point.value, package=owner)


def _ours(folder: str) -> Format:
    return importlib.import_module(f"thermoc.frontends.{folder}.format").FORMAT


# Ours come last: a package cannot stand in the place of one.
FORMATS: dict[str, Format] = {
    format.name: format for format in (*map(_from_outside, announced(ANNOUNCED)), *map(_ours, FOLDERS))
}
"""Formats by name, of which a graph is read."""


def suffix(path: str | os.PathLike[str]) -> str:
    """Return the suffix that tells the format, in small letters. Errors: T111."""
    check_path(path)
    return Path(path).suffix.lower()


def by_suffix(kind: str) -> Format | None:
    """Return the format of a suffix, ours before those of others; None where no reader has it."""
    matching = [format for format in FORMATS.values() if kind in format.suffixes]
    return next((format for format in matching if format.package == "thermoc"), matching[0] if matching else None)


def read(path: str | os.PathLike[str], *, format: str | None = None, **options: Any) -> tuple[Any, ...]:
    """Return the graph of a file, what its reader repaired or assumed, and where the file says so its ticks.

    format: the format's name, where the suffix does not tell it. Errors: T111, T506, and the reader's.
    """
    kind = f"format {format}" if format else suffix(path)
    # A .thermo comes here only with options, of which it has none.
    taken = None if kind == ".thermo" else _named(format) if format else by_suffix(kind)
    if taken is None and kind != ".thermo":
        raise _no_reader(path)
    accepted = options_of(taken) if taken is not None else {}
    unknown = [name for name in options if name not in accepted]
    if taken is None or unknown:
        notes = [f"its options are {', '.join(accepted)}" if accepted else "it has none"]
        what, hint = f"{kind} files are read without an option {unknown[0]!r}", near(unknown[0], accepted)
        raise error("T111", what, where=caller(), notes=notes, hint=hint)
    if not loaded(taken).reader:
        raise error("T506", f"{taken.name} reads no file", where=caller(), hint=taken.title)
    reader = _imported(loaded(taken).reader)
    # What no check of a reader foresaw is a coded error too.
    with reading(path, f"a {kind} file"):
        return reader(path, **options)


def _named(name: str) -> Format:
    if name not in FORMATS:
        notes, hint = [f"there are {', '.join(FORMATS)}"], near(name, FORMATS, "thermoc formats")
        raise error("T506", f"there is no format {name!r}", where=caller(), notes=notes, hint=hint)
    return FORMATS[name]


def loaded(format: Format) -> Format:
    """Return a format with what its package says of it: a ``Format``, or the reader's docstring. Errors: T510."""
    if format.package == "thermoc":
        return format
    module = _imported(format.reader)
    if isinstance(module, Format):
        return dataclasses.replace(module, package=format.package)
    about = " ".join((inspect.getdoc(module) or "").partition("\n\n")[0].split()).partition(". ")[0]
    return dataclasses.replace(format, reader=module, reads=about.removesuffix("."))


def options_of(format: Format) -> Mapping[str, str]:
    """Return the options of a format's reader, each with what its docstring says of it.

    They are the keyword-only parameters of the reader: what it takes is stated once, in its signature. Errors: T510.
    """
    package = loaded(format)
    reader = _imported(package.reader or package.options_from)
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
    format = by_suffix(suffix(path))
    writer = loaded(format).writer if format is not None else ""
    if not writer:
        raise _no_writer(path)
    _imported(writer)(frozen(graph), path)


def writers() -> list[str]:
    """Return the suffixes that are written."""
    ours = [format for format in FORMATS.values() if format.package == "thermoc" and format.writer]
    return [kind for format in ours for kind in format.suffixes]


def check_artefact(path: str | os.PathLike[str], target: str, usual: str) -> None:
    """Refuse to write what a target runs under a suffix that says something else. Errors: T506."""
    kind = suffix(path)
    if kind == usual or not (kind == ".thermo" or by_suffix(kind) or kind in ARTEFACTS):
        return
    cure = f"compile for target {ARTEFACTS[kind]}" if kind in ARTEFACTS else f"net.save({Path(path).name!r})"
    hint = f"name it {Path(path).stem}{usual}, or {cure}"
    raise error("T506", f"target {target} writes no {kind}", where=caller(), notes=[f"it writes {usual}"], hint=hint)


def _imported(place: Any) -> Any:
    if not isinstance(place, str):
        return place
    module, _, name = place.partition(":")
    if module.startswith("thermoc."):
        return getattr(importlib.import_module(module), name)
    try:
        return getattr(importlib.import_module(module), name)
    except Exception as reason:  # a package of others may fail in any way; the user needs to know which
        notes, hint = [f"{place}: {reason}"], "reinstall the package that brings it"
        raise error("T510", "a reader of another package does not load", notes=notes, hint=hint) from reason


def _no_reader(path: str | os.PathLike[str]) -> ThermocError:
    """Return the error of a suffix that nothing reads, with the verb that does what was meant."""
    kind, name = suffix(path), Path(path).name
    hint = "save it with net.save"
    if kind in ARTEFACTS:
        hint = f"it is what target {ARTEFACTS[kind]} runs; load the network that it was compiled from"
    kinds = [kind for format in FORMATS.values() for kind in format.suffixes]
    notes = [f"readers: .thermo, {', '.join(kinds)}"]
    return error("T506", f"no reader knows {name!r}", where=caller(), notes=notes, hint=hint)


def _no_writer(path: str | os.PathLike[str]) -> ThermocError:
    """Return the error of a suffix that nothing writes, with the verb that does what was meant."""
    kind, name = suffix(path), Path(path).name
    hint = f"name it {Path(path).stem or 'network'}.thermo"
    if kind in ARTEFACTS:
        hint = f"tc.compile(net, {ARTEFACTS[kind]!r}).save({name!r}); in the shell: thermoc compile MODEL -o {name}"
    elif by_suffix(kind):
        hint = f"{kind} is read, not written; {hint}"
    notes = [f"writers: .thermo, {', '.join(writers())}"]
    return error("T506", f"no writer knows {name!r}", where=caller(), notes=notes, hint=hint)
