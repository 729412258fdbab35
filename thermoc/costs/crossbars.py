"""What a network costs on a crossbar chip: the chip's own run says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from thermoc import api
from thermoc.costs.marks import CROSSBAR_HEAT, CROSSBAR_PARTS, CROSSBAR_TIMES, entries, weakest
from thermoc.costs.question import Question
from thermoc.costs.row import Cost, Part
from thermoc.simulator.chips import Chip
from thermoc.support.errors import ThermocError


def on_crossbars(name: str, chip: Chip, question: Question, options: Mapping[str, Any]) -> Cost:
    """Return a network's cost on a crossbar chip. Errors: those of compiling and running it there."""
    exe, notes = _compiled(name, question, options)
    run = question.run(exe)
    report = run.chip
    parts = _parts(chip, report.components, report.samples)
    joules, seconds = report.joules_a_sample, report.latency
    return Cost(
        on=name,
        joules=joules,
        seconds=seconds,
        kelvin=report.peak_kelvin,
        **question.quality(run),
        **question.effective(run, joules=joules, seconds=seconds),
        idle=_idle(chip),
        marks=_marks(chip, parts),
        parts=parts,
        notes=(*notes, *_setup(report)),
        run=report,
    )


def _compiled(name: str, question: Question, options: Mapping[str, Any]) -> tuple[api.Executable, list[str]]:
    """Return the network on the chip's cells, or with exact products where it has no range for converters."""
    samples = {"calibrate": question.calibrate} if question.calibrate else {}
    cells = {"cells": "chip", "adc": "reached", **samples}
    chosen = {"chip": name, "temperature": "die", **options}
    if "cells" in options or not question.calibrate:
        return api.compile(question.graph, "chip", **chosen), []
    try:
        return api.compile(question.graph, "chip", **{**cells, **chosen}), []
    except ThermocError as problem:
        if problem.code != "T208":
            raise
        reason = problem.findings[0].what
        return api.compile(question.graph, "chip", **chosen), [f"its error is without cells and converters: {reason}"]


def _parts(chip: Chip, components: Mapping[str, float], samples: int) -> tuple[Part, ...]:
    parts: list[Part] = []
    for component, joules in components.items():
        values = entries(chip, CROSSBAR_PARTS.get(component, ()))
        parts.append(
            Part(
                component=component,
                joules=joules / samples,
                mark=weakest(value.sure for value in values.values()),
                sources={name: f"{value.source} ({value.sure})" for name, value in values.items()},
            )
        )
    return tuple(sorted(parts, key=lambda part: -part.joules))


def _marks(chip: Chip, parts: tuple[Part, ...]) -> dict[str, str]:
    """Return how sure each column is: as the least sure of the values behind it."""
    spent = [cost for cost in parts if cost.joules]
    joules = weakest(cost.mark for cost in spent)
    timed = {name for cost in spent for name in CROSSBAR_TIMES.get(cost.component, ())}
    seconds = weakest(value.sure for value in entries(chip, timed).values())
    heat = weakest([joules, *(value.sure for value in entries(chip, CROSSBAR_HEAT).values())])
    effective = {"joules_effective": joules, "seconds_effective": seconds}
    return {"joules": joules, "seconds": seconds, "kelvin": heat, **effective}


def _idle(chip: Chip) -> str:
    leak = chip.quantities.quantity("leakage.tile_power")
    if not leak.value:
        return f"unpublished, so not counted ({leak.source})"
    return f"counted: {leak.written} a tile, idle tiles {chip['leakage.gated']:g} of it ({leak.sure}: {leak.source})"


def _setup(report: Any) -> list[str]:
    if not report.setup_joules:
        return []
    return [f"programming the cells once takes {report.setup_joules:.4g} J more, in {report.setup_seconds:.4g} s"]
