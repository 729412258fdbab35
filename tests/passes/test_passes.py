"""What passes promise, and leave as it was (random networks). What each does stands in ``golden``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import assume, given
from passes.samples import BARE, with_fusable, with_time
from strategies import given_inputs, networks

import thermoc as tc
from thermoc.ir.dialects import core, spiking, thermo
from thermoc.ir.feed import feed
from thermoc.ir.graph import Graph
from thermoc.ir.ops import CONTINUOUS
from thermoc.ir.parser import parse_graph
from thermoc.ir.reference import interpret
from thermoc.ir.target import TargetDescription
from thermoc.ir.types import DType
from thermoc.passes import stages
from thermoc.passes.base import Pass, no_trait
from thermoc.passes.canonicalize import Canonicalize
from thermoc.passes.discretize import STEPS, Discretize
from thermoc.passes.explicit_broadcast import ExplicitBroadcast
from thermoc.passes.fuse import Fuse
from thermoc.passes.infer_shapes import InferShapes
from thermoc.passes.legalize import Legalize
from thermoc.passes.pipeline import run_passes
from thermoc.passes.set_precision import SetPrecision


def test_a_type_that_cannot_be_inferred_is_named():
    text = 'network "n" dt=1.0 {\n  %a = core.delay(x=%b, initial=%c) {ticks=1}\n  %b = core.neg(x=%a)\n'
    text += (
        '  %c: signal f64[] = core.constant() {value=f64[] [0.0], role="signal"}\n  core.output(x=%b) {name="y"}\n}\n'
    )
    with pytest.raises(tc.ThermocError) as caught:
        run_passes(parse_graph(text), [InferShapes()])
    assert {finding.code for finding in caught.value.findings} == {"T203"}
    assert "%a has no type" in str(caught.value)


def outputs(graph: Graph, net: tc.Network) -> dict[str, np.ndarray]:
    return interpret(graph, feed(graph, given_inputs(net)), seed=5).outputs


ALL: Sequence[Sequence[Pass]] = (
    [Canonicalize()],
    [Fuse()],
    [Discretize(dt=0.1), Canonicalize()],
    [Discretize(dt=0.1), Legalize(target=BARE)],
    [Canonicalize(), ExplicitBroadcast(), Canonicalize()],
)


@pytest.mark.slow
@pytest.mark.parametrize("passes", ALL, ids=lambda passes: "+".join(step.name for step in passes))
@given(net=networks())
def test_meaning_is_kept_on_random_networks(passes: Sequence[Pass], net: tc.Network):
    """To 1e-9: noise is the same, a rounding may grow in a recurrence."""
    passes = [Discretize(dt=net.graph.dt) if isinstance(step, Discretize) else step for step in passes]
    try:
        lowered = run_passes(net.graph, passes).graph
    except tc.ThermocError as refused:  # draws that units share have no form in other ops
        assume(refused.code != "T301")
        raise
    before, after = outputs(net.graph, net), outputs(lowered, net)
    for name, expected in before.items():
        np.testing.assert_allclose(after[name], expected, rtol=1e-9, atol=1e-9, err_msg=name)


@given(net=networks())
def test_canonicalize_is_idempotent_and_leaves_nothing_continuous_after_discretize(net: tc.Network):
    lowered = run_passes(net.graph, stages.discrete(dt=net.graph.dt, dtype=DType.f64)).graph
    assert run_passes(lowered, [Canonicalize()]).graph == lowered
    assert not [op for op in lowered.ops if CONTINUOUS in op.traits]


def test_what_is_infinite_is_no_constant():
    """log 0 stays an op: constants are finite."""
    with tc.Network("n") as net:
        tc.output("y", tc.maximum(tc.input("x", (2,)), tc.log(np.zeros(2))))
    with np.errstate(all="ignore"):
        run = tc.compile(net, "sim").run({"x": [[1.0, -2.0]]})
    assert run["y"][0].tolist() == [[1.0, -2.0]]


def test_broadcasts_stay_out_of_sums():
    """The result of a sum has another shape than what goes in."""
    with tc.Network("sum") as net:
        tc.output("K", tc.kinetic_energy(tc.input("v", (3, 2)), tc.abs(tc.input("m", (2,))) + 1.0))
    assert run_passes(net.graph, [ExplicitBroadcast()]).graph == net.graph


def test_fusing_a_sign_or_a_bias_is_exact_and_a_factor_is_reported():
    with tc.Network("exact") as net:
        x = tc.input("x", (8,))
        rng = np.random.default_rng(0)
        tc.output("sign", -tc.affine(x, rng.normal(size=(5, 8)), rng.normal(size=5)))
        tc.output("bias", tc.affine(x, rng.normal(size=(5, 8))) + rng.normal(size=5))
    lowered = run_passes(net.graph, [Fuse()])
    assert not [op for op in lowered.graph.ops if isinstance(op, core.Neg | core.Add)]
    assert not lowered.records[0].changes
    before, after = outputs(net.graph, net), outputs(lowered.graph, net)
    assert all(np.array_equal(before[name], after[name]) for name in before)
    with tc.Network("factor") as net:
        tc.output("y", 0.3 * tc.affine(tc.input("x", (2,)), np.eye(2)))
    assert [change.what for change in run_passes(net.graph, [Fuse()]).records[0].changes] == ["weights of %affine"]


def test_a_value_with_two_readers_is_not_fused_away():
    with tc.Network("two") as net:
        a = tc.affine(tc.input("x", (2,)), np.eye(2))
        tc.output("plus", a)
        tc.output("minus", -a)
    graph = run_passes(net.graph, [Fuse()]).graph
    assert [op for op in graph.ops if isinstance(op, core.Neg)]


def test_every_continuous_op_has_a_step():
    classes = [cls for cls in tc.ir.ops.REGISTRY.values() if CONTINUOUS in cls.traits]
    missing = [cls.opname for cls in classes if cls not in STEPS]
    assert not missing, f"write steps for {missing} in thermoc/passes/discretize.py (STEPS)"
    assert {spiking.Lif, thermo.Memory} <= set(classes)


@dataclass(frozen=True, kw_only=True)
class Vandal(Pass):
    """Drops an op that others read."""

    name: ClassVar[str] = "vandal"

    def run(self, graph, log):
        return graph.with_ops(op for op in graph.ops if not isinstance(op, core.Input))


@dataclass(frozen=True, kw_only=True)
class Liar(Pass):
    """Promises what it does not do, and demands what it may not get."""

    name: ClassVar[str] = "liar"
    needs = ()

    @property
    def gives(self):
        return (no_trait(CONTINUOUS),)

    def run(self, graph, log):
        return graph


def test_a_pass_that_breaks_the_graph_is_named_with_those_before_it():
    with pytest.raises(tc.ThermocError) as caught:
        run_passes(with_time().graph, [Canonicalize(), Vandal()])
    assert caught.value.code == "T202"
    assert "pass vandal left a graph" in str(caught.value)
    assert "passes already run: canonicalize" in str(caught.value)
    assert "T101" in {finding.code for finding in caught.value.findings}


def test_a_pass_that_breaks_its_promise_is_named():
    with pytest.raises(tc.ThermocError) as caught:
        run_passes(with_time().graph, [Liar()])
    assert caught.value.code == "T202"
    assert "pass liar promised: no continuous-time op" in str(caught.value)


def test_a_precondition_that_does_not_hold_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Liar, "needs", (no_trait(CONTINUOUS),))
    with pytest.raises(tc.ThermocError) as caught:
        run_passes(with_time().graph, [Liar()])
    assert caught.value.code == "T201"
    assert "pass liar needs: no continuous-time op" in str(caught.value)


def test_what_a_target_cannot_hold_is_refused_by_name_all_at_once():
    nothing = TargetDescription(
        name="empty", summary="", ops=frozenset({"core.input", "core.output"}), refused={"core.sin": "it has no sine"}
    )
    with tc.Network("n") as net:
        x = tc.input("x", (2,))
        tc.output("y", tc.sin(x) + tc.cos(x))
    with pytest.raises(tc.ThermocError) as caught:
        run_passes(net.graph, [Legalize(target=nothing)])
    text = str(caught.value)
    assert {finding.code for finding in caught.value.findings} == {"T301"}
    assert "cannot hold core.sin (%sin)" in text
    assert "it has no sine" in text
    assert "core.cos" in text


def test_dumps_hold_the_source_and_each_pass_that_changed_something(tmp_path: Path):
    lowered = run_passes(with_fusable().graph, stages.discrete(dt=1.0, dtype=DType.f64), dump_ir=tmp_path)
    changed = [f"{n:02d}-{r.text.split('{')[0]}.txt" for n, r in enumerate(lowered.records, 1) if r.changed]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["00-source.txt", *changed]
    assert 0 < len(changed) < len(lowered.records)
    assert parse_graph((tmp_path / changed[-1]).read_text()) == lowered.graph


def test_a_changed_time_step_is_reported():
    record = run_passes(with_time().graph, [Discretize(dt=0.25)]).records[0]
    assert [(change.what, change.old, change.new) for change in record.changes] == [("dt", "0.5", "0.25")]


def test_a_constant_too_large_for_the_format_is_refused():
    with tc.Network("n") as net:
        tc.output("y", tc.input("x", (1,)) + 1e300)
    with pytest.raises(tc.ThermocError) as caught:
        run_passes(net.graph, [SetPrecision(dtype=DType.f32)])
    assert "T107" in {finding.code for finding in caught.value.findings}


def test_the_expansion_of_expm1_is_exact_near_nought_and_far_away():
    points = np.array([-50.0, -2.0, -1e-3, -1e-12, 0.0, 1e-12, 0.5, 0.999, 1.0, 3.0, 30.0, 80.0])
    for dtype in (DType.f64, DType.f32):
        with tc.Network("n") as net:
            tc.output("y", tc.expm1(tc.input("x", points.shape)))
        graph = run_passes(net.graph, [SetPrecision(dtype=dtype), Legalize(target=BARE)]).graph
        found = interpret(graph, feed(graph, {"x": points[np.newaxis]})).outputs["y"][0, 0]
        np.testing.assert_allclose(found, np.expm1(points.astype(dtype.numpy)), rtol=8 * np.finfo(dtype.numpy).eps)


def test_equal_delays_become_one_and_different_noise_stays_apart():
    with tc.Network("n") as net:
        x = tc.input("x", (2,))
        tc.output("y", tc.delay(x, ticks=2) + tc.delay(x, ticks=2) * tc.delay(x, ticks=1))
        tc.output("z", tc.normal(shape=(2,)) - tc.normal(shape=(2,)))
    graph = run_passes(net.graph, [Canonicalize()]).graph
    assert sorted(op.ticks for op in graph.of(core.Delay)) == [1, 2]
    assert len(graph.of(thermo.Normal)) == 2
