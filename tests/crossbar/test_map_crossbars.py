"""map-crossbars: exact without limits, better with more bits, and never off by more than it says."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import given_inputs, networks

import thermoc as tc
from thermoc.backends.chip.lower import crossbars
from thermoc.backends.chip.options import ChipOptions
from thermoc.ir.dialects import core, thermo
from thermoc.ir.dialects.crossbar import Mvm
from thermoc.ir.feed import feed
from thermoc.ir.graph import Graph
from thermoc.ir.printer import print_graph
from thermoc.ir.reference import interpret
from thermoc.ir.types import DType
from thermoc.passes import stages
from thermoc.passes.change_log import Lowered
from thermoc.passes.crossbar.map_crossbars import MapCrossbars
from thermoc.passes.crossbar.spec import CrossbarSpec, cells, programming
from thermoc.passes.pipeline import run_passes
from thermoc.simulator.crossbar import transfer as solved

RNG = np.random.default_rng(0)
BIT = {"rows": 8, "columns": 4, "g_min": 1e-6, "g_max": 1e-4}


def weights(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).normal(size=shape) / np.sqrt(shape[-1])


def convolutional() -> tc.Network:
    with tc.Network("convolutional") as net:
        x = tc.input("x", (2, 6, 5))
        attrs = {"padding": ((1, 1), (2, 0)), "stride": (2, 1), "dilation": (1, 2), "groups": 2}
        h = tc.thermal_relu(tc.conv(x, weights(4, 1, 3, 2), weights(4), **attrs), T=0.1)
        h = tc.tanh(tc.affine(tc.flatten(h), weights(10, 60), weights(10)))
        tc.output("y", tc.boltzmann(-tc.affine(h, weights(5, 10)), T=1.5))
        tc.output("left", tc.matmul(weights(3, 2), tc.reshape(h, shape=(2, 5))))
        tc.output("right", tc.matmul(tc.reshape(h, shape=(2, 5)), weights(5, 3)))
        tc.output("line", tc.conv(tc.reshape(h, shape=(1, 10)), weights(2, 1, 3), weights(2), padding=1))
        tc.output("rows", tc.affine(tc.reshape(h, shape=(2, 5)), weights(3, 5)))
    return net


NET = convolutional()
X = {"x": np.random.default_rng(1).uniform(-1, 1, (1, 20, 2, 6, 5))}


def lowered(graph: Graph, spec: CrossbarSpec, **options: Any) -> Lowered:
    passes = [*stages.discrete(dt=graph.dt, dtype=DType.f64), MapCrossbars(spec=spec, **options)]
    return run_passes(graph, passes)


def outputs(graph: Graph, inputs: Any = X) -> dict[str, np.ndarray]:
    return interpret(graph, feed(graph, inputs), seed=5).outputs


def distances(found: Lowered) -> dict[str, tuple[float, float]]:
    """Return for each output how far it is off, and how far the report says it can be."""
    before, after = outputs(NET.graph), outputs(found.graph)
    told = {change.what: change.offset for change in found.records[-1].changes}
    return {
        name: (float(np.abs(after[name] - before[name]).max()), told.get(f"output {name!r}", 0.0)) for name in before
    }


@pytest.mark.parametrize("options", [{}, {"input_range": (-1.0, 1.0)}])
def test_without_limits_nothing_changes_but_rounding(options: dict[str, Any]):
    found = lowered(NET.graph, CrossbarSpec(rows=8, columns=4), **options)
    assert {type(op) for op in found.graph.ops}.isdisjoint({core.Affine, core.Conv, core.Matmul})
    assert len(found.graph.of(Mvm)) == 2 + 2 + 3 + 1
    for off, _ in distances(found).values():
        assert off < 1e-14


def test_error_falls_as_bits_grow_and_stays_within_what_is_told():
    """Four more bits: a sixteenth of the error, roughly; the report's bound falls alike."""
    off: list[dict[str, tuple[float, float]]] = []
    for bits in (6, 10, 14, 18):
        spec = CrossbarSpec(**BIT, cell_bits=2, weight_bits=bits, input_bits=bits, dac_bits=1, adc_bits=bits)
        off.append(distances(lowered(NET.graph, spec, input_range=(-1.0, 1.0))))
    for less, more in pairwise(off):
        for name in less:
            assert more[name][0] < less[name][0] / 4
    for found in off:
        for error, bound in found.values():
            assert 0 < error <= bound
    assert all(fine < coarse / 100 for (_, coarse), (_, fine) in zip(off[0].values(), off[3].values()))


