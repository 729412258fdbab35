"""Pipelines as text: what prints parses back, what is no pipeline is refused by code and place."""

from __future__ import annotations

import dataclasses
from importlib.metadata import EntryPoint
from typing import Any, ClassVar, Literal, get_args, get_origin

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from passes.samples import description, with_activations, with_fusable, with_time

import thermoc as tc
from thermoc import plugins
from thermoc.ir.graph import Graph
from thermoc.ir.target import TargetDescription
from thermoc.passes import registry
from thermoc.passes.base import Pass, no_trait
from thermoc.passes.canonicalize import Canonicalize
from thermoc.passes.crossbar.spec import CrossbarSpec
from thermoc.passes.discretize import Discretize
from thermoc.passes.fuse import Fuse
from thermoc.passes.option_text import described, option_types
from thermoc.passes.pipeline_text import parse_pipeline, print_pipeline
from thermoc.passes.registry import names, pass_class

TEXTS = st.text() | st.sampled_from(["none", "true", "1", "...", "a b", "inf"])
FLOATS = st.floats(allow_nan=False, allow_infinity=False)


def parsed(text: str, **defaults: Any) -> tuple[Pass, ...]:
    return parse_pipeline(text, targets=description, defaults=defaults)


def refused(text: str, **defaults: Any) -> tc.ThermocError:
    with pytest.raises(tc.ThermocError) as caught:
        parsed(text, **defaults)
    return caught.value


@dataclasses.dataclass(frozen=True, kw_only=True)
class Anything(Pass):
    """Has an option of every type that has a text."""

    name: ClassVar[str] = "anything"

    text: str = ""
    flag: bool = False
    count: int = 0
    size: float = 0.0
    choice: Literal["a", "none"] = "a"
    pair: tuple[float, int] | None = None
    either: str | None = None
    spec: CrossbarSpec = CrossbarSpec()
    target: TargetDescription | None = None

    def run(self, graph: Graph, log: Any) -> Graph:
        return graph


ANYTHING = st.builds(
    Anything,
    text=TEXTS,
    flag=st.booleans(),
    count=st.integers(),
    size=FLOATS,
    choice=st.sampled_from(["a", "none"]),
    pair=st.none() | st.tuples(FLOATS, st.integers()),
    either=st.none() | TEXTS,
    spec=st.builds(CrossbarSpec, rows=st.integers(1, 999), g_max=st.floats(0.5, 1e9)),
    target=st.none() | st.sampled_from([plugins.backend(name).target() for name in ("sim", "onnx")]),
)


@given(passes=st.lists(ANYTHING))
@example(passes=[Anything(either="none", text="true"), Anything(either="...", choice="none")])
def test_what_prints_parses_back(passes: list[Pass]):
    point = EntryPoint("anything", f"{__name__}:Anything", registry.GROUP)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "_announced", lambda: {"anything": point})
        patch.setattr(registry, "_loaded", lambda point: Anything)
        registry.pass_class.cache_clear()
        assert list(parsed(print_pipeline(passes))) == passes
    registry.pass_class.cache_clear()


@pytest.mark.parametrize("target", plugins.OURS)
def test_the_passes_of_a_target_parse_back_but_for_what_has_no_text(target: str):
    backend = plugins.backend(target)
    for step in backend.lower(backend.Options(), dt=0.5):
        if step.name not in names():
            assert refused(str(step)).code == "T210"  # a stage of the chip alone, which no text can name
        elif "..." in str(step):
            assert refused(str(step)).code == "T212"
        else:
            assert parsed(str(step)) == (step,)


