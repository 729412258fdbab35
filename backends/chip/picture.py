"""A run on a crossbar chip, as reports draw it and files keep it: who works where, how hot it is, what ops take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from thermoc.backends.chip.roofline import roofline
from thermoc.simulator.machine.account import NETWORK, in_setup
from thermoc.support.array_types import AnyArray, FloatArray
from thermoc.support.thinning import number, numbers, ranges

if TYPE_CHECKING:
    from thermoc.backends.chip.report import ChipReport

FRAMES, CELLS = 48, 40_000
"""Maps of the die that a report holds, and temperatures in all of them."""
CURVE = 400
SHOWN_UNITS = 8
MOST_SITES = 4096


def picture(report: ChipReport) -> dict[str, Any]:
    """Return all that is drawn of a chip's run, as JSON values; temperatures are thinned, and say so."""
    run = report.run
    fused_ops = {op: list(run.artefact.fused.get(op, (op,))) for op in run.artefact.mapping.work.ops}
    joules = joules_by_core(report)
    return {
        "facts": _facts(report),
        "die": _die(report),
        "ops": _ops(report, fused_ops, joules),
        "components": [
            {"component": name, "joules": number(j), "share": number(j / report.joules if report.joules else 0.0)}
            for name, j in sorted(report.components.items(), key=lambda pair: -pair[1])
            if j
        ],
        "cores": _cores(report, joules),
        "used": [{"part": name, "used": used, "limit": limit} for name, (used, limit) in report.utilisation.items()],
        "sites": {op: cores[:MOST_SITES].tolist() for op, cores in run.artefact.mapping.sites.items()},
        "maps": _maps(report),
        "curves": _curves(report),
        "units": _unit_kelvins(report),
        "sampling": [
            {"op": entry.op, "units": entry.units, "mean": entry.mean, "worst": entry.worst}
            for entry in report.sampling
        ],
        "roofline": roofline(report),
        "period": run.tick.period / 1e12,
        "kept": run.kept,
    }


def _facts(report: ChipReport) -> dict[str, Any]:
    plain = {name: value for name, value in report.to_json().items() if isinstance(value, str | int | float)}
    return {name: number(value) if isinstance(value, float) else value for name, value in plain.items()}


def _die(report: ChipReport) -> dict[str, Any]:
    layout = report.run.artefact.mapping
    machine, (rows, columns) = layout.chip, report.run.heat.shape
    wide, high = machine.grid()
    return {
        "rows": rows,
        "columns": columns,
        "tile": [wide, high],
        "core_mm": [1e3 * machine["mesh.tile_width"] / wide, 1e3 * machine["mesh.tile_height"] / high],
        "cores_a_tile": machine.whole("mesh.cores"),
        "ambient": machine["package.ambient"],
        "positions": [list(machine.position(core)) for core in range(machine.cores)],
        "links": [
            [int(t), int(direction), int(layout.routes.load[t, direction])]
            for t, direction in zip(*np.nonzero(layout.routes.load))
        ],
    }


def _ops(report: ChipReport, held: dict[str, list[str]], joules: AnyArray) -> list[dict[str, Any]]:
    """Return each op's cost, the dearest first, with the network's ops that it holds and the cores where it runs."""
    number_of = {op: place for place, op in enumerate(report.run.artefact.mapping.work.ops)}
    return [
        {
            "op": cost.op,
            "holds": held.get(cost.op, []),
            "cores": np.flatnonzero(joules[number_of[cost.op]]).tolist() if cost.op in number_of else [],
            "joules": number(cost.joules),
            "share": number(cost.share),
            "kelvin": number(cost.kelvin),
        }
        for cost in report.ops
    ]


def _cores(report: ChipReport, joules: AnyArray) -> list[dict[str, Any]]:
    """Return what each core that works does, the op it spends most on first."""
    ops, peak = report.run.artefact.mapping.work.ops, report.run.history.die.max(axis=0)
    per = report.run.artefact.mapping.chip.whole("mesh.cores")
    return [
        {
            "core": int(core),
            "tile": int(core) // per,
            "joules": number(joules[:, core].sum()),
            "peak": number(peak[core]),
            "ops": [ops[k] for k in np.argsort(-joules[:, core]) if joules[k, core] > 0],
        }
        for core in np.flatnonzero(joules.any(axis=0))
    ]


def _maps(report: ChipReport) -> dict[str, Any]:
    """Return temperatures of all cores at some times, the hottest among them."""
    history = report.run.history
    count = max(2, min(FRAMES, CELLS // history.die.shape[1]))
    hottest = int(history.die.max(axis=1).argmax())
    slots = np.unique([*np.linspace(0, len(history.die) - 1, count).round().astype(int), hottest])
    base = float(history.die.min())
    # Thousandths of a kelvin above the coldest: whole numbers are short to write.
    rises = np.rint(1e3 * (history.die[slots] - base)).astype(int)
    return {
        "base": base,
        "milli": rises.tolist(),
        "times": numbers(history.times[slots]),
        "hottest": int(np.flatnonzero(slots == hottest)[0]),
        "slots": len(history.die),
    }


def _curves(report: ChipReport) -> dict[str, Any]:
    history = report.run.history
    heat = np.stack([history.die.max(axis=1), history.die.mean(axis=1)], axis=1)
    times, thin, step = ranges(history.times, heat, CURVE)
    begun, watts, _ = ranges(history.times[:-1], history.watts.sum(axis=1)[:, None], CURVE)
    return {
        "times": numbers(times),
        "hottest": numbers(thin[:, 0]),
        "mean": numbers(thin[:, 1]),
        "power_times": numbers(begun),
        "power": numbers(watts[:, 0]),
        "step": step,
    }


def _unit_kelvins(report: ChipReport) -> list[dict[str, Any]]:
    """Return, of each op that draws on the die, what its first units drew at and what was asked for."""
    units = report.run.units
    rows = []
    for op, kelvin in units.kelvin.items():
        lines = kelvin.reshape(len(units.ticks), -1, kelvin.shape[-1]).mean(axis=1)[:, :SHOWN_UNITS]
        columns = np.concatenate([units.targets[op].reshape(-1, 1), lines], axis=1)
        ticks, thin, step = ranges(units.ticks, columns, CURVE)
        lines = [numbers(thin[:, column]) for column in range(1, thin.shape[1])]
        rows.append(
            {"op": op, "ticks": [int(t) for t in ticks], "asked": numbers(thin[:, 0]), "lines": lines, "step": step}
        )
    return rows


def joules_by_core(report: ChipReport) -> FloatArray:
    """Return joules by op and core, (ops, cores), of what runs there: messages that pass its tile are left out."""
    run = report.run
    layout, program = run.artefact.mapping, run.artefact.mapping.program
    ticks = ~in_setup(program) & (program.code[:, 1] >= 0)
    each = (run.price.total - run.price.joules[:, NETWORK]) * run.ticks * run.batch
    spent = np.zeros((len(layout.work.ops), layout.chip.cores))
    np.add.at(spent, (program.code[ticks, 1], program.cores[ticks]), each[ticks])
    for name, cores in layout.sites.items():
        mine = np.unique(cores)
        spent[layout.work.ops.index(name), mine] += run.ended.joules[0, mine]
    return spent
