"""crossbar.mvm: what its parts do by hand, its limits, its noise, and that simulator and expansion say the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from crossbar.circuits import nodal
from hypothesis import given
from hypothesis import strategies as st

import thermoc as tc
from thermoc.backends.sim.rows import crossbar as crossbar_rows
from thermoc.ir.dialects.crossbar import Mvm
from thermoc.ir.feed import feed
from thermoc.ir.reference import crossbar, interpret
from thermoc.ir.values import Value
from thermoc.passes.canonicalize import Canonicalize
from thermoc.passes.expand.crossbar import EXPANSIONS
from thermoc.passes.pipeline import run_passes
from thermoc.passes.rewriting import rewrite
from thermoc.simulator.kernels.crossbar import mvm as kernel
from thermoc.support import philox

RNG = np.random.default_rng(0)


def reading(plus: Any, minus: Any, x: np.ndarray, *more: Any, seed: int = 0, **attrs: Any) -> np.ndarray:
    """Return y (batch, *s, m) of one tick by the reference, after comparing it with the simulator's."""
    with tc.Network("product") as net:
        noise = {}
        if attrs.get("read_noise"):
            n, m = np.shape(plus)[1:]
            readings = -(-attrs.get("input_bits", 0) // attrs["dac_bits"]) if attrs.get("dac_bits") else 1
            arrays = -(-n // attrs.get("rows", 128))
            noise["z"] = tc.normal(shape=(*x.shape[1:-1], arrays, readings, len(plus), m), stream=5)
        tc.output(
            "y",
            tc.mvm(tc.input("x", x.shape[1:]), np.array(plus, float), np.array(minus, float), *more, **noise, **attrs),
        )
    expected = interpret(net.graph, feed(net.graph, {"x": x[np.newaxis]}), seed=seed).outputs["y"][0]
    found = tc.compile(net, target="sim").run({"x": x[np.newaxis]}, seed=seed)["y"][0]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max(initial=1e-300))
    return expected


def test_a_product_by_hand():
    """Weights 5 = 1 1 and -6 = 1 2 in base 4, two arrays of one input, x = 0.6 of 1 in 3 bits: 4 steps of 7."""
    plus, minus = np.array([[[1.0], [0]], [[1], [0]]]), np.array([[[0.0], [2]], [[0], [1]]])
    y = reading(plus, minus, np.array([[0.6, 0.2]]), 0.5, rows=1, cell_bits=2, input_bits=3, dac_bits=1)
    assert y.tolist() == [[0.5 * (5 * 4 - 6 * 1)]]


def test_codes_are_rounded_halves_up_and_clipped():
    """Range 6 in 3 codes: a code is 2 steps; 5 is 2.5 codes and becomes 3, -5 becomes -2, 9 is clipped."""
    plus = np.array([[[3.0, 0, 3], [2, 0, 3], [0, 0, 3]]])
    minus = np.array([[[0.0, 3, 0], [0, 2, 0], [0, 0, 0]]])
    y = reading(plus, minus, np.ones((1, 3)), cell_bits=2, input_bits=1, adc_bits=3, adc_range=6.0)
    assert y.tolist() == [[6.0, -4.0, 6.0]]


@given(data=st.data())
def test_digits_are_those_of_the_rounded_input(data: Any):
    """Put together again they are the input to half a step; each is a whole number of its bits, with the input's sign."""
    bits = data.draw(st.integers(1, 12))
    op = bare(
        input_bits=bits, dac_bits=data.draw(st.integers(0, bits)), x_max=data.draw(st.sampled_from([0.3, 1.0, 7.0]))
    )
    x = np.array(data.draw(st.lists(st.floats(-2, 2), min_size=1, max_size=5))) * op.x_max
    d = crossbar.digits(op, x)
    assert len(d) == op.readings and (d == np.rint(d)).all() and (d * x >= 0).all()
    assert (np.abs(d) < 2 ** (op.dac_bits or bits)).all()
    whole = (d * 2.0 ** (op.dac_bits * np.arange(len(d)))[:, np.newaxis]).sum(axis=0) * op.x_max / op.steps
    off = np.abs(whole - np.clip(x, -op.x_max, op.x_max))
    assert off.max() <= op.x_max / op.steps * (0.5 + 1e-12)


def bare(**attrs: Any) -> Mvm:
    none = Value("?")
    return Mvm(x=none, plus=none, minus=none, scale=none, y=none, **attrs)


@pytest.mark.parametrize(
    "attrs", [{}, {"input_bits": 9, "dac_bits": 2, "adc_bits": 12, "adc_range": 2047.0, "x_max": 511.0, "cell_bits": 3}]
)
def test_what_loses_nothing_is_the_product_exactly(attrs: dict[str, Any]):
    """Whole numbers within every range: no rounding, no clipping, no wires, so equal to the last bit."""
    slices = 2 if attrs else 1
    plus, minus = (RNG.integers(0, 8, (slices, 20, 6)).astype(float) for _ in range(2))
    x = RNG.integers(-300, 301, (4, 20)).astype(float)
    W = ((plus - minus) * 8.0 ** np.arange(slices)[:, np.newaxis, np.newaxis]).sum(axis=0)
    assert np.array_equal(reading(plus, minus, x, rows=7, columns=4, **attrs), x @ W)


def test_wires_are_those_of_the_whole_circuit():
    """Each array, slice and sign on its own in a full nodal solve, inputs 5 in arrays of 3."""
    plus, minus = RNG.integers(0, 4, (1, 5, 3)).astype(float), RNG.integers(0, 4, (1, 5, 3)).astype(float)
    x, low, high, r = RNG.normal(size=5), 1e-6, 1e-4, (30.0, 70.0)
    step = (high - low) / 3
    expected = np.zeros(3)
    for i in (slice(0, 3), slice(3, 5)):
        for j in (slice(0, 2), slice(2, 3)):
            for sign, levels in ((1, plus[0]), (-1, minus[0])):
                G = low + step * levels[i, j]
                word, bit = nodal(G, x[i], *r)
                expected[j] += sign * (G * (word - bit)).sum(axis=0) / step
    y = reading(
        plus, minus, x[np.newaxis], rows=3, columns=2, cell_bits=2, g_min=low, g_max=high, r_word=r[0], r_bit=r[1]
    )
    np.testing.assert_allclose(y[0], expected, rtol=1e-10)
    assert np.abs(expected - x @ (plus - minus)[0]).max() > 1e-3  # wires matter here


def test_read_noise_has_the_spread_of_its_cells():
    """Mean and standard deviation over 20,000 samples, 4 standard errors: false alarms once in 8,000."""
    plus, minus, x, count = np.array([[[3.0], [0]]]), np.array([[[0.0], [2]]]), np.array([0.5, -2.0]), 20_000
    attrs = {"cell_bits": 2, "g_min": 1e-6, "g_max": 4e-6, "read_noise": 0.1}
    y = reading(plus, minus, np.tile(x, (count, 1)), seed=3, **attrs)[:, 0]
    in_steps = np.array([4.0**2 + 1, 1 + 3.0**2])  # g_min is one step here
    spread = 0.1 * np.sqrt((x**2 * in_steps).sum())
    assert abs(y.mean() - (0.5 * 3 + 2 * 2)) < 4 * spread / np.sqrt(count)
    assert abs(y.std() / spread - 1) < 4 / np.sqrt(2 * count)


def test_read_noise_is_the_documented_word():
    """z of sample 3 is Philox block (3, tick 0, draw 0) of its stream, so that a product can be checked by hand."""
    y = reading(np.ones((1, 1, 1)), np.zeros((1, 1, 1)), np.ones((4, 1)), seed=11, read_noise=0.25)
    z = philox.normal(philox.words(np.arange(4, dtype=np.uint64), tick=0, draw=0, stream=5, seed=11), np.dtype(float))
    np.testing.assert_allclose(y[:, 0], 1 + 0.25 * z, rtol=1e-13)


def test_gain_scales_the_currents_before_they_are_converted():
    with tc.Network("warm") as net:
        T = tc.input("T", ())
        y = tc.mvm(
            tc.input("x", (1,)),
            np.array([[[2.0]]]),
            np.zeros((1, 1, 1)),
            gain=1.0 + 0.01 * (T - 300.0),
            cell_bits=2,
            adc_bits=4,
            adc_range=7.0,
        )
        tc.output("y", y)
    given_ = {"x": np.ones((1, 3, 1)), "T": np.array([[300.0, 320.0, 330.0]])}
    for outputs in (
        interpret(net.graph, feed(net.graph, given_)).outputs,
        tc.compile(net, target="sim").run(given_).outputs,
    ):
        assert outputs["y"][0, :, 0].tolist() == [2.0, 2.0, 3.0]  # 2, 2.4 and 2.6 steps


def test_each_array_can_have_a_gain_of_its_own():
    """Two arrays of one input and two outputs: y_j = sum_t gain_tj w_tj x_t, from a temperature each."""
    W, gain, x = RNG.integers(0, 4, (2, 2)).astype(float), RNG.random((3, 2, 2)), RNG.normal(size=(3, 2))
    with tc.Network("warm") as net:
        tc.output(
            "y",
            tc.mvm(
                tc.input("x", (2,)), W[np.newaxis], np.zeros((1, 2, 2)), gain=tc.input("g", (2, 2)), rows=1, cell_bits=2
            ),
        )
    given_ = {"x": x[np.newaxis], "g": gain[np.newaxis]}
    expected = np.einsum("bt,tj,btj->bj", x, W, gain)
    for outputs in (
        interpret(net.graph, feed(net.graph, given_)).outputs,
        tc.compile(net, target="sim").run(given_).outputs,
    ):
        np.testing.assert_allclose(outputs["y"][0], expected, rtol=1e-13)


@pytest.mark.slow
@given(data=st.data())
def test_the_expansion_and_the_simulator_mean_the_same(data: Any):
    """Random sizes, bits, wires, noise: the reference against the simulator's kernel, and against plain ops."""
    draw = data.draw
    n, m, slices = draw(st.integers(1, 9)), draw(st.integers(1, 5)), draw(st.integers(1, 3))
    cell, bits = draw(st.integers(1, 3)), draw(st.integers(0, 6))
    attrs: dict[str, Any] = {
        "rows": draw(st.integers(1, 10)),
        "columns": draw(st.integers(1, 6)),
        "cell_bits": cell,
        "g_min": 1e-6,
        "g_max": 1e-4,
    }
    attrs |= {
        "input_bits": bits,
        "dac_bits": draw(st.integers(0, bits)),
        "x_max": 1.7,
        "adc_bits": draw(st.sampled_from([0, 2, 6])),
        "adc_range": draw(st.sampled_from([1.0, 9.3])),
    }
    attrs |= {
        "r_word": draw(st.sampled_from([0.0, 10.0])),
        "r_bit": draw(st.sampled_from([0.0, 30.0])),
        "read_noise": draw(st.sampled_from([0.0, 0.05])),
    }
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    plus, minus = (rng.integers(0, 2**cell, (slices, n, m)) + 0.01 * rng.random((slices, n, m)) for _ in range(2))
    lead = draw(st.sampled_from([(), (2,)]))
    x = rng.normal(size=(2, *lead, n))
    expected = reading(plus, minus, x, rng.normal(size=m), **attrs)
    assert np.isfinite(expected).all()
    with tc.Network("product") as net:
        z = {}
        if attrs["read_noise"]:
            readings = bare(**attrs).readings
            z["z"] = tc.normal(shape=(*lead, -(-n // attrs["rows"]), readings, slices, m), stream=5)
        tc.output("y", tc.mvm(tc.input("x", (*lead, n)), plus, minus, rng.normal(size=m), **z, **attrs))
    plain = run_passes(rewrite(net.graph, EXPANSIONS), [Canonicalize()]).graph
    assert not plain.of(Mvm)
    one, other = (interpret(graph, feed(graph, {"x": x[np.newaxis]})).outputs["y"] for graph in (net.graph, plain))
    np.testing.assert_allclose(other, one, rtol=1e-11, atol=1e-11 * np.abs(one).max(initial=1e-300))


def test_batches_and_chunks_change_nothing():
    """More vectors than a chunk holds, split anywhere."""
    assert kernel.CHUNK < 70
    plus, minus = RNG.integers(0, 4, (2, 9, 4)).astype(float), RNG.random((2, 9, 4))
    x = RNG.normal(size=(70, 9))
    attrs = {
        "rows": 4,
        "cell_bits": 2,
        "input_bits": 5,
        "dac_bits": 2,
        "adc_bits": 6,
        "adc_range": 20.0,
        "read_noise": 0.1,
    }
    with tc.Network("product") as net:
        z = tc.normal(shape=(3, 3, 2, 4), stream=5)
        tc.output("y", tc.mvm(tc.input("x", (9,)), plus, minus, z=z, **attrs))
    run = tc.compile(net, target="sim").run
    whole = run({"x": x[np.newaxis]})["y"][0]
    some = [0, kernel.CHUNK - 1, kernel.CHUNK, 69]
    alone = [run({"x": x[np.newaxis, k : k + 1]}, first_sample=k)["y"][0, 0] for k in some]
    assert np.array_equal(whole[some], np.array(alone))


@pytest.mark.parametrize(("precision", "together"), [("float64", 4), ("float32", 3)])
@pytest.mark.parametrize("warm", [False, True])
def test_readings_that_go_together_change_nothing(
    precision: str, together: int, warm: bool, monkeypatch: pytest.MonkeyPatch
):
    """Bit for bit what each reading gives on its own, for the largest currents there can be, of either sign.

    21 cells of 3 steps sum up to 63, the last whole number of 7 bits with its sign: 7 fit into 52, so that 8 readings
    go as 4 and 4, and 3 into 23.
    """
    cells, x = RNG.integers(0, 4, (2, 2, 25, 6)).astype(float), RNG.uniform(-1.1, 1.1, (5, 25))
    cells[0, :, :, 0], cells[1, :, :, 0], x[0], x[1] = 3, 0, 1, -1
    attrs = {"rows": 21, "cell_bits": 2, "input_bits": 8, "dac_bits": 1, "adc_bits": 5, "adc_range": 31.0}
    given_ = {"x": x[np.newaxis]} | ({"g": np.full((1, 5, 2, 6), 1.07)} if warm else {})
    with tc.Network("tile") as net:
        gain = {"gain": tc.input("g", (2, 6))} if warm else {}
        tc.output("y", tc.mvm(tc.input("x", (25,)), *cells, **attrs, **gain))
    exe: Any = tc.compile(net, "sim", precision=precision)
    assert exe.artefact.program.table[5] == 2 * together - 1
    monkeypatch.setattr(crossbar_rows, "_together", lambda *_: 1)
    alone: Any = tc.compile(net, "sim", precision=precision)
    assert alone.artefact.program.table[5] == 1
    assert np.array_equal(exe.run(given_)["y"], alone.run(given_)["y"])


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize(
    "attrs", [{"dac_bits": 1}, {"dac_bits": 2}, {"dac_bits": 3}, {"dac_bits": 1, "read_noise": 0.01, "g_max": 1e-4}]
)
@pytest.mark.parametrize("warm", [False, True])
def test_tables_of_sums_change_nothing(precision: str, attrs: dict[str, Any], warm: bool, monkeypatch: Any):
    """Bit for bit what products give: two tiles of outputs, a last array and a last group that are not full, a NaN."""
    n, m, count = 50, 70, 12
    cells = RNG.integers(0, 4, (2, 2, n, m)).astype(float)
    cells[:, :, :, 0] = [[[3.0]], [[0.0]]]
    x, over = RNG.uniform(-1.1, 1.1, (count, n)), np.ones((count, n))
    x[0], x[1], x[2, 7], over[2, 7], x[3] = 1, -1, 0, 0, 0
    given_ = {"x": x[np.newaxis], "over": over[np.newaxis]}
    given_ |= {"g": RNG.uniform(0.9, 1.1, (1, count, 3, m))} if warm else {}
    converters = {"rows": 22, "cell_bits": 2, "input_bits": 6, "adc_bits": 6, "adc_range": 41.0}
    with tc.Network("tile") as net:
        more = {"gain": tc.input("g", (3, m))} if warm else {}
        if "read_noise" in attrs:
            more["z"] = tc.normal(shape=(3, 6, 2, m), stream=5)
        tc.output("y", tc.mvm(tc.input("x", (n,)) / tc.input("over", (n,)), *cells, **converters, **attrs, **more))
    tables: Any = tc.compile(net, "sim", precision=precision)
    assert tables.artefact.program.table[6] == 3
    monkeypatch.setattr(crossbar_rows, "_levels", lambda *_: (np.empty(0, np.int32), 0))
    products: Any = tc.compile(net, "sim", precision=precision)
    assert products.artefact.program.table[6] == 0
    found, expected = (exe.run(given_, seed=1)["y"] for exe in (tables, products))
    assert np.isnan(expected[0, 2]).all() and np.isfinite(np.delete(expected[0], 2, axis=0)).all()
    assert np.array_equal(found, expected, equal_nan=True)


def test_an_exact_converter_takes_slices_and_arrays_as_one_product():
    """Whole numbers add up in any order: the program has one slice and one array, and the exact product."""
    cells, x = RNG.integers(0, 4, (2, 3, 20, 6)).astype(float), RNG.uniform(-1, 1, (4, 20))
    attrs = {"rows": 7, "cell_bits": 2, "input_bits": 6, "dac_bits": 1}
    with tc.Network("tile") as net:
        tc.output("y", tc.mvm(tc.input("x", (20,)), *cells, **attrs))
    exe: Any = tc.compile(net, "sim", precision="float64")
    assert exe.artefact.program.table[[2, 3]].tolist() == [1, 20]
    expected = interpret(net.graph, feed(net.graph, {"x": x[np.newaxis]})).outputs["y"]
    assert np.array_equal(exe.run({"x": x[np.newaxis]})["y"], expected)


@pytest.mark.parametrize(
    ("code", "attrs"),
    [
        ("T105", {"adc_bits": 1}),
        ("T105", {"g_min": 1e-3, "g_max": 1e-3}),
        ("T105", {"input_bits": 2, "dac_bits": 3}),
        ("T105", {"rows": 0}),
        ("T105", {"x_max": 0.0}),
        ("T105", {"plus": -np.ones((1, 3, 2))}),
        ("T103", {"read_noise": 0.1}),
        ("T103", {"scale": np.ones(3)}),
        ("T103", {"plus": np.ones((2, 3, 2)), "minus": np.ones((2, 3, 2))}),
        ("T103", {"z": np.ones((1, 1, 1, 3)), "read_noise": 0.1}),
        ("T103", {"gain": np.ones(3)}),
        ("T103", {"minus": np.ones((1, 3, 3))}),
    ],
)
def test_bad_input_is_refused(code: str, attrs: dict[str, Any]):
    cells = {"plus": np.ones((1, 3, 2)), "minus": np.ones((1, 3, 2))}
    with pytest.raises(tc.ThermocError) as caught:
        with tc.Network("bad") as net:
            tc.output("y", tc.mvm(tc.input("x", (3,)), **cells | attrs))
        net.graph  # noqa: B018
    assert caught.value.code == code
