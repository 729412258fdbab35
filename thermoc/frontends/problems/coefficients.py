"""Lists of coefficients: QUBO as ``i j value`` and as qbsolv has it, Ising as ``i j J`` and ``i h``."""

from __future__ import annotations

import numpy as np

from thermoc.frontends.problems.data import QuadraticForm
from thermoc.frontends.problems.lines import Lines, integral
from thermoc.frontends.problems.source import ProblemSource
from thermoc.support.array_types import FloatArray, IntArray

FROM_0 = "variables count from 0"


def read_coo(source: ProblemSource) -> QuadraticForm:
    """Return sum Q_ij x_i x_j of lines ``i j Q_ij``, variables from 0; i = j is linear, repeated lines add up.

    A first line of two numbers states how many variables and lines there are. ``# vartype=SPIN``, as dimod writes it,
    makes it an Ising model with the sign +. Errors: T502, T504, T516, T517.
    """
    spin = any(line.replace(" ", "").upper() == "#VARTYPE=SPIN" for line in source.text()[:400].splitlines())
    lines, n = Lines.of(source), None
    if len(lines.texts[0].split()) == 2:
        n, m = lines.integers(0, ("the number of variables", "the number of entries"))
        body = lines.after(1)
        body.check_count(m, "entries", lines.numbers[0])
        source.check_size(n, "variables", line=lines.numbers[0])
    else:
        body = lines
    rows = body.table((3,), "an entry")
    return _form(body, rows, n, spin=spin)


def read_qbsolv(source: ProblemSource) -> QuadraticForm:
    """Return a QUBO of qbsolv: ``p qubo 0 variables diagonals couplers``, lines ``i i Q_ii``, then ``i j Q_ij``.

    Errors: T502, T504, T516, T517.
    """
    lines = Lines.of(source, comments="c")
    words = lines.texts[0].split()
    if words[:2] != ["p", "qubo"]:
        hint = "--format qubo reads lines i j value without a head"
        raise lines.wrong(0, "the head line is missing", "it is: p qubo 0 VARIABLES DIAGONALS COUPLERS", hint=hint)
    heads = ("the number of variables", "of diagonals", "of couplers")
    n, diagonals, couplers = lines.integers(0, heads, skip=3)
    source.check_size(n, "variables", line=lines.numbers[0])
    body = lines.after(1)
    body.check_count(diagonals + couplers, "entries", lines.numbers[0])
    rows = body.table((3,), "an entry")
    misplaced = (rows[:, 0] == rows[:, 1]) != (np.arange(len(rows)) < diagonals)
    if misplaced.any():
        notes = (f"line {lines.numbers[0]} states {diagonals} diagonals, which come first", "then come the couplers")
        raise body.wrong(int(np.argmax(misplaced)), "an entry is of the wrong kind", *notes)
    return _form(body, rows, n, spin=False)


def read_ising(source: ProblemSource) -> QuadraticForm:
    """Return E = -sum J_ij s_i s_j - sum h_i s_i of lines ``i j J_ij`` and ``i h_i``: the signs of P12, as in physics.

    Spins count from 0. Errors: T502, T504, T516, T517.
    """
    return _spin_form(source, -1.0)


def read_ising_plus(source: ProblemSource) -> QuadraticForm:
    """Return E = sum J_ij s_i s_j + sum h_i s_i of the same lines: the signs of dimod and of annealing machines.

    Errors: T502, T504, T516, T517.
    """
    return _spin_form(source, 1.0)


def _spin_form(source: ProblemSource, sign: float) -> QuadraticForm:
    lines = Lines.of(source)
    lengths = [len(text.split()) for text in lines.texts]
    if not {2, 3}.issuperset(lengths):
        at = next(at for at, length in enumerate(lengths) if length not in (2, 3))
        raise lines.wrong(at, f"a line of {lengths[at]} words", "lines are: i j J, or: i h")
    couplings, fields = (_of_length(lines, lengths, length) for length in (3, 2))
    J, h = couplings.table((3,), "a coupling"), fields.table((2,), "a field")
    largest = max(J[:, :2].max(initial=0.0), h[:, 0].max(initial=0.0))
    n = _size(source, largest)
    i, j = (couplings.indices(J[:, column], 0, n - 1, "spin", FROM_0) for column in (0, 1))
    couplings.check_loops(i, j, "Ising models")
    at = fields.indices(h[:, 0], 0, n - 1, "spin", FROM_0)
    numbers = np.concatenate([J[:, 2], h[:, 1]])
    source.check_total(numbers, integers=integral(numbers))
    linear = np.asarray(sign * np.bincount(at, h[:, 1], n), float)
    return QuadraticForm(linear=linear, i=i, j=j, values=sign * J[:, 2], spin=True)


def _of_length(lines: Lines, lengths: list[int], length: int) -> Lines:
    at = [k for k, words in enumerate(lengths) if words == length]
    return Lines(source=lines.source, texts=[lines.texts[k] for k in at], numbers=[lines.numbers[k] for k in at])


def _form(lines: Lines, rows: FloatArray, n: int | None, *, spin: bool) -> QuadraticForm:
    if n is None:
        n = _size(lines.source, float(rows[:, :2].max(initial=0.0)))
    i, j = (lines.indices(rows[:, column], 0, n - 1, "variable", FROM_0) for column in (0, 1))
    lines.source.check_total(rows[:, 2], integers=integral(rows[:, 2]))
    return quadratic_form(i, j, rows[:, 2], n, spin=spin)


def quadratic_form(i: IntArray, j: IntArray, values: FloatArray, n: int, *, spin: bool) -> QuadraticForm:
    """Return a form of entries with i = j among them, which are linear in bits, and in spins as dimod writes them."""
    diagonal = i == j
    linear = np.asarray(np.bincount(i[diagonal], values[diagonal], n), float)
    off = ~diagonal
    return QuadraticForm(linear=linear, i=i[off], j=j[off], values=values[off], spin=spin)


def _size(source: ProblemSource, largest: float) -> int:
    size = int(min(largest, 1e18)) + 1
    source.check_size(size, "variables")
    return size