@pytest.mark.parametrize(
    "more",
    [
        {"r_word": 5.0, "r_bit": 5.0},
        {"read_noise": 0.02},
        {"adc_bits": 5},
        {"adc_bits": 5, "input_bits": 0, "dac_bits": 0},
        {"cell_bits": 0, "weight_bits": 0},
    ],
    ids=lambda more: ", ".join(more),
)
def test_each_limit_of_the_hardware_is_within_what_is_told(more: dict[str, Any]):
    spec = CrossbarSpec(**BIT | {"cell_bits": 2, "weight_bits": 8, "input_bits": 8, "dac_bits": 2} | more)
    ideal = CrossbarSpec(**BIT, cell_bits=2, weight_bits=8, input_bits=8, dac_bits=2)
    found, base = (distances(lowered(NET.graph, s, input_range=(-1.0, 1.0))) for s in (spec, ideal))
    for name, (off, bound) in found.items():
        assert 1e-6 < off <= bound
        assert off != base[name][0]


def test_a_range_that_was_reached_is_finer_and_its_clipping_is_told():
    """The codes are spread over what flows, so errors fall; what clipping could do stands in the report."""
    spec = CrossbarSpec(**BIT, cell_bits=2, weight_bits=8, input_bits=8, dac_bits=4, adc_bits=6)
    worst = lowered(NET.graph, spec, input_range=(-1.0, 1.0))
    reached = lowered(NET.graph, spec, input_range=(-1.0, 1.0), calibrate=X, adc="reached")
    assert np.mean([off for off, _ in distances(reached).values()]) < 0.7 * np.mean(
        [off for off, _ in distances(worst).values()]
    )
    for found, clips in ((worst, False), (reached, True)):
        texts = [change.bound for change in found.records[-1].changes if change.what.endswith("read currents")]
        assert (
            texts
            and all(("at most 0" in text.split("clipping")[1].split()) or text.endswith("at most 0") for text in texts)
            != clips
        )
        assert all(off <= bound for off, bound in distances(found).values())


def test_what_cells_hold_is_asked_for_each_array_and_is_bounded():
    """Cells 3% off, and one in twenty stuck: the bound follows the cells that are there, not those asked for."""
    asked: list[int] = []

    def program(levels: np.ndarray, number: int) -> np.ndarray:
        asked.append(number)
        rng = np.random.default_rng(number)
        return np.where(rng.random(levels.shape) < 0.05, 0.0, levels * (1 + 0.03 * rng.normal(size=levels.shape)))

    spec = CrossbarSpec(**BIT, cell_bits=2, weight_bits=12, input_bits=12, dac_bits=1)
    found = distances(lowered(NET.graph, spec, input_range=(-1.0, 1.0), program=program))
    assert asked == list(range(16))
    assert all(1e-3 < off <= bound for off, bound in found.values())


LINEAR = st.sampled_from(["affine", "biased", "conv 1d", "conv 2d"])


def test_a_rule_in_siemens_becomes_a_program_in_levels():
    """Cells that are written exactly keep whole levels, to the last bit; others are where the rule put them."""
    spec = CrossbarSpec(cell_bits=3, weight_bits=3, g_min=3e-7, g_max=1.1e-4)
    levels = np.arange(8.0).reshape(1, 2, 4)
    assert np.array_equal(programming(spec, lambda G, number: G)(levels, 0), levels)
    ends = programming(spec, lambda G, number: np.where(G > 5e-5, spec.g_max, spec.g_min * number))(levels, 2)
    np.testing.assert_allclose(ends[0, 1], 7.0)
    np.testing.assert_allclose(spec.g_min + ends[0, 0] * (spec.g_max - spec.g_min) / 7, 2 * spec.g_min)
    for wrong in (lambda G, number: G[0], lambda G, number: G - 1.0):
        with pytest.raises(tc.ThermocError) as caught:
            programming(spec, wrong)(levels, 0)
        assert caught.value.code == "T208"


