"""What cannot be said of a Brian2 network is refused by the object's name, with the line of its code."""

# pyright: reportArgumentType=false
# (Brian2's constructors say less than they take)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("brian2")
import brian2
from brian2 import Hz, NeuronGroup, PoissonGroup, SpikeMonitor, StateMonitor, Synapses, ms

import thermoc as tc

pytestmark = pytest.mark.brian2


def group(n: int = 3, **more: Any) -> Any:
    """Return units that spike."""
    settings = {"threshold": "v > 1", "reset": "v = 0", "method": "euler", "name": "cells"} | more
    return NeuronGroup(n, "dv/dt = (1.5 - v)/(10*ms) : 1\nx : 1", **settings)


def a_python_function() -> list[Any]:
    @brian2.check_units(x=1, result=1)
    def twice(x: Any) -> Any:
        return 2 * x

    return [
        NeuronGroup(2, "dv/dt = twice(v)/ms : 1", method="euler", name="cells", namespace={"twice": twice, "ms": ms})
    ]


def a_network_operation() -> list[Any]:
    return [group(), brian2.NetworkOperation(lambda: None, name="every_step")]


def a_multicompartment_neuron() -> list[Any]:
    shape = brian2.Soma(30 * brian2.um)
    return [brian2.SpatialNeuron(shape, "Im = 0*amp/meter**2 : amp/meter**2", name="dendrite")]


def an_order() -> list[Any]:
    cells = group()
    synapses = Synapses(cells, cells, "w : 1", on_pre="x_post = w", name="connections")
    synapses.connect()
    synapses.w = "i + j"
    return [cells, synapses]


def a_product() -> list[Any]:
    cells = group()
    synapses = Synapses(cells, cells, on_pre="x_post *= 0.5", name="connections")
    synapses.connect()
    return [cells, synapses]


def a_computed_rate() -> list[Any]:
    return [NeuronGroup(2, "dv/dt = -v/ms : 1\nn : 1", method="exact", name="cells", threshold="poisson(v) > 1")]


def clocks_that_miss() -> list[Any]:
    return [group(dt=0.1 * ms), group(dt=0.25 * ms, n=2)]


def not_a_number() -> list[Any]:
    cells = group()
    cells.v = np.nan
    return [cells]


REFUSED: dict[Callable[[], list[Any]], tuple[str, str]] = {
    a_python_function: ("T508", "function 'twice'"),
    a_network_operation: ("T508", "object 'every_step'"),
    a_multicompartment_neuron: ("T508", "object 'dendrite'"),
    an_order: ("T508", "order"),
    a_product: ("T508", "x_post *= 0.5"),
    a_computed_rate: ("T508", "poisson"),
    not_a_number: ("T107", "v is not finite"),
}


@pytest.mark.parametrize("made", REFUSED, ids=lambda made: made.__name__)
def test_an_object_is_refused_by_name(made: Callable[[], list[Any]]):
    """A coded error names the object and says why."""
    brian2.start_scope()
    network = brian2.Network(made())
    code, words = REFUSED[made]
    with pytest.raises(tc.ThermocError) as caught:
        tc.from_brian2(network, namespace={"ms": ms})
    assert caught.value.code == code and words in str(caught.value)


def test_steps_that_do_not_meet_are_refused():
    """A step of 0.25 ms is no whole number of ticks of 0.1 ms."""
    network = brian2.Network(group(dt=0.1 * ms), NeuronGroup(1, "dv/dt = 1/ms : 1", dt=0.25 * ms, name="slow"))
    with pytest.raises(tc.ThermocError, match="whole number") as caught:
        tc.from_brian2(network, namespace={"ms": ms})
    assert caught.value.code == "T204" and "slow" in str(caught.value)


def test_a_network_that_has_run_is_refused():
    """Spikes on their way stand in no variable; the error says for how long it has run."""
    cells = group()
    network = brian2.Network(cells)
    brian2.prefs.codegen.target = "numpy"
    network.run(1 * ms, namespace={"ms": ms})
    with pytest.raises(tc.ThermocError, match=r"0\.001 s") as caught:
        tc.from_brian2(network)
    assert caught.value.code == "T525"


def test_what_brian2_refuses_is_a_coded_error():
    """A name that is nowhere, and units that disagree, are Brian2's own findings; the object is named."""
    for equations in ("dv/dt = nowhere/ms : 1", "dv/dt = 1*mV/ms : 1"):
        network = brian2.Network(NeuronGroup(1, equations, method="euler", name="cells"))
        with pytest.raises(tc.ThermocError, match="Brian2 refuses") as caught:
            tc.from_brian2(network, namespace={})
        assert caught.value.code == "T524" and "cells" in str(caught.value)


def test_what_is_no_network_is_refused():
    """A group alone is not a network, and an empty one holds nothing."""
    for item in (group(), brian2.Network()):
        with pytest.raises(tc.ThermocError) as caught:
            tc.from_brian2(item)
        assert caught.value.code == "T506"


def test_a_network_is_left_as_it_was():
    """Reading takes nothing from a network: Brian2 then runs it from its first step, with the spikes of one unread."""
    brian2.prefs.codegen.target = "numpy"
    counts = []
    for read in (False, True):
        cells = group()
        monitor = SpikeMonitor(cells)
        network = brian2.Network(cells, monitor)
        if read:
            tc.from_brian2(network)
        network.run(50 * ms)
        counts.append(int(monitor.num_spikes))
    assert counts[0] == counts[1] > 0


def test_names_of_outputs():
    """A monitor's own name, else that of the variable that holds it; without monitors the spikes, or the states."""
    cells, poisson = group(), PoissonGroup(2, 10 * Hz, name="noise")
    mine, trace = SpikeMonitor(cells), StateMonitor(cells, "v", record=[1], name="chosen")
    net = tc.from_brian2(brian2.Network(cells, mine, trace))
    assert set(net.graph.outputs) == {"mine", "chosen.v"} and net.graph.dt == 1e-4
    found = set(tc.from_brian2(brian2.Network(group(name="others"), poisson)).graph.outputs)
    assert found == {
        "others.spikes",
        "noise.spikes",
    }
    silent = NeuronGroup(2, "dv/dt = -v/(5*ms) : 1", method="exact", name="silent")
    assert set(tc.from_brian2(brian2.Network(silent)).graph.outputs) == {"silent.v"}
