"""Neurons in arithmetic become Loihi's: the same trajectory, and a reason where they cannot."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import thermoc as tc
from thermoc.ir.dialects import spiking
from thermoc.ir.dialects.loihi.units import LoihiLif
from thermoc.ir.feed import feed
from thermoc.ir.graph import Graph
from thermoc.ir.reference.interpreter import interpret
from thermoc.passes.change_log import Log
from thermoc.passes.loihi.recognize_neurons import RecognizeNeurons

N, TICKS = 6, 120
DRIVE = np.linspace(0.02, 0.3, N)
W = np.random.default_rng(4).normal(scale=0.2, size=(N, N))


def unit(
    *,
    arrives: str = "current",
    reset: str = "value",
    compare: Callable[..., tc.Handle] = tc.greater,
    read: str = "spikes",
    late: int = 2,
) -> Graph:
    """Return recurrent units, written as arithmetic in Brian2's order: step, threshold, synapses, reset."""
    with tc.Network("units", dt=1.0) as net:
        next_v, next_i = tc.placeholder((N,)), tc.placeholder((N,))
        v, i = tc.delay(next_v, np.linspace(0.1, 0.4, N)), tc.delay(next_i, np.linspace(-0.2, 0.4, N))
        after = 0.9 * v + DRIVE + (0.2 * i if arrives == "current" else 0.0)
        spikes = tc.cast(compare(after, 1.0), dtype="f64", role="spike")
        jump = tc.affine(tc.delay(spikes, 0.0, ticks=late), W)
        met = after + jump if arrives == "membrane" else after
        to = met - 1.0 if reset == "subtract" else tc.constant(np.full(N, 0.1))
        tc.connect(next_v, tc.select(tc.greater(spikes, 0.5), to, met))
        tc.connect(next_i, 0.8 * i + jump + 0.01)
        tc.output("spikes", spikes)
        if read == "states":
            tc.output("v", v)
            tc.output("i", i)
    return net.graph


def raised(graph: Graph) -> tuple[Graph, list[str]]:
    """Return what the pass makes of a graph, and what it says of each unit."""
    log = Log()
    return RecognizeNeurons().run(graph, log), [change.new for change in log.changes]


def outputs(graph: Graph) -> dict[str, np.ndarray]:
    """Return what the reference makes of a graph."""
    return dict(interpret(graph, feed(graph, {}, ticks=TICKS), seed=2).outputs)


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ({}, spiking.CubaLif),
        ({"compare": tc.greater_equal}, spiking.CubaLif),
        ({"arrives": "nowhere"}, spiking.LifStep),
        ({"arrives": "membrane", "reset": "subtract"}, spiking.LifStep),
        ({"arrives": "nowhere", "reset": "subtract"}, spiking.LifStep),
    ],
)
def test_the_trajectory_stays(form: dict, kind: type):
    """Spikes are equal, membranes and currents to rounding, and no arithmetic of the unit is left."""
    graph = unit(**form, read="states")
    new, said = raised(graph)
    assert said == ["a LIF"] and len(new.of(kind)) == 1
    before, after = outputs(graph), outputs(new)
    assert before["spikes"].sum() > 20
    np.testing.assert_array_equal(before["spikes"], after["spikes"])
    for name in ("v", "i"):
        np.testing.assert_allclose(after[name], before[name], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"arrives": "membrane"}, "loses what arrives in the tick of a spike"),
        ({"late": 64}, "after more than 64 ticks"),
    ],
)
def test_what_loihi_would_do_otherwise_stays(form: dict, why: str):
    """It is the host's, as it was, and the report says why."""
    graph = unit(**form)
    new, said = raised(graph)
    assert new is graph and len(said) == 1 and why in said[0]


def test_units_that_read_membranes_stay():
    """Units of Loihi say that they spike; a coupling by membranes is none that they have."""
    with tc.Network("coupled", dt=1.0) as net:
        hole = tc.placeholder((N,))
        v = tc.delay(hole, 0.0)
        after = 0.9 * v + 0.15 + 0.01 * tc.affine(v, np.ones((N, N)) - np.eye(N))
        tc.connect(hole, tc.select(tc.greater(after, 1.0), 0.0, after))
        tc.output("spikes", tc.cast(tc.greater(after, 1.0), dtype="f64"))
    new, said = raised(net.graph)
    assert new is net.graph and "reads membranes" in said[0]


def test_each_delay_and_weight_arrives():
    """Columns out of order and one source at two delays: the chip's integers hold verify's bound, unit by unit."""
    verification = tc.verify(unit(late=63), ["lava"], ticks=TICKS, options={"lava": {"runtime": "reference"}})
    assert verification.ok, str(verification)


def test_equations_reach_loihi():
    """A LIF written by its equation is a unit of Loihi too."""
    with tc.Network("equation", dt=0.5) as net:
        x = tc.input("x", (4,))
        made = tc.dynamics(
            "dv/dt = (x - v)/tau : 1", n=4, inputs={"x": x}, constants={"tau": 5.0}, threshold="v > 1", reset="v = 0"
        )
        tc.output("s", made["spikes"])
    graph = tc.compile(net, "lava", runtime="reference").graph
    assert [op.s.size for op in graph.of(LoihiLif)] == [4]
