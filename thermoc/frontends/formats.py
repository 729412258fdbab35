"""Which reader and which writer knows a suffix. Each is imported when it is used."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

from thermoc.ir.graph import Graph
from thermoc.support.errors import Finding, caller, error
from thermoc.support.loading import reading

READERS = {".nir": ("thermoc.frontends.nir.read", "read_nir"), ".net": ("thermoc.frontends.lavadl.read", "read_net")}
OPTIONS = {".nir": ("dt", "method"), ".net": ("spike_exp", "compare")}
WRITERS = {".nir": ("thermoc.frontends.nir.write", "write_nir")}


def read(path: str | os.PathLike[str], **options: Any) -> tuple[Graph, tuple[Finding, ...]]:
    """Return the graph of a file and what its reader mended or assumed. Errors: T111, T506, and the reader's."""
    suffix = Path(path).suffix
    reader, known = (None, ()) if suffix == ".thermo" else (_one(READERS, path), OPTIONS[suffix])
    unknown = [name for name in options if name not in known]
    if reader is None or unknown:
        notes = [f"its options are {', '.join(known)}" if known else "it has none"]
        raise error("T111", f"{suffix} files are read without an option {unknown[0]!r}", where=caller(), notes=notes)
    with reading(path, f"a {suffix} file"):
        return reader(path, **options)


def write(graph: Graph, path: str | os.PathLike[str]) -> None:
    """Write a graph in the format of the suffix, whole or not at all. Errors: T506, and the writer's."""
    _one(WRITERS, path)(graph, path)


def _one(table: dict[str, tuple[str, str]], path: str | os.PathLike[str]) -> Any:
    suffix = Path(path).suffix
    if suffix not in table:
        verb = "reader" if table is READERS else "writer"
        notes = [f"{verb}s: .thermo, {', '.join(table)}"]
        raise error("T506", f"no {verb} knows {Path(path).name!r}", notes=notes, hint="save it with net.save")
    module, name = table[suffix]
    return getattr(importlib.import_module(module), name)
