"""``tc.verify`` tells lowering from emission error, holds both to bounds, and finds faults where they are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from verification.faulty_targets import DOUBLES, Broken, LosesSigns

import thermoc as tc
from thermoc import plugins
from thermoc.ir.dialects.core import Constant, Input, Output
from thermoc.verification import Breach, Verification


@pytest.fixture(autouse=True)
def doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, where in DOUBLES.items():
        monkeypatch.setitem(plugins.OURS, name, where)


def network() -> tc.Network:
    """Products, noise, a cycle through a delay, spikes: something for each fault."""
    rng = np.random.default_rng(3)
    with tc.Network("faulty", dt=0.5) as net:
        x = tc.input("x", (5,))
        hole = tc.placeholder((7,))
        state = tc.delay(hole, ticks=2, name="late")
        drive = tc.affine(x, rng.normal(size=(7, 5)), rng.normal(size=7), name="drive") + 0.3 * state
        h = tc.tanh(drive, name="h")
        tc.connect(hole, h)
        noisy = h + 0.1 * tc.normal(shape=(7,), name="z")
        tc.output("gap", tc.sub(noisy, tc.cos(drive, name="wave"), name="gap"))
        s, _ = tc.lif(4 * drive, 2.0, v_threshold=0.7, reset="subtract")
        tc.output("s", s)
    return net


def of(target: str, error: str, found: Verification) -> Breach:
    (breach,) = [breach for breach in found.breaches if (breach.target, breach.error) == (target, error)]
    return breach


def test_a_target_without_fault_holds_and_the_rest_of_the_report_is_there():
    found = tc.verify(network(), ["right", "sim", "onnx"], seed=7, ticks=30, probes=["drive"])
    assert found.ok, str(found)
    assert {row.value for row in found.rows} == {"gap", "s", "probe.drive", "(final states)"}
    assert {(row.target, row.error) for row in found.rows} == {
        (target, error) for target in ("right", "sim", "onnx") for error in ("lowering", "emission")
    }
    equal = [row for row in found.rows if row.target == "right" and row.error == "emission"]
    assert [row.largest for row in equal] == [0.0] * len(equal)
    single = {row.value: row for row in found.rows if (row.target, row.error) == ("onnx", "lowering")}
    assert 1e-9 < single["gap"].largest < single["gap"].bound < 1e-3
    assert single["s"].differ == 0 and single["s"].count == 30 * 4 * 7
    document = json.loads(json.dumps(found.to_json()))
    assert document["ok"] and len(document["rows"]) == len(found.rows)
    assert "3 of 3 targets hold" in str(found)


@pytest.mark.parametrize(
    ("target", "op", "tick"),
    [
        ("wrong-sign", "core.sub %gap", 0),
        ("wrong-stream", "thermo.normal %z", 0),
        ("late-delay", "core.delay %late", 2),
        ("one-weight", "core.affine %drive", 0),
    ],
)
def test_a_fault_of_a_target_is_found_at_its_op_and_reduced_to_it(target: str, op: str, tick: int, tmp_path: Path):
    net = network()
    found = tc.verify(net, ["right", target], seed=7, ticks=30, reduce=tmp_path / "small")
    assert not found.ok
    assert [row.target for row in found.rows if row.error == "emission" and not row.ok]
    assert all(row.ok for row in found.rows if row.target == "right" or row.error == "lowering")
    breach = of(target, "emission", found)
    assert (breach.op, breach.tick, breach.step) == (op, tick, None)
    assert abs(breach.expected - breach.actual) > breach.tolerance
    small = tc.load(tmp_path / "small.thermo")
    assert [o.opname for o in small.graph.ops if not isinstance(o, Input | Output | Constant)] == [op.split(" ")[0]]
    inputs = dict(np.load(tmp_path / "small.npz"))
    again = tc.verify(
        small, ["right", target], inputs=inputs, seed=7, ticks=None if inputs else 1, batch=None if inputs else 1
    )
    assert not again.ok
    assert all(row.ok for row in again.rows if row.target == "right")


def test_the_unit_is_named_and_the_reduced_product_has_one_row(tmp_path: Path):
    found = tc.verify(network(), ["one-weight"], seed=7, ticks=30, reduce=tmp_path / "small.thermo")
    assert of("one-weight", "emission", found).unit == (6,)
    graph = tc.load(tmp_path / "small.thermo").graph
    assert {op.shape for op in graph.of(Input)} == {(1,)}
    assert {op.value.numpy.shape for op in graph.of(Constant)} == {(1, 1), (1,)}
    assert dict(np.load(tmp_path / "small.npz")).popitem()[1].shape == (1, 1, 1)


def test_a_fault_of_a_pass_is_found_at_the_pass_and_its_op(tmp_path: Path):
    options = {"right": {"extra": Broken()}}
    found = tc.verify(network(), ["right"], seed=7, ticks=9, options=options, reduce=tmp_path / "small")
    breach = of("right", "lowering", found)
    assert (breach.step, breach.op, breach.tick) == ("broken", "core.tanh %h", 0)
    assert "core.sin makes it" in breach.note
    assert np.isclose(np.sin(np.arctanh(breach.expected)), breach.actual)
    assert all(row.ok for row in found.rows if row.error == "emission")
    graph = tc.load(tmp_path / "small.thermo").graph
    assert [op.opname for op in graph.ops] == ["core.input", "core.tanh", "core.output"]
    assert graph.inputs.popitem()[1].shape == (1,)


def test_as_much_is_kept_before_an_op_as_it_takes(tmp_path: Path):
    with tc.Network("context") as net:
        x = tc.tanh(tc.input("x", (2, 3)))
        tc.output("y", tc.exp(-tc.matmul(x, tc.input("z", (3, 4)))))
    found = tc.verify(net, ["right"], ticks=4, options={"right": {"extra": LosesSigns()}}, reduce=tmp_path / "small")
    breach = of("right", "lowering", found)
    assert (breach.step, breach.op) == ("loses-signs", "core.neg %neg")
    graph = tc.load(tmp_path / "small.thermo").graph
    assert [op.opname for op in graph.ops] == ["core.input"] * 2 + ["core.matmul", "core.neg", "core.output"]
    assert {array.shape[:2] for array in np.load(tmp_path / "small.npz").values()} == {(1, 1)}


def test_a_wrong_state_is_found_though_no_output_shows_it():
    with tc.Network("late") as net:
        tc.output("y", tc.delay(tc.input("x", (2,)), ticks=9, name="late"))
    breach = of("left-behind", "emission", tc.verify(net, ["left-behind"], ticks=5))
    assert (breach.op, breach.value) == ("core.delay %late", "(final states)")
    assert "%late" in breach.op and "late.buffer is wrong" in breach.note


def test_an_exact_tie_decides_between_greater_and_greater_equal():
    """Whole numbers are exact, so a unit at its threshold may not differ: rounding is no excuse."""
    with tc.Network("tie") as net:
        before = tc.placeholder((3,))
        total = tc.delay(before) + tc.input("x", (3,))
        tc.connect(before, total)
        tc.output("s", tc.cast(total > 2.0, dtype="f64", role="spike"))
    x = np.ones((4, 1, 3))
    assert tc.verify(net, ["right", "sim", "onnx"], inputs={"x": x}).ok
    found = tc.verify(net, ["strict"], inputs={"x": x})
    breach = of("strict", "emission", found)
    assert (breach.op.split(" ")[0], breach.tick) == ("core.greater", 1)


def chaos(gain: float) -> tc.Network:
    """x' = 1 - gain x^2 on [-1, 1]: chaotic at gain 2, and at 1.9 for nearly all starts."""
    with tc.Network("chaos") as net:
        start = tc.input("start", (2,))
        hole = tc.placeholder((2,))
        x = tc.delay(hole)
        tc.connect(hole, tc.select(tc.cast(tc.tick(), dtype="f64") > 0.5, 1.0 - gain * x * x, tc.tanh(start)))
        tc.output("x", x)
    return net


