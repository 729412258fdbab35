"""Small problems drawn at random, and their optimum in the problem's own terms, by trying everything."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from thermoc.frontends.problems import read
from thermoc.frontends.problems.problem import Problem
from thermoc.physics.ising import all_states

Case = tuple[str, str, dict[str, Any]]
"""What a file says, its format, and the options of ``read``."""


@st.composite
def edges(draw: st.DrawFn, low: int = -3, high: int = 3) -> tuple[int, list[tuple[int, int, int]]]:
    n = draw(st.integers(1, 7))
    pair = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1), st.integers(low, high))
    return n, [edge for edge in draw(st.lists(pair, max_size=14)) if edge[0] != edge[1]]


@st.composite
def graphs(draw: st.DrawFn, kind: str) -> Case:
    n, drawn = draw(edges())
    lines = [f"{i + 1} {j + 1} {w}" for i, j, w in drawn]
    return "\n".join([f"{n} {len(lines)}", *lines]), "rudy", {"kind": kind}


@st.composite
def colourings(draw: st.DrawFn) -> Case:
    n, drawn = draw(edges())
    colours = draw(st.integers(1, 16 // n if n > 5 else 3))
    lines = [f"e {i + 1} {j + 1}" for i, j, _ in drawn]
    return "\n".join([f"p edge {n} {len(lines)}", *lines]), "dimacs", {"colours": colours}


@st.composite
def forms(draw: st.DrawFn) -> Case:
    n = draw(st.integers(1, 9))
    index, value = st.integers(0, n - 1), st.integers(-40, 40).map(lambda k: k / 4)
    entries = draw(st.lists(st.tuples(index, index, value), min_size=1, max_size=20))
    if draw(st.booleans()):
        return "\n".join(f"{i} {j} {v}" for i, j, v in entries), "qubo", {}
    lines = [f"{i} {v}" if i == j else f"{i} {j} {v}" for i, j, v in entries]
    return "\n".join(lines), draw(st.sampled_from(["ising", "ising-plus"])), {}


@st.composite
def clauses(draw: st.DrawFn) -> Case:
    n = draw(st.integers(1, 6))
    literal = st.integers(1, n).flatmap(lambda v: st.sampled_from([v, -v]))
    rows = draw(st.lists(st.lists(literal, max_size=6), max_size=7))
    while rows and n + sum(max((len(set(row)) - 1) // 2, 0) for row in rows) > 16:
        rows.pop()
    lines = [" ".join(map(str, [*row, 0])) for row in rows]
    return "\n".join([f"p cnf {n} {len(rows)}", *lines]), "cnf", {}


@st.composite
def tours(draw: st.DrawFn) -> Case:
    n = draw(st.integers(2, 4))
    d = draw(st.lists(st.integers(0, 9), min_size=n * n, max_size=n * n))
    head = f"DIMENSION: {n}\nEDGE_WEIGHT_TYPE: EXPLICIT\nEDGE_WEIGHT_FORMAT: FULL_MATRIX\nEDGE_WEIGHT_SECTION\n"
    return head + " ".join(map(str, d)), "tsplib", {}


CASES: dict[str, st.SearchStrategy[Case]] = {
    **{kind: graphs(kind) for kind in ("maxcut", "mis", "partition", "ising")},
    "colouring": colourings(),
    "form": forms(),
    "maxsat": clauses(),
    "tsp": tours(),
}


def problem_of(case: Case, folder: Path) -> Problem:
    text, format, options = case
    (folder / "file.txt").write_text(text)
    return read(folder / "file.txt", format=format, **options)


def assignments(case: Case, problem: Problem) -> list[Any]:
    """Every answer in the words of the problem, feasible or not."""
    n = problem.bits
    if problem.kind == "colouring":
        k = case[2]["colours"]
        return list(itertools.product(range(k), repeat=n // k))
    if problem.kind == "tsp":
        cities = range(1, round(n**0.5) + 1)
        return [(0, *tour) for tour in itertools.permutations(cities)]
    levels = (-1, 1) if problem.kind == "ising" else (0, 1)
    return list(itertools.product(levels, repeat=n))


def value(case: Case, answer: Any) -> tuple[float, bool]:
    """What an answer is worth and whether it is allowed, from the text of the file alone."""
    text, format, options = case
    kind = options.get("kind", {"dimacs": "colouring", "cnf": "maxsat", "tsplib": "tsp"}.get(format, format))
    lines = [line.split() for line in text.splitlines()]
    if format in ("qubo", "ising", "ising-plus"):
        sign = -1.0 if format == "ising" else 1.0
        terms = [
            (answer[int(line[0])] * answer[int(line[1])] if len(line) == 3 else answer[int(line[0])]) for line in lines
        ]
        return sign * sum(float(line[-1]) * term for line, term in zip(lines, terms)), True
    if kind == "maxsat":
        rows = [list(map(int, line[:-1])) for line in lines[1:]]
        return sum(not any(answer[abs(v) - 1] == (v > 0) for v in row) for row in rows), True
    if kind == "tsp":
        n = len(answer)
        d = np.array(lines[-1], float).reshape(n, n)
        return sum(d[answer[p], answer[(p + 1) % n]] if answer[p] != answer[(p + 1) % n] else 0 for p in range(n)), True
    pairs = [(int(line[-3]) - 1, int(line[-2]) - 1, int(line[-1])) for line in lines[1:]] if format == "rudy" else []
    if kind == "maxcut":
        return sum(w for i, j, w in pairs if answer[i] != answer[j]), True
    if kind == "ising":
        return -sum(w * answer[i] * answer[j] for i, j, w in pairs), True
    if kind == "mis":
        return sum(answer), not any(answer[i] and answer[j] for i, j, _ in pairs)
    if kind == "partition":
        return sum(w for i, j, w in pairs if answer[i] != answer[j]), abs(len(answer) - 2 * sum(answer)) <= 1
    joined = {frozenset((int(line[1]) - 1, int(line[2]) - 1)) for line in lines[1:]}
    return sum(len({answer[v] for v in pair}) == 1 for pair in joined), True


def energies(problem: Problem) -> np.ndarray:
    """The energy of every state, in the order of ``all_states``."""
    return (
        problem.model.energy(all_states(problem.model.size)) if problem.model.size else np.array([problem.model.offset])
    )
