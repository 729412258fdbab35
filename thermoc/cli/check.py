"""``thermoc check``: are answers worth what they state?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from thermoc.apps.optimisation.answers import Verdict, check_answers, read_answers
from thermoc.cli.anneal import short, shown
from thermoc.cli.anneal_options import Colours, Format, Kind, ProblemFile
from thermoc.cli.output import print_json, say
from thermoc.cli.parameters import Json
from thermoc.frontends.problems import read
from thermoc.support.errors import error
from thermoc.support.tables import table


def check(
    file: ProblemFile,
    answers: Annotated[Path, typer.Argument(metavar="ANSWERS", help="What `thermoc anneal -o` wrote.")],
    kind: Kind = None,
    format: Format = None,
    colours: Colours = None,
    as_json: Json = False,
) -> None:
    """Work out each answer's objective and feasibility anew, from the problem's file and the bit string alone."""
    content = read_answers(answers)
    noted = _noted(content)
    problem = read(file, kind or noted["kind"], format or noted["read_as"], colours=colours or noted["colours"])
    verdicts = check_answers(problem, content)
    right = sum(verdict.right for verdict in verdicts)
    if as_json:
        rows = [{**asdict(verdict), "right": verdict.right} for verdict in verdicts]
        print_json({"file": problem.name, "kind": problem.kind, "right": right == len(verdicts), "answers": rows})
    else:
        say(table(f"{problem.name}: {problem.kind}, {right} of {len(verdicts)} answers are right", _rows(verdicts)))
    if right < len(verdicts):
        raise typer.Exit(1)


def _noted(content: dict[str, Any]) -> dict[str, Any]:
    """Return how the answers' file says that the problem was read. Errors: T518."""
    kinds = {"kind": str, "read_as": str, "colours": int}
    for name, type_ in kinds.items():
        value = content.get(name)
        if value is not None and (not isinstance(value, type_) or isinstance(value, bool)):
            raise error("T518", f"an answers file's {name} is wrong", notes=[f"it is to be of type {type_.__name__}"])
    return {name: content.get(name) for name in kinds}


def _rows(verdicts: Sequence[Verdict]) -> list[dict[str, object]]:
    """Return wrong answers first: of very many right ones the first are shown."""
    ordered = sorted(verdicts, key=lambda verdict: verdict.right)
    return [
        {
            "objective": shown(verdict.objective),
            "stated": shown(verdict.stated_objective),
            "energy": shown(verdict.energy),
            "stated energy": shown(verdict.stated_energy),
            "feasible": verdict.feasible,
            "stated feasible": verdict.stated_feasible,
            "verdict": "right" if verdict.right else "wrong",
            "bits": short(verdict.bits),
        }
        for verdict in ordered[:20]
    ]
