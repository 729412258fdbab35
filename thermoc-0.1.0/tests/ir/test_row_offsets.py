"""Compressed rows from a file are checked before they are used."""

from __future__ import annotations

import numpy as np

import thermoc as tc
from thermoc.ir.dialects.core import Constant, SparseAffine
from thermoc.ir.infer import retyped
from thermoc.ir.values import Array
from thermoc.ir.verify import findings


def test_row_offsets_that_are_none_are_told():
    with tc.Network("rows") as net:
        x = tc.input("x", (2,))
        tc.output("y", tc.sparse_affine(x, np.ones(1), np.zeros(1, np.int64), np.array([0, 1])))
    (op,) = net.graph.of(SparseAffine)
    empty = Array(np.zeros(0, np.int64))
    ops = [
        o.with_(value=empty) if isinstance(o, Constant) and o.y.name == op.offsets.name else o for o in net.graph.ops
    ]
    codes = {found.code for found in findings(retyped(net.graph.with_ops(ops)))}
    assert codes and all(code.startswith("T1") for code in codes)
