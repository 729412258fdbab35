"""What a sweep file says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from thermoc.network import Network, load
from thermoc.python_model import network_in
from thermoc.support.arrays import read_arrays
from thermoc.support.errors import Finding, Location, ThermocError
from thermoc.support.loading import cut
from thermoc.support.suggestions import near
from thermoc.support.toml_tables import TomlFile
from thermoc.sweeps.asked import sweep_of
from thermoc.sweeps.axes import CODE, Span, Times
from thermoc.sweeps.objective import Objective
from thermoc.sweeps.plan import Sweep

TABLES = ("model", "run", "points", "parameters", "options", "chip", "objective", "output")
SPAN = {"from": "low", "to": "high", "steps": "steps", "scale": "scale", "whole": "whole"}
"""Keys of a span in a file, and what they are here."""
LIST = ("values", "times")
OF_CODES = {"T401": "inputs", "T402": "inputs", "T403": "inputs", "T419": "record"}
"""The key of [run] that an error of this code speaks of, where it names none."""


@dataclass(frozen=True, kw_only=True)
class ModelTable:
    """file: a .thermo, .nir or .net file, or file.py:NAME. options: those of the file's reader."""

    file: str
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, kw_only=True)
class RunTable:
    """How each point is run. record: what is kept. inputs: a .npz. parts: runs that a batch is divided into."""

    target: str = "sim"
    ticks: int = 1
    batch: int = 1
    seed: int = 0
    record: Mapping[str, Any] | None = None
    inputs: str | None = None
    parts: int = 1


@dataclass(frozen=True, kw_only=True)
class PointsTable:
    """method: "grid", or "random", "sobol", "latin_hypercube" with a count. seeds: each point's, or how many."""

    method: str = "grid"
    count: int | None = None
    seed: int = 0
    seeds: int | tuple[int, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class ObjectiveTable:
    """minimize or maximize: a result, "E.mean". The rest: see ``Objective``."""

    minimize: str | None = None
    maximize: str | None = None
    over: str = "mean"
    trials: int = 100
    generation: int = 8
    sampler: str = "tpe"
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class StoreTable:
    """store: the folder of results, NAME.zarr."""

    store: str


def read_sweep(path: Path) -> tuple[Sweep, Path]:
    """Return the sweep of a file, and where its results go; paths in it are seen from its folder.

    Errors: T520 (its line, what is wrong, the cure), T501, T504, those of reading the network and of ``sweep_of``.
    """
    source = TomlFile.read(path, CODE)
    source.check_tables(TABLES)
    model, run = source.table("model", ModelTable), source.table("run", RunTable)
    points, output = source.table("points", PointsTable), source.table("output", StoreTable)
    varied = {name: _values(source, name) for name in ("parameters", "options", "chip")}
    objective = _objective(source) if "objective" in source.tables else None
    folder = path.parent
    network = _network(folder, model)
    inputs = None if run.inputs is None else _inputs(source, folder / run.inputs, network)
    about = {name: value for name, value in vars(run).items() if name != "inputs"}
    which = {"method": points.method, "count": points.count, "points_seed": points.seed, "seeds": points.seeds}
    try:
        sweep = sweep_of(network, **varied, **about, **which, inputs=inputs, objective=objective)
    except ThermocError as problem:
        raise _placed(source, problem, varied) from None
    return sweep, folder / output.store


def _network(folder: Path, model: ModelTable) -> Network:
    file, colon, name = model.file.rpartition(":")
    if colon and file.endswith(".py"):
        return network_in(folder / file, name)
    return load(folder / model.file, **model.options)


def _inputs(source: TomlFile, path: Path, network: Network) -> Mapping[str, Any]:
    stored = read_arrays(path)
    if isinstance(stored, dict):
        return stored
    if len(network.graph.inputs) != 1:
        notes = [f"its inputs are {', '.join(network.graph.inputs) or 'none'}"]
        raise source.wrong("run", "inputs", "one array is for a network with one input", notes=notes)
    return {next(iter(network.graph.inputs)): stored}


def _objective(source: TomlFile) -> Objective:
    settings = asdict(source.table("objective", ObjectiveTable))
    goals = {name: settings.pop(name) for name in ("minimize", "maximize")}
    stated = [name for name, result in goals.items() if result is not None]
    if len(stated) != 1:
        facts = [f"it has {' and '.join(stated) or 'neither'}"]
        raise source.wrong("objective", "", "it takes one of minimize, maximize", notes=facts)
    return Objective(result=str(goals[stated[0]]), direction=stated[0], **settings)


def _values(source: TomlFile, table: str) -> dict[str, Any]:
    """Return the values of a table by name; ``layer0.T`` may be written with or without quotes."""
    values: dict[str, Any] = {}

    def walk(entries: Mapping[str, Any], before: str) -> None:
        for key, value in entries.items():
            name = f"{before}{key}"
            if isinstance(value, dict) and not _is_leaf(value):
                walk(value, f"{name}.")
            else:
                values[name] = _value(source, table, name, value)

    walk(source.tables.get(table, {}), "")
    return values


def _is_leaf(value: Mapping[str, Any]) -> bool:
    """Tell whether a table is a span or a list: a table of further names holds tables, or values of other names."""
    keys = {*SPAN, *LIST}
    return not value or not all(isinstance(inner, dict | list) for inner in value.values()) or bool(keys & set(value))


def _value(source: TomlFile, table: str, name: str, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    unknown = [key for key in value if key not in (*SPAN, *LIST)]
    if unknown:
        keys = (*SPAN, *LIST)
        notes = [f"its keys are {', '.join(SPAN)}; or {' or '.join(LIST)}"]
        what = f"{name} has no key {cut(unknown[0], 60)!r}"
        raise source.wrong(table, name, what, notes=notes, hint=near(unknown[0], keys))
    if set(value) == {"values"}:
        return list(value["values"]) if isinstance(value["values"], list) else [value["values"]]
    scaled = value.get("times")
    if set(value) == {"times"} and isinstance(scaled, list):
        return Times(scaled)
    if scaled not in (None, True, False) or "values" in value:
        raise source.wrong(table, name, f"{name} is a span (from, to), or times = [...], or a list")
    if not {"from", "to"} <= set(value):
        raise source.wrong(table, name, f"{name} needs from and to", notes=[f"it has {', '.join(value) or 'nothing'}"])
    try:
        span = Span(**{SPAN[key]: item for key, item in value.items() if key in SPAN})
    except ThermocError as problem:
        raise source.wrong(table, name, problem.findings[0].what, notes=problem.findings[0].notes) from None
    return Times(span) if scaled else span


def _placed(source: TomlFile, problem: ThermocError, varied: Mapping[str, Mapping[str, Any]]) -> ThermocError:
    """Return an error with the line of the file that it speaks of, where that is known."""
    findings = [
        item
        if item.where is not None or not (number := _line(source, item, varied))
        else replace(item, where=Location.of_line(source.path, number))
        for item in problem.findings
    ]
    return ThermocError(findings)


def _line(source: TomlFile, finding: Finding, varied: Mapping[str, Mapping[str, Any]]) -> int:
    """Return the line of the key that a finding names: quoted, as its first word, or by its code; 0 where none is."""
    named = [(table, key) for table, values in varied.items() for key in values if repr(key) in finding.what]
    word = finding.what.removeprefix("there is no ").split()[0]
    settings = [(table, word) for table in ("run", "points", "objective") if word in source.tables.get(table, {})]
    key = OF_CODES.get(finding.code, "")
    by_code = [("run", key)] if key in source.tables.get("run", {}) else []
    return min((source.line(*place) for place in named or settings or by_code), default=0)
