"""Findings about a model from a file stand at the file and the node, from its reading to its compilation."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import nir
import numpy as np
import pytest
from frontends.models import chain, drawn, full, lif, written

import thermoc as tc
from thermoc.ir.dialects import core


def place(path: Path, node: str = "n0") -> str:
    return f"{path}: node {node!r}"


def test_a_node_that_cannot_be_read(tmp_path: Path):
    cases = [lif(4, tau=full(0.0, 4)), nir.Linear(drawn(2, 5)), nir.Scale(drawn(3)), nir.Delay(full(1.5e-4, 4))]
    for node in cases:
        path = written(tmp_path / "n.nir", *chain(node, shape=(4,), out=(4,)))
        with pytest.raises(tc.ThermocError) as caught:
            tc.load(path)
        assert [str(finding.where) for finding in caught.value.findings] == [place(path)]
        assert json.dumps(str(caught.value.findings[0].where))


def test_repairs(tmp_path: Path):
    nodes, edges = chain(lif(4), shape=(4,), out=(3,))
    path = written(tmp_path / "n.nir", nodes, [*edges, ("n0", "n0"), edges[0]])
    places = {repair.what.split(":")[0]: str(repair.where) for repair in tc.load(path).repairs}
    assert places["a cycle"] == place(path)
    assert places["output 'output' states shape [3]"] == place(path, "output")
    assert places["the file states no time step"] == str(path)


def test_ops_carry_their_node(tmp_path: Path):
    path = written(tmp_path / "n.nir", *chain(nir.Affine(np.eye(4), drawn(4)), lif(4), shape=(4,), out=(4,)))
    named = {op.opname: str(op.location) for op in tc.load(path).graph.ops if op.opname != "core.constant"}
    assert named["core.affine"] == "n.nir: node 'n0'"
    assert named["spiking.lif"] == "n.nir: node 'n1'"
    assert named["core.output"] == "n.nir: node 'output'"


def test_a_file_of_ours_does_not_tell_where_it_came_from(tmp_path: Path):
    content = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        path = written(tmp_path / folder / "n.nir", *chain(lif(4), shape=(4,), out=(4,)))
        content.append(str([str(op.location) for op in tc.load(path).graph.ops]))
    assert content[0] == content[1]
    assert str(tmp_path) not in content[0]


def test_a_refusal_to_write_names_the_node(tmp_path: Path):
    pool = nir.AvgPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0]))
    read = tc.load(written(tmp_path / "n.nir", *chain(pool, shape=(1, 4, 4), out=(1, 2, 2)))).graph
    ops = tuple(replace(op, kind="max") if isinstance(op, core.Pool) else op for op in read.ops)
    with pytest.raises(tc.ThermocError) as caught:
        tc.Network.of(replace(read, ops=ops)).save(tmp_path / "b.nir")
    assert caught.value.code == "T509"
    assert str(caught.value.findings[0].where) == "n.nir: node 'n0'"
