"""Answers to a problem: what was drawn, put into the problem's words, written, read, and checked."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc.apps.optimisation.samples import Samples
from thermoc.frontends.problems.problem import Problem, number
from thermoc.support.errors import ThermocError, error
from thermoc.support.files import write_atomic
from thermoc.support.json_text import as_object, read_json
from thermoc.support.limits import PROBLEM_BYTES
from thermoc.support.loading import cut, shown

FORMAT, VERSION = "thermoc answers", 1


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A bit string, with the energy of its spins, how many samples gave it, what it is worth and whether allowed."""

    seed: int
    energy: int | float
    count: int
    objective: int | float
    feasible: bool
    bits: str


def answers(problem: Problem, samples: Samples, most: int | None = None) -> list[Answer]:
    """Return the answers among samples, the best allowed one first, at most so many. Objectives are of the file."""
    return answers_of(problem, samples.spins, samples.seed, most)


def answers_of(problem: Problem, spins: ArrayLike, seed: int, most: int | None = None) -> list[Answer]:
    """Return the answers among spins (m, n) of -1 and 1."""
    # spins that only help the map are no part of an answer: they are set to their best
    bits = np.asarray(spins)[:, : problem.bits] > 0
    distinct, counts = np.unique(bits, axis=0, return_counts=True)
    made = [_answer(problem, row, int(count), seed) for row, count in zip(distinct, counts)]
    return sorted(made, key=lambda answer: (not answer.feasible, answer.energy, answer.bits))[:most]


def _answer(problem: Problem, bits: Any, count: int, seed: int) -> Answer:
    spins = problem.complete(bits)
    return Answer(
        seed=seed,
        energy=number(problem.energy(spins)),
        count=count,
        objective=problem.objective(spins),
        feasible=problem.feasible(spins),
        bits=problem.bit_string(spins),
    )


def document(problem: Problem, found: Sequence[Answer], **about: Any) -> dict[str, Any]:
    """Return answers as JSON. about: what else is to be noted: how the file was read, method, target, sweeps."""
    noted = {name: value for name, value in about.items() if value is not None}
    head = {"format": FORMAT, "version": VERSION, "file": problem.name, "kind": problem.kind, "sense": problem.sense}
    return {**head, **noted, "answers": [asdict(answer) for answer in found]}


def write_answers(path: str | os.PathLike[str], content: Mapping[str, Any]) -> None:
    """Write a document of answers, whole or not at all. Errors: T505."""
    write_atomic(path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())


def read_answers(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return a document of answers. Errors: T501, T502, T503, T504, T518."""
    content = as_object(read_json(path, "an answers file", most=PROBLEM_BYTES))
    if content is None or content.get("format") != FORMAT:
        raise _wrong(path, f"its format is not {FORMAT!r}", hint="thermoc anneal FILE -o answers.json writes one")
    if content.get("version") != VERSION:
        notes = [f"it has version {cut(str(content.get('version')), 40)}", f"this thermoc reads version {VERSION}"]
        raise error("T503", f"{shown(path)} is of another version", notes=notes)
    rows = content.get("answers")
    if not isinstance(rows, list):
        raise _wrong(path, "it has no list of answers")
    for at, row in enumerate(rows):
        fact = _row_problem(as_object(row))
        if fact:
            raise _wrong(path, f"answer {at}: {fact}")
    return content


def _row_problem(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return "it is no object"
    if not isinstance(row.get("bits"), str):
        return "it has no bits, a text of 0 and 1"
    for name in ("energy", "objective"):
        if not isinstance(row.get(name), int | float) or isinstance(row[name], bool):
            return f"it has no {name}, a number"
    return "" if isinstance(row.get("feasible"), bool) else "it does not say whether it is feasible"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """An answer checked: what its file states, and what follows from the problem's file and the bits."""

    bits: str
    energy: int | float
    objective: int | float
    feasible: bool
    stated_energy: int | float
    stated_objective: int | float
    stated_feasible: bool

    @property
    def right(self) -> bool:
        """Whether what is stated is so, but for the rounding of numbers that are not whole."""
        close = _close(self.energy, self.stated_energy) and _close(self.objective, self.stated_objective)
        return close and self.feasible == self.stated_feasible


def check_answers(problem: Problem, content: Mapping[str, Any]) -> list[Verdict]:
    """Return a verdict for each answer: worth and permission from the problem's own numbers. Errors: T518."""
    return [_verdict(problem, row) for row in content["answers"]]


def _verdict(problem: Problem, row: Mapping[str, Any]) -> Verdict:
    spins = problem.from_bits(row["bits"])
    return Verdict(
        bits=row["bits"],
        energy=number(problem.energy(spins)),
        objective=problem.objective(spins),
        feasible=problem.feasible(spins),
        stated_energy=row["energy"],
        stated_objective=row["objective"],
        stated_feasible=row["feasible"],
    )


def _close(a: int | float, b: int | float) -> bool:
    # whole numbers are exact: any difference is a mistake
    if float(a).is_integer() and float(b).is_integer():
        return a == b
    return abs(a - b) <= 1e-9 * max(1.0, abs(a), abs(b))


def _wrong(path: str | os.PathLike[str], fact: str, hint: str = "") -> ThermocError:
    return error("T518", f"{shown(Path(path))} holds no answers", notes=[fact], hint=hint)
