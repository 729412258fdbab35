"""Networks that were read run on every target alike, within verify's own bounds."""

from __future__ import annotations

import pytest

pytest.importorskip("brian2")
from brian2_models.models import MODELS, built

import thermoc as tc

pytestmark = [pytest.mark.brian2, pytest.mark.slow]


@pytest.mark.parametrize("name", ["gap_junctions", "delays", "spike_generator", "custom_events"])
def test_targets_agree(name: str):
    """Simulator, ONNX and Brian2 against the reference, spike by spike."""
    network, names = built(MODELS[name])
    net = tc.from_brian2(network, namespace=names)
    verification = tc.verify(net, ["sim", "onnx", "brian2"], ticks=60, seed=7)
    assert verification.ok, str(verification)
