"""From Brian2 to the chips: units found in the arithmetic stand on Loihi; what cannot is said, with its reason."""

from __future__ import annotations

import pytest

pytest.importorskip("brian2")
from brian2_models.models import MODELS, built

import thermoc as tc
from thermoc.ir.dialects.loihi.units import LoihiLif

pytestmark = pytest.mark.brian2
ON_LOIHI = ["current_synapses", "poisson_driven", "subtractive_reset"]


def read(name: str) -> tc.Network:
    """Return the network of a model."""
    network, names = built(MODELS[name])
    return tc.from_brian2(network, namespace=names)


@pytest.mark.parametrize("name", ON_LOIHI)
def test_a_model_reaches_every_target(name: str):
    """Simulator, ONNX, Loihi's integers and the crossbar chip, within verify's bounds; some unit spikes."""
    net = read(name)
    options = {"lava": {"runtime": "reference"}}
    verification = tc.verify(net, ["sim", "onnx", "lava", "chip"], ticks=150, seed=7, options=options)
    assert verification.ok, str(verification)
    assert tc.compile(net, "sim").run({}, ticks=150, seed=7)["spikes"].any()


@pytest.mark.parametrize("name", ON_LOIHI)
def test_its_units_are_on_loihi(name: str):
    """Every unit of the model is one of Loihi's, and none of its states is the host's."""
    graph = tc.compile(read(name), "lava", runtime="reference").graph
    assert sum(op.s.size for op in graph.of(LoihiLif)) == {"current_synapses": 12, "poisson_driven": 8}.get(name, 10)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("lif_current", "rest after a spike"),
        ("delays", "the reset loses what arrives in the tick of a spike"),
        ("cuba", "rest after a spike"),
    ],
)
def test_units_that_loihi_does_not_have_are_named(name: str, why: str):
    """They stay the host's, and the report says why; what is saved for Loihi is refused where nothing is on it."""
    exe = tc.compile(read(name), "lava", runtime="reference")
    said = [change.new for step in exe.records for change in step.changes if change.what.startswith("units behind")]
    assert any(new.startswith("of the host") and why in new for new in said), said
