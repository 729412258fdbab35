"""Which reader knows a format of problems, and which kinds of problem can be made of what it reads.

Each is imported when it is used.
"""

from __future__ import annotations

import importlib
import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from thermoc.frontends.problems.source import ProblemSource
from thermoc.support.errors import error
from thermoc.support.loading import reading, shown

if TYPE_CHECKING:
    from thermoc.frontends.problems.problem import Problem

_HERE = "thermoc.frontends.problems"


@dataclass(frozen=True, kw_only=True)
class ProblemFormat:
    """A format: its reader, the suffixes that tell it, the kind of problem that such a file usually is."""

    reader: tuple[str, str]
    suffixes: tuple[str, ...]
    usual: str
    about: str


FORMATS: dict[str, ProblemFormat] = {
    "rudy": ProblemFormat(
        reader=("rudy", "read_rudy"),
        suffixes=(".rud", ".rudy", ".mc", ".gset"),
        usual="maxcut",
        about="n m, then i j w from 1",
    ),
    "edges": ProblemFormat(
        reader=("rudy", "read_edges"), suffixes=(".edges", ".edgelist"), usual="maxcut", about="i j [w] from 0"
    ),
    "dimacs": ProblemFormat(
        reader=("dimacs_graph", "read_dimacs_graph"),
        suffixes=(".col", ".clq"),
        usual="colouring",
        about="p edge n m, then e i j from 1",
    ),
    "matrix": ProblemFormat(
        reader=("matrix", "read_matrix"), suffixes=(".adj",), usual="maxcut", about="an adjacency matrix"
    ),
    "qubo": ProblemFormat(
        reader=("coefficients", "read_coo"), suffixes=(".coo",), usual="qubo", about="i j value from 0"
    ),
    "qbsolv": ProblemFormat(
        reader=("coefficients", "read_qbsolv"), suffixes=(".qubo",), usual="qubo", about="p qubo, of qbsolv"
    ),
    "bqm-json": ProblemFormat(
        reader=("bqm", "read_bqm_json"), suffixes=(".json",), usual="qubo", about="dimod's BQM as JSON"
    ),
    "bqm-bson": ProblemFormat(
        reader=("bqm", "read_bqm_bson"), suffixes=(".bson",), usual="qubo", about="dimod's BQM as BSON"
    ),
    "ising": ProblemFormat(
        reader=("coefficients", "read_ising"),
        suffixes=(".ising",),
        usual="ising",
        about="i j J and i h from 0, E = -sum J s s - sum h s",
    ),
    "ising-plus": ProblemFormat(
        reader=("coefficients", "read_ising_plus"),
        suffixes=(),
        usual="ising",
        about="the same, E = +sum J s s + sum h s",
    ),
    "cnf": ProblemFormat(reader=("cnf", "read_cnf"), suffixes=(".cnf",), usual="maxsat", about="p cnf, of DIMACS"),
    "tsplib": ProblemFormat(reader=("tsplib", "read_tsplib"), suffixes=(".tsp", ".atsp"), usual="tsp", about="TSPLIB"),
}
KINDS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "maxcut": ("graph_problems", "MaxCut", ("EdgeList",)),
    "mis": ("graph_problems", "IndependentSet", ("EdgeList",)),
    "partition": ("graph_problems", "Bisection", ("EdgeList",)),
    "colouring": ("colouring", "Colouring", ("EdgeList",)),
    "qubo": ("quadratic_problems", "Qubo", ("QuadraticForm",)),
    "ising": ("quadratic_problems", "Ising", ("QuadraticForm", "EdgeList")),
    "maxsat": ("max_sat", "MaxSat", ("Clauses",)),
    "tsp": ("tour", "Tour", ("Distances",)),
}
"""Where each kind of problem is, and of which data it can be made."""


def read(
    path: str | os.PathLike[str], kind: str | None = None, format: str | None = None, *, colours: int | None = None
) -> Problem:
    """Return the problem in a file. colours: how many a colouring has; default: as many as a greedy one takes.

    kind: maxcut, mis, partition, colouring, qubo, ising, maxsat, tsp; default: what such files usually are. format: one
    of ``FORMATS``; default: as the suffix or the first lines say. Errors: T404 (no such kind or format, or not of this
    data), T501, T502, T504, T506 (the format cannot be told), T507, T516, T517.
    """
    if kind is not None and kind not in KINDS:
        raise error("T404", f"there is no kind of problem {kind!r}", notes=[f"kinds: {', '.join(KINDS)}"])
    if format is not None and format not in FORMATS:
        raise error("T404", f"there is no format {format!r}", notes=[f"formats: {', '.join(FORMATS)}"])
    source = ProblemSource.of(path)
    name = format or format_of(source)
    source = replace(source, format=name)
    with reading(path, f"a {name} file"):
        data = _imported(*FORMATS[name].reader)(source)
        return _problem(data, kind, name, source, colours)


def _problem(data: Any, kind: str | None, format: str, source: ProblemSource, colours: int | None) -> Problem:
    usual = FORMATS[format].usual
    if kind is None:
        kind = "ising" if usual == "qubo" and data.spin else usual
    module, name, takes = KINDS[kind]
    if type(data).__name__ not in takes or (kind == "qubo" and data.spin):
        fit = [other for other, (_, _, types) in KINDS.items() if type(data).__name__ in types]
        fit = [other for other in fit if other != "qubo" or not data.spin]
        notes = [f"it is read as {format}, of which can be made: {', '.join(fit)}"]
        raise error("T404", f"{shown(source.path)} is no {kind} problem", notes=notes, hint=f"--kind {fit[0]}")
    options: dict[str, Any] = {}
    if colours is not None:
        if kind != "colouring":
            raise error("T404", f"a {kind} problem has no colours", hint="--kind colouring")
        options["colours"] = colours
    return _imported(module, name).of(data, source.path.name, **options)


def format_of(source: ProblemSource) -> str:
    """Return the format that a file's suffix names, or else its first lines. Errors: T502, T506, T516."""
    suffix = source.path.suffix.lower()
    for name, format in FORMATS.items():
        if suffix in format.suffixes:
            return name
    if len(source.data) > 4 and int.from_bytes(source.data[:4], "little") == len(source.data):
        return "bqm-bson"
    text = replace(source, format="problem").text()
    if text.lstrip().startswith("{"):
        return "bqm-json"
    return _of_text(source, text)


def _of_text(source: ProblemSource, text: str) -> str:
    """Return what the first lines of a text tell."""
    for words, name in ((r"p\s+w?cnf", "cnf"), (r"p\s+(edges?|col)", "dimacs"), (r"p\s+qubo", "qbsolv")):
        if re.search(rf"^{words}\s", text, re.MULTILINE):
            return name
    if re.search(r"^(DIMENSION|EDGE_WEIGHT_TYPE)\s*:", text, re.MULTILINE):
        return "tsplib"
    first = [line.split() for line in text.splitlines() if line.strip() and line.strip()[0] not in "#%c"]
    if not first:
        raise source.wrong("the file is empty", "no line in it is more than a comment")
    if len(first[0]) == 2 and all(word.isdecimal() for word in first[0]) and (len(first) == 1 or len(first[1]) == 3):
        return "rudy"
    if len(first[0]) > 3 and len(first) == len(first[0]):
        return "matrix"
    notes = [f"{name}: {format.about}" for name, format in FORMATS.items()]
    what = f"the format of {shown(source.path)} cannot be told"
    raise error("T506", what, notes=notes, hint="--format NAME, in Python read(path, format=...)")


def _imported(module: str, name: str) -> Any:
    return getattr(importlib.import_module(f"{_HERE}.{module}"), name)