def test_chaos_parts_within_rounding_and_keeps_its_means():
    found = tc.verify(chaos(1.9), ["sim", "onnx"], ticks=400, batch=8, seed=1)
    assert found.ok, str(found)
    parted = [row for row in found.rows if row.verdict == "diverged"]
    assert parted and all(row.first is not None and row.first > 10 for row in parted)
    assert all(row.mean_tolerance is not None and row.mean_tolerance < 0.3 for row in parted)


@pytest.mark.slow
def test_a_wrong_parameter_is_found_in_chaos_too():
    assert not tc.verify(chaos(1.9), ["wrong-sign"], ticks=400, batch=8, seed=1).ok


def test_where_rounding_decides_everything_the_means_still_tell():
    """The sine of 1e16 x is a coin that rounding tosses: each tick may differ, the share of heads may not."""
    with tc.Network("coins") as net:
        tc.output("s", tc.cast(tc.sin(1e16 * tc.tanh(tc.input("x", (2,)))) > 0.0, dtype="f64", role="spike"))
    assert tc.verify(net, ["right", "sim"], ticks=100, seed=3).ok
    found = tc.verify(net, ["never"], ticks=100, seed=3)
    breach = of("never", "emission", found)
    assert breach.op.startswith("core.cast") and "the means of the samples that diverged are" in breach.note
    assert any(row.verdict == "breach" and row.mean_difference is not None for row in found.rows)


def test_mistakes_are_told_by_their_codes():
    net = network()
    for call, code in [
        (lambda: tc.verify(net, ["absent"]), "T302"),
        (lambda: tc.verify(net, ["nowhere"]), "T302"),
        (lambda: tc.verify(net, []), "T404"),
        (lambda: tc.verify(net, ["sim"], probes=["nothing"]), "T404"),
        (lambda: tc.verify(net, ["sim"], options={"onnx": {}}), "T303"),
        (lambda: tc.verify(net, ["sim"], options={"sim": {"colour": 1}}), "T303"),
        (lambda: tc.verify(net, ["sim"], tolerance=-1.0), "T404"),
        (lambda: tc.verify(net, ["sim"], ticks=0), "T404"),
        (lambda: tc.verify(net, ["sim"], inputs={}), "T401"),
        (lambda: tc.verify(net, ["sim"], inputs={"x": [[1, 2], [3]]}), "T402"),
        (lambda: tc.verify(net, "sim"), "T404"),
        (lambda: tc.verify(net, [3]), "T404"),  # type: ignore[list-item]
        (lambda: tc.verify(net, ["sim"], options=["sim"]), "T303"),  # type: ignore[arg-type]
        (lambda: tc.verify(net, ["sim"], options={"sim": 3}), "T303"),  # type: ignore[dict-item]
        (lambda: tc.verify(net, ["sim"], tolerance="little"), "T404"),  # type: ignore[arg-type]
        (lambda: tc.verify("net.thermo", ["sim"]), "T111"),  # type: ignore[arg-type]
        (lambda: tc.verify(net, ["sim"], ticks=2).plot("error.gif"), "T404"),
    ]:
        with pytest.raises(tc.ThermocError) as caught:
            call()
        assert caught.value.code == code, str(caught.value)


def test_a_tolerance_takes_the_place_of_rounding():
    assert tc.verify(network(), ["one-weight"], seed=7, ticks=3, tolerance=1e-3).ok
    assert not tc.verify(network(), ["sim"], options={"sim": {"precision": "float32"}}, ticks=3, tolerance=1e-12).ok
