"""One run, or one compiled network, as a report holds it: facts, graphs, passes, signals, mixing, the chip."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from thermoc import plugins
from thermoc.compiled import Compiled
from thermoc.ir.outline import outline
from thermoc.recording.chips import OTHERS, picture_of
from thermoc.reports.html.graphs import drawn
from thermoc.reports.html.mixing import mixing
from thermoc.reports.html.passes import passes, stages, told
from thermoc.reports.html.signals import signals
from thermoc.run import Run
from thermoc.support.errors import Finding, ThermocError, error

FACTS = ("network", "target", "seed", "ticks", "batch", "dt", "first_sample", "first_tick", "begun", "options")
VERSIONS = ("graph_sha256", "thermoc", "numpy")


def compiled_subject(compiled: Compiled, warnings: tuple[Finding, ...] = ()) -> dict[str, Any]:
    """Return a compiled network that has not run."""
    ops = outline(compiled.source)
    return {
        "title": f"{compiled.source.name} for {compiled.backend.name}",
        "target": compiled.backend.name,
        "machine": compiled.backend.target().machine,
        "facts": {"network": compiled.source.name, "target": compiled.backend.name, "dt": compiled.source.dt},
        "warnings": [str(warning) for warning in warnings or compiled.warnings],
        "complete": True,
        "graphs": [drawn("as it was written", ops), *stages(compiled)],
        "passes": passes(compiled, [op["id"] for op in ops]),
        "signals": [],
        "mixing": [],
        "chip": None,
        "costs": None,
    }


def run_subject(run: Run, *, runs: int = 1) -> dict[str, Any]:
    """Return one of ``runs`` on a page, with all that is known of it. Errors: T419 where it recorded nothing."""
    _check_recorded(run)
    compiled, origin = (None if run.call is None else run.call.executable), run.provenance
    ops = outline(compiled.source) if compiled is not None else json.loads(origin.get("graph", "[]"))
    producers = {op["output"]: _read(op) for op in ops if op["output"] is not None}
    warnings, drawn_chip = run.warnings, _chip(run, origin)
    return {
        "title": run.title,
        "target": run.target,
        "machine": _machine(run.target),
        "facts": _facts(origin),
        "warnings": [str(warning) for warning in warnings],
        "complete": run.complete,
        "graphs": [drawn("as it was written", ops), *(stages(compiled) if compiled is not None else [])],
        "passes": passes(compiled, [op["id"] for op in ops]) if compiled is not None else _saved_passes(origin, ops),
        "signals": signals(run, producers, runs=runs),
        "mixing": mixing(run),
        "chip": drawn_chip,
        "costs": _saved_costs(origin) if drawn_chip is None else None,
    }


def producers_of(subject: Mapping[str, Any]) -> dict[str, str]:
    """Return the id of the op behind each output."""
    nodes = subject["graphs"][0]["nodes"]
    return {op["output"]: _read(op) for op in nodes if op["output"] is not None}


def _read(output: Mapping[str, Any]) -> str:
    """Return the op that an output reads; itself where that is a constant."""
    return next(iter((*output["inputs"], *output["delayed"])), output["id"])


def _check_recorded(run: Run) -> None:
    if not any(tuple(item) for item in run.recorded.values()):
        notes = [f"recorded are {list(run.recorded) or 'no outputs at all'}"]
        hint = 'run it again with record={"NAME": "all"} (--record NAME=all), or without, which records every output'
        raise error("T419", "the run recorded nothing that a report could show", notes=notes, hint=hint)


def _machine(target: str) -> str:
    """Return what computes on a target; '' for one of a package that is not installed here."""
    try:
        return plugins.backend(target.partition(":")[0]).target().machine
    except ThermocError:
        return ""


def _facts(origin: Mapping[str, Any]) -> dict[str, Any]:
    facts = {name: origin[name] for name in (*FACTS, *VERSIONS) if name in origin}
    options = json.loads(facts.pop("options", "{}"))
    return {**facts, **{f"option {name}": value for name, value in options.items()}}


def _chip(run: Run, origin: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what is drawn of a chip: of the run itself, or as its file keeps it.

    None for a chip that another package brings, and of a file that was written before pictures were kept.
    """
    if run.chip is None:
        return picture_of(origin)
    from thermoc.backends.chip.picture import picture
    from thermoc.backends.chip.report import ChipReport

    return picture(run.chip) if isinstance(run.chip, ChipReport) else None


def _saved_costs(origin: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what a run that was read from a file took on a chip: by op and by component, without cores and maps."""
    if "chip" not in origin:
        return None
    told_of = json.loads(origin["chip"])
    return {
        "ops": [
            {**op, "holds": [op["op"]] * (op["op"] not in ("(leakage)", OTHERS)), "cores": []} for op in told_of["ops"]
        ],
        "components": [
            {"component": name, "joules": joules} for name, joules in told_of["components"].items() if joules
        ],
        "facts": {name: value for name, value in told_of.items() if isinstance(value, str | int | float)},
    }


def _saved_passes(origin: Mapping[str, Any], ops: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return told(json.loads(origin.get("passes", "[]")), [op["id"] for op in ops], None)
