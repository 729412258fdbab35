"""``thermoc anneal``: low energies of a problem in a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import typer

from thermoc.apps.optimisation.answers import Answer, answers_of, document, write_answers
from thermoc.apps.optimisation.minimise import minimise
from thermoc.apps.optimisation.samples import Samples, SamplingInterrupted
from thermoc.cli.anneal_display import BestSoFar
from thermoc.cli.anneal_options import (
    AnnealTarget,
    AnswersFile,
    Colours,
    Format,
    Keep,
    Kind,
    Method,
    ProblemFile,
    Reach,
    Replicas,
    Seconds,
    Sweeps,
    Threads,
)
from thermoc.cli.exit_codes import INTERRUPTED
from thermoc.cli.output import print_json, say
from thermoc.cli.parameters import Chip, Device, Json, Options, Seed, parse_options
from thermoc.frontends.problems import read
from thermoc.frontends.problems.problem import Problem
from thermoc.support.errors import error
from thermoc.support.files import can_write
from thermoc.support.plurals import counted
from thermoc.support.tables import table

SHOWN, LETTERS = 10, 48
"""Answers in the table, and letters of a bit string there."""


def anneal(
    file: ProblemFile,
    kind: Kind = None,
    format: Format = None,
    colours: Colours = None,
    method: Method = "auto",
    sweeps: Sweeps = None,
    replicas: Replicas = None,
    seconds: Seconds = None,
    reach: Reach = None,
    target: AnnealTarget = "sim",
    device: Device = None,
    chip: Chip = None,
    option: Options = None,
    threads: Threads = None,
    seed: Seed = 0,
    keep: Keep = 20,
    output: AnswersFile = None,
    as_json: Json = False,
) -> None:
    """Look for the best answer to a problem of optimisation: MaxCut, QUBO, Ising, max-SAT, graphs, tours."""
    if output is not None:
        can_write(output)
    options = parse_options(option) | ({} if chip is None else {"chip": chip})
    settings = {"sweeps": sweeps, "replicas": replicas, "seed": seed}
    mine = {"method": method, "seconds": seconds, "reach": reach, "device": device, "threads": threads}
    _check(target, mine, options)
    problem = read(file, kind, format, colours=colours)
    stopped = None
    try:
        if target == "sim":
            samples = _minimised(problem, {**settings, **mine}, quiet=as_json)
        else:
            samples = _on_target(problem, target, settings, options)
    except SamplingInterrupted as stop:
        samples, stopped = stop.samples, True
    chosen = answers_of(problem, samples.spins, seed, keep)
    about = {"read_as": format, "colours": getattr(problem, "colours", None), "target": target}
    about |= {"method": samples.method, "seed": seed, "sweeps": samples.sweeps, "stopped": stopped}
    about |= {"proven": samples.proven or None, "device": None if samples.device == "cpu" else samples.device}
    content = document(problem, chosen, **about)
    if output is not None:
        write_answers(output, content)
    if as_json:
        print_json({**content, "seconds": samples.seconds, "path": None if output is None else str(output)})
    else:
        say(table(_title(problem, samples), rows(chosen[:SHOWN])))
        if output is not None:
            say(f"wrote {output}")
    if stopped:
        say(f"stopped after {samples.sweeps:,} sweeps; these are the best answers until then", err=True)
        raise typer.Exit(INTERRUPTED)


def _check(target: str, mine: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    """Refuse options that the target does not have, before anything is read. Errors: T404."""
    if target == "sim":
        if options:
            hint = "--target brian2, lava, onnx or chip"
            raise error("T404", f"target sim anneals without option {next(iter(options))!r}", hint=hint)
        return
    stated = [name for name, value in mine.items() if value not in (None, "auto")]
    if stated:
        notes = [f"target {target} runs the annealing network for --sweeps ticks, in --replicas samples"]
        raise error("T404", f"--{stated[0]} is an option of target sim alone", notes=notes)


def _minimised(problem: Problem, settings: Mapping[str, Any], *, quiet: bool) -> Samples:
    sign = -1 if problem.sense == "max" else 1
    reach = settings["reach"]
    options = {name: value for name, value in settings.items() if name not in ("reach", "device")}
    display = BestSoFar(problem, asked=False if quiet else None)
    try:
        return minimise(
            problem.model,
            target_energy=None if reach is None else sign * reach,
            device=settings["device"] or "cpu",
            on_progress=display if display.shown else None,
            **options,
        )
    finally:
        display.close()


def _on_target(problem: Problem, target: str, settings: Mapping[str, Any], options: Mapping[str, Any]) -> Samples:
    from thermoc.apps.optimisation.on_targets import anneal_on

    stated = {name: value for name, value in settings.items() if value is not None}
    return anneal_on(target, problem.model, **stated, **options)


def _title(problem: Problem, samples: Samples) -> str:
    size = f"{counted(problem.model.size, 'spin')}, {counted(problem.model.J.nnz // 2, 'coupling')}"
    took = f"{counted(len(samples.spins), 'sample')} of {counted(samples.sweeps, 'sweep')} in {samples.seconds:.3g} s"
    if samples.proven:
        took = f"all states in {samples.seconds:.3g} s: the least energy is proven"
    where = "" if samples.device == "cpu" else f" on {samples.device}"
    return f"{problem.name}: {problem.kind}, {size}; {samples.method}{where}, {took}"


def rows(chosen: Sequence[Answer]) -> list[dict[str, object]]:
    """Return answers as rows of a table, their numbers in full."""
    return [
        {
            "seed": str(answer.seed),
            "energy": shown(answer.energy),
            "count": answer.count,
            "objective": shown(answer.objective),
            "feasible": answer.feasible,
            "bits": short(answer.bits),
        }
        for answer in chosen
    ]


def shown(value: float) -> int | str:
    """Return a number as a table is to show it: in full, where four digits are too few."""
    return value if isinstance(value, int) else f"{value:.10g}"


def short(bits: str) -> str:
    """Return a bit string as a table bears it."""
    return bits if len(bits) <= LETTERS else f"{bits[:LETTERS]}..."
