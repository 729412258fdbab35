"""Text, equality, hash, verification, and building: every finding at its line."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from numpy.typing import ArrayLike
from strategies import networks

import thermoc as tc
from thermoc.ir.dialects import core, spiking, thermo
from thermoc.ir.graph import Graph
from thermoc.ir.handle import Handle
from thermoc.ir.ops import Op
from thermoc.ir.parser import parse_graph
from thermoc.ir.printer import print_graph
from thermoc.ir.types import DType, Role, Type
from thermoc.ir.values import Array, Value
from thermoc.ir.verify import findings, verify


@given(net=networks())
def test_text_parses_back_to_an_equal_graph(net: tc.Network):
    text = str(net.graph)
    again = parse_graph(text)
    assert again == net.graph
    assert print_graph(again) == text
    assert again.hash == net.graph.hash


@given(net=networks())
def test_the_hash_forgets_names_places_and_order(net: tc.Network):
    ops = [
        op.renamed(lambda v: Value(f"q.{v.name}", v.type)).with_(
            location=None, **{n: Value(f"q.{getattr(op, n).name}", getattr(op, n).type) for n in op.result_specs}
        )
        for op in net.graph.ops
    ]
    other = net.graph.with_ops(reversed(ops))
    assert other != net.graph
    assert other.hash == net.graph.hash


def base(dt: float = 1.0, weight: float = 2.0, ticks: int = 1, swapped: bool = False, name: str = "y") -> Graph:
    with tc.Network("n", dt=dt) as net:
        x = tc.input("x", (2,))
        a, b = tc.delay(x, ticks=ticks), weight * x
        tc.output(name, b - a if swapped else a - b)
    return net.graph


def test_the_hash_sees_every_change_of_meaning():
    graphs = [base(), base(dt=0.5), base(weight=2.5), base(ticks=2), base(swapped=True), base(name="z")]
    assert len({graph.hash for graph in graphs}) == len(graphs)
    assert base().hash == base().hash


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        'network "n" dt=1.0 {',
        'network "n" dt=fast {\n}',
        'network "n" dt=1.0 {\n  %a: signal f64[2] = core.nothing()\n}',
        'network "n" dt=1.0 {\n  %a: signal f64[2 = core.tick()\n}',
        'network "n" dt=1.0 {\n  %a: signal f64[2] = core.neg()\n}',
        'network "n" dt=1.0 {\n  %a: colour f64[2] = core.tick()\n}',
        'network "n" dt=1.0 {\n  %a: index i64[] = core.tick() {speed=}\n}',
        'network "n" dt=1.0 {\n}\nnonsense',
        'network "n" dt=1.0 {\n}\ndata {\n  @12: "AA"\n}',
        'network "n" dt=1.0 {\n  %a: signal f64[20] = core.constant() {value=f64[20] @' + "0" * 64 + "}\n}",
    ],
)
def test_text_that_cannot_be_parsed_is_told_by_its_line(text: str):
    with pytest.raises(tc.ThermocError) as caught:
        parse_graph(text)
    assert caught.value.code == "T110"
    assert "line " in str(caught.value)


X = Value("x", Type((2,)))
INPUT = core.Input(name="x", shape=(2,), y=X)
OUTPUT = core.Output(name="y", x=X)


def graph(*ops: Op, dt: float = 1.0) -> Graph:
    return Graph(name="n", dt=dt, ops=(INPUT, OUTPUT, *ops))


def value(name: str, *shape: int, role: str = "signal", dtype: str = "f64") -> Value:
    return Value(name, Type(shape, DType(dtype), Role(role)))


def constant(name: str, array: ArrayLike, role: str = "signal") -> core.Constant:
    data = np.asarray(array, np.float64)
    return core.Constant(value=Array(data), role=Role(role), y=value(name, *data.shape, role=role))


def unary(kind: type[Op], x: Value, y: Value) -> Op:
    """An op of a class that the dialect makes by a function: its fields are known only when it runs."""
    fields: dict[str, Any] = {"x": x, "y": y}
    return kind(**fields)


Y = value("y", 2)
BROKEN: dict[str, tuple[str, str, Graph]] = {
    "reads nothing": ("T101", "no op gives", graph(unary(core.Neg, x=value("ghost", 2), y=Y))),
    "reads under another type": ("T101", "under another type", graph(unary(core.Neg, x=value("x", 3), y=value("y", 3)))),
    "no output": ("T101", "has no output", Graph(name="n", ops=(INPUT,))),
    "a name twice": ("T102", "used 2 times", graph(unary(core.Neg, x=X, y=X))),
    "no name": ("T102", "is no name", graph(unary(core.Neg, x=X, y=value("1 2", 2)))),
    "two inputs of a name": ("T102", "2 inputs are named 'x'", graph(core.Input(name="x", shape=(2,), y=Y))),
    "two outputs of a name": ("T102", "2 outputs are named 'y'", graph(OUTPUT)),
    "a type that does not follow": ("T103", "does not follow", graph(unary(core.Neg, x=X, y=value("y", 3)))),
    "shapes that disagree": ("T103", "dimension 'n'", graph(constant("w", np.ones((2, 3))), core.Affine(x=X, weight=value("w", 2, 3), bias=None, y=Y))),
    "a dtype that does not fit": ("T104", "must be bool", graph(core.Not(x=X, y=value("y", 2, dtype="bool")))),
    "a role that does not fit": (
        "T104",
        "must be a temperature",
        graph(constant("p", 1.0, "probability"), thermo.ThermalRelu(x=X, T=value("p", role="probability"), y=Y)),
    ),
    "an attribute out of range": ("T105", "must be an integer >= 1", graph(constant("c", 0.0), core.Delay(x=X, initial=value("c"), ticks=0, y=Y))),
    "no time": ("T105", "must be finite and > 0", graph(dt=0.0)),
    "noise twice": (
        "T105",
        "another op's noise",
        graph(thermo.Normal(shape=(2,), stream=1, z=Y), thermo.Normal(shape=(2,), stream=1, z=value("z", 2))),
    ),
    "a cycle": ("T106", "%y (core.sin), %z (core.cos)", graph(unary(core.Sin, x=value("z", 2), y=Y), unary(core.Cos, x=Y, y=value("z", 2)))),
    "a cycle of one": ("T106", "%y (core.neg)", graph(unary(core.Neg, x=Y, y=Y))),
    "NaN": ("T107", "%c[1] = nan", graph(constant("c", [1.0, np.nan]))),
    "infinity": ("T107", "%c[0] = inf, and 1 more", graph(constant("c", [np.inf, -np.inf]))),
    "no heat": ("T108", "must be > 0", graph(constant("T", 0.0, "temperature"), thermo.ThermalRelu(x=X, T=value("T", role="temperature"), y=Y))),
    "weights that vary": (
        "T109",
        "same for every sample",
        graph(core.Reshape(x=X, shape=(1, 2), y=value("w", 1, 2)), core.Affine(x=X, weight=value("w", 1, 2), bias=None, y=value("y", 1))),
    ),
    "no type": ("T203", "has no type", graph(unary(core.Neg, x=X, y=Value("y")))),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_found(name: str):
    code, words, broken = BROKEN[name]
    found = findings(broken)
    assert code in {finding.code for finding in found}, found
    assert words in "\n".join(map(str, found))


def test_all_findings_come_at_once(golden: Callable[[str, str], None]):
    parts = ("shapes that disagree", "an attribute out of range", "a cycle of one", "NaN", "no heat")
    ops: dict[int, Op] = {}
    for number, name in enumerate(parts):
        for op in BROKEN[name][2].ops[2:]:
            results = {key: Value(f"{getattr(op, key).name}{number}", getattr(op, key).type) for key in op.result_specs}
            own = {v.name for item in BROKEN[name][2].ops[2:] for v in item.results}
            op = op.renamed(
                lambda v, own=own, number=number: Value(f"{v.name}{number}", v.type) if v.name in own else v
            )
            ops[len(ops)] = op.with_(**results)
    with pytest.raises(tc.ThermocError) as caught:
        verify(graph(*ops.values()))
    assert {f.code for f in caught.value.findings} == {"T103", "T105", "T106", "T107", "T108"}
    golden("findings.txt", str(caught.value) + "\n")


def test_ops_stand_in_the_order_of_the_tick_nearest_to_that_of_writing():
    x, a, b = value("x", 2), value("a", 2), value("b", 2)
    source, first, second = core.Input(y=x, name="x", shape=(2,)), unary(core.Neg, x, a), unary(core.Neg, a, b)
    listed, mixed = (Graph(name="n", dt=1.0, ops=ops) for ops in ((source, first, second), (second, first, source)))
    assert listed.listed_in_order and listed.order == listed.ops
    assert not mixed.listed_in_order and mixed.order == listed.ops


def test_cycles_through_a_delay_a_memory_or_a_schedule_are_sound():
    with tc.Network("cycles") as net:
        hole = tc.placeholder((2,))
        m = tc.memory(-hole, T=0.1)
        tc.connect(hole, tc.tanh(m))
        spikes = tc.placeholder((2,), role="spike")
        s, _ = tc.lif(m - tc.delay(spikes), 1.0)
        tc.connect(spikes, s)
        T = tc.placeholder(())
        tc.connect(T, tc.adaptive_schedule(T * T, T0=1.0, T_min=0.1))
        tc.output("s", s)
        tc.output("T", T)
    assert net.graph.of(thermo.Memory)
    assert net.graph.of(spiking.Lif)


def test_a_spiking_unit_alone_does_not_close_a_cycle():
    with pytest.raises(tc.ThermocError) as caught, tc.Network("loop"):
        hole = tc.placeholder((2,), role="spike")
        s, _ = tc.lif(hole, 1.0)
        tc.connect(hole, s)
        tc.output("s", s)
    assert caught.value.code == "T106"
    assert "spiking.lif" in str(caught.value)


BAD_CALLS: dict[str, tuple[str, Callable[[Handle], object]]] = {
    "outside a network": ("T111", lambda x: None),
    "a missing operand": ("T111", lambda x: tc.affine(x)),
    "an unknown word": ("T111", lambda x: tc.exp(x, speed=3)),
    "text for numbers": ("T111", lambda x: tc.add(x, "one")),
    "a ragged array": ("T111", lambda x: tc.add(x, [[1.0], [1.0, 2.0]])),
    "a truth value": ("T111", lambda x: x if cast("Any", x > 0) else -x),
    "another network's value": ("T111", lambda x: tc.exp(STRAY[0])),
    "a name twice": ("T102", lambda x: (tc.exp(x, name="a"), tc.exp(x, name="a"))),
    "a wrong shape": ("T103", lambda x: tc.concat((x, tc.reshape(x, shape=(2, 1))))),
    "a negative length": ("T103", lambda x: tc.input("w", (-1,))),
    "an unknown dtype": ("T104", lambda x: tc.input("w", (1,), dtype="f16")),
    "floats for places": ("T104", lambda x: tc.sparse_affine(x, [1.0], [0.5], [0, 1])),
    "an open placeholder": ("T111", lambda x: tc.exp(tc.placeholder((2,)))),
    "a placeholder of another shape": ("T103", lambda x: tc.connect(tc.placeholder((3,)), x)),
    "T = 0": ("T108", lambda x: tc.thermal_relu(x, T=0.0)),
    "T < 0 in one unit": ("T108", lambda x: tc.fermi_dirac(x, T=[1.0, -1.0])),
    "NaN weights": ("T107", lambda x: tc.affine(x, [[1.0, np.nan]])),
    "a column outside": ("T105", lambda x: tc.output("s", tc.sparse_affine(x, [1.0], [2], [0, 1]))),
    "rows without entries": ("T105", lambda x: tc.output("s", tc.sparse_affine(x, [1.0], [0], [0, 2, 1]))),
    "an attribute out of range": ("T105", lambda x: tc.schedule(kind="exponential", T0=-1.0, parameter=1.0, T_min=0.1)),
    "half a stride": ("T105", lambda x: tc.pool(tc.reshape(x, shape=(1, 2)), kind="max", window=1, stride=1.5)),
    "padding by name": ("T105", lambda x: tc.pool(tc.reshape(x, shape=(1, 2)), kind="max", window=1, padding="same")),
    "half a tick": ("T105", lambda x: tc.delay(x, ticks=1.5)),
    "a shape of text": ("T105", lambda x: tc.reshape(x, shape="2")),
    "a choice that is none": ("T105", lambda x: tc.reduce(x, kind="median", axes=(0,))),
}
STRAY: list[Handle] = []


@pytest.mark.parametrize("name", BAD_CALLS)
def test_a_bad_call_is_told_at_its_line(name: str):
    code, call = BAD_CALLS[name]
    with tc.Network("stray") as stray:
        STRAY[:] = [tc.input("x", (2,))]
        tc.output("y", STRAY[0])
    if name == "outside a network":
        with pytest.raises(tc.ThermocError) as caught:
            tc.exp(STRAY[0])
    else:
        with pytest.raises(tc.ThermocError) as caught, tc.Network("n"):
            x = tc.input("x", (2,))
            call(x)
            tc.output("y", x)
    assert caught.value.code == code, caught.value
    assert stray.graph.inputs
    assert any(f.where is None or f.where.file.endswith("test_graph.py") for f in caught.value.findings)


def test_ops_are_frozen_and_graphs_compare_by_content():
    with pytest.raises(dataclasses.FrozenInstanceError):
        OUTPUT.name = "z"  # pyright: ignore[reportAttributeAccessIssue]
    assert base() == base()
    assert base() != base(weight=3.0)


def test_numbers_stand_on_either_side_of_a_value():
    from thermoc.ir.feed import feed
    from thermoc.ir.reference import interpret

    with tc.Network("n") as net:
        x = tc.input("x", (2,))
        tc.output("y", 1 - 2 / (3 - x) ** 2)
        tc.output("z", cast("Handle", np.array([1.0, 2.0]) * x))
    out = interpret(net.graph, feed(net.graph, {"x": [[1.0, 2.0]]})).outputs
    np.testing.assert_allclose(out["y"][0, 0], [0.5, -1.0])
    np.testing.assert_allclose(out["z"][0, 0], [1.0, 4.0])


def test_windows_and_axes_may_be_written_short():
    with tc.Network("short") as net:
        x = tc.input("x", (2, 6, 6))
        c = tc.conv(x, np.ones((3, 2, 3, 3)), padding=1)
        p = tc.pool(c, kind="max", window=2)
        tc.output("y", tc.reduce(p, kind="mean", axes=-1))
        tc.output("z", tc.reduce(p, kind="sum"))
    conv, pool = net.graph.of(core.Conv)[0], net.graph.of(core.Pool)[0]
    assert (conv.stride, conv.dilation, conv.padding) == ((1, 1), (1, 1), ((1, 1), (1, 1)))
    assert (pool.window, pool.stride, pool.padding) == ((2, 2), (2, 2), ((0, 0), (0, 0)))
    assert [op.axes for op in net.graph.of(core.Reduce)] == [(2,), (0, 1, 2)]
    assert [op.x.inferred.shape for op in net.graph.of(core.Output)] == [(3, 3), ()]


def test_a_constant_takes_the_name_it_is_given():
    with tc.Network("named") as net:
        tc.output("y", tc.constant([1, 2], name="levels"))
    assert net.graph.producers["levels"].attrs["value"].numpy.dtype == np.int64