@given(text=st.text(alphabet='ab{}(),="\\ \n.-1') | st.text())
def test_any_text_parses_or_is_refused_by_code(text: str):
    try:
        parsed(text)
    except tc.ThermocError as problem:
        assert problem.code in ("T210", "T211", "T212")


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("fuze", "T210", "did you mean 'fuse'"),
        ("fuse,discretize{dt=0.1", "T211", "'{' is not closed"),
        ("fuse,discretize{dt=0.1", "T211", "character 16"),
        ("fuse}", "T211", "character 5"),
        ("fuse,,canonicalize", "T211", "character 6"),
        ("fuse,", "T211", "not 'the end'"),
        ('fuse{a="b}', "T211", "quotation mark"),
        ("discretize{dt=1, dt=2}", "T211", "stands twice"),
        ("discretize{dt=" + "(" * 2000, "T211", "braces within each other"),
        ("discretize{step=1}", "T212", "its options are dt, keep"),
        ("quantize{input_rang=(0, 1)}", "T212", "did you mean 'input_range'"),
        ("discretize{dt=fast}", "T212", "it takes a number"),
        ("discretize{dt=(0, 1)}", "T212", "it takes a number"),
        ("discretize{dt=nan}", "T212", "it takes a number"),
        ("discretize{dt=-1}", "T212", "must be above 0"),
        ("partition{chips=0}", "T212", "must be above 0"),
        ("partition{chips=1.5}", "T212", "an integer"),
        ("set-precision{dtype=i32}", "T212", "a float format"),
        ("spike-encode{coding=morse}", "T212", "thermal or rate"),
        ("quantize{input_range=(1, -1)}", "T212", "the lower first"),
        ("quantize{stock_only=1}", "T212", "true or false"),
        ("map-crossbars", "T212", "needs the option 'spec'"),
        ("map-crossbars{spec={rows=0}}", "T208", "rows = 0"),
        ("map-crossbars{spec={lines=1}}", "T212", "options in braces"),
        ("discretize", "T212", "needs the option 'dt'"),
        ("legalize{target=mars}", "T302", "there is no target 'mars'"),
        ("quantize{calibrate=...}", "T212", "has no text"),
        ("discretize{dt=0.1, keep=none}", "T212", "has no text"),
        ("partition{chips=...}", "T212", "has no text"),
    ],
)
def test_what_is_no_pipeline_is_refused_with_what_and_where(text: str, code: str, says: str):
    problem = refused(text)
    assert problem.code == code
    assert says in str(problem)


def test_options_left_out_are_the_network_s():
    assert parsed("discretize", dt=0.25) == (Discretize(dt=0.25),)
    assert parsed(" ") == ()


def test_functions_and_arrays_print_as_what_no_parser_takes():
    text = str(Discretize(dt=0.5, keep=lambda op, graph: True))
    assert text == "discretize{dt=0.5, keep=...}"
    assert refused(text).code == "T212"


def test_a_pass_stands_in_the_file_of_its_name_and_once():
    modules = registry._modules().values()
    last = [name.rpartition(".")[2] for name in modules]
    for name in names():
        assert pass_class(name).name == name
        assert last.count(name.replace("-", "_")) == 1
    everywhere = {cls.name for cls in _subclasses(Pass) if cls.__module__.startswith("thermoc.passes.")}
    assert everywhere == set(names()), "a pass stands in a file that has its name: thermoc/passes/a_b.py for a-b"


def _subclasses(cls: type) -> set[type]:
    return {one for sub in cls.__subclasses__() for one in (sub, *_subclasses(sub)) if hasattr(one, "name")}


def test_every_option_has_a_text_or_says_that_it_has_none():
    for name in names():
        for option, kind in option_types(pass_class(name)).items():
            assert described(kind) or get_origin(kind) or callable(kind) or get_args(kind), (name, option)


def test_a_plugin_s_pass_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch):
    point = EntryPoint("twin", "thermoc.passes.fuse:Fuse", registry.GROUP)
    broken = EntryPoint("gone", "nowhere:Nothing", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point, broken] if group == registry.GROUP else [])
    registry.pass_class.cache_clear()
    try:
        assert parsed("twin") == (Fuse(),)
        assert {"twin", "gone"} <= set(names())
        assert "does not load" in str(refused("gone"))
        assert refused("gone").code == "T210"
    finally:
        registry.pass_class.cache_clear()


