"""Pictures of chips: tiles and cores have numbers, the frame a scale, p-bits an owner, fused ops all their names."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import thermoc as tc
from thermoc.backends.chip.build import fused
from thermoc.passes.canonicalize import Canonicalize
from thermoc.passes.fuse import Fuse
from thermoc.passes.infer_shapes import InferShapes
from thermoc.passes.pipeline import run_passes
from thermoc.reports import chip_marks
from thermoc.simulator.chips import load_chip


def report_of(name: str, sites: dict[str, np.ndarray], held: dict[str, tuple[str, ...]]) -> SimpleNamespace:
    """What the marks read of a report."""
    chip = load_chip(name)
    wide, high = chip.grid()
    shape = chip.whole("mesh.rows") * high, chip.whole("mesh.columns") * wide
    artefact = SimpleNamespace(mapping=SimpleNamespace(chip=chip, sites=sites), fused=held)
    return SimpleNamespace(run=SimpleNamespace(artefact=artefact, heat=SimpleNamespace(shape=shape)))


def axes_of():
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    return Figure().subplots()


def test_tiles_and_cores_are_numbered_at_their_places():
    axes, report = axes_of(), report_of("thermo-1", {}, {})
    chip_marks.numbers(axes, report, 5.0)
    texts = [(text.get_text(), text.get_position(), text.get_fontweight()) for text in axes.texts]
    tiles = {int(name): spot for name, spot, weight in texts if weight == "bold"}
    cores = {int(name): spot for name, spot, weight in texts if weight != "bold"}
    assert len(tiles) == 64 and len(cores) == 256
    assert tiles[9] == (2.06, 2.06) and cores[37] == (3.94, 2.94)  # core 37: the second of tile 9


def test_cores_too_small_for_a_number_have_none_but_tiles_do():
    axes = axes_of()
    chip_marks.numbers(axes, report_of("isaac", {}, {}), 5.0)
    assert len(axes.texts) == 168


def test_the_frame_has_a_scale_in_mm():
    axes = axes_of()
    chip_marks.tiles(axes, report_of("thermo-1", {}, {}))
    assert axes.get_xlabel() == axes.get_ylabel() == "mm" and axes.get_ylim() == (16, 0)
    marks = {label.get_text(): place for place, label in zip(axes.get_xticks(), axes.get_xticklabels())}
    assert marks["0"] == 0 and marks["4"] == 8 and marks["8"] == 16  # a tile is 1 mm wide and holds two cores a side


def test_p_bits_say_whose_they_are():
    sites = {"first": np.repeat([0, 5], 100), "second": np.full(30, 7)}
    axes, report = axes_of(), report_of("thermo-1", sites, {"second": ("drive", "second")})
    chip_marks.samplers(axes, report)
    lines = axes.get_lines()
    assert [line.get_label() for line in lines] == [
        "p-bits of first, 200 on 2 cores",
        "p-bits of drive + second, 30 on 1 core",
    ]
    assert len({line.get_marker() for line in lines}) == 2


def test_a_fused_op_is_named_by_all_that_it_holds():
    with tc.Network("n") as net:
        h = tc.affine(tc.input("x", (3,)), np.eye(3), name="hidden")
        tc.output("y", tc.tanh(tc.mul(tc.add(h, np.ones(3), name="bias"), 0.3, name="scaled"), name="last"))
    lowered = run_passes(net.graph, [InferShapes(), Canonicalize(), Fuse()])
    assert fused(lowered.graphs[0], lowered.graph) == {"scaled": ("hidden", "bias", "scaled")}
