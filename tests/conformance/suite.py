"""One suite over every backend: each case of ``tests/cases.py``, verified; what came of it is kept for the support table.

A new backend is here as soon as ``plugins.names()`` knows it. ``ONLY`` thins out the variants of a slow one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from cases import BATCH, SEED, TICKS, inputs, network, variants

import thermoc as tc
from thermoc import plugins
from thermoc.ir.ops import REGISTRY
from thermoc.reports.support import how

HOLDS, REFUSED, ABSENT = "holds", "refused", "absent"
ONLY: dict[str, Callable[[str, str, str], bool]] = {
    "brian2": lambda case, varying, precision: varying in ("all vary", "all uniform"),
    "lava": lambda case, varying, precision: varying == "all vary",
    "chip": lambda case, varying, precision: varying == "all vary" and precision == "float64",
}
"""By target: whether a variant (case, what varies, precision) is tried. All are where nothing is said."""
OPTIONS: dict[str, dict[str, Any]] = {"brian2": {"codegen": "numpy"}, "lava": {"runtime": "reference"}}
"""By target: options of the suite. That Lava says what the reference says is shown in tests/lava."""


@dataclass(frozen=True, kw_only=True)
class Came:
    """What came of a variant: it holds its bounds, it breaches them (the report), it is refused, the runtime is absent
    (the reason)."""

    verdict: str
    text: str = ""


def tried() -> Iterator[Any]:
    """Yield (target, case, what varies, precision) as pytest parameters. A target of one precision has each once."""
    for target in plugins.names():
        precise = "precision" in plugins.backend(target).Options.__dataclass_fields__
        wanted = ONLY.get(target, lambda *_: True)
        for held in variants():
            case, varying, precision = held.values
            if (precise or precision == "float64") and wanted(case, varying, precision):
                yield pytest.param(target, case, varying, precision, id=f"{target}-{held.id}")


@cache
def came(target: str, case: str, varying: str, precision: str) -> Came:
    """Verify a variant on a target."""
    net = network(case, varying)
    precise = "precision" in plugins.backend(target).Options.__dataclass_fields__
    options = OPTIONS.get(target, {}) | ({"precision": precision} if precise else {})
    given: dict[str, Any] = {"inputs": inputs(net), "ticks": TICKS, "batch": BATCH, "seed": SEED}
    try:
        found = tc.verify(net, [target], options={target: options}, **given)
    except tc.ThermocError as problem:
        kinds = {"T301": REFUSED, "T302": ABSENT}
        kinds |= dict.fromkeys(("T205", "T206", "T209", "T305", "T306"), REFUSED)
        if problem.code not in kinds:
            raise
        return Came(verdict=kinds[problem.code], text=_reason(problem))
    return Came(verdict=HOLDS) if found.ok else Came(verdict="breach", text=str(found))


def _reason(problem: tc.ThermocError) -> str:
    first = problem.findings[0]
    return "; ".join(first.notes) or first.what


def support_page() -> str:
    """Return the page of the documentation that says what each target holds, from what came of every variant."""
    targets = plugins.names()
    shown = [(target, case, came(target, case, varying, precision)) for target, case, varying, precision in _all()]
    lines = [
        "# What each target holds",
        "",
        "For those who choose a target: which op runs where, in which form, and to which limit.",
        "",
        "Written by `make support` from the conformance suite: every op in small networks (`tests/cases.py`), with",
        "operands that vary or are uniform, in each precision, verified by `tc.verify` on every target. The number",
        "is that of the networks that hold their bounds. *native*: as it is; *discretized*: as the step that",
        "`discretize` makes of it; *expanded*: written in other ops; *quantized*: as integers of Loihi, but by the host",
        "in a network without a unit of Loihi; *host*: beside Loihi or between parts of it, not on it; *arrays*: constant",
        "weights as cells of crossbars.",
        "",
        *(f"- `{name}`: {plugins.backend(name).target().summary}" for name in targets),
        "",
        "| op | " + " | ".join(targets) + " |",
        "|---" * (len(targets) + 1) + "|",
    ]
    for opname in sorted(REGISTRY):
        cells = [_cell(opname, target, [(c, what) for t, c, what in shown if t == target]) for target in targets]
        lines.append(f"| `{opname}` | " + " | ".join(cells) + " |")
    return "\n".join([*lines, *_limits(targets)]) + "\n"


def _all() -> Iterator[tuple[str, str, str, str]]:
    return (held.values for held in tried())


def _cell(opname: str, target: str, found: list[tuple[str, Came]]) -> str:
    own = [(case, what) for case, what in found if case.split(",")[0] == opname]
    held = {case for case, what in own if what.verdict == HOLDS}
    refused = {case: what.text for case, what in own if what.verdict == REFUSED}
    form = how(REGISTRY[opname], plugins.backend(target).target())
    if not held:
        return form if form.startswith("no: ") else f"no: {next(iter(refused.values()), 'not tried')}"
    parts = [
        f"no {case.partition(', ')[2] or 'such form'}: {text}" for case, text in refused.items() if case not in held
    ]
    return "; ".join([f"{form}, {len(held)}", *parts])


def _limits(targets: tuple[str, ...]) -> list[str]:
    rows = [
        f"| `{name}` | {what} | {limit.value} {limit.unit} | {limit.source} |"
        for name in targets
        for what, limit in plugins.backend(name).target().limits.items()
    ]
    return ["", "| target | limit | at most | says |", "|---|---|---|---|", *rows] if rows else []
