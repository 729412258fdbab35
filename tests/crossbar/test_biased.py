"""Arrays without pairs: exact where converters suffice, bounded where not, and refused where they cannot be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import thermoc as tc
from thermoc.ir.dialects.crossbar import Mvm
from thermoc.ir.feed import feed
from thermoc.ir.graph import Graph
from thermoc.ir.reference import interpret
from thermoc.ir.types import DType
from thermoc.passes import stages
from thermoc.passes.change_log import Lowered
from thermoc.passes.crossbar.map_crossbars import MapCrossbars
from thermoc.passes.crossbar.spec import CrossbarSpec, cells
from thermoc.passes.pipeline import run_passes

ONE = {
    "arrays_a_sign": 1,
    "cell_bits": 2,
    "weight_bits": 8,
    "input_bits": 6,
    "dac_bits": 1,
    "g_min": 1e-6,
    "g_max": 1e-4,
}
RNG = np.random.default_rng(0)
X = {"x": RNG.uniform(-1, 1, (20, 2, 6, 5))}


def image() -> tc.Network:
    """Convolutions in two groups, a layer, and constant matrices to either side."""
    with tc.Network("image") as net:
        attrs = {"padding": ((1, 1), (2, 0)), "stride": (2, 1), "groups": 2}
        h = tc.tanh(tc.conv(tc.input("x", (2, 6, 5)), RNG.normal(size=(4, 1, 3, 2)) / 2, RNG.normal(size=4), **attrs))
        h = tc.affine(tc.flatten(h), RNG.normal(size=(10, 72)) / 8, RNG.normal(size=10))
        tc.output("y", tc.boltzmann(-h, T=1.5))
        tc.output("left", tc.matmul(RNG.normal(size=(3, 2)), tc.reshape(h, shape=(2, 5))))
        tc.output("right", tc.matmul(tc.reshape(h, shape=(2, 5)), RNG.normal(size=(5, 3))))
    return net


NET = image()


def lowered(graph: Graph, spec: CrossbarSpec, **options: Any) -> Lowered:
    passes = [*stages.discrete(dt=graph.dt, dtype=DType.f64), MapCrossbars(spec=spec, **options)]
    return run_passes(graph, passes)


def outputs(graph: Graph) -> dict[str, np.ndarray]:
    return dict(interpret(graph, feed(graph, X)).outputs)


def distances(found: Lowered) -> dict[str, tuple[float, float]]:
    """Return for each output how far it is off, and how far the report says it can be."""
    before, after = outputs(NET.graph), outputs(found.graph)
    told = {change.what: change.offset for change in found.records[-1].changes}
    return {name: (float(np.abs(after[name] - before[name]).max()), told[f"output {name!r}"]) for name in before}


def whole(n: int, m: int, most: int, seed: int = 0) -> np.ndarray:
    """Return whole numbers up to +-most, which is among them, so that a step is one."""
    W = np.random.default_rng(seed).integers(-most, most + 1, size=(n, m)).astype(float)
    W.flat[0] = most
    return W


def product(W: np.ndarray, spec: CrossbarSpec, x: np.ndarray, **options: Any) -> tuple[np.ndarray, Any]:
    """Return x W through the arrays, and what the pass tells."""
    with tc.Network("product") as net:
        tc.output("y", tc.affine(tc.input("x", (len(W),)), W.T))
    found = lowered(net.graph, spec, input_range=(-float(2**5 - 1), float(2**5 - 1)), **options)
    return interpret(found.graph, feed(found.graph, {"x": x})).outputs["y"][0], found.records[-1]


def test_isaacs_converters_lose_nothing():
    """128 rows of 2-bit cells read bit by bit: log2 128 + 1 + 2 - 2 = 8 bits, half of what all cells full would take."""
    W, x = whole(300, 9, 127), whole(20, 300, 31, seed=1)
    W[:, 1], W[:, 2] = 127.0, -127.0  # every cell full, and none
    found, told = product(W, CrossbarSpec(**ONE, adc_bits=8), x)
    assert np.array_equal(found, x @ W)
    change = next(change for change in told.changes if change.what.endswith("read currents"))
    assert change.new.startswith("255 codes to 255") and "by at most 0 steps" in change.bound
    coarse, _ = product(W, CrossbarSpec(**ONE, adc_bits=7), x)
    assert not np.array_equal(coarse, x @ W)


@settings(max_examples=60)
@given(st.integers(1, 40), st.integers(1, 5), st.sampled_from([(1, 4), (2, 5), (2, 8), (3, 8)]), st.integers(0, 99))
def test_no_column_is_more_than_half_full(n: int, m: int, bits: tuple[int, int], seed: int):
    """And slices of cells, what was taken from the highest level and what was added make the weights."""
    cell_bits, weight_bits = bits
    spec = CrossbarSpec(**ONE | {"cell_bits": cell_bits, "weight_bits": weight_bits}, rows=16)
    W = np.random.default_rng(seed).normal(size=(n, m))
    held = cells(W, spec)
    base, D = 2.0**cell_bits, held.plus - held.minus
    assert ((held.plus == 0) | (held.minus == 0)).all() and np.abs(D).max() < base
    for first in range(0, n, 16):
        part = D[:, first : first + 16]
        assert np.abs(part.sum(axis=1)).max() <= (base - 1) * part.shape[1] / 2
    again = (np.einsum("pnm,p->nm", D, base ** np.arange(len(D))) + held.offset) * held.step
    assert np.abs(again - W).max() <= held.step / 2 * (1 + 1e-12)


@pytest.mark.parametrize(
    "more",
    [{}, {"adc_bits": 8}, {"adc_bits": 4}, {"adc_bits": 6, "r_word": 5.0, "r_bit": 5.0}],
    ids=lambda more: ", ".join(more) or "ideal",
)
def test_every_kind_of_product_is_within_what_is_told(more: dict[str, Any]):
    for error, bound in distances(
        lowered(NET.graph, CrossbarSpec(rows=8, columns=4, **ONE | more), input_range=(-1.0, 1.0))
    ).values():
        assert 0 < error <= bound


def test_a_range_that_was_reached_is_finer():
    spec = CrossbarSpec(**ONE, adc_bits=4)
    worst = distances(lowered(NET.graph, spec, calibrate=X))
    reached = distances(lowered(NET.graph, spec, calibrate=X, adc="reached"))
    assert reached["y"][0] < worst["y"][0]


def test_every_target_runs_what_was_mapped():
    """The simulator's row of code and the core ops of others say what the reference says."""
    found = lowered(NET.graph, CrossbarSpec(rows=8, columns=4, **ONE, adc_bits=5), input_range=(-1.0, 1.0))
    expected = outputs(found.graph)
    assert all(op.adc_bits in (0, 6) for op in found.graph.of(Mvm))
    for target in ("sim", "onnx"):
        run = tc.compile(tc.Network.of(found.graph), target=target, precision="float64").run(X)
        for name in expected:
            assert np.allclose(run[name], expected[name], rtol=1e-9, atol=1e-9), (target, name)


@pytest.mark.parametrize("more", [{"dac_bits": 2}, {"weight_bits": 1}, {"read_noise": 0.01}, {"arrays_a_sign": 3}])
def test_what_such_arrays_cannot_be_is_refused(more: dict[str, Any]):
    with pytest.raises(tc.ThermocError) as caught:
        CrossbarSpec(**ONE | more)
    assert caught.value.code == "T208"


def test_a_rule_of_programming_is_for_pairs():
    with pytest.raises(tc.ThermocError) as caught:
        MapCrossbars(spec=CrossbarSpec(**ONE), program=lambda levels, number: levels)
    assert caught.value.code == "T208" and "pairs" in str(caught.value)