@pytest.mark.slow
@settings(max_examples=120)
@given(net=st.one_of(networks(), LINEAR.flatmap(lambda last: networks(most=3, last=last))), data=st.data())
def test_the_bound_holds_on_random_networks(net: tc.Network, data: Any):
    """Every output of every network is as near as the report says; those it does not name are untouched."""
    bits = data.draw(st.integers(1, 10))
    spec = CrossbarSpec(
        rows=data.draw(st.integers(1, 5)),
        columns=data.draw(st.integers(1, 5)),
        cell_bits=data.draw(st.integers(1, 4)),
        weight_bits=bits,
        input_bits=data.draw(st.sampled_from([0, bits])),
        adc_bits=data.draw(st.sampled_from([0, 0, 4])),
        g_min=1e-6,
        g_max=1e-4,
        r_bit=data.draw(st.sampled_from([0.0, 20.0])),
        read_noise=data.draw(st.sampled_from([0.0, 0.0, 0.01])),
    )
    given_ = given_inputs(net)
    graph = run_passes(net.graph, stages.discrete(dt=net.graph.dt, dtype=DType.f64)).graph
    found = run_passes(graph, [MapCrossbars(spec=spec, calibrate=given_)])
    told = {change.what: change.offset for change in found.records[0].changes}
    # the noise of the runs that showed how large values become: with other noise they may become larger
    before, after = (interpret(g, feed(g, given_)).outputs for g in (graph, found.graph))
    for name, expected in before.items():
        room = told.get(f"output {name!r}", 0.0) * (1 + 1e-9) + 1e-9 * np.abs(expected).max(initial=1.0)
        assert np.abs(after[name] - expected).max(initial=0.0) <= room, name


@given(
    W=st.lists(st.lists(st.floats(-10, 10), min_size=2, max_size=2), min_size=1, max_size=5),
    cell_bits=st.integers(1, 5),
    weight_bits=st.integers(1, 12),
)
def test_cells_hold_each_weight_to_half_a_step(W: list[list[float]], cell_bits: int, weight_bits: int):
    """Levels are whole, fit a cell, one of a pair is nought, and the slices add up."""
    spec = CrossbarSpec(cell_bits=cell_bits, weight_bits=weight_bits)
    found, array = cells(np.array(W), spec), np.array(W)
    levels = np.stack([found.plus, found.minus])
    assert (levels == np.rint(levels)).all() and levels.min() >= 0 and levels.max() < 2**cell_bits
    assert not (found.plus * found.minus).any()
    held = ((found.plus - found.minus) * 2.0 ** (cell_bits * np.arange(spec.slices))[:, np.newaxis, np.newaxis]).sum(
        axis=0
    )
    assert np.abs(held * found.step - array).max() <= found.step * (0.5 + 1e-9)


def test_golden_text(golden: Callable[[str, str], None]):
    with tc.Network("tiles") as net:
        x = tc.input("x", (3,))
        tc.output("y", tc.affine(x, np.array([[1.0, -0.5, 0.25], [0.0, 0.3, -1.0]]), np.array([0.5, 0.0])))
    spec = CrossbarSpec(
        rows=2, columns=2, cell_bits=1, weight_bits=2, input_bits=4, dac_bits=2, adc_bits=4, g_min=1e-6, g_max=1e-4
    )
    found = run_passes(net.graph, [MapCrossbars(spec=spec, input_range=(-1.0, 1.0))])
    changes = "\n".join(f"# {c.what}: {c.old} -> {c.new}; {c.bound}" for c in found.records[0].changes)
    golden("map-crossbars.txt", print_graph(found.graph) + changes + "\n")


def test_it_prints_itself_in_a_few_words():
    """As text that can be typed: what differs from the defaults; samples have none."""
    bare, chosen = CrossbarSpec(), CrossbarSpec(rows=64, columns=32, cell_bits=2, weight_bits=8, adc_bits=8, g_min=1e-6)
    assert str(MapCrossbars(spec=bare)) == "map-crossbars{spec={}}"
    found = str(MapCrossbars(spec=chosen, calibrate=X, adc="reached"))
    assert found.startswith("map-crossbars{spec={rows=64, columns=32, ") and found.endswith("adc=reached}")


