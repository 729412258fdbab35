"""Values whose end-to-end bound is as wide as they are: judged unit by unit, or said not to be judged."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from verification.faulty_targets import DOUBLES

import thermoc as tc
from thermoc import plugins
from thermoc.ir.dialects import core, crossbar
from thermoc.ir.graph import Graph
from thermoc.ir.values import Array
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Log
from thermoc.passes.crossbar.map_crossbars import MapCrossbars
from thermoc.passes.crossbar.spec import CrossbarSpec
from thermoc.passes.spike_encode import SpikeEncode

RNG = np.random.default_rng(4)
W, V = RNG.normal(size=(8, 6)) / 2, RNG.normal(size=(5, 8))


@pytest.fixture(autouse=True)
def doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, where in (DOUBLES | {"breaking-lava": "verification.faulty_targets:BreakingLava"}).items():
        monkeypatch.setitem(plugins.OURS, name, where)


def lava(net: tc.Network, fault: str = "", ticks: int = 32) -> tc.Verification:
    options: Any = {"runtime": "reference", "fault": fault}
    return tc.verify(net, ["breaking-lava"], ticks=ticks, seed=2, options={"breaking-lava": options})


def through(net: tc.Network, extra: Pass, **more: Any) -> tc.Verification:
    return tc.verify(net, ["right"], seed=2, options={"right": {"extra": extra}}, **more)


def verdicts(found: tc.Verification) -> dict[str, str]:
    return {row.value: row.verdict for row in found.rows if row.error == "lowering"}


# ------------------------------------------------------------------------------------------------------------- Loihi


def probabilities() -> tc.Network:
    with tc.Network("probabilities") as net:
        p = tc.fermi_dirac(tc.affine(tc.input("x", (6,)), W), T=0.4)
        tc.output("p", tc.fermi_dirac(tc.affine(p, V), T=0.2))
        tc.output("q", tc.boltzmann(tc.affine(p, V), T=0.1))
    return net


def machine() -> tc.Network:
    J = np.triu(np.random.default_rng(1).normal(size=(6, 6)), 1)
    with tc.Network("machine") as net:
        tc.output("s", tc.gibbs(T=0.8, J=J + J.T, h=np.linspace(-1, 1, 6), levels="spin"))
    return net


def memories() -> tc.Network:
    with tc.Network("memories", dt=0.1) as net:
        m = tc.memory(tc.tanh(tc.affine(tc.input("x", (6,)), W)), T=0.3, gamma=1.5)
        tc.output("m", m)
        tc.output("s", tc.sample_binary(tc.affine(m, V), T=0.5, levels="spin"))
    return net


def relaxes() -> tc.Network:
    """A schedule down to its floor, whose temperature probabilities have that fire units."""
    with tc.Network("relaxes") as net:
        T = tc.schedule(kind="exponential", T0=2.0, parameter=8.0, T_min=0.3)
        tc.output("T", T)
        tc.output("p", tc.affine(tc.boltzmann(tc.affine(tc.input("x", (6,)), W), T), V))
    return net


def diffuses() -> tc.Network:
    with tc.Network("diffuses") as net:
        tc.output("x", tc.ou_network(np.array([[2.0, -1.0], [-1.0, 2.0]]), 0.5, tc.input("b", (2,)), mobility=0.3))
    return net


@pytest.mark.slow
@pytest.mark.parametrize(
    ("build", "fault", "op"),
    [
        (probabilities, "weights 0", "thermo.fermi_dirac"),
        (probabilities, "a table", "thermo.fermi_dirac"),
        (machine, "weights 0", "thermo.gibbs"),
        (machine, "a temperature", "thermo.gibbs"),
        (memories, "a gain", "thermo.memory"),
        (relaxes, "a loss", "thermo.schedule"),
        (relaxes, "a floor", "thermo.schedule"),
        (relaxes, "a probability", "thermo.boltzmann"),
        (diffuses, "a loss", "thermo.ou_network"),
        (diffuses, "a noise", "thermo.ou_network"),
        (memories, "a reading", ""),
        (memories, "a message", "core.tanh"),
    ],
)
def test_probabilities_samples_and_memories_on_the_chip_can_fail(build: Any, fault: str, op: str):
    right = lava(build())
    assert right.ok, str(right)
    assert set(verdicts(right).values()) <= {"diverged", "equal", "declared"}
    broken = lava(build(), fault)
    (breach,) = broken.breaches
    assert not broken.ok and breach.op.startswith(op) and str(breach.step).startswith("quantize")


def test_a_memory_behind_a_table_keeps_its_drive():
    """Its weights are a thousandth of what its source sends: a gain below 1 gives them their bits."""
    exe = tc.compile(memories(), "lava", runtime="reference")
    (op,) = [op for op in exe.graph.ops if op.opname == "loihi.memory"]
    assert 0 < op.gain < 4096
    rows = [row for row in lava(memories()).rows if (row.value, row.error) == ("m", "lowering")]
    assert rows[0].largest < 0.05


def test_what_is_told_is_in_the_table_and_in_json():
    found = lava(probabilities())
    assert "by law" in str(found) and "correlations" in str(found)
    row = next(row for row in json.loads(json.dumps(found.to_json()))["rows"] if row["value"] == "p")
    assert row["law"] and row["bound"] == "inf" and row["correlation_tolerance"] > 0 and row["mean_tolerance"] > 0
    units = next(row for row in found.to_json()["rows"] if row["value"] == "(units)")
    assert units["beyond"] == 0 and units["cut"] == 0


def test_a_membrane_at_the_end_of_its_bits_is_counted():
    with tc.Network("falls") as net:
        tc.output("y", tc.if_(tc.affine(tc.input("x", (2,), role="spike"), [[-3.3, 1.1], [0.7, -0.3]]))[0])
    inputs = {"x": np.broadcast_to([1.0, 0.0], (120, 2, 2))}
    found = tc.verify(net, ["lava"], inputs=inputs, options={"lava": {"runtime": "reference"}})
    assert found.ok, str(found)
    assert next(row for row in found.rows if row.value == "(units)").cut


# --------------------------------------------------------------------------------------------------------- crossbars


@dataclass(frozen=True, kw_only=True)
class BrokenCrossbars(MapCrossbars):
    """Puts a product on crossbars and exchanges the cells of the two signs."""

    def run(self, graph: Graph, log: Log) -> Graph:
        made = super().run(graph, log)
        first = made.of(crossbar.Mvm)[0]
        return made.with_ops(op.with_(plus=op.minus, minus=op.plus) if op is first else op for op in made.ops)


def sampled() -> tc.Network:
    with tc.Network("sampled") as net:
        h = tc.tanh(tc.affine(tc.input("x", (6,)), W))
        tc.output("s", tc.sample_binary(tc.affine(h, V), T=0.4))
        tc.output("y", tc.lif_step(tc.affine(h, V), 0.9)[0])
    return net


def test_binary_outputs_of_a_memristor_chip_can_fail():
    spec = CrossbarSpec(rows=8, columns=8, cell_bits=4, weight_bits=8, input_bits=8, adc_bits=10)
    form: Any = {"spec": spec, "input_range": (-4.0, 4.0)}
    right, broken = (through(sampled(), kind(**form), ticks=32) for kind in (MapCrossbars, BrokenCrossbars))
    assert right.ok, str(right)
    assert verdicts(right)["(units)"] == "declared" and "declared" not in (verdicts(right)["s"], verdicts(right)["y"])
    assert not broken.ok and verdicts(broken)["s"] == "breach"
    (breach,) = broken.breaches
    assert breach.op.startswith("core.affine") and str(breach.step).startswith("map-crossbars") and breach.tick == 0


# ------------------------------------------------------------------------------------------------------ spike coding


@dataclass(frozen=True, kw_only=True)
class BrokenCoding(SpikeEncode):
    """Carries activations by spikes, and turns the sign of the first weights."""

    def run(self, graph: Graph, log: Log) -> Graph:
        made = super().run(graph, log)
        first = next(op for op in made.of(core.Constant) if op.value.numpy.ndim == 2)
        turned = first.with_(value=Array(-first.value.numpy))
        return made.with_ops(turned if op is first else op for op in made.ops)


@pytest.mark.parametrize("coding", ["thermal", "rate"])
def test_activations_that_spikes_carry_can_fail(coding: str):
    """False alarms 1e-4; the seed is fixed."""
    with tc.Network("layers") as net:
        p = tc.fermi_dirac(tc.affine(tc.input("x", (6,)), W), T=0.4)
        tc.output("q", tc.boltzmann(tc.affine(p, V), T=0.1))
    form: Any = {"coding": coding, "input_range": (-1.0, 1.0)}
    more: Any = {"inputs": {"x": np.random.default_rng(0).uniform(-1, 1, size=(4, 6))}, "ticks": 40}
    right, broken = (through(net, kind(**form), **more) for kind in (SpikeEncode, BrokenCoding))
    assert right.ok, str(right)
    (breach,) = broken.breaches
    assert not broken.ok and breach.op.startswith("thermo.fermi_dirac") and "spike-encode" in str(breach.step)


# -------------------------------------------------------------------------------------------------------- not judged


@dataclass(frozen=True, kw_only=True)
class Careless(Pass):
    """Makes every spike a silence and declares that a spike is off by one at most."""

    name: ClassVar[str] = "careless"

    def run(self, graph: Graph, log: Log) -> Graph:
        log.changed("spikes", old="spikes", new="silence", bound="off by at most 1", offset=1.0)
        return graph.with_ops(op.with_(b=op.a) if isinstance(op, core.Greater) else op for op in graph.ops)


def test_a_bound_as_wide_as_the_value_is_no_bound():
    with tc.Network("silent") as net:
        tc.output("s", tc.cast(tc.input("x", (3,)) > 0.0, dtype="f64", role="spike"))
    found = through(net, Careless(), ticks=3)
    assert not found.ok and verdicts(found) == {"s": "not judged"}
    assert not found.breaches and "s is not judged" in str(found) and "0 of 1 targets hold" in str(found)
    with_ticks = through(net, Careless(), ticks=64)
    assert not with_ticks.ok