def test_a_pipeline_stands_for_the_target_s_own_passes():
    net = with_time()
    exe = tc.compile(net, "onnx", passes="fuse,discretize{dt=0.25},legalize{target=onnx}")
    assert [record.text for record in exe.records] == ["fuse", "discretize{dt=0.25}", "legalize{target=onnx}"]
    assert exe.graph.dt == 0.25
    same = tc.compile(net, "onnx", passes=exe.passes)
    assert same.graph == exe.graph


def test_the_text_of_a_report_compiles_to_the_same_graph():
    net = with_fusable()
    exe = tc.compile(net, "sim", precision="float32")
    text = ",".join(record.text for record in exe.records)
    again = tc.compile(net, "sim", passes=text)
    assert again.graph == exe.graph
    assert again.artefact.to_bytes() == exe.artefact.to_bytes()


@pytest.mark.parametrize(
    ("target", "passes", "code", "says"),
    [
        ("onnx", "canonicalize", "T213", "thermo.memory"),
        ("onnx", "canonicalize", "T213", "passes run: canonicalize"),
        ("onnx", "legalize", "T301", "cannot hold thermo.memory"),
        ("brian2", "discretize,set-precision{dtype=f32},legalize", "T213", "floats are f64"),
        ("chip", "discretize", "T303", "cannot be replaced"),
        ("onnx", 7, "T212", "a text, or a list of passes"),
        ("onnx", [Fuse], "T212", "a text, or a list of passes"),
    ],
)
def test_what_a_target_cannot_take_is_refused_by_name(target: str, passes: Any, code: str, says: str):
    with pytest.raises(tc.ThermocError) as caught:
        tc.compile(with_time(), target, passes=passes)
    assert caught.value.code == code
    assert says in str(caught.value)


def test_a_broadcast_that_the_simulator_s_kernels_do_not_read_is_refused():
    with tc.Network("broadcast") as net:
        tc.output("y", tc.input("x", (2, 3)) * tc.input("z", (3,)))
    with pytest.raises(tc.ThermocError) as caught:
        tc.compile(net, "sim", passes="")
    assert caught.value.code == "T213"
    arrays = {"x": np.ones((1, 2, 3)), "z": np.arange(3.0)[np.newaxis]}
    run = tc.compile(net, "sim", passes="explicit-broadcast").run(arrays)
    np.testing.assert_array_equal(run["y"][0, 0], [[0, 1, 2], [0, 1, 2]])


def test_options_that_only_the_target_s_own_passes_read_are_refused_beside_a_pipeline():
    with pytest.raises(tc.ThermocError) as caught:
        tc.compile(with_activations(), "onnx", passes="legalize", precision="float64")
    assert caught.value.code == "T303"
    assert "has no say beside passes" in str(caught.value)


def test_needs_that_are_not_met_name_the_pass(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Canonicalize, "needs", (no_trait("continuous-time"),))
    with pytest.raises(tc.ThermocError) as caught:
        tc.compile(with_time(), "onnx", passes="fuse,canonicalize")
    assert caught.value.code == "T201"
    assert "passes already run: fuse" in str(caught.value)


def test_a_run_by_a_pipeline_is_certified_by_the_same_pipeline():
    with tc.Network("ou", dt=0.5) as net:
        tc.output("m", tc.memory(tc.input("x", (2,)), T=0.1, gamma=2.0))
    exe = tc.compile(net, "sim", passes="discretize,set-precision{dtype=f32},legalize,explicit-broadcast")
    certificate = tc.certify(exe.run({"x": np.zeros((16, 2))}, ticks=64))
    assert certificate.document["options"]["passes"] == print_pipeline(exe.passes or ())
    assert certificate.document["replay"] is None
    assert next(law for law in certificate.laws if law.law == "seed").holds
