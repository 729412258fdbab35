"""Clauses in DIMACS' format: ``p cnf variables clauses``, then literals, each clause ended by 0."""

from __future__ import annotations

import re

import numpy as np

from thermoc.frontends.problems.data import Clauses
from thermoc.frontends.problems.lines import Lines
from thermoc.frontends.problems.source import ProblemSource
from thermoc.support.array_types import IntArray

HEAD = "it is: p cnf VARIABLES CLAUSES"


def read_cnf(source: ProblemSource) -> Clauses:
    """Return the clauses; one may go on over lines. A line ``%`` ends the file, as SATLIB has it.

    Errors: T502, T504, T516.
    """
    lines = Lines.of(source, comments="c")
    words = lines.texts[0].split()
    if words[:2] == ["p", "wcnf"]:
        raise lines.wrong(0, "clauses with weights are not read", HEAD, code="T507")
    if words[:2] != ["p", "cnf"]:
        raise lines.wrong(0, "the head line is missing", HEAD)
    n, m = lines.integers(0, ("the number of variables", "the number of clauses"), skip=2)
    source.check_size(n, "variables", line=lines.numbers[0])
    texts = lines.texts[1:]
    end = next((at for at, text in enumerate(texts) if text[0] == "%"), len(texts))
    body = Lines(source=source, texts=texts[:end], numbers=lines.numbers[1 : 1 + end])
    literals = _literals(body, n)
    zeros = np.flatnonzero(literals == 0)
    if len(literals) and (not len(zeros) or zeros[-1] != len(literals) - 1):
        raise body.wrong(len(body) - 1, "the last clause has no end", "each clause ends with 0", hint="add 0")
    if len(zeros) != m:
        notes = (f"line {lines.numbers[0]} states {m}", f"the file has {len(zeros)}")
        raise source.wrong(
            "the number of clauses is wrong", *notes, line=lines.numbers[0], hint="correct the head line"
        )
    return Clauses(variables=n, literals=literals[literals != 0], ends=zeros - np.arange(len(zeros)))


def _literals(body: Lines, n: int) -> IntArray:
    """Return all literals and zeros. Errors: T516 with the line of the first that is no literal, or out of range."""
    words = " ".join(body.texts).split()
    try:
        literals = np.array(list(map(int, words)), np.int64)
    except (ValueError, OverflowError):
        literals = None
    if literals is not None and (np.abs(literals) <= n).all():
        return literals
    for at, text in enumerate(body.texts):
        for word in text.split():
            if not re.fullmatch(r"[+-]?[0-9]+", word):
                raise body.wrong(at, f"{word!r} is no literal", "literals are whole numbers, below 0 where negated")
            if len(word) > 18 or abs(int(word)) > n:
                hint = "correct the number of variables in the head line, or the literal"
                raise body.wrong(at, f"the literal {word} is out of range", f"there are {n} variables", hint=hint)
    raise body.source.wrong("the literals cannot be read", "literals are whole numbers")
