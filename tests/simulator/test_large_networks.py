"""Networks whose synapses are arrays: indices stay in 32 bits, and no bit depends on how they were given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import thermoc as tc
from thermoc import simulator
from thermoc.ir.dialects.core import SparseAffine
from thermoc.ir.values import Array
from thermoc.simulator.bounds import check
from thermoc.simulator.program import narrow

RNG = np.random.default_rng(7)
N, FAN = 300, 20
COLUMNS = np.sort(RNG.integers(0, N, (N, FAN), dtype=np.int32), axis=1).reshape(-1)
OFFSETS = np.arange(N + 1) * FAN
WEIGHTS = RNG.normal(size=N * FAN).astype(np.float32)


def executable(columns: np.ndarray, *, named: bool = False) -> tc.Executable:
    """Spikes of a unit excite others a tick later; named: by weights that are a parameter."""
    with tc.Network("large") as net:
        before = tc.placeholder((N,), role="spike", dtype="f32")
        weights = tc.parameter("W", WEIGHTS, dtype="f32") if named else WEIGHTS
        g = tc.trace(tc.sparse_affine(tc.delay(before), weights, columns, OFFSETS), 5.0)
        s, _ = tc.lif(g + tc.input("x", (N,), dtype="f32"), 5.0, v_threshold=1.0)
        tc.connect(before, s)
        tc.output("g", g)
    return tc.compile(net, precision="float32")


def drive() -> dict[str, np.ndarray]:
    return {"x": np.random.default_rng(1).normal(1.0, 1.0, (30, 2, N)).astype(np.float32)}


def test_32_bits_stay_32_bits_and_give_the_numbers_of_64():
    given, wide = executable(COLUMNS), executable(COLUMNS.astype(np.int64))
    (op,) = given.graph.of(SparseAffine)
    assert op.columns.dtype == "i32" and given.artefact.program.table.dtype == np.int32
    run = given.run(drive())
    assert len(np.unique(run["g"])) > 1000
    assert np.array_equal(run["g"], wide.run(drive())["g"])
    assert np.array_equal(run["g"], executable(COLUMNS, named=True).run(drive())["g"])


def test_another_target_takes_32_bits():
    with tc.Network("rows") as net:
        tc.output("y", tc.sparse_affine(tc.input("x", (N,)), WEIGHTS, COLUMNS, OFFSETS))
    x = {"x": RNG.normal(size=(2, N))}
    expected = tc.compile(net, "sim").run(x)["y"]
    assert np.allclose(tc.compile(net, "onnx").run(x)["y"], expected, rtol=1e-4, atol=1e-4)


def test_a_program_with_a_table_of_64_bits_runs_as_before():
    program = executable(COLUMNS).artefact.program
    old = replace(program, table=program.table.astype(np.int64))
    check(old)
    outputs = [simulator.run(one, drive(), ticks=30, batch=2).outputs["g"] for one in (program, old)]
    assert np.array_equal(*outputs)
    with pytest.raises(ValueError, match="32 or 64 bits"):
        check(replace(program, table=program.table.astype(np.int16)))


@pytest.mark.parametrize(("numbers", "dtype"), [((), "int32"), ((-(2**31), 2**31 - 1), "int32"), ((2**31,), "int64")])
def test_integers_are_narrowed_where_they_fit(numbers: tuple[int, ...], dtype: str):
    assert narrow(np.array(numbers, np.int64)).dtype == dtype


def test_arrays_that_differ_where_no_hash_looks_are_two():
    one, other = np.zeros((2, 1000))
    other[1] = 1.0
    assert hash(Array(one)) == hash(Array(other)) and len({Array(one), Array(other), Array(one.copy())}) == 2