def test_wires_of_a_chip_are_solved_in_compiled_code(tmp_path: Path):
    """NumPy's elimination would take seconds for a layer. The wires move the outputs, and not far."""
    text = files("thermoc.simulator.chips").joinpath("thermo-1.toml").read_text()
    assert "\nwire = { value = 0," in text
    (tmp_path / "wired.toml").write_text(text.replace("\nwire = { value = 0,", "\nwire = { value = 2.5,"))
    options = {"chip": str(tmp_path / "wired.toml"), "cells": "chip", "input_range": (-1.0, 1.0)}
    chosen = ChipOptions(**options)
    step = crossbars(chosen, chosen.machine)
    assert isinstance(step, MapCrossbars) and step.wires is solved
    with tc.Network("wired") as net:
        tc.output("y", tc.affine(tc.input("x", (9,)), weights(5, 9)))
    x = {"x": RNG.uniform(-1, 1, (1, 20, 9))}
    found = tc.compile(net, "chip", **options).run(x)["y"]
    ideal = tc.compile(net, "chip", **options | {"chip": "thermo-1"}).run(x)["y"]
    np.testing.assert_allclose(found, ideal, rtol=0.05, atol=0.05)
    assert not np.array_equal(found, ideal)


def test_computed_and_sparse_weights_stay_where_they_are():
    with tc.Network("computed") as net:
        x = tc.input("x", (2,))
        tc.output("y", tc.affine(x, np.eye(2) * tc.cast(tc.tick(), dtype="f64")))
        tc.output("z", tc.sparse_affine(x, np.ones(1), np.array([1]), np.array([0, 1])))
        tc.output("w", tc.matmul(tc.reshape(x, shape=(2, 1)), tc.reshape(x, shape=(1, 2))))
    found = run_passes(net.graph, [MapCrossbars(spec=CrossbarSpec(cell_bits=1))])
    assert found.graph == net.graph and not found.records[0].changes


@pytest.mark.brian2
@pytest.mark.slow
def test_every_target_runs_what_was_mapped():
    """The graph after the pass, verified as any network: sim natively, onnx and brian2 by its expansion."""
    with tc.Network("small") as net:
        h = tc.thermal_relu(tc.affine(tc.input("x", (6,)), weights(5, 6), weights(5)), T=0.1)
        s = tc.sample_binary(tc.affine(h, weights(3, 5)), T=0.5)
        tc.output("s", s)
        tc.output("h", h)
    spec = CrossbarSpec(
        rows=4,
        columns=4,
        cell_bits=2,
        weight_bits=4,
        input_bits=4,
        dac_bits=1,
        adc_bits=5,
        g_min=1e-6,
        g_max=1e-4,
        r_bit=10.0,
        read_noise=0.01,
    )
    found = run_passes(net.graph, [MapCrossbars(spec=spec, input_range=(-1.0, 1.0))])
    mapped = tc.Network.of(found.graph)
    options = {"brian2": {"codegen": "numpy"}}
    inputs = {"x": np.random.default_rng(2).uniform(-1, 1, (3, 2, 6))}
    seen = tc.verify(mapped, ["sim", "onnx", "brian2"], inputs=inputs, ticks=3, batch=2, seed=7, options=options)
    assert seen.ok, str(seen)


def test_streams_of_noise_are_new():
    with tc.Network("noisy") as net:
        x = tc.input("x", (4,)) + tc.normal(shape=(4,), stream=9)
        tc.output("y", tc.affine(x, weights(3, 4)) + tc.affine(x, weights(3, 4)[::-1]))
    found = run_passes(
        net.graph, [MapCrossbars(spec=CrossbarSpec(read_noise=0.1), calibrate={"x": np.ones((1, 1, 4))})]
    )
    assert sorted(op.stream for op in found.graph.of(thermo.Normal)) == [9, 10, 11]


def test_inputs_of_unknown_range_are_refused():
    with pytest.raises(tc.ThermocError, match="input_range") as caught:
        run_passes(NET.graph, [MapCrossbars(spec=CrossbarSpec(input_bits=4))])
    assert caught.value.code == "T208"


@pytest.mark.parametrize(
    "attrs",
    [
        {"adc_bits": 1},
        {"rows": 0},
        {"g_max": 0.0},
        {"weight_bits": 3},
        {"input_bits": 2, "dac_bits": 3},
        {"r_bit": -1.0},
        {"cell_bits": 2.0},
        {"read_noise": float("nan")},
    ],
)
def test_a_crossbar_that_cannot_be_is_refused(attrs: dict[str, Any]):
    with pytest.raises(tc.ThermocError) as caught:
        CrossbarSpec(**attrs)
    assert caught.value.code == "T208"


def test_ranges_of_converters_are_asked_for_rightly():
    for options in ({"adc": "guessed"}, {"adc": "reached"}):
        with pytest.raises(tc.ThermocError) as caught:
            MapCrossbars(spec=CrossbarSpec(), **options)
        assert caught.value.code == "T303"
