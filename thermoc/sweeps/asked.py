"""What is asked of a sweep, checked: names of parameters, options, chip's numbers, results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc import plugins
from thermoc.ir.graph import Graph
from thermoc.ir.parameters import unknown_parameter
from thermoc.network import Network, graph_of
from thermoc.recording.plan import planned
from thermoc.simulator.chips.variants import text_of
from thermoc.support.errors import ThermocError, error
from thermoc.support.suggestions import near
from thermoc.sweeps import chips
from thermoc.sweeps.axes import CODE, Axis, Span, Times, axis, check_choice, check_whole, plain, wrong
from thermoc.sweeps.foreseen import check_values
from thermoc.sweeps.objective import Objective
from thermoc.sweeps.plan import Sweep
from thermoc.sweeps.points import METHODS
from thermoc.sweeps.setup import setup_of


def sweep_of(
    network: Network | Graph,
    *,
    target: str = "sim",
    parameters: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    chip: Mapping[str, Any] | None = None,
    seeds: int | Iterable[int] | None = None,
    method: str = "grid",
    count: int | None = None,
    points_seed: int = 0,
    ticks: int = 1,
    batch: int = 1,
    seed: int = 0,
    record: Mapping[str, Any] | None = None,
    inputs: Mapping[str, ArrayLike] | None = None,
    parts: int = 1,
    objective: Objective | None = None,
) -> Sweep:
    """Return a sweep, its names, numbers and values checked.

    Errors: T105, T108, T302, T303, T305, T401, T404, T418, T419, T513, T515, T520.
    """
    graph = graph_of(network)
    check_choice("method", method, METHODS)
    check_whole(1, ticks=ticks, batch=batch, parts=parts, **({} if count is None else {"count": count}))
    fixed, varied = _apart(parameters or {}, "parameter")
    _check_parameters(graph, [*fixed, *(item.key for item in varied)])
    fixed_options, options_varied = _apart(options or {}, "option")
    _check_options(target, [*fixed_options, *(item.key for item in options_varied)])
    text, chip_axes = _chip(target, dict(fixed_options), chip or {})
    plan = planned(graph, _default(graph, ticks) if record is None else record)
    _check_record(plan)
    check_parts(target, parts, batch)
    setup = setup_of(
        graph,
        target=target,
        options=fixed_options,
        parameters={name: _filled(graph, name, value) for name, value in fixed.items()},
        ticks=ticks,
        batch=batch,
        seed=seed,
        record={name: [str(spec) for spec in specs] for name, specs in plan.items()},
        inputs={name: np.asarray(array) for name, array in (inputs or {}).items()},
        axes=(*options_varied, *chip_axes, *varied, *_seeds(seeds, seed)),
        parts=parts,
        chip=text,
    )
    sweep = Sweep(setup=setup, method=method, count=count, points_seed=points_seed, objective=objective)
    if objective is not None:
        objective.check(sweep.setup)
    check_values(sweep)
    return sweep


def _apart(values: Mapping[str, Any], kind: str) -> tuple[dict[str, Any], list[Axis]]:
    """Return what is the same at all points, and the axes: a list, a range or a span is one."""
    varied = (list, tuple, range, Span, Times)
    fixed = {name: value for name, value in values.items() if not isinstance(value, varied)}
    return fixed, [axis(kind, name, value) for name, value in values.items() if isinstance(value, varied)]


def _seeds(seeds: int | Iterable[int] | None, first: int) -> list[Axis]:
    if seeds is None:
        return []
    listed = list(range(first, first + seeds)) if isinstance(seeds, int) else list(seeds)
    if not listed or not all(isinstance(s, int | np.integer) and 0 <= s < 2**63 for s in listed):
        notes = [f"seeds = {seeds!r}"]
        raise wrong("seed", "seed", "seeds are whole numbers from 0, or how many there are", notes=notes)
    return [axis("seed", "seed", listed)]


def _check_parameters(graph: Graph, names: Sequence[str]) -> None:
    findings = [unknown_parameter(graph, name) for name in names if name not in graph.parameters]
    if findings:
        raise ThermocError(findings)


def _check_options(target: str, names: Sequence[str]) -> None:
    """Refuse options that the target does not have. Errors: T302, T303."""
    known = [item.name for item in fields(plugins.backend(target).Options)]
    for name in names:
        if name not in known:
            notes = [f"its options are {', '.join(known)}"]
            raise error("T303", f"target {target!r} has no option {name!r}", notes=notes, hint=near(name, known))


def _chip(target: str, options: dict[str, Any], numbers: Mapping[str, Any]) -> tuple[str, list[Axis]]:
    """Return the text of the chip whose numbers are varied, and their axes."""
    if not numbers:
        return "", []
    if target != "chip":
        raise error(CODE, "a chip's numbers are varied on target chip", notes=[f"the target is {target!r}"])
    text = text_of(str(options.get("chip", "thermo-1")))
    chips.check_keys(text, list(numbers))
    fixed, axes = _apart(numbers, "chip")
    axes += [axis("chip", key, [number]) for key, number in fixed.items()]
    for item in axes:
        if not item.numeric:
            raise wrong("chip", item.key, "values are numbers, in the unit of the chip's file")
    return text, axes


def _default(graph: Graph, ticks: int) -> dict[str, str]:
    """Return what is kept where nothing is said: means over the ticks, of a single tick its values."""
    kind = "last" if ticks == 1 else "mean"
    return {name: kind for name in graph.outputs if name not in graph.probes}


def _check_record(plan: Mapping[str, Any]) -> None:
    for name, specs in plan.items():
        if any(spec.kind == "events" for spec in specs):
            notes, hint = ["rows of a store are all as long"], "record counts, a mean or all"
            raise error("T419", f"events of {name!r} are not as many at each point", notes=notes, hint=hint)


def check_parts(target: str, parts: int, batch: int) -> None:
    """Refuse a batch that cannot be divided so. Errors: T520."""
    if parts > batch:
        notes = [f"parts = {parts}", f"batch = {batch}"]
        raise error(CODE, "a batch is divided into no more parts than it has samples", notes=notes)
    if target == "chip" and parts > 1:
        notes = ["samples of a batch warm the same die"]
        raise error(CODE, "a batch on target chip cannot be divided", notes=notes, hint="leave parts away")


def _filled(graph: Graph, name: str, value: Any) -> Any:
    shape = graph.parameters[name].value.numpy.shape
    array = plain(value, "parameter", name)
    return np.full(shape, array) if np.ndim(array) == 0 else np.asarray(array)
