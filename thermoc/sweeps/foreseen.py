"""Values of a sweep that no point could be run with: they are refused before anything runs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from thermoc import plugins
from thermoc.ir.parameters import checked
from thermoc.simulator.chips import load_chip
from thermoc.simulator.chips.variants import path_of, with_numbers
from thermoc.support.errors import Finding, ThermocError
from thermoc.support.loading import cut
from thermoc.sweeps.axes import Axis, Span
from thermoc.sweeps.plan import Sweep
from thermoc.sweeps.setup import Setup
from thermoc.target_options import checked_options

MOST = 256
"""Values of an axis that are looked at."""
CELLS = "a list holds a value for each point; an array alone is written { values = [array] }"


def check_values(sweep: Sweep) -> None:
    """Refuse what is the same at all points, then each value that is listed, with the others as at the first point.

    Of a span from which points are drawn nothing is known before: such a point fails alone. Errors: T105, T108, T303,
    T305, T418, T501, T513, T515.
    """
    setup = sweep.setup
    findings = [*_fixed_options(setup), *_fixed_parameters(setup)]
    if not findings:
        findings = [item for number, axis in enumerate(setup.axes) for item in _axis_findings(sweep, number, axis)]
    if findings:
        raise ThermocError(findings)


def _fixed_options(setup: Setup) -> Iterator[Finding]:
    problems = _of_options(setup, setup.options)
    # the option that is wrong by itself, where there is one; else several contradict each other
    blamed = [name for name, value in setup.options.items() if problems and _of_options(setup, {name: value})]
    for finding in problems:
        yield _told(finding, "option", blamed[0]) if blamed else finding


def _fixed_parameters(setup: Setup) -> Iterator[Finding]:
    for name, array in setup.parameters.items():
        for finding in _of_parameters(setup, {name: array}):
            yield _told(finding, "parameter", name)


def _axis_findings(sweep: Sweep, number: int, axis: Axis) -> Iterator[Finding]:
    values = _known(sweep, axis)
    behind = math.prod(len(_known(sweep, item)) for item in sweep.setup.axes[number + 1 :])
    for place, value in enumerate(values if len(values) <= MOST else (*values[: MOST - 1], values[-1])):
        index = place if place < MOST - 1 else len(values) - 1
        for finding in _at(sweep.setup, axis, value):
            which = f"{axis.key} = {cut(' '.join(str(value).split()), 60)}, value {index + 1} of {len(values)}"
            first = f", first at point {index * behind}" if sweep.method == "grid" and sweep.objective is None else ""
            yield _told(finding, axis.kind, axis.key, which + first)


def _known(sweep: Sweep, axis: Axis) -> tuple[Any, ...]:
    """Return the values that some point has for certain."""
    drawn = sweep.method != "grid" or sweep.objective is not None
    return () if isinstance(axis.values, Span) and drawn else axis.grid()


def _at(setup: Setup, axis: Axis, value: Any) -> tuple[Finding, ...]:
    """Return what is wrong with a value of an axis, all else as at the first point."""
    if axis.kind == "parameter":
        return _of_parameters(setup, {axis.key: setup.parameter_at(axis, value)})
    first = {item.key: item.at(0.0) for item in setup.axes if item.kind == axis.kind}
    if axis.kind == "option":
        return _of_options(setup, {**setup.options, **first, axis.key: value})
    return _of_chip(setup, {**first, axis.key: value}) if axis.kind == "chip" else ()


def _of_options(setup: Setup, options: Mapping[str, Any]) -> tuple[Finding, ...]:
    try:
        checked_options(plugins.backend(setup.target), options)
        if setup.target == "chip" and "chip" in options:
            load_chip(options["chip"])
    except ThermocError as problem:
        return problem.findings
    return ()


def _of_parameters(setup: Setup, parameters: Mapping[str, Any]) -> tuple[Finding, ...]:
    try:
        checked(setup.network, parameters)
    except ThermocError as problem:
        return problem.findings
    return ()


def _of_chip(setup: Setup, numbers: Mapping[str, Any]) -> tuple[Finding, ...]:
    try:
        load_chip(path_of(with_numbers(setup.chip, numbers)))
    except ThermocError as problem:  # it speaks of a file that only this process has
        return tuple(replace(item, what=re.sub(r"chip-\d+\.toml: ", "", item.what)) for item in problem.findings)
    return ()


def _told(finding: Finding, kind: str, key: str, *notes: str) -> Finding:
    """Return a finding as one of the sweep's: where it stands is not in the network, and not in a chip's file."""
    hint = CELLS if finding.code == "T418" and "another shape" in finding.what else finding.hint
    what = f"the sweep's {kind} {key!r}: {finding.what}"
    return replace(finding, what=what, where=None, notes=(*notes, *finding.notes), hint=hint)
