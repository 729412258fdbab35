"""Readers: each format says the same problem, and what a file gets wrong is a coded error with its line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from problems.instances import energies

import thermoc as tc
from thermoc.frontends.problems import FORMATS, read
from thermoc.frontends.problems.problem import Problem
from thermoc.physics.ising import all_states

PATH = "3 2\n1 2 2\n2 3 -1\n"
FORM = [[0, 0, -1], [1, 1, 2], [0, 1, 3], [1, 2, -4]]
TSP = "NAME: t\nDIMENSION: 3\nEDGE_WEIGHT_TYPE: {}\n"


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Problem]:
    def loaded(content: str | bytes, name: str = "file.txt", **options) -> Problem:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read(path, **options)

    return loaded


# ------------------------------------------------------------------------------------------------- what is read


@pytest.mark.parametrize(
    "content, name",
    [
        (PATH, "a.rud"),
        (PATH, "a.txt"),
        ("\ufeff# a graph\r\n3 2\r\n\r\n1 2 2\r\n2 3 -1", "a"),
        ("0 1 2\n1 2 -1\n", "a.edges"),
        ("0 2 0\n2 0 -1\n0 -1 0\n", "a.adj"),
    ],
)
def test_graphs(load: Callable[..., Problem], content: str, name: str):
    problem = load(content, name)
    assert problem.kind == "maxcut"
    # all cuts of the path 0 -2- 1 -(-1)- 2
    assert [problem.objective(s) for s in all_states(3)[:4]] == [0, -1, 1, 2]


def test_graphs_of_dimacs_have_an_edge_once(load: Callable[..., Problem]):
    problem = load("c\np edge 3 3\nn 1 5\ne 1 2\ne 2 1\ne 2 3\n", "a.col")
    assert (problem.kind, problem.bits) == ("colouring", 6)
    assert problem.objective(problem.encode([0, 0, 0])) == 2
    assert problem.objective(problem.encode([0, 1, 0])) == 0


def _bqm(change: dict | None = None) -> dict:
    dimod = pytest.importorskip("dimod")
    bqm = dimod.BQM.from_qubo({(i, j): v for i, j, v in FORM})
    return {**bqm.to_serializable(), **(change or {})}


def _bson() -> bytes:
    dimod, bson = pytest.importorskip("dimod"), pytest.importorskip("bson")
    return bson.encode(dimod.BQM.from_qubo({(i, j): v for i, j, v in FORM}).to_serializable(use_bytes=True))


@pytest.mark.parametrize(
    "content, name",
    [
        ("0 0 -1\n1 1 2\n0 1 1\n1 0 2\n1 2 -4\n", "a.coo"),
        ("3 4\n0 0 -1\n1 1 2\n0 1 3\n1 2 -4\n", "a.coo"),
        ("c x\np qubo 0 3 2 2\n0 0 -1\n1 1 2\n0 1 3\n1 2 -4\n", "a.qubo"),
        ("p qubo 0 3 2 2\n0 0 -1\n1 1 2\n0 1 3\n1 2 -4\n", "a"),
        (lambda: json.dumps(_bqm()), "a.json"),
        (lambda: json.dumps(_bqm()), "a"),
        (_bson, "a.bson"),
        (_bson, "a"),
    ],
)
def test_qubos(load: Callable[..., Problem], content, name: str):
    problem = load(content() if callable(content) else content, name)
    x = (all_states(3) + 1) / 2
    assert problem.kind == "qubo"
    assert energies(problem).tolist() == [sum(v * a[i] * a[j] for i, j, v in FORM) for a in x]


@pytest.mark.parametrize("format, sign", [("ising", -1), ("ising-plus", 1)])
def test_signs_of_ising_files(load: Callable[..., Problem], format: str, sign: int):
    problem = load("0 1 2.5\n1 -1\n", format=format)
    assert problem.energy([1, 1]) == problem.objective([1, 1]) == sign * (2.5 - 1)
    # as dimod writes spins: its sign
    assert load("# vartype=SPIN\n0 0 1.5\n0 1 -2\n", "a.coo").energy([1, 1]) == -0.5


def test_clauses_go_over_lines_and_end_where_satlib_ends_them(load: Callable[..., Problem]):
    problem = load("c\np cnf 3 3\n1 -2\n3 0 2 0\n0\n%\n0\n", "a.cnf")
    assert problem.objective(problem.encode([False, True, False])) == 2
    assert problem.bit_string(problem.encode([True, True, False])) == "110"


@pytest.mark.parametrize(
    "order, numbers",
    [
        ("FULL_MATRIX", "0 3 4 3 0 5 4 5 0"),
        ("UPPER_ROW", "3 4\n5"),
        ("LOWER_ROW", "3 4 5"),
        ("UPPER_DIAG_ROW", "0 3 4 0 5 0"),
        ("LOWER_DIAG_ROW", "0 3 0 4 5 0"),
        ("UPPER_COL", "3 4 5"),
        ("LOWER_COL", "3 4 5"),
    ],
)
def test_orders_of_distances(load: Callable[..., Problem], order: str, numbers: str):
    text = f"{TSP.format('EXPLICIT')}EDGE_WEIGHT_FORMAT: {order}\nEDGE_WEIGHT_SECTION\n{numbers}\nEOF\n"
    assert load(text, "a.tsp").lengths.tolist() == [[0, 3, 4], [3, 0, 5], [4, 5, 0]]


def test_distances_in_the_plane_are_rounded_as_tsplib_rounds(load: Callable[..., Problem]):
    places = "NODE_COORD_SECTION\n1 0 0\n3 2.5 0\n2 0 3.4\n"
    assert load(TSP.format("EUC_2D") + places, "a.tsp").lengths[0].tolist() == [0, 3, 3]
    assert load(TSP.format("CEIL_2D") + places, "a.tsp").lengths[0].tolist() == [0, 4, 3]


@pytest.mark.parametrize("graph, edges", [("G1", 19176), ("G14", 4694), ("G22", 19990), ("G32", 2000 * 2)])
def test_the_g_set(shared: Path, graph: str, edges: int):
    problem = read(shared / f"gset/input/{graph}.txt")
    spins = np.where(np.random.default_rng(1).random(problem.model.size) < 0.5, -1, 1)
    assert problem.model.J.nnz == 2 * edges
    assert problem.energy(spins) == -problem.objective(spins)


def test_independent_sets_of_lava_optimization(shared: Path):
    """A greedy set is independent, and every vertex more is not."""
    folder = shared / "lava-optimization/tutorials/data/qubo/workloads/mis-uniform"
    problem = read(folder / "mis-uniform-100-0.05-1.txt", "mis")
    adjacency = np.loadtxt(folder / "mis-uniform-100-0.05-1.txt") > 0
    chosen = np.zeros(100, int)
    for vertex in np.argsort(adjacency.sum(axis=0)):
        chosen[vertex] = not adjacency[vertex][chosen > 0].any()
    spins = problem.encode(chosen)
    assert problem.feasible(spins)
    assert problem.energy(spins) == -chosen.sum() == -problem.objective(spins)
    for vertex in np.flatnonzero(chosen == 0):
        assert not problem.feasible(problem.encode(chosen + (np.arange(100) == vertex)))


# ---------------------------------------------------------------------------------------------- what is refused

WRONG = {
    "empty": ("", "a.rud", "T516", 0, "empty"),
    "only comments": ("# x\n\n", "a.coo", "T516", 0, "empty"),
    "binary": (b"\x00\x01\xff", "a.rud", "T502", 0, "no text"),
    "no utf-8": (b"3 2\n1 2 \xff\n", "a.rud", "T502", 0, "UTF-8"),
    "unknown": ("hello\n", "a.txt", "T506", 0, "--format"),
    "too few edges": ("3 3\n1 2 1\n2 3 1\n", "a.rud", "T516", 3, "states 3"),
    "too many edges": ("3 1\n1 2 1\n2 3 1\n", "a.rud", "T516", 3, "has 2"),
    "loop": ("3 2\n1 2 1\n# x\n2 2 1\n", "a.rud", "T516", 4, "itself"),
    "vertex 0": ("3 1\n0 1 1\n", "a.rud", "T516", 2, "from 1 to 3"),
    "vertex 4": ("3 1\n1 4 1\n", "a.rud", "T516", 2, "from 1 to 3"),
    "vertex 1.5": ("3 1\n1.5 2 1\n", "a.rud", "T516", 2, "vertex 1.5"),
    "a word": ("3 2\n1 2 1\n2 3 x\n", "a.rud", "T516", 3, "'x'"),
    "a line too long": ("3 2\n1 2 1\n2 3 1 1\n", "a.rud", "T516", 3, "4 words"),
    "lines of two lengths": ("3 2\n1 2 1\n2 3\n", "a.rud", "T516", 3, "2 words"),
    "head of one": ("3\n", "a.rud", "T516", 1, "head line"),
    "head below zero": ("-3 1\n1 2 1\n", "a.rud", "T516", 1, "head line"),
    "head too large": ("999999999999 1\n1 2 1\n", "a.rud", "T504", 1, "limit"),
    "vertices without end": ("0 99999999999 1\n", "a.edges", "T504", 0, "limit"),
    "nan": ("0 0 1\n0 1 nan\n", "a.coo", "T517", 2, "finite"),
    "infinity": ("0 0 1\n0 1 1e999\n", "a.coo", "T517", 2, "finite"),
    "int64 overflow": ("0 0 1\n0 1 9223372036854775808\n", "a.coo", "T517", 2, "2^63"),
    "beyond float64": ("0 0 1\n0 1 9007199254740993\n", "a.coo", "T517", 2, "2^53"),
    "sum overflows": ("0 0 6000000000000000\n0 1 6000000000000000\n", "a.coo", "T517", 0, "add up"),
    "sum is infinite": ("0 0 1.5e308\n0 1 1.5e308\n", "a.coo", "T517", 0, "infinity"),
    "negative index": ("0 0 1\n-1 1 1\n", "a.coo", "T516", 2, "variable -1"),
    "index beyond the head": ("2 1\n0 2 1\n", "a.coo", "T516", 2, "variable 2"),
    "qubo without a head": ("0 0 1\n", "a.qubo", "T516", 1, "--format qubo"),
    "coupler among diagonals": ("p qubo 0 2 1 1\n0 1 1\n0 0 1\n", "a.qubo", "T516", 2, "wrong kind"),
    "coupler missing": ("p qubo 0 2 1 1\n0 0 1\n", "a.qubo", "T516", 2, "states 2"),
    "loop of spins": ("0 1 1\n1 1 1\n", "a.ising", "T516", 2, "itself"),
    "spin of four words": ("0 1 1 1\n", "a.ising", "T516", 1, "4 words"),
    "no such head": ("e 1 2\n", "a.col", "T516", 1, "p edge"),
    "arcs": ("p edge 2 1\na 1 2\n", "a.col", "T516", 2, "unknown kind"),
    "dimacs vertex": ("p edge 2 1\ne 1 3\n", "a.col", "T516", 2, "from 1 to 2"),
    "dimacs count": ("p edge 2 2\ne 1 2\n", "a.col", "T516", 2, "states 2"),
    "not square": ("0 1 0\n1 0 1\n", "a.adj", "T516", 2, "square"),
    "not symmetric": ("0 1\n0 0\n", "a.adj", "T516", 1, "column 2"),
    "diagonal": ("1 1\n1 0\n", "a.adj", "T516", 1, "itself"),
    "literal": ("p cnf 2 2\n1 2 0\n1 -3 0\n", "a.cnf", "T516", 3, "-3"),
    "literal of 30 digits": ("p cnf 2 1\n1 " + "9" * 30 + " 0\n", "a.cnf", "T516", 2, "2 variables"),
    "no literal": ("p cnf 2 1\n1 a 0\n", "a.cnf", "T516", 2, "'a'"),
    "clause without end": ("p cnf 2 1\n1 2\n", "a.cnf", "T516", 2, "ends with 0"),
    "clauses": ("p cnf 2 2\n1 2 0\n", "a.cnf", "T516", 1, "states 2"),
    "weights": ("p wcnf 2 1 5\n5 1 2 0\n", "a.cnf", "T507", 1, "weights"),
    "geography": (TSP.format("GEO") + "NODE_COORD_SECTION\n", "a.tsp", "T507", 3, "EUC_2D"),
    "a city twice": (TSP.format("EUC_2D") + "NODE_COORD_SECTION\n1 0 0\n2 0 1\n1 2 2\n", "a.tsp", "T516", 7, "twice"),
    "cities": (TSP.format("EUC_2D") + "NODE_COORD_SECTION\n1 0 0\n2 0 1\n", "a.tsp", "T516", 6, "has 2"),
    "below zero": (
        TSP.format("EXPLICIT") + "EDGE_WEIGHT_FORMAT: UPPER_ROW\nEDGE_WEIGHT_SECTION\n1 2\n-1\n", "a.tsp", "T516", 7, "below 0"
    ),
    "too many cities": ("DIMENSION: 5000\nEDGE_WEIGHT_TYPE: EUC_2D\n", "a.tsp", "T504", 1, "limit"),
    "no json": ("{", "a.json", "T502", 0, "JSON"),
    "another document": ("{}", "a.json", "T516", 0, "BinaryQuadraticModel"),
    "no bson": (b"\x05\x00\x00\x00\x01", "a.bson", "T502", 0, "BSON"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named_with_its_line(load: Callable[..., Problem], name: str):
    content, file, code, line, fact = WRONG[name]
    if file.endswith(".bson"):
        pytest.importorskip("bson")
    with pytest.raises(tc.ThermocError) as problem:
        load(content, file)
    (finding,) = problem.value.findings
    assert finding.code == code
    assert fact in str(problem.value)
    assert file in str(problem.value)
    assert problem.value.__cause__ is None, "only the last resort caught it"
    assert line == 0 or (finding.where is not None and finding.where.line == line)


@pytest.mark.parametrize(
    "change, code, fact",
    [
        ({"linear_biases": [1.0]}, "T516", "3 labels"),
        ({"linear_biases": [1.0, "x", 2]}, "T516", "numbers"),
        ({"quadratic_head": [0, 3]}, "T516", "quadratic_head[1] is 3"),
        ({"quadratic_head": [0, 0.5]}, "T516", "whole"),
        ({"quadratic_head": [1, 2], "quadratic_tail": [1, 1]}, "T516", "itself"),
        ({"quadratic_biases": [1.0]}, "T516", "1 biases"),
        ({"variable_labels": ["a", "a", "b"]}, "T516", "twice"),
        ({"variable_labels": [{}, "a", "b"]}, "T516", "label"),
        ({"variable_type": "DISCRETE"}, "T516", "DISCRETE"),
        ({"offset": None}, "T516", "offset"),
        ({"linear_biases": [2**63, 0, 0]}, "T517", "int64"),
    ],
)
def test_documents_of_dimod_that_contradict_themselves(
    load: Callable[..., Problem], change: dict, code: str, fact: str
):
    with pytest.raises(tc.ThermocError) as problem:
        load(json.dumps(_bqm(change)), "a.json")
    assert problem.value.code == code
    assert fact in str(problem.value)


def test_kinds_and_formats_that_are_not_there(load: Callable[..., Problem]):
    for options, fact in [
        ({"kind": "cut"}, "kinds: maxcut"),
        ({"format": "gset"}, "formats: rudy"),
        ({"kind": "maxsat"}, "can be made: maxcut"),
        ({"colours": 3}, "no colours"),
        ({"kind": "colouring", "colours": 0}, "0 are asked for"),
    ]:
        with pytest.raises(tc.ThermocError) as problem:
            load(PATH, **options)
        assert problem.value.code == "T404"
        assert fact in str(problem.value)


def test_answers_that_do_not_fit(load: Callable[..., Problem]):
    problem = load(PATH)
    for call in (lambda: problem.encode([0, 1]), lambda: problem.encode([0, 1, 2]), lambda: problem.encode("abc"),
                 lambda: problem.from_bits("01"), lambda: problem.from_bits("01x"), lambda: problem.objective([1, 1])):  # fmt: skip
        with pytest.raises(tc.ThermocError) as refusal:
            call()
        assert refusal.value.code == "T518"


def test_a_map_that_is_too_large_is_refused_before_it_is_made(load: Callable[..., Problem]):
    with pytest.raises(tc.ThermocError) as problem:
        load("100000 1\n1 2 1\n", kind="partition")
    assert problem.value.code == "T504"


def test_every_format_is_read_by_a_test(load: Callable[..., Problem]):
    assert len(FORMATS) == 12, "add the new format to the tests above and to docs/optimisation.md"
